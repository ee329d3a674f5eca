/*
 * Every number of the IKEv2 protocol that the engine knows, and the engine's own
 * reasons. Where people are told the name, the enum and the table of names are
 * both made from one list. Numbers are those of IANA's "Internet Key Exchange
 * Version 2 (IKEv2) Parameters".
 */
#ifndef IKE_PROTO_H
#define IKE_PROTO_H

#include <stdint.h>

/* RFC 7296 3.1 */
#define IKE_EXCHANGES(X) \
	X(SA_INIT, 34, "IKE_SA_INIT") \
	X(AUTH, 35, "IKE_AUTH") \
	X(CREATE_CHILD_SA, 36, "CREATE_CHILD_SA") \
	X(INFORMATIONAL, 37, "INFORMATIONAL")

/* RFC 7296 3.2; SKF is of RFC 7383 */
enum ike_payload_type {
	IKE_PAYLOAD_NONE = 0,
	IKE_PAYLOAD_SA = 33,
	IKE_PAYLOAD_KE = 34,
	IKE_PAYLOAD_IDI = 35,
	IKE_PAYLOAD_IDR = 36,
	IKE_PAYLOAD_CERT = 37,
	IKE_PAYLOAD_CERTREQ = 38,
	IKE_PAYLOAD_AUTH = 39,
	IKE_PAYLOAD_NONCE = 40,
	IKE_PAYLOAD_NOTIFY = 41,
	IKE_PAYLOAD_DELETE = 42,
	IKE_PAYLOAD_VENDOR = 43,
	IKE_PAYLOAD_TSI = 44,
	IKE_PAYLOAD_TSR = 45,
	IKE_PAYLOAD_SK = 46,
	IKE_PAYLOAD_CP = 47,
	IKE_PAYLOAD_EAP = 48,
	IKE_PAYLOAD_SKF = 53
};

/* RFC 7296 3.3.1 */
enum ike_protocol {
	IKE_PROTOCOL_NONE = 0,
	IKE_PROTOCOL_IKE = 1,
	IKE_PROTOCOL_AH = 2,
	IKE_PROTOCOL_ESP = 3
};

/* RFC 7296 3.3.2 */
enum ike_transform_type {
	IKE_TRANSFORM_ENCR = 1,
	IKE_TRANSFORM_PRF = 2,
	IKE_TRANSFORM_INTEG = 3,
	IKE_TRANSFORM_KE = 4,
	IKE_TRANSFORM_ESN = 5
};

#define IKE_ENCRS(X) \
	X(NULL, 11, "ENCR_NULL") \
	X(AES_CBC, 12, "ENCR_AES_CBC") \
	X(AES_GCM_16, 20, "ENCR_AES_GCM_16") \
	X(NULL_AUTH_AES_GMAC, 21, "ENCR_NULL_AUTH_AES_GMAC") \
	X(CHACHA20_POLY1305, 28, "ENCR_CHACHA20_POLY1305")

#define IKE_PRFS(X) \
	X(HMAC_SHA1, 2, "PRF_HMAC_SHA1") \
	X(HMAC_SHA2_256, 5, "PRF_HMAC_SHA2_256") \
	X(HMAC_SHA2_384, 6, "PRF_HMAC_SHA2_384") \
	X(HMAC_SHA2_512, 7, "PRF_HMAC_SHA2_512")

#define IKE_INTEGS(X) \
	X(NONE, 0, "NONE") \
	X(HMAC_SHA1_96, 2, "AUTH_HMAC_SHA1_96") \
	X(HMAC_SHA2_256_128, 12, "AUTH_HMAC_SHA2_256_128") \
	X(HMAC_SHA2_384_192, 13, "AUTH_HMAC_SHA2_384_192") \
	X(HMAC_SHA2_512_256, 14, "AUTH_HMAC_SHA2_512_256")

#define IKE_KES(X) \
	X(NONE, 0, "NONE") \
	X(MODP_2048, 14, "MODP_2048") \
	X(MODP_3072, 15, "MODP_3072") \
	X(MODP_4096, 16, "MODP_4096") \
	X(P256, 19, "ECP_256") \
	X(P384, 20, "ECP_384") \
	X(P521, 21, "ECP_521") \
	X(X25519, 31, "CURVE25519") \
	X(X448, 32, "CURVE448")

