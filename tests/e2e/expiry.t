#!/bin/bash
# A certificate that runs out: warned of before, renewed without a flap if a
# new one is there in time, and the end of the pair, on time, if not. All of it
# is the daemon's, so one plane will do.
. "$(dirname "$0")/lib.sh"
. "$E2E/lib_cert.sh"
user_only 'what it shows does not depend on the plane'

warned() { ward_get a '.pairs[].warnings[]' | grep -qE -- "$1"; }
until_is() { [ "$(pair_get a b "$1" .certificate.not_after)" = "$2" ]; }
end_of() {	# CERTIFICATE: its notAfter, as status writes it
	date -u -d "$(openssl x509 -in "$PKI/$1.crt" -noout -enddate |
		sed s/notAfter=//)" +%FT%TZ
}
show() {	# CERTIFICATE: b shows it from now on
	cp "$PKI/$1.crt" "$(ward_dir b)/router.crt"
	cp "$PKI/$1.key" "$(ward_dir b)/router.key"
}

lab_up
b4=$(addr b 4) b6=$(addr b 6)
cert_ca ca-b 64501 "$b4" "$b6"
cert_router first ca-b '1 day ago' '90 seconds' 64501 "$b4" "$b6"
cert_router new ca-b '1 day ago' '20 days' 64501 "$b4" "$b6"
ward_init a
ward_init b
ward_peer a b "$PKI/ca-b.crt"
ward_peer b a
show first
ward_start a
ward_start b
ok 'protected by a certificate that ends soon' pair_wait a b
ok 'status tells when' until_is 4 "$(end_of first)"
ok 'and warns' warned "the peer's certificate.* expires in 0 hours"
like "$(ward_get b '.local.warnings[]')" "this router's certificate expires" \
	'the router itself is warned of it too'
like "$(in_ns b "$BUILD/bgpward" check -c "$(ward_dir b)/bgpward.conf" 2>&1)" \
	'bgpward.conf:[0-9]+: certificate CN=first expires in 0 hours' \
	'and so it is by bgpward check'
bird_start a b
bird_start b a
bgp_up a b
since4=$(bird_changes a b4) since6=$(bird_changes a b6)

show new
ward_reload b
ok 'with a new one the end moves away' until_ok 30 until_is 4 "$(end_of new)"
ok 'IPv6 too' until_ok 30 until_is 6 "$(end_of new)"
is "$(bird_changes a b4)" "$since4" 'no flap, IPv4'
is "$(bird_changes a b6)" "$since6" 'no flap, IPv6'

# a's own is of `bgpward init`, and is renewed by `bgpward renew`.
seen_by_b() { [ "$(pair_get b a "$1" .certificate.not_after)" = "$2" ]; }
ok 'bgpward renew' in_ns a "$BUILD/bgpward" renew --days 200 \
	--dir "$(ward_dir a)"
cp "$(ward_dir a)/router.crt" "$PKI/renewed.crt"
not_ok 'b sees the present one' seen_by_b 4 "$(end_of renewed)"
ward_reload a
ok 'and after a reload of a the next' until_ok 30 seen_by_b 4 "$(end_of renewed)"
ok 'IPv6 too' until_ok 30 seen_by_b 6 "$(end_of renewed)"
ok 'the pair is protected' pair_wait b a
is "$(bird_changes a b4)" "$since4" 'no flap, IPv4'
is "$(bird_changes a b6)" "$since6" 'no flap, IPv6'

cert_router last ca-b '1 day ago' '40 seconds' 64501 "$b4" "$b6"
show last
ward_reload b
ok 'again one that ends soon' until_ok 30 until_is 4 "$(end_of last)"
not_ok 'the pair is still there' refused_for a b 4 expired
ok 'without a new one it closes, and status says why' until_ok 60 \
	refused_for a b 4 expired '.*certificate CN=last expired on'
now=$(date -u +%FT%TZ)
ok 'not before its end' [ ! "$now" '<' "$(end_of last)" ]
is "$(pair_get a b 4 '.child | length')" 0 'no SA is left'
show new
ward_reload b
ok 'a new one brings it back' pair_wait a b
bgp_anew a b

# A trust anchor that nothing rests on goes without a flap; the other one does
# not.
since4=$(bird_changes a b4)
cert_ca ca-other 64501 "$b4" "$b6"
anchors=$(ls "$(ward_dir a)"/peers/*.crt)
trust() {	# CA...: a trusts these in b's place
	local ca
	for ca; do cat "$PKI/$ca.crt"; done > "$anchors"
	ward_reload a
}
renewed() { [ "$(pair_spis a b 4)" != "$1" ] && pair_is a b 4 protected; }
spis=$(pair_spis a b 4)
trust ca-b ca-other
ok 'with another anchor beside it SAs are renewed' until_ok 30 renewed "$spis"
spis=$(pair_spis a b 4)
trust ca-b
ok 'and so they are when it is taken away' until_ok 30 renewed "$spis"
is "$(bird_changes a b4)" "$since4" 'no flap'
trust ca-other
ok 'without its own anchor the pair closes' \
	until_ok 30 refused_for a b 4 untrusted_issuer
is "$(pair_get a b 4 '.child | length')" 0 'no SA is left'
trust ca-b
ok 'with it again it is back' pair_wait a b
done_testing
