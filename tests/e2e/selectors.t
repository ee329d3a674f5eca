#!/bin/bash
# Issue 2, 1: BGP between the loopbacks travels in ESP and in nothing else;
# everything else between the same addresses travels as before.
. "$(dirname "$0")/lib.sh"

lab_up
protect a b
capture_start wire
bird_start a b
bird_start b a
bgp_up a b
ok 'routes arrive, IPv4' until_ok 20 imported_at_least a b4 1
ok 'routes arrive, IPv6' until_ok 20 imported_at_least a b6 1

service_start a 22
for family in 4 6; do
	from=$(addr b $family) to=$(addr a $family)
	ok "ping works, IPv$family" in_ns b ping -c 1 -W 5 -I "$from" "$to"
	is "$(ask b tcp "$from" "$to" 22)" here "TCP to port 22 works, IPv$family"
	is "$(ask b udp "$from" "$to" 22)" here "UDP to port 22 works, IPv$family"
done
capture_stop wire

for family in 4 6; do
	ok "ESP from a to b on the wire, IPv$family" \
		seen wire "$(esp_filter a b $family)"
	ok "ESP from b to a on the wire, IPv$family" \
		seen wire "$(esp_filter b a $family)"
done
is "$(clear_frames wire)" 0 'no TCP port 179 in clear on the wire'
ok 'the capture sees what is in clear: TCP 22' seen wire 'ip and tcp port 22'
ok 'ping in clear, IPv4' seen wire 'icmp and host 192.0.2.2'
ok 'ping in clear, IPv6' seen wire 'icmp6 and host 2001:db8::2'
ok 'UDP in clear' seen wire 'udp port 22'

# RFC 5406 9, Selectors: exactly two entries per direction; for the user plane
# two more inbound, which block what does not come from it
for family in 4 6; do
	for direction in in out; do
		count=2
		! user_plane || [ $direction = out ] || count=4
		is "$(policies_between a b $family $direction)" $count \
			"$count SPD entries, dir $direction, IPv$family"
	done
	is "$(pair_get a b $family '.child | length')" 2 \
		"two Child SAs, IPv$family"
done
done_testing
