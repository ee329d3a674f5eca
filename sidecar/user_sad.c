#include "sidecar/user_sad.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <utlist.h>

#include "policy/address.h"
#include "sidecar/inner.h"

/* ------------------------------------------------------------------- pairs */

struct user_pair *user_sad_pair(const struct user_sad *sad,
				const struct plane_pair *pair)
{
	struct user_pair *found;

	HASH_FIND(hh, sad->pairs, pair, sizeof(*pair), found);
	return found;
}

int user_sad_add_pair(struct user_sad *sad, const struct plane_pair *pair)
{
	struct user_pair *added;

	if (address_family(&pair->local) != address_family(&pair->peer))
		return -EINVAL;
	if (user_sad_pair(sad, pair))
		return 0;
	if (HASH_COUNT(sad->pairs) >= USER_SAD_MAX_PAIRS)
		return -ENOSPC;
	added = calloc(1, sizeof(*added));
	if (!added)
		return -ENOMEM;
	added->id = *pair;
	HASH_ADD(hh, sad->pairs, id, sizeof(added->id), added);
	return 0;
}

static void free_sa(struct user_sa *sa)
{
	esp_key_free(sa->key);
	free(sa->replay);
	free(sa);
}

/* Take the SA that *link points to out of its pair, and out of the hash. */
static void unlink_sa(struct user_sad *sad, struct user_sa **link)
{
	struct user_sa *sa = *link;

	*link = sa->next;
	sa->pair->sas_count--;
	if (sa->inbound)
		HASH_DEL(sad->inbound, sa);
	DL_DELETE2(sad->oldest, sa, older, younger);
	free_sa(sa);
}

void user_sad_delete_pair(struct user_sad *sad, const struct plane_pair *pair)
{
	struct user_pair *found = user_sad_pair(sad, pair);

	if (!found)
		return;
	while (found->sas)
		unlink_sa(sad, &found->sas);
	HASH_DEL(sad->pairs, found);
	free(found);
}

bool user_sad_has_local(const struct user_sad *sad,
			const struct in6_addr *local)
{
	const struct user_pair *pair = sad->pairs;

	while (pair && !address_equal(&pair->id.local, local))
		pair = pair->hh.next;
	return pair != NULL;
}

void user_sad_free(struct user_sad *sad)
{
	struct user_pair *pair, *next;

	HASH_ITER(hh, sad->pairs, pair, next)
		user_sad_delete_pair(sad, &pair->id);
}

void user_pair_count(struct user_pair *pair, enum plane_counter counter)
{
	pair->counters[counter]++;
}

/* --------------------------------------------------------------------- SAs */

static struct user_sa *find_spi(const struct user_sad *sad, uint32_t spi)
{
	struct user_sa *sa;

	HASH_FIND(hh, sad->inbound, &spi, sizeof(spi), sa);
	return sa;
}

uint32_t user_sad_allocate_spi(const struct user_sad *sad)
{
	uint32_t spi;

	for (int i = 0; i < USER_SAD_SPI_ATTEMPTS; i++) {
		if (getrandom(&spi, sizeof(spi), 0) != sizeof(spi))
			return 0;
		if (spi >= ESP_SPI_MIN && !find_spi(sad, spi))
			return spi;
	}
	return 0;
}

static struct user_sa **find_link(struct user_pair *pair, bool inbound,
				  uint32_t spi)
{
	struct user_sa **link = &pair->sas;

	while (*link && ((*link)->inbound != inbound || (*link)->spi != spi))
		link = &(*link)->next;
	return link;
}

static int check(const struct user_sad *sad, struct user_pair *pair,
		 const struct plane_sa *sa)
{
	if (!pair)
		return -ENOENT;
	if ((unsigned)sa->kind >= PLANE_KINDS || sa->spi < ESP_SPI_MIN ||
	    !sa->udp_local != !sa->udp_peer)
		return -EINVAL;
	if (*find_link(pair, sa->inbound, sa->spi) ||
	    (sa->inbound && find_spi(sad, sa->spi)))
		return -EEXIST;
	if (pair->sas_count >= USER_SAD_MAX_SAS)
		return -ENOSPC;
	return 0;
}

static struct user_sa *make_sa(const struct plane_sa *sa, uint64_t now)
{
	struct user_sa *made = calloc(1, sizeof(*made));

