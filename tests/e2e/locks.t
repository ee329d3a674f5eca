#!/bin/bash
# Two locks, independent of each other: with the classifier taken off by hand,
# and then with SPD (and routing rules) flushed and the classifier alone, no
# cleartext BGP of a pair leaves or is accepted. Router b knows nothing of
# bgpward and speaks in clear all the while; no daemon is there to mend.
. "$(dirname "$0")/lib.sh"

half_open() { in_ns a ss -Htan state syn-recv '( sport = :179 )' | wc -l; }
from() { echo "src host $(addr "$1" "$2")"; }

# from_a FAMILY PORT SOURCE_PORT [SECONDS]: what a connection to b gets
from_a() {
	attack a connect "$(addr a "$1")" "$(addr b "$1")" "$2" "${4:-2}" "$3"
}

# closed DESCRIPTION: b tries, BIRD of a tries, and so do we, also as if b had
# opened the connection
closed() {
	local family
	bird_stop a	# who has the port
	capture_start wire 'tcp port 179'
	for family in 4 6; do
		is "$(from_a $family 179 0)" nothing \
			"$1: no connection from a, IPv$family"
		is "$(from_a $family 1790 179)" nothing \
			"$1: nor from port 179, IPv$family"
	done
	bird_start a b
	capture_stop wire
	is "$(frames wire 'src host 192.0.2.1 or src host 2001:db8::1')" 0 \
		"$1: nothing has left a in clear"
	capture_start wire 'tcp port 179'
	for family in 4 6; do
		ok "$1: b has tried, IPv$family" until_ok 20 \
			seen wire "$(from b $family)" 2
	done
	is "$(half_open)" 0 "$1: no half-open connection at a"
	capture_stop wire
	for family in 4 6; do
		is "$(frames wire "$(from a $family)")" 0 \
			"$1: nothing leaves a in clear, IPv$family"
	done
}

classified() { in_ns a tc filter show dev eth0 egress | grep -q bpf; }
no_rules() {
	local family
	user_plane || return 0
	for family in 4 6; do
		ip -n "$TOKEN"a "-$family" rule flush table 17900
		ip -n "$TOKEN"a "-$family" rule flush table 17901
	done
}
no_routes() {
	local family
	for family in 4 6; do
		ip -n "$TOKEN"a "-$family" route flush table 17900
	done
}
unlocked() { [ "$(ip -n "$TOKEN"a xfrm policy | grep -c 'port 179')" = 0 ]; }

lab_up
ward_pair a b
# the entry that blocks others would stand in for the pair's own
ward_option a others allow
ward_start a
bird_start b a
bird_start a b
service_start b 1790
closed 'both locks'

ward_kill9 a
no_classifier a
not_ok 'the classifier is off' classified
closed 'SPD and routing alone'
if user_plane; then
	no_routes
	closed 'SPD and routing alone, the routes flushed'
fi

in_ns a tc qdisc del dev eth0 ingress
ward_start a
ward_kill9 a
ok 'the classifier is on again' classified
ip -n "$TOKEN"a xfrm policy flush
no_rules
ok 'the SPD is empty' unlocked
closed 'the classifier alone'

# The control: without both it is open.
no_classifier a
capture_start wire 'tcp port 179'
bgp_up a b
for family in 4 6; do
	ok "without both locks a is in clear, IPv$family" until_ok 20 \
		seen wire "$(from a $family)" 2
done
capture_stop wire
bird_stop a
for family in 4 6; do
	is "$(from_a $family 1790 179 $((10 * PATIENCE)))" connected \
		"without both locks: from port 179, IPv$family"
done
done_testing
