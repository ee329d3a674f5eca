#!/bin/bash
# bgpward init: what it makes, and that it overwrites nothing. TAP.
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

# ---- what it makes
run 0 "$bgpward" init --as 64500 --address 192.0.2.1 --address 2001:db8::1 \
	--dir d
ok $? 'init works'
[ "$(cd d && stat -c '%n %a' -- * | tr '\n' ' ')" = \
	'bgpward.conf 644 ca.crt 644 ca.key 600 router.crt 644 router.key 600 ' ]
ok $? 'five files with their modes'
fingerprint=$(openssl x509 -in d/ca.crt -noout -fingerprint -sha256)
has out "${fingerprint#*=}" && has out 'Send d/ca.crt to each peer'
ok $? 'names what to send, with its fingerprint'
openssl verify -x509_strict -check_ss_sig -CAfile d/ca.crt d/router.crt \
	> out 2> err
ok $? 'the chain verifies by strict rules, resources included'
openssl x509 -in d/router.crt -noout -text > out 2> err
has out '64500' && has out '192.0.2.1/32' && has out '2001:db8:0:0:0:0:0:1/128' &&
	has out 'IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1' &&
	has out 'Digital Signature' && has out 'NIST CURVE: P-256'
ok $? 'the router certificate names AS and addresses'
openssl x509 -in d/ca.crt -noout -text > out 2> err
has out 'CA:TRUE, pathlen:0' && has out 'Certificate Sign, CRL Sign' &&
	has out 'sbgp-autonomousSysNum: critical'
ok $? 'the CA certificate is one'
openssl x509 -in d/ca.crt -noout -checkend $((3649 * 86400)) > out 2> err &&
	! openssl x509 -in d/router.crt -noout -checkend $((366 * 86400)) > out
ok $? 'ten years and one year'
[ "$(openssl pkey -in d/router.key -pubout)" = \
	"$(openssl x509 -in d/router.crt -noout -pubkey)" ]
ok $? 'the key is that of the certificate'
run 0 "$bgpward" check -o -c d/bgpward.conf
ok $? 'the configuration passes check as it stands'
(umask 0 && run 0 "$bgpward" init --as 64501 --address 192.0.2.2 --dir e) &&
	[ "$(stat -c %a e/ca.key e/router.key | sort -u)" = 600 ]
ok $? 'umask 0 opens no key'
serials=$(for c in d/ca d/router e/ca e/router; do
	openssl x509 -in $c.crt -noout -serial; done | sort -u | wc -l)
[ "$serials" -eq 4 ]
ok $? 'four serial numbers'

# ---- what it does not
cp -a d before
run 2 "$bgpward" init --as 64500 --address 192.0.2.1 --dir d &&
	[ "$(grep -c 'is in the way' err)" -eq 5 ] && diff -r before d > out
ok $? 'names five files in the way, changes none, exit 2'
for file in ca.key ca.crt router.key router.crt bgpward.conf; do
	rm -rf f && mkdir f && echo mine > f/$file
	run 2 "$bgpward" init --as 64500 --address 192.0.2.1 --dir f &&
		has err "f/$file is in the way" &&
		[ "$(ls f)" = $file ] && [ "$(cat f/$file)" = mine ]
	ok $? "$file in the way: nothing made"
done
rm -rf f && mkdir f && ln -s "$work/target" f/ca.key
run 2 "$bgpward" init --as 64500 --address 192.0.2.1 --dir f &&
	has err 'f/ca.key is in the way' && [ ! -e target ]
ok $? 'a dangling symbolic link is in the way and not followed'
run 1 "$bgpward" init --as 64500 --address 192.0.2.1 --dir no/such/place &&
	has err 'no/such/place'
ok $? 'no folder to make it in: exit 1'
echo file > plain
run 1 "$bgpward" init --as 64500 --address 192.0.2.1 --dir plain &&
	has err 'folder plain cannot be made: Not a directory'
ok $? 'the folder is a file: exit 1'
# the second file does not fit: the first one is removed again
many=()
for i in 1 2 3 4 5 6 7 8; do many+=(--address "2001:db8:1:2:3:4:5:$i"); done
small='trap "" XFSZ; ulimit -f 1; exec "$@"' # files of 512 bytes
run 1 sh -c "$small" - "$bgpward" init --as 64500 "${many[@]}" --dir full &&
	has err 'full/ca.crt cannot be written: File too large' && [ ! -e full ]
ok $? 'a write that fails leaves nothing'
mkdir kept &&
	run 1 sh -c "$small" - "$bgpward" init --as 64500 "${many[@]}" \
		--dir kept && [ -z "$(ls kept)" ]
ok $? 'nor does it remove a folder that was there'

# ---- wrong arguments: quoted, with the cure, exit 2, nothing made
refuse() {
	local what=$1
	shift
	run 2 "$bgpward" init "$@" --dir g && has err "$what" && [ ! -e g ]
	ok $? "refuses: $what"
}
address=(--address 192.0.2.1)
refuse "--as '0' is reserved" --as 0 "${address[@]}"
refuse "--as '23456' is AS_TRANS" --as 23456 "${address[@]}"
refuse "--as '4294967296' is no AS number" --as 4294967296 "${address[@]}"
refuse "--as '-1' is no AS number" --as -1 "${address[@]}"
refuse "--as 'x' is no AS number" --as x "${address[@]}"
refuse '--as is missing' "${address[@]}"
refuse '--address is missing' --as 64500
refuse "--address '192.0.2' is no IP address" --as 64500 --address 192.0.2
refuse "--address '224.0.0.1' is a multicast" --as 64500 --address 224.0.0.1
refuse "--address '127.0.0.1' is in 127.0.0.0/8, which no other machine can \
reach: give one on a loopback interface of this router that the peer can route \
to" --as 64500 --address 127.0.0.1
refuse "--address '::1' is loopback, which" --as 64500 --address ::1
refuse "--address '::' is the unspecified" --as 64500 --address ::
refuse "--address '192.0.2.1' is given twice" --as 64500 "${address[@]}" \
	"${address[@]}"
refuse "--address '192.0.2.1' is one too many" --as 64500 "${many[@]}" \
	"${address[@]}"
refuse "argument 'x' is one too many" --as 64500 "${address[@]}" x
refuse "unrecognized option '--foo'" --as 64500 "${address[@]}" --foo
run 0 "$bgpward" init --help && has out '--address=A' && [ ! -s err ]
ok $? 'help on standard output, exit 0'
echo "1..$number"
