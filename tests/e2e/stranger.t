#!/bin/bash
# An operator with a hundred sessions who protects one must not lose
# ninety-nine: a start or reload that would cut an established session with an
# address that no peer section names refuses, lists it and names the cures.
. "$(dirname "$0")/lib.sh"

log_says() { grep -qE "$1" "$WORK/a/ward.log"; }
refusal() {	# WHO: what the log has to hold
	local said
	said=$(cat "$WORK/a/ward.log")
	like "$said" '192\.0\.2\.1 port [0-9]+ with 192\.0\.2\.3 port' \
		"$1 lists the session, IPv4"
	like "$said" '2001:db8::1 port [0-9]+ with 2001:db8::3 port' \
		"$1 lists the session, IPv6"
	like "$said" 'would cut 2 established' "$1 counts them"
	like "$said" 'mode = off' "$1 names a cure"
	like "$said" 'others = allow' "$1 names the other cure"
}

lab_up
ward_pair a b
bird_start a b c
BIRD_OPTIONS='passive;' bird_start c a	# one connection each
bgp_up a c
since4=$(bird_changes a c4) since6=$(bird_changes a c6)

ward_run a
exit_status "${WARD[a]}"
is $? 1 'the daemon ends, with status 1'
refusal 'the start'
is "$(ip -n "$TOKEN"a xfrm policy list | grep -c 'port 179')" 0 \
	'no SPD entry was made'
is "$(in_ns a tc filter show dev eth0 ingress | grep -c bpf)" 0 \
	'no classifier was attached'

# The cure works, and a reload is held to the same.
cp "$(ward_dir a)/bgpward.conf" "$WORK/a/block.conf"
ward_option a others allow
ward_start a
ward_start b
ok 'with others = allow it starts' pair_wait a b
cp "$WORK/a/block.conf" "$(ward_dir a)/bgpward.conf"
: > "$WORK/a/ward.log"
ward_reload a
ok 'a reload that would cut the sessions is refused' \
	until_ok 20 log_says 'as it was'
refusal 'the reload'
ok 'c is still answered' eval \
	'[ "$(attack c connect 192.0.2.3 192.0.2.1 179)" = connected ]'
is "$(bird_changes a c4)" "$since4" 'the session never flapped, IPv4'
is "$(bird_changes a c6)" "$since6" 'the session never flapped, IPv6'

# A neighbour that was named, and is not any more
cat >> "$WORK/a/block.conf" <<'END'
peer as64502 { as = 64502
	addresses = { "192.0.2.3", "2001:db8::3" }
	mode = off
}
END
cp "$WORK/a/block.conf" "$(ward_dir a)/bgpward.conf"
ward_reload a
is_off() { [ "$(pair_get a c 4 .state)" = off ]; }
ok 'with a section of its own it may stay' until_ok 20 is_off
ok 'in clear, as the log says' grep -qF \
	"pair with $(addr c 4) is in clear (mode = off)" "$WORK/a/ward.log"
sed -i '/^peer as64502/,$d' "$(ward_dir a)/bgpward.conf"
: > "$WORK/a/ward.log"
ward_reload a
ok 'a reload that takes its section away is refused' \
	until_ok 20 log_says 'as it was'
refusal 'that reload'
ok 'and the pair is as it was' is_off
bgp_up a c
is "$(bird_changes a c4)" "$since4" 'the session never flapped, IPv4'
is "$(bird_changes a c6)" "$since6" 'the session never flapped, IPv6'
done_testing
