#!/bin/bash
# Issue 3: the plane process may die, its device may go, the classifier may be
# taken off by hand: never is BGP in clear, and the pair is back at once.
. "$(dirname "$0")/lib.sh"
user_only 'the kernel does not die'

half_open() { in_ns a ss -Htan state syn-recv '( sport = :179 )' | wc -l; }
heard() {	# ROUTER OTHER FAMILY: under fresh SAs, which count from zero
	[ "$(pair_get "$1" "$2" "$3" '[.child[].packets_in // 0] | add')" -gt 0 ]
}
goes_on() {
	until_ok 9 heard a b 4 && until_ok 9 heard b a 4 &&
		until_ok 9 heard a b 6 && until_ok 9 heard b a 6
}
changed() { [ "$(pair_spis a b 4)" != "$1" ] && pair_is a b 4 protected; }
rises() { [ "$(xfrm_stat a "$1")" -gt "$2" ]; }
state_not() { ! bird_is a b4 Established && ! bird_is a b6 Established; }
log_says() { grep -qE -- "$1" "$WORK/a/ward.log"; }
says_so_again() { [ "$(grep -c 'start again' "$WORK/a/ward.log")" -gt 1 ]; }
# One that ends right after it was started is not started again at once.
settled() { [ "$(pair_get a b 4 .ike.age)" -ge 2 ]; }
ours() {		# SPD entries for BGP and rules at a
	echo "$(ip -n "$TOKEN"a xfrm policy | grep -c 'port 179')" \
		"$( { ip -n "$TOKEN"a rule; ip -n "$TOKEN"a -6 rule; } |
			grep -c 1790)"
}
closed() { [ "$(ours)" = "$all_of_ours" ]; }
# The plane process is killed, and its device's name taken by another.
lose_the_name() {
	kill -STOP "${WARD[a]}"
	plane_kill9 a
	ip -n "$TOKEN"a link del bgpward0
	ip -n "$TOKEN"a link add bgpward0 type bridge
	: > "$WORK/a/ward.log"
	kill -CONT "${WARD[a]}"
}
uptime_ms() { awk '{ print int($1 * 1000) }' /proc/uptime; }

lab_up
protect a b
capture_start clear 'tcp port 179'
bird_start a b
bird_start b a
bgp_up a b
is "$(pair_get a b 4 .plane)" user 'status names the plane'
all_of_ours=$(ours)
like "$(in_ns a "$BUILD/bgpward" check -c "$(ward_dir a)/bgpward.conf")" \
	'plane user: the configuration says so' 'check says which plane, and why'
since4=$(bird_changes a b4) since6=$(bird_changes a b6)

# The plane process dies: closed, and back with fresh SAs, within a second. The
# machine is not ours alone, and what is measured has a poll of ours in it: so
# the quickest counts, of as many as it takes, up to a dozen.
quickest=999999
for router in a b a b a b a b a b a b; do
	spis=$(pair_spis a b 4)
	began=$(uptime_ms)
	ok "the plane process of $router is killed" plane_kill9 $router
	ok 'protected again, under fresh SAs' until_ok 10 changed "$spis"
	took=$(($(uptime_ms) - began))
	diag "after $took ms"
	[ $took -ge $quickest ] || quickest=$took
	ok 'in both families' pair_wait a b
	# else a slow machine has BGP wait through one death after the other
	ok 'BGP goes on' goes_on
	[ $router = a ] || [ $quickest -ge 1000 ] || break
done
ok 'back within a second' [ $quickest -lt $((1000 * PATIENCE)) ]
bgp_lives a b 'after the planes died'

# The classifier goes: routing and the SPD keep the pair closed.
no_classifier a
no_classifier b
bgp_lives a b 'without the classifier'
for family in 4 6; do
	before=$(xfrm_stat a XfrmInPolBlock)
	attack wire tcp "$(addr b $family)" "$(addr a $family)" 40000 179 br0 \
		"$(mac_of a)"
	ok "cleartext that comes in is blocked by the SPD, IPv$family" \
		until_ok 10 rises XfrmInPolBlock "$before"
