#!/bin/bash
# Issue 2: `make demo` says of each claim whether it held, in less than two
# minutes, and ends with 0. That it can fail is shown by demo_liar.t.
. "$(dirname "$0")/lib.sh"

says() { grep -qE -- "$1" "$WORK/story"; }

began=$SECONDS
"$E2E/demo" > "$WORK/story" 2>&1
is $? 0 'the demo ends with status 0' || diag "$(tail -n 40 "$WORK/story")"
sed '1,/^== Claims/d' "$WORK/story" > "$WORK/claims"
diag "in $((SECONDS - began)) s"
ok 'in less than two minutes' [ $((SECONDS - began)) -lt $((120 * ${PATIENCE:-1})) ]
more "$(grep -c '^held    ' "$WORK/claims")" 12 'it makes more than a dozen claims'
is "$(grep -cv '^held    \|^$' "$WORK/claims")" 0 'which all held'
for evidence in '\+---+\+' 'Established' '^wire\$ tcpdump' 'ESP\(spi=|4500 > .*4500: ' \
	'protected, plane' 'holds AS 64666' 'replay_drops at a: [1-9]' \
	'not_a_peer at a: [1-9]' 'unknown_spi at a, pair with b: [1-9]'; do
	ok "it shows $evidence" says "$evidence"
done
done_testing
