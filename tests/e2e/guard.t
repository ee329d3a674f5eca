#!/bin/bash
# Issue 2, 7: no cleartext TCP port 179 leaves or enters a protected router:
# before the first SA, at start, stop, kill -9, restart, reload and after
# `bgpward down`. By capture, not by trust.
. "$(dirname "$0")/lib.sh"

no_clear() {	# DESCRIPTION: of the capture so far, from and to everybody
	capture_stop clear
	is "$(clear_frames clear)" 0 "no TCP port 179 in clear: $1"
	capture_start clear 'tcp port 179'
}

rises() { [ "$(drops a b "$1" cleartext_in)" -gt "$2" ]; }
half_open() { in_ns a ss -Htan state syn-recv '( sport = :179 )' | wc -l; }
state_not() { ! bird_is a b4 Established; }

# systemd is told READY=1 when the guard stands, not before.
ready_after_guard() {
	in_ns a /usr/bin/python3 "$E2E/notify_wait.py" "$WORK/a/notify" \
		ip xfrm policy list src "$(addr a 4)/32" dir out \
		> "$WORK/a/ready.out" 2>&1 &
	local waiter=$!
	until_ok 20 test -S "$WORK/a/notify" || return
	NOTIFY_SOCKET=$WORK/a/notify ward_start a
	wait $waiter && grep -q 'dport 179' "$WORK/a/ready.out"
}

lab_up
ward_pair a b

# Before the first SA: b knows nothing of bgpward and speaks in clear.
capture_start clear 'tcp port 179'
ok 'READY=1 comes when the SPD entries are there' ready_after_guard
bird_start a b
bird_start b a
ok 'the capture sees b in clear: it would see a too' \
	until_ok 20 seen clear "src host $(addr b 4)"
ok 'in both families' until_ok 20 seen clear "src host $(addr b 6)"
for family in 4 6; do
	ok "what comes in is dropped as cleartext_in, IPv$family" \
		until_ok 20 rises $family 1
done
is "$(half_open)" 0 'no half-open connection'
capture_stop clear
is "$(frames clear "src host $(addr a 4) or src host $(addr a 6)")" 0 \
	'nothing leaves a in clear before the first SA'

# From here on b is protected too: nothing at all may be in clear.
ward_start b
capture_start clear 'tcp port 179'
ok 'pairs a-b are protected' pair_wait a b
bgp_up a b
no_clear 'daemon start and first SAs'

since=$(bird_changes a b4)
ward_stop a
bgp_lives a b 'while the daemon is stopped'
no_clear 'SIGTERM'
ward_start a
ok 'protected again' pair_wait a b
no_clear 'start over living SAs'
ward_kill9 a
bgp_lives a b 'while the daemon is dead'
no_clear 'kill -9'
ward_start a
ok 'protected again' pair_wait a b
no_clear 'start after kill -9'
ward_reload a
until_ok 20 ward_answers a
ok 'protected after reload' pair_wait a b
no_clear 'reload'
is "$(bird_changes a b4)" "$since" 'and BGP never flapped'

ok 'bgpward down' ward_cli a down as64501
ok 'the pair is down' pair_wait a b down
ok 'BGP ends by its hold timer' until_ok 60 state_not
no_clear 'bgpward down'
ok 'bgpward up' ward_cli a up as64501
ok 'protected again' pair_wait a b
bgp_up a b
no_clear 'bgpward up'

# SAs that run out, or are flushed, with no daemon to make new ones
ward_kill9 a
ward_kill9 b
for r in a b; do
	flush_sas $r
done
ok 'without SAs BGP ends by its hold timer' until_ok 60 state_not
no_clear 'SAs flushed while both daemons are dead'
capture_stop clear

# --release is the way out, and the control of all of the above
ward_start a --release
ward_start b --release
ok 'protected again' pair_wait a b
ward_stop a
ward_stop b
capture_start clear 'tcp port 179'
ok 'after --release BGP is in clear' until_ok 60 seen clear 'tcp port 179'
ok 'and Established' bird_wait a b4
is "$(grep -c 'is released (--release)' "$WORK/a/ward.log")" 2 \
	'which the log says of both pairs'
is "$(ip -n "$TOKEN"a xfrm policy | grep -c 'port 179')" 0 \
	'no SPD entry is left'
done_testing
