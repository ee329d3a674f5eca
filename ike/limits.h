/* The bounds of everything that the engine accepts from the network or its
 * caller. Law: every input is bounded by a named constant, here. */
#ifndef IKE_LIMITS_H
#define IKE_LIMITS_H

enum ike_limits {
	IKE_MAX_DATAGRAM = 65000,	/* bytes, of an incoming message */
	IKE_MAX_CERTS = 5,		/* CERT payloads in one message */
	IKE_MAX_ANCHORS = 8,

	/* what one message may hold */
	/* bytes, of a message of our own, or put together from fragments */
	IKE_MAX_MESSAGE = 16384,
	IKE_MAX_OWN_CERTS = 12288,	/* bytes, all of ours together */
	IKE_MAX_PAYLOADS = 64,
	IKE_MAX_NOTIFIES = 32,
	IKE_MAX_DELETES = 4,		/* payloads */
	IKE_MAX_DELETE_SPIS = 16,	/* in one of ours */
	IKE_MAX_PROPOSALS = 32,
	IKE_MAX_TRANSFORMS = 64,	/* in one proposal */
	IKE_MAX_SELECTORS = 32,
	IKE_MAX_OWN_PROPOSALS = 4,	/* of one protocol */
	IKE_MAX_OWN_TRANSFORMS = 20,	/* in one */
	IKE_MIN_NONCE = 16,		/* RFC 7296 2.10 */
	IKE_MAX_NONCE = 256,
	IKE_OWN_NONCE = 32,
	IKE_MAX_COOKIE = 64,		/* RFC 7296 2.6 */
	IKE_MAX_SIGNATURE = 512,
	IKE_MAX_PPK_ID = 64,		/* of ours, without its type */
	IKE_MAX_FRAGMENTS = 64,		/* of one message (RFC 7383) */

	/* what one engine may hold */
	IKE_MAX_SAS = 24,		/* IKE SAs, half-open ones included */
	IKE_MAX_HALF_OPEN = 8,		/* begun by the peer */
	IKE_COOKIE_THRESHOLD = 3,	/* half-open ones; then ask cookies */
	IKE_MAX_CHILDREN = 32,
	IKE_MAX_ESTABLISHED = 6,	/* IKE SAs */
	IKE_EFFECTS_HIGH = 256,		/* queued; then datagrams are dropped */
	IKE_MAX_INIT_RETRIES = 4	/* COOKIE, INVALID_KE in one attempt */
};

#endif
