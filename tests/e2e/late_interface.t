#!/bin/bash
# Interfaces that appear after the daemon has started get the classifier too,
# and VLAN tags do not hide a packet from it.
. "$(dirname "$0")/lib.sh"

classified() { in_ns a tc filter show dev "$1" "$2" | grep -q bpf; }
rises() { [ "$(drops a b "$1" cleartext_in)" -gt "$2" ]; }

lab_up
protect a b
for direction in ingress egress; do
	ok "eth0 has the classifier, $direction" classified eth0 $direction
done
not_ok 'lo has not' classified lo ingress

ip -n "$TOKEN"a link add late type veth peer name late-wire netns "$TOKEN"wire
ip -n "$TOKEN"a link set dev late up
ip -n "$TOKEN"wire link set dev late-wire up
for direction in ingress egress; do
	ok "a new interface gets the classifier, $direction" \
		until_ok 20 classified late $direction
done
for family in 4 6; do
	before=$(drops a b $family cleartext_in)
	attack wire tcp "$(addr b $family)" "$(addr a $family)" 40000 179 \
		late-wire "$(mac_of a late)"
	ok "cleartext on it is dropped, IPv$family" \
		until_ok 10 rises $family "$before"
	before=$(drops a b $family cleartext_in)
	attack wire tcp "$(addr b $family)" "$(addr a $family)" 40000 179 \
		late-wire "$(mac_of a late)" 7
	ok "with a VLAN tag too, IPv$family" until_ok 10 rises $family "$before"
done
ip -n "$TOKEN"a link del late
ip -n "$TOKEN"a link add late type veth peer name late-wire netns "$TOKEN"wire
ok 'one of the same name, later, too' until_ok 20 classified late ingress
ward_stop a
ok 'the classifier stays when the daemon ends' classified eth0 ingress
done_testing
