#!/bin/bash
# Each kind of SA has a lifetime of its own. With the least of both, everything
# is rekeyed every few seconds, and the session does not notice.
. "$(dirname "$0")/lib.sh"

ike_spi() { pair_get a b 4 .ike.spi_initiator; }
ike_is_new() { [ "$(ike_spi)" != "$1" ] && [ -n "$(ike_spi)" ]; }
children_are_new() {
	local now
	now=$(pair_spis a b 4)
	[ "$now" != "$1" ] && [ "$(pair_get a b 4 '.child | length')" -ge 2 ]
}

lab_up
ward_pair a b
for r in a b; do
	ward_option $r ike_lifetime 5
	ward_option $r child_lifetime 5
	ward_start $r
done
ok 'the pairs are protected' pair_wait a b
bird_start a b
bird_start b a
bgp_up a b
since=$(bird_changes a b4)
for i in 1 2 3 4 5 6; do
	spi=$(ike_spi) spis=$(pair_spis a b 4)
	ok "the IKE SA is rekeyed, $i" until_ok 30 ike_is_new "$spi"
	ok "the Child SAs are rekeyed, $i" until_ok 30 children_are_new "$spis"
done
bgp_lives a b 'through all that'
is "$(bird_changes a b4)" "$since" 'no flap'
for r in a b; do
	ward_option $r child_lifetime 3600
	ward_reload $r
done
ok 'a new lifetime, after a reload: protected' pair_wait a b
stays() {	# while the IKE SA is rekeyed twice
	local spi spis
	spis=$(pair_spis a b 4)
	for _ in 1 2; do
		spi=$(ike_spi)
		until_ok 30 ike_is_new "$spi" || return 1
	done
	[ "$(pair_spis a b 4)" = "$spis" ]
}
ok 'Child SAs outlive their IKE SA' until_ok 60 stays
is "$(bird_changes a b4)" "$since" 'no flap'
done_testing
