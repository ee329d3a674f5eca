#!/bin/bash
# The man pages are well-formed.
cd "$(dirname "$0")/../.." || exit
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. tests/e2e/lib_tap.sh

pages=0
for page in deploy/*.[1-8]; do
	[ -e "$page" ] || continue
	pages=$((pages + 1))
	ok "mandoc $page" mandoc -T lint -W warning "$page"
done
ok 'there are man pages' [ $pages -gt 0 ]
done_testing
