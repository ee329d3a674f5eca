#!/bin/bash
# bgpward beside others on the machine: they flush SPD, SAD, filters and rules,
# route as they please, take devices and addresses away and bring them back.
# BGP outlives each within its hold time, and is never in clear.
. "$(dirname "$0")/lib.sh"

# An emulated machine needs its time to negotiate.
HOLD=$((9 * PATIENCE))

# Before this one, keepalives come and go in both families. What has begun to
# pass again has to do so for a while.
passed() { pair_get a b "$1" '[.child[].packets_in] | add // 0'; }
passes() {	# DESCRIPTION
	local family before
	for family in 4 6; do
		before=$(passed $family)
		ok "$1: BGP passes, IPv$family" until_ok 8 rises $family "$before"
	done
}
# fresh SAs count from zero
rises() {
	local now
	now=$(passed "$1")
	[ "$now" -ge $(($2 + 3)) ] || { [ "$now" -lt "$2" ] && [ "$now" -ge 3 ]; }
}
stands() { [ "$(policies_between a b "$1" out)" = 2 ]; }
rules() { ip -n "$TOKEN"a "-$1" rule show | grep -c 'lookup 1790[01]'; }
rules_are() { [ "$(rules "$1")" = "$2" ]; }
flush_rules() {		# FAMILY
	ip -n "$TOKEN"a "-$1" rule flush
	ip -n "$TOKEN"a "-$1" rule add pref 32766 lookup main
}
led() { ip -n "$TOKEN"a "-$1" route show table 17900 | grep dev.bgpward0; }
routes_stand() {	# FAMILY: into the device, and an end in each table
	led "$1" && [ "$(for table in 17900 17901; do
		ip -n "$TOKEN"a "-$1" route show table $table
	done | grep -c ^unreachable)" = 2 ]
}
# The connection's packets are as long as eth0 takes them, not bgpward0.
sends_by_main() {
	in_ns a ss "-$1" -tni state established "( sport = 179 or dport = 179 )" |
		grep -q 'pmtu:1500 '
}
led_there() { led 4 | grep -q ' mtu 14[56]' && led 6 | grep -q ' mtu 14[56]'; }
log_says() { grep -qE -- "$1" "$WORK/a/ward.log"; }
other_pid() { [ -n "$(plane_pid a)" ] && [ "$(plane_pid a)" != "$1" ]; }

# IPv6 loses a device's addresses with the device, and routes with both.
restore_network() {
	ip -n "$TOKEN"a addr replace fd99::1/64 dev eth0 nodad
	route a b b && route a c c
}

filtered() {
	in_ns a tc filter show dev eth0 ingress | grep -q bgpward_in &&
		in_ns a tc filter show dev eth0 egress | grep -q bgpward_out
}
# all SAs of both pairs
renewed() {
	[ "$(sas_of a)" -ge 8 ] && pair_is a b 4 protected &&
		pair_is a b 6 protected
}

# disturb COMMAND...: in router a, and right behind it a reload
disturb() {
	kill -STOP "${WARD[a]}"
	in_ns a "$@"
	ward_reload a
	kill -CONT "${WARD[a]}"
}

lab_up
# eBGP that was there before: with a password (RFC 2385), with TTL security
# (RFC 5082), and Established in clear
BIRD_OPTIONS='ttl security on; password "not of our making";'
bird_start a b
bird_start b a
bgp_up a b
since4=$(bird_changes a b4) since6=$(bird_changes a b6)
protect a b
passes 'protected under a living session'
capture_start clear 'tcp port 179'

ip -n "$TOKEN"a xfrm policy flush
for family in 4 6; do
	ok "SPD flushed: the entries come back, IPv$family" \
		until_ok 10 stands $family
done
ok 'and the log says so' log_says 'changed by another program'
passes 'SPD flushed'
: > "$WORK/a/ward.log"
ward_reload a
until_ok 10 log_says reloading
passes 'after a reload'
not_ok 'a reload is no change by another program' \
	log_says 'changed by another program'

in_ns a tc filter del dev eth0 egress
ok 'a filter removed: it comes back' until_ok 10 filtered
passes 'a filter removed'
in_ns a tc qdisc del dev eth0 clsact
ok 'clsact removed: the filters come back' until_ok 10 filtered
passes 'clsact removed'
no_classifier a
ok 'its place is taken: the log says so' \
	until_ok 10 log_says 'eth0.*filter or qdisc is in the way'
in_ns a tc qdisc del dev eth0 ingress
ok 'its place is free again: the filters come back' until_ok 10 filtered

