#!/bin/bash
# The include directions of the design: what each room may know. And the top
# level, which holds the rooms, Makefile and README.md and no more.
cd "$(dirname "$0")/../.." || exit
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. tests/e2e/lib_tap.sh

# Headers of the libraries that are not everybody's.
LIBRARIES='openssl/|confuse\.h|bpf/|event2/|libmnl/|jansson\.h|seccomp\.h|cap-ng\.h|cmocka\.h'

includes_of() {	# FOLDER: "file:line:target" of every include
	grep -nHE '^[[:space:]]*#[[:space:]]*include' "$1"/*.[ch] 2>/dev/null |
		sed -E 's/^([^:]*:[0-9]+):[[:space:]]*#[[:space:]]*include[[:space:]]*/\1:/'
}

# Lines of `includes_of` whose quoted target is outside of the rooms allowed
foreign_rooms() {	# FOLDER ALLOWED_REGEX
	includes_of "$1" | grep -E ':"' | grep -vE ":\"($2)/"
}

foreign_libraries() {	# FOLDER ALLOWED_REGEX
	includes_of "$1" | grep -E ":<($LIBRARIES)" | grep -vE ":<($2)"
}

nothing() { ! "$@"; }

room() {	# FOLDER ROOMS LIBRARIES
	ok "$1/ includes of the rooms only: $2" nothing foreign_rooms "$1" "$2"
	ok "$1/ includes of the libraries only: $3" \
		nothing foreign_libraries "$1" "$3"
}

room ike 'ike' 'openssl/'
room policy 'policy' 'openssl/|confuse\.h'
room bpf 'bpf' 'bpf/'
room sidecar 'sidecar|ike|policy|bpf' \
	'openssl/|event2/|libmnl/|jansson\.h|seccomp\.h|cap-ng\.h'

# ike/ is sans-IO, and with policy/ and bpf/ it never logs.
io_headers() { includes_of ike | grep -E ':<(sys/(socket|stat|time|epoll|ioctl|random|un)\.h|fcntl\.h|unistd\.h|time\.h|syslog\.h|stdio\.h|poll\.h|signal\.h|pthread\.h)'; }
ok 'ike/ includes no header of sockets, files, clocks or output' \
	nothing io_headers
logs() { grep -nE '\b(syslog|perror|fprintf|printf|puts|vfprintf) *\(' {ike,policy,bpf}/*.c | grep -vE 'fprintf\((out|f|file|stream),'; }
ok 'ike/, policy/ and bpf/ never log' nothing logs

# The test can fail: a wrong include is found.
mkdir -p "$WORK/ike"
printf '#include "sidecar/plane.h"\n# include <event2/event.h>\n' > "$WORK/ike/bad.c"
( cd "$WORK" && foreign_rooms ike ike > rooms && foreign_libraries ike openssl/ > libraries )
ok 'a wrong room would be found' grep -q 'bad.c:1:' "$WORK/rooms"
ok 'a wrong library would be found' grep -q 'bad.c:2:' "$WORK/libraries"

strangers() {
	local name
	for name in *; do
		case $name in
		ike | policy | bpf | sidecar | tests | deploy | build) ;;
		Makefile | README.md) ;;
		*) echo "$name"; return 0 ;;
		esac
	done
	return 1
}
ok 'the top level holds the rooms, Makefile and README.md only' \
	nothing strangers
done_testing
