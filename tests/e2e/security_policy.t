#!/bin/bash
# Issue 2, 5: a connection from a router that is no designated peer gets
# nothing, not even a refusal; other services of the router are not touched.
. "$(dirname "$0")/lib.sh"

rises() { [ "$(local_drops a "$1" "$2")" -gt "$3" ]; }

lab_up
protect a b
bird_start a b
bird_start b a
bgp_up a b
service_start a 22
service_start a 1790

for family in 4 6; do
	me=$(addr c $family) to=$(addr a $family)
	before=$(local_drops a $family not_a_peer)
	capture_start wire
	is "$(attack c connect "$me" "$to" 179)" nothing \
		"a stranger's connection to port 179 gets no answer, IPv$family"
	# from port 179 too: a firewall that lets it in is a known mistake
	attack c tcp "$me" "$to" 179 179
	attack c tcp "$me" "$to" 179 40000
	ok "counted as not_a_peer, IPv$family" \
		until_ok 10 rises $family not_a_peer $((before + 2))
	is "$(ask c tcp "$me" "$to" 22)" here "TCP port 22 answers, IPv$family"
	is "$(ask c udp "$me" "$to" 22)" here "UDP port 22 answers, IPv$family"
	is "$(ask c tcp "$me" "$to" 1790)" here \
		"TCP port 1790 answers, IPv$family"
	is "$(attack c connect "$me" "$to" 23)" refused \
		"a closed port is refused as before, IPv$family"
	ok "ping works, IPv$family" in_ns c ping -c 1 -W 5 -I "$me" "$to"

	before=$(local_drops a $family stranger_ike)
	attack c ike "$me" "$to" 3
	attack c ike "$me" "$to" 2 4500
	ok "IKE from a stranger is dropped: stranger_ike, IPv$family" \
		until_ok 10 rises $family stranger_ike $((before + 4))
	capture_stop wire
	ok "the capture sees the stranger's SYN, IPv$family" \
		seen wire "src host $me and tcp dst port 179"
	is "$(frames wire "src host $to and dst host $me and tcp port 179")" 0 \
		"no SYN-ACK and no RST on the wire, IPv$family"
	is "$(frames wire "src host $to and dst host $me and udp port 500")" 0 \
		"no IKE answer on the wire, IPv$family"
done

# The classifier is one lock, the SPD's block entries the other.
no_classifier a
for family in 4 6; do
	is "$(attack c connect "$(addr c $family)" "$(addr a $family)" 179)" \
		nothing "without the classifier: nothing either, IPv$family"
done
done_testing
