#!/bin/bash
# The laboratory itself, and the control experiment of every capture: without
# bgpward the routers' BGP is on the wire in clear, and the capture sees it.
WARDLESS=1
. "$(dirname "$0")/lib.sh"

lab_up
capture_start clear 'tcp port 179'
bird_start a b c
bird_start b a
bird_start c a
bgp_up a b
bgp_up a c
ok 'the capture sees BGP in clear, IPv4' until_ok 10 \
	seen clear 'ip and tcp port 179 and host 192.0.2.2'
ok 'the capture sees BGP in clear, IPv6' until_ok 10 \
	seen clear 'ip6 and tcp port 179 and host 2001:db8::2'
ok 'routes of b arrive at a' until_ok 10 imported_at_least a b4 1
capture_stop clear

is "$(attack c connect 192.0.2.3 192.0.2.1 179 $((10 * PATIENCE)))" connected \
	'a stranger reaches port 179 where nothing protects it'
before=$(bird_changes a b4)
bird_stop b
ok 'BIRD notices the end of its neighbour' until_ok 20 fails \
	bird_is a b4 Established
bird_start b a
bgp_up a b
not_ok 'a flap shows in BIRD'\''s state' [ "$(bird_changes a b4)" = "$before" ]
done_testing