enum ike_esn {
	IKE_ESN_NO = 0,
	IKE_ESN_YES = 1
};

/* RFC 7296 3.5 */
enum ike_id_type {
	IKE_ID_IPV4_ADDR = 1,
	IKE_ID_IPV6_ADDR = 5
};

/* RFC 7296 3.6 */
enum ike_cert_encoding {
	IKE_CERT_X509_SIGNATURE = 4
};

/* RFC 7296 3.8, RFC 7427 */
enum ike_auth_method {
	IKE_AUTH_METHOD_RSA = 1,
	IKE_AUTH_METHOD_SHARED_KEY = 2,
	IKE_AUTH_METHOD_ECDSA_P256 = 9,
	IKE_AUTH_METHOD_ECDSA_P384 = 10,
	IKE_AUTH_METHOD_ECDSA_P521 = 11,
	IKE_AUTH_METHOD_DIGITAL_SIGNATURE = 14
};

/* RFC 7427 7, RFC 8420 2 */
enum ike_hash {
	IKE_HASH_SHA2_256 = 2,
	IKE_HASH_SHA2_384 = 3,
	IKE_HASH_SHA2_512 = 4,
	IKE_HASH_IDENTITY = 5
};

/* RFC 7296 3.10.1 and later; below 16384 an error */
#define IKE_NOTIFIES(X) \
	X(UNSUPPORTED_CRITICAL_PAYLOAD, 1, "UNSUPPORTED_CRITICAL_PAYLOAD") \
	X(INVALID_IKE_SPI, 4, "INVALID_IKE_SPI") \
	X(INVALID_MAJOR_VERSION, 5, "INVALID_MAJOR_VERSION") \
	X(INVALID_SYNTAX, 7, "INVALID_SYNTAX") \
	X(INVALID_MESSAGE_ID, 9, "INVALID_MESSAGE_ID") \
	X(INVALID_SPI, 11, "INVALID_SPI") \
	X(NO_PROPOSAL_CHOSEN, 14, "NO_PROPOSAL_CHOSEN") \
	X(INVALID_KE_PAYLOAD, 17, "INVALID_KE_PAYLOAD") \
	X(AUTHENTICATION_FAILED, 24, "AUTHENTICATION_FAILED") \
	X(SINGLE_PAIR_REQUIRED, 34, "SINGLE_PAIR_REQUIRED") \
	X(NO_ADDITIONAL_SAS, 35, "NO_ADDITIONAL_SAS") \
	X(INTERNAL_ADDRESS_FAILURE, 36, "INTERNAL_ADDRESS_FAILURE") \
	X(FAILED_CP_REQUIRED, 37, "FAILED_CP_REQUIRED") \
	X(TS_UNACCEPTABLE, 38, "TS_UNACCEPTABLE") \
	X(INVALID_SELECTORS, 39, "INVALID_SELECTORS") \
	X(TEMPORARY_FAILURE, 43, "TEMPORARY_FAILURE") \
	X(CHILD_SA_NOT_FOUND, 44, "CHILD_SA_NOT_FOUND") \
	X(INITIAL_CONTACT, 16384, "INITIAL_CONTACT") \
	X(SET_WINDOW_SIZE, 16385, "SET_WINDOW_SIZE") \
	X(ADDITIONAL_TS_POSSIBLE, 16386, "ADDITIONAL_TS_POSSIBLE") \
	X(IPCOMP_SUPPORTED, 16387, "IPCOMP_SUPPORTED") \
	X(NAT_DETECTION_SOURCE_IP, 16388, "NAT_DETECTION_SOURCE_IP") \
	X(NAT_DETECTION_DESTINATION_IP, 16389, \
	  "NAT_DETECTION_DESTINATION_IP") \
	X(COOKIE, 16390, "COOKIE") \
	X(USE_TRANSPORT_MODE, 16391, "USE_TRANSPORT_MODE") \
	X(HTTP_CERT_LOOKUP_SUPPORTED, 16392, "HTTP_CERT_LOOKUP_SUPPORTED") \
	X(REKEY_SA, 16393, "REKEY_SA") \
	X(ESP_TFC_PADDING_NOT_SUPPORTED, 16394, \
	  "ESP_TFC_PADDING_NOT_SUPPORTED") \
	X(NON_FIRST_FRAGMENTS_ALSO, 16395, "NON_FIRST_FRAGMENTS_ALSO") \
	X(MOBIKE_SUPPORTED, 16396, "MOBIKE_SUPPORTED") \
	X(MULTIPLE_AUTH_SUPPORTED, 16404, "MULTIPLE_AUTH_SUPPORTED") \
	X(REDIRECT_SUPPORTED, 16406, "REDIRECT_SUPPORTED") \
	X(EAP_ONLY_AUTHENTICATION, 16417, "EAP_ONLY_AUTHENTICATION") \
	X(CHILDLESS_IKEV2_SUPPORTED, 16418, "CHILDLESS_IKEV2_SUPPORTED") \
	X(MESSAGE_ID_SYNC_SUPPORTED, 16420, \
	  "IKEV2_MESSAGE_ID_SYNC_SUPPORTED") \
	X(USE_PPK, 16435, "USE_PPK") \
	X(PPK_IDENTITY, 16436, "PPK_IDENTITY") \
	X(NO_PPK_AUTH, 16437, "NO_PPK_AUTH") \
	X(FRAGMENTATION_SUPPORTED, 16430, "IKEV2_FRAGMENTATION_SUPPORTED") \
	X(SIGNATURE_HASH_ALGORITHMS, 16431, "SIGNATURE_HASH_ALGORITHMS")

