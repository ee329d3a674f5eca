#!/bin/bash
# clang-tidy over every C file but the tests', with the checks of .clang-tidy.
cd "$(dirname "$0")/../.." || exit
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. tests/e2e/lib_tap.sh

make -s BUILD="$WORK" "$WORK/bpf/classifier.skel.h" > /dev/null 2> "$WORK/err" ||
	{ diag "$(cat "$WORK/err")"; echo 'Bail out! no skeleton'; exit 1; }
flags=(-std=gnu17 -D_GNU_SOURCE -Itests/lint/include -I. -isystem "$WORK")
read -ra libs <<< "$(pkg-config --cflags libcrypto libevent_core libbpf \
	libmnl libconfuse jansson)"

# one output file for each source file, two at a time
tidy() {
	local source=$1 out
	shift
	out=$WORK/$(echo "$source" | tr / _).tidy
	clang-tidy --quiet "$source" -- "$@" > "$out" 2> "$out.err" ||
		cat "$out.err" >> "$out"
}
export -f tidy
export WORK
sources=$(find ike policy bpf sidecar -name '*.c' ! -name '*.bpf.c' | sort)
echo "$sources" | xargs -P 2 -I {} bash -c 'tidy "$@"' _ {} \
	"${flags[@]}" "${libs[@]}"

# What is generated (the skeleton) is not ours to mend.
quiet() {
	cat "$1"
	! grep -E '(error|warning): ' "$1" | grep -qv '\.skel\.h:'
}
for source in $sources; do
	ok "clang-tidy $source" quiet "$WORK/$(echo "$source" | tr / _).tidy"
done
done_testing
