#!/bin/bash
# `bgpward crl`: the CRL of a router's own CA, from nothing, renewed, with
# entries; and what it refuses without touching the file.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-$PWD/build}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. tests/e2e/lib_tap.sh

dir=$WORK/a
crl() { "$BUILD/bgpward" crl --dir "$dir" "$@"; }
text() { openssl crl -in "$dir/ca.crl" -noout -text "$@" 2>&1; }
left() { find "$dir" -name '.ca*' | wc -l; }
refused() {	# DESCRIPTION WORDS REGEX
	local before
	before=$(sha256sum "$dir/ca.crl" 2>&1)
	# shellcheck disable=SC2086 # words
	crl $2 > "$WORK/out" 2>&1
	is $? 2 "$1: refused"
	like "$(cat "$WORK/out")" "$3" 'and says why'
	is "$(sha256sum "$dir/ca.crl" 2>&1)" "$before" 'the file is as before'
}

for r in a b; do
	"$BUILD/bgpward" init --as 64500 --address 192.0.2.1 --dir "$WORK/$r" \
		> /dev/null || exit 1
done
refused 'a certificate of another CA' "--revoke $WORK/b/router.crt" \
	"was not issued by the CA in $dir/ca.crt"
refused "the CA's own" "--revoke $dir/ca.crt" \
	"is the CA's own, in $dir/ca.crt: name one"
refused 'no certificate' "--revoke $dir/bgpward.conf" 'is malformed'
refused 'no number of days' '--days 0' "'0' is not 1 .. 365"

ok 'it is made' crl
like "$(text -CAfile "$dir/ca.crt")" 'verify OK' 'signed by the CA'
like "$(text)" 'No Revoked Certificates' 'and empty'
ok 'a certificate is revoked' crl --revoke "$dir/router.crt" --days 7
serial=$(openssl x509 -in "$dir/router.crt" -noout -serial | sed s/.*=//)
like "$(text)" "Serial Number: $serial" 'it stands in it'
like "$(text | grep -A1 'CRL Number')" '^ +2$' 'under the next number'
is "$(( ($(date -d "$(openssl crl -in "$dir/ca.crl" -noout -nextupdate |
	sed s/.*=//)" +%s) - $(date +%s) + 3600) / 86400 ))" 7 'for seven days'
ok 'it is renewed' crl --revoke "$dir/router.crt"
is "$(text | grep -c "Serial Number: $serial")" 1 \
	'what was revoked stays revoked, once'
like "$(text -CAfile "$dir/ca.crt")" 'verify OK' 'signed by the CA'
is "$(left)" 0 'nothing is left behind'

# eight at the same moment: no revocation is lost
for i in 1 2 3 4 5 6 7 8; do
	openssl req -new -key "$dir/router.key" -subj "/CN=$i" 2>> "$WORK/log" |
		openssl x509 -req -CA "$dir/ca.crt" -CAkey "$dir/ca.key" \
			-set_serial "$((4096 + i))" -days 1 \
			-out "$WORK/$i.crt" 2>> "$WORK/log"
done
for i in 1 2 3 4 5 6 7 8; do
	crl --revoke "$WORK/$i.crt" > "$WORK/out.$i" 2>&1 &
done
wait
is "$(text | grep -c 'Serial Number: 100[1-8]$')" 8 \
	'eight revocations at the same moment stand in it, each'
is "$(left)" 0 'nothing is left behind'

# a link, to where the web server has it: not for us to cut
mv "$dir/ca.crl" "$WORK/published.crl"
ln -s "$WORK/published.crl" "$dir/ca.crl"
refused 'a symbolic link' '' 'ca.crl is a symbolic link.*--dir, or remove it'
is "$(readlink "$dir/ca.crl")" "$WORK/published.crl" 'and is still one'
rm "$dir/ca.crl"
mv "$WORK/published.crl" "$dir/ca.crl"

# what the peer says of it
cat > "$WORK/peer.conf" <<END
local { as = 64501 addresses = {192.0.2.2} certificate = p/router.crt key = p/router.key }
peer a { as = 64500 addresses = {192.0.2.1} trust = a/ca.crt crl = a/ca.crl }
END
"$BUILD/bgpward" init --as 64501 --address 192.0.2.2 --dir "$WORK/p" > /dev/null
ok 'the peer takes it' "$BUILD/bgpward" check -o -c "$WORK/peer.conf"

# a CA that is not of our making
for kind in ed25519 ed448; do
	mkdir "$WORK/$kind"
	(umask 077 && openssl genpkey -algorithm $kind -out "$WORK/$kind/ca.key")
	openssl req -x509 -new -key "$WORK/$kind/ca.key" -subj "/CN=$kind" \
		-days 9 -out "$WORK/$kind/ca.crt"
	ok "the CA has an $kind key" crl --dir "$WORK/$kind"
	like "$(openssl crl -in "$WORK/$kind/ca.crl" -noout -text \
		-CAfile "$WORK/$kind/ca.crt" 2>&1)" 'verify OK' 'signed by it'
done

cp "$WORK/b/ca.key" "$dir/ca.key"
refused 'the key of another CA' '' 'is not the key of'
echo half > "$dir/ca.crl"
"$BUILD/bgpward" init --as 64500 --address 192.0.2.1 --dir "$WORK/c" > /dev/null
cp "$WORK/c/ca.key" "$WORK/c/ca.crt" "$dir/"
"$BUILD/bgpward" crl --dir "$WORK/c" > /dev/null
cp "$WORK/ed25519/ca.crl" "$dir/ca.crl"
refused "another CA's CRL" '' 'is not one CRL of the CA in .*: move it away'
cat "$WORK/c/ca.crl" "$WORK/c/ca.crl" > "$dir/ca.crl"
refused 'two CRLs' '' 'is not one CRL of the CA in .*: move it away'
echo half > "$dir/ca.crl"
refused 'a file that is no CRL' '' 'is malformed.*or move it away'
done_testing
