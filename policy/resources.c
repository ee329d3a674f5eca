#include "policy/resources.h"

#include <arpa/inet.h>

#include <openssl/asn1.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "policy/address.h"
#include "policy/text.h"

enum {
	TEXT_ENTRIES = 4,	/* named in a sentence; then "..." */
	ADDRESS_SIZE = 16,
	AFI_SIZE = 2		/* an addressFamily without SAFI */
};

/* X509_get_ext_d2i() says why it returned NULL through this number. */
static enum resources_state state_of_absence(int critical)
{
	return critical == -1 ? RESOURCES_ABSENT : RESOURCES_BROKEN;
}

/* ------------------------------------------------------------- AS numbers */

static ASIdentifiers *as_extension(const X509 *cert, enum resources_state *ret)
{
	int critical = -1;
	ASIdentifiers *asid = X509_get_ext_d2i(cert, NID_sbgp_autonomousSysNum,
					       &critical, NULL);

	if (asid == NULL)
		*ret = state_of_absence(critical);
	else if (asid->asnum == NULL)
		*ret = RESOURCES_ABSENT;	/* routing domain ids only */
	else if (asid->asnum->type == ASIdentifierChoice_inherit)
		*ret = RESOURCES_INHERITED;
	else if (asid->asnum->type == ASIdentifierChoice_asIdsOrRanges)
		*ret = RESOURCES_LISTED;
	else
		*ret = RESOURCES_BROKEN;
	return asid;
}

/* Negative numbers and those of more than 64 bits hold nothing. */
static bool as_bounds(const ASIdOrRange *entry, uint64_t *ret_min,
		      uint64_t *ret_max)
{
	if (entry->type == ASIdOrRange_id) {
		*ret_max = 0;
		if (ASN1_INTEGER_get_uint64(ret_min, entry->u.id) != 1)
			return false;
		*ret_max = *ret_min;
		return true;
	}
	return entry->type == ASIdOrRange_range &&
	       ASN1_INTEGER_get_uint64(ret_min, entry->u.range->min) == 1 &&
	       ASN1_INTEGER_get_uint64(ret_max, entry->u.range->max) == 1;
}

bool resources_hold_as(const X509 *cert, uint32_t as)
{
	enum resources_state state;
	ASIdentifiers *asid = as_extension(cert, &state);
	bool holds = false;
	uint64_t min, max;
	int i;

	if (state == RESOURCES_LISTED) {
		const ASIdOrRanges *list = asid->asnum->u.asIdsOrRanges;

		for (i = 0; i < sk_ASIdOrRange_num(list) && !holds; i++)
			holds = as_bounds(sk_ASIdOrRange_value(list, i), &min,
					  &max) &&
				as >= min && as <= max;
	}
	ASIdentifiers_free(asid);
	return holds;
}

static void append_as(const ASIdOrRange *entry, char *ret_text, size_t size)
{
	uint64_t min, max;

	if (!as_bounds(entry, &min, &max))
		text_append(ret_text, size, "AS (out of range)");
	else if (min == max)
		text_append(ret_text, size, "AS %ju", (uintmax_t)min);
	else
		text_append(ret_text, size, "AS %ju-%ju", (uintmax_t)min,
			    (uintmax_t)max);
}

static void list_as(const ASIdOrRanges *list, char *ret_text, size_t size)
{
	int i, count = sk_ASIdOrRange_num(list);

	text_format(ret_text, size, "%s", count == 0 ? "no AS number" : "");
	for (i = 0; i < count && i < TEXT_ENTRIES; i++) {
		text_append(ret_text, size, "%s", i == 0 ? "" : ", ");
		append_as(sk_ASIdOrRange_value(list, i), ret_text, size);
	}
	if (count > TEXT_ENTRIES)
		text_append(ret_text, size, " and %d more",
			    count - TEXT_ENTRIES);
}

void resources_as_text(const X509 *cert, char *ret_text, size_t size)
{
	enum resources_state state;
	ASIdentifiers *asid = as_extension(cert, &state);

	switch (state) {
	case RESOURCES_LISTED:
		list_as(asid->asnum->u.asIdsOrRanges, ret_text, size);
		break;
	case RESOURCES_ABSENT:
		text_format(ret_text, size, "no AS number");
		break;
	case RESOURCES_INHERITED:
		text_format(ret_text, size, "only inherited AS numbers");
		break;
	case RESOURCES_BROKEN:
		text_format(ret_text, size, "malformed AS numbers");
		break;
	}
	ASIdentifiers_free(asid);
}

/* -------------------------------------------------------------- addresses */

static bool whole_family(const IPAddressFamily *family, unsigned afi)
{
	return family->addressFamily->length == AFI_SIZE &&
	       X509v3_addr_get_afi(family) == afi;
}

static unsigned afi_of(const struct in6_addr *address)
{
	return address_family(address) == AF_INET ? IANA_AFI_IPV4 :
						    IANA_AFI_IPV6;
}

static bool family_listed(const IPAddressFamily *family)
{
	return family->ipAddressChoice->type ==
	       IPAddressChoice_addressesOrRanges;
}

static IPAddrBlocks *address_extension(const X509 *cert,
				       enum resources_state *ret)
{
	int i, critical = -1;
	IPAddrBlocks *blocks = X509_get_ext_d2i(cert, NID_sbgp_ipAddrBlock,
						&critical, NULL);

	if (blocks == NULL) {
		*ret = state_of_absence(critical);
		return NULL;
	}
	*ret = RESOURCES_INHERITED;
	for (i = 0; i < sk_IPAddressFamily_num(blocks); i++) {
		if (family_listed(sk_IPAddressFamily_value(blocks, i)))
			*ret = RESOURCES_LISTED;
	}
	return blocks;
}

