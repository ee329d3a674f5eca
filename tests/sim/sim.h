/*
 * Two engines in one process, a virtual clock, and a network between them that
 * loses, duplicates, delays (and so reorders) and corrupts as a seed says. Each
 * side has a model of its SAD, which is checked after every step.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "ike/exchanges.h"
#include "tests/crypto.h"

enum {
	SIM_MAX_SAD = 64,
	SIM_MAX_PACKETS = 512,
	SIM_MAX_ANSWERS = 64,
	SIM_SIDES = 2,
	SIM_ED25519 = 5,
	SIM_ED25519_OTHER = 7,
	SIM_IDENTITIES
};

/* In the name of a Child SA that an engine before this one has left. */
#define SIM_STALE 0x80000000u

struct sim_network {
	unsigned lose, duplicate, corrupt;	/* per mille */
	uint64_t delay_us, jitter_us;
	bool cut;				/* nothing passes */
};

struct sim_sad {
	uint32_t child, spi;
	enum ike_child_kind kind;
	bool inbound, esn;
	bool absent;			/* the SAD would not have it */
	uint64_t order;
	uint8_t key[64];
	size_t key_len;
	uint16_t encr, integ;
	uint16_t udp_local, udp_peer;
};

struct sim_side {
	struct sim *sim;
	int index;
	struct ike *ike;
	struct sim_sad sad[SIM_MAX_SAD];
	size_t sad_count;
	enum ike_state state;
	struct ike_sa_info info;
	unsigned failed[IKE_REASONS], failures;
	unsigned installs, removes, sends, states, keepalives;
	/* how it decides and signs */
	bool refuse, cannot_sign, late;
	unsigned reject;		/* Child SAs, per mille */
	struct ike_time valid_for;
	uint32_t authorization;		/* id of the last request */
	/* the certificate it shows: 0, 1 P-256; then P-384, P-521, RSA,
	 * Ed25519, Ed448, Ed25519 */
	int identity;
	enum ike_profile profile;
	enum ike_udp udp;
	const char *ike_words, *esp_words;	/* in place of its own */
	bool pfs;
	/* pre-shared key; NULL: certificates */
	const char *secret;
	/* post-quantum preshared key; NULL: none */
	const char *ppk, *ppk_id;
	bool ppk_required;
	/* traffic of a kind has passed from here to there at least once */
	bool flowed[IKE_CHILD_KINDS];
	bool unchecked;
	/* not 0: what is random begins with it */
	uint8_t first_octet;
	bool no_spis, no_random;	/* there are none for a while */
};

/* A NAT before side SIM_INSIDE: a port of its own for each of that side's. */
enum { SIM_INSIDE = 0 };

struct sim_nat {
	bool on;
	bool address;		/* the outside sees another address, and knows
				 * the one inside (ike_config.inside) */
	bool forward;		/* what was never sent from inside is let in */
	uint16_t ports[2];	/* outside, of 500 and 4500 */
	bool open[2];
};

struct sim_packet {
	struct ike_time at;
	uint16_t source, destination;	/* ports, as they arrive */
	int to;
	size_t len;
	uint8_t *data;
};

struct sim_answer {
	struct ike_time at;
	int to;
	struct ike_input input;
	uint8_t signature[IKE_MAX_SIGNATURE];
};

struct sim {
	uint64_t seed, random;
	struct ike_time now;
	struct sim_network network;
	struct sim_nat nat;
	struct sim_side sides[SIM_SIDES];
	struct sim_packet packets[SIM_MAX_PACKETS];
	size_t packets_count;
	struct sim_answer answers[SIM_MAX_ANSWERS];
	size_t answers_count;
	struct ike_time ike_lifetime, child_lifetime, hold_time;
	bool ipv6;
	size_t chain;		/* certificates that a side shows */
	/* once traffic flows it must flow at every moment */
	bool check_flow;
	uint64_t order;
	/* sees every datagram that is sent; false: swallow it */
	bool (*tap)(struct sim *sim, int from, const uint8_t *data, size_t len);
	/* told of every secret that an engine holds after a step */
	void (*watch)(const uint8_t *secret, size_t len);
	/* last datagram sent by each side */
	uint8_t last[SIM_SIDES][IKE_MAX_MESSAGE];
	size_t last_len[SIM_SIDES];
};

