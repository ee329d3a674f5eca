#!/usr/bin/python3
"""Start a program and say when the first ESP packet leaves.

    first_esp.py INTERFACE FROM TO PROGRAM [ARGUMENT...]

TCP to port 179 is begun every millisecond, so that there is something to carry
from the moment when it can be. Prints one JSON object, with the process, which
goes on; ends with status 1 when nothing leaves within ten seconds.
"""

import json
import socket
import struct
import subprocess
import sys
import time

ETH_P_IP = 0x0800
PACKET_OUTGOING = 4
ESP, UDP, NAT_PORT = 50, 17, 4500


def is_esp(frame, source):
    """Bare, or in UDP and neither IKE nor a keepalive (RFC 3948 2)."""
    header = frame[14:]
    payload = header[(header[0] & 15) * 4:]
    if header[12:16] != socket.inet_aton(source):
        return False
    if header[9] == ESP:
        return True
    return header[9] == UDP and len(payload) > 16 and \
        struct.unpack("!H", payload[2:4])[0] == NAT_PORT and \
        payload[8:12] != bytes(4)


def try_to_connect(source, destination, attempts):
    attempt = socket.socket()
    attempt.setblocking(False)
    attempt.bind((source, 0))
    try:
        attempt.connect((destination, 179))
    except OSError:
        pass
    attempts.append(attempt)
    if len(attempts) > 100:
        attempts.pop(0).close()


def main():
    interface, source, destination = sys.argv[1:4]
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                         socket.htons(3))	# ETH_P_ALL: what leaves, too
    wire.bind((interface, 3))
    wire.settimeout(0.001)
    attempts = []
    begun = time.monotonic()
    program = subprocess.Popen(sys.argv[4:])
    while time.monotonic() < begun + 10:
        try_to_connect(source, destination, attempts)
        try:
            frame, address = wire.recvfrom(65536)
        except TimeoutError:
            continue
        if address[1] == ETH_P_IP and address[2] == PACKET_OUTGOING and \
                is_esp(frame, source):
            took = time.monotonic() - begun
            with open("/proc/%d/schedstat" % program.pid,
                      encoding="ascii") as stat:
                cpu = int(stat.read().split()[0]) / 1e9
            print(json.dumps({"seconds": took, "cpu": cpu,
                              "pid": program.pid}))
            return
    sys.exit(1)


main()
