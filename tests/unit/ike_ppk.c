/* Post-quantum preshared keys (RFC 8784). Known answers made by Python's
 * hmac. */
#include "tests/unit/ike_test.h"

#include "ike/engine.h"
#include "ike/ppk.h"

#define PPK "0123456789abcdef0123456789abcdef"

static void known_answers(void **state)
{
	static const struct {
		uint16_t prf;
		size_t size;
		const char *mixed;
	} rows[] = {
		{ IKE_PRF_HMAC_SHA2_256, 32,
		  "7e5be4b79cf3d09d5e971309fe2e12da147ddb78a5a43889ced464c1de15"
		  "a1d8cd37238a184c88cd9c63f7b97c62f9de6af66275a430fda7c9ae2f3e"
		  "657c1d2db182bfb613ded6184a8efbc9655544cd51c66b7ca79e3c158df4"
		  "0998941f42c8" },
		{ IKE_PRF_HMAC_SHA2_384, 48,
		  "8156a7aeea2b4a1ac744dc8cfad57be66b3376ef90969fd88ffa79ffb70f"
		  "0485204f1135da560211d887dce2a665c758aa47e6f9cf2a40a6da59659d"
		  "63177de1c0eead81df155ed2d46218878ddccb1c02ccd017a0a3eec27daf"
		  "331457ee319688a301e3e68088ce67039d71958e753cfd3d0708d474e48d"
		  "b7175cb28dfb8d12acc32a5702e3ac4b257a58ec5b166ae1" },
		{ IKE_PRF_HMAC_SHA2_512, 64,
		  "912e0994176e64bc999e59cadc86373b0e78c47fab0da0a5c4a2ed3804d0"
		  "2defbbf97bcdd1e8083482dadc02db70f62e8f602d89db469c8b6f8ab8e8"
		  "035b9daa77b0ba6df21b8a4e96a446daa2d584155c95f070fa9d115484e1"
		  "57febf51550c670e59cc5b5a2ecc3ee5f1958c7752956385e34bab8113bb"
		  "2bf8c540bb62b3052854132af1ff23a52c8239b53af00112f90f5543cda8"
		  "f451b3dead60e763e08228f826bad71504ef983d327c52ad0ea15deed2da"
		  "53d2723a1ec072b55ebd2e69" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t size = rows[i].size;
		uint8_t keys[192], mixed[192];

		for (size_t j = 0; j < 3 * size; j++)
			keys[j] = (uint8_t)(1 + j / size);
		assert_true(ppk_mix(test_crypto(),
				    rows[i].prf, TEXT(PPK), (struct ike_bytes){
				    keys, 3 * size }, mixed));
		assert_int_equal(strlen(rows[i].mixed), 6 * size);
		assert_hex(mixed, rows[i].mixed);
		/* in place */
		assert_true(ppk_mix(test_crypto(),
				    rows[i].prf, TEXT(PPK), (struct ike_bytes){
				    keys, 3 * size }, keys));
		assert_hex(keys, rows[i].mixed);
	}
}

static void refuses(void **state)
{
	static const uint8_t keys[256];
	static const size_t lengths[] = { 0, 1, 32, 64, 95, 97, 128, 144, 192 };
	uint8_t mixed[256] = { 7 };
	struct ike_bytes good = { keys, 96 };

	(void)state;
	assert_false(ppk_mix(test_crypto(),
			     IKE_PRF_HMAC_SHA1, TEXT(PPK), good, mixed));
	assert_false(ppk_mix(test_crypto(), 0, TEXT(PPK), good, mixed));
	assert_false(ppk_mix(test_crypto(),
			     IKE_PRF_HMAC_SHA2_256, (struct ike_bytes){
			     (const uint8_t *)PPK, 31 }, good, mixed));
	assert_false(ppk_mix(test_crypto(),
			     IKE_PRF_HMAC_SHA2_256, (struct ike_bytes){
			     NULL, 0 }, good, mixed));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		assert_false(ppk_mix(test_crypto(),
				     IKE_PRF_HMAC_SHA2_256, TEXT(PPK),
				     (struct ike_bytes){ keys, lengths[i] },
				     mixed));
	assert_int_equal(mixed[0], 7);
}

/* RFC 8784 3, table 1, and what an ID may be. */
static void requests(void **state)
{
	static const struct {
		const char *id;		/* hex; NULL: no PPK_IDENTITY */
		bool agreed, without, required;
		enum ike_reason expected;
		bool mix;
	} cases[] = {
		/* no USE_PPK: what else comes does not matter */
		{ NULL, false, false, false, IKE_REASON_NONE, false },
		{ "0261", false, true, false, IKE_REASON_NONE, false },
		{ NULL, false, false, true, IKE_REASON_PPK, false },
		{ "0261", false, true, true, IKE_REASON_PPK, false },
		/* ours */
		{ "0261", true, false, false, IKE_REASON_NONE, true },
		{ "0261", true, true, false, IKE_REASON_NONE, true },
		{ "0261", true, false, true, IKE_REASON_NONE, true },
		{ "0261", true, true, true, IKE_REASON_NONE, true },
		/* another, or of another type, or none */
		{ "0262", true, false, false, IKE_REASON_PPK, false },
		{ "0262", true, true, false, IKE_REASON_NONE, false },
		{ "0262", true, true, true, IKE_REASON_PPK, false },
		{ "0161", true, false, false, IKE_REASON_PPK, false },
		{ "026100", true, false, false, IKE_REASON_PPK, false },
		{ "02", true, false, false, IKE_REASON_PPK, false },
		{ "", true, false, false, IKE_REASON_PPK, false },
		{ NULL, true, true, false, IKE_REASON_PPK, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	for (int empty = 0; empty < 2; empty++) {
		struct handshake handshake = { .ppk = cases[i].agreed };
		struct sa sa = { .handshake = &handshake };
		struct ike ike = { .config.ppk_required = cases[i].required };
		struct payloads p = { .auth = TEXT("with") };
		enum ike_reason expected = cases[i].expected;
		uint8_t id[8];
		bool mix;

		ike.config.ppk_id[0] = 'a';
		ike.config.ppk_id_len = 1;
		if (cases[i].id)
			p.notifies[p.notifies_count++] =
				(struct payload_notify){
				.type = IKE_NOTIFY_PPK_IDENTITY,
				.data = { id, hex(cases[i].id, id) } };
		if (cases[i].without)
			p.notifies[p.notifies_count++] =
				(struct payload_notify){
				.type = IKE_NOTIFY_NO_PPK_AUTH,
				.data = { (const uint8_t *)"without",
					  empty ? 0 : 7 } };
		/* a NO_PPK_AUTH that holds nothing is none */
		if (empty && cases[i].agreed && expected == IKE_REASON_NONE &&
		    !cases[i].mix)
			expected = IKE_REASON_PPK;
		assert_int_equal(ppk_choose(&ike, &sa, &p, &mix), expected);
		assert_int_equal(mix, cases[i].mix);
		assert_int_equal(p.auth.len, cases[i].agreed &&
				 expected == IKE_REASON_NONE &&
				 !cases[i].mix ? 7 : 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(refuses),
		cmocka_unit_test(requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
