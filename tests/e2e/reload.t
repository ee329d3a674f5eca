#!/bin/bash
# SIGHUP reloads as a difference: an unchanged peer keeps its SAs; a bad
# configuration changes nothing.
. "$(dirname "$0")/lib.sh"

connects() {	# ROUTER OTHER FAMILY
	[ "$(attack "$1" connect "$(addr "$1" "$3")" "$(addr "$2" "$3")" \
		179)" = connected ]
}
complete() {	# FAMILY: the SAs of a and b stand in the SAD
	pair_is a b "$1" protected && [ "$(pair_spis a b "$1" | wc -w)" = 6 ] &&
		! pair_spis a b "$1" | grep -q null
}
connected_to() {	# ROUTER: in the eyes of the kernel of a
	in_ns a ss -Htn state established "( dst $(addr "$1" 4) or dst [$(addr "$1" 6)] )" |
		grep -q .
}
peers_are() { [ "$(ward_get a '[.pairs[].peer] | unique | join(" ")')" = "$1" ]; }

# Start a, and SIGHUP while it tells the service manager that it is ready.
started_by_hasty() {
	rm -f "$WORK/a/pid"
	/usr/bin/python3 "$E2E/notify_hasty.py" "$WORK/a/notify" \
		"$WORK/a/pid" > "$WORK/a/hasty.log" 2>&1 &
	local hasty=$!
	until_ok 20 test -S "$WORK/a/notify" || return
	: > "$WORK/a/ward.log"
	NOTIFY_SOCKET=$WORK/a/notify ward_run a
	echo "${WARD[a]}" > "$WORK/a/pid"
	wait $hasty && until_ok 30 ward_answers a && ! ended "${WARD[a]}"
}
log_says() { grep -qE "$1" "$WORK/a/ward.log"; }

lab_up
protect a b
bird_start a b c
bird_start b a
bgp_up a b
spis4=$(pair_spis a b 4) spis6=$(pair_spis a b 6)
since=$(bird_changes a b4)
cp "$(ward_dir a)/bgpward.conf" "$WORK/a/before.conf"

ward_init c
ward_peer a c
ward_peer c a
ward_start c --release
ward_reload a
ok 'a new peer is protected after SIGHUP' pair_wait a c
is "$(pair_spis a b 4)" "$spis4" 'the unchanged peer keeps its SPIs, IPv4'
is "$(pair_spis a b 6)" "$spis6" 'the unchanged peer keeps its SPIs, IPv6'
bird_start c a
bgp_up a c

cp "$(ward_dir a)/bgpward.conf" "$WORK/a/good.conf"
ward_add a 'peer broken { as = 23456 }'
ward_reload a
ok 'a bad file is reported with its line' \
	until_ok 10 log_says 'bgpward.conf:[0-9]+:.*23456'
ok 'and changes nothing' peers_are 'as64501 as64502'
not_ok 'bgpward check refuses it' in_ns a "$BUILD/bgpward" check \
	-c "$(ward_dir a)/bgpward.conf"
cp "$WORK/a/good.conf" "$(ward_dir a)/bgpward.conf"

# Removing c would cut its session: that is refused (see stranger.t).
ward_reload a
ok 'c is connected' connected_to c
bird_stop c
ok 'c is gone' until_ok 30 fails connected_to c
cp "$WORK/a/before.conf" "$(ward_dir a)/bgpward.conf"
ward_reload a
ok 'a peer that was taken out is gone from status' \
	until_ok 30 peers_are as64501
is "$(policies_between a c 4 out)" 0 'and from the SPD'
ok 'the log says what it is now' \
	log_says "^as64502: pair with $(addr c 4) is no peer's any more: blocked"
not_ok 'and not that it is closed' log_says '^as64502: .* is closed'
is "$(ip -n "$TOKEN"a xfrm state list src "$(addr c 4)" | grep -c ^src)" 0 \
	'and from the SAD'
is "$(pair_spis a b 4)" "$spis4" 'b still keeps its SPIs'
bgp_lives a b
is "$(bird_changes a b4)" "$since" 'and its session never flapped'

