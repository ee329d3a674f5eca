# shellcheck shell=bash
# What every interoperation scenario begins with. bgpwardd runs in router a,
# strongSwan 5.9.8 in router b; between the cases of a scenario the network
# stays, and strongSwan only loads another configuration.
#
# Each case is one line of tests/out/interop/SCENARIO.tsv, which tests/interop/
# table makes README's table of: case, who begins (bgpward, strongSwan, both),
# passed or failed, what was seen. A case passes if none of its tests fails.

INTEROP=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
RESULTS=$INTEROP/../out/interop/$(basename "$0" .t).tsv

# Where the virtual machine ran the scenario, its TAP has the results.
results_of_tap() {
	local tap
	tap=$INTEROP/../out/lab/$(basename "$0" .t).tap
	[ ! -s "$tap" ] || sed -n 's/^# result: //p' "$tap" > "$RESULTS"
}

if [ "${PLANE:-kernel}" = kernel ]; then
	mkdir -p "$(dirname "$RESULTS")"
	rm -f "$RESULTS"
	trap results_of_tap EXIT
fi
. "$INTEROP/../e2e/lib.sh"
kernel_only 'strongSwan has the kernel carry its ESP'
. "$E2E/lib_swan.sh"
. "$E2E/lib_cert.sh"
ROUTERS='a b'

# ------------------------------------------------------------- the two sides

interop_up() {
	lab_up
	ward_pair a b
	cp -r "$(ward_dir a)" "$(ward_dir a).orig"
	swan_setup b
	sed -i 's/retransmit_tries = .*/&\n\t\tretransmit_timeout = 1/' \
		"$(swan_dir b)/strongswan.conf"
	swan_trust b "$(ward_dir a)/ca.crt"
	given
	swan_run b
	ward_stands
	ward_kill9 a	# the guard stands from now on
	talk_start a b
	talk_start b a
	capture_start clear "tcp port 179 and
		(src host $(addr a 4) or src host $(addr a 6))"
}

interop_done() {
	capture_stop clear
	is "$(clear_frames clear)" 0 'bgpward let nothing out in clear, ever'
	done_testing
}

# given LINE...: both sides as they come from `bgpward init` and lib_swan.sh; a
# with these lines in b's section, or outside of it where they begin with
# "global". What SWAN_... are to be comes after it.
given() {
	local dir line
	unset BEFORE SWAN_IKE SWAN_ESP SWAN_AUTH SWAN_THEIR_AUTH SWAN_SECRET \
		SWAN_MORE SWAN_CHILD_MORE SWAN_SECRETS
	swan_credentials b
	dir=$(ward_dir a)
	rm -rf "$dir"
	cp -r "$dir.orig" "$dir"
	for line; do
		case $line in
		'global '*)
			line=${line#global }
			sed -i "/^${line%% *} = /d" "$dir/bgpward.conf"
			ward_add a "$line" ;;
		*) sed -i "/^peer as64501 {/a\\	$line" "$dir/bgpward.conf" ;;
		esac
	done
}

# ward_psk: a authenticates by pre-shared key
SECRET=0123456789abcdef0123456789abcdef
ward_psk() {
	local dir
	dir=$(ward_dir a)
	(umask 077 && echo "$SECRET" > "$dir/key.psk")
	grep -rl 'trust = ' "$dir" | xargs sed -i \
		"s|^\\(.*\\)trust = .*|\\1auth = psk\n\\1secret = \"$dir/key.psk\"|"
}

swan_lines() { sed -n "\$=" "$WORK/b/swan.log" 2>/dev/null || true; }

# What charon has logged since the case began
swan_log() { tail -n "+$((${SWAN_LINES:-0} + 1))" "$WORK/b/swan.log"; }
swan_says() { swan_log | grep -qE -- "$1"; }
swan_count() { swan_log | grep -cE -- "$1"; }

# ------------------------------------------------------------------- traffic

declare -A TALK
talk_start() {		# ROUTER OTHER
	ip netns exec "$TOKEN$1" /usr/bin/python3 "$INTEROP/talk.py" "$WORK/$1/talk" \
		$((9 * ${PATIENCE:-1})) "$(addr4 "$1"),$(addr4 "$2")" \
		"$(addr6 "$1"),$(addr6 "$2")" > "$WORK/$1/talk.log" 2>&1 &
	until_ok 20 test -e "$WORK/$1/talk" ||
		bail_out "talk.py: $(cat "$WORK/$1/talk.log")"
	# `ip netns exec` has become python
	TALK[$1]=$!
}

