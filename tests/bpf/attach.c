/*
 * The guard on real interfaces, in a network namespace of its own: attaching
 * beside other programs, and what a test run cannot make: devices without a
 * link header, accelerated VLAN tags, headers outside the linear part, and
 * packets shorter than their IP header.
 *
 * A filter of a stranger to us, at priority 2, counts what the guard lets
 * pass.
 */
#include "tests/bpf/rig.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/pkt_cls.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/clsact.h"

#define PORTS(source, destination) ((uint32_t)(source) << 16 | (destination))

enum { PATIENCE = 10000 };	/* polls of 1 ms */

static struct guard *guard;
static unsigned ifindex;	/* of wa0; its peer is wa1 */

/* --------------------------------------------------------- a stranger's filter */

/* A program that counts packets in element 0 of a map and says UNSPEC. */
static int counting_program(const char *name, int map)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2,
		  .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2,
		  .imm = -4 },
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD, .imm = map },
		{ .code = 0 },
		{ .code = BPF_JMP | BPF_CALL,
		  .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 2 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 0,
		  .src_reg = 1, .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0,
		  .imm = TC_ACT_UNSPEC },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, name, "own", code,
			       sizeof(code) / sizeof(code[0]), NULL);

	assert_true(fd >= 0);
	return fd;
}

struct counter {
	int map, program;
};

static struct counter make_counter(const char *name)
{
	struct counter counter;

	counter.map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "seen", 4, 8, 1, NULL);
	assert_true(counter.map >= 0);
	counter.program = counting_program(name, counter.map);
	return counter;
}

static uint64_t counted(const struct counter *counter)
{
	uint32_t zero = 0;
	uint64_t value = 0;

	assert_int_equal(bpf_map_lookup_elem(counter->map, &zero, &value), 0);
	return value;
}

static void free_counter(struct counter *counter)
{
	close(counter->map);
	close(counter->program);
}

static int put_filter(unsigned on, enum bpf_tc_attach_point point, int program,
		      unsigned handle, unsigned priority)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)on,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = handle,
		    .priority = priority, .prog_fd = program);
	int err = bpf_tc_hook_create(&hook);

	assert_true(err == 0 || err == -EEXIST);
	hook.attach_point = point;
	return bpf_tc_attach(&hook, &opts);
}

static struct clsact_view view(enum bpf_tc_attach_point point)
{
	struct clsact_view result;

	assert_int_equal(clsact_read(ifindex, point, &result), 0);
	return result;
}

/* ------------------------------------------------------------------ attaching */

static void test_attach_and_detach(void **state)
{
	(void)state;
	assert_int_equal(clsact_present(ifindex), 0);
	assert_false(guard_attached(guard, ifindex));
	assert_int_equal(guard_detach(ifindex), 0);

	assert_int_equal(guard_attach(guard, ifindex), 0);
	assert_true(guard_attached(guard, ifindex));
	assert_int_equal(clsact_present(ifindex), 1);
	assert_string_equal(view(BPF_TC_INGRESS).name, "bgpward_in");
	assert_string_equal(view(BPF_TC_EGRESS).name, "bgpward_out");
	assert_int_equal(view(BPF_TC_INGRESS).others, 0);

	/* again is no error, and no second filter */
	assert_int_equal(guard_attach(guard, ifindex), 0);
	assert_true(guard_attached(guard, ifindex));
	assert_int_equal(view(BPF_TC_INGRESS).others, 0);
	assert_int_equal(view(BPF_TC_EGRESS).others, 0);

	assert_int_equal(guard_detach(ifindex), 0);
	assert_false(guard_attached(guard, ifindex));
	assert_int_equal(clsact_present(ifindex), 0);
}

