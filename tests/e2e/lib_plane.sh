# shellcheck shell=bash
# What differs between the planes: PLANE=kernel (xfrm) or user.

user_plane() { [ "$PLANE" = user ]; }

# kernel_only REASON: end here, as a skip, on the user plane
kernel_only() {
	user_plane || return 0
	echo "1..0 # SKIP kernel plane only: $1"
	exit 0
}

user_only() {
	user_plane && return 0
	echo "1..0 # SKIP user plane only: $1"
	exit 0
}

# plane_pid ROUTER: the plane process there
plane_pid() {
	local pid
	for pid in $(ip netns pids "$TOKEN$1"); do
		tr '\0' ' ' < "/proc/$pid/cmdline" | grep -q -- ' --plane ' &&
			echo "$pid"
	done
}

plane_kill9() {
	local pid
	pid=$(plane_pid "$1")
	[ -n "$pid" ] && kill -9 "$pid" && until_ok 10 ended "$pid"
}

# flush_sas ROUTER: all SAs there are gone
flush_sas() {
	if user_plane; then
		plane_kill9 "$1"
	else
		ip -n "$TOKEN$1" xfrm state flush
	fi
}

# sas_of ROUTER: SAs there; of the user plane while the daemon runs
sas_of() {
	if user_plane; then
		ward_get "$1" '[.pairs[].child[] | .spi_in, .spi_out |
			select(. != null)] | length'
	else
		ip -n "$TOKEN$1" xfrm state list proto esp | grep -c '^src'
	fi
}

# sas_from ROUTER OTHER: SAs that ROUTER has from there, IPv4
sas_from() {
	if user_plane; then
		pair_get "$1" "$2" 4 '.child | length'
	else
		ip -n "$TOKEN$1" xfrm state list src "$(addr "$2" 4)" |
			grep -c ^src
	fi
}

# xfrm_drops ROUTER OTHER COUNTER: of both families; the kernel's are not kept
# apart by pair
xfrm_drops() {
	if user_plane; then
		ward_get "$1" "[.pairs[] | select(.peer == \"$(ward_name "$2")\")
			| .drops.$3] | add"
	else
		xfrm_stat "$1" "$3"
	fi
}

# The classifier off, and its place taken: a running daemon would put it back,
# so that it is held meanwhile.
no_classifier() {	# ROUTER
	local status=0
	ended "${WARD[$1]}" || kill -STOP "${WARD[$1]}"
	in_ns "$1" tc qdisc del dev eth0 clsact &&
		in_ns "$1" tc qdisc add dev eth0 ingress || status=1
	ended "${WARD[$1]}" || kill -CONT "${WARD[$1]}"
	return $status
}
