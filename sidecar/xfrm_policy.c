#include "sidecar/xfrm.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <string.h>

#include "policy/address.h"

/* -------------------------------------------------------------- entries */

static bool is_block(enum plane_policy_type type)
{
	return type == PLANE_BLOCK_OTHERS || type == PLANE_BLOCK_ELSEWHERE;
}

/* Inbound first: without it nothing of the connection is ever accepted. What
 * goes out is looked at also where it only passes through the router: BGP of
 * others with the peer is none of our business. */
size_t xfrm_policy_entries(const struct plane_policy *policy, uint32_t slot,
			   struct xfrm_entry ret_entries[XFRM_MAX_ENTRIES])
{
	const bool any_local = policy->type == PLANE_BLOCK_ELSEWHERE;
	const bool any_peer = policy->type == PLANE_BLOCK_OTHERS;
	const unsigned count = any_local ? 2 : XFRM_MAX_ENTRIES;

	for (unsigned i = 0; i < count; i++) {
		struct xfrm_entry *entry = &ret_entries[i];
		struct xfrm_traffic *traffic = &entry->traffic;

		memset(entry, 0, sizeof(*entry));
		entry->type = policy->type;
		if (!any_local)
			traffic->pair.local = policy->pair.local;
		if (!any_peer)
			traffic->pair.peer = policy->pair.peer;
		traffic->any_local = any_local;
		traffic->any_peer = any_peer;
		traffic->inbound = i < 2;
		traffic->kind = i % 2 ? PLANE_PASSIVE : PLANE_ACTIVE;
		if (policy->type == PLANE_REQUIRE)
			entry->reqid = xfrm_reqid(slot, traffic->kind);
	}
	return count;
}

static uint8_t direction(const struct xfrm_entry *entry)
{
	return entry->traffic.inbound ? XFRM_POLICY_IN : XFRM_POLICY_OUT;
}

static uint32_t priority(enum plane_policy_type type)
{
	switch (type) {
	case PLANE_REQUIRE:
		return XFRM_PRIORITY_REQUIRE;
	case PLANE_OFF:
		return XFRM_PRIORITY_OFF;
	case PLANE_BLOCK_OTHERS:
	case PLANE_BLOCK_ELSEWHERE:
		return XFRM_PRIORITY_BLOCK;
	}
	return XFRM_PRIORITY_BLOCK;
}

static void make_info(const struct xfrm_entry *entry,
		      struct xfrm_userpolicy_info *ret_info)
{
	struct xfrm_userpolicy_info *info = ret_info;

	memset(info, 0, sizeof(*info));
	xfrm_selector_make(&entry->traffic, &info->sel);
	info->lft.soft_byte_limit = XFRM_INF;
	info->lft.hard_byte_limit = XFRM_INF;
	info->lft.soft_packet_limit = XFRM_INF;
	info->lft.hard_packet_limit = XFRM_INF;
	info->priority = priority(entry->type);
	info->dir = direction(entry);
	info->action = is_block(entry->type) ? XFRM_POLICY_BLOCK :
		XFRM_POLICY_ALLOW;
}

/* ESP in transport mode under our reqid, level `required` (optional = 0). The
 * algorithms are the SA's business. */
static void make_template(const struct xfrm_entry *entry,
			  struct xfrm_user_tmpl *ret_template)
{
	struct xfrm_selector selector;

	xfrm_selector_make(&entry->traffic, &selector);
	memset(ret_template, 0, sizeof(*ret_template));
	ret_template->id.daddr = selector.daddr;
	ret_template->id.proto = IPPROTO_ESP;
	ret_template->family = selector.family;
	ret_template->saddr = selector.saddr;
	ret_template->reqid = entry->reqid;
	ret_template->mode = XFRM_MODE_TRANSPORT;
	ret_template->aalgos = ~0u;
	ret_template->ealgos = ~0u;
	ret_template->calgos = ~0u;
}

/* ------------------------------------------------------------------ read */

