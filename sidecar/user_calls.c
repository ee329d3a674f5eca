#include "sidecar/user_calls.h"

#include <errno.h>
#include <string.h>

static int add_sa(struct user_sad *sad, const struct user_request *request,
		  uint64_t now)
{
	const struct plane_sa sa = {
		.pair = request->pair,
		.kind = (enum plane_kind)request->kind,
		.inbound = request->inbound != 0,
		.spi = request->spi,
		.udp_local = request->udp_local,
		.udp_peer = request->udp_peer,
		.encr = request->encr,
		.integ = request->integ,
		.esn = request->esn != 0,
		.lifetime_s = request->lifetime_s,
		.key = request->key,
		.key_len = request->key_len,
	};

	if (request->key_len > sizeof(request->key) ||
	    request->lifetime_s > UINT32_MAX)
		return -EINVAL;
	return user_sad_add(sad, &sa, now);
}

static void fill_stats(const struct user_sa *sa, uint64_t now,
		       struct plane_sa_stats *ret_stats)
{
	ret_stats->pair = sa->pair->id;
	ret_stats->kind = sa->kind;
	ret_stats->inbound = sa->inbound;
	ret_stats->spi = sa->spi;
	ret_stats->packets = sa->packets;
	ret_stats->bytes = sa->bytes;
	ret_stats->age_s = now - sa->born;
	ret_stats->replay_drops = sa->replay_drops;
	ret_stats->integrity_drops = sa->integrity_drops;
}

static void query(const struct user_sad *sad, uint64_t cursor, uint64_t now,
		  struct user_reply *reply)
{
	const struct user_sa *sa = user_sad_after(sad, cursor);

	reply->cursor = cursor;
	for (; sa && reply->count < USER_WIRE_SAS; sa = sa->younger) {
		fill_stats(sa, now, &reply->sas[reply->count++]);
		reply->cursor = sa->id;
	}
}

static int counters(const struct user_sad *sad, const struct plane_pair *id,
		    struct user_reply *reply)
{
	const struct user_pair *pair = user_sad_pair(sad, id);

	if (!pair)
		return -ENOENT;
	memcpy(reply->counters, pair->counters, sizeof(reply->counters));
	return 0;
}

/* Every other one is of this plane. */
static uint32_t allocate_spi(const struct user_sad *sad)
{
	uint32_t spi;

	do
		spi = user_sad_allocate_spi(sad);
	while (spi && !(spi & PLANE_SPI_USER));
	return spi;
}

static int carry_out(struct user_sad *sad, const struct user_request *request,
		     uint64_t now, struct user_reply *reply)
{
	switch ((enum user_call)request->call) {
	case USER_ALLOCATE_SPI:
		reply->spi = allocate_spi(sad);
		return 0;
	case USER_ADD_PAIR:
		return user_sad_add_pair(sad, &request->pair);
	case USER_DELETE_PAIR:
		user_sad_delete_pair(sad, &request->pair);
		return 0;
	case USER_ADD_SA:
		return add_sa(sad, request, now);
	case USER_DELETE_SA:
		user_sad_delete(sad, &request->pair, request->inbound != 0,
				request->spi);
		return 0;
	case USER_QUERY:
		query(sad, request->cursor, now, reply);
		return 0;
	case USER_COUNTERS:
		return counters(sad, &request->pair, reply);
	case USER_EXIT:
		return 0;
	case USER_HAS_SOCKET:
	case USER_ADD_SOCKET:	/* the process's own */
	case USER_CALLS:
		break;
	}
	return -ENOSYS;
}

void user_calls_answer(struct user_sad *sad, const struct user_request *request,
		       uint64_t now, struct user_reply *ret_reply)
{
	memset(ret_reply, 0, sizeof(*ret_reply));
	ret_reply->version = USER_WIRE_VERSION;
	ret_reply->result = request->version == USER_WIRE_VERSION ?
		carry_out(sad, request, now, ret_reply) : -EPROTO;
}
