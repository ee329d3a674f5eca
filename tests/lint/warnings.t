#!/bin/bash
# Everything, tests too, compiles without a warning by gcc and by clang. What
# comes out is looked at as well: ike/ must need no system call.
cd "$(dirname "$0")/../.." || exit
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. tests/e2e/lib_tap.sh

objects() {	# BUILD: of every source file, tests included
	local source
	for source in {ike,policy,bpf,sidecar,tests/{unit,sim,bpf,fuzz,bench}}/*.c; do
		case $source in
		*\** | *.bpf.c) ;;
		*) echo "$1/${source%.c}.o" ;;
		esac
	done
}

# clang lacks two of the Makefile's warnings here: it gives them for what the
# macros of <linux/netlink.h> (-Wcast-qual) and <uthash.h>
# (-Wimplicit-fallthrough) expand to; gcc, which knows better, has them on.
CLANG_WARN="-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wformat=2 -Werror"

builds() {	# COMPILER [MAKE_VARIABLE]
	local build=$WORK/$1 make
	make=(make -s -j2 "CC=$1" CI=1 "BUILD=$WORK/$1" "${@:2}")
	# the skeleton before what includes it, in tests too
	"${make[@]}" "$build/bpf/classifier.skel.h" &&
		objects "$build" | xargs "${make[@]}" && "${make[@]}" all
}

ok 'gcc builds everything without a warning' builds gcc
ok 'clang builds everything without a warning' \
	builds clang "WARN=$CLANG_WARN"

# What the engine may want from libc: memory and strings, no input or output.
needs_io() {
	nm -u "$WORK/gcc/ike.a" | grep -E ' U (socket|send|sendto|recv|recvfrom|open|openat|fopen|read|write|fwrite|printf|puts|fputs|syslog|time|gettimeofday|clock_gettime|getrandom|RAND_bytes|getenv|exit|abort|fork|pthread_create)$'
}
not_ok 'ike.a uses no socket, file, clock, log or random device' needs_io
globals() {	# .data.rel.ro holds constants
	nm -f sysv "$WORK/gcc/ike.a" | grep -E '\| *(\.data|\.bss|\*COM\*) *$'
}
not_ok 'ike.a has no variable global data' globals
done_testing
