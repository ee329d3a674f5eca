#!/bin/bash
# bgpward peer add and bgpward check. TAP.
set -u
bgpward=${BUILD:?absolute build folder}/bgpward
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
number=0

# ok STATUS NAME: one line of TAP
ok() {
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		sed 's/^/# /' out err
	fi
}

# run STATUS COMMAND...: expects the exit status; output in files out, err
run() {
	local want=$1
	shift
	"$@" > out 2> err
	[ $? -eq "$want" ]
}

has() { grep -qF -- "$2" "$1"; }

add() {
	local want=$1
	shift
	run "$want" "$bgpward" peer add "$@" --dir d
}

"$bgpward" init --as 64500 --address 192.0.2.1 --address 2001:db8::1 \
	--dir d > /dev/null || exit 1
"$bgpward" init --as 64501 --address 192.0.2.2 --address 2001:db8::2 \
	--dir p > /dev/null || exit 1
"$bgpward" init --as 64502 --address 192.0.2.3 --dir q > /dev/null || exit 1

# ---- adding
chmod 0640 d/bgpward.conf
add 0 as64501 --as 64501 --address 192.0.2.2 --address 2001:db8::2 \
	--trust p/ca.crt
ok $? 'adds a peer'
fingerprint=$(openssl x509 -in p/ca.crt -noout -fingerprint -sha256)
has out "${fingerprint#*=}"
ok $? 'shows the fingerprint to compare'
[ "$(stat -c %a d/peers/as64501.crt)" = 644 ] &&
	[ "$(stat -c %a d/bgpward.conf)" = 640 ]
