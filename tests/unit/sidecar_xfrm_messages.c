/* The requests that add SAs, read back with libmnl alone, and what of a dump of
 * the SAD is taken for ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>

#include "policy/address.h"
#include "sidecar/xfrm.h"

enum { REQID = PLANE_REQID_BASE | 7 << 1 };

#define LOCAL "192.0.2.1"
#define PEER "198.51.100.2"
#define LOCAL6 "2001:db8::1"
#define PEER6 "2001:db8::2"

static struct plane_pair pair_of(const char *local, const char *peer)
{
	struct plane_pair pair;

	memset(&pair, 0, sizeof(pair));
	assert_true(address_parse(local, &pair.local));
	assert_true(address_parse(peer, &pair.peer));
	return pair;
}

static const uint8_t key[64] = {
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
	[31] = 0x31, [63] = 0x63
};

static struct plane_sa sa_of(const char *local, const char *peer)
{
	struct plane_sa sa = {
		.pair = pair_of(local, peer), .kind = PLANE_ACTIVE,
		.inbound = false, .spi = 0xc0ffee01, .encr = 11, .integ = 12,
		.esn = true, .lifetime_s = 3600, .key = key, .key_len = 32
	};

	return sa;
}

/* One attribute of a request, as the kernel's own structs lay it out. */
static const uint8_t *attribute(const union netlink_request *request,
				uint16_t type, size_t *ret_len)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, &request->header,
			  sizeof(struct xfrm_usersa_info)) {
		if (mnl_attr_get_type(attr) == type) {
			*ret_len = mnl_attr_get_payload_len(attr);
			return mnl_attr_get_payload(attr);
		}
	}
	*ret_len = 0;
	return NULL;
}

static struct xfrm_usersa_info info_of(const union netlink_request *request)
{
	struct xfrm_usersa_info info;

	assert_true(mnl_nlmsg_get_payload_len(&request->header) >=
		    sizeof(info));
	memcpy(&info, mnl_nlmsg_get_payload(&request->header), sizeof(info));
	return info;
}

static void sa_request_says_everything(void **state)
{
	struct plane_sa sa = sa_of(LOCAL, PEER);
	union netlink_request request;
	struct xfrm_usersa_info info;

	(void)state;
	assert_int_equal(xfrm_sa_build(&sa, REQID, &request), 0);
	assert_int_equal(request.header.nlmsg_type, XFRM_MSG_NEWSA);
	assert_int_equal(request.header.nlmsg_flags &
			 (NLM_F_CREATE | NLM_F_EXCL | NLM_F_REPLACE),
			 NLM_F_CREATE | NLM_F_EXCL);
	info = info_of(&request);
	assert_int_equal(info.family, AF_INET);
	assert_int_equal(info.saddr.a4, inet_addr(LOCAL));
	assert_int_equal(info.id.daddr.a4, inet_addr(PEER));
	assert_int_equal(info.id.spi, htonl(0xc0ffee01));
	assert_int_equal(info.id.proto, IPPROTO_ESP);
	assert_int_equal(info.mode, XFRM_MODE_TRANSPORT);
	assert_int_equal(info.reqid, REQID);
	assert_int_equal(info.flags, XFRM_STATE_ESN);
	assert_int_equal(info.replay_window, 0);
	assert_int_equal(info.lft.hard_add_expires_seconds, 3600);
	assert_int_equal(info.lft.soft_add_expires_seconds, 0);
	assert_true(info.lft.hard_byte_limit == XFRM_INF);
	assert_true(info.lft.hard_packet_limit == XFRM_INF);
	assert_true(info.lft.soft_byte_limit == XFRM_INF);
	assert_true(info.lft.soft_packet_limit == XFRM_INF);
}