static void test_next_daemon_replaces(void **state)
{
	struct guard *next;
	struct clsact_view before;

	(void)state;
	assert_int_equal(guard_attach(guard, ifindex), 0);
	before = view(BPF_TC_INGRESS);
	assert_int_equal(guard_open(&next), 0);
	assert_false(guard_attached(next, ifindex));
	assert_int_equal(guard_attach(next, ifindex), 0);
	assert_true(guard_attached(next, ifindex));
	assert_false(guard_attached(guard, ifindex));
	assert_true(view(BPF_TC_INGRESS).program_id != before.program_id);
	assert_int_equal(view(BPF_TC_INGRESS).others, 0);
	guard_close(next);
	/* closed, and still there */
	assert_true(view(BPF_TC_INGRESS).taken);
	assert_true(view(BPF_TC_EGRESS).taken);
}

/* A filter at its own handle, before us or behind us, stays; and so does
 * clsact as long as it is used. */
static void test_neighbour_stays(void **state)
{
	static const unsigned priorities[] = { CLSACT_PRIORITY, 2, 49152 };
	struct counter counter = make_counter("neighbour");

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(put_filter(ifindex, BPF_TC_EGRESS,
					    counter.program, 1, priorities[i]),
				 0);
		assert_int_equal(guard_attach(guard, ifindex), 0);
		assert_true(guard_attached(guard, ifindex));
		assert_true(view(BPF_TC_EGRESS).others > 0);
		assert_int_equal(guard_detach(ifindex), 0);
		assert_int_equal(clsact_present(ifindex), 1);
		assert_false(view(BPF_TC_EGRESS).taken);
		assert_true(view(BPF_TC_EGRESS).others > 0);
		run("tc qdisc del dev wa0 clsact");
	}
	free_counter(&counter);
}

static bool kernel_has_tcx(void)
{
	struct utsname name;
	unsigned major, minor;

	assert_int_equal(uname(&name), 0);
	assert_int_equal(sscanf(name.release, "%u.%u", &major, &minor), 2);
	return major > 6 || (major == 6 && minor >= 6);
}

/* A program that says TC_ACT_OK in tcx, where that is the last word. Linux
 * before 6.6 has no tcx: there nothing can come first. */
static void test_tcx_comes_first(void **state)
{
	static const enum bpf_attach_type points[] = { 46, 47 };
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0,
		  .imm = TC_ACT_OK },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int program = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "first", "own",
				    code, 2, NULL);
	const bool tcx = kernel_has_tcx();

	(void)state;
	assert_true(program >= 0);
	assert_int_equal(guard_attach(guard, ifindex), 0);
	assert_false(guard_is_preceded(ifindex));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(bpf_prog_attach(program, (int)ifindex,
						 points[i], 0),
				 tcx ? 0 : -EINVAL);
		assert_int_equal(guard_is_preceded(ifindex), tcx);
		if (tcx)
			assert_int_equal(bpf_prog_detach2(
				program, (int)ifindex, points[i]), 0);
		assert_false(guard_is_preceded(ifindex));
	}
	assert_false(guard_is_preceded(0x7fffffff));
	close(program);
}

/* Somebody else at our handle: neither replaced nor removed. */
static void test_alien_at_our_handle(void **state)
{
	static const enum bpf_tc_attach_point points[] = {
		BPF_TC_INGRESS, BPF_TC_EGRESS
	};
	/* the name of our other program does not help */
	static const char *const names[] = { "alien", "bgpward_in" };
	uint32_t id;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct counter counter = make_counter(names[i]);

		assert_int_equal(put_filter(ifindex, points[i],
					    counter.program, CLSACT_HANDLE,
					    CLSACT_PRIORITY), 0);
		id = view(points[i]).program_id;
		assert_int_equal(guard_attach(guard, ifindex), -EEXIST);
		assert_false(guard_attached(guard, ifindex));
		assert_int_equal(view(points[i]).program_id, id);
		/* half a guard is more than none */
		assert_true(view(points[!i]).taken);
		assert_int_equal(guard_detach(ifindex), 0);
		assert_int_equal(view(points[i]).program_id, id);
		assert_false(view(points[!i]).taken);
		run("tc qdisc del dev wa0 clsact");
		free_counter(&counter);
	}
}

