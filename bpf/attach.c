/* Putting our filters on interfaces, and taking them off, by libbpf. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "bpf/attach.h"
#include "bpf/clsact.h"

/* By name a later daemon knows the filters of an earlier one. */
static const char *program_name(enum bpf_tc_attach_point point)
{
	return point == BPF_TC_INGRESS ? "bgpward_in" : "bgpward_out";
}

int attach_program_id(int fd, __u32 *ret_id)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	int err = bpf_obj_get_info_by_fd(fd, &info, &len);

	if (!err)
		*ret_id = info.id;
	return err;
}

static bool is_ours(const struct clsact_view *view,
		    enum bpf_tc_attach_point point)
{
	return view->taken && strcmp(view->name, program_name(point)) == 0;
}

/* Make the clsact if there is none. */
static int prepare(unsigned ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int present = clsact_present(ifindex);
	int err;

	if (present < 0)
		return present;
	if (present)
		return 0;
	err = bpf_tc_hook_create(&hook);
	if (err != -EEXIST)
		return err;
	/* Somebody was faster. With a clsact? */
	present = clsact_present(ifindex);
	return present < 0 ? present : 0;
}

static int attach_point(int fd, unsigned ifindex,
			enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE,
		    .priority = CLSACT_PRIORITY, .prog_fd = fd);
	struct clsact_view view;
	int err = clsact_read(ifindex, point, &view);

	if (err)
		return err;
	if (view.taken && !is_ours(&view, point))
		return -EEXIST;
	/* Without REPLACE the kernel refuses if somebody was faster. */
	if (view.taken)
		opts.flags = BPF_TC_F_REPLACE;
	return bpf_tc_attach(&hook, &opts);
}

int attach_interface(const struct attach_programs *programs, unsigned ifindex)
{
	int err = prepare(ifindex);
	int err_out;

	if (err)
		return err;
	/* Half a guard is more than none: no way back on failure. */
	err = attach_point(programs->in, ifindex, BPF_TC_INGRESS);
	err_out = attach_point(programs->out, ifindex, BPF_TC_EGRESS);
	return err ? err : err_out;
}

/* Take off our filter of one point; *others counts what stays. */
static int detach_point(unsigned ifindex, enum bpf_tc_attach_point point,
			unsigned *others)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = CLSACT_HANDLE,
		    .priority = CLSACT_PRIORITY);
	struct clsact_view view;
	int err = clsact_read(ifindex, point, &view);

	if (err)
		return err;
	*others += view.others;
	if (!view.taken)
		return 0;
	if (!is_ours(&view, point)) {
		*others += 1;
		return 0;
	}
	err = bpf_tc_detach(&hook, &opts);
	return err == -ENOENT ? 0 : err;
}

int attach_remove(unsigned ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	unsigned others = 0;
	int present = clsact_present(ifindex);
	int err, err_out;

	if (present == -ENODEV || present == -EEXIST || present == 0)
		return 0;
	if (present < 0)
		return present;
	err = detach_point(ifindex, BPF_TC_INGRESS, &others);
	err_out = detach_point(ifindex, BPF_TC_EGRESS, &others);
	if (!err)
		err = err_out;
	if (!err && !others)
		err = bpf_tc_hook_destroy(&hook);
	return err == -ENODEV ? 0 : err;
}

/* tcx (Linux 6.6), which libbpf 1.1 has no names for. */
enum { TCX_INGRESS = 46, TCX_EGRESS };

static bool has_tcx(unsigned ifindex, int point)
{
	__u32 count = 0;

	return bpf_prog_query((int)ifindex, (enum bpf_attach_type)point, 0,
			      NULL, NULL, &count) == 0 && count > 0;
}

bool attach_is_preceded(unsigned ifindex)
{
	return has_tcx(ifindex, TCX_INGRESS) || has_tcx(ifindex, TCX_EGRESS);
}

static bool point_stands(__u32 id, unsigned ifindex,
			 enum bpf_tc_attach_point point)
{
	struct clsact_view view;

	return !clsact_read(ifindex, point, &view) && view.taken &&
	       view.program_id == id;
}

bool attach_stands(const struct attach_programs *programs, unsigned ifindex)
{
	return clsact_present(ifindex) == 1 &&
	       point_stands(programs->in_id, ifindex, BPF_TC_INGRESS) &&
	       point_stands(programs->out_id, ifindex, BPF_TC_EGRESS);
}