void sim_open(struct sim *sim, uint64_t seed);
void sim_close(struct sim *sim);
/* A fresh engine for a side: the old one is gone without a word. */
void sim_restart(struct sim *sim, int side);
void sim_clear_sad(struct sim *sim, int side);
void sim_input(struct sim *sim, int side, enum ike_input_type type);
/* Both up at once, until they are settled. */
void sim_start_both(struct sim *sim);
void sim_child_failed(struct sim *sim, int side, uint32_t child);
/* Decide anew, now and for later, what this side was last asked. */
void sim_decide(struct sim *sim, int side, bool allowed,
		struct ike_time valid_for);
/* Hand a datagram to a side now. */
void sim_deliver(struct sim *sim, int side, const uint8_t *data, size_t len);
/* Let time pass. */
void sim_run(struct sim *sim, struct ike_time span);
/* Run until both sides are settled; fails the test after `span`. */
void sim_run_settled(struct sim *sim, struct ike_time span);
/* The same once the network has come to rest. */
void sim_calm(struct sim *sim, struct ike_time span);
/* One IKE SA, the same on both sides, and one Child SA of each kind. */
bool sim_settled(const struct sim *sim);
/* Does a packet of this kind from this side reach the other? */
bool sim_flows(const struct sim *sim, int side, enum ike_child_kind kind);
uint64_t sim_random(struct sim *sim);
size_t sim_sas(const struct sim *sim, int side, enum sa_state state);
size_t sim_children(const struct sim *sim, int side);

/* Identities: certificate (DER) and signature of number `i`. */
struct ike_bytes sim_certificate(int i);
size_t sim_sign(int i, uint16_t hash, struct ike_bytes octets,
		uint8_t ret[IKE_MAX_SIGNATURE]);

/* Translate the ports of a packet; false: it is dropped. */
bool sim_nat_pass(const struct sim_nat *nat, int from, uint16_t *source,
		  uint16_t *destination);
/* Something is sent from this port. */
void sim_nat_open(struct sim_nat *nat, int from, uint16_t source);

/* The model of the SAD; what cannot be right fails the test. */
void sim_sad_install(struct sim_side *side, const struct ike_child_sa *sa,
		     bool inbound);
void sim_sad_remove(struct sim_side *side, uint32_t child, bool inbound);
const struct sim_sad *sim_sad_find(const struct sim_side *side, uint32_t child,
				   bool inbound);
/* The daemon clears away what an engine before this one has left. */
void sim_sad_remove_stale(struct sim_side *side);

/* What holds after every step, whatever happens. */
void sim_check(struct sim *sim);

/* From the environment: SEED=n, that seed only; SEEDS=n, that many instead of
 * `usual`. An argument picks the tests whose names it is in. */
void sim_arguments(int argc, char **argv);
uint64_t sim_first_seed(void);
uint64_t sim_last_seed(uint64_t usual);
#define FOR_SEEDS(seed, usual) \
	for (uint64_t seed = sim_first_seed(); \
	     seed <= sim_last_seed(usual); seed++)

/* Fail the test, naming the seed. */
#define sim_fail(sim, ...) \
	do { \
		print_error("SEED=%llu at %llu us: ", \
			    (unsigned long long)(sim)->seed, \
			    (unsigned long long)(sim)->now.us); \
		fail_msg(__VA_ARGS__); \
	} while (0)
#define sim_assert(sim, what) \
	do { \
		if (!(what)) \
			sim_fail(sim, "%s:%d: %s", __FILE__, __LINE__, #what); \
	} while (0)

#endif
