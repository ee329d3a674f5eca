#!/bin/bash
# Neighbours whose turn has not come stay in clear: by others = allow, or by a
# peer section with mode = off while strangers are blocked.
. "$(dirname "$0")/lib.sh"

lab_up
ward_pair a b
ward_option a others allow
ward_start a
ward_start b
ok 'pairs a-b are protected' pair_wait a b
capture_start wire
bird_start a b c
bird_start b a
bird_start c a
bgp_up a b
bgp_up a c
capture_stop wire
ok 'BGP with c is in clear' seen wire 'tcp port 179 and host 192.0.2.3'
is "$(frames wire 'tcp port 179 and (host 192.0.2.2 or host 2001:db8::2)')" 0 \
	'BGP with b is not'
since=$(bird_changes a c4)

# mode = off: c is named, everybody else is blocked.
ward_option a others block
ward_add a 'peer as64502 { as = 64502
	addresses = { "192.0.2.3", "2001:db8::3" }
	mode = off
}'
ward_reload a
is_off() { [ "$(pair_get a c 4 .state)" = off ]; }
ok 'status shows the pair as off' until_ok 20 is_off
ip -n "$TOKEN"c addr add 192.0.2.33/32 dev lo
ip -n "$TOKEN"a route replace 192.0.2.33/32 via 10.99.0.3
is "$(attack c connect 192.0.2.33 192.0.2.1 179)" nothing \
	'an address that is not named is blocked'
capture_start wire 'tcp port 179 and host 192.0.2.3'
ok 'c goes on in clear' until_ok 30 seen wire 'tcp port 179' 3
capture_stop wire
ok 'and is Established' bird_is a c4 Established
is "$(bird_changes a c4)" "$since" 'without a flap'
bgp_lives a b

# b goes the way back, to off and to require again. Its own daemon knocks
# meanwhile: what a's timers had to do for the SAs that went is over then.
capture_start wire 'udp port 500 and src host 192.0.2.2'
ward_mode a b off
ward_reload a
ok 'a pair is off after SIGHUP' pair_wait a b off
ok 'and b knocks in vain' until_ok 30 seen wire 'udp port 500' 3
capture_stop wire
is "$(ward_get a .pid)" "${WARD[a]}" 'the daemon does not mind'
ward_mode a b require
ward_reload a
ok 'the pair is protected again after SIGHUP' pair_wait a b

# And by a restart, which finds the SPD entries of the other mode.
ward_mode a b off
ward_stop a
ward_start a
ok 'it is off after a restart' pair_wait a b off
ward_mode a b require
ward_stop a
ward_start a
ok 'and protected after the next' pair_wait a b
bgp_up a b
done_testing
