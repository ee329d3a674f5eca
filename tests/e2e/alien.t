#!/bin/bash
# Another program's SAs, SPD entries, tc filters, routing rules and TUN devices
# on the same router are never touched: not by a start, a takeover, a stop or
# --release, nor when something of ours is put back.
. "$(dirname "$0")/lib.sh"

KEY=0x$(printf '%064d' 1)

alien_state() {	# SOURCE DESTINATION SPI
	ip -n "$TOKEN"a xfrm state add src "$1" dst "$2" proto esp spi "$3" \
		reqid 42 mode transport enc 'ecb(cipher_null)' '' \
		auth-trunc 'hmac(sha256)' "$KEY" 128
}

aliens() {
	user_plane || ip -n "$TOKEN"a xfrm state list reqid 42 |
		grep -E '^src|proto esp'
	ip -n "$TOKEN"a xfrm policy list | grep -A 3 'proto udp dport 9999'
	ip -n "$TOKEN"a xfrm policy list | grep -A 3 'proto tcp dport 22'
	in_ns a tc filter show dev eth0 ingress pref 7
	ip -n "$TOKEN"a rule show | grep -E 'lookup (100|42)'
	ip -n "$TOKEN"a route show table 42
	ip -n "$TOKEN"a -o link show tun9 | cut -d: -f1-2
}
changed_and_back() {	# an SPD entry of ours, and none of theirs
	ip -n "$TOKEN"a xfrm policy del src 192.0.2.1 dst 192.0.2.2 proto tcp \
		dport 179 dir out &&
		until_ok 10 eval '[ "$(policies_between a b 4 out)" = 4 ]'
}

lab_up
if ! user_plane; then	# where the kernel has ESP, others use it
	alien_state 192.0.2.1 192.0.2.2 0x4201
	alien_state 192.0.2.2 192.0.2.1 0x4202
	alien_state 10.99.0.1 10.99.0.3 0x4203
fi
ip -n "$TOKEN"a xfrm policy add src 192.0.2.1 dst 192.0.2.2 proto udp \
	dport 9999 dir out tmpl src 192.0.2.1 dst 192.0.2.2 proto esp \
	mode transport reqid 42
ip -n "$TOKEN"a xfrm policy add src 192.0.2.1 dst 192.0.2.2 proto tcp \
	dport 22 dir out action allow
in_ns a tc qdisc add dev eth0 clsact
in_ns a tc filter add dev eth0 ingress pref 7 protocol ip u32 \
	match ip dport 9999 0xffff flowid 1:1
ip -n "$TOKEN"a rule add pref 1 from 192.0.2.1 ipproto udp lookup 42
ip -n "$TOKEN"a rule add pref 100 lookup 100
ip -n "$TOKEN"a route add 192.0.2.2/32 via 10.99.0.2 table 42
ip -n "$TOKEN"a tuntap add dev tun9 mode tun
before=$(aliens)
user_plane || like "$before" '0x00004203' 'the aliens are there'
like "$before" 'lookup 42' 'and the rule'
like "$before" 'tun9' 'and the device'
like "$before" 'u32' 'and the filter'

protect a b
is "$(aliens)" "$before" 'untouched after the start'
ok 'an SPD entry of ours is put back' changed_and_back
is "$(aliens)" "$before" 'untouched then'
ok 'protected' pair_wait a b
ward_stop a
ward_start a --release
ok 'protected again' pair_wait a b
is "$(aliens)" "$before" 'untouched after the takeover'
ward_stop a
is "$(aliens)" "$before" 'untouched after --release'
if user_plane; then
	is "$(ip -n "$TOKEN"a rule show | grep -c 1790)" 0 \
		'our own rules are gone'
	not_ok 'and our own device' ip -n "$TOKEN"a link show bgpward0
	is "$(plane_pid a)" '' 'and the plane process'
else
	is "$(ip -n "$TOKEN"a xfrm state list | grep -c '^src')" 3 \
		'our own SAs are gone'
fi
is "$(ip -n "$TOKEN"a xfrm policy list | grep -c 'port 179')" 0 \
	'and our own SPD entries'
is "$(in_ns a tc filter show dev eth0 ingress | grep -c bpf)" 0 \
	'and our own filter'
done_testing
