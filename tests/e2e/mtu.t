#!/bin/bash
# Issue 3: ESP fits the path, and is never fragmented: paths of 9000 and 1280
# bytes. A full table would stall otherwise, while keepalives pass.
. "$(dirname "$0")/lib.sh"
. "$E2E/lib_mtu.sh"

lab_up
ward_pair a b
set_mtu 9000
transfer '9000 bytes'
more "$longest" 1500 'jumbo frames are used, IPv4'
more "$longest6" 1500 'jumbo frames are used, IPv6'
start_anew

set_mtu 1280
transfer '1280 bytes'
more 1281 "$longest" 'no packet is longer, IPv4'
more 1281 "$longest6" 'no packet is longer, IPv6'
more "$longest" 1200 'and the path is used, IPv4'
more "$longest6" 1200 'and the path is used, IPv6'
start_anew

set_mtu 1500
# Strict reverse path filtering on all interfaces holds for ours as well.
for r in a b; do
	in_ns $r sysctl -qw net.ipv4.conf.all.rp_filter=1
done
transfer 'with strict reverse path filtering'
done_testing
