#include "sidecar/carrier.h"

#include <errno.h>
#include <stddef.h>

void carrier_probe(const struct plane_ops *ops, struct carrier *ret_carrier)
{
	struct carrier carrier = {
		.ops = ops,
		.err = -ENOSYS,
		.why = "this program has no such plane",
	};

	if (ops)
		carrier.err = ops->probe(&carrier.why);
	*ret_carrier = carrier;
}

static int take(const struct carrier carriers[CARRIERS], enum carrier_kind kind,
		const char *why, enum carrier_kind *ret_kind,
		const char **ret_why)
{
	const int err = carriers[kind].err;

	*ret_why = err ? carriers[kind].why : why;
	if (!err)
		*ret_kind = kind;
	return err;
}

int carrier_choose(const struct carrier carriers[CARRIERS],
		   enum policy_plane wanted, enum carrier_kind *ret_kind,
		   const char **ret_why)
{
	const bool kernel = carriers[CARRIER_KERNEL].err == 0;

	switch (wanted) {
	case POLICY_PLANE_AUTO:
		if (!kernel && carriers[CARRIER_USER].err == 0)
			return take(carriers, CARRIER_USER,
				    carriers[CARRIER_KERNEL].why, ret_kind,
				    ret_why);
		return take(carriers, CARRIER_KERNEL, "the kernel has ESP",
			    ret_kind, ret_why);
	case POLICY_PLANE_KERNEL:
		return take(carriers, CARRIER_KERNEL, "the configuration says so",
			    ret_kind, ret_why);
	case POLICY_PLANE_USER:
		return take(carriers, CARRIER_USER, "the configuration says so",
			    ret_kind, ret_why);
	}
	return -EINVAL;
}
