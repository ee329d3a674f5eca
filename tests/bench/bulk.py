"""Bulk TCP on port 179, and round trips of keepalive size, over each way."""

import json
import os
import subprocess

import lab
import ways
from lab import ADDRESS, spawn

PROGRAM = lab.BUILD + "/tests/bench/bulk"
PINGS = 2000
UNITS = {"CPU per byte": "ns/B", "throughput": "Gbit/s",
         "CPU per gigabyte": "CPU-s/GB", "ksoftirqd per byte": "ns/B",
         "keepalive round trip": "us"}
AIMS = {("CPU per byte", "user plane, SHA2-256"): "<= 4",
        ("CPU per byte", "user plane, GMAC"): "<= 4"}


def environment(way):
    return dict(os.environ, BULK_MD5="secret") if way == "TCP-MD5" else \
        dict(os.environ)


def both(way, server, *client):
    """What the client in a prints, with the server in b."""
    env = environment(way)
    answering = spawn("b", PROGRAM, server, ADDRESS["b"], env=env)
    asking = spawn("a", PROGRAM, client[0], ADDRESS["a"], ADDRESS["b"],
                   *client[1:], env=env, stdout=subprocess.PIPE)
    result = json.loads(asking.communicate()[0])
    answering.wait()
    return result


def measure(way, scale):
    """One round: a figure for each of UNITS. ksoftirqd works for all of the
    machine; its time is counted as if for this only, and given beside."""
    with lab.Laboratory() as laboratory:
        ways.set_up(way, laboratory)
        size = max(1, int(ways.SIZES[way] * scale))
        with lab.Cost() as cost:
            sent = both(way, "sink", "source", str(size))
        reached = both(way, "echo", "ping", str(PINGS))
    each = (cost.cpu + cost.soft) / sent["bytes"]
    return {"CPU per byte": each * 1e9,
            "CPU per gigabyte": each * 1e9,
            "throughput": sent["bytes"] * 8 / sent["seconds"] / 1e9,
            "ksoftirqd per byte": cost.soft * 1e9 / sent["bytes"],
            "keepalive round trip": reached["median_us"],
            "steal_s": cost.steal}