done
is "$(half_open)" 0 'no half-open connection'
is "$(bird_changes a b4)" "$since4" 'no flap in all of this, IPv4'
is "$(bird_changes a b6)" "$since6" 'no flap in all of this, IPv6'
capture_stop clear
# what was injected is the only thing in clear
is "$(frames clear 'tcp port 179 and not tcp port 40000')" 0 \
	'and nothing in clear'

# Now all but routing and the SPD: no daemon, no process, no device.
capture_start clear 'tcp port 179'
ward_kill9 a
ward_kill9 b
for router in a b; do
	plane_kill9 $router
	ip -n "$TOKEN$router" link del bgpward0
done
ok 'BGP ends by its hold timer' until_ok 60 state_not
is "$(in_ns a /usr/bin/python3 "$E2E/attack_connect.py" 192.0.2.1 192.0.2.2 \
	179)" nothing 'a connection is not even begun'
capture_stop clear
is "$(clear_frames clear)" 0 'no TCP port 179 in clear without a device'

ward_start a
ward_start b
ok 'protected after the start' pair_wait a b
bgp_up a b

# The process stands still, and the daemon gives it up; then it goes on.
: > "$WORK/a/ward.log"
pid=$(plane_pid a)
kill -STOP "$pid"
ward_cli a status > /dev/null 2>&1
ok 'the plane process stands still: the log says so' \
	until_ok 30 log_says 'does not start again.*timed out'
# between two attempts, which take their time
ok 'so does status' until_ok 40 refused_for a b 4 plane_dead '.*timed out'
ok 'and does not call it protected' until_ok 40 pair_is a b 4 connecting
ip -n "$TOKEN"a xfrm policy flush
for family in 4 6; do
	ip -n "$TOKEN"a "-$family" rule flush table 17900
	ip -n "$TOKEN"a "-$family" rule flush table 17901
done
ok 'what closes the pair comes back all the same' until_ok 30 closed ||
	diag "$(ours), not $all_of_ours"
kill -CONT "$pid"
ok 'it goes on: it is used again' until_ok 60 log_says 'started again'
ok 'in both families' pair_wait a b
bgp_up a b

# The device's name is taken, and then free again.
until_ok 10 settled
lose_the_name
ok 'another device has the name: the log names it' \
	until_ok 10 log_says 'does not start again.*another device has that name'
not_ok 'and does so once' until_ok 3 says_so_again || diag "$(cat "$WORK/a/ward.log")"
ip -n "$TOKEN"a link del bgpward0
ok 'without it: protected' pair_wait a b
bgp_up a b

# It is killed as soon as it is there: there are pauses, longer each time.
kill_at_once() {	# SECONDS
	local end=$((SECONDS + $1))
	while [ $SECONDS -lt $end ]; do
		until_ok 1 plane_kill9 a > /dev/null
	done
}
until_ok 10 settled
: > "$WORK/a/ward.log"
kill_at_once 5
starts=$(grep -c 'started again' "$WORK/a/ward.log")
more "$starts" 1 'the plane process ends at once: it is started again'
more 9 "$starts" 'but not all the time'
ok 'and the log says so' log_says 'does not start again: it ends at once'
ok 'left alone: protected' pair_wait a b
bgp_up a b

# Without a plane process, and none to be had, there is a way out.
until_ok 10 settled
lose_the_name
until_ok 10 log_says 'another device has that name'
ward_mode a b off
ward_reload a
ok 'no plane process to be had: off' pair_wait a b off
ok 'and in clear, the log says' log_says 'is in clear from now on \(mode = off\)'
is "$(ours | cut -d ' ' -f 2)" 0 'and nothing leads into the device'
ward_mode a b require
ward_reload a
ok 'required again: refused, and why' until_ok 20 log_says \
	'192.0.2.1 and 192.0.2.2: .*another device has that name'
ip -n "$TOKEN"a link del bgpward0
ward_reload a
ok 'without it: protected' pair_wait a b
ward_stop a
ward_start a --release
ok 'protected after the start' pair_wait a b
lose_the_name
until_ok 10 log_says 'another device has that name'
ok '--release without a plane process' ward_stop a
is "$(ours)" '0 0' 'nothing is left'
ok "and the other's device is there" ip -n "$TOKEN"a link show bgpward0
done_testing
