"""Be systemd for a moment: wait for READY=1 on a notification socket, then
run a command at once, so that it shows the state at that moment.

usage: notify_wait.py SOCKET COMMAND...
"""

import socket
import subprocess
import sys


def main(path, *command):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(60)
        while b"READY=1" not in notify.recv(4096).split(b"\n"):
            pass
    return subprocess.run(command, check=False).returncode


sys.exit(main(*sys.argv[1:]))