static void sa_selector_is_exact(void **state)
{
	static const struct {
		enum plane_kind kind;
		bool inbound;
		uint16_t sport, dport;
	} rows[] = {
		{ PLANE_ACTIVE, false, 0, 179 },
		{ PLANE_ACTIVE, true, 179, 0 },
		{ PLANE_PASSIVE, false, 179, 0 },
		{ PLANE_PASSIVE, true, 0, 179 },
	};
	union netlink_request request;
	struct xfrm_usersa_info info;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		bool six = i >= 4;
		struct plane_sa sa = sa_of(six ? LOCAL6 : LOCAL,
					   six ? PEER6 : PEER);

		sa.kind = rows[i % 4].kind;
		sa.inbound = rows[i % 4].inbound;
		assert_int_equal(xfrm_sa_build(&sa, REQID, &request), 0);
		info = info_of(&request);
		assert_int_equal(info.sel.family, six ? AF_INET6 : AF_INET);
		assert_int_equal(info.sel.prefixlen_s, six ? 128 : 32);
		assert_int_equal(info.sel.prefixlen_d, six ? 128 : 32);
		assert_int_equal(info.sel.proto, IPPROTO_TCP);
		assert_int_equal(ntohs(info.sel.sport), rows[i % 4].sport);
		assert_int_equal(info.sel.sport_mask,
				 rows[i % 4].sport ? 0xffff : 0);
		assert_int_equal(ntohs(info.sel.dport), rows[i % 4].dport);
		assert_int_equal(info.sel.dport_mask,
				 rows[i % 4].dport ? 0xffff : 0);
		assert_memory_equal(&info.sel.saddr, &info.saddr, 16);
		assert_memory_equal(&info.sel.daddr, &info.id.daddr, 16);
		assert_memory_equal(sa.inbound ? &info.saddr : &info.id.daddr,
				    six ? sa.pair.peer.s6_addr :
				    &sa.pair.peer.s6_addr[12], six ? 16 : 4);
		assert_memory_equal(sa.inbound ? &info.id.daddr : &info.saddr,
				    six ? sa.pair.local.s6_addr :
				    &sa.pair.local.s6_addr[12], six ? 16 : 4);
	}
}

static void sa_algorithms_are_the_kernels(void **state)
{
	static const struct {
		uint16_t encr, integ, type;
		size_t key_len;
		const char *name;
		unsigned icv;
	} rows[] = {
		{ 11, 12, XFRMA_ALG_AUTH_TRUNC, 32, "hmac(sha256)", 128 },
		{ 11, 13, XFRMA_ALG_AUTH_TRUNC, 48, "hmac(sha384)", 192 },
		{ 11, 14, XFRMA_ALG_AUTH_TRUNC, 64, "hmac(sha512)", 256 },
		{ 21, 0, XFRMA_ALG_AEAD, 20, "rfc4543(gcm(aes))", 128 },
		{ 21, 0, XFRMA_ALG_AEAD, 36, "rfc4543(gcm(aes))", 128 },
		{ 20, 0, XFRMA_ALG_AEAD, 20, "rfc4106(gcm(aes))", 128 },
		{ 20, 0, XFRMA_ALG_AEAD, 36, "rfc4106(gcm(aes))", 128 },
	};
	struct plane_sa sa = sa_of(LOCAL, PEER);
	union netlink_request request;
	struct xfrm_algo_auth auth;
	const uint8_t *value;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sa.encr = rows[i].encr;
		sa.integ = rows[i].integ;
		sa.key_len = rows[i].key_len;
		assert_int_equal(xfrm_sa_build(&sa, REQID, &request), 0);
		value = attribute(&request, rows[i].type, &len);
		assert_non_null(value);
		assert_int_equal(len, sizeof(auth) + rows[i].key_len);
		memcpy(&auth, value, sizeof(auth));
		assert_string_equal(auth.alg_name, rows[i].name);
		assert_int_equal(auth.alg_key_len, rows[i].key_len * 8);
		assert_int_equal(auth.alg_trunc_len, rows[i].icv);
		assert_memory_equal(value + sizeof(auth), key,
				    rows[i].key_len);
		value = attribute(&request, XFRMA_ALG_CRYPT, &len);
		assert_int_equal(value != NULL, rows[i].encr == 11);
		if (!value)
			continue;
		assert_int_equal(len, sizeof(struct xfrm_algo));
		assert_string_equal((const char *)value, "ecb(cipher_null)");
	}
}