# talk_anew: connections of before are forgotten
talk_anew() {
	local r begins
	for r in a b; do
		begins=$(head -n 1 "$WORK/$r/talk")
		kill -USR1 "${TALK[$r]}"
		until_ok 20 talk_begun "$r" "$begins" ||
			bail_out "talk.py: $(cat "$WORK/$r/talk.log")"
	done
}
talk_begun() { [ "$(head -n 1 "$WORK/$1/talk")" -gt "$2" ]; }

# talk_numbers COLUMN: 2 connections made, 3 of them lost, 4 lines echoed; of
# a's and b's connections, in both families
talk_numbers() {
	awk -v "c=$1" 'FNR > 1 { print $c }' "$WORK/a/talk" "$WORK/b/talk" | xargs
}

# talks COUNT: so many lines more than at talk_mark went through each connection
talk_mark() { MARK=$(talk_numbers 4); }
talks() {
	local i now mark
	read -ra now <<< "$(talk_numbers 4)"
	read -ra mark <<< "$MARK"
	[ ${#now[@]} = 4 ] || return 1
	for i in 0 1 2 3; do
		[ "${now[i]}" -ge $((mark[i] + $1)) ] || return 1
	done
}

# traffic: from now on, lines go both ways over connections of either side
traffic() {
	talk_mark
	ok "${1:-$CASE}: TCP/179, connections of both sides and families" \
		until_ok 30 talks 3
}

# unharmed: traffic goes on over the connections that it began with
unharmed() {
	traffic "$CASE, afterwards"
	is "$(talk_numbers 2); $(talk_numbers 3)" '1 1 1 1; 0 0 0 0' \
		"$CASE: no connection was lost"
	is "$(xfrm_stat a XfrmInNoStates)" "$NO_SA" \
		"$CASE: what the classifier let through had its SA"
}

# lossless: since connect, nothing came under an SA that is not there yet or not
# any more. Not so where strongSwan answers an IKE_AUTH: it may send under the
# new SA before bgpwardd can have it (RFC 7296 2.8).
lossless() {
	is "$(unknown_spis)" "$UNKNOWN_SPIS" \
		"$CASE: no packet came under an SPI that no SA has"
}
unknown_spis() { ward_get a '[.pairs[].drops.unknown_spi] | add'; }

# --------------------------------------------------------------------- cases

# begin NAME WHO: bgpward, strongSwan or both
begin() {
	CASE=$1 WHO=$2 SEEN=''
	FAILED_BEFORE=$TAP_FAILED
	SWAN_LINES=$(swan_lines)
	diag "---- $CASE, $WHO begins ($SECONDS s)"
}

# seen TEXT: for the last column of the table
remember() { SEEN=${SEEN:+$SEEN; }$1; }

# end: the result of the case
end() {
	local result=passed line
	[ "$TAP_FAILED" = "$FAILED_BEFORE" ] || result=failed
	printf -v line '%s\t%s\t%s\t%s' "$CASE" "$WHO" "$result" "$SEEN"
	printf '# result: %s\n' "$line"
	printf '%s\n' "$line" >> "$RESULTS"
}

# connect: both as given; the one that WHO says begins. Then both Child SAs of
# both families carry TCP, in both directions.
connect() {
	local role=initiator
	swan_configure b a none
	swan_load b
	[ "$WHO" != strongSwan ] || { role=responder; only_begins b; }
	[ "$WHO" = strongSwan ] || ${BEFORE:-}
	ward_stands
	if [ "$WHO" = strongSwan ]; then
		${BEFORE:-}
		ok "$CASE: strongSwan begins" swan_begins_both
	fi
	ok "$CASE: the pairs are protected" until_ok 60 pairs_are protected
	talk_anew
	traffic
	ok "$CASE: each SA carried some of it" until_ok 20 all_carry
	like "$STATUS" "^$role .* \\| $role " \
		"$CASE: bgpwardd is $role in both families"
	NO_SA=$(xfrm_stat a XfrmInNoStates)
	UNKNOWN_SPIS=$(unknown_spis)
}

# ward_stands: bgpwardd started, by its log: quicker than to ask it
ward_stands() {
	local stands
	touch "$WORK/a/ward.log"
	stands=$(grep -c 'the guard stands' "$WORK/a/ward.log")
	ward_run a
	until_ok 30 stands_again "$stands" ||
		bail_out "bgpwardd does not start: $(tail "$WORK/a/ward.log")"
}
stands_again() {
	[ "$(grep -c 'the guard stands' "$WORK/a/ward.log")" -gt "$1" ]
}

swan_begins_both() {
	local four
	swan_begins b a 4 &
	four=$!
	swan_begins b a 6 && wait $four
}

# Of each pair, in one call: the emulated machine is slow with processes.
pairs_are() {
	[ "$(ward_get a '[.pairs[].state] | unique | join(" ")')" = "$1" ]
}
# "ROLE IKE ..., ESP ... active+ passive+", for each pair
STATUS_FILTER='[.pairs[] | .ike.role + " IKE " +
	(.ike | [.encr, .prf, .ke] | join(" ")) + ", ESP " +
	([.child[].esp] | unique | join(" ")) +
	([.child[] | " " + .kind + if .packets_in > 0 and .packets_out > 0
		then "+" else "-" end] | sort | join(""))] | join(" | ")'
# Where SAs are rekeyed all the time, fresh ones have carried nothing yet.
all_carry() {
	local both=' active\+[^|]* passive\+'
	STATUS=$(ward_get a "$STATUS_FILTER")
	[[ $STATUS =~ ${both}[^|]*\|.*$both ]]
}

# What both agreed on, which must be the same in both families: $SUITE
algorithms() {
	local first=${STATUS%% active*} second=${STATUS##* | }
	second=${second%% active*}
	is "$second" "$first" "$CASE: the same in IPv6"
	SUITE=$(sed 's/^[a-z]* //; s/PRF_//' <<< "$first")
	remember "$SUITE"
}

# part: as if neither had ever met the other
part() {
	local r
	ward_cli a down as64501 > "$WORK/down.log" 2>&1
	ward_kill9 a
	[ "$WHO" != strongSwan ] || both_begin b
	until_ok 20 swan_idle || swan_anew
	for r in a b; do
		ip -n "$TOKEN$r" xfrm state flush
	done
	ip -n "$TOKEN"b xfrm policy flush
}
swan_anew() {
	swan_kill9 b
	swan_run b
}
swan_idle() {
	[ -z "$(swan_cli b --list-sas)" ] && return
	swan_cli b --terminate --ike a4 --force
	swan_cli b --terminate --ike a6 --force
	[ -z "$(swan_cli b --list-sas)" ]
}
# meets NAME: as given, with both in turn as the one who begins
meets() {
	local who
	for who in bgpward strongSwan; do
		begin "$1" "$who"
		connect
		algorithms
		part
		end
	done
}

# ------------------------------------------------------------- certificates

A=("$(addr a 4)" "$(addr a 6)") B=("$(addr b 4)" "$(addr b 6)")

# both_cas: one CA for each side, trusted by the other, besides those of init
both_cas() {
	cert_ca ca-a 64500 "${A[@]}"
	cert_ca ca-b 64501 "${B[@]}"
	swan_trust b "$PKI/ca-a.crt"
	cat "$PKI/ca-b.crt" >> "$(echo "$(ward_dir a).orig"/peers/*.crt)"
}

# show KIND: both sides show the certificates KIND-a and KIND-b
show() {
	cp "$PKI/$1-a.crt" "$(ward_dir a)/router.crt"
	cp "$PKI/$1-a.key" "$(ward_dir a)/router.key"
	swan_credentials b "$PKI/$1-b.crt" "$PKI/$1-b.key"
}

# authenticates NAME [COMMAND]: as meets(), and how, by strongSwan's log
authenticates() {
	local who
	for who in bgpward strongSwan; do
		begin "$1" "$who"
		connect
		remember "bgpward $(proof "'$(addr a 4)'"), strongSwan $(proof \
			"'$(addr b 4)' (myself)")"
		[ -z "${2:-}" ] || $2
		part
		end
	done
}
proof() {	# of whom
	swan_log | sed -n "s/.*authentication of $1 with //; T
		s/ successful//; s/_DER\$//; p; q"
}