/* An `ingress` qdisc takes egress filters too, and runs them at ingress. */
static void test_ingress_qdisc(void **state)
{
	(void)state;
	run("tc qdisc add dev wa0 ingress");
	assert_int_equal(clsact_present(ifindex), -EEXIST);
	assert_int_equal(guard_attach(guard, ifindex), -EEXIST);
	assert_false(guard_attached(guard, ifindex));
	assert_int_equal(view(BPF_TC_INGRESS).others, 0);
	assert_int_equal(guard_detach(ifindex), 0);
	run("tc qdisc del dev wa0 ingress");
}

static void test_priority_taken_by_another_kind(void **state)
{
	(void)state;
	run("tc qdisc add dev wa0 clsact && tc filter add dev wa0 ingress "
	    "prio 1 protocol ip u32 match u32 0 0");
	assert_true(guard_attach(guard, ifindex) < 0);
	assert_false(guard_attached(guard, ifindex));
	run("tc qdisc del dev wa0 clsact");
}

static void test_no_such_interface(void **state)
{
	(void)state;
	assert_int_equal(guard_attach(guard, 999999), -ENODEV);
	assert_int_equal(guard_detach(999999), 0);
	assert_false(guard_attached(guard, 999999));
}

/* What is attached outlives the process that attached it, by any death. */
static void test_outlives_the_process(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct guard *other;

		if (guard_open(&other) != 0 ||
		    guard_attach(other, ifindex) != 0)
			_exit(1);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_true(view(BPF_TC_INGRESS).taken);
	assert_true(view(BPF_TC_EGRESS).taken);
	assert_int_equal(guard_detach(ifindex), 0);
}

/* All the capabilities that the privileged process is to keep, and little
 * memory to lock. Without PERFMON the verifier of Linux 6.1 refuses what it
 * takes for a leak of pointers; newer ones do not. */
static bool limit_capabilities(void)
{
	const uint64_t three = 1ull << CAP_NET_ADMIN | 1ull << CAP_BPF |
			       1ull << CAP_PERFMON;
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{ .effective = (__u32)three, .permitted = (__u32)three },
		{ .effective = three >> 32, .permitted = three >> 32 },
	};
	struct rlimit none = { 0, 0 };

	return setrlimit(RLIMIT_MEMLOCK, &none) == 0 &&
	       syscall(SYS_capset, &header, data) == 0;
}

