"""Be a service manager in haste: SIGHUP a daemon while it says READY=1, which
it cannot finish before: the notification socket is full.

usage: notify_hasty.py SOCKET PID_FILE
"""

import os
import signal
import socket
import sys
import time
from pathlib import Path


def fill(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        try:
            while True:
                sender.sendto(b"X=1", path)
        except BlockingIOError:
            pass


def wait_for(condition):
    until = time.monotonic() + 60
    while not condition():
        if time.monotonic() > until:
            sys.exit("waited in vain")
        time.sleep(0.01)


def main(path, pid_file):
    file = Path(pid_file)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        # who sees it under its name finds it full
        notify.bind(path + ".new")
        fill(path + ".new")
        os.rename(path + ".new", path)
        wait_for(lambda: file.exists() and file.read_text())
        pid = int(file.read_text())
        wchan = Path(f"/proc/{pid}/wchan")
        wait_for(lambda: "unix_wait_for_peer" in wchan.read_text())
        os.kill(pid, signal.SIGHUP)
        notify.settimeout(20)
        while notify.recv(4096) != b"READY=1":
            pass


main(*sys.argv[1:])
