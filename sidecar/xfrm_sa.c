#include "sidecar/xfrm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "ike/proto.h"
#include "policy/address.h"

/*
 * The algorithms, by their IKEv2 transform ids (RFC 7296 3.3.2, RFC 4543) and
 * the kernel's names. A combined-mode row has no `crypt`: `auth` is its AEAD.
 */
struct algorithm {
	uint16_t encr, integ;
	unsigned icv_bits;
	const char *crypt, *auth;
	size_t key_len[3];	/* bytes, salt included; 0: no such size */
};

static const struct algorithm algorithms[] = {
	{ IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_256_128, 128,
	  "ecb(cipher_null)", "hmac(sha256)", { 32 } },
	{ IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_384_192, 192,
	  "ecb(cipher_null)", "hmac(sha384)", { 48 } },
	{ IKE_ENCR_NULL, IKE_INTEG_HMAC_SHA2_512_256, 256,
	  "ecb(cipher_null)", "hmac(sha512)", { 64 } },
	{ IKE_ENCR_NULL_AUTH_AES_GMAC, IKE_INTEG_NONE, 128,
	  NULL, "rfc4543(gcm(aes))", { 20, 28, 36 } },
	{ IKE_ENCR_AES_GCM_16, IKE_INTEG_NONE, 128,
	  NULL, "rfc4106(gcm(aes))", { 20, 36 } },
};

enum {
	ALGORITHMS = sizeof(algorithms) / sizeof(algorithms[0]),
	KEY_SIZES = 3,
	MAX_KEY = 64		/* bytes, the longest in the table */
};

static const struct algorithm *find_algorithm(uint16_t encr, uint16_t integ)
{
	for (size_t i = 0; i < ALGORITHMS; i++)
		if (algorithms[i].encr == encr && algorithms[i].integ == integ)
			return &algorithms[i];
	return NULL;
}

bool xfrm_carries(uint16_t encr)
{
	for (size_t i = 0; i < ALGORITHMS; i++)
		if (algorithms[i].encr == encr)
			return true;
	return false;
}

static bool key_fits(const struct algorithm *algorithm, size_t key_len)
{
	for (size_t i = 0; i < KEY_SIZES; i++)
		if (key_len && algorithm->key_len[i] == key_len)
			return true;
	return false;
}

/* ----------------------------------------------------------------- build */

static void unlimited(struct xfrm_lifetime_cfg *ret_lifetime)
{
	memset(ret_lifetime, 0, sizeof(*ret_lifetime));
	ret_lifetime->soft_byte_limit = XFRM_INF;
	ret_lifetime->hard_byte_limit = XFRM_INF;
	ret_lifetime->soft_packet_limit = XFRM_INF;
	ret_lifetime->hard_packet_limit = XFRM_INF;
}

static void make_info(const struct plane_sa *sa, uint32_t reqid,
		      struct xfrm_usersa_info *ret_info)
{
	struct xfrm_traffic traffic = {
		.pair = sa->pair, .kind = sa->kind, .inbound = sa->inbound
	};

	memset(ret_info, 0, sizeof(*ret_info));
	xfrm_selector_make(&traffic, &ret_info->sel);
	ret_info->id.daddr = ret_info->sel.daddr;
	ret_info->id.spi = htonl(sa->spi);
	ret_info->id.proto = IPPROTO_ESP;
	ret_info->saddr = ret_info->sel.saddr;
	unlimited(&ret_info->lft);
	ret_info->lft.hard_add_expires_seconds = sa->lifetime_s;
	ret_info->reqid = reqid;
	ret_info->family = ret_info->sel.family;
	ret_info->mode = XFRM_MODE_TRANSPORT;
	ret_info->flags = sa->esn ? XFRM_STATE_ESN : 0;
}

static bool put_cipher_null(struct nlmsghdr *message, const char *name)
{
	struct xfrm_algo crypt = { .alg_key_len = 0 };

	snprintf(crypt.alg_name, sizeof(crypt.alg_name), "%s", name);
	return mnl_attr_put_check(message, NETLINK_REQUEST_SIZE,
				  XFRMA_ALG_CRYPT, sizeof(crypt), &crypt);
}

/* struct xfrm_algo_auth and struct xfrm_algo_aead are alike: name, key bits,
 * ICV bits, key. */
static bool put_keyed(struct nlmsghdr *message, uint16_t type,
		      const struct algorithm *algorithm,
		      const struct plane_sa *sa)
{
	union {
		struct xfrm_algo_auth auth;
		uint8_t bytes[sizeof(struct xfrm_algo_auth) + MAX_KEY];
	} value = { .bytes = { 0 } };
	bool ok;

	_Static_assert(sizeof(struct xfrm_algo_auth) ==
		       sizeof(struct xfrm_algo_aead), "alike");
	snprintf(value.auth.alg_name, sizeof(value.auth.alg_name), "%s",
		 algorithm->auth);
	value.auth.alg_key_len = (unsigned)sa->key_len * 8;
	value.auth.alg_trunc_len = algorithm->icv_bits;
	memcpy(value.bytes + sizeof(value.auth), sa->key, sa->key_len);
	ok = mnl_attr_put_check(message, NETLINK_REQUEST_SIZE, type,
				sizeof(value.auth) + sa->key_len, &value);
	explicit_bzero(&value, sizeof(value));
	return ok;
}

