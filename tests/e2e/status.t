#!/bin/bash
# Issue 2: what `bgpward status` shows of every pair, for programs and for
# people: state, AS and certificate, algorithms, SPIs, ages, next rekeying,
# packets, drops by reason. And up and down, with what they are asked in vain.
. "$(dirname "$0")/lib.sh"

child() { pair_get a b 4 ".child[] | select(.kind == \"$1\") | $2"; }
older() { [ "$(pair_get a b 4 .ike.age)" -ge 2 ] && [ "$(child active .age)" -ge 2 ]; }
counted() { [ "$(child "$1" ".$2")" -ge 3 ]; }
says() {	# REGEX DESCRIPTION: `bgpward status`, for people
	like "$(ward_cli a status)" "$1" "people are told $2"
}
says_no() {	# STATUS REGEX DESCRIPTION COMMAND...
	local want=$1 regex=$2 what=$3 got
	shift 3
	got=$(ward_cli a "$@" 2>&1)
	is $? "$want" "$what: status $want"
	like "$got" "$regex" "$what: and why"
}

lab_up
ward_pair a b
ward_option a ike_lifetime 3000
ward_option a child_lifetime 3000
ward_start a
is "$(pair_get a b 4 .state)" connecting 'connecting, without a peer'
ip netns exec "$TOKEN"b /usr/bin/python3 "$E2E/answer_error.py" \
	"$(addr b 4)" 7 > "$WORK/b/answer.log" 2>&1 &
answers=$!
ok 'a peer that answers with an error: which' until_ok 60 refused_for a b 4 \
	peer_error 'the peer answered with an error: INVALID_SYNTAX \(7\)'
{ kill $answers; wait $answers; } 2>/dev/null
ward_start b
ok 'protected' pair_wait a b
bird_start a b
bird_start b a
bgp_up a b

is "$(pair_get a b 4 '.peer, .as, .local, .remote, .mode' | xargs)" \
	'as64501 64501 192.0.2.1 192.0.2.2 require' 'peer, AS and addresses'
is "$(pair_get a b 6 '.local, .remote' | xargs)" '2001:db8::1 2001:db8::2' \
	'and those of IPv6'
is "$(pair_get a b 4 .certificate.subject)" \
	"$(openssl x509 -in "$(ward_dir b)/router.crt" -noout -subject \
		-nameopt RFC2253 | sed s/subject=//)" \
	"the subject of the peer's certificate"
is "$(pair_get a b 4 .certificate.not_after)" \
	"$(date -u +%FT%TZ -d "$(openssl x509 -in "$(ward_dir b)/router.crt" \
		-noout -enddate | sed s/notAfter=//)")" 'and its end'
is "$(pair_get a b 4 '.ike.encr, .ike.prf, .ike.ke' | xargs)" \
	'AES_GCM_16-256 PRF_HMAC_SHA2_256 CURVE25519' "IKE's algorithms"
is "$(pair_get a b 4 '[.child[] | .kind] | sort | join(" ")')" \
	'active passive' 'two Child SAs'
is "$(pair_get a b 4 '[.child[].esp] | unique | join(" ")')" \
	'NULL/HMAC_SHA2_256_128/ESN' "ESP's algorithms"
is "$(child active '.spi_in, .spi_out' | xargs)" \
	"$(pair_get b a 4 '.child[] | select(.kind == "passive") |
		.spi_out, .spi_in' | xargs)" 'SPIs, the same at both ends'
like "$(child active .spi_in)" '^0x[0-9a-f]{8}$' 'in hexadecimal digits'
ok 'ages grow' until_ok 20 older
for kind in active passive; do
	ok "next rekey of Child SA $kind: at 80 .. 90 % of its life" eval \
		'at=$(child $kind ".age + .rekey") &&
		[ $at -ge 2395 ] && [ $at -le 2705 ]'
done
ok 'next rekey of the IKE SA' eval \
	'at=$(pair_get a b 4 ".ike.age + .ike.rekey") &&
	[ $at -ge 2395 ] && [ $at -le 2705 ]'

# BGP runs in one of the two; which, is BIRD's choice.
carries() { counted active packets_in || counted passive packets_in; }
until_ok 20 carries
used=passive
! counted active packets_in || used=active
for field in packets_in packets_out bytes_in bytes_out; do
	ok "$field are counted" until_ok 20 counted $used $field
done
attack wire tcp 192.0.2.2 192.0.2.1 40000 179 br0 "$(mac_of a)"
ok 'drops by reason' until_ok 10 eval '[ "$(drops a b 4 cleartext_in)" = 1 ]'
is "$(drops a b 6 cleartext_in)" 0 'of each pair by itself'
is "$(local_drops a 4 cleartext_in)" 0 "and not among strangers'"

says '^as64501  AS 64501  192.0.2.1 <-> 192.0.2.2  protected, plane ' 'the pair'
says '^    certificate of CN=.*, until 20' 'the certificate'
says '^    IKE SA as (initiator|responder): AES_GCM_16-256, .*, age .*, rekey in [0-9]+m' \
	'of the IKE SA'
says '^    active   in 0x.*, out 0x.*, NULL/HMAC_SHA2_256_128/ESN, age [0-9]+.*, rekey in [0-9]+m' \
	'of the Child SAs'
says '^             received [0-9]+ packets, [0-9]+ bytes; sent [0-9]+ packets' \
	'of packets'
says '^    drops: .*cleartext_in 1' 'of drops'

says_no 1 "no peer is named 'nobody'.*lists them" 'an unknown peer' down nobody
says_no 2 "peer" 'down without a name' down
says_no 2 "unexpected argument 'x'" 'too many words' status x
says_no 2 'no such command.*--help' 'an unknown command' frobnicate
ok 'down' ward_cli a down as64501
ok 'is down' pair_wait a b down
ward_reload a
until_ok 10 grep -q reloading "$WORK/a/ward.log"
is "$(pair_get a b 4 .state)" down 'and stays so at a reload'
says '192.0.2.2  down' 'so'
ok 'up' ward_cli a up as64501
ok 'protected again' pair_wait a b
# The disk is full, the daemon hangs.
to_full() { ward_cli a "$@" > /dev/full; }
for words in status 'status --json'; do
	# shellcheck disable=SC2086 # words
	not_ok "$words that cannot be written is an error" to_full $words
	like "$(cat "$WORK/ok.out")" 'cannot write.*No space left' 'and why'
done
kill -STOP "${WARD[a]}"
says_no 1 'no answer within [0-9]+ seconds.*restart' 'a daemon that hangs' status
kill -CONT "${WARD[a]}"
ward_stop a
says_no 1 'bgpwardd' 'no daemon' status
done_testing
