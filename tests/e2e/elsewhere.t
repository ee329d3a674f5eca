#!/bin/bash
# A BGP daemon knows its neighbour by the address alone. Whoever has a protected
# peer's address and comes to another address of the router, or is found from
# one, is not taken for it. What only passes through is left alone, and a session
# that the operator has on such an address is not cut unasked.
. "$(dirname "$0")/lib.sh"

elsewhere() { case $1 in 4) echo 10.99.0.1 ;; 6) echo fd99::1 ;; esac; }
log_says() { grep -qE -- "$1" "$WORK/a/ward.log"; }
entries() {	# FAMILY: SPD entries from b's address to any
	local any=0.0.0.0/0 bits=32
	[ "$1" = 4 ] || any=::/0 bits=128
	ip -n "$TOKEN"a xfrm policy | grep -c "^src $(addr b "$1")/$bits dst $any "
}
entries_are() { [ "$(entries 4) $(entries 6)" = "$1" ]; }

# to_a FAMILY and from_a FAMILY: between another address of a and b's, which
# router $b has
connects() { attack "$1" connect "$2" "$3" 179 "$deadline"; }
to_a() { connects "$b" "$(addr b "$1")" "$(elsewhere "$1")"; }
from_a() { connects a "$(elsewhere "$1")" "$(addr b "$1")"; }
all_are() {	# WHAT DESCRIPTION
	local family
	for family in 4 6; do
		is "$(to_a $family)" "$1" "$2: to a, IPv$family"
		is "$(from_a $family)" "$1" "$2: from a, IPv$family"
	done
}

# BIRD that uses whatever address the route says, as FRR does by default
bird_anywhere() {
	bird_config a 1 b | sed 's/^local [^ ]* as/local as/'
}

lab_up
ward_pair a b
ip -n "$TOKEN"a -batch - <<-EOF
	route replace $(addr b 4)/32 via 10.99.0.2
	route replace $(addr b 6)/128 via fd99::2
EOF
bird_start a b
bird_start b a
bird_anywhere > "$WORK/a/bird.conf"
bird_config b 1 a |
	sed "s/neighbor 192.0.2.1 /neighbor 10.99.0.1 /
		s/neighbor 2001:db8::1 /neighbor fd99::1 /" > "$WORK/b/bird.conf"
for r in a b; do
	bird_cli $r configure > "$WORK/$r/configure.log"
done
bgp_up a b
ward_run a
exit_status "${WARD[a]}"
is $? 1 'a session from an address that is not protected: the start is refused'
for family in 4 6; do
	ok "and says which, IPv$family" log_says "as64501: .*$(elsewhere \
		$family) port [0-9]+ with $(addr b $family) port [0-9]+: .*update-source"
done
ok 'both' log_says 'would cut 2 established'
ok 'and nothing is cut' entries_are '0 0'
bird_stop a
bird_stop b
route a b b
: > "$WORK/a/ward.log"

# From here on a only listens (it answers whoever connects), and nobody who
# speaks BGP is there.
BIRD_OPTIONS='passive;' bird_anywhere > "$WORK/a/passive.conf"
bird_start a b
cp "$WORK/a/passive.conf" "$WORK/a/bird.conf"
bird_cli a configure >> "$WORK/a/configure.log"
service_start a 1790
service_start b 179
service_start c 179
b=b deadline=$((10 * PATIENCE))
all_are connected 'before it is protected'
ward_start a
deadline=2
all_are nothing 'protected, by a neighbour without bgpward'
for family in 4 6; do
	is "$(connects c "$(addr c $family)" "$(elsewhere $family)")" connected \
		"others reach that address as before, IPv$family"
	is "$(ask b tcp "$(addr b $family)" "$(elsewhere $family)" 1790)" here \
		"and b its other ports, IPv$family"
done

# through a, between b and c
in_ns a sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
route b c a
route c b a
deadline=$((10 * PATIENCE))
for family in 4 6; do
	is "$(connects b "$(addr b $family)" "$(addr c $family)")" \
		connected "BGP of b and c passes through a, IPv$family"
	is "$(connects c "$(addr c $family)" "$(addr b $family)")" \
		connected "and of c and b, IPv$family"
done
deadline=2

# c takes b's place, on a's way to it
ip netns pids "$TOKEN"b | xargs -r kill	# what listens there
ward_start b
ok 'pairs a-b are protected' pair_wait a b
route a b c
for family in 4 6; do
	bits=$([ $family = 4 ] && echo 32 || echo 128)
	ip -n "$TOKEN"c addr add "$(addr b $family)/$bits" dev lo
done
ip -n "$TOKEN"c -batch - <<-EOF
	route replace 10.99.0.1/32 dev eth0 src $(addr b 4)
	route replace fd99::1/128 dev eth0 src $(addr b 6)
EOF
b=c
all_are nothing "protected, by somebody who has the peer's address"

ip -n "$TOKEN"a xfrm policy flush
ok 'flushed: the entries come back' until_ok 10 entries_are '2 2'
ward_mode a b off
ward_reload a
ok 'off: they are gone' until_ok 20 entries_are '0 0'
ward_mode a b require
ward_reload a
ok 'required again: they are back' until_ok 20 entries_are '2 2'
ward_stop a
ok 'and stay when the daemon ends' entries_are '2 2'
all_are nothing 'without the daemon'
ward_start a --release
ward_stop a
ok 'until it releases' entries_are '0 0'
done_testing