/* The attribute also serves SAs without ESN, whose old form ends at a window
 * of 32. The window is on outbound SAs too: with ESN the kernel insists. */
static bool put_replay(struct nlmsghdr *message)
{
	union {
		struct xfrm_replay_state_esn esn;
		uint8_t bytes[sizeof(struct xfrm_replay_state_esn) +
			      XFRM_WINDOW / 8];
	} value = { .bytes = { 0 } };

	value.esn.bmp_len = XFRM_WINDOW / 32;
	value.esn.replay_window = XFRM_WINDOW;
	return mnl_attr_put_check(message, NETLINK_REQUEST_SIZE,
				  XFRMA_REPLAY_ESN_VAL, sizeof(value), &value);
}

/* ESP in UDP (RFC 3948): the ports are the packet's. */
static bool put_encap(struct nlmsghdr *message, const struct plane_sa *sa)
{
	struct xfrm_encap_tmpl encap = {
		.encap_type = UDP_ENCAP_ESPINUDP,
		.encap_sport = htons(sa->inbound ? sa->udp_peer :
						   sa->udp_local),
		.encap_dport = htons(sa->inbound ? sa->udp_local :
						   sa->udp_peer),
	};

	return !sa->udp_local ||
	       mnl_attr_put_check(message, NETLINK_REQUEST_SIZE, XFRMA_ENCAP,
				  sizeof(encap), &encap);
}

int xfrm_sa_build(const struct plane_sa *sa, uint32_t reqid,
		  union netlink_request *ret_request)
{
	const struct algorithm *algorithm;
	struct xfrm_usersa_info info;
	struct nlmsghdr *message;
	bool ok;

	algorithm = find_algorithm(sa->encr, sa->integ);
	if (!algorithm)
		return -EPROTONOSUPPORT;
	if (!key_fits(algorithm, sa->key_len) || sa->spi < XFRM_SPI_MIN ||
	    !sa->udp_local != !sa->udp_peer ||
	    address_family(&sa->pair.local) != address_family(&sa->pair.peer))
		return -EINVAL;
	make_info(sa, reqid, &info);
	message = netlink_begin(ret_request, XFRM_MSG_NEWSA,
				NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	if (algorithm->crypt)
		ok = put_cipher_null(message, algorithm->crypt) &&
		     put_keyed(message, XFRMA_ALG_AUTH_TRUNC, algorithm, sa);
	else
		ok = put_keyed(message, XFRMA_ALG_AEAD, algorithm, sa);
	return ok && put_replay(message) && put_encap(message, sa) ? 0 :
								     -EMSGSIZE;
}

/* ------------------------------------------------------------------ read */

static bool is_exact(const struct xfrm_traffic *traffic, enum plane_kind kind)
{
	return traffic->kind == kind && !traffic->any_peer &&
	       !traffic->any_local;
}

/* The direction is not written in an SA. But its reqid says which end has
 * port 179 and its selector whether that is source or destination. */
static bool read_traffic(const struct xfrm_usersa_info *info,
			 struct xfrm_traffic *ret_traffic)
{
	enum plane_kind kind;
	uint32_t slot;

	if (!xfrm_reqid_read(info->reqid, &slot, &kind))
		return false;
	if (xfrm_selector_read(&info->sel, true, ret_traffic) &&
	    ret_traffic->kind == kind)
		return is_exact(ret_traffic, kind);
	return xfrm_selector_read(&info->sel, false, ret_traffic) &&
	       is_exact(ret_traffic, kind);
}

static void read_stats(const struct xfrm_usersa_info *info, uint64_t now,
		       struct plane_sa_stats *ret_stats)
{
	uint64_t added = info->curlft.add_time;

	ret_stats->spi = ntohl(info->id.spi);
	ret_stats->packets = info->curlft.packets;
	ret_stats->bytes = info->curlft.bytes;
	/* the wall clock may have been set back since */
	ret_stats->age_s = now > added ? now - added : 0;
	/* seen already, and too old to tell */
	ret_stats->replay_drops = (uint64_t)info->stats.replay +
		info->stats.replay_window;
	ret_stats->integrity_drops = info->stats.integrity_failed;
}

bool xfrm_sa_read(const struct nlmsghdr *message, uint64_t now,
		  struct plane_sa_stats *ret_stats, uint32_t *ret_reqid)
{
	struct xfrm_usersa_info info;
	struct xfrm_traffic traffic;