ward_stop a
ok 'SIGHUP in the middle of the start does not end it' started_by_hasty
ok 'and is heeded when it is over' until_ok 20 log_says 'reloading'
ok 'b is protected' pair_wait a b

# Other algorithms: SAs are renewed, and the old ones carry the session until
# then (see bgpwardd(8)).
renewed() {
	[ "$(pair_get a b 4 '[.child[].taken_over] | unique[]')" = false ] &&
		[ "$(pair_spis a b 4)" != "$1" ] && pair_is a b 4 protected
}
: > "$WORK/a/ward.log"
spis4=$(pair_spis a b 4)
sed -i '/^peer as64501 {/a\	esp = "null-sha512,null-sha256"' \
	"$(ward_dir a)/bgpward.conf"
ward_reload a
ok 'another esp of a peer renews its SAs' until_ok 60 renewed "$spis4"
not_ok 'and closes nothing' log_says 'is closed'
is "$(bird_changes a b4)" "$since" 'so that the session does not flap'

# A reload that fails half-way takes back what it has closed: c, in clear so far
ward_stop c
for file in before good; do
	sed -i 's/^others = .*/others = allow/' "$WORK/a/$file.conf"
done
cp "$WORK/a/before.conf" "$(ward_dir a)/bgpward.conf"
ward_reload a
bird_start c a
bgp_up a c
of_c=(src "$(addr a 6)" dst "$(addr c 6)" proto tcp dport 179 dir out)
ip -n "$TOKEN"a xfrm policy add "${of_c[@]}" priority 77
cp "$WORK/a/good.conf" "$(ward_dir a)/bgpward.conf"
: > "$WORK/a/ward.log"
ward_reload a
ok "a reload is refused for another program's SPD entry" \
	until_ok 20 log_says 'as it was'
like "$(cat "$WORK/a/ward.log")" \
	'2001:db8::1 and 2001:db8::3: .*ip xfrm policy' 'which the log names'
ok 'status knows nothing of c' peers_are as64501
is "$(policies_between a c 4 out)" 0 'the SPD neither'
ok 'a connection in clear is answered, IPv4' connects c a 4
ok 'and IPv6' connects c a 6
bgp_anew a c
bird_stop c
ip -n "$TOKEN"a xfrm policy del "${of_c[@]}"

# One that fails when SAs are gone already negotiates fresh ones.
ward_reload a
ok 'without the obstacle c is taken' until_ok 20 peers_are 'as64501 as64502'
: > "$WORK/a/ward.log"
ip -n "$TOKEN"a xfrm policy update "${of_c[@]}" priority 77
sed -i '/^peer /a\	mode = off' "$(ward_dir a)/bgpward.conf"
ward_reload a
ok 'a reload that opens both pairs is refused' until_ok 20 log_says 'as it was'
not_ok 'and opens none, by the log' log_says 'in clear'
ok 'b is protected, by SAs that are there, IPv4' until_ok 20 complete 4
ok 'and IPv6' until_ok 20 complete 6
bgp_lives a b
is "$(bird_changes a b4)" "$since" 'and its session never flapped in all of this'

# What becomes of those that are taken out, the log says.
cp "$WORK/a/before.conf" "$(ward_dir a)/bgpward.conf"
ward_reload a
ok 'a peer taken out while others are allowed' until_ok 20 log_says \
	"pair with $(addr c 4) is no peer's any more: in clear"
sed -i 's/, "2001:db8::[12]"//' "$(ward_dir a)/bgpward.conf"
ward_reload a
ok 'the addresses of a family taken out' until_ok 20 log_says \
	"pair with $(addr b 6) is not of a protected address any more: in clear"
ward_kill9 b
ward_kill9 a
: > "$WORK/a/ward.log"
ward_start a --release
ward_stop a
is "$(grep -oE 'is (protected|closed|released|in clear).*' "$WORK/a/ward.log")" \
	'is released (--release)' 'SAs of an earlier daemon released, no other word'
done_testing