/* What we look at in an entry of the SPD. */
struct reading {
	struct xfrm_userpolicy_info info;
	struct xfrm_user_tmpl template;
	size_t templates;
	bool foreign;	/* under a mark or an interface id: never ours */
};

static int read_attribute(const struct nlattr *attr, void *ctx)
{
	struct reading *reading = ctx;
	size_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case XFRMA_TMPL:
		reading->templates = len / sizeof(reading->template);
		if (reading->templates)
			memcpy(&reading->template, mnl_attr_get_payload(attr),
			       sizeof(reading->template));
		break;
	case XFRMA_MARK:
	case XFRMA_IF_ID:
		reading->foreign = true;
		break;
	}
	return MNL_CB_OK;
}

static bool read_entry(const struct nlmsghdr *message,
		       struct reading *ret_reading)
{
	memset(ret_reading, 0, sizeof(*ret_reading));
	if (message->nlmsg_type != XFRM_MSG_NEWPOLICY ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(ret_reading->info))
		return false;
	memcpy(&ret_reading->info, mnl_nlmsg_get_payload(message),
	       sizeof(ret_reading->info));
	return mnl_attr_parse(message, sizeof(ret_reading->info),
			      read_attribute, ret_reading) == MNL_CB_OK;
}

/* Whose is it? With a template by its reqid, without by its priority. */
static bool read_type(const struct reading *reading,
		      enum plane_policy_type *ret_type, uint32_t *ret_reqid)
{
	enum plane_kind kind;
	uint32_t slot;

	if (reading->templates) {
		if (!xfrm_reqid_read(reading->template.reqid, &slot, &kind))
			return false;
		*ret_type = PLANE_REQUIRE;
		*ret_reqid = reading->template.reqid;
		return true;
	}
	*ret_reqid = 0;
	*ret_type = reading->info.priority == XFRM_PRIORITY_OFF ?
		PLANE_OFF : PLANE_BLOCK_OTHERS;
	return reading->info.priority == XFRM_PRIORITY_OFF ||
	       reading->info.priority == XFRM_PRIORITY_BLOCK;
}

static bool same_template(const struct xfrm_user_tmpl *a,
			  const struct xfrm_user_tmpl *b)
{
	return a->id.spi == b->id.spi && a->id.proto == b->id.proto &&
	       xfrm_address_equal(&a->id.daddr, &b->id.daddr) &&
	       xfrm_address_equal(&a->saddr, &b->saddr) &&
	       a->family == b->family && a->reqid == b->reqid &&
	       a->mode == b->mode && a->optional == b->optional &&
	       a->aalgos == b->aalgos && a->ealgos == b->ealgos;
}

/* Has somebody changed it since we installed it? */
static bool is_altered(const struct reading *reading,
		       const struct xfrm_entry *entry)
{
	const struct xfrm_userpolicy_info *info = &reading->info;
	size_t templates = entry->type == PLANE_REQUIRE ? 1 : 0;
	struct xfrm_userpolicy_info wanted;
	struct xfrm_user_tmpl template;

	make_info(entry, &wanted);
	make_template(entry, &template);
	if (info->priority != wanted.priority ||
	    info->action != wanted.action || info->flags != wanted.flags ||
	    memcmp(&info->lft, &wanted.lft, sizeof(wanted.lft)) != 0 ||
	    reading->templates != templates)
		return true;
	return templates && !same_template(&reading->template, &template);
}

bool xfrm_entry_read(const struct nlmsghdr *message,
		     struct xfrm_entry *ret_entry)
{
	struct xfrm_entry entry;
	struct reading reading;
	bool inbound;

