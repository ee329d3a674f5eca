"""Send one TCP segment in clear with any source address.

usage: attack_tcp.py SOURCE DESTINATION SPORT DPORT [INTERFACE MAC [VLAN]]

Routed by the kernel, or, with INTERFACE, as a frame to the Ethernet address
MAC, with an 802.1Q tag if VLAN is given.
"""

import struct
import sys

import packets


def main(source, destination, sport, dport, interface=None, mac=None,
         vlan=None):
    segment = packets.tcp(source, destination, int(sport), int(dport))
    packet = packets.ip(source, destination, packets.TCP, segment)
    if interface is None:
        packets.send_ip(packet, destination)
        return
    kind = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    tag = struct.pack("!HH", 0x8100, int(vlan)) if vlan else b""
    frame = bytes.fromhex(mac.replace(":", "")) + b"\x02\0\0\0\0\x01" + tag + \
        struct.pack("!H", kind) + packet
    packets.send_frame(frame, interface)


main(*sys.argv[1:])
