/* From the words of the configuration to its meaning: one reading, in the
 * parts local section, credential, peers. Internal to policy/. */
#ifndef POLICY_CONFIG_READ_H
#define POLICY_CONFIG_READ_H

#include <time.h>

#include "policy/config.h"
#include "policy/config_parse.h"

struct config_reading {
	struct config_tree tree;
	const struct policy_reader *reader;
	struct policy_config *config;	/* being filled */
	time_t now;
	cfg_t *local;			/* the section, or NULL */
	/* what was right and can be compared with; 0 if it was not */
	bool local_addresses_right;
};

/* Add an error at the line of `option`, or of the section if it was not
 * given. */
void config_fault(struct config_reading *r, cfg_t *section, const char *option,
		  const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same, but for the reader's `warn` if it has one. */
void config_caution(struct config_reading *r, cfg_t *section,
		    const char *option, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Advice, which is no error. */
void config_advise(struct config_reading *r, cfg_t *section,
		   const char *option, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The value of a mandatory option, or NULL after an error that shows
 * `example`. */
const char *config_need(struct config_reading *r, cfg_t *section,
			const char *option, const char *example);

/* The path that a mandatory option names, malloc()ed, as seen from its file;
 * NULL after an error. */
char *config_path(struct config_reading *r, cfg_t *section, const char *option,
		  const char *example);

/* `as` and `addresses` of either kind of section. False after an error. */
bool config_read_as(struct config_reading *r, cfg_t *section,
		    uint32_t *ret_as);
bool config_read_addresses(struct config_reading *r, cfg_t *section,
			   struct in6_addr *ret_addresses, size_t *ret_count);

/* One address that `option` names. False after an error. */
bool config_read_address(struct config_reading *r, cfg_t *section,
			 const char *option, const char *text,
			 struct in6_addr *ret_address);

/* `inside` and `encapsulate` of a peer. */
void config_read_nat(struct config_reading *r, cfg_t *section,
		     struct policy_peer *peer);

/* The options that say which algorithms, one by one. What is not given in
 * `section` (NULL: nothing is) stays, but for proposals that a profile of its
 * own replaces. */
void config_read_profile(struct config_reading *r, cfg_t *section,
			 struct policy_algorithms *algorithms);
void config_read_proposals(struct config_reading *r, cfg_t *section,
			   const char *option, char **proposals);
/* An option that is yes or no. */
void config_read_yes(struct config_reading *r, cfg_t *section,
		     const char *option, bool *yes);
/* All of them, of a peer: its own, or else the global ones. */
void config_read_algorithms(struct config_reading *r, cfg_t *section,
			    struct policy_algorithms *ret_algorithms);

/* `hold_time`, at the top level or of a peer; what it was if not given. */
void config_read_hold_time(struct config_reading *r, cfg_t *section,
			   uint32_t *seconds);

/* `crl` of a peer whose anchors have been read. */
void config_read_crls(struct config_reading *r, cfg_t *section,
		      struct policy_peer *peer);

/* Tell of a certificate, named by its subject, whose end comes near. */
void config_check_end(struct config_reading *r, cfg_t *section,
		      const char *option, const X509 *cert);

/* `auth`, `trust` and `secret` of a peer; `complete`: the rest is right. */
void config_read_trust(struct config_reading *r, cfg_t *section, bool complete,
		       struct policy_peer *peer);

void config_read_local(struct config_reading *r);
void config_read_credential(struct config_reading *r);
void config_read_peers(struct config_reading *r);

#endif
