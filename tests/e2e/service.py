"""A service beside BGP: answers every TCP connection and UDP datagram on a
port, in both families, with "here".

usage: service.py PORT READY_FILE
"""

import pathlib
import selectors
import socket
import sys


def main(port, ready):
    loop = selectors.DefaultSelector()
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        listener = socket.socket(socket.AF_INET6, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::", int(port)))
        if kind == socket.SOCK_STREAM:
            listener.listen()
        loop.register(listener, selectors.EVENT_READ)
    pathlib.Path(ready).touch()
    while True:
        for key, _ in loop.select():
            if key.fileobj.type == socket.SOCK_STREAM:
                client, _ = key.fileobj.accept()
                with client:
                    client.sendall(b"here\n")
            else:
                _, client = key.fileobj.recvfrom(2048)
                key.fileobj.sendto(b"here\n", client)


main(*sys.argv[1:])
