/* The bounds of what policy/ reads. */
#ifndef POLICY_LIMITS_H
#define POLICY_LIMITS_H

enum policy_limits {
	POLICY_MAX_ADDRESSES = 8,	/* of the router, of a peer */
	POLICY_MAX_PEERS = 2048,
	POLICY_MAX_PAIRS = 4096,
	POLICY_MAX_CHAIN = 5,		/* certificates in a chain */
	POLICY_MAX_CERT_SIZE = 16384,	/* bytes, DER */
	POLICY_MAX_ANCHORS = 8,		/* in one trust file */
	POLICY_MAX_CRLS = 8,		/* files of a peer; CRLs in a file */
	POLICY_MAX_PPK_ID = 64,		/* characters */
	POLICY_MAX_EXTENSIONS = 16,	/* of a CRL */
	POLICY_MAX_FILE_SIZE = 1 << 20,	/* bytes, any file we read */
	POLICY_MAX_INCLUDES = 256,
	POLICY_MAX_ERRORS = 100,	/* reported in one run */
	POLICY_TEXT_SIZE = 320
};

#endif
