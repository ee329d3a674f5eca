#!/bin/bash
# Issue 4: a path that is cut, and comes back.
. "$(dirname "$0")/lib.sh"
. "$INTEROP/lib_life.sh"

given_up() {
	[ "$(ward_get a '[.pairs[].ike] | unique | tostring')" = '[null]' ]
}
wire_of_b() { ip -n "$TOKEN"wire link set dev b "$1"; }

interop_up

begin 'Path cut, then back' bgpward
given "$SOON"
connect
spis=$(pair_spis a b 4)
wire_of_b down
ok "$CASE: bgpwardd gives the IKE SAs up" until_ok 60 given_up
wire_of_b up
comes_back "$spis" 'noticed, and back'

begin 'Path cut, then back' strongSwan
given "$LATE"
SWAN_MORE='dpd_delay = 2s
		keyingtries = 0'
SWAN_CHILD_MORE='dpd_action = restart'
connect
spis=$(pair_spis a b 4)
wire_of_b down
ok "$CASE: strongSwan gives up" until_ok 60 swan_has b 0
wire_of_b up
comes_back "$spis" 'noticed, and back'
interop_done
