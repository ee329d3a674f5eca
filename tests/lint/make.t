#!/bin/bash
# The Makefile: its targets and their help, V=1, dependencies, install.
cd "$(dirname "$0")/../.." || exit
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. tests/e2e/lib_tap.sh
# as `make` calls it: the dependency files name their targets so
BUILD=$(realpath -m --relative-to=. "${BUILD:-build}")

# make as a user calls it, not as part of the make that runs this test
make_of_its_own() { env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make "$@"; }
plain_make() { make_of_its_own "BUILD=$BUILD" "$@"; }
helped() { plain_make -s help | grep -qE "^$1 "; }
makes() { plain_make -n "$1"; }

for target in all demo test unit e2e interop lint asan bench bench-table deps \
	install clean; do
	ok "make help has $target" helped $target
	ok "make knows $target" makes $target
done
ok 'make help is the help' makes help
ok 'make bench is there' makes bench
not_ok 'it would find one that is not' makes frobnicate

# without a target: both programs, and nothing to do when they are there
ok 'make builds' plain_make -s
is "$(plain_make -n | grep -c bgpward)" 0 'once'
one() { make_of_its_own "BUILD=$WORK/one" "$@" "$WORK/one/sidecar/log.o"; }
is "$(one V=0)" '  CC      sidecar/log.c' 'one line for each file'
rm -r "$WORK/one"
like "$(one V=1)" '^(gcc|clang|cc) .*-Wshadow.* sidecar/log.c$' \
	'V=1 shows commands'
is "$(plain_make -n V=1 -W ike/ike.h | grep -cE ' ike/engine.c$')" 1 \
	'a header is a dependency'
is "$(plain_make -n V=1 -W bpf/classifier.h |
	grep -cE 'bpftool gen skeleton| bpf/guard.c$')" 2 \
	'the classifier is one of its loader'

printf '#!/bin/sh\necho ok 1\necho not ok 2 - quoted\n' > "$WORK/failing"
chmod +x "$WORK/failing"
like "$(tests/run "$WORK/failing" 2>&1 > "$WORK/tap")" '^not ok 2 - quoted' \
	'a test that fails shows what it has printed'
is "$(plain_make -n test-all | grep -c 'prove ')" 1 \
	'one prove runs all tests, so that its last line counts all'
ok '.ci/run calls make test' grep -q 'make test$' .ci/run
ok 'and can be run' [ -x .ci/run ]

ok 'make install' plain_make -s install "DESTDIR=$WORK/root"
is "$(cd "$WORK/root" && find . -type f -printf '%P %m\n' | sort | xargs)" \
	"$(printf '%s\n' 'usr/lib/systemd/system/bgpwardd.service 644' \
	'usr/sbin/bgpward 755' 'usr/sbin/bgpwardd 755' \
	'usr/share/man/man5/bgpward.conf.5 644' \
	'usr/share/man/man8/bgpward.8 644' \
	'usr/share/man/man8/bgpwardd.8 644' | sort | xargs)" \
	'programs, unit and man pages'
ok 'and a place for the configuration' [ -d "$WORK/root/etc/bgpward" ]
started=$(sed -n 's/^ExecStart=//p' deploy/bgpwardd.service)
ok 'the unit starts what was installed' [ -x "$WORK/root$started" ]
# the daemon is one file at run time: the classifier is in it
like "$(cd / && unshare -n "$WORK/root$started" -c /nowhere -s "$WORK/s" 2>&1)" \
	'/nowhere cannot be opened' 'which needs no other file to begin'
is "$(ldd "$WORK/root$started" | grep -c 'not found')" 0 'and no other library'
done_testing
