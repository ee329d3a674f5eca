# shellcheck shell=bash
# TAP, and waiting for what is to happen.

TAP_COUNT=0
TAP_FAILED=0

diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

# ok DESCRIPTION COMMAND...: the command must succeed.
ok() {
	local what=$1
	shift
	TAP_COUNT=$((TAP_COUNT + 1))
	if "$@" > "$WORK/ok.out" 2>&1; then
		echo "ok $TAP_COUNT - $what"
		return 0
	fi
	echo "not ok $TAP_COUNT - $what"
	TAP_FAILED=$((TAP_FAILED + 1))
	diag "failed: $*"
	tail -n 20 "$WORK/ok.out" | sed 's/^/#   /'
	return 1
}

# not_ok DESCRIPTION COMMAND...: the command must fail.
not_ok() {
	local what=$1
	shift
	ok "$what" fails "$@"
}

fails() { ! "$@"; }

# is GOT EXPECTED DESCRIPTION
is() {
	ok "$3" [ "$1" = "$2" ] && return 0
	diag "got:      $1"
	diag "expected: $2"
	return 1
}

# like TEXT REGEX DESCRIPTION
like() {
	ok "$3" grep -qE -- "$2" <<< "$1" && return 0
	diag "got: $1"
	diag "expected to match: $2"
	return 1
}

# more NEW OLD DESCRIPTION: a counter that has risen
more() {
	ok "$3" [ "${1:-0}" -gt "${2:-0}" ] && return 0
	diag "got $1, was $2"
	return 1
}

skip() {
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "ok $TAP_COUNT # SKIP $*"
}

done_testing() {
	echo "1..$TAP_COUNT"
	[ $TAP_FAILED = 0 ]
}

# until_ok SECONDS COMMAND...: try again until it succeeds or the time, stretched
# by PATIENCE, is over.
until_ok() {
	local deadline=$((SECONDS + $1 * PATIENCE))
	shift
	while ! "$@" > "$WORK/until.out" 2>&1; do
		if [ $SECONDS -ge $deadline ]; then
			tail -n 5 "$WORK/until.out"
			return 1
		fi
		sleep 0.1
	done
}
