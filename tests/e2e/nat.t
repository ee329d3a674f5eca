#!/bin/bash
# Issue 4: NAT traversal (RFC 7296 2.23, RFC 3948). Router c stands between a
# and b and translates IPv4; IPv6 passes as it is.
. "$(dirname "$0")/lib.sh"

INSIDE=192.0.2.1 OUTSIDE=198.51.100.1

# Another box in c's place: the old one would remember its translations. (The
# kernel takes its time to clear a namespace away; the link must be gone.)
new_box() {
	ip -n "${TOKEN}wire" link del c
	ip netns del "${TOKEN}c"
	make_router c || bail_out 'cannot make c anew'
	in_ns c sysctl -qw net.ipv4.conf.all.send_redirects=0 \
		net.ipv4.conf.eth0.send_redirects=0 net.ipv4.ip_forward=1
	ip -n "${TOKEN}c" route replace $INSIDE/32 via 10.99.0.1
	ip -n "${TOKEN}c" route replace 192.0.2.2/32 via 10.99.0.2
	ip -n "${TOKEN}a" neigh flush all
	ip -n "${TOKEN}b" neigh flush all
}

# translate TO: what c makes of a's address in UDP. Nobody gets in to a who has
# not been asked, as behind any such box.
translate() {
	new_box
	in_ns c nft -f - <<-EOF
	table ip nat {
		chain out {
			type nat hook postrouting priority 100;
			ip saddr $INSIDE udp sport { 500, 4500 } snat to $1
		}
		chain forward {
			type filter hook forward priority 0;
			ip saddr 192.0.2.2 udp dport { 500, 4500 } ct state new drop
		}
	}
	EOF
}

start_both() {
	ward_start b
	ward_start a
	ok "$1: the pairs are protected" pair_wait a b
}

# stop_both: as if neither had ever been there
stop_both() {
	local r
	for r in a b; do
		bird_stop "$r"
		ward_kill9 "$r"
		flush_sas "$r"
	done
}

sees_udp() {
	ok "$1: ESP in UDP, there" seen wire "src host $2 and udp dst port 4500"
	ok "$1: and back" seen wire "dst host $2 and udp src port 4500"
	is "$(frames wire "ip proto 50")" 0 "$1: no bare ESP in IPv4"
	is "$(clear_frames wire)" 0 "$1: nothing in clear"
}

# The kernel's table is the machine's; bare ESP is an SA's word against the
# packet's form.
no_mismatch() {
	local r
	for r in a b; do
		is "$(xfrm_drops "$r" "$([ "$r" = a ] && echo b || echo a)" \
			XfrmInStateMismatch)" 0 "$1: no SA gets another form at $r"
	done
}

lab_up
ip -n "${TOKEN}a" route replace 192.0.2.2/32 via 10.99.0.3 src $INSIDE
ip -n "${TOKEN}b" route replace $INSIDE/32 via 10.99.0.3 src 192.0.2.2
ip -n "${TOKEN}b" route replace $OUTSIDE/32 via 10.99.0.3 src 192.0.2.2
ward_pair a b
for r in a b; do
	cp -r "$(ward_dir $r)" "$(ward_dir $r).orig"
	ward_option $r child_lifetime 40
done

diag 'c translates ports'
ok 'c translates ports' translate "$INSIDE:20000-29999"
capture_start wire
start_both ports
bird_start a b
bird_start b a
bgp_up a b
bgp_up b a
bgp_lives b a ports
spis=$(pair_spis a b 4)
rekeyed() { [ "$(pair_spis a b 4)" != "$spis" ]; }
ok 'ports: the Child SAs are rekeyed' until_ok 60 rekeyed
bgp_lives b a 'ports, after rekeying'
capture_stop wire
sees_udp ports $INSIDE
ok 'ports: b sees another one' seen wire \
	"src host $INSIDE and udp src portrange 20000-29999 and dst port 4500"
is "$(frames wire "src host 192.0.2.2 and udp dst port 4500")" \
	"$(frames wire "src host 192.0.2.2 and udp dst port 4500 and dst host $INSIDE and ether src $(in_ns c cat /sys/class/net/eth0/address)")" \
	'ports: b answers to the translated one, which only c knows'
no_mismatch ports
stop_both

diag "c translates a's address"
ok "c translates a's address" translate "$OUTSIDE"
sed -i "s/$INSIDE/$OUTSIDE/" "$(ward_dir b)/bgpward.conf"
refused() { ! in_ns b "$BUILD/bgpward" check -c "$(ward_dir b)/bgpward.conf" \
	> "$WORK/b/check.log" 2>&1; }
ok "address: a's own CA does not hold it: an error" refused
ok 'address: the cure is named' grep -q 'name what a NAT translates in inside' \
	"$WORK/b/check.log"
sed -i "/^peer as64500 {/a\\	inside = {\"$INSIDE\"}" \
	"$(ward_dir b)/bgpward.conf"
capture_start wire
ward_start b
ward_start a
outside_is() { [ "$(ward_get b ".pairs[] |
	select(.remote == \"$OUTSIDE\") | .state")" = protected ]; }
ok 'address: the pair is protected' until_ok 60 outside_is
bird_config b 1 a | sed "s/$INSIDE/$OUTSIDE/" > "$WORK/b/outside.conf"
bird_start a b
bird_start b a
cp "$WORK/b/outside.conf" "$WORK/b/bird.conf"
bird_cli b configure > "$WORK/b/configure.log"
bgp_up a b
bgp_lives a b address
capture_stop wire
sees_udp address $OUTSIDE
stop_both

diag 'no NAT, but a says always'
new_box
for r in a b; do
	rm -r "$(ward_dir $r)"
	mv "$(ward_dir $r).orig" "$(ward_dir $r)"
done
sed -i '/^peer as64501 {/a\	encapsulate = always' \
	"$(ward_dir a)/bgpward.conf"
capture_start wire
start_both always
bird_start a b
bird_start b a
bgp_up a b
bgp_lives a b always
capture_stop wire
sees_udp always $INSIDE
is "$(frames wire "ip6 proto 50")" 0 'always: no bare ESP in IPv6'
no_mismatch always
done_testing
