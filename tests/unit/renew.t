#!/bin/bash
# `bgpward renew`: the next certificate of a router, like the present one but
# for its time and number; and what it refuses without touching the file.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-$PWD/build}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. tests/e2e/lib_tap.sh

dir=$WORK/a
cert=$dir/router.crt
renew() { "$BUILD/bgpward" renew --dir "$dir" "$@"; }
left() { find "$dir" -name '.router*' | wc -l; }
field() { openssl x509 -in "$cert" -noout "-$1"; }
# Subject, key and extensions: all but number, time and signature
lasting() {
	openssl x509 -in "$cert" -noout -text -certopt \
		no_serial,no_validity,no_sigdump,no_signame
}
days() {	# from now to the end
	echo $((($(date -d "$(field enddate | sed s/.*=//)" +%s) -
		$(date +%s) + 3600) / 86400))
}
refused() {	# DESCRIPTION WORDS REGEX
	local before
	before=$(stat -c %i "$cert" 2>&1; sha256sum "$cert" 2>&1)
	# shellcheck disable=SC2086 # words
	renew $2 > "$WORK/out" 2>&1
	is $? 2 "$1: refused"
	like "$(cat "$WORK/out")" "$3" 'and says why'
	is "$(stat -c %i "$cert" 2>&1; sha256sum "$cert" 2>&1)" "$before" \
		'the file is as before'
}
afresh() {
	rm -rf "$dir"
	"$BUILD/bgpward" init --as 64500 --address 192.0.2.1 \
		--address 2001:db8::1 --dir "$dir" > /dev/null || exit 1
}

afresh
"$BUILD/bgpward" init --as 64500 --address 192.0.2.1 --dir "$WORK/b" \
	> /dev/null || exit 1
lasting=$(lasting) serial=$(field serial) end=$(field enddate)
chmod 0640 "$cert"
ok 'it is renewed' renew --days 500
said=$(cat "$WORK/ok.out")
like "$said" "^$cert is good until 20..-" 'says until when'
like "$said" 'systemctl reload bgpwardd' 'and what to do next'
is "$(lasting)" "$lasting" \
	'names, key, AS number, addresses and extensions are the same'
ok 'number and end are not' [ "$(field serial)$(field enddate)" != "$serial$end" ]
is "$(days)" 500 'for 500 days'
ok 'it verifies by strict rules, resources included' openssl verify \
	-x509_strict -check_ss_sig -CAfile "$dir/ca.crt" "$cert"
ok 'and bgpward check takes it' "$BUILD/bgpward" check -o \
	-c "$dir/bgpward.conf"
is "$(stat -c %a "$cert")" 640 'the mode is as it was'
if [ "$(id -u)" = 0 ]; then
	chown 12345:54321 "$cert"
	ok 'again' renew
	is "$(stat -c %u:%g "$cert")" 12345:54321 'the owner is as it was'
	chown 0:0 "$cert"
else
	ok 'again' renew
	skip 'the owner is as it was' 'needs root'
fi
is "$(days)" 365 'for a year, if nothing else is said'
cat "$WORK/b/ca.crt" >> "$cert"
ok 'with a CA certificate behind it' renew
is "$(grep -c BEGIN "$cert")" 2 'that stays there'
is "$(left)" 0 'nothing is left behind'

afresh
refused 'no number of days' '--days 0' "'0' is not 1 .. 3650"
refused 'a word' 'x' "'x' is one too many"
mv "$dir/ca.key" "$WORK/away.key"
refused 'a CA key that is kept elsewhere' '' \
	"key file $dir/ca.key cannot be opened.*bring ca.crt and ca.key to"
cp "$WORK/b/ca.key" "$dir/"
refused 'the key of another CA' '' \
	"$dir/ca.key is not the key of the first certificate in $dir/ca.crt"
cp "$WORK/b/ca.crt" "$dir/"
refused 'another CA' '' \
	"$cert was not issued by the CA in $dir/ca.crt, but by CN=AS64500 "
afresh
cp "$dir/router.crt" "$dir/ca.crt"
cp "$dir/router.key" "$dir/ca.key"
refused 'what is no CA' '' 'was not issued by the CA'
afresh
cp "$WORK/b/router.key" "$dir/"
refused 'the key of another router' '' 'router.key is not the key of the first'
afresh
rm "$dir/ca.crt"
refused 'no CA certificate' '' 'ca.crt cannot be opened'
afresh
rm "$cert"
refused 'no certificate' '' 'router.crt cannot be opened'
afresh
rm "$dir/router.key"
refused 'no key' '' 'router.key cannot be opened'
rm -rf "$dir"
refused 'no folder' '' 'folder .*/a: run `bgpward init` first'

afresh
openssl x509 -in "$dir/ca.crt" -signkey "$dir/ca.key" -days 10 \
	-out "$WORK/short.crt" 2> "$WORK/out" && cp "$WORK/short.crt" "$dir/ca.crt"
refused 'a CA that ends before' '--days 11' \
	'ends on 20.*before the new certificate would.*: give --days [0-9]+ or less, or make another CA'
ok 'what is left of it may be used' renew --days 9
is "$(days)" 9 'for so long'

afresh
mv "$cert" "$WORK/real.crt"
ln -s "$WORK/real.crt" "$cert"
refused 'a symbolic link' '' 'is a symbolic link.*--dir'
rm "$cert"
mv "$WORK/real.crt" "$cert"
before=$(sha256sum "$cert")
# shellcheck disable=SC2016 # for the other shell
ok 'where the disk is full' fails sh -c \
	'trap "" XFSZ; ulimit -f 1; exec "$@"' - "$BUILD/bgpward" renew --dir "$dir"
like "$(cat "$WORK/ok.out")" 'router.crt cannot be written: File too large' \
	'it says so'
is "$(sha256sum "$cert")" "$before" 'and the present one stays'
is "$(left)" 0 'nothing is left behind'
done_testing
