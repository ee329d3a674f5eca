#!/bin/bash
# README's table of interoperation says what the scenarios of this run have
# shown, no more and no less. Runs after them.
cd "$(dirname "$0")/../.." || exit
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. tests/e2e/lib_tap.sh

table=tests/interop/table
claimed() {
	sed -n '/^<!-- made by make interop -->$/,/^<!-- end -->$/p' README.md |
		grep '^|'
}
same() {
	claimed > "$WORK/claimed" && "$table" > "$WORK/shown" &&
		diff "$WORK/claimed" "$WORK/shown"
}
ok 'README claims what this run has shown (else: make interop)' same
not_ok 'and nothing of it failed' grep -F '**no**' README.md

# The script itself, with other results: a case fails if it ever failed.
mkdir "$WORK/results"
for scenario in tests/interop/swan_*.t; do
	printf 'Some\tboth\tpassed\twhat was seen\n' \
		> "$WORK/results/$(basename "$scenario" .t).tsv"
done
printf 'One\tbgpward\tpassed\tA\nOne\tstrongSwan\tfailed\tB\nTwo\tbgpward\tfailed\tC\nTwo\tbgpward\tpassed\tC\n' \
	> "$WORK/results/swan_auth.tsv"
export RESULTS=$WORK/results
"$table" > "$WORK/table"
cat > "$WORK/expected" <<'TABLE'
| case | bgpward begins | strongSwan begins | seen |
|---|---|---|---|
| One | yes | **no** | A; B |
| Two | **no** | – | C |
| Some | yes | yes | what was seen |
TABLE
ok 'a failed case is not claimed' diff "$WORK/table" "$WORK/expected"
printf 'above\n<!-- made by make interop -->\nold\n<!-- end -->\nbelow\n' \
	> "$WORK/README.md"
ok 'it writes' "$table" --write "$WORK/README.md"
is "$(grep -v '^|' "$WORK/README.md" | xargs)" \
	'above <!-- made by make interop --> <!-- end --> below' 'in place only'
grep '^|' "$WORK/README.md" > "$WORK/written"
ok 'the same table' diff "$WORK/written" "$WORK/expected"
rm "$WORK/results/swan_auth.tsv"
not_ok 'without the results of a scenario there is no table' "$table"
done_testing
