#!/bin/bash
# Issue 4: CRLs from files. Router a holds b's chain against one; what becomes
# of the file shows at once, and c, who has none, is not touched.
. "$(dirname "$0")/lib.sh"
. "$E2E/lib_cert.sh"

crl=$WORK/a/b.crl

# put [FORMAT]: the CRL of b's CA into place, by rename, as DER or PEM
put() {
	openssl crl -in "$PKI/ca-b.crl" -outform "${1:-PEM}" -out "$crl.new" &&
		mv "$crl.new" "$crl"
}
warned() { ward_get a '.pairs[].warnings[]' | grep -qE -- "$1"; }
log_says() { grep -qE -- "$1" "$WORK/a/ward.log"; }
spis_differ() { [ "$(pair_spis a b 4)" != "$1" ] && pair_is a b 4 protected; }
crl_until_is() { [ "$(pair_get a b 4 .certificate.crl_until)" = "$1" ]; }

lab_up
b4=$(addr b 4) b6=$(addr b 6)
cert_ca ca-b 64501 "$b4" "$b6"
cert_router right ca-b '1 day ago' '20 days' 64501 "$b4" "$b6"
for r in a b c; do ward_init "$r"; done
cp "$PKI/right.crt" "$(ward_dir b)/router.crt"
cp "$PKI/right.key" "$(ward_dir b)/router.key"
ward_peer a b "$PKI/ca-b.crt"
ward_peer a c
ward_peer b a
ward_peer c a
sed -i "/^peer as64501 {/a\\	crl = {\"$crl\"}" "$(ward_dir a)/bgpward.conf"

# ------------------------------------------------------------- none at start
ward_start a
ward_start b
ward_start c
ok 'the guard stands and c is protected without b.crl' pair_wait a c
ok 'b is refused, and status says why' until_ok 60 refused_for a b 4 \
	crl_missing '.*CN=ca-b issued.*no usable CRL'
ok 'and warns of the file' warned 'b\.crl cannot be opened: No such file'
in_ns a "$BUILD/bgpward" check -c "$(ward_dir a)/bgpward.conf" \
	> "$WORK/check" 2>&1
is $? 2 'bgpward check refuses it too'
like "$(cat "$WORK/check")" 'bgpward.conf:[0-9]+: CRL file .*b\.crl cannot be' \
	'with the line'

cert_crl ca-b '20 days'
put
ok 'with a CRL in its place b is protected' pair_wait a b
bird_start a b c
bird_start b a
bird_start c a
bgp_up a b
bgp_up a c
since=$(bird_changes a b4)
c4=$(bird_changes a c4) c6=$(bird_changes a c6)
c_spis="$(pair_spis a c 4) $(pair_spis a c 6)"
spis=$(pair_spis a b 4)
like "$(pair_get a b 4 .certificate.crl_until)" '^20..-..-..T..:..:..Z$' \
	'status shows until when it is good'

# ------------------------------------------- what does not take its place
head -c 200 "$PKI/ca-b.crl" > "$crl"
ok 'a half-written file is warned of' until_ok 30 warned 'b\.crl is malformed'
rm "$crl"
ok 'and one that is gone' until_ok 30 warned 'b\.crl cannot be opened'
head -c 200 "$PKI/ca-b.crl" > "$crl"
ward_reload a
ok 'a reload keeps the last good one as well' \
	until_ok 30 log_says 'bgpward.conf:[0-9]+: CRL file .*is malformed'
cert_ca ca-b-forged 64501 "$b4" "$b6"
openssl req -x509 -key "$PKI/ca-b-forged.key" -subj /CN=ca-b -days 1 \
	-config "$PKI/ca-b-forged.cnf" -extensions ca \
	-out "$PKI/ca-b-forged.crt" 2>> "$PKI/log"
cert_crl ca-b-forged '20 days' right
mv "$PKI/ca-b-forged.crl" "$crl"
ok 'and one that somebody else signed' until_ok 30 warned \
	'b\.crl is not signed by the trust anchor that it names'
# a typing error in the option is not what closes a pair
sed -i "s|crl = {\"$crl\"}|crl = {\"$crl\", \"$crl.typo\"}|" \
	"$(ward_dir a)/bgpward.conf"
