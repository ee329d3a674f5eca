#!/bin/bash
# The unit as operators have it: put in place by `make install`, started,
# reloaded, restarted and stopped by a real systemd, which runs in router a, in
# a container whose file system is an overlay of this one's. What the unit takes
# from the daemon, it and the plane process do not need. (unit.t asks of the
# kernel plane what can be asked without systemd.)
. "$(dirname "$0")/lib.sh"
user_only 'the emulated processors can hang in the making of a container'

# ----------------------------------------------------------- the container
root=$WORK/root rw=$WORK/rw

make_root() {
	mkdir "$rw" "$root" &&
		mount -t tmpfs tmpfs "$rw" &&
		mkdir "$rw/upper" "$rw/work" &&
		mount -t overlay overlay "$root" \
			-o "lowerdir=/,upperdir=$rw/upper,workdir=$rw/work" &&
		rm -rf "$root/etc/systemd/system" "$root/etc/bgpward" \
			"$root/var/log/journal" "$root/etc/fstab"
}
make_install() {
	env -u MAKEFLAGS make -s -C "$TOP" BUILD="$BUILD" DESTDIR="$root" \
		install
}
lab_after() {
	[ -z "${nspawn:-}" ] || until_ok 20 ended "$nspawn"
	umount -l "$root" "$rw"
	rmdir "/run/systemd/nspawn/propagate/$TOKEN" 2>/dev/null
}

container() {
	systemd-nspawn -q -M "$TOKEN" -D "$root" \
		--register=no --keep-unit --console=pipe \
		--capability=CAP_NET_ADMIN,CAP_BPF,CAP_PERFMON \
		--system-call-filter=bpf --bind=/dev/net/tun "$@" < /dev/null
}

boot() {
	container --network-namespace-path="/run/netns/${TOKEN}a" \
		/lib/systemd/systemd --unit=bgpwardd.service --show-status=0 \
		> "$WORK/a/systemd.log" 2>&1 &
	machine=$!
	until_ok 60 find_init
}
find_init() {
	nspawn=$(pgrep -P "$machine" -x systemd-nspawn) &&
		INIT=$(pgrep -P "$nspawn" -f ^/lib/systemd/systemd)
}
inside() { nsenter -t "$INIT" -a "$@"; }
unit() { inside systemctl "$@" bgpwardd.service; }
is_active() { [ "$(unit is-active)" = active ]; }
main_pid() { unit show -P MainPID; }

# Router a's daemon is reached there, b's as always.
ward_cli() {
	if [ "$1" = a ]; then
		inside bgpward "${@:2}"
	else
		"$BUILD/bgpward" -s "$WORK/$1/control" "${@:2}"
	fi
}
config() {	# WORD...: bgpward init or peer add, in a
	in_ns a chroot "$root" bgpward "$@" >> "$WORK/a/init.log" 2>&1 ||
		bail_out "bgpward $1: $(cat "$WORK/a/init.log")"
}

# Not everywhere can one be made.
{ make_root && container /bin/true; } > "$WORK/probe" 2>&1 || {
	echo "1..0 # SKIP no container here: $(tail -n 1 "$WORK/probe")"
	exit
}

lab_up
ok 'make install' make_install
config init --as "$(as_of a)" --address "$(addr a 4)" --address "$(addr a 6)"
ward_init b
cp "$(ward_dir b)/ca.crt" "$root/etc/bgpward/b.crt"
config peer add as64501 --as "$(as_of b)" --address "$(addr b 4)" \
	--address "$(addr b 6)" --trust /etc/bgpward/b.crt
ward_peer b a "$root/etc/bgpward/ca.crt"
sed -i '/^peer /a\	plane = user' "$root/etc/bgpward/bgpward.conf"
ok 'systemd boots with the unit' boot ||
	bail_out "systemd does not boot: $(tail "$WORK/a/systemd.log")"
ok 'it is active: the daemon has said so' until_ok 60 is_active
inside journalctl -qf -o cat -n all -u bgpwardd > "$WORK/a/ward.log" &
log_says() { grep -q -- "$1" "$WORK/a/ward.log"; }
ward_start b
ok 'the pairs are protected' pair_wait a b
bird_start a b
bird_start b a
bgp_up a b
since=$(bird_changes a b4)

# ------------------------------------------------------------- the sandbox
status_of() { inside sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
bit() { printf '%016x' $(($1)); }
# NET_ADMIN, BPF, PERFMON, SYS_ADMIN, NET_BIND_SERVICE, NET_RAW
wanted=$(bit '1 << 12 | 1 << 39 | 1 << 38 | 1 << 21 | 1 << 10 | 1 << 13')
pid=$(main_pid)
is "$(status_of "$pid" CapBnd)" "$wanted" 'no other capability'
is "$(status_of "$pid" CapEff)" "$wanted" 'in force'
is "$(status_of "$pid" NoNewPrivs)" 1 'and no new one'
calls=" $(unit show -P SystemCallFilter) "
like "$calls" ' bpf ' 'system calls are filtered: bpf is allowed'
not_ok 'mount is not' grep -q ' mount ' <<< "$calls"
not_ok 'it cannot write' inside nsenter -t "$pid" -m touch /etc/bgpward.test

# -------------------------------------------------------------- its life
again() {	# WHAT: active and protected
	ok "$1: active" until_ok 60 is_active
	ok "$1: protected" pair_wait a b
}
is_another() { [ "$(main_pid)" != "$pid" ] && is_active; }
unit reload
ok 'it reloads' until_ok 20 log_says 'reloading the configuration'
again 'after a reload'
is "$(main_pid)" "$pid" 'by the same process'
unit restart
ok 'restarted: another process' is_another
again 'after a restart'
pid=$(main_pid)
inside kill -9 "$pid"
ok 'killed: systemd starts another' until_ok 60 is_another
again 'after a kill'
bgp_lives a b 'after all that'
is "$(bird_changes a b4)" "$since" 'no flap'

inside_plane() { inside pgrep -f '^bgpwardd --plane'; }
plane=$(inside_plane)
is "$(status_of "$plane" CapEff)" 0000000000000000 'its process can do nothing'
is "$(status_of "$plane" Seccomp_filters)" \
	"$(status_of "$(main_pid)" Seccomp_filters)" \
	"and system calls are filtered as the daemon's are"
unit restart
again 'after a restart beside it'
is "$(inside_plane)" "$plane" 'it has lived on'
bgp_lives a b 'on the user plane'
is "$(bird_changes a b4)" "$since" 'no flap'
inside kill -9 "$plane"
ok 'killed: another is started' until_ok 20 log_says 'started again'
ok 'protected by it' pair_wait a b

# ------------------------------------------------------------------ the end
unit stop
is "$(unit is-active)" inactive 'stopped'
more "$(in_ns a ip xfrm policy | grep -c 'action block')" 0 \
	'and the guard stands'
is "$(inside systemd-analyze verify --man=no bgpwardd.service 2>&1 |
	grep bgpwardd)" '' \
	'systemd understands all of it'
done_testing
