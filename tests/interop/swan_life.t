#!/bin/bash
# Issue 4: SAs that either side deletes or, being killed, forgets.
. "$(dirname "$0")/lib.sh"
. "$INTEROP/lib_life.sh"

interop_up

# ----------------------------------------------------------------- deleted
begin 'SAs deleted' bgpward
given
connect
spis=$(pair_spis a b 4)
ok "$CASE: down" ward_cli a down as64501
ok "$CASE: strongSwan deletes its own" until_ok 30 swan_has b 0
is "$(sas_of a)" 0 "$CASE: bgpwardd has none"
ok "$CASE: up" ward_cli a up as64501
comes_back "$spis"

begin 'SAs deleted' strongSwan
given
connect
spis=$(pair_spis a b 4)
for family in 4 6; do
	ok "$CASE: terminate, IPv$family" swan_cli b --terminate --ike a$family
done
ok "$CASE: the pairs are closed" until_ok 30 pairs_are connecting
is "$(sas_of a)" 0 "$CASE: bgpwardd has none"
begins_again
comes_back "$spis"

begin 'One Child SA deleted' strongSwan
given
connect
spis=$(pair_spis a b 4)
ok "$CASE: terminate one" swan_cli b --terminate --child active4
comes_back "$spis" 'bgpward made another'

# --------------------------------------------------------------- restarted
kill_strongswan() {
	swan_kill9 b
	ip -n "$TOKEN"b xfrm state flush
	ip -n "$TOKEN"b xfrm policy flush
	swan_run b
	swan_load b
}

begin 'strongSwan killed and started' bgpward
given "$SOON"
connect
spis=$(pair_spis a b 4)
kill_strongswan
comes_back "$spis" 'noticed by liveness'

begin 'strongSwan killed and started' strongSwan
given "$LATE"
connect
spis=$(pair_spis a b 4)
kill_strongswan
begins_again
ok "$CASE: it says INITIAL_CONTACT" \
	swan_says 'generating IKE_AUTH request .*N\(INIT_CONTACT\)'
comes_back "$spis" 'INITIAL_CONTACT heeded'

begin 'bgpwardd killed and started' bgpward
given
connect
spis=$(pair_spis a b 4)
ward_kill9 a
ward_start a
ok "$CASE: there are fresh SAs, and only those" until_ok 90 fresh "$spis"
ok "$CASE: it said INITIAL_CONTACT" swan_says 'received INITIAL_CONTACT'
unharmed
comes_back "$spis" 'INITIAL_CONTACT heeded, no connection lost'
interop_done
