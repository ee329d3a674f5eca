#include "ike/proto.h"

#include <stddef.h>

struct name {
	unsigned number;
	const char *text;
};

#define X(name, number, text) { number, text },
#define NAMES(list) (const struct name[]){ list(X) { 0, NULL } }
static const struct name *const names[] = {
	[IKE_NAMES_EXCHANGE] = NAMES(IKE_EXCHANGES),
	[IKE_NAMES_ENCR] = NAMES(IKE_ENCRS),
	[IKE_NAMES_PRF] = NAMES(IKE_PRFS),
	[IKE_NAMES_INTEG] = NAMES(IKE_INTEGS),
	[IKE_NAMES_KE] = NAMES(IKE_KES),
	[IKE_NAMES_NOTIFY] = NAMES(IKE_NOTIFIES)
};
#undef X

const char *ike_name(enum ike_names of, unsigned number)
{
	for (const struct name *name = names[of]; name->text; name++)
		if (name->number == number)
			return name->text;
	return "unknown";
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