static void test_three_capabilities_do(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct guard *other;

		if (!limit_capabilities())
			_exit(1);
		if (guard_open(&other) != 0)
			_exit(2);
		populate(other);
		if (guard_attach(other, ifindex) != 0 ||
		    guard_attach(other, ifindex) != 0 ||
		    !guard_attached(other, ifindex))
			_exit(3);
		_exit(guard_detach(ifindex) ? 4 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* -------------------------------------------------------------- real packets */

static uint64_t drops(int family, enum who local, int peer,
		      enum classifier_reason reason)
{
	struct in6_addr local_address = address(family, local);
	struct in6_addr peer_address = { 0 };
	uint64_t values[CLASSIFIER_REASON_COUNT];

	if (peer >= 0)
		peer_address = address(family, peer);
	assert_int_equal(guard_counters(guard, &local_address,
					peer >= 0 ? &peer_address : NULL,
					values), 0);
	return values[reason];
}

/* All drops of the cast, for "nothing else was dropped". */
static uint64_t all_drops(void)
{
	uint64_t sum = 0;

	for (int family = 0; family < FAMILIES; family++)
		for (int i = 0; i < CLASSIFIER_REASON_COUNT; i++)
			sum += drops(family, ROUTER, PEER, i) +
			       drops(family, ROUTER, CLEAR, i) +
			       drops(family, ROUTER, -1, i) +
			       drops(family, OPEN, PEER, i) +
			       drops(family, OPEN, -1, i);
	return sum;
}

/* A way to hand the kernel one frame. */
struct device {
	const char *name;
	int fd;
	void (*send)(int fd, const struct frame *frame);
	bool link;		/* has a link header */
	struct counter passed;	/* behind the guard, at `point` */
	enum bpf_tc_attach_point point;
};

/* Every frame ends in one of two counters: wait for it. */
static bool is_passed(struct device *device, const struct frame *frame)
{
	uint64_t passed = counted(&device->passed);
	uint64_t dropped = all_drops();

	device->send(device->fd, frame);
	for (int i = 0; i < PATIENCE; i++) {
		if (counted(&device->passed) == passed + 1 &&
		    all_drops() == dropped)
			return true;
		if (counted(&device->passed) == passed &&
		    all_drops() == dropped + 1)
			return false;
		poll(NULL, 0, 1);
	}
	fail_msg("%s: the frame is neither passed nor dropped", device->name);
	return false;
}

/* A packet socket is told of a drop at egress: ENOBUFS. */
static void send_whole(int fd, const struct frame *frame)
{
	ssize_t sent = write(fd, frame->bytes, frame->len);

	if (sent < 0)
		assert_int_equal(errno, ENOBUFS);
	else
		assert_int_equal(sent, frame->len);
}

static void guard_device(struct device *device)
{
	unsigned on = if_nametoindex(device->name);

	assert_int_equal(guard_attach(guard, on), 0);
	device->passed = make_counter("behind");
	assert_int_equal(put_filter(on, device->point, device->passed.program,
				    1, 2), 0);
}

static void release_device(struct device *device)
{
	close(device->fd);
	free_counter(&device->passed);
}

static void make_bgp(struct frame *frame, const struct device *device,
		     int family, int tags, uint32_t ports)
{
	bool in = device->point == BPF_TC_INGRESS;

	memset(frame, 0, sizeof(*frame));
	if (device->link)
		put_link(frame, family, tags);
	put_network(frame, family, in ? PEER : ROUTER, in ? ROUTER : PEER,
		    IPPROTO_TCP);
	put_upper(frame, ports);
	seal(frame);
}

static void check_bgp_and_ssh(struct device *device, int family, int tags)
{
	enum classifier_reason reason = device->point == BPF_TC_INGRESS ?
		CLASSIFIER_CLEARTEXT_IN : CLASSIFIER_CLEARTEXT_OUT;
	uint64_t before = drops(family, ROUTER, PEER, reason);
	struct frame frame;

	make_bgp(&frame, device, family, tags, PORTS(179, 40000));
	assert_false(is_passed(device, &frame));
	make_bgp(&frame, device, family, tags, PORTS(40000, 179));
	assert_false(is_passed(device, &frame));
	assert_int_equal(drops(family, ROUTER, PEER, reason), before + 2);
	make_bgp(&frame, device, family, tags, PORTS(22, 40000));
	assert_true(is_passed(device, &frame));
}

/* Frames cut within and behind the IP header. */
static void check_cut(struct device *device, int family)
{
	struct frame frame;
	size_t whole;

	make_bgp(&frame, device, family, 0, PORTS(179, 40000));
	whole = frame.upper + 4;
	for (size_t len = frame.network + 1; len < whole; len++) {
		frame.len = len;
		assert_int_equal(is_passed(device, &frame), len < frame.upper);
	}
}

static int packet_socket(const char *name)
{
	struct sockaddr_ll link = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&link, sizeof(link)), 0);
	return fd;
}

/* The kernel takes a tag off before tc ingress (one: all of it is in the
 * skb's metadata; two: the inner one is in the packet). */
static void test_ethernet_in(void **state)
{
	struct device device = {
		.name = "wa0", .fd = packet_socket("wa1"), .link = true,
		.send = send_whole, .point = BPF_TC_INGRESS,
	};

	(void)state;
	guard_device(&device);
	for (int family = 0; family < FAMILIES; family++) {
		for (int tags = 0; tags <= CLASSIFIER_MAX_TAGS; tags++)
			check_bgp_and_ssh(&device, family, tags);
		check_cut(&device, family);
	}
	release_device(&device);
}

