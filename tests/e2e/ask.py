"""Ask service.py: print what it says, or "nothing" after SECONDS.

usage: ask.py SECONDS tcp|udp SOURCE DESTINATION PORT
"""

import ipaddress
import socket
import sys


def main(seconds, kind, source, destination, port):
    version = ipaddress.ip_address(destination).version
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    stream = kind == "tcp"
    with socket.socket(family, socket.SOCK_STREAM if stream
                       else socket.SOCK_DGRAM) as client:
        client.settimeout(float(seconds))
        client.bind((source, 0))
        try:
            client.connect((destination, int(port)))
            if not stream:
                client.send(b"where?\n")
            print(client.recv(100).decode().strip())
        except OSError:
            print("nothing")


main(*sys.argv[1:])
