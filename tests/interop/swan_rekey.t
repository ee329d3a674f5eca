#!/bin/bash
# Issue 4: rekeying and reauthentication while BGP goes on: no connection is
# lost, and where both sides can see to it no packet either.
. "$(dirname "$0")/lib.sh"

# How often what has happened, by strongSwan's log
child_sas() { swan_count 'CHILD_SA (active|passive)[46]\{[0-9]+\} established'; }
ike_sas() { swan_count 'IKE_SA a[46]\[[0-9]+\] rekeyed between'; }
authentications() {
	swan_count "authentication of '($(addr a 4)|$(addr a 6))' with .* successful"
}
at_least() { [ "$("$1")" -ge "$2" ]; }

# goes_on WHAT COUNTER FIRST TIMES SECONDS: FIRST of them came with the connection
goes_on() {
	ok "$CASE: $4 times within $5 s" until_ok "$5" at_least "$2" $(($3 + $4))
	unharmed
	remember "$4 and more $1, no connection lost"
}

interop_up

given 'global child_lifetime = 10'
SWAN_MORE='rekey_time = 0' SWAN_CHILD_MORE='rekey_time = 0'
begin 'Child SAs rekeyed every few seconds' bgpward
connect
goes_on 'new Child SAs' child_sas 4 16 90
lossless
part
end

given
SWAN_MORE='rekey_time = 0'
SWAN_CHILD_MORE='rekey_time = 5s
		rand_time = 2s
		life_time = 60s'
begin 'Child SAs rekeyed every few seconds' strongSwan
connect
goes_on 'new Child SAs' child_sas 4 16 90
lossless
part
end

given 'global ike_lifetime = 10'
SWAN_MORE='rekey_time = 0' SWAN_CHILD_MORE='rekey_time = 0'
begin 'IKE SAs rekeyed every few seconds' bgpward
connect
goes_on 'new IKE SAs' ike_sas 0 8 90
lossless
part
end

given
SWAN_MORE='rekey_time = 5s
		over_time = 60s
		rand_time = 2s'
SWAN_CHILD_MORE='rekey_time = 0'
begin 'IKE SAs rekeyed every few seconds' strongSwan
connect
goes_on 'new IKE SAs' ike_sas 0 8 90
lossless
part
end

# --------------------------------------------- reauthentication, RFC 7296 2.8.3
given
SWAN_MORE='rekey_time = 0' SWAN_CHILD_MORE='rekey_time = 0'
begin 'Reauthentication, make before break' bgpward
connect
cert_ca other 64501 "$(addr b 4)" "$(addr b 6)"
cat "$PKI/other.crt" >> "$(echo "$(ward_dir a)"/peers/*.crt)"
ward_reload a	# an anchor more: whoever was believed proves it again
goes_on 'new authentications' authentications 2 2 60
part
end

given
SWAN_MORE='rekey_time = 0
		reauth_time = 8s
		over_time = 60s
		rand_time = 2s'
SWAN_CHILD_MORE='rekey_time = 0'
begin 'Reauthentication, make before break' strongSwan
connect
goes_on 'new authentications' authentications 2 4 90
lossless
part
end
interop_done
