#!/bin/bash
# FRR in router a, BIRD in router b. As with BIRD alone: a session with a
# password and TTL security, Established in clear, is protected under way; it
# outlives the daemon; and bgpd, when it comes back, is in ESP or nowhere. FRR's
# configuration is not touched.
. "$(dirname "$0")/lib.sh"

# An emulated machine needs its time to negotiate.
HOLD=$((9 * PATIENCE))
FRR=/usr/lib/frr
PASSWORD=not-of-our-making
BIRD_OPTIONS="ttl security on; password \"$PASSWORD\";"
dir=$WORK/a/frr

frr_config() {
	local family
	cat <<-EOF
	router bgp $(as_of a)
	 bgp router-id $(addr a 4)
	 no bgp ebgp-requires-policy
	 no bgp network import-check
	 no bgp default ipv4-unicast
	 timers bgp 1 $HOLD
	EOF
	for family in 4 6; do
		cat <<-EOF
		 neighbor $(addr b $family) remote-as $(as_of b)
		 neighbor $(addr b $family) update-source $(addr a $family)
		 neighbor $(addr b $family) ttl-security hops 2
		 neighbor $(addr b $family) password $PASSWORD
		 neighbor $(addr b $family) timers connect 2
		EOF
	done
	cat <<-EOF
	 address-family ipv4 unicast
	  network 10.60.0.0/16
	  neighbor $(addr b 4) activate
	 exit-address-family
	 address-family ipv6 unicast
	  network 2001:db8:1::/48
	  neighbor $(addr b 6) activate
	 exit-address-family
	EOF
}

declare -A FRR_PID
frr_start() {	# zebra|bgpd
	ip netns exec "$TOKEN"a "$FRR/$1" -f "$dir/frr.conf" -P 0 \
		--vty_socket "$dir" -z "$dir/zserv.api" -i "$dir/$1.pid" \
		--log "file:$dir/frr.log" > "$dir/$1.err" 2>&1 &
	FRR_PID[$1]=$!
	until_ok 20 test -S "$dir/$1.vty" ||
		bail_out "$1 does not start: $(cat "$dir/$1.err" "$dir/frr.log")"
}
frr_cli() { vtysh --vty_socket "$dir" -d "$1" -c "$2"; }

frr_has() {	# FAMILY STATE
	frr_cli bgpd "show bgp neighbors $(addr b "$1") json" |
		gojq -e --arg state "$2" '.[].bgpState == $state'
}
frr_heard() {	# FAMILY PREFIX
	frr_cli bgpd "show bgp ipv$1 unicast json" | gojq -e ".routes[\"$2\"]"
}
frr_up() {
	local family
	for family in 4 6; do
		ok "$1: FRR says Established, IPv$family" \
			until_ok 60 frr_has $family Established
	done
	bgp_up b a
}
running() { frr_cli bgpd 'show running-config'; }

lab_up
# FRR runs as a user of its own.
install -d -o frr -g frr "$dir"
chmod 0711 "$WORK" "$WORK/a"
frr_config > "$dir/frr.conf"
cp "$dir/frr.conf" "$dir/frr.conf.before"
frr_start zebra
frr_start bgpd
bird_start b a
frr_up 'in clear'
before=$(running)
since4=$(bird_changes b a4) since6=$(bird_changes b a6)

protect a b
capture_start clear 'tcp port 179'
bgp_lives b a 'FRR and BIRD, protected under a living session'
ok 'routes of FRR arrive, IPv4' imported_at_least b a4 1
ok 'and IPv6' imported_at_least b a6 1
ok 'routes of BIRD arrive, IPv4' frr_heard 4 10.120.0.0/32
ok 'and IPv6' frr_heard 6 2001:db8:2::/64

ward_kill9 a
bgp_lives b a 'while the daemon is dead'
ward_start a
ok 'protected after the start' pair_wait a b
bgp_lives b a 'after the takeover'
is "$(bird_changes b a4)" "$since4" 'no flap in all of this, IPv4'
is "$(bird_changes b a6)" "$since6" 'no flap in all of this, IPv6'

{ kill -9 "${FRR_PID[bgpd]}"; wait "${FRR_PID[bgpd]}"; } 2>/dev/null
for family in 4 6; do
	ok "bgpd is dead: BIRD notices, IPv$family" until_ok 60 fails \
		bird_is b a$family Established
done
rm -f "$dir/bgpd.vty"
frr_start bgpd
frr_up 'bgpd is there again'
capture_stop clear
is "$(clear_frames clear)" 0 'no TCP port 179 in clear since it was protected'

like "$before" "update-source $(addr a 4)" 'the configuration of FRR is'
is "$(running)" "$before" 'as it was'
ok 'and so is the file' cmp "$dir/frr.conf" "$dir/frr.conf.before"
done_testing
