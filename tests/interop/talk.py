"""A small BGP of sorts, on TCP port 179: in both directions of connection and
every family, a line that the other side echoes, all the time. It holds
connections as BGP does: one that carries nothing for a hold time is lost.

usage: talk.py STATUS_FILE HOLD LOCAL,PEER...

SIGUSR1: forget our own connections, begin anew. STATUS_FILE has the number of
such beginnings, then for each peer: address, connections that it made,
of them lost, lines that came back.
"""

import os
import selectors
import signal
import socket
import sys
import time

PORT = 179
LINE = b"." * 99 + b"\n"
BEAT, CONNECT, RETRY, TELL = 0.25, 2.0, 0.5, 0.5


def plain_socket(local):
    family = socket.AF_INET6 if ":" in local else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return sock


def abort(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    b"\1\0\0\0\0\0\0\0")
    sock.close()


class Caller:
    """Our own connection to one peer."""

    def __init__(self, loop, hold, local, peer):
        self.loop, self.hold, self.local, self.peer = loop, hold, local, peer
        self.sock = None
        self.begin()

    def begin(self):
        self.drop(0)
        self.connects = self.lost = self.echoes = 0

    def drop(self, wait):
        if self.sock:
            self.loop.unregister(self.sock)
            abort(self.sock)
        self.sock, self.up, self.waits = None, False, False
        self.due = time.monotonic() + wait

    def fail(self):
        self.lost += self.up
        self.drop(RETRY)

    def call(self):
        self.sock = plain_socket(self.local)
        self.loop.register(self.sock, selectors.EVENT_WRITE, self)
        self.due = time.monotonic() + CONNECT
        try:
            self.sock.bind((self.local, 0))
            self.sock.connect((self.peer, PORT))
        except BlockingIOError:
            pass

    def ready(self):
        if not self.up:
            if self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                return self.fail()
            self.up, self.got = True, 0
            self.connects += 1
            self.loop.modify(self.sock, selectors.EVENT_READ, self)
            return self.say()
        data = self.sock.recv(4096)
        if not data:
            return self.fail()
        self.got += len(data)
        if self.got >= len(LINE):
            self.echoes, self.waits = self.echoes + 1, False
            self.due = time.monotonic() + BEAT

    def say(self):
        self.got, self.waits = 0, True
        self.due = time.monotonic() + self.hold
        self.sock.send(LINE)

    def tick(self):
        if not self.sock:
            self.call()
        elif self.up and not self.waits:
            self.say()
        else:
            self.fail()


class Echo:
    """A connection that a peer made, as long as that wants it."""

    def __init__(self, loop, sock):
        self.loop, self.sock = loop, sock
        loop.register(sock, selectors.EVENT_READ, self)

    def ready(self):
        data = self.sock.recv(4096)
        if not data:
            return self.fail()
        self.sock.send(data)

    def fail(self):
        self.loop.unregister(self.sock)
        abort(self.sock)


class Listener:
    def __init__(self, loop, local):
        self.loop = loop
        self.sock = plain_socket(local)
        self.sock.bind((local, PORT))
        self.sock.listen()
        loop.register(self.sock, selectors.EVENT_READ, self)

    def ready(self):
        sock, _ = self.sock.accept()
        sock.setblocking(False)
        Echo(self.loop, sock)

    def fail(self):
        pass


def write_status(path, begins, callers):
    with open(path + ".new", "w", encoding="ascii") as out:
        print(begins, file=out)
        for c in callers:
            print(c.peer, c.connects, c.lost, c.echoes, file=out)
    os.rename(path + ".new", path)


def attempt(one, act):
    try:
        act()
    except OSError:
        one.fail()


def main(path, hold, *pairs):
    loop, begins, again = selectors.DefaultSelector(), 0, [True]
    signal.signal(signal.SIGUSR1, lambda *_: again.append(True))
    pairs = [pair.split(",") for pair in pairs]
    for local in {local for local, _ in pairs}:
        Listener(loop, local)
    callers = [Caller(loop, float(hold), *pair) for pair in pairs]
    told = 0
    while True:
        if again:
            again.clear()
            begins += 1
            told = 0
            for one in callers:
                one.begin()
        if time.monotonic() >= told + TELL:
            write_status(path, begins, callers)
            told = time.monotonic()
        for key, _ in loop.select(BEAT):
            if key.fileobj.fileno() >= 0:
                attempt(key.data, key.data.ready)
        for one in callers:
            if time.monotonic() >= one.due:
                attempt(one, one.tick)


main(*sys.argv[1:])
