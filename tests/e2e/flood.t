#!/bin/bash
# Issue 4: a flood of first messages with forged sources, a stranger's and peer
# a's, keeps neither peer c nor, with cookies, a from connecting to b, and cuts
# nothing that is up.
. "$(dirname "$0")/lib.sh"
user_only 'what it shows does not depend on the plane'

RATE=200
STRANGER4=198.51.100.7 STRANGER6=2001:db8:ffff::7

# From c's namespace, which is as good as any. Far more than the scenario
# takes; it is ended before.
flood_start() {
	local family=$1 stranger=$2
	ip netns exec "$TOKEN"c /usr/bin/python3 "$E2E/attack_flood.py" \
		"$(addr b "$family")" 60000 $RATE "$stranger" \
		"$(addr a "$family")" > "$WORK/flood$family.log" 2>&1 &
	FLOOD+=($!)
}

floods() {
	local pid
	for pid in "${FLOOD[@]}"; do
		! ended "$pid" || return
	done
}

flood_stop() {
	local pid
	for pid in "${FLOOD[@]}"; do
		{ kill "$pid"; wait "$pid"; } 2>/dev/null
	done
}

strangers() { local_drops b "$1" stranger_ike; }
cookies() { pair_get b a "$1" '.ike_drops.cookie_wanted // 0'; }
passes() { [ "$("$1" "$2")" -gt "$3" ]; }	# WHAT FAMILY NUMBER

lab_up
ward_pair a b
ward_pair b c
FLOOD=()
ward_start b
flood_start 4 $STRANGER4
flood_start 6 $STRANGER6

# Before anybody else is there: b is busy with forged handshakes.
for family in 4 6; do
	ok "the stranger is turned away at the classifier, IPv$family" \
		until_ok 60 passes strangers $family 100
	ok "whoever says to be a is asked for a cookie, IPv$family" \
		until_ok 60 passes cookies $family 100
done

ward_start c
ok 'peer c connects' pair_wait b c
ward_start a
ok 'peer a connects' pair_wait b a
ok 'in the middle of the flood' floods
bird_start b a c
bird_start a b
bird_start c b
bgp_up b a
bgp_up b c
since=$(bird_changes b a4)$(bird_changes b c4)

# What is up takes no notice of it.
for family in 4 6; do
	before=$(strangers $family) cookies=$(cookies $family)
	ok "it goes on, IPv$family" until_ok 60 passes strangers $family \
		$((before + 300))
	ok "and cookies are still asked for, IPv$family" \
		until_ok 60 passes cookies $family "$cookies"
done
ok 'the flood has not ended' floods
flood_stop
ok 'a and b are protected' pair_wait b a
ok 'b and c are protected' pair_wait b c
is "$(bird_changes b a4)$(bird_changes b c4)" "$since" 'no session flapped'
done_testing