if user_plane; then
	for family in 4 6; do
		like "$(led $family)" 'mtu 1466' \
			"the route says what fits in ESP in UDP, IPv$family"
	done
	for family in 4 6; do
		flush_rules $family
		ok "rules flushed: they come back, IPv$family" \
			until_ok 10 rules_are $family 4
	done
	passes 'rules flushed'
	# What goes while something else is put right: meanwhile the daemon waits
	# for the plane process, which is held.
	pid=$(plane_pid a)
	: > "$WORK/a/ward.log"
	kill -STOP "$pid"
	ip -n "$TOKEN"a xfrm policy flush
	ok 'SPD flushed once more: put right' until_ok 10 log_says 'putting them'
	flush_rules 4
	flush_rules 6
	kill -CONT "$pid"
	for family in 4 6; do
		ok "rules flushed meanwhile: they come back, IPv$family" \
			until_ok 10 rules_are $family 4
	done
	passes 'rules flushed meanwhile'
	for family in 4 6; do
		ip -n "$TOKEN"a "-$family" route flush table 17900
		ip -n "$TOKEN"a "-$family" route flush table 17901
		ok "routes flushed: they come back, IPv$family" \
			until_ok 10 routes_stand $family
	done
	passes 'routes flushed'
	# A connection that has found another way meanwhile is led back: in IPv6
	# its socket keeps a route for as long as that one stands.
	kill -STOP "${WARD[a]}"
	for family in 4 6; do
		for table in 17900 17901; do
			ip -n "$TOKEN"a "-$family" route flush table $table
		done
		ok "routes flushed, the daemon held: another way, IPv$family" \
			until_ok 10 sends_by_main $family
	done
	kill -CONT "${WARD[a]}"
	passes 'routes flushed, the daemon held'
	ip -n "$TOKEN"a link set bgpward0 down
	ok 'the device is taken down: it is led there again' \
		until_ok 10 led_there
	passes 'device down'
	pid=$(plane_pid a)
	ip -n "$TOKEN"a link del bgpward0
	ok 'the device is removed: another plane process' \
		until_ok 10 other_pid "$pid"
	ok 'and protected again' pair_wait a b
	passes 'device removed'
else
	ip -n "$TOKEN"a xfrm state flush
	ok 'SAD flushed: protected again' until_ok 20 renewed
	passes 'SAD flushed'
fi

# Somebody's policy routing, before ours if it can
ip -n "$TOKEN"a route add default via 10.99.0.3 table 100
ip -n "$TOKEN"a -6 route add default via fd99::3 table 100
ip -n "$TOKEN"a route add 192.0.2.2/32 via 10.99.0.2 table 100
ip -n "$TOKEN"a -6 route add 2001:db8::2/128 via fd99::2 table 100
for family in 4 6; do
	ip -n "$TOKEN"a "-$family" rule add pref 100 from all lookup 100
done
passes 'another routing table'
for family in 4 6; do
	ip -n "$TOKEN"a "-$family" rule del pref 100
done

ip -n "$TOKEN"a link set eth0 down
ip -n "$TOKEN"a link set eth0 up
restore_network
passes 'the interface was down'
ip -n "$TOKEN"a addr del 192.0.2.1/32 dev lo
ip -n "$TOKEN"a addr del 2001:db8::1/128 dev lo
ip -n "$TOKEN"a addr add 192.0.2.1/32 dev lo
ip -n "$TOKEN"a addr add 2001:db8::1/128 dev lo nodad
restore_network
passes 'the loopback address was away'

bgp_lives a b 'BGP'
is "$(bird_changes a b4)" "$since4" 'no flap in all of this, IPv4'
is "$(bird_changes a b6)" "$since6" 'no flap in all of this, IPv6'

# A reload right behind it does not cover it up. (It takes its time where the
# machine is slow: whether BGP flaps is not looked at.)
ward_add a 'nonsense = 1'
disturb ip xfrm policy flush
for family in 4 6; do
	ok "SPD flushed before a reload that fails: they come back, IPv$family" \
		until_ok 20 stands $family
done
sed -i '/^nonsense/d' "$(ward_dir a)/bgpward.conf"
if ! user_plane; then
	disturb ip xfrm state flush
	ok 'SAD flushed before a reload: protected again' until_ok 20 renewed
fi
bgp_up a b
passes 'after all of it'
capture_stop clear
is "$(clear_frames clear)" 0 'and no TCP port 179 in clear'

# Reverse path filtering comes on: what is there passes, and what comes anew.
in_ns a sysctl -qw net.ipv4.conf.all.rp_filter=1
for who in a b; do
	bird_stop $who
done
bird_start a b
bird_start b a
bgp_up a b

# The path becomes narrower while packets are full.
ROUTES=${ROUTES:-10000}
bird_stop b
for r in a b; do
	ip -n "$TOKEN$r" link set eth0 mtu 1300
done
ROUTES=$ROUTES bird_start b a
bgp_up a b
ok 'a narrower interface: all routes arrive' \
	until_ok 60 imported_at_least a b4 "$ROUTES"
user_plane || { done_testing; exit; }

# The device's name is taken.
ward_stop a
plane_kill9 a
ip -n "$TOKEN"a link del bgpward0
ip -n "$TOKEN"a link add bgpward0 type bridge
: > "$WORK/a/ward.log"
ward_run a
exit_status "${WARD[a]}"
is $? 1 'another device has the name: the daemon ends with status 1'
ok 'and names it' log_says 'another device has that name'
ip -n "$TOKEN"a link del bgpward0
ward_start a
ok 'without it: protected' pair_wait a b
done_testing
