"""BIRD to BIRD: a full table, from the start of both until the last route is in.

What BIRD's own timers wait for before it connects (a second, less a random
part) is left out of the time; it costs no CPU. The part from Established on,
which is what the transport can change, is given apart.
"""

import os
import socket
import time

import lab
import ways
from lab import ADDRESS, spawn, until

AS = {"a": 64500, "b": 64501}
UNITS = {"full table, CPU": "CPU-s", "full table, time": "s",
         "full table, CPU from Established": "CPU-s",
         "full table, time from Established": "s"}
# Of plain.
AIMS = {("full table, CPU", "user plane, SHA2-256"): 1.10,
        ("full table, time", "user plane, SHA2-256"): 1.02}
PAUSE = 0.01
CONFIG = """router id %(local)s;
protocol device { }
protocol bgp peer { local %(local)s as %(as)d; neighbor %(remote)s as %(peer)d;
	multihop 2; connect delay time 1; %(more)s
	ipv4 { import all; export where proto = "s4"; next hop self; }; }
protocol static s4 { ipv4;
"""


def write_config(folder, name, way, routes):
    other = lab.OTHER[name]
    more = 'password "secret";' if way == "TCP-MD5" else ""
    # b waits; a begins once its own table is there
    more += " disabled;" if name == "a" else " passive;"
    path = "%s/%s.conf" % (folder, name)
    with open(path, "w", encoding="ascii") as conf:
        conf.write(CONFIG % {
            "local": ADDRESS[name], "remote": ADDRESS[other],
            "as": AS[name], "peer": AS[other], "more": more})
        for i in range(routes):
            conf.write("route %d.%d.%d.0/24 blackhole;\n" % (
                16 + i // 65536, i // 256 % 256, i % 256))
        conf.write("}\n")


class Control:
    """BIRD's control socket: asking by birdc would cost a process each time."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.answer()

    def answer(self):
        text = ""
        while not any(len(line) > 4 and line[:4].isdigit() and line[4] == " "
                      for line in text.splitlines()):
            text += self.socket.recv(65536).decode()
        return text

    def ask(self, question):
        self.socket.sendall(question.encode() + b"\n")
        return self.answer()


def start(folder, name):
    path = "%s/%s.ctl" % (folder, name)
    config = "%s/%s.conf" % (folder, name)
    spawn(name, "bird", "-f", "-c", config, "-s", path, "-P",
          "%s/%s.pid" % (folder, name), urgent=True)

    def bird_answers():
        return os.path.exists(path)
    until(bird_answers)
    return Control(path)


def imported(control, protocol):
    for line in control.ask("show protocols all " + protocol).splitlines():
        words = line.split()
        if "Routes:" in words and "imported," in words:
            return int(words[words.index("imported,") - 1])
    return 0


def transfer(sender, receiver, routes):
    """Seconds from Established to the last route."""
    def established():
        return "Established" in receiver.ask("show protocols peer")
    sender.ask("enable peer")
    until(established)
    begun = time.monotonic()
    while imported(receiver, "peer") < routes:
        # BIRD 2.0.12 now and then sleeps for its three seconds of poll()
        # with a table to send; any event wakes it
        sender.ask("show symbols table master4")
        time.sleep(PAUSE)
    return time.monotonic() - begun


def measure(way, routes):
    """One round; CPU is both BIRDs' and that of what carries them."""
    with lab.Laboratory() as laboratory:
        ways.set_up(way, laboratory, urgent=True)
        write_config(laboratory.folder, "a", way, routes)
        write_config(laboratory.folder, "b", way, 0)
        begun = time.monotonic()
        with lab.Cost() as cost:
            receiver = start(laboratory.folder, "b")
            sender = start(laboratory.folder, "a")

            def table_is_there():
                return imported(sender, "s4") == routes
            until(table_is_there, 120)
            loaded = time.monotonic() - begun
            with lab.Cost() as transfer_cost:
                took = transfer(sender, receiver, routes)
    return {"full table, CPU": cost.cpu + cost.soft,
            "full table, time": loaded + took,
            "full table, CPU from Established":
            transfer_cost.cpu + transfer_cost.soft,
            "full table, time from Established": took,
            "steal_s": cost.steal}
