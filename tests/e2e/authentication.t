#!/bin/bash
# Issue 2, 6: who may. Router b shows one certificate after the other (by
# strongSwan, because bgpwardd would not start with most of them); each wrong
# one is refused with its own reason, and the session of a with c stays up.
. "$(dirname "$0")/lib.sh"
. "$E2E/lib_swan.sh"
. "$E2E/lib_cert.sh"

lab_up
b4=$(addr b 4) b6=$(addr b 6) c4=$(addr c 4)
yesterday='1 day ago' tomorrow='1 day'
cert_ca ca-b 64501 "$b4" "$b6"
cert_ca ca-b-66 64666 "$b4" "$b6"
cert_ca ca-b-99 64501 192.0.2.99 2001:db8::99
cert_ca ca-stranger 64501 "$b4" "$b6"
cert_ca ca-c-greedy 64501 "$b4" "$b6" "$c4"
# a's anchors for b: one CA for each thing that b's own CA might certify
cat "$PKI/ca-b.crt" "$PKI/ca-b-66.crt" "$PKI/ca-b-99.crt" > "$PKI/trust-b.crt"

cert_router right ca-b "$yesterday" "$tomorrow" 64501 "$b4" "$b6"
cert_router wrong_as ca-b-66 "$yesterday" "$tomorrow" 64666 "$b4" "$b6"
cert_router wrong_address ca-b-99 "$yesterday" "$tomorrow" 64501 \
	192.0.2.99 2001:db8::99
cert_router expired ca-b '3 days ago' "$yesterday" 64501 "$b4" "$b6"
cert_router not_yet ca-b "$tomorrow" '3 days' 64501 "$b4" "$b6"
cert_router foreign ca-stranger "$yesterday" "$tomorrow" 64501 "$b4" "$b6"
cert_router neighbour ca-c-greedy "$yesterday" "$tomorrow" 64501 "$b4" "$b6"
cert_router beyond ca-b "$yesterday" "$tomorrow" 64501 "$b4" "$b6" "$c4"

ward_init a
ward_init c
# what c's CA says of b is said by an anchor of c's
cat "$(ward_dir c)/ca.crt" "$PKI/ca-c-greedy.crt" > "$PKI/trust-c.crt"
ward_peer a b "$PKI/trust-b.crt"
ward_peer a c "$PKI/trust-c.crt"
ward_peer c a
ward_start a
ward_start c
ok 'pairs a-c are protected' pair_wait a c
bird_start a b c
bird_start c a
bgp_up a c
since4=$(bird_changes a c4) since6=$(bird_changes a c6)

# b_shows CERTIFICATE: strongSwan in b, anew, with these credentials
b_shows() {
	[ -z "${SWAN[b]:-}" ] || swan_stop b
	swan_setup b
	swan_credentials b "$PKI/$1.crt" "$PKI/$1.key"
	swan_trust b "$(ward_dir a)/ca.crt"
	swan_start b a start
}

refused() {	# CERTIFICATE REASON SENTENCE DESCRIPTION
	b_shows "$1"
	ok "$4: $2, and says so" until_ok 60 refused_for a b 4 "$2" ".*$3" ||
		diag "status: $(pair_get a b 4 '.failure | tojson')"
	ok "$4, IPv6: $2" until_ok 60 refused_for a b 6 "$2"
	is "$(sas_from a b)" 0 'no SA for it'
}

refused wrong_as wrong_as 'holds AS 64666.*configured with AS 64501' 'wrong AS'
refused wrong_address wrong_address '192\.0\.2\.99.*192\.0\.2\.2' \
	'wrong address'
refused expired expired expired 'expired'
refused not_yet not_yet_valid 'not valid before' 'not yet valid'
refused foreign untrusted_issuer . 'foreign CA'
refused wrong_as wrong_as 64666 'wrong AS, again'
refused neighbour untrusted_issuer . \
	'the CA of a neighbour vouches for b'
refused beyond resources_not_encompassed . 'more resources than its CA has'
if user_plane; then	# strongSwan has no ESP where the kernel has none
	swan_stop b
	ward_init b
	cp "$PKI/right.crt" "$(ward_dir b)/router.crt"
	cp "$PKI/right.key" "$(ward_dir b)/router.key"
	ward_peer b a
	ward_start b
else
	b_shows right
fi
ok 'right AS: protected' pair_wait a b
like "$(pair_get a b 4 .certificate.subject)" right 'status shows its subject'
is "$(bird_changes a c4)" "$since4" 'the session with c did not flap, IPv4'
is "$(bird_changes a c6)" "$since6" 'the session with c did not flap, IPv6'
bird_start b a
bgp_up a b
done_testing
