#include "sidecar/user_policy.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/xfrm.h>
#include <stdlib.h>
#include <string.h>

#include "policy/address.h"
#include "sidecar/xfrm.h"

/* One SPD entry of ours. */
struct entry {
	struct xfrm_traffic traffic;
	bool marked;		/* only for packets with the mark */
	bool block;
};

enum { ENTRIES = 3 * PLANE_KINDS };

static const struct xfrm_mark any_mark = { 0, 0 };
static const struct xfrm_mark plane_mark = { CLASSIFIER_PLANE_MARK,
					     UINT32_MAX };

/* The block entries first, so that there is no gap. */
static void make_entries(const struct plane_pair *pair,
			 struct entry ret_entries[ENTRIES])
{
	struct entry *entry = ret_entries;

	for (int i = 0; i < ENTRIES; i++, entry++) {
		memset(entry, 0, sizeof(*entry));
		entry->traffic.pair = *pair;
		entry->traffic.kind = (enum plane_kind)(i % PLANE_KINDS);
		entry->block = i < PLANE_KINDS;
		entry->traffic.inbound = i < 2 * PLANE_KINDS;
		entry->marked = entry->traffic.inbound && !entry->block;
	}
}

static void make_info(const struct entry *entry,
		      struct xfrm_userpolicy_info *ret_info)
{
	struct xfrm_userpolicy_info *info = ret_info;

	memset(info, 0, sizeof(*info));
	xfrm_selector_make(&entry->traffic, &info->sel);
	info->lft.soft_byte_limit = XFRM_INF;
	info->lft.hard_byte_limit = XFRM_INF;
	info->lft.soft_packet_limit = XFRM_INF;
	info->lft.hard_packet_limit = XFRM_INF;
	info->priority = entry->block ? USER_POLICY_BLOCK : USER_POLICY_ALLOW;
	info->dir = entry->traffic.inbound ? XFRM_POLICY_IN : XFRM_POLICY_OUT;
	info->action = entry->block ? XFRM_POLICY_BLOCK : XFRM_POLICY_ALLOW;
}

static const struct xfrm_mark *mark_of(const struct entry *entry)
{
	return entry->marked ? &plane_mark : &any_mark;
}

static bool put_mark(struct nlmsghdr *message, const struct entry *entry)
{
	return mnl_attr_put_check(message, NETLINK_REQUEST_SIZE, XFRMA_MARK,
				  sizeof(struct xfrm_mark), mark_of(entry));
}

/* ------------------------------------------------------------------- read */

struct reading {
	struct xfrm_userpolicy_info info;
	struct xfrm_mark mark;
	bool foreign;
};

static int read_attribute(const struct nlattr *attr, void *ctx)
{
	struct reading *reading = ctx;

	switch (mnl_attr_get_type(attr)) {
	case XFRMA_TMPL:
	case XFRMA_IF_ID:
		reading->foreign = true;
		break;
	case XFRMA_MARK:
		if (mnl_attr_get_payload_len(attr) == sizeof(reading->mark))
			memcpy(&reading->mark, mnl_attr_get_payload(attr),
			       sizeof(reading->mark));
		break;
	}
	return MNL_CB_OK;
}

/* True for an entry that is exactly one of make_entries(). */
static bool read_entry(const struct nlmsghdr *message, struct entry *ret_entry)
{
	struct reading reading = { .foreign = false };
	struct xfrm_userpolicy_info wanted;
	struct entry entry = { .block = false };

	if (message->nlmsg_type != XFRM_MSG_NEWPOLICY ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(reading.info))
		return false;
	memcpy(&reading.info, mnl_nlmsg_get_payload(message),
	       sizeof(reading.info));
	if (mnl_attr_parse(message, sizeof(reading.info), read_attribute,
			   &reading) != MNL_CB_OK || reading.foreign ||
	    reading.info.dir > XFRM_POLICY_OUT ||
	    !xfrm_selector_read(&reading.info.sel,
				reading.info.dir == XFRM_POLICY_IN,
				&entry.traffic) ||
	    entry.traffic.any_peer || entry.traffic.any_local)
		return false;
	entry.block = reading.info.action == XFRM_POLICY_BLOCK;
	entry.marked = reading.mark.m != 0;
	make_info(&entry, &wanted);
	if (reading.info.priority != wanted.priority ||
	    memcmp(&reading.mark, mark_of(&entry), sizeof(reading.mark)) != 0)
		return false;
	*ret_entry = entry;
	return true;
}

struct found {
	bool there, ours;
};

