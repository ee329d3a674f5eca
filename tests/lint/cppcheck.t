#!/bin/bash
# cppcheck over our own sources.
cd "$(dirname "$0")/../.." || exit
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. tests/e2e/lib_tap.sh

check() {
	cppcheck --quiet -j2 --error-exitcode=1 --inline-suppr \
		--enable=warning,portability --std=c11 -D_GNU_SOURCE -I. \
		--suppress=missingIncludeSystem \
		--library=tests/lint/cppcheck.cfg \
		"$@"
}

for room in ike policy bpf sidecar; do
	ok "cppcheck $room/" check $room
done
printf 'int f(int *p);\nint f(int *p)\n{\n\tint a[2];\n\ta[2] = *p;\n\treturn a[0];\n}\n' \
	> "$WORK/bad.c"
not_ok 'it would find an index out of bounds' check "$WORK/bad.c"
done_testing
