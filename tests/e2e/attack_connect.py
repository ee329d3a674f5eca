"""Connect over TCP like any client, and say what came back.

usage: attack_connect.py SOURCE DESTINATION PORT [SECONDS [SOURCE_PORT]]

Prints "connected", "refused", "nothing" (no answer within SECONDS, 2), or what
kept it from beginning.
"""

import socket
import sys


def connect(source, destination, port, seconds, source_port):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        # what is left of an earlier connection is not in the way
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((source, source_port))
        except OSError as error:
            return f"cannot bind: {error}"
        sock.settimeout(seconds)
        try:
            sock.connect((destination, port))
        except ConnectionRefusedError:
            return "refused"
        except OSError:
            return "nothing"
        return "connected"


def main(source, destination, port, seconds="2", source_port="0"):
    print(connect(source, destination, int(port), float(seconds),
                  int(source_port)))


main(*sys.argv[1:])
