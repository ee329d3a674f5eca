#!/bin/bash
# strongSwan with one Child SA for both directions of connection (TCP between
# the hosts, any port): it is narrowed, and each direction gets its own. With
# tunnel mode it is refused, and the cure named.
. "$(dirname "$0")/lib.sh"

# An emulated machine needs its time to negotiate.
HOLD=$((9 * PATIENCE))

conf() { echo "$(swan_dir b)/swanctl.conf"; }
load() { swan_cli b --load-all > "$WORK/b/load.log" 2>&1; }

# Selectors of a's states that are not those of port 179
wide() {
	ip -n "${TOKEN}a" xfrm state | grep '^	sel ' |
		grep -vcE 'sport 179( |$)|dport 179( |$)'
}
rekeyed() { [ "$(pair_spis a b 4)" != "$spis" ] && pair_is a b 4 protected; }

lab_up
ward_pair a b
swan_setup b
swan_credentials b
swan_trust b "$(ward_dir a)/ca.crt"
swan_start b a none
begin 'One Child SA for both directions of connection' bgpward
# one child is left of the two
sed -i -e '/passive. {/,/start_action/d' -e 's/dynamic\[tcp\/179\]/dynamic[tcp]/' \
	"$(conf)"
is "$(grep -c 'local_ts' "$(conf)")" 2 'strongSwan has one child per family'
ok 'its configuration is loaded' load
ward_start a
ok 'the pairs are protected' pair_wait a b
is "$(swan_children b)" 4 'two Child SAs per family there'
is "$(wide)" 0 'each with the selectors of port 179'
bird_start a b
bird_start b a
bgp_up a b
since=$(bird_changes a b4)

spis=$(pair_spis a b 4)
# whoever is first
swan_cli b --terminate --ike a4 --timeout 20 > "$WORK/b/again.log" 2>&1
swan_cli b --initiate --child active4 --timeout 20 >> "$WORK/b/again.log" 2>&1
ok 'it ends the IKE SA and begins one: protected anew' until_ok 60 rekeyed
is "$(wide)" 0 'narrowed to port 179'
spis=$(pair_spis a b 4)
ok 'it rekeys' swan_cli b --rekey --child active4
ok 'and gets that' until_ok 60 rekeyed
is "$(wide)" 0 'narrowed to port 179, too'
bgp_lives a b 'through that'
is "$(bird_changes a b4)" "$since" 'no flap'
remember 'narrowed to port 179, two Child SAs, rekeyed; BIRD without a flap'
end

begin 'Tunnel mode' bgpward
ward_stop a
sed -i 's/mode = transport/mode = tunnel/' "$(conf)"
swan_cli b --terminate --ike a4 > "$WORK/b/terminate.log" 2>&1
swan_cli b --terminate --ike a6 >> "$WORK/b/terminate.log" 2>&1
ok 'strongSwan with tunnel mode' load
ward_start a
ok 'is refused, and the cure is named' until_ok 60 refused_for a b 4 \
	no_transport_mode '.*strongSwan: mode = transport'
remember 'refused, and the cure named'
end
done_testing