ward_reload a
ok 'a reload that names a file that is not there is refused' \
	until_ok 30 log_says 'bgpward.conf:[0-9]+: CRL file .*\.typo cannot be'
ok 'and all stays as it was' until_ok 30 log_says 'in force stays as it was'
sed -i "s|, \"$crl.typo\"||" "$(ward_dir a)/bgpward.conf"
is "$(pair_get a b 4 .state)" protected 'b is protected all the while'
is "$(pair_spis a b 4)" "$spis" 'by the same SAs'
cert_crl ca-b '20 days'
put DER
ok 'one in DER is taken, and nothing is warned of' \
	until_ok 30 fails warned 'b\.crl'
is "$(pair_spis a b 4)" "$spis" 'and the SAs are still the same'
is "$(bird_changes a b4)" "$since" 'the session with b has not flapped'

# ------------------------------------------------------------------ revoked
# Noise only makes it longer, so the best of up to three counts.
took=
revoke() {
	cert_crl ca-b '20 days' right
	cp "$PKI/ca-b.crl" "$crl.new"
	took=$(/usr/bin/python3 "$E2E/replace_file.py" "$crl.new" "$crl" \
		"$WORK/a/ward.log" "pair with $b4 is closed")
	[ "${took:-9999}" -lt $((1000 * PATIENCE)) ]
}
revoke_again() {
	cert_crl ca-b '20 days'
	put
	pair_wait a b && revoke
}
closes_in_time() { revoke || revoke_again || revoke_again; }
ok 'a revoked certificate closes the pair within a second' closes_in_time
diag "closed after ${took:-no} ms"
ok 'of the other family too' until_ok 5 pair_is a b 6 connecting
ok 'the reason stands in status, with number and date' \
	until_ok 10 refused_for a b 4 revoked \
	'certificate 0x[0-9A-F]+ of as64501 \(CN=right\) was revoked on 20'
ok 'the peer was told' until_ok 30 pair_is b a 4 connecting
ok 'and is refused when it tries again' until_ok 30 refused_for a b 4 revoked
is "$(pair_get a b 4 '.child | length')" 0 'no SA is left'
CRL_FROM='1 hour ago' cert_crl ca-b '20 days'
put
ok 'an older one, without it, does not count' until_ok 30 warned \
	'b\.crl holds an older CRL than the one in force: replace it'
: > "$WORK/a/ward.log"
ward_reload a
until_ok 20 log_says 'reloading'
ok 'not by a reload either' until_ok 30 warned 'holds an older CRL'
not_ok 'b stays out' pair_is a b 4 protected
is "$(pair_spis a c 4) $(pair_spis a c 6)" "$c_spis" 'c keeps its SAs'

cert_crl ca-b '20 days'
put
ok 'a CRL without it brings the pair back' pair_wait a b
is "$(pair_get a b 4 .failure)" null 'and nothing is said against it'
bgp_anew a b

# ------------------------------------------------------ one that runs out
since=$(bird_changes a b4)
cert_crl ca-b '50 seconds'
put
ok 'a CRL that ends soon counts at once' until_ok 30 crl_until_is \
	"$(date -u -d "$(openssl crl -in "$crl" -noout -nextupdate |
		sed s/nextUpdate=//)" +%FT%TZ)"
spis=$(pair_spis a b 4)
cert_crl ca-b '20 days'
put
ok 'a fresh one in time: SAs are renewed' until_ok 60 spis_differ "$spis"
is "$(bird_changes a b4)" "$since" 'before the old ones end: no flap'
cert_crl ca-b '20 seconds'
put
ok 'without a fresh one the pair closes when it ends, and status says so' \
	until_ok 60 refused_for a b 4 crl_expired \
	'.*the CRL of CN=ca-b ran out on .*get a fresh one'
ok 'IPv6 too' until_ok 60 refused_for a b 6 crl_expired
ok 'and warns' warned 'CRL .* expired on'
cert_crl ca-b '20 days'
put
ok 'a fresh one brings it back' pair_wait a b
bgp_up a b

is "$(bird_changes a c4)" "$c4" 'the session with c did not flap, IPv4'
is "$(bird_changes a c6)" "$c6" 'the session with c did not flap, IPv6'
bgp_lives a c
done_testing
