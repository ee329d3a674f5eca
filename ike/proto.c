#include "ike/proto.h"

#include <stddef.h>

struct name {
	unsigned number;
	const char *text;
};

#define X(name, number, text) { number, text },
static const struct name exchanges[] = { IKE_EXCHANGES(X) };
static const struct name encrs[] = { IKE_ENCRS(X) };
static const struct name prfs[] = { IKE_PRFS(X) };
static const struct name integs[] = { IKE_INTEGS(X) };
static const struct name kes[] = { IKE_KES(X) };
static const struct name notifies[] = { IKE_NOTIFIES(X) };
#undef X

static const char *
lookup(const struct name *names, size_t count, unsigned number)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].number == number)
			return names[i].text;
	return "unknown";
}

#define LOOKUP(names, number) \
	lookup(names, sizeof(names) / sizeof((names)[0]), number)

const char *ike_exchange_name(unsigned number)
{
	return LOOKUP(exchanges, number);
}

const char *ike_encr_name(unsigned number)
{
	return LOOKUP(encrs, number);
}

const char *ike_prf_name(unsigned number)
{
	return LOOKUP(prfs, number);
}

const char *ike_integ_name(unsigned number)
{
	return LOOKUP(integs, number);
}

const char *ike_ke_name(unsigned number)
{
	return LOOKUP(kes, number);
}

const char *ike_notify_name(unsigned number)
{
	return LOOKUP(notifies, number);
}

static const struct {
	const char *name, *sentence;
} reasons[IKE_REASONS] = {
#define X(name, text, sentence) { text, sentence },
	IKE_REASON_LIST(X)
#undef X
};

const char *ike_reason_name(enum ike_reason reason)
{
	return (unsigned)reason < IKE_REASONS ? reasons[reason].name :
		"unknown";
}

const char *ike_reason_text(enum ike_reason reason)
{
	return (unsigned)reason < IKE_REASONS ? reasons[reason].sentence :
		"unknown";
}