static int take_found(void *ctx, const struct nlmsghdr *message)
{
	struct found *found = ctx;
	struct entry entry;

	found->there = true;
	found->ours = read_entry(message, &entry);
	return 0;
}

static int get(struct netlink *netlink, const struct entry *entry,
	       struct found *ret_found)
{
	struct xfrm_userpolicy_info info;
	union netlink_request request;
	struct xfrm_userpolicy_id id;
	struct nlmsghdr *message;
	int err;

	make_info(entry, &info);
	memset(&id, 0, sizeof(id));
	id.sel = info.sel;
	id.dir = info.dir;
	message = netlink_begin(&request, XFRM_MSG_GETPOLICY, 0, &id,
				sizeof(id));
	if (!put_mark(message, entry))
		return -EMSGSIZE;
	memset(ret_found, 0, sizeof(*ret_found));
	err = netlink_call(netlink, message, take_found, ret_found);
	return err == -ENOENT ? 0 : err;
}

/* ----------------------------------------------------------------- change */

static int install(struct netlink *netlink, const struct entry *entry,
		   uint16_t type)
{
	struct xfrm_userpolicy_info info;
	union netlink_request request;
	struct nlmsghdr *message;

	make_info(entry, &info);
	message = netlink_begin(&request, type, 0, &info, sizeof(info));
	if (!put_mark(message, entry))
		return -EMSGSIZE;
	return netlink_call(netlink, message, NULL, NULL);
}

static int put(struct netlink *netlink, const struct entry *entry)
{
	struct found found;
	int err = get(netlink, entry, &found);

	if (err || found.ours)
		return err;
	return found.there ? -EEXIST :
			     install(netlink, entry, XFRM_MSG_NEWPOLICY);
}

static int take_away(struct netlink *netlink, const struct entry *entry)
{
	struct xfrm_userpolicy_info info;
	union netlink_request request;
	struct xfrm_userpolicy_id id;
	struct nlmsghdr *message;
	struct found found;
	int err = get(netlink, entry, &found);

	if (err || !found.ours)
		return err;
	make_info(entry, &info);
	memset(&id, 0, sizeof(id));
	id.sel = info.sel;
	id.dir = info.dir;
	message = netlink_begin(&request, XFRM_MSG_DELPOLICY, 0, &id,
				sizeof(id));
	if (!put_mark(message, entry))
		return -EMSGSIZE;
	err = netlink_call(netlink, message, NULL, NULL);
	return err == -ENOENT ? 0 : err;
}

int user_policy_set(struct netlink *netlink, const struct plane_pair *pair)
{
	struct entry entries[ENTRIES];
	int err = 0;

	make_entries(pair, entries);
	for (int i = 0; !err && i < ENTRIES; i++)
		err = put(netlink, &entries[i]);
	return err;
}

int user_policy_reroute(struct netlink *netlink, const struct plane_pair *pair)
{
	struct entry entries[ENTRIES];

	make_entries(pair, entries);
	return install(netlink, &entries[ENTRIES - 1], XFRM_MSG_UPDPOLICY);
}

int user_policy_delete(struct netlink *netlink, const struct plane_pair *pair)
{
	struct entry entries[ENTRIES];
	int err = 0;

	make_entries(pair, entries);
	for (int i = ENTRIES; !err && i-- > 0;)
		err = take_away(netlink, &entries[i]);
	return err;
}

/* ------------------------------------------------------------------- list */

struct list {
	struct plane_pair *pairs;
	size_t count;
};

static int collect(void *ctx, const struct nlmsghdr *message)
{
	struct list *list = ctx;
	struct plane_pair *grown;
	struct entry entry;

	if (!read_entry(message, &entry))
		return 0;
	for (size_t i = 0; i < list->count; i++)
		if (!memcmp(&list->pairs[i], &entry.traffic.pair,
			    sizeof(list->pairs[i])))
			return 0;
	grown = reallocarray(list->pairs, list->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->pairs = grown;
	grown[list->count++] = entry.traffic.pair;
	return 0;
}

int user_policy_list(struct netlink *netlink, struct plane_pair **ret_pairs,
		     size_t *ret_count)
{
	struct list list = { .pairs = NULL };
	union netlink_request request;
	int err = -EINTR;

	for (int i = 0; err == -EINTR && i < NETLINK_DUMP_ATTEMPTS; i++) {
		list.count = 0;
		err = netlink_call(netlink,
				   netlink_begin(&request, XFRM_MSG_GETPOLICY,
						 NLM_F_DUMP, NULL, 0),
				   collect, &list);
	}
	if (err) {
		free(list.pairs);
		return err;
	}
	*ret_pairs = list.pairs;
	*ret_count = list.count;
	return 0;
}
