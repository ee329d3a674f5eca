#!/bin/bash
# Issue 2, 4: a captured ESP packet sent again is dropped and counted.
. "$(dirname "$0")/lib.sh"

replayed() {
	pair_get a b "$1" '[.child[].replay_drops] | add'
}
replayed_at_least() { [ "$(replayed "$1")" -ge "$2" ]; }

lab_up
protect a b
capture_start wire "$ESP"
bird_start a b
bird_start b a
bgp_up a b
for family in 4 6; do
	ok "ten ESP packets of b are captured, IPv$family" \
		until_ok 30 seen wire "$(esp_filter b a $family)" 10
done
capture_stop wire

since4=$(bird_changes a b4) since6=$(bird_changes a b6)
for family in 4 6; do
	before=$(replayed $family)
	is "$before" 0 "no replay so far, IPv$family"
	is "$(attack wire replay "$WORK/wire.pcap" br0 "$(addr b $family)" \
		"$(addr a $family)" 10)" 10 "ten packets sent again, IPv$family"
	ok "ten replay_drops, IPv$family" \
		until_ok 10 replayed_at_least $family 10
done
more "$(xfrm_drops a b XfrmInStateSeqError)" 19 'counted as XfrmInStateSeqError too'
bgp_lives a b
is "$(bird_changes a b4)" "$since4" 'no effect on the session, IPv4'
is "$(bird_changes a b6)" "$since6" 'no effect on the session, IPv6'
done_testing