static void test_ethernet_out(void **state)
{
	struct device device = {
		.name = "wa0", .fd = packet_socket("wa0"), .link = true,
		.send = send_whole, .point = BPF_TC_EGRESS,
	};

	(void)state;
	guard_device(&device);
	for (int family = 0; family < FAMILIES; family++)
		for (int tags = 0; tags <= CLASSIFIER_MAX_TAGS; tags++)
			check_bgp_and_ssh(&device, family, tags);
	release_device(&device);
}

static int open_tun(const char *name, int flags)
{
	struct ifreq request = { .ifr_flags = (short)flags };
	char command[64];
	int fd = open("/dev/net/tun", O_RDWR);

	assert_true(fd >= 0);
	strcpy(request.ifr_name, name);
	assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
	snprintf(command, sizeof(command), "ip link set %s up", name);
	run(command);
	return fd;
}

/* No link header: the IP header is where the packet begins. */
static void test_tun(void **state)
{
	struct device device = {
		.name = "wt0", .fd = open_tun("wt0", IFF_TUN | IFF_NO_PI),
		.send = send_whole, .point = BPF_TC_INGRESS,
	};

	(void)state;
	guard_device(&device);
	for (int family = 0; family < FAMILIES; family++) {
		check_bgp_and_ssh(&device, family, 0);
		check_cut(&device, family);
	}
	release_device(&device);
}

/* IFF_NAPI_FRAGS: what follows the first vector lies in page fragments. */
static void send_scattered(int fd, const struct frame *frame)
{
	uint8_t *bytes = (uint8_t *)(uintptr_t)frame->bytes;
	struct iovec parts[] = {
		{ bytes, ETH_HLEN },
		{ bytes + ETH_HLEN, 10 },
		{ bytes + ETH_HLEN + 10, frame->len - ETH_HLEN - 10 },
	};

	assert_int_equal(writev(fd, parts, 3), frame->len);
}

static void turn_gro_off(const char *name)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SGRO, .data = 0 };
	struct ifreq request = { .ifr_data = (char *)&value };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	strcpy(request.ifr_name, name);
	assert_int_equal(ioctl(fd, SIOCETHTOOL, &request), 0);
	close(fd);
}

/* Headers outside the linear part of the skb are found all the same. */
static void test_scattered(void **state)
{
	struct device device = {
		.name = "wt1", .link = true, .send = send_scattered,
		.fd = open_tun("wt1", IFF_TAP | IFF_NO_PI | IFF_NAPI |
			       IFF_NAPI_FRAGS),
		.point = BPF_TC_INGRESS,
	};

	(void)state;
	turn_gro_off("wt1");
	guard_device(&device);
	for (int family = 0; family < FAMILIES; family++)
		for (int tags = 0; tags <= CLASSIFIER_MAX_TAGS; tags++)
			check_bgp_and_ssh(&device, family, tags);
	release_device(&device);
}

/* ------------------------------------------------------------------- set-up */

static int set_up(void **state)
{
	(void)state;
	enter_netns();
	/* no packets of the kernel's own (neighbour and router discovery) */
	run("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
	ifindex = make_veth("wa0", "wa1");
	assert_int_equal(guard_open(&guard), 0);
	populate(guard);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	guard_close(guard);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_attach_and_detach),
		TEST(test_next_daemon_replaces),
		TEST(test_neighbour_stays),
		TEST(test_tcx_comes_first),
		TEST(test_alien_at_our_handle),
		TEST(test_ingress_qdisc),
		TEST(test_priority_taken_by_another_kind),
		TEST(test_no_such_interface),
		TEST(test_outlives_the_process),
		TEST(test_three_capabilities_do),
		TEST(test_ethernet_in),
		TEST(test_ethernet_out),
		TEST(test_tun),
		TEST(test_scattered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
