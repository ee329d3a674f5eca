"""Begin IKE SAs and leave it at that (RFC 7296 2.6): IKE_SA_INIT requests,
each of them right, from a port of its own.

usage: half_open.py SOURCE DESTINATION COUNT
"""

import os
import socket
import struct
import sys

SA, KE, NONCE = 33, 34, 40
IKE_SA_INIT, INITIATOR = 34, 0x08
ENCR, PRF, GROUP = 1, 2, 4
AES_GCM_16, HMAC_SHA2_256, X25519 = 20, 5, 31
TRIES = 20


def transform(more, kind, number, attributes=b""):
    return struct.pack("!BBHBBH", more, 0, 8 + len(attributes), kind, 0,
                       number) + attributes


def payload(following, body):
    return struct.pack("!BBH", following, 0, 4 + len(body)) + body


def request():
    transforms = transform(3, ENCR, AES_GCM_16,
                           struct.pack("!HH", 0x8000 | 14, 256)) + \
        transform(3, PRF, HMAC_SHA2_256) + transform(0, GROUP, X25519)
    proposal = struct.pack("!BBHBBBB", 0, 0, 8 + len(transforms), 1, 1, 0,
                           3) + transforms
    body = payload(KE, proposal) + \
        payload(NONCE, struct.pack("!HH", X25519, 0) + os.urandom(32)) + \
        payload(0, os.urandom(32))
    return os.urandom(8) + bytes(8) + struct.pack(
        "!BBBBII", SA, 0x20, IKE_SA_INIT, INITIATOR, 0, 28 + len(body)) + body


def answered(sock, message, destination):
    """Sent again until it is answered, as by any initiator (RFC 7296 2.4): a
    side that has just begun an IKE SA of its own may not answer at once."""
    for _ in range(TRIES):
        sock.sendto(message, (destination, 500))
        try:
            return sock.recv(4096)[18] == IKE_SA_INIT
        except TimeoutError:
            pass
    return False


def main(source, destination, count):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    for _ in range(int(count)):
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(1)
            sock.bind((source, 0))
            if not answered(sock, request(), destination):
                sys.exit("no answer to IKE_SA_INIT")


main(*sys.argv[1:])
