#!/bin/bash
# The daemon may crash, restart or be upgraded: the BGP session stays up, and
# the next start takes over without a flap.
. "$(dirname "$0")/lib.sh"

# All inbound SPIs of a, to see a takeover by new SAs
spis() { pair_spis a b 4; }
changed() { [ -n "$(spis)" ] && [ "$(spis)" != "$1" ]; }
settled() { [ "$(sas_of a)" = 8 ] && [ "$(sas_of b)" = 8 ]; }

lab_up
protect a b
bird_start a b
bird_start b a
bgp_up a b
since=$(bird_changes a b4) since6=$(bird_changes a b6)

ok 'SIGTERM: status 0' ward_stop a
user_plane || is "$(sas_of a)" 8 'the SAs stay'
bgp_lives a b 'without the daemon of a'
ward_start a
ok 'protected after the start' pair_wait a b
bgp_lives a b 'after the takeover'
ok 'no SA is left over' until_ok 60 settled

ward_kill9 a
user_plane || is "$(sas_of a)" 8 'kill -9: the SAs stay'
bgp_lives a b 'while the daemon of a is dead'
ward_start a
ok 'protected after the start' pair_wait a b
bgp_lives a b 'after the takeover'

ward_kill9 a
ward_kill9 b
bgp_lives a b 'while both daemons are dead'
ward_start a
# nobody there to negotiate with: what carries BGP is what was found
ok 'one of them starts: its pairs are protected, by the SAs it found' \
	pair_wait a b
is "$(pair_get a b 4 '[.child[].taken_over] | unique[]')" true \
	'status says so'
bgp_lives a b 'while one daemon has taken over, and one is dead'
ward_start b
ok 'protected after both are started' pair_wait a b
bgp_lives a b 'after the takeover of both'
ok 'no SA is left over' until_ok 60 settled
is "$(bird_changes a b4)" "$since" 'no flap in all of this, IPv4'
is "$(bird_changes a b6)" "$since6" 'no flap in all of this, IPv6'

# Quick restarts, as a service manager makes them, each before the SAs that the
# one before it found were to go
fresh() {	# FAMILY: negotiated by this daemon a second ago
	pair_is a b "$1" protected && [ "$(pair_get a b "$1" '.ike.age >= 1 and
		([.child[] | select(.taken_over | not)] | length) >= 2')" = true ]
}
quick_restarts() {
	local _
	for _ in {1..15}; do
		ward_kill9 a
		ward_start a
		until_ok 60 fresh 4 && until_ok 60 fresh 6 || return
	done
}
ok '15 restarts, one after the other' quick_restarts
not_ok 'no SA could not be installed' grep 'cannot install' \
	"$WORK/a/ward.log" "$WORK/b/ward.log"
bgp_lives a b 'after them'
ok 'no SA is left over' until_ok 60 settled
is "$(bird_changes a b4)" "$since" 'nor a flap, IPv4'
is "$(bird_changes a b6)" "$since6" 'nor a flap, IPv6'

# Two daemons on one machine are one too many.
in_ns a "$BUILD/bgpwardd" -c "$(ward_dir a)/bgpward.conf" \
	-s "$WORK/a/elsewhere" > "$WORK/a/second.log" 2>&1 &
second=$!
exit_status $second
is $? 1 'a second daemon ends, with status 1'
ok 'and the first one goes on' pair_is a b 4 protected

# What was taken over ends with its lifetime, should the peer stay away.
for r in a b; do
	ward_option $r child_lifetime 15
	ward_reload $r
done
short_lived() { [ "$(pair_get a b "$1" '[.child[].rekey | values] |
		max')" -lt 15 ]; }
ok 'SAs of 15 seconds, IPv4' until_ok 30 short_lived 4
ok 'and IPv6' until_ok 30 short_lived 6
ward_kill9 a
ward_kill9 b
: > "$WORK/a/ward.log"
ward_start a
ok 'nobody answers: closed when they end' pair_wait a b connecting
is "$(grep -c 'taken over' "$WORK/a/ward.log")" \
	"$(grep -c 'is closed: no SA' "$WORK/a/ward.log")" \
	'the log says so of what it had found'
done_testing
