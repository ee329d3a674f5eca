#!/bin/bash
# Issue 2, 2: a captured packet is transport mode and NULL: the TCP header and
# the BGP marker stand readable behind the ESP header; the ICV has 16 bytes.
. "$(dirname "$0")/lib.sh"

esp_mode() { /usr/bin/python3 "$E2E/esp_mode.py" "$@"; }

lab_up
protect a b
capture_start wire "$ESP"
bird_start a b
bird_start b a
bgp_up a b
capture_stop wire

for family in 4 6; do
	for way in 'a b' 'b a'; do
		read -r from to <<< "$way"
		is "$(esp_mode "$WORK/wire.pcap" "$(addr "$from" $family)" \
			"$(addr "$to" $family)")" \
			'icv16 marker port179 transport' \
			"transport mode, NULL, 16 bytes of ICV: $from to $to, IPv$family"
	done
done

like "$(pair_get a b 4 '.child[0].esp')" 'NULL/HMAC_SHA2_256_128/ESN' \
	'status names the algorithms'
if user_plane; then
	more "$(frames wire 'udp port 4500')" 9 \
		'in UDP, which both user planes prefer'
	is "$(frames wire 'ip proto 50 or ip6 proto 50')" 0 'and none bare'
	done_testing
	exit
fi

states=$(ip -n "$TOKEN"a xfrm state)
sas=$(grep -c '^src' <<< "$states")
is "$sas" 8 'eight SAs in the SAD: two families, two Child SAs, two directions'
is "$(grep -c 'mode transport' <<< "$states")" "$sas" 'all in transport mode'
is "$(grep -c 'hmac(sha256).* 128$' <<< "$states")" "$sas" \
	'all with HMAC-SHA2-256-128'
is "$(grep -c 'enc ecb(cipher_null)' <<< "$states")" "$sas" 'all with NULL'
is "$(grep -c 'flag.*esn' <<< "$states")" "$sas" 'all with ESN'
is "$(grep -cE 'sel src [0-9a-f.:]+/(32|128) dst [0-9a-f.:]+/(32|128) proto tcp [sd]port 179' \
	<<< "$states")" "$sas" 'each with the exact selector of its own'
is "$(grep -c 'reqid' <<< "$states")" \
	"$(grep -o 'proto esp.*reqid' <<< "$states" | wc -l)" 'each with a reqid'
is "$(sed -n 's/.* reqid \([0-9]*\).*/\1/p' <<< "$states" | sort -u | wc -l)" 4 \
	'a reqid for each pair and kind'
small=$(sed -n 's/.*replay_window \([0-9]*\),.*/\1/p' <<< "$states" |
	awk '$1 < 128' | wc -l)
is "$small" 0 'every replay window has at least 128 packets'
done_testing