	if (!read_entry(message, &reading) || reading.foreign)
		return false;
	/* forward entries and those of single sockets are not ours */
	if (reading.info.dir != XFRM_POLICY_IN &&
	    reading.info.dir != XFRM_POLICY_OUT)
		return false;
	memset(&entry, 0, sizeof(entry));
	inbound = reading.info.dir == XFRM_POLICY_IN;
	if (!read_type(&reading, &entry.type, &entry.reqid) ||
	    !xfrm_selector_read(&reading.info.sel, inbound, &entry.traffic))
		return false;
	if (entry.type == PLANE_BLOCK_OTHERS && inbound &&
	    entry.traffic.any_local)
		entry.type = PLANE_BLOCK_ELSEWHERE;
	if (entry.traffic.any_peer != (entry.type == PLANE_BLOCK_OTHERS) ||
	    entry.traffic.any_local != (entry.type == PLANE_BLOCK_ELSEWHERE))
		return false;
	entry.index = reading.info.index;
	entry.altered = is_altered(&reading, &entry);
	*ret_entry = entry;
	return true;
}

/* ------------------------------------------------------------------ talk */

struct found_entry {
	struct xfrm_entry entry;
	bool found, ours;
};

static int read_found(void *ctx, const struct nlmsghdr *message)
{
	struct found_entry *found = ctx;

	found->found = true;
	found->ours = xfrm_entry_read(message, &found->entry);
	return 0;
}

int xfrm_entry_get(struct netlink *netlink, const struct xfrm_entry *wanted,
		   struct xfrm_entry *ret_entry)
{
	struct found_entry found = { .found = false };
	union netlink_request request;
	struct xfrm_userpolicy_id id;
	int err;

	memset(&id, 0, sizeof(id));
	xfrm_selector_make(&wanted->traffic, &id.sel);
	id.dir = direction(wanted);
	err = netlink_call(netlink, netlink_begin(&request, XFRM_MSG_GETPOLICY,
						  0, &id, sizeof(id)),
			   read_found, &found);
	if (err)
		return err;
	if (!found.found)
		return -EPROTO;
	if (!found.ours)
		return -EEXIST;
	*ret_entry = found.entry;
	return 0;
}

int xfrm_entry_put(struct netlink *netlink, const struct xfrm_entry *entry,
		   bool replace)
{
	struct xfrm_userpolicy_info info;
	union netlink_request request;
	struct xfrm_user_tmpl template;
	struct nlmsghdr *message;

	make_info(entry, &info);
	message = netlink_begin(&request, replace ? XFRM_MSG_UPDPOLICY :
				XFRM_MSG_NEWPOLICY, 0, &info, sizeof(info));
	make_template(entry, &template);
	if (entry->type == PLANE_REQUIRE &&
	    !mnl_attr_put_check(message, NETLINK_REQUEST_SIZE, XFRMA_TMPL,
				sizeof(template), &template))
		return -EMSGSIZE;
	return netlink_call(netlink, message, NULL, NULL);
}

int xfrm_entry_delete(struct netlink *netlink, const struct xfrm_entry *entry)
{
	union netlink_request request;
	struct xfrm_userpolicy_id id;
	int err;

	memset(&id, 0, sizeof(id));
	xfrm_selector_make(&entry->traffic, &id.sel);
	id.dir = direction(entry);
	id.index = entry->index;
	err = netlink_call(netlink, netlink_begin(&request, XFRM_MSG_DELPOLICY,
						  0, &id, sizeof(id)),
			   NULL, NULL);
	return err == -ENOENT ? 0 : err;
}

/* ------------------------------------------------------------------ list */

struct entry_list {
	struct xfrm_entry *items;
	size_t count, room;
};

static int collect(void *ctx, const struct nlmsghdr *message)
{
	struct entry_list *list = ctx;
	size_t room = list->room ? 2 * list->room : 16;
	struct xfrm_entry entry, *items;

	if (!xfrm_entry_read(message, &entry))
		return 0;
	if (list->count == list->room) {
		items = reallocarray(list->items, room, sizeof(*items));
		if (!items)
			return -ENOMEM;
		list->items = items;
		list->room = room;
	}
	list->items[list->count++] = entry;
	return 0;
}

int xfrm_entry_list(struct netlink *netlink, struct xfrm_entry **ret_entries,
		    size_t *ret_count)
{
	struct entry_list list = { .items = NULL };
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
		free(list.items);
		return err;
	}
	*ret_entries = list.items;
	*ret_count = list.count;
	return 0;
}