	if (!made)
		return NULL;
	made->kind = sa->kind;
	made->inbound = sa->inbound;
	made->esn = sa->esn;
	made->spi = sa->spi;
	made->udp_local = sa->udp_local;
	made->udp_peer = sa->udp_peer;
	made->born = now;
	made->dies = sa->lifetime_s ? now + sa->lifetime_s : UINT64_MAX;
	if (!sa->inbound)
		return made;
	made->replay = malloc(sizeof(*made->replay));
	if (!made->replay) {
		free_sa(made);
		return NULL;
	}
	replay_init(made->replay, sa->esn);
	return made;
}

int user_sad_add(struct user_sad *sad, const struct plane_sa *sa, uint64_t now)
{
	struct user_pair *pair = user_sad_pair(sad, &sa->pair);
	int err = check(sad, pair, sa);
	struct user_sa *made;

	if (err)
		return err;
	made = make_sa(sa, now);
	if (!made)
		return -ENOMEM;
	made->key = esp_key_new(sa->encr, sa->integ, sa->key, sa->key_len);
	if (!made->key) {
		free_sa(made);
		return -EPROTONOSUPPORT;
	}
	made->id = ++sad->next_id;
	made->pair = pair;
	made->next = pair->sas;
	pair->sas = made;
	pair->sas_count++;
	DL_APPEND2(sad->oldest, made, older, younger);
	if (made->inbound)
		HASH_ADD(hh, sad->inbound, spi, sizeof(made->spi), made);
	return 0;
}

void user_sad_delete(struct user_sad *sad, const struct plane_pair *pair,
		     bool inbound, uint32_t spi)
{
	struct user_pair *found = user_sad_pair(sad, pair);
	struct user_sa **link = found ? find_link(found, inbound, spi) : NULL;

	if (link && *link)
		unlink_sa(sad, link);
}

bool user_sa_is_alive(const struct user_sa *sa, uint64_t now)
{
	return now < sa->dies && sa->bytes < USER_SAD_MAX_BYTES;
}

void user_sad_expire(struct user_sad *sad, uint64_t now)
{
	struct user_pair *pair, *next;

	HASH_ITER(hh, sad->pairs, pair, next) {
		struct user_sa **link = &pair->sas;

		while (*link)
			if (user_sa_is_alive(*link, now))
				link = &(*link)->next;
			else
				unlink_sa(sad, link);
	}
}

const struct user_sa *user_sad_after(const struct user_sad *sad, uint64_t id)
{
	const struct user_sa *sa = sad->oldest;

	while (sa && sa->id <= id)
		sa = sa->younger;
	return sa;
}

struct user_sa *user_sad_inbound(const struct user_sad *sad, uint32_t spi,
				 const struct plane_pair *pair)
{
	struct user_sa *sa = find_spi(sad, spi);

	if (!sa || memcmp(&sa->pair->id, pair, sizeof(*pair)) != 0)
		return NULL;
	return sa;
}

struct user_sa *user_sad_outbound(const struct user_pair *pair,
				  uint16_t local_port, uint16_t peer_port)
{
	struct user_sa *sa = pair->sas;

	while (sa && (sa->inbound ||
		      !inner_fits(sa->kind, local_port, peer_port)))
		sa = sa->next;
	return sa;
}

/* ---------------------------------------------------------------- path MTU */

size_t user_pair_path_mtu(struct user_pair *pair, size_t limit, uint64_t now)
{
	if (pair->path_mtu && now >= pair->path_mtu_dies)
		pair->path_mtu = 0;
	if (pair->path_mtu && pair->path_mtu < limit)
		return pair->path_mtu;
	return limit;
}

static bool has_outbound(const struct user_pair *pair, uint32_t spi)
{
	for (const struct user_sa *sa = pair->sas; sa; sa = sa->next)
		if (!sa->inbound && sa->spi == spi)
			return true;
	return false;
}

void user_sad_too_big(struct user_sad *sad, const struct in6_addr *peer,
		      uint32_t spi, uint32_t mtu, uint64_t now)
{
	const uint32_t least = IN6_IS_ADDR_V4MAPPED(peer) ?
		USER_SAD_PMTU_MIN4 : USER_SAD_PMTU_MIN6;

	for (struct user_pair *pair = sad->pairs; pair; pair = pair->hh.next) {
		if (!address_equal(&pair->id.peer, peer) ||
		    (spi && !has_outbound(pair, spi)))
			continue;
		if (user_pair_path_mtu(pair, mtu, now) < mtu)
			continue;
		pair->path_mtu = mtu < least ? least : mtu;
		pair->path_mtu_dies = now + USER_SAD_PMTU_S;
	}
}
