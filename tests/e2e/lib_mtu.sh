# shellcheck shell=bash
# Full tables over paths of some width: what mtu.t and path_mtu.t share.

ROUTES=${ROUTES:-20000} ROUTES6=${ROUTES6:-10000}

set_mtu() {
	local r
	ip -n "$TOKEN"wire link set dev br0 mtu "$1"
	for r in a b c; do
		ip -n "$TOKEN"wire link set dev $r mtu "$1"
		# cut before the wire, so that it shows what a path would see
		ip -n "$TOKEN$r" link set dev eth0 mtu "$1" gso_max_segs 1
	done
}

longest() {	# ip|ip6: bytes of the longest packet on the path
	tcpdump -nn -e -r "$WORK/path.pcap" "$1" 2>/dev/null |
		sed -n 's/.*, length \([0-9]*\): .*/\1/p' | sort -n | tail -1 |
		awk '{ print $1 - 14 }'
}

# transfer DESCRIPTION: all routes of a arrive at b; sets $longest, $longest6
transfer() {
	capture_start path "$ESP or ip[6:2] & 0x3fff != 0 or ip6 proto 44"
	ward_start a
	ward_start b
	ok "pairs a-b are protected: $1" pair_wait a b
	ROUTES=$ROUTES ROUTES6=$ROUTES6 bird_start a b
	ROUTES=1 ROUTES6=1 bird_start b a
	bgp_up a b
	ok "all routes arrive, IPv4: $1" \
		until_ok 60 imported_at_least b a4 "$ROUTES"
	ok "all routes arrive, IPv6: $1" \
		until_ok 60 imported_at_least b a6 "$ROUTES6"
	capture_stop path
	is "$(frames path 'ip[6:2] & 0x3fff != 0 or ip6 proto 44')" 0 \
		"nothing is fragmented: $1"
	longest=$(longest ip) longest6=$(longest ip6)
	diag "longest packets: $longest and $longest6 bytes"
}

# What was learned of a path is forgotten.
fresh_paths() {
	ip -n "$TOKEN"a route flush cache
	ip -n "$TOKEN"a -6 route flush cache
}

start_anew() {
	local r
	bird_stop a
	bird_stop b
	for r in a b; do
		ward_stop $r
		unset "WARD[$r]"
	done
}