static void sa_has_a_wide_replay_window(void **state)
{
	struct plane_sa sa = sa_of(LOCAL, PEER);
	struct xfrm_replay_state_esn esn;
	union netlink_request request;
	const uint8_t *value;
	size_t len;

	(void)state;
	for (int with_esn = 0; with_esn < 2; with_esn++) {
		sa.esn = with_esn;
		assert_int_equal(xfrm_sa_build(&sa, REQID, &request), 0);
		value = attribute(&request, XFRMA_REPLAY_ESN_VAL, &len);
		assert_int_equal(len, sizeof(esn) + 1024 / 8);
		memcpy(&esn, value, sizeof(esn));
		assert_int_equal(esn.replay_window, 1024);
		assert_int_equal(esn.bmp_len, 32);
		assert_int_equal(esn.seq | esn.oseq | esn.seq_hi | esn.oseq_hi,
				 0);
		assert_int_equal(info_of(&request).flags,
				 with_esn ? XFRM_STATE_ESN : 0);
	}
}

/* RFC 3948: the ports as they stand in the packets of that direction. */
static void sa_in_udp_has_its_ports(void **state)
{
	struct plane_sa sa = sa_of(LOCAL, PEER);
	union netlink_request request;
	size_t len;

	(void)state;
	assert_int_equal(xfrm_sa_build(&sa, REQID, &request), 0);
	assert_null(attribute(&request, XFRMA_ENCAP, &len));
	sa.udp_local = 4500;
	assert_int_equal(xfrm_sa_build(&sa, REQID, &request), -EINVAL);
	sa.udp_peer = 20000;
	for (int inbound = 0; inbound < 2; inbound++) {
		struct xfrm_encap_tmpl encap;
		const uint8_t *value;

		sa.inbound = inbound;
		assert_int_equal(xfrm_sa_build(&sa, REQID, &request), 0);
		value = attribute(&request, XFRMA_ENCAP, &len);
		assert_int_equal(len, sizeof(encap));
		memcpy(&encap, value, sizeof(encap));
		assert_int_equal(encap.encap_type, 2);
		assert_int_equal(ntohs(encap.encap_sport),
				 inbound ? 20000 : 4500);
		assert_int_equal(ntohs(encap.encap_dport),
				 inbound ? 4500 : 20000);
	}
}

static void bad_sas_are_refused(void **state)
{
	static const size_t lengths[] = { 0, 1, 16, 31, 33, 48, 64 };
	const struct plane_sa good = sa_of(LOCAL, PEER);
	union netlink_request request;
	struct plane_sa sa;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		sa = good;
		sa.key_len = lengths[i];
		assert_int_equal(xfrm_sa_build(&sa, REQID, &request), -EINVAL);
	}
	sa = good;
	sa.encr = 21;
	sa.integ = 0;
	assert_int_equal(xfrm_sa_build(&sa, REQID, &request), -EINVAL);
	sa = good;
	sa.spi = 255;
	assert_int_equal(xfrm_sa_build(&sa, REQID, &request), -EINVAL);
	sa.spi = 256;
	assert_int_equal(xfrm_sa_build(&sa, REQID, &request), 0);
	sa = good;
	sa.pair.peer = pair_of(LOCAL6, PEER6).peer;
	assert_int_equal(xfrm_sa_build(&sa, REQID, &request), -EINVAL);
	sa = good;
	sa.integ = 0;
	assert_int_equal(xfrm_sa_build(&sa, REQID, &request),
			 -EPROTONOSUPPORT);
	sa.integ = 2;
	assert_int_equal(xfrm_sa_build(&sa, REQID, &request),
			 -EPROTONOSUPPORT);
	sa = good;
	sa.encr = 20;
	assert_int_equal(xfrm_sa_build(&sa, REQID, &request),
			 -EPROTONOSUPPORT);
}

static void built_sas_are_recognised(void **state)
{
	union netlink_request request;
	struct plane_sa_stats stats;
	uint32_t reqid;

	(void)state;
	for (int i = 0; i < 8; i++) {
		struct plane_sa sa = sa_of(i & 4 ? LOCAL6 : LOCAL,
					   i & 4 ? PEER6 : PEER);

		sa.kind = i & 1 ? PLANE_PASSIVE : PLANE_ACTIVE;
		sa.inbound = i & 2;
		assert_int_equal(xfrm_sa_build(&sa, xfrm_reqid(7, sa.kind),
					       &request), 0);
		assert_true(xfrm_sa_read(&request.header, 10, &stats, &reqid));
		assert_int_equal(stats.kind, sa.kind);
		assert_int_equal(stats.inbound, sa.inbound);
		assert_int_equal(stats.spi, sa.spi);
		assert_int_equal(stats.age_s, 10);
		assert_int_equal(reqid, xfrm_reqid(7, sa.kind));
		assert_memory_equal(&stats.pair, &sa.pair, sizeof(sa.pair));
		/* the other kind's reqid does not go with this selector */
		assert_int_equal(xfrm_sa_build(&sa, xfrm_reqid(7, !sa.kind),
					       &request), 0);
		assert_true(!xfrm_sa_read(&request.header, 10, &stats,
					  &reqid) ||
			    stats.inbound != sa.inbound);
	}
}

