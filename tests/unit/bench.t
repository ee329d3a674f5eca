#!/bin/bash
# make bench, as far as it can be looked at without measuring: a handshake is
# carried out and reported, and figures become a table that says what is missed.
cd "$(dirname "$0")/../.." || exit
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. tests/e2e/lib_tap.sh
BUILD=$(realpath -m --relative-to=. "${BUILD:-build}")
export BENCH_OUT=$WORK/out

ok 'the benchmarks build' env -u MAKEFLAGS -u MAKELEVEL make -s \
	"BUILD=$BUILD" "$BUILD"/tests/bench/{handshake,hand,bulk}
ok 'a handshake' sh -c '"$1" 1 0 > "$2"' _ "$BUILD/tests/bench/handshake" \
	"$WORK/handshake"
is "$(gojq -r '.figure' "$WORK/handshake" | wc -l)" 6 'six figures of it'
is "$(gojq 'select(.value <= 0 or .aim == null)' "$WORK/handshake")" '' \
	'each with a value and an aim'

# figure VALUE AIM WAY: of the bulk transfers
figure() {
	local what
	for what in 'CPU per byte' throughput 'keepalive round trip'; do
		gojq -n --arg what "$what" --arg way "$3" --arg aim "$2" \
			--argjson value "$1" '{ group: "bulk", way: $way,
			what: $what, figure: ($what + ", " + $way),
			value: $value, unit: "x", peer: "plain", peer_value: 2,
			aim: (if $aim == "" or $what != "CPU per byte" then
				null else $aim end),
			date: "2026-01-01", machine: "a machine" }' \
			> "$BENCH_OUT/bulk-$3-$what.json"
	done
}
table() { python3 tests/bench/table.py; }

mkdir "$BENCH_OUT"
not_ok 'no table without figures' table
figure 2 '' plain
figure 3 '<= 4' good
figure 5 '<= 4' bad
like "$(table)" '^\| good \| 3 \| 1.50 \|' 'a row for each way'
like "$(table)" 'a machine; .* 1 of 2 aims reached; missed: CPU per byte, bad' \
	'and what is missed is said'
printf '%s\n' before '<!-- bench: made by `make bench-table` -->' old \
	'<!-- /bench -->' after > "$WORK/README.md"
ok 'it is put into a file' python3 -c 'import sys
sys.path.insert(0, "tests/bench")
import figures, table
table.put(sys.argv[1], table.text(figures.load()))' "$WORK/README.md"
is "$(sed -n '1p; $p' "$WORK/README.md" | xargs)" 'before after' \
	'between its markers'
not_ok 'in place of the old one' grep -qx old "$WORK/README.md"
ok 'which README.md has' grep -qx '<!-- /bench -->' README.md
done_testing
