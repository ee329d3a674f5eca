#!/bin/bash
# Lints every shell script, found by its first line or its name.
cd "$(dirname "$0")/../.." || exit
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. tests/e2e/lib_tap.sh

scripts() {
	find .ci deploy tests -path tests/out -prune -o -type f -print |
		while read -r file; do
			case $file in
			*.sh) echo "$file" ;;
			*.c | *.h | *.py | *.o) ;;
			*) head -c 64 "$file" | head -n 1 |
				grep -qaE '^#!.*\b(ba|da)?sh\b' && echo "$file" ;;
			esac
		done | sort
}

# SC1091: the files that `.` reads are checked by themselves. SC2154, SC2034:
# variables that cross between them. SC2016: quoted code, by
# intent. SC2012: ls, for people to read. SC2317: functions called by name.
for script in $(scripts); do
	ok "shellcheck $script" shellcheck -e SC1091,SC2154,SC2034,SC2016,SC2012,SC2317 \
		"$script"
done
printf '#!/bin/sh\nrm $1/*\n' > "$WORK/bad.sh"
not_ok 'it would find an unquoted variable' shellcheck "$WORK/bad.sh"
done_testing
