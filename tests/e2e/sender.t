#!/bin/bash
# Issue 2, 3: router c, a peer of a with valid SAs of its own, forges the
# address of b: inside ESP, and in IKE. Dropped and counted each time; RFC 5406
# Section 9, "Sender".
. "$(dirname "$0")/lib.sh"

# The outbound SA of c towards a, of the TCP connections that c opens: SPI, key
sa_of_c() {
	ip -n "$TOKEN"c xfrm state list src "$(addr c "$1")" \
		dst "$(addr a "$1")" | awk '
		/^src/ { spi = key = "" }
		/proto esp spi/ { spi = $4 }
		/auth-trunc/ { key = $3 }
		/ sel .*dport 179/ || /^\tsel .*dport 179/ { print spi, key; exit }'
}

half_open() { in_ns a ss -Htan state syn-recv '( sport = :179 )' | wc -l; }

# forge FAMILY SEQUENCE SOURCE_ROUTER. The user plane shows no key: there a
# packet of c's own, as it was captured, has to do.
forge() {
	local spi key
	if user_plane; then
		if [ "$3" = c ]; then
			attack c connect "$(addr c "$1")" "$(addr a "$1")" 179
		else
			attack c forge "$WORK/honest.pcap" "$(addr c "$1")" \
				"$(addr a "$1")" "$(addr "$3" "$1")"
		fi
		return
	fi
	read -r spi key <<< "$(sa_of_c "$1")"
	attack c esp "${spi%(*}" "$key" "$2" "$(addr "$3" "$1")" "$(addr a "$1")"
}

rises() { [ "$(drops a "$2" "$3" "$1")" -gt "$4" ]; }
stat_rises() { [ "$(xfrm_drops a b "$1")" -gt "$2" ]; }

lab_up
protect a b
protect a c
bird_start a b
bird_start b a
bgp_up a b
since=$(bird_changes a b4)

for family in 4 6; do
	# Control: what forges can also be honest. c's own SYN arrives.
	capture_start honest "( $(esp_filter a c $family) ) or ( $(esp_filter c a $family) )"
	forge $family 100 c
	ok "c's own address in c's SA is accepted, IPv$family" \
		until_ok 10 seen honest "$(esp_filter a c $family)"
	capture_stop honest

	before=$(drops a b $family unknown_spi)
	capture_start forged "$(esp_filter a b $family)"
	forge $family 200 b
	ok "b's address in c's SA: dropped as unknown_spi, IPv$family" \
		until_ok 10 rises unknown_spi b $family "$before"
	capture_stop forged
	is "$(half_open)" 0 "no half-open connection for it, IPv$family"
done

# The second lock: without the classifier the kernel's selectors drop it, or
# the user plane, which has no such SA between those two.
reason=XfrmInStateMismatch
! user_plane || reason=XfrmInNoStates
no_classifier a
for family in 4 6; do
	before=$(xfrm_drops a b $reason)
	if user_plane; then
		capture_start honest "$(esp_filter c a $family)"
		forge $family 250 c
		until_ok 10 seen honest "$(esp_filter c a $family)"
		capture_stop honest
	fi
	forge $family 300 b
	ok "without the classifier: $reason, IPv$family" \
		until_ok 10 stat_rises $reason "$before"
	is "$(half_open)" 0 "no half-open connection either, IPv$family"
done
is "$(bird_changes a b4)" "$since" 'the session of a and b did not flap'

# In IKE: c receives what a sends to b, has b's addresses, and negotiates with
# its own certificate, of its own CA, as if it were b.
ward_kill9 c
route a b c
for family in 4 6; do
	bits=$([ $family = 4 ] && echo 32 || echo 128)
	ip -n "$TOKEN"c addr add "$(addr b $family)/$bits" dev lo
done
ward_kill9 b
if user_plane; then
	plane_kill9 c
	ip -n "$TOKEN"c link del bgpward0
	for table in 17900 17901; do
		ip -n "$TOKEN"c rule flush table $table
		ip -n "$TOKEN"c -6 rule flush table $table
	done
fi
ip -n "$TOKEN"c xfrm state flush
ip -n "$TOKEN"c xfrm policy flush
in_ns c tc qdisc del dev eth0 clsact
rm -rf "$(ward_dir c)"
in_ns c "$BUILD/bgpward" init --as 64501 --address 192.0.2.2 \
	--address 2001:db8::2 --dir "$(ward_dir c)" > "$WORK/c/init.log" 2>&1
ward_peer c a
ip -n "$TOKEN"c route replace 192.0.2.1/32 via 10.99.0.1 src 192.0.2.2
ip -n "$TOKEN"c route replace 2001:db8::1/128 via fd99::1 src 2001:db8::2
ward_start c
for family in 4 6; do
	ok "IKE from c in the name of b is refused: untrusted_issuer, IPv$family" \
		until_ok 60 refused_for a b $family untrusted_issuer
	more "$(pair_get a b $family .failure.count)" 0 "and counted, IPv$family"
done
done_testing
