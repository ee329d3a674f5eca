#!/bin/bash
# Issue 4: the detours of IKE_SA_INIT, and perfect forward secrecy.
. "$(dirname "$0")/lib.sh"

# How many of strongSwan's Child SAs had a key exchange of their own
own_exchange() { swan_cli b --list-sas | grep -c 'ESP:.*/CURVE_25519'; }

interop_up

for who in bgpward strongSwan; do
	given 'pfs = yes'
	SWAN_ESP=null-sha256-esn-x25519
	begin 'PFS' "$who"
	connect
	# The first Child SA of each IKE SA comes with IKE_AUTH, without one
	is "$(own_exchange)" 2 "$CASE: one Child SA of two has its own exchange"
	algorithms
	remember "$(own_exchange) of 4 Child SAs with a key exchange of their own"
	part
	end
done
for who in bgpward strongSwan; do
	given
	begin 'No PFS' "$who"
	connect
	is "$(own_exchange)" 0 "$CASE: no Child SA has a key exchange of its own"
	algorithms
	part
	end
done

# ----------------------------------------------------- INVALID_KE_PAYLOAD
begin 'INVALID_KE_PAYLOAD, then the right group' bgpward
given
SWAN_IKE=aes256gcm16-prfsha256-ecp256
connect
ok "$CASE: strongSwan asked for it" swan_says \
	'(CURVE_25519|X25519) unacceptable, requesting ECP_256'
algorithms
part
end
begin 'INVALID_KE_PAYLOAD, then the right group' strongSwan
given 'ike = aes256gcm16-prfsha256-ecp256'
SWAN_IKE=aes256gcm16-prfsha256-x25519-ecp256
connect
ok "$CASE: strongSwan was asked for it" swan_says "it requested ECP_256"
algorithms
part
end

# ---------------------------------------------------------------- cookies
# Three half-open IKE SAs of one address make either side ask.
half_open() {	# FROM TO
	local family
	for family in 4 6; do
		ok "$CASE: half-open IKE SAs, IPv$family" in_ns "$1" \
			/usr/bin/python3 "$INTEROP/half_open.py" \
			"$(addr "$1" $family)" "$(addr "$2" $family)" 3
	done
}
begin 'Cookie' bgpward
given
BEFORE='half_open a b'
connect
ok "$CASE: strongSwan asked for it" \
	swan_says 'generating IKE_SA_INIT response 0 \[ N\(COOKIE\)'
algorithms
swan_anew	# without the half-open ones
part
end
begin 'Cookie' strongSwan
given
BEFORE='half_open b a'
connect
ok "$CASE: strongSwan was asked for it" \
	swan_says 'parsed IKE_SA_INIT response 0 \[ N\(COOKIE\)'
more "$(pair_get a b 4 .ike_drops.cookie_wanted)" 0 "$CASE: status counts it"
algorithms
swan_anew	# without the half-open ones
part
end
interop_done
