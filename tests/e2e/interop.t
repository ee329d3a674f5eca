#!/bin/bash
# Issue 3: the two planes understand each other: the kernel's ESP at a, ours
# at b, in both families, with a table that fills packets both ways.
. "$(dirname "$0")/lib.sh"
kernel_only 'one side is the kernel'

PLANE_OF[a]=kernel
PLANE_OF[b]=user

lab_up
protect a b
is "$(pair_get a b 4 .plane)" kernel 'a has the kernel carry it'
is "$(pair_get b a 4 .plane)" user 'b carries it itself'
capture_start clear 'tcp port 179'
capture_start wire "$ESP"
ROUTES=5000 bird_start a b
ROUTES=5000 bird_start b a
bgp_up a b
ok 'all routes arrive at b' until_ok 60 imported_at_least b a4 5000
ok 'all routes arrive at a' until_ok 60 imported_at_least a b4 5000
capture_stop wire
more "$(frames wire 'ip proto 50')" 9 'in bare ESP: the kernel prefers no UDP'
is "$(frames wire 'udp port 4500')" 0 'and none in UDP'
bgp_lives a b
capture_stop clear
is "$(clear_frames clear)" 0 'no TCP port 179 in clear'
for counter in XfrmInStateProtoError XfrmInStateMismatch XfrmInStateSeqError; do
	is "$(xfrm_stat a $counter)" 0 "the kernel counts no $counter"
	is "$(drops b a 4 $counter) $(drops b a 6 $counter)" '0 0' \
		"nor does the user plane"
done

# The path narrows in the middle: ICMP tells the kernel's ESP and ours, bare.
in_ns c sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
for r in a b; do
	ip -n "$TOKEN"c route replace "$(addr4 $r)/32" \
		via "10.99.0.$(number_of $r)" mtu lock 1300
	ip -n "$TOKEN"c -6 route replace "$(addr6 $r)/128" \
		via "fd99::$(number_of $r)" mtu lock 1300
	ip -n "$TOKEN$r" link set dev eth0 gso_max_segs 1
done
route a b c
route b a c
bird_stop a
bird_stop b
capture_start path "$ESP or ip[6:2] & 0x3fff != 0 or ip6 proto 44"
for r in 'a b' 'b a'; do
	# shellcheck disable=SC2086 # two words
	ROUTES=5000 ROUTES6=5000 bird_start $r
done
bgp_up a b
for r in 'a b' 'b a'; do
	read -r at from <<< "$r"
	for family in 4 6; do
		ok "a narrow path: all routes arrive at $at, IPv$family" \
			until_ok 60 imported_at_least "$at" "$from$family" 5000
		ok "what was too long for it at first, IPv$family" seen path \
			"greater 1315 and $(esp_filter "$from" "$at" $family)"
	done
done
capture_stop path
is "$(frames path 'ip[6:2] & 0x3fff != 0 or ip6 proto 44')" 0 \
	'nothing is fragmented'
done_testing