	if (message->nlmsg_type != XFRM_MSG_NEWSA ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(info))
		return false;
	memcpy(&info, mnl_nlmsg_get_payload(message), sizeof(info));
	/* SPI 0: no SA, but the mark that the kernel is waiting for one */
	if (info.id.proto != IPPROTO_ESP || info.id.spi == 0 ||
	    info.mode != XFRM_MODE_TRANSPORT || !read_traffic(&info, &traffic))
		return false;
	if (!xfrm_address_equal(&info.id.daddr, &info.sel.daddr) ||
	    !xfrm_address_equal(&info.saddr, &info.sel.saddr))
		return false;
	memset(ret_stats, 0, sizeof(*ret_stats));
	ret_stats->pair = traffic.pair;
	ret_stats->kind = traffic.kind;
	ret_stats->inbound = traffic.inbound;
	read_stats(&info, now, ret_stats);
	*ret_reqid = info.reqid;
	return true;
}

/* ------------------------------------------------------------------ talk */

int xfrm_sa_add(struct netlink *netlink, const struct plane_sa *sa,
		uint32_t reqid)
{
	union netlink_request request;
	int err;

	err = xfrm_sa_build(sa, reqid, &request);
	if (!err)
		err = netlink_call(netlink, &request.header, NULL, NULL);
	explicit_bzero(&request, sizeof(request));
	return err;
}

static struct nlmsghdr *name_sa(union netlink_request *request, uint16_t type,
				const struct plane_pair *pair, bool inbound,
				uint32_t spi)
{
	struct xfrm_usersa_id id;

	memset(&id, 0, sizeof(id));
	xfrm_address_make(inbound ? &pair->local : &pair->peer, &id.daddr);
	id.spi = htonl(spi);
	id.family = (uint16_t)address_family(&pair->local);
	id.proto = IPPROTO_ESP;
	return netlink_begin(request, type, 0, &id, sizeof(id));
}

struct expected_sa {
	const struct plane_pair *pair;
	bool inbound, ours;
};

static int check_owner(void *ctx, const struct nlmsghdr *message)
{
	struct expected_sa *expected = ctx;
	struct plane_sa_stats stats;
	uint32_t reqid;

	expected->ours = xfrm_sa_read(message, 0, &stats, &reqid) &&
		stats.inbound == expected->inbound &&
		address_equal(&stats.pair.local, &expected->pair->local) &&
		address_equal(&stats.pair.peer, &expected->pair->peer);
	return 0;
}

int xfrm_sa_delete(struct netlink *netlink, const struct plane_pair *pair,
		   bool inbound, uint32_t spi)
{
	struct expected_sa expected = { .pair = pair, .inbound = inbound };
	union netlink_request request;
	int err;

	err = netlink_call(netlink, name_sa(&request, XFRM_MSG_GETSA, pair,
					    inbound, spi),
			   check_owner, &expected);
	if (err == -ESRCH)
		return 0;
	if (err)
		return err;
	if (!expected.ours)
		return -EPERM;
	err = netlink_call(netlink, name_sa(&request, XFRM_MSG_DELSA, pair,
					    inbound, spi), NULL, NULL);
	/* it may have expired just now */
	return err == -ESRCH ? 0 : err;
}

uint32_t xfrm_sa_allocate_spi(struct netlink *netlink,
			      const struct plane_pair *pair)
{
	union netlink_request request;
	uint32_t spi;
	int err;

	for (int i = 0; i < XFRM_SPI_ATTEMPTS; i++) {
		if (getrandom(&spi, sizeof(spi), 0) != sizeof(spi))
			return 0;
		spi &= ~PLANE_SPI_USER;
		if (spi < XFRM_SPI_MIN)
			continue;
		err = netlink_call(netlink, name_sa(&request, XFRM_MSG_GETSA,
						    pair, true, spi),
				   NULL, NULL);
		if (err == -ESRCH)
			return spi;
		if (err)
			return 0;
	}
	return 0;
}

/* ------------------------------------------------------------------ list */

struct sa_list {
	struct xfrm_sa *items;
	size_t count, room;
	uint64_t now;
};

static int collect(void *ctx, const struct nlmsghdr *message)
{
	struct sa_list *list = ctx;
	size_t room = list->room ? 2 * list->room : 16;
	struct xfrm_sa sa, *items;

	if (!xfrm_sa_read(message, list->now, &sa.stats, &sa.reqid))
		return 0;
	if (list->count == list->room) {
		items = reallocarray(list->items, room, sizeof(*items));
		if (!items)
			return -ENOMEM;
		list->items = items;
		list->room = room;
	}
	list->items[list->count++] = sa;
	return 0;
}

int xfrm_sa_list(struct netlink *netlink, struct xfrm_sa **ret_sas,
		 size_t *ret_count)
{
	struct sa_list list = { .now = (uint64_t)time(NULL) };
	union netlink_request request;
	int err = -EINTR;

	/* The kernel reads attributes of this request from right behind its
	 * header, so there is no fixed part. */
	for (int i = 0; err == -EINTR && i < NETLINK_DUMP_ATTEMPTS; i++) {
		list.count = 0;
		err = netlink_call(netlink,
				   netlink_begin(&request, XFRM_MSG_GETSA,
						 NLM_F_DUMP, NULL, 0),
				   collect, &list);
	}
	if (err) {
		free(list.items);
		return err;
	}
	*ret_sas = list.items;
	*ret_count = list.count;
	return 0;
}
