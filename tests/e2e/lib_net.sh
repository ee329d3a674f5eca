# shellcheck shell=bash
# The network that every scenario runs in, and captures of it.
#
#   router a               router b               router c
#   AS 64500               AS 64501               AS 64502
#   lo 192.0.2.1           lo 192.0.2.2           lo 192.0.2.3
#      2001:db8::1            2001:db8::2            2001:db8::3
#   eth0 10.99.0.1         eth0 10.99.0.2         eth0 10.99.0.3
#      fd99::1                fd99::2                fd99::3
#     |                      |                      |
#     | a                    | b                    | c
#   +-+----------------------+----------------------+-+
#   |  br0, in namespace `wire`: captures are taken   |
#   |  and the attacker on the path injects here      |
#   +-------------------------------------------------+
#
# Each router has static routes to the others' loopback addresses.

ROUTERS='a b c'

number_of() { case $1 in a) echo 1 ;; b) echo 2 ;; c) echo 3 ;; esac; }
addr4() { echo "192.0.2.$(number_of "$1")"; }
addr6() { echo "2001:db8::$(number_of "$1")"; }
as_of() { echo $((64499 + $(number_of "$1"))); }
addr() { "addr$2" "$1"; }	# addr ROUTER 4|6

# in_ns ROUTER COMMAND...
in_ns() {
	local ns=$1
	shift
	ip netns exec "$TOKEN$ns" "$@"
}

make_ns() {
	ip netns add "$TOKEN$1" && ip -n "$TOKEN$1" link set lo up &&
		mkdir -p "$WORK/$1"
}

make_wire() {
	make_ns wire && ip -n "$TOKEN"wire link add br0 type bridge \
		forward_delay 0 mcast_snooping 0 &&
		ip -n "$TOKEN"wire link set br0 up
}

make_router() {
	local r=$1 n
	local ns=$TOKEN$r
	n=$(number_of "$r")
	make_ns "$r" || return
	in_ns "$r" sysctl -qw net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0 \
		net.ipv6.conf.all.accept_dad=0 \
		net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.default.accept_ra=0 || return
	ip -n "$ns" -batch - <<-EOF || return
	link add eth0 type veth peer name $r netns ${TOKEN}wire
	link set eth0 up
	addr add 10.99.0.$n/24 dev eth0
	addr add fd99::$n/64 dev eth0 nodad
	addr add $(addr4 "$r")/32 dev lo
	addr add $(addr6 "$r")/128 dev lo nodad
	EOF
	ip -n "$TOKEN"wire link set dev "$r" master br0 up
}

route_routers() {
	local from to
	for from in $ROUTERS; do
		for to in $ROUTERS; do
			[ "$from" != "$to" ] || continue
			route "$from" "$to" "$to"
		done
	done
}

# route FROM TO VIA: FROM reaches TO's loopbacks through VIA
route() {
	local n
	n=$(number_of "$3")
	ip -n "$TOKEN$1" -batch - <<-EOF
	route replace $(addr4 "$2")/32 via 10.99.0.$n src $(addr4 "$1")
	route replace $(addr6 "$2")/128 via fd99::$n src $(addr6 "$1")
	EOF
}

lab_up() {
	local r
	make_wire || bail_out 'cannot make network namespaces'
	for r in $ROUTERS; do
		make_router "$r" || bail_out "cannot make router $r"
	done
	route_routers
	ok "the network is up: a reaches b" \
		in_ns a ping -c 1 -W 5 -I 192.0.2.1 192.0.2.2 ||
		bail_out 'the network does not work'
}

# A child that has ended stays a zombie until it is waited for.
ended() { ! grep -q '^State:.[^ZX]' "/proc/$1/status" 2>/dev/null; }

# A scenario may have something to put right when its namespaces are gone.
lab_after() { :; }

lab_down() {
	local pid r
	trap - EXIT
	[ "$TAP_FAILED" = 0 ] || lab_evidence
	# those that have ended may have left their numbers to others
	for pid in $(jobs -rp); do
		{ kill -9 "$pid"; wait "$pid"; } 2>/dev/null
	done
	for r in $ROUTERS wire; do
		# plane processes outlive who started them
		ip netns pids "$TOKEN$r" 2>/dev/null | xargs -r kill -9
		rm -f "/run/bgpward/plane-$(stat -Lc %i "/run/netns/$TOKEN$r" \
			2>/dev/null)"
		ip netns del "$TOKEN$r" 2>/dev/null
	done
	lab_after
	rm -rf "$WORK"
	[ "$TAP_FAILED" = 0 ] || exit 1
}

