# shellcheck shell=bash
# BIRD 2 in a router: one multihop session per neighbour and family, named
# b4, b6 (towards router b) and so on. Timers are short, keepalives frequent.

HOLD=${HOLD:-9}

bird_neighbour() {	# ROUTER OTHER FAMILY
	cat <<-EOF
	protocol bgp $2$3 {
		local $(addr "$1" "$3") as $(as_of "$1");
		neighbor $(addr "$2" "$3") as $(as_of "$2");
		multihop 2; ${BIRD_OPTIONS:-}
		hold time $HOLD; keepalive time 1;
		connect delay time 1; connect retry time 2;
		error wait time 1, 2;
		ipv$3 { import all; export where proto = "s$3"; next hop self; };
	}
	EOF
}

bird_routes() {		# ROUTER COUNT: static routes that it announces
	local i n
	n=$(number_of "$1")
	echo 'protocol static s6 { ipv6;'
	for ((i = 0; i < ${ROUTES6:-1}; i++)); do
		printf 'route 2001:db8:%x:%x::/64 blackhole;\n' "$n" $i
	done
	echo '}'
	echo 'protocol static s4 { ipv4;'
	for ((i = 0; i < $2; i++)); do
		echo "route 10.$((n * 60 + i / 65536)).$((i / 256 % 256)).$((i % 256))/32 blackhole;"
	done
	echo '}'
}

bird_config() {		# ROUTER ROUTES OTHER...
	local router=$1 routes=$2 other
	shift 2
	cat <<-EOF
	router id $(addr4 "$router");
	log "$WORK/$router/bird.log" all;
	timeformat protocol iso long ms;
	debug protocols { states };
	protocol device { }
	EOF
	bird_routes "$router" "$routes"
	for other; do
		bird_neighbour "$router" "$other" 4
		bird_neighbour "$router" "$other" 6
	done
}

declare -A BIRD
# bird_start ROUTER OTHER... (ROUTES=n, ROUTES6=n: it announces so many; BIRD_OPTIONS stand
# in every session)
bird_start() {
	local router=$1 dir=$WORK/$1
	shift
	bird_config "$router" "${ROUTES:-1}" "$@" > "$dir/bird.conf"
	ip netns exec "$TOKEN$router" bird -f -c "$dir/bird.conf" \
		-s "$dir/bird.ctl" -P "$dir/bird.pid" \
		>> "$dir/bird.err.log" 2>&1 &
	BIRD[$router]=$!
	until_ok 20 bird_cli "$router" show status ||
		bail_out "bird does not start in $router: $(cat "$dir"/bird*.log)"
}

bird_stop() {
	kill "${BIRD[$1]}" 2>/dev/null
	wait "${BIRD[$1]}" 2>/dev/null
	unset "BIRD[$1]"
}

bird_cli() {
	local router=$1
	shift
	birdc -s "$WORK/$router/bird.ctl" "$@"
}

# bird_is ROUTER PROTOCOL STATE
bird_is() {
	bird_cli "$1" show protocols "$2" |
		awk -v p="$2" -v s="$3" '$1 == p && $NF == s { found = 1 }
			END { exit !found }'
}

# bird_wait ROUTER PROTOCOL [STATE]
bird_wait() { until_ok 60 bird_is "$1" "$2" "${3:-Established}"; }

# How often the session has changed its state so far, and that state: the same
# text later means no flap.
bird_changes() {
	grep -c "<TRACE> $2: State changed" "$WORK/$1/bird.log"
	bird_cli "$1" show protocols "$2" |
		awk -v p="$2" '$1 == p { print $NF }'
}

bird_imported() {	# ROUTER PROTOCOL: number of routes
	bird_cli "$1" show route protocol "$2" count |
		sed -n 's/^\([0-9]*\) of .*/\1/p' | head -1
}

imported_at_least() { [ "$(bird_imported "$1" "$2")" -ge "$3" ]; }

# bgp_up ROUTER OTHER: both sessions Established, as one test each
bgp_up() {
	ok "BGP $1-$2 is Established, IPv4" bird_wait "$1" "$2"4
	ok "BGP $1-$2 is Established, IPv6" bird_wait "$1" "$2"6
}

# bgp_anew ROUTER OTHER: the same with fresh sessions, when nobody knows whether
# the old ones have outlived that the pair was closed
bgp_anew() {
	bird_cli "$1" restart "$2"4
	bird_cli "$1" restart "$2"6
	bgp_up "$1" "$2"
}

# bgp_lives ROUTER OTHER [SECONDS]: keepalives go on for longer than the hold
# time without an event of the session. The wire tells how time passes: this
# waits for as many ESP frames as a hold time has keepalives.
bgp_lives() {
	local before4 before6 name=life.$RANDOM
	before4=$(bird_changes "$1" "$2"4)
	before6=$(bird_changes "$1" "$2"6)
	capture_start "$name" "$(esp_filter "$2" "$1" 4)"
	until_ok $((HOLD * 4)) seen "$name" "$ESP" $((HOLD + 2))
	capture_stop "$name"
	is "$(bird_changes "$1" "$2"4)" "$before4" \
		"${3:-BGP $1-$2} did not flap for a hold time, IPv4"
	is "$(bird_changes "$1" "$2"6)" "$before6" \
		"${3:-BGP $1-$2} did not flap for a hold time, IPv6"
}