#define X(name, number, text) IKE_EXCHANGE_##name = number,
enum ike_exchange { IKE_EXCHANGES(X) };
#undef X
#define X(name, number, text) IKE_ENCR_##name = number,
enum ike_encr { IKE_ENCRS(X) };
#undef X
#define X(name, number, text) IKE_PRF_##name = number,
enum ike_prf { IKE_PRFS(X) };
#undef X
#define X(name, number, text) IKE_INTEG_##name = number,
enum ike_integ { IKE_INTEGS(X) };
#undef X
#define X(name, number, text) IKE_KE_##name = number,
enum ike_ke { IKE_KES(X) };
#undef X
#define X(name, number, text) IKE_NOTIFY_##name = number,
enum ike_notify { IKE_NOTIFIES(X) };
#undef X

/*
 * Why something was dropped, refused or given up. The first block are drops of
 * datagrams, which anybody can cause: they are counted and nothing else. The
 * second block are failures, which are also told by IKE_FAILED.
 */
#define IKE_REASON_LIST(X) \
	X(NONE, "none", "nothing is wrong") \
	/* datagrams, counted */ \
	X(HEADER, "bad_header", \
	  "a datagram whose IKE header or lengths make no sense") \
	X(VERSION, "major_version", \
	  "a message of another major version of IKE") \
	X(NOT_STARTED, "not_started", \
	  "a datagram for a pair that is down") \
	X(BUSY, "busy", \
	  "a datagram that came while effects were waiting to be drained") \
	X(UNKNOWN_SPI, "unknown_spi", \
	  "a message for an IKE SA that does not exist") \
	X(WRONG_ROLE, "wrong_role", \
	  "a message with the wrong initiator flag: our own, sent back") \
	X(MESSAGE_ID, "message_id", \
	  "a message id outside the window: old, replayed or from the future") \
	X(UNEXPECTED, "unexpected_exchange", \
	  "an exchange that the state of the IKE SA does not expect") \
	X(INTEGRITY, "integrity", \
	  "a message whose integrity check failed") \
	X(PAYLOAD, "bad_payload", "a payload that is malformed") \
	X(PAYLOAD_MISSING, "payload_missing", \
	  "a message that lacks a payload that it must have") \
	X(PAYLOAD_FORBIDDEN, "payload_forbidden", \
	  "a message with a payload that it must not have") \
	X(PAYLOAD_CRITICAL, "payload_critical", \
	  "a message with an unknown payload marked critical") \
	X(RETRANSMISSION, "retransmission", \
	  "a request or a fragment that had been seen before") \
	X(FRAGMENT, "fragment", \
	  "a fragment that does not fit the others of its message, or whose " \
	  "others did not come") \
	X(COOKIE, "cookie_wanted", \
	  "an IKE_SA_INIT request that was answered with a cookie") \
	X(HALF_OPEN, "half_open_limit", \
	  "a half-open IKE SA that had to make room for another") \
	X(YIELD, "simultaneous", \
	  "the peer's own attempt, dropped because ours is preferred") \
	X(CLEAR_NOTIFY, "clear_notify", \
	  "an error told in clear, which anybody could have sent") \
	X(PUBLIC_VALUE, "public_value", \
	  "a key exchange value that is not valid for its group") \
	X(GROUP, "group", \
	  "a key exchange of another group than the one to be used") \
	X(NO_PROPOSAL, "no_proposal", \
	  "the peer offers no algorithms that we accept") \
	X(NAT, "nat_found", \
	  "a NAT stands between the peers, and the pair's plane cannot carry " \
	  "ESP in UDP") \
	X(HASHES, "hash_algorithms", \
	  "the peer lists no hash algorithm that suits our key (RFC 7427)") \
	/* failures, told */ \
	X(NO_MEMORY, "no_memory", "out of memory") \
	X(RANDOM, "random", "no randomness, or no SPI, was to be had") \
	X(CRYPTO, "crypto", "the cryptographic library failed") \
	X(NO_RESPONSE, "no_response", "the peer does not answer") \
	X(PEER_DEAD, "peer_dead", \
	  "the peer stopped answering; its Child SAs are kept") \
	X(PEER_DELETED, "peer_deleted", "the peer deleted the IKE SA") \
	X(PEER_REFUSED, "peer_refused", \
	  "the peer refused our authentication") \
	X(PEER_PROPOSAL, "peer_no_proposal", \
	  "the peer accepts none of the algorithms that we offer, or its " \
	  "kernel has no ESP") \
	X(PEER_TS, "peer_ts_unacceptable", \
	  "the peer refused the traffic selectors of TCP port 179") \
	X(PEER_ERROR, "peer_error", "the peer answered with an error") \
	X(PEER_SYNTAX, "peer_syntax", \
	  "the peer's authenticated message is malformed") \
	X(TS, "ts_mismatch", \
	  "the peer's traffic selectors do not contain TCP port 179 between " \
	  "the two addresses; correct them there (strongSwan: local_ts, " \
	  "remote_ts)") \
	X(TRANSPORT, "no_transport_mode", \
	  "the peer does not agree to transport mode; set it there " \
	  "(strongSwan: mode = transport)") \
	X(AUTH_METHOD, "auth_method", \
	  "the peer authenticates by a method or algorithm that is not " \
	  "accepted") \
	X(CERTIFICATE, "certificate", \
	  "the peer's certificate is unreadable or its key is of a kind or " \
	  "size that is not accepted") \
	X(AUTH, "bad_auth", \
	  "the peer's signature, pre-shared key or PPK does not verify") \
	X(PPK, "no_common_ppk", \
	  "no post-quantum preshared key (PPK) in common with the peer: it " \
	  "uses none or not ours; give both the same ppk and ppk_id, or set " \
	  "ppk_required = no") \
	X(IDENTITY, "identity", \
	  "the peer's identity is not the address of this pair") \
	X(SIGNATURE, "cannot_sign", "our own signature could not be made") \
	X(UNAUTHORIZED, "unauthorized", \
	  "the peer's certificate does not authorize it for this pair") \
	X(AUTHORIZATION_END, "authorization_end", \
	  "what the peer's authorization rests on ran out, was revoked or " \
	  "is configured no more") \
	X(LIFETIME, "lifetime", \
	  "an SA reached the end of its life without a successor") \
	X(INSTALL, "install", "a Child SA is not, or no longer, in the SAD") \
	X(SUPERSEDED, "superseded", \
	  "an attempt was given up because the peer's own succeeded")

enum ike_reason {
#define X(name, text, sentence) IKE_REASON_##name,
	IKE_REASON_LIST(X)
#undef X
	IKE_REASONS
};

/* The name of a reason ("bad_auth"), and the sentence that explains it. */
const char *ike_reason_name(enum ike_reason reason);
const char *ike_reason_text(enum ike_reason reason);

/* The name of a protocol number; "unknown" for one that is on no list. */
enum ike_names {
	IKE_NAMES_EXCHANGE,
	IKE_NAMES_ENCR,
	IKE_NAMES_PRF,
	IKE_NAMES_INTEG,
	IKE_NAMES_KE,
	IKE_NAMES_NOTIFY
};
const char *ike_name(enum ike_names of, unsigned number);

#endif
