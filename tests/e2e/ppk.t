#!/bin/bash
# Post-quantum preshared keys (RFC 8784): required, in no hands but its own,
# optional while one side has none; a key that is changed or taken away takes
# its SAs along, at a reload and at a restart.
. "$(dirname "$0")/lib.sh"

new_key() { (umask 077 && openssl rand -hex 32 > "$WORK/$1"); }

# give ROUTER LINE...: the options of its only peer section, anew
give() {
	local file line
	file=$(ward_dir "$1")/bgpward.conf
	sed -i '/^\tppk/d' "$file"
	for line in "${@:2}"; do
		sed -i "/^peer /a\\	$line" "$file"
	done
}
key() { echo "ppk = \"$WORK/$1\""; }
mixed() {
	[ "$(pair_get "$1" "$2" 4 .ike.ppk)" = "$3" ] &&
		[ "$(pair_get "$1" "$2" 6 .ike.ppk)" = "$3" ]
}
mixed_on_both() { mixed a b "$1" && mixed b a "$1"; }
no_sas() { [ "$(sas_from a b)" = 0 ]; }

lab_up
new_key one
new_key two
ward_pair a b
give a "$(key one)" 'ppk_id = "a-b"'
give b "$(key one)" 'ppk_id = "a-b"'
ward_start a
ward_start b
ok 'required on both sides: protected' pair_wait a b
ok 'and the IKE SAs rest on it' mixed_on_both true
like "$(ward_cli a status | grep 'IKE SA')" ', PPK, ' 'status says so in words'
bird_start a b
bird_start b a
bgp_up a b
bgp_lives a b 'with a PPK'
since=$(bird_changes a b4)

# a crash: the SAs rest on what is still there
ward_kill9 a
ward_start a
ok 'after a crash: protected' pair_wait a b
ok 'and mixed again' until_ok 60 mixed_on_both true
is "$(bird_changes a b4)" "$since" 'no flap'

# another key under the name
give a "$(key two)" 'ppk_id = "a-b"'
ward_reload a
ok 'another key on one side: its SAs go' until_ok 60 no_sas
peer_refuses() { refused_for a b 4 bad_auth || refused_for a b 4 peer_refused; }
ok 'and none come' until_ok 60 peer_refuses
give b "$(key two)" 'ppk_id = "a-b"'
ward_reload b
ok 'on the other side too: protected' pair_wait a b
ok 'and mixed' until_ok 60 mixed_on_both true

# taken away while the daemon does not run
ward_stop a
give a
: > "$WORK/a/ward.log"
ward_start a
ok 'taken away before a restart: its SAs are not taken over' \
	grep -q 'SAs of an earlier daemon removed' "$WORK/a/ward.log"
refuses() {
	[ "$(pair_get b a 4 '.ike_drops.no_common_ppk // 0')" -gt 0 ]
}
ok 'b, which requires it, refuses' until_ok 60 refuses
is "$(sas_from a b)" 0 'no SA'

# optional
give b "$(key two)" 'ppk_id = "a-b"' 'ppk_required = no'
ward_reload b
ok 'optional on b: protected without' pair_wait a b
ok 'and says so' until_ok 60 mixed_on_both false
bgp_anew a b
since=$(bird_changes a b4)
: > "$WORK/a/ward.log"
give a "$(key two)" 'ppk_id = "a-b"' 'ppk_required = no'
ward_reload a
ok 'optional on both: protected' pair_wait a b
ok 'with' until_ok 60 mixed_on_both true
not_ok 'and was never closed' grep -q 'is closed' "$WORK/a/ward.log"
is "$(bird_changes a b4)" "$since" 'no flap'
not_ok 'no key in a log' grep -qF -f "$WORK/two" "$WORK/a/ward.log" \
	"$WORK/b/ward.log"
done_testing