/* What a change to an SA of ours makes it another program's. */
static void change_info(struct xfrm_usersa_info *info, int what)
{
	switch (what) {
	case 0: info->reqid = 1; break;
	case 1: info->reqid = PLANE_REQID_BASE - 1; break;
	case 2: info->reqid = PLANE_REQID_BASE + 0x100000; break;
	case 3: info->mode = XFRM_MODE_TUNNEL; break;
	case 4: info->id.proto = IPPROTO_AH; break;
	case 5: info->id.spi = 0; break;
	case 6: info->id.daddr.a4 ^= htonl(1); break;
	case 7: info->saddr.a4 ^= htonl(1); break;
	case 8: info->sel.prefixlen_s = 24; break;
	case 9: info->sel.prefixlen_d = 0; break;
	case 10: info->sel.dport = htons(80); break;
	case 11: info->sel.dport_mask = htons(0xfff0); break;
	case 12: info->sel.sport = htons(179); break;
	case 13: info->sel.proto = IPPROTO_UDP; break;
	case 14: info->sel.ifindex = 3; break;
	case 15: info->sel.family = AF_INET6; break;
	case 16: info->sel.family = 0; break;
	case 17: memset(&info->sel, 0, sizeof(info->sel)); break;
	}
}

static void foreign_sas_are_not_read(void **state)
{
	struct plane_sa sa = sa_of(LOCAL, PEER);
	struct plane_sa_stats stats;
	union netlink_request request;
	struct xfrm_usersa_info info;
	uint32_t reqid;

	(void)state;
	for (int i = 0; i < 18; i++) {
		assert_int_equal(xfrm_sa_build(&sa, REQID, &request), 0);
		assert_true(xfrm_sa_read(&request.header, 0, &stats, &reqid));
		info = info_of(&request);
		change_info(&info, i);
		memcpy(mnl_nlmsg_get_payload(&request.header), &info,
		       sizeof(info));
		if (xfrm_sa_read(&request.header, 0, &stats, &reqid))
			fail_msg("change %d goes unnoticed", i);
	}
	assert_int_equal(xfrm_sa_build(&sa, REQID, &request), 0);
	request.header.nlmsg_len = NLMSG_HDRLEN + sizeof(info) - 1;
	assert_false(xfrm_sa_read(&request.header, 0, &stats, &reqid));
}

static void requests_begin_clean(void **state)
{
	union netlink_request request;
	uint32_t fixed = 0x01020304;

	(void)state;
	memset(&request, 0xa5, sizeof(request));
	netlink_begin(&request, 77, NLM_F_DUMP, &fixed, sizeof(fixed));
	assert_int_equal(request.header.nlmsg_len, NLMSG_HDRLEN + 4);
	assert_int_equal(request.header.nlmsg_type, 77);
	assert_int_equal(request.header.nlmsg_flags,
			 NLM_F_REQUEST | NLM_F_DUMP);
	for (size_t i = NLMSG_HDRLEN + 4; i < sizeof(request); i++)
		assert_int_equal(request.bytes[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sa_request_says_everything),
		cmocka_unit_test(sa_selector_is_exact),
		cmocka_unit_test(sa_algorithms_are_the_kernels),
		cmocka_unit_test(sa_has_a_wide_replay_window),
		cmocka_unit_test(sa_in_udp_has_its_ports),
		cmocka_unit_test(bad_sas_are_refused),
		cmocka_unit_test(built_sas_are_recognised),
		cmocka_unit_test(foreign_sas_are_not_read),
		cmocka_unit_test(requests_begin_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
