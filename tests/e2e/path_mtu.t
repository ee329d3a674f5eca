#!/bin/bash
# Issue 3: a path that is narrow in the middle and says so by ICMP: it is
# believed, in both families, bare and in UDP, and nothing is fragmented.
. "$(dirname "$0")/lib.sh"
. "$E2E/lib_mtu.sh"

lab_up
ward_pair a b
# a reaches b through c, whose way to b takes 1300 bytes
set_mtu 1500
in_ns c sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
route a b c
ip -n "$TOKEN"c route replace 192.0.2.2/32 via 10.99.0.2 mtu lock 1300
ip -n "$TOKEN"c -6 route replace 2001:db8::2/128 via fd99::2 mtu lock 1300
transfer 'narrow in the middle'
more "$longest" 1300 'what was too long at first, IPv4'
more "$longest6" 1300 'what was too long at first, IPv6'

# ESP in UDP, which two user planes have anyway: the kernel's may be asked for
# it.
if ! user_plane; then
	start_anew
	sed -i '/^peer /a\	encapsulate = always' "$(ward_dir a)/bgpward.conf"
	fresh_paths
	transfer 'narrow in the middle, in UDP'
	more "$longest" 1300 'in UDP: what was too long at first, IPv4'
	more "$longest6" 1300 'in UDP: what was too long at first, IPv6'
fi
done_testing
