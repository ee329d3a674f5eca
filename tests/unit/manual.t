#!/bin/bash
# The man pages say what the programs do: every option and command of --help
# stands in the page, and the example of bgpward.conf(5) is a configuration
# that `bgpward check` accepts.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-$PWD/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

ok() { # STATUS NAME
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; fi
}

page() { # FILE: the page as text without overstriking
	mandoc -T ascii "deploy/$1" | col -b
}

stands_in() { # PAGE WORD
	page "$1" | grep -qF -e "$2"
	ok $? "$1 has $2"
}

for option in $("$BUILD/bgpwardd" --help | grep -oE -e '--[a-z]+' | sort -u); do
	case $option in --help | --usage | --version) continue ;; esac
	stands_in bgpwardd.8 "$option"
done
for command in init "peer add" status up down check renew crl; do
	"$BUILD/bgpward" --help | grep -qE -e "^  ${command%% *} "
	ok $? "bgpward --help has $command"
	stands_in bgpward.8 "$command"
	# shellcheck disable=SC2086  # two words
	for option in $("$BUILD/bgpward" $command --help | grep -oE -e '--[a-z]+' | sort -u); do
		case $option in --help | --usage | --version) continue ;; esac
		stands_in bgpward.8 "$option"
	done
done

# what each command says of itself, and how it ends
for command in '' init "peer add" peer status up down check renew crl; do
	# shellcheck disable=SC2086  # two words
	"$BUILD/bgpward" $command --help > "$work/out" 2> "$work/err" &&
		[ -s "$work/out" ] && [ ! -s "$work/err" ]
	ok $? "bgpward $command --help: status 0, on standard output"
	# shellcheck disable=SC2086  # two words
	"$BUILD/bgpward" $command --no-such-option > "$work/out" 2> "$work/err"
	[ $? -eq 2 ] && [ ! -s "$work/out" ] && grep -q no-such "$work/err"
	ok $? "bgpward $command: an unknown option, status 2"
	case $command in '' | peer) continue ;; esac
	grep -qF "Try \`bgpward $command --help'" "$work/err"
	ok $? "and names itself"
done
"$BUILD/bgpwardd" --help > "$work/out" 2> "$work/err" && [ ! -s "$work/err" ]
ok $? "bgpwardd --help: status 0, on standard output"
"$BUILD/bgpwardd" --no-such-option > "$work/out" 2> "$work/err"
[ $? -eq 2 ] && grep -q no-such "$work/err"
ok $? "bgpwardd: an unknown option, status 2"
unshare -n "$BUILD/bgpwardd" -c "$work/nowhere.conf" -s "$work/socket" > "$work/out" 2>&1
[ $? -eq 2 ] && grep -q 'nowhere.conf cannot be opened' "$work/out"
ok $? "bgpwardd: no configuration, status 2"

# every option of the configuration, as the parser lists them
printf 'x = 1\nlocal { x = 1 }\npeer p { x = 1 }\n' > "$work/x.conf"
options=$("$BUILD/bgpward" check -o -c "$work/x.conf" 2>&1 |
	sed -n "s/.*unknown option 'x', expected one of \(.*\): correct.*/\1/p" |
	tr -d , | tr ' ' '\n' | sort -u)
[ "$(echo "$options" | wc -l)" -gt 20 ]
ok $? "the parser lists its options"
for option in $options; do
	grep -qE "^\.(It|Cm)( Cm)?( [a-z_]+ ,)* $option( |\(|\$)" \
		deploy/bgpward.conf.5
	ok $? "bgpward.conf.5 has $option"
done

# every reason for a drop, as status writes it
reasons=$(sed -nE 's/^\tX\([A-Z_]+, "([A-Za-z_]+)".*/\1/p' bpf/classifier.h sidecar/plane.h)
[ "$(echo "$reasons" | wc -l)" -gt 15 ]
ok $? "reasons for drops are found"
for reason in $reasons; do
	stands_in bgpward.8 "$reason"
done

# the example, with the certificates that its words ask for
"$BUILD/bgpward" init --as 64501 --address 192.0.2.2 --address 2001:db8::2 \
	--dir "$work/b" > /dev/null
ok $? "bgpward init for the neighbour of the example"
"$BUILD/bgpward" init --as 64500 --address 192.0.2.1 --address 2001:db8::1 \
	--dir "$work/a" > /dev/null
ok $? "bgpward init for the router of the example"
mkdir -p "$work/a/peers"
cp "$work/b/ca.crt" "$work/a/peers/as64501.crt"
(umask 077 && openssl rand -hex 32 > "$work/a/peers/as64502.psk")
sed -n '/^\.Bd -literal/,/^\.Ed/{/^\./d;p}' deploy/bgpward.conf.5 > "$work/a/bgpward.conf"
[ "$(wc -l < "$work/a/bgpward.conf")" -gt 10 ]
ok $? "bgpward.conf(5) has an example"
# the addresses are on an interface only in a namespace of our own
unshare -n sh -c "ip link set lo up && ip address add 192.0.2.1/32 dev lo &&
	ip address add 2001:db8::1/128 dev lo nodad &&
	'$BUILD/bgpward' check -c '$work/a/bgpward.conf'" > "$work/out" 2>&1
status=$?
sed 's/^/# /' "$work/out"
ok $status "bgpward check accepts the example"

echo "1..$count"