# What somebody who reads of a failure wants to see.
lab_evidence() {
	local r log
	for r in $ROUTERS; do
		[ -e "/run/netns/$TOKEN$r" ] || continue
		diag "---- $r: xfrm state, policy, counters"
		diag "$(ip -n "$TOKEN$r" -s xfrm state 2>&1 | sed -E \
			's/0x[0-9a-f]{40,}/(key)/; /^\t [0-9a-f]{8} /d
			/lifetime|limit:|expire/d' | head -80)"
		diag "$(ip -n "$TOKEN$r" xfrm policy 2>&1 | head -60)"
		diag "$(in_ns "$r" grep -v '[^0-9]0$' /proc/net/xfrm_stat 2>&1)"
		for log in "$WORK/$r"/{ward,bird,swan,charon,frr/frr}.log; do
			[ -s "$log" ] || continue
			diag "---- $log"
			diag "$(tail -n 25 "$log")"
		done
	done
}

# ---------------------------------------------------------------- captures

# capture_start NAME [FILTER]: of br0, into $WORK/NAME.pcap
declare -A CAPTURES
capture_start() {
	local name=$1 filter=${2:-}
	rm -f "$WORK/$name.pcap" "$WORK/$name.err"
	# shellcheck disable=SC2086 # the filter is words
	ip netns exec "$TOKEN"wire tcpdump -Z root -U --immediate-mode -n \
		-B 16384 -s 65535 -i br0 -w "$WORK/$name.pcap" $filter \
		2> "$WORK/$name.err" &
	CAPTURES[$name]=$!
	until_ok 20 grep -q 'listening on' "$WORK/$name.err" ||
		bail_out "tcpdump does not start: $(cat "$WORK/$name.err")"
}

# What has come so far is read when it sleeps: a busy machine lets it lag behind.
asleep() { ended "$1" || [ "$(cut -d ' ' -f 3 "/proc/$1/stat")" = S ]; }
capture_stop() {
	local pid=${CAPTURES[$1]}
	until_ok 10 asleep "$pid"
	kill -INT "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	unset "CAPTURES[$1]"
}

# frames NAME FILTER: how many frames of the capture match
frames() {
	tcpdump -n -r "$WORK/$1.pcap" "$2" 2>/dev/null | wc -l
}

# seen NAME FILTER [COUNT]: at least so many (1) frames match
seen() { [ "$(frames "$1" "$2")" -ge "${3:-1}" ]; }

# The number of frames with TCP port 179 in clear, in both families.
clear_frames() { frames "$1" 'tcp port 179'; }

# ESP, bare or in UDP: two user planes do the latter
ESP='(ip proto 50 or ip6 proto 50 or udp port 4500)'

# ESP from router $1 to router $2, family $3
esp_filter() {
	echo "src host $(addr "$1" "$3") and dst host $(addr "$2" "$3") and $ESP"
}

xfrm_stat() {	# xfrm_stat ROUTER COUNTER
	in_ns "$1" awk -v "n=$2" '$1 == n { print $2 }' /proc/net/xfrm_stat
}

# attack ROUTER|wire TOOL ARGUMENT...: run attack_TOOL.py there
attack() {
	local where=$1 tool=$2
	shift 2
	in_ns "$where" /usr/bin/python3 "$E2E/attack_$tool.py" "$@"
}

# service_start ROUTER PORT: something that is not BGP
service_start() {
	in_ns "$1" /usr/bin/python3 "$E2E/service.py" "$2" "$WORK/$1/ready.$2" \
		> "$WORK/$1/service.log" 2>&1 &
	until_ok 20 test -e "$WORK/$1/ready.$2" ||
		bail_out "service.py: $(cat "$WORK/$1/service.log")"
}

# ask ROUTER tcp|udp SOURCE DESTINATION PORT: "here" or "nothing"
ask() {
	local router=$1
	shift
	in_ns "$router" /usr/bin/python3 "$E2E/ask.py" $((10 * PATIENCE)) "$@"
}

# policies_between ROUTER OTHER FAMILY in|out: number of SPD entries
policies_between() {
	local bits=32 src dst
	[ "$3" = 4 ] || bits=128
	src=$(addr "$1" "$3")/$bits dst=$(addr "$2" "$3")/$bits
	[ "$4" = out ] || { local swap=$src; src=$dst dst=$swap; }
	ip -n "$TOKEN$1" xfrm policy list src "$src" dst "$dst" dir "$4" |
		grep -c '^src'
}

mac_of() { in_ns "$1" cat /sys/class/net/"${2:-eth0}"/address; }
