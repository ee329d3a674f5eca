#!/bin/bash
# With esp4_offload and esp6_offload loaded, and GRO, the kernel hands the
# decapsulated packet back through the device: tc ingress sees TCP port 179 in
# clear. The classifier must know it for what it is: when the modules come
# under a living session, under load, and after a takeover.
# lab: alone
. "$(dirname "$0")/lib.sh"
kernel_only "esp4_offload is the kernel's ESP"
export ROUTES=20000
MODULES='esp4_offload esp6_offload'

loaded() { grep -q '^esp4_offload ' /proc/modules; }
# shellcheck disable=SC2086 # words
load() { modprobe -a $MODULES; }
# SAs hold the modules until their network namespace is gone.
# shellcheck disable=SC2086
unload() { rmmod $MODULES; }
rises() { [ "$(drops a b 4 cleartext_in)" -gt "$1" ]; }

lab_up
if ! modprobe -n -a esp4_offload esp6_offload 2>/dev/null; then
	skip 'this kernel has no module esp4_offload'
	done_testing
	exit
fi
for r in a b; do
	in_ns $r ethtool -K eth0 gro on tso on gso on || bail_out ethtool
done
if loaded; then
	diag 'esp4_offload was loaded before: not tested without it'
else
	lab_after() { until_ok 30 unload; }
fi

capture_start wire 'tcp port 179 or ip proto 50 or ip6 proto 50'
protect a b
bird_start a b
bird_start b a
bgp_up a b
ok 'a has all routes of b' until_ok 60 imported_at_least a b4 $ROUTES
changes=$(bird_changes a b4)
ok 'the modules are loaded under the session' load
bgp_lives a b 'with the modules'
is "$(bird_changes a b4)" "$changes" 'no flap'

# SAs made after that are bound to the modules.
ward_kill9 a
ward_start a
ok 'protected after a takeover' pair_wait a b
bgp_lives a b 'with SAs of the modules'
is "$(bird_changes a b4)" "$changes" 'no flap'
bird_stop b
bird_start b a
bgp_up a b
ok 'a has all routes of b again' until_ok 60 imported_at_least a b4 $ROUTES
ok 'b has all routes of a' until_ok 60 imported_at_least b a4 $ROUTES

capture_stop wire
is "$(clear_frames wire)" 0 'no TCP port 179 in clear on the wire'
is "$(/usr/bin/python3 "$E2E/esp_mode.py" "$WORK/wire.pcap" \
	"$(addr b 4)" "$(addr a 4)")" 'icv16 marker port179 transport' \
	'transport mode, NULL, 16 bytes of ICV'
# What is really in clear must still be told from it.
before=$(drops a b 4 cleartext_in)
attack wire tcp "$(addr b 4)" "$(addr a 4)" 40000 179 br0 "$(mac_of a)"
ok 'cleartext from the wire is dropped' until_ok 10 rises "$before"
is "$(drops b a 4 cleartext_in)" 0 'nothing else was'
done_testing
