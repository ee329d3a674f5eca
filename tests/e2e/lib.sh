# shellcheck shell=bash
# What every scenario begins with: `. "$(dirname "$0")/lib.sh"`.
#
# A scenario runs in network namespaces, as root, where the kernel has ESP:
# natively, or in the laboratory's virtual machine (VM=1). Elsewhere it prints
# the TAP that lab/run stored for it a moment ago and ends here.
set -u

E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
TOP=$(cd "$E2E/../.." && pwd)
BUILD=$(realpath -m "${BUILD:-$TOP/build}")
SCENARIO=$(basename "$0" .t)
export PATH=$PATH:/usr/sbin:/sbin

bail_out() {
	echo "Bail out! $SCENARIO: $*"
	exit 1
}

print_stored_tap() {
	local tap=$TOP/tests/out/lab/$SCENARIO.tap
	[ -s "$tap" ] || bail_out "no $tap: run tests/lab/run first"
	cat "$tap"
	exit 0
}

# Emulated machines are slow: every deadline is stretched.
PATIENCE=${PATIENCE:-$([ "${VM:-0}" = 1 ] && echo 3 || echo 1)}

# PLANE=user, or the name by which the Makefile calls it: the user plane carries
# the pairs, so this machine will do.
case $0 in */user-plane/*) export PLANE=user ;; esac
PLANE=${PLANE:-kernel}
if [ "$PLANE" = user ]; then
	[ "$(id -u)" = 0 ] || bail_out 'needs root'
elif [ "${VM:-0}" != 1 ]; then
	[ "$(id -u)" = 0 ] || bail_out 'needs root'
	"$TOP/tests/lab/has_esp" || print_stored_tap
fi
[ -x "$BUILD/bgpwardd" ] || [ -n "${WARDLESS:-}" ] ||
	bail_out "no $BUILD/bgpwardd: run make first"

[ "${VM:-0}" != 1 ] || modprobe -q tun	# for the user plane

# Scratch space of this run; the token makes names unique on this machine.
TOKEN=bw$$
WORK=$(mktemp -d "/tmp/$TOKEN.XXXX")

. "$E2E/lib_tap.sh"
. "$E2E/lib_net.sh"
. "$E2E/lib_bird.sh"
. "$E2E/lib_ward.sh"
. "$E2E/lib_plane.sh"
trap lab_down EXIT
trap 'exit 1' INT TERM