ok $? 'modes: the anchor 0644, the configuration as it was'
cmp -s p/ca.crt d/peers/as64501.crt
ok $? 'the anchor is a copy'
run 0 "$bgpward" check -o -c d/bgpward.conf && [ "$(grep -v '^    plane ' out)" = \
'peer as64501: 192.0.2.1 <-> 192.0.2.2, AS 64501, require: ESP or nothing
peer as64501: 2001:db8::1 <-> 2001:db8::2, AS 64501, require: ESP or nothing
d/bgpward.conf: no errors' ]
ok $? 'check lists the pairs'
printf '# no newline at the end' >> d/bgpward.conf
cat q/ca.crt q/router.key > with_key.pem
add 0 as64502 --as 64502 --address 192.0.2.3 --trust q/ca.crt &&
	run 0 "$bgpward" check -o -c d/bgpward.conf && has out 'AS 64502'
ok $? 'adds a second one after a line without newline'
[ "$(ls -A d | tr '\n' ' ')" = \
	'bgpward.conf ca.crt ca.key peers router.crt router.key ' ]
ok $? 'no temporary file is left'

# ---- refusals: both values, and nothing changed
cp -a d before
refuse() {
	local what=$1
	shift
	add 2 "$@" && has err "$what" && diff -r before d > out
	ok $? "refuses: $what"
}
new=(--as 64501 --address 192.0.2.2)
refuse 'd/bgpward.conf:22: peer as64501 is there already' as64501 \
	"${new[@]}" --trust p/ca.crt
refuse 'd/bgpward.conf:22: peer as64501 has address 192.0.2.2 already' x \
	"${new[@]}" --trust p/ca.crt
refuse 'holds AS 64501, --as is 64503' x --as 64503 --address 192.0.2.2 \
	--trust p/ca.crt
refuse 'holds 192.0.2.2, 2001:db8::2, --address is 192.0.2.9' x --as 64501 \
	--address 192.0.2.9 --trust p/ca.crt
refuse 'certificate CN=AS64501 router 192.0.2.2 is no CA' x "${new[@]}" \
	--trust p/router.crt
refuse 'nix cannot be opened: No such file' x "${new[@]}" --trust nix
refuse 'with_key.pem is malformed, expected 1 to 8 PEM certificates' x \
	--as 64502 --address 192.0.2.3 --trust with_key.pem
refuse "NAME 'A' is no name" A "${new[@]}" --trust p/ca.crt
refuse "NAME '../x' is no name" ../x "${new[@]}" --trust p/ca.crt
refuse "NAME 'a{}' is no name" 'a{}' "${new[@]}" --trust p/ca.crt
refuse 'NAME is missing' "${new[@]}" --trust p/ca.crt
refuse '--trust is missing' x "${new[@]}"
refuse '--address is missing: give the one of the peer that BGP uses' x \
	--as 64501 --trust p/ca.crt
refuse 'a loopback interface of the peer that this router can route to' x \
	--as 64501 --address 127.0.0.1 --trust p/ca.crt
refuse '--as is missing: give the AS number of the peer' x --address 192.0.2.2 --trust p/ca.crt
refuse "argument 'y' is one too many" x y "${new[@]}" --trust p/ca.crt
# our own address, which only the whole configuration can tell
"$bgpward" init --as 64505 --address 192.0.2.1 --dir r > /dev/null
refuse 'd/bgpward.conf:37: address 192.0.2.1 is also in section local' x \
	--as 64505 --address 192.0.2.1 --trust r/ca.crt
"$bgpward" init --as 64506 --address 192.0.2.6 --dir s > /dev/null
echo mine > d/peers/x.crt && echo mine > before/peers/x.crt
refuse 'd/peers/x.crt is in the way' x --as 64506 --address 192.0.2.6 \
	--trust s/ca.crt
sed -i 's/= 14400/= 1/' d/bgpward.conf && cp -a d/bgpward.conf before/
refuse "ike_lifetime = '1', expected 5 .. 86400" y --as 64506 \
	--address 192.0.2.6 --trust s/ca.crt
run 2 "$bgpward" peer add x "${new[@]}" --trust p/ca.crt --dir nowhere &&
	has err 'folder nowhere: run `bgpward init` first'
ok $? 'no folder yet: says what to do'
mv p/bgpward.conf real.conf && ln -s ../real.conf p/bgpward.conf
run 2 "$bgpward" peer add x --as 64502 --address 192.0.2.3 --trust q/ca.crt \
	--dir p && has err 'is a symbolic link' && [ -L p/bgpward.conf ]
ok $? 'does not replace a symbolic link'
run 2 "$bgpward" peer && run 2 "$bgpward" peer remove x && has err "'remove'"
ok $? 'peer has the command add only'
run 0 "$bgpward" peer add --help && has out '--trust=FILE' && [ ! -s err ] &&
	has out 'AS number of the peer' && has out 'address of the peer' &&
	run 0 "$bgpward" peer --help && has out '--trust=FILE'
ok $? 'help on standard output, exit 0'

# two at once: both sections survive
rm q/ca.key # not needed any more
for i in $(seq 10 25); do
	"$bgpward" init --as "$((64600 + i))" --address "192.0.2.$i" \
		--dir "n$i" > /dev/null
done
for i in $(seq 10 25); do
	"$bgpward" peer add "n$i" --as "$((64600 + i))" \
		--address "192.0.2.$i" --trust "n$i/ca.crt" --dir q \
		> /dev/null 2>> err &
done
wait
run 0 "$bgpward" check -o -c q/bgpward.conf && [ "$(grep -c ^peer out)" -eq 16 ]
ok $? 'sixteen at the same moment lose nothing'

# ---- check
run 2 "$bgpward" check -o -c d/bgpward.conf && [ ! -s out ] &&
	[ "$(cat err)" = "d/bgpward.conf:15: ike_lifetime = '1', expected 5 .. \
86400 (seconds): correct it" ]
ok $? 'check: errors on standard error, exit 2'
cat > all.conf <<'END'
local {
	as = 23456
	addresses = {"192.0.2.1", "ff02::5"}
	certificate = "d/router.crt"
	key = "d/ca.key"
}
colour = blue
peer a { as = 64501 trust = "p/ca.crt" addresses = {"192.0.2.2"} }
peer b { as = 64501 trust = "d/ca.crt" addresses = {"192.0.2.2"} }
END
chmod 0644 d/ca.key
run 2 "$bgpward" check -o --config=all.conf && [ "$(cut -d: -f1,2 err | sort |
	uniq -c | awk '{ print $2 "x" $1 }' | tr '\n' ' ')" = \
	'all.conf:2x1 all.conf:3x1 all.conf:5x1 all.conf:7x1 all.conf:9x2 ' ]
ok $? 'check: all errors in one run, with their lines'
"$bgpward" init --as 64500 --address 192.0.2.200 --dir here > out 2> err
run 2 "$bgpward" check -c here/bgpward.conf && has err '192.0.2.200'
ok $? 'check: an address that is on no interface'
run 0 "$bgpward" check --offline -c here/bgpward.conf
ok $? 'check: but not so on another machine'
(sed '/^ike_lifetime/d' here/bgpward.conf && printf '%s\n' 'esp = "null-sha1"' \
	'ike = "aes256-prfsha256"') > here/words.conf
run 2 "$bgpward" check -o -c here/words.conf &&
	has err "esp = 'null-sha1': 'sha1' is no algorithm here, expected null" &&
	has err "ike = 'aes256-prfsha256': 'aes256-prfsha256' has no group"
ok $? 'check: algorithms that there are not'
# what the user plane cannot carry: found when the plane is asked
sed '/^peer as64501 {/,/^}/ s/^}/	plane = user\n	esp = "aes256gcm16"\n}/
	s/= 1$/= 14400/' d/bgpward.conf > d/unborne.conf
run 2 unshare -n sh -c 'ip link set lo up && ip address add 192.0.2.1 dev lo &&
	ip address add 2001:db8::1 dev lo nodad && "$1" check -c "$2"' - \
	"$bgpward" d/unborne.conf && has err 'd/unborne.conf:22: peer as64501: ' &&
	has out 'peer as64501: ' && ! has out 'no errors'
ok $? 'check: where nothing carries a pair it does not say "no errors"'
run 0 "$bgpward" check -o -c d/unborne.conf && has out 'no errors'
ok $? 'check: but so for another machine'
run 2 "$bgpward" check -o -c nix && has err 'nix cannot be opened'
ok $? 'check: no such file'
run 2 "$bgpward" check all.conf && has err "argument 'all.conf' is one too many"
ok $? 'check: file without option'
run 0 "$bgpward" check --help && has out '--config=FILE'
ok $? 'check: help'
echo "1..$number"
