#!/bin/bash
# Issue 4: shared keys, and certificates that do not fit one packet.
. "$(dirname "$0")/lib.sh"

interop_up
both_cas

given
ward_psk
SWAN_AUTH=psk SWAN_SECRET=$SECRET
authenticates 'Pre-shared key'

# ------------------------------------------------------- RFC 8784
PPK=fedcba9876543210fedcba9876543210
(umask 077 && echo $PPK > "$WORK/a/key.ppk")
swan_ppk() {	# REQUIRED [NAME]
	SWAN_MORE="ppk_id = ${2:-spring}
		ppk_required = $1"
	SWAN_SECRETS="ppk-peer { secret = \"$PPK\"
		id = ${2:-spring} }"
}
used_ppk() {
	ok "$CASE: strongSwan used it" swan_says "using PPK for PPK_ID 'spring'"
	is "$(ward_get a '[.pairs[].ike.ppk] | unique | join(" ")')" true \
		"$CASE: bgpward says so too"
	remember 'with the PPK'
}
used_none() {
	is "$(ward_get a '[.pairs[].ike.ppk] | unique | join(" ")')" false \
		"$CASE: bgpward says so"
	remember 'without it'
}
ppk="ppk = \"$WORK/a/key.ppk\""

given "$ppk" 'ppk_id = "spring"'
swan_ppk yes
authenticates 'PPK, both require it' used_ppk
given "$ppk" 'ppk_id = "spring"' 'ppk_required = no'
swan_ppk no
authenticates 'PPK, neither requires it' used_ppk
given "$ppk" 'ppk_id = "spring"' 'ppk_required = no'
authenticates 'PPK, strongSwan has none' used_none
given
swan_ppk no
authenticates 'PPK, bgpward has none' used_none

# ------------------------------------- three certificates over 1280 bytes
set_mtu() {
	local r
	for r in a b; do
		ip -n "$TOKEN$r" link set dev eth0 mtu "$1"
		ip -n "$TOKEN"wire link set dev $r mtu "$1"
	done
}

# Encrypted fragments: payload 53 (RFC 7383 2.5), behind 8 bytes of UDP
SKF='(udp port 500 and udp[24] = 53)'
SKF6='(ip6 proto 17 and ip6[64] = 53)'
in_pieces() {
	local from
	capture_stop pieces
	is "$(frames pieces 'ip[6:2] & 0x3fff != 0 or ip6 proto 44')" 0 \
		"$CASE: no IP fragment"
	for from in a b; do
		ok "$CASE: from $from, IPv4" seen pieces \
			"src host $(addr $from 4) and $SKF" 2
		ok "$CASE: from $from, IPv6" seen pieces \
			"src host $(addr $from 6) and $SKF6" 2
	done
	remember 'IKE fragments from both, no IP fragment'
	capture_start pieces 'udp or ip[6:2] & 0x3fff != 0 or ip6 proto 44'
}

chain() {	# ROUTER AS ADDRESS...: two CAs below ca-ROUTER
	local r=$1
	shift
	cert_sub "upper-$r" "ca-$r" "$@"
	cert_sub "lower-$r" "upper-$r" "$@"
	CERT_KEY=rsa:2048 \
		cert_router "chain-$r" "lower-$r" '1 day ago' '20 days' "$@"
}
CERT_KEY='ec -pkeyopt ec_paramgen_curve:P-384'
chain a 64500 "${A[@]}"
chain b 64501 "${B[@]}"
given
show chain
cat "$PKI"/{chain,lower,upper}-a.crt > "$(ward_dir a)/router.crt"
swan_trust b "$PKI/upper-b.crt"
swan_trust b "$PKI/lower-b.crt"
SWAN_AUTH=ike:rsa/pss-sha256
set_mtu 1280
capture_start pieces 'udp or ip[6:2] & 0x3fff != 0 or ip6 proto 44'
authenticates 'Three certificates over a path of 1280 bytes' in_pieces
interop_done