enum resources_state resources_address_state(const X509 *cert)
{
	enum resources_state state;

	sk_IPAddressFamily_pop_free(address_extension(cert, &state),
				    IPAddressFamily_free);
	return state;
}

static bool family_holds(const IPAddressFamily *family,
			 const struct in6_addr *address)
{
	uint8_t min[ADDRESS_SIZE], max[ADDRESS_SIZE];
	const IPAddressOrRanges *list;
	unsigned afi = afi_of(address);
	const uint8_t *bytes;
	size_t len;
	int i;

	if (!whole_family(family, afi) || !family_listed(family))
		return false;
	list = family->ipAddressChoice->u.addressesOrRanges;
	bytes = address_bytes(address, &len);
	for (i = 0; i < sk_IPAddressOrRange_num(list); i++) {
		if (X509v3_addr_get_range(sk_IPAddressOrRange_value(list, i),
					  afi, min, max, sizeof(min)) ==
		    (int)len && memcmp(bytes, min, len) >= 0 &&
		    memcmp(bytes, max, len) <= 0)
			return true;
	}
	return false;
}

bool resources_hold_address(const X509 *cert, const struct in6_addr *address)
{
	enum resources_state state;
	IPAddrBlocks *blocks = address_extension(cert, &state);
	bool holds = false;
	int i;

	for (i = 0; i < sk_IPAddressFamily_num(blocks) && !holds; i++)
		holds = family_holds(sk_IPAddressFamily_value(blocks, i),
				     address);
	sk_IPAddressFamily_pop_free(blocks, IPAddressFamily_free);
	return holds;
}

static bool name_is(const GENERAL_NAME *name, const uint8_t *bytes, size_t len)
{
	return name->type == GEN_IPADD &&
	       ASN1_STRING_length(name->d.iPAddress) == (int)len &&
	       memcmp(ASN1_STRING_get0_data(name->d.iPAddress), bytes, len) ==
	       0;
}

bool resources_name_address(const X509 *cert, const struct in6_addr *address)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name,
						NULL, NULL);
	bool found = false;
	const uint8_t *bytes;
	size_t len;
	int i;

	bytes = address_bytes(address, &len);
	for (i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++)
		found = name_is(sk_GENERAL_NAME_value(names, i), bytes, len);
	GENERAL_NAMES_free(names);
	return found;
}

/* ------------------------------------------------------ addresses as text */

struct address_list {
	char *text;
	size_t size;
	int count;
};

static void append_range(struct address_list *list, int family,
			 const uint8_t *min, const uint8_t *max)
{
	char low[INET6_ADDRSTRLEN], high[INET6_ADDRSTRLEN];
	size_t len = family == AF_INET ? 4 : ADDRESS_SIZE;

	if (list->count++ >= TEXT_ENTRIES)
		return;
	inet_ntop(family, min, low, sizeof(low));
	inet_ntop(family, max, high, sizeof(high));
	text_append(list->text, list->size, "%s%s",
		    list->count == 1 ? "" : ", ", low);
	if (memcmp(min, max, len) != 0)
		text_append(list->text, list->size, "-%s", high);
}

static void append_family(struct address_list *list,
			  const IPAddressFamily *family)
{
	unsigned afi = X509v3_addr_get_afi(family);
	uint8_t min[ADDRESS_SIZE], max[ADDRESS_SIZE];
	const IPAddressOrRanges *entries;
	int i;

	if ((!whole_family(family, IANA_AFI_IPV4) &&
	     !whole_family(family, IANA_AFI_IPV6)) || !family_listed(family))
		return;
	entries = family->ipAddressChoice->u.addressesOrRanges;
	for (i = 0; i < sk_IPAddressOrRange_num(entries); i++) {
		if (X509v3_addr_get_range(sk_IPAddressOrRange_value(entries, i),
					  afi, min, max, sizeof(min)) > 0)
			append_range(list, afi == IANA_AFI_IPV4 ? AF_INET :
				     AF_INET6, min, max);
	}
}

static void append_names(struct address_list *list, const X509 *cert)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name,
						NULL, NULL);
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		const uint8_t *bytes;
		int len;

		if (name->type != GEN_IPADD)
			continue;
		bytes = ASN1_STRING_get0_data(name->d.iPAddress);
		len = ASN1_STRING_length(name->d.iPAddress);
		if (len == 4 || len == ADDRESS_SIZE)
			append_range(list, len == 4 ? AF_INET : AF_INET6,
				     bytes, bytes);
	}
	GENERAL_NAMES_free(names);
}

void resources_address_text(const X509 *cert, char *ret_text, size_t size)
{
	struct address_list list = { ret_text, size, 0 };
	enum resources_state state;
	IPAddrBlocks *blocks = address_extension(cert, &state);
	int i;

	text_format(ret_text, size, "%s", "");
	for (i = 0; i < sk_IPAddressFamily_num(blocks); i++)
		append_family(&list, sk_IPAddressFamily_value(blocks, i));
	sk_IPAddressFamily_pop_free(blocks, IPAddressFamily_free);
	/* the names mostly repeat the blocks: they stand in when there are
	 * none */
	if (list.count == 0)
		append_names(&list, cert);
	if (list.count > TEXT_ENTRIES)
		text_append(ret_text, size, " and %d more",
			    list.count - TEXT_ENTRIES);
	if (list.count == 0)
		text_format(ret_text, size, "no address");
}
