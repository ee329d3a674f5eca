# shellcheck shell=bash
# bgpward in a router: configuration in $WORK/ROUTER/etc, as `bgpward init` and
# `bgpward peer add` make it.

declare -A WARD
ward_dir() { echo "$WORK/$1/etc"; }
ward_name() { echo "as$(as_of "$1")"; }

ward_cli() {		# ROUTER WORD...: bgpward towards that router's daemon
	"$BUILD/bgpward" -s "$WORK/$1/control" "${@:2}"
}

ward_init() {
	in_ns "$1" "$BUILD/bgpward" init --as "$(as_of "$1")" \
		--address "$(addr4 "$1")" --address "$(addr6 "$1")" \
		--dir "$(ward_dir "$1")" >> "$WORK/$1/init.log" 2>&1 ||
		bail_out "bgpward init: $(cat "$WORK/$1/init.log")"
}

# What carries a router's pairs, where it is not what the scenario runs on:
# WARD_PLANE for all, PLANE_OF for one.
declare -A PLANE_OF

# ward_peer ROUTER OTHER [TRUST]
ward_peer() {
	in_ns "$1" "$BUILD/bgpward" peer add "$(ward_name "$2")" \
		--as "$(as_of "$2")" --address "$(addr4 "$2")" \
		--address "$(addr6 "$2")" \
		--trust "${3:-$(ward_dir "$2")/ca.crt}" \
		--dir "$(ward_dir "$1")" >> "$WORK/$1/init.log" 2>&1 ||
		bail_out "bgpward peer add: $(cat "$WORK/$1/init.log")"
	ward_plane "$1" "$(ward_name "$2")" \
		"${PLANE_OF[$1]:-${WARD_PLANE:-$PLANE}}"
}

# ward_plane ROUTER PEER PLANE: what carries the pairs with a peer
ward_plane() {
	sed -i "/^peer $2 {/a\\	plane = $3" \
		"$(ward_dir "$1")/bgpward.conf"
}

# ward_mode ROUTER OTHER MODE
ward_mode() {
	sed -i "/^peer $(ward_name "$2") {/,/^}/ {
		/^	mode =/d
		/^}/i\\	mode = $3
	}" "$(ward_dir "$1")/bgpward.conf"
}

# ward_pair ROUTER OTHER: both sides, each trusting the other's own CA
ward_pair() {
	local r
	for r in "$1" "$2"; do
		[ -e "$(ward_dir "$r")/bgpward.conf" ] || ward_init "$r"
	done
	ward_peer "$1" "$2"
	ward_peer "$2" "$1"
}

# ward_option ROUTER NAME VALUE: change an option that `init` has written
ward_option() { sed -i "s/^$2 = .*/$2 = $3/" "$(ward_dir "$1")/bgpward.conf"; }

# ward_add ROUTER TEXT: more lines of configuration
ward_add() { printf '%s\n' "$2" >> "$(ward_dir "$1")/bgpward.conf"; }

# ward_run ROUTER: start the daemon, do not wait
ward_run() {
	local router=$1
	shift
	ip netns exec "$TOKEN$router" "$BUILD/bgpwardd" \
		-c "$(ward_dir "$router")/bgpward.conf" \
		-s "$WORK/$router/control" "$@" \
		>> "$WORK/$router/ward.log" 2>&1 &
	WARD[$router]=$!
}

# The daemon that we started answers (and not one before it).
ward_answers() {
	ended "${WARD[$1]}" && return
	[ "$(ward_get "$1" .pid)" = "${WARD[$1]}" ]
}

ward_start() {
	ward_run "$@"
	until_ok 30 ward_answers "$1" ||
		bail_out "bgpwardd does not start in $1: $(tail "$WORK/$1/ward.log")"
	! ended "${WARD[$1]}" ||
		bail_out "bgpwardd ended in $1: $(tail "$WORK/$1/ward.log")"
}

# exit_status PID: of one that is about to end; 137 if it has to be killed, so
# that a test fails and does not hang
exit_status() {
	until_ok 20 ended "$1" || kill -9 "$1"
	wait "$1"
}

ward_stop() {
	kill -TERM "${WARD[$1]}"
	exit_status "${WARD[$1]}"
}

ward_kill9() {
	{ kill -9 "${WARD[$1]}"; wait "${WARD[$1]}"; } 2>/dev/null
}

ward_reload() { kill -HUP "${WARD[$1]}"; }

# ward_get ROUTER FILTER: of the status, by gojq
ward_get() { ward_cli "$1" status --json | gojq -r "$2"; }

# pair_get ROUTER OTHER FAMILY FILTER: of the status of one pair
pair_get() {
	ward_get "$1" ".pairs[] | select(.remote == \"$(addr "$2" "$3")\") | $4"
}

pair_is() { [ "$(pair_get "$1" "$2" "$3" .state)" = "$4" ]; }

# pair_wait ROUTER OTHER [STATE]: both families
pair_wait() {
	until_ok 60 pair_is "$1" "$2" 4 "${3:-protected}" &&
		until_ok 60 pair_is "$1" "$2" 6 "${3:-protected}"
}

# All SPIs of a pair, sorted: the same text means the same SAs.
pair_spis() {
	pair_get "$1" "$2" "$3" '.child[] | .kind, .spi_in, .spi_out' | xargs
}

# drops ROUTER OTHER FAMILY REASON
drops() { pair_get "$1" "$2" "$3" ".drops.$4 // 0"; }

local_drops() {		# ROUTER FAMILY REASON
	ward_get "$1" ".locals[] | select(.address == \"$(addr "$1" "$2")\")
		| .drops.$3 // 0"
}

# refused_for ROUTER OTHER FAMILY REASON [PATTERN]: and what status says of it
# matches from its beginning on, in the same reading, because the next try may end otherwise
refused_for() {
	pair_get "$1" "$2" "$3" '.failure | "\(.reason) \(.message)"' |
		grep -qE -- "^$4 ${5:-}"
}

# protect ROUTER OTHER: configure, start or reload both, wait, test
protect() {
	local r
	ward_pair "$1" "$2"
	for r in "$1" "$2"; do
		if [ -n "${WARD[$r]:-}" ]; then
			ward_reload "$r"
		else
			ward_start "$r"
		fi
	done
	ok "pairs $1-$2 are protected" pair_wait "$1" "$2"
}
