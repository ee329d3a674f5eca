#!/bin/bash
# A restart decides like a reload: SAs that rest on what the configuration still
# trusts carry on, all others are removed before they are taken over.
. "$(dirname "$0")/lib.sh"
. "$E2E/lib_cert.sh"

conf() { echo "$(ward_dir a)/bgpward.conf"; }
anchors() { echo "$(ward_dir a)/peers/as64501.crt"; }
log_says() { grep -qE "$1" "$WORK/a/ward.log"; }
mark() { : > "$WORK/a/ward.log"; }
taken_over() { log_says "pair with $(addr b 4): [0-9]+ SAs taken over"; }
removed() { log_says "pair with $(addr b 4): [0-9]+ SAs of an earlier daemon removed"; }

lab_up
# b's CA may speak for two AS numbers, so that a's section may name either
cert_ca two 64501,AS:64999 "$(addr b 4)" "$(addr b 6)"
cert_router right two '1 day ago' '1 day' 64501 "$(addr b 4)" "$(addr b 6)"
ward_init a
ward_init b
cp "$PKI/right.crt" "$(ward_dir b)/router.crt"
cp "$PKI/right.key" "$(ward_dir b)/router.key"
ward_peer a b "$PKI/two.crt"
ward_peer b a
ward_start a
ward_start b
ok 'pairs a-b are protected' pair_wait a b
bird_start a b
bird_start b a
bgp_up a b
since=$(bird_changes a b4)

# One more anchor, and a crash: taken over.
ward_kill9 a
cp "$(anchors)" "$WORK/anchors"
cert_ca another 64501,AS:64999 "$(addr b 4)" "$(addr b 6)"
cat "$PKI/another.crt" >> "$(anchors)"
mark
ward_start a
ok 'with an anchor added, the SAs are taken over' taken_over
ok 'protected' pair_wait a b
bgp_lives a b 'after that start'
is "$(bird_changes a b4)" "$since" 'no flap'

# That anchor is taken away: removed. Nobody can say which one vouched.
ward_stop a
cp "$WORK/anchors" "$(anchors)"
mark
ward_start a
ok 'with an anchor taken away, they are removed' removed
not_ok 'and none is taken over' taken_over
ok 'what is still right is negotiated anew' pair_wait a b

# Another AS number: removed, and b, who holds the old one, stays out.
ward_kill9 a
sed -i '/^peer as64501/,/^}/s/as = 64501/as = 64999/' "$(conf)"
mark
ward_start a
ok 'with another AS number, they are removed' removed
ok 'and b is refused' until_ok 60 refused_for a b 4 wrong_as
is "$(sas_from a b)" 0 'no SA is there'

# What the reload knew, the restart knows: back, and the records are gone.
sed -i '/^peer as64501/,/^}/s/as = 64999/as = 64501/' "$(conf)"
ward_reload a
ok 'the old AS number again: protected' pair_wait a b
ward_stop a
rm -r "$WORK/a/control.trust"
mark
ward_start a
ok 'of unknown origin: removed' removed
ok 'and negotiated anew' pair_wait a b
bgp_up a b
done_testing
