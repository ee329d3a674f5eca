"""Answer every IKE_SA_INIT request with an error notify (RFC 7296 2.21, 3.10),
until killed.

usage: answer_error.py ADDRESS NOTIFY
"""

import socket
import struct
import sys

NOTIFY, IKE_SA_INIT, RESPONSE = 41, 34, 0x20


def main(address, notify):
    body = struct.pack("!BBHBBH", 0, 0, 8, 0, 0, int(notify))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((address, 500))
        while True:
            request, sender = sock.recvfrom(65535)
            header = request[:16] + struct.pack(
                "!BBBBII", NOTIFY, 0x20, IKE_SA_INIT, RESPONSE, 0,
                28 + len(body))
            sock.sendto(header + body, sender)


main(*sys.argv[1:])
