#!/bin/bash
# Issue 2, 8: BIRD on both sides, over SAs between bgpwardd and strongSwan, with
# certificates that `bgpward init` made.
. "$(dirname "$0")/lib.sh"

use_swan() {	# ROUTER OTHER
	swan_setup "$1"
	swan_credentials "$1"
	swan_trust "$1" "$(ward_dir "$2")/ca.crt"
}

# bgp_through WARD SWAN: BGP between them lives, and is in ESP
bgp_through() {
	ok 'strongSwan holds both Child SAs of both families' \
		until_ok 20 swan_has_all "$2"
	capture_start clear 'tcp port 179'
	bird_start "$1" "$2"
	bird_start "$2" "$1"
	bgp_up "$1" "$2"
	bgp_lives "$1" "$2"
	capture_stop clear
	is "$(clear_frames clear)" 0 'no TCP port 179 in clear'
	bird_stop "$1"
	bird_stop "$2"
}

role_is() {	# WARD SWAN ROLE
	local family
	for family in 4 6; do
		is "$(pair_get "$1" "$2" $family .ike.role)" "$3" \
			"bgpwardd is $3, IPv$family"
		like "$(pair_get "$1" "$2" $family .ike.encr)" AES_GCM_16 \
			"IKE SA with AES-GCM, IPv$family"
	done
}

lab_up
ward_pair a b

name=${BGP_CASE:-BIRD on both sides}

# strongSwan in b answers
begin "$name" bgpward
use_swan b a
swan_start b a none
ward_start a
ok 'strongSwan answers: the pairs are protected' pair_wait a b
role_is a b initiator
bgp_through a b
remember 'Established, no flap'
ok 'bgpward down' ward_cli a down as64501
ok 'strongSwan deletes its SAs' until_ok 20 swan_has b 0
swan_stop b
end

# both begin, and meet
begin "$name, both begin at once" both
ward_cli a up as64501
swan_start b a start
ok 'both begin: the pairs are protected' pair_wait a b
bgp_through a b
remember 'Established, no flap'
swan_stop b
end
ip -n "$TOKEN"b xfrm state flush
ip -n "$TOKEN"b xfrm policy flush
# The two change places: nothing of bgpwardd is to be left in a.
ward_stop a
ward_start a --release
ok 'bgpwardd --release leaves a' ward_stop a
is "$(ip -n "$TOKEN"a xfrm policy; ip -n "$TOKEN"a rule show | grep 'sport\|dport')" \
	'' 'no SPD entry and no rule is left'

# strongSwan in a begins
begin "$name" strongSwan
only_begins a
use_swan a b
ward_start b
swan_start a b start
ok 'strongSwan begins: the pairs are protected' pair_wait b a
role_is b a responder
bgp_through b a
remember 'Established, no flap'
end
done_testing
