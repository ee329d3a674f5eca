#!/bin/bash
# Each fuzz target: its corpus replayed, then fuzzed for FUZZ_SECONDS (3).
# What makes one fail is kept in tests/out/fuzz. TAP.
cd "$(dirname "$0")/../.." || exit
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. tests/e2e/lib_tap.sh

programs=${BUILD:?absolute build folder}/fuzz/tests/fuzz
out=$PWD/tests/out/fuzz
seconds=${FUZZ_SECONDS:-3}
mkdir -p "$out"

# fuzz TARGET OPTION... FOLDER...: quiet but for the last lines
fuzz() {
	local target=$1
	shift
	"$programs/$target" -artifact_prefix="$out/$target-" -timeout=10 \
		-rss_limit_mb=1024 -print_final_stats=1 "$@" \
		> "$WORK/$target.log" 2>&1 && return 0
	tail -n 15 "$WORK/$target.log"
	return 1
}

stat_of() { sed -n "s/^stat::$2: *//p" "$WORK/$1.log"; }

target() {
	local target=$1 corpus=tests/fuzz/corpus/$1
	ok "$target: the corpus" fuzz "$target" -runs=0 "$corpus"
	mkdir "$WORK/$target"
	ok "$target: $seconds seconds" fuzz "$target" \
		-max_total_time="$seconds" "$WORK/$target" "$corpus"
	diag "$target: $(stat_of "$target" number_of_executed_units) runs," \
		"$(stat_of "$target" average_exec_per_sec) a second," \
		"$(grep -oE 'cov: [0-9]+' "$WORK/$target.log" | tail -n 1)"
}

for source in tests/fuzz/*.c; do
	name=$(basename "$source" .c)
	case $name in
	seeds | canary) ;;
	*) target "$name" ;;
	esac
done

# All this can fail: one octet too far is found, from nothing.
mkdir "$WORK/canary"
not_ok 'the fuzzer finds a planted error' \
	fuzz canary -max_total_time=60 -seed=1 "$WORK/canary"
ok 'and it is that one' grep -q heap-buffer-overflow "$WORK/canary.log"
rm -f "$out"/canary-*
done_testing
