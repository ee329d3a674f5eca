"""bgpwardd with one pair: memory, and the time until it carries something; and
the plane process with one pair and with many."""

import json
import os
import subprocess
import sys

import lab
import ways
from lab import ADDRESS, BUILD, OTHER, memory, ns, run, spawn, until

AS = {"a": "64500", "b": "64501"}
MANY = 1000
FIRST = "start of bgpwardd to its first ESP packet"
FIRST_CPU = "CPU time of bgpwardd until then"
DAEMON = "resident memory of bgpwardd"
PLANE = "resident memory of the plane process"
FURTHER = PLANE + ", more for each further pair"


def in_ns(name, *command):
    run("ip", "netns", "exec", ns(name), *command,
        stderr=subprocess.DEVNULL)


def configure(laboratory):
    """As the README says; one pair, on the user plane."""
    for name in "ab":
        in_ns(name, BUILD + "/bgpward", "init", "--as", AS[name],
              "--address", ADDRESS[name], "--dir",
              "%s/%s" % (laboratory.folder, name))
    for name, other in OTHER.items():
        folder = "%s/%s" % (laboratory.folder, name)
        in_ns(name, BUILD + "/bgpward", "peer", "add", "neighbour", "--as",
              AS[other], "--address", ADDRESS[other], "--trust",
              "%s/%s/ca.crt" % (laboratory.folder, other), "--dir", folder)
        path = folder + "/bgpward.conf"
        with open(path, encoding="utf-8") as config:
            text = config.read()
        with open(path, "w", encoding="utf-8") as config:
            config.write(text.replace("peer neighbour {",
                                      "peer neighbour {\n\tplane = user"))


def daemon(laboratory, name):
    folder = "%s/%s" % (laboratory.folder, name)
    return (BUILD + "/bgpwardd", "-c", folder + "/bgpward.conf", "-s",
            folder + "/control")


def status(laboratory, name):
    """NULL as long as it does not answer."""
    asked = subprocess.run(
        (BUILD + "/bgpward", "-s", "%s/%s/control" % (laboratory.folder, name),
         "status", "--json"), check=False, capture_output=True, text=True)
    return json.loads(asked.stdout) if asked.returncode == 0 else None


def plane_memory(name):
    for pid in lab.pids(ns(name)):
        with open("/proc/%d/cmdline" % pid, "rb") as cmdline:
            if b"--plane" in cmdline.read().split(b"\0"):
                return memory(pid)
    return sys.exit("bench: there is no plane process")


def one_pair():
    """Both daemons as they are, b first; a's are the figures."""
    with lab.Laboratory() as laboratory:
        configure(laboratory)
        with open(laboratory.folder + "/log", "wb") as log, lab.Cost() as cost:
            spawn("b", *daemon(laboratory, "b"), stderr=log, urgent=True)

            def daemon_answers():
                return status(laboratory, "b") is not None
            until(daemon_answers)
            first = spawn("a", sys.executable, lab.BENCH + "/first_esp.py",
                          "eth0", ADDRESS["a"], ADDRESS["b"],
                          *daemon(laboratory, "a"), stdout=subprocess.PIPE,
                          stderr=log, urgent=True)
            line = first.stdout.readline()
            if not line:
                with open(log.name, encoding="utf-8") as text:
                    sys.exit("bench: no ESP: " + text.read())

            def pair_is_protected():
                answer = status(laboratory, "a")
                return answer and all(pair["state"] == "protected"
                                      for pair in answer["pairs"])
            until(pair_is_protected)
        result = json.loads(line)
        return {FIRST: result["seconds"] * 1e3,
                FIRST_CPU: result["cpu"] * 1e3,
                DAEMON: memory(result["pid"]) / 1024,
                PLANE: plane_memory("a") / 1024,
                "steal_s": cost.steal}


def many_pairs():
    """Kilobytes of the plane process for each further pair."""
    with lab.Laboratory(), lab.Cost() as cost:
        ways.hand("a", "sha256", "0")
        one = plane_memory("a")
        ways.hand("a", "sha256", str(MANY))
        many = plane_memory("a")
    return {FURTHER: (many - one) / MANY,
            "steal_s": cost.steal}


FIGURES = (
    (one_pair, FIRST, "ms", "<= 50"),
    (one_pair, FIRST_CPU, "ms", None),
    (one_pair, DAEMON, "MiB", "<= 8"),
    (one_pair, PLANE, "MiB", "<= 6"),
    (many_pairs, FURTHER, "KiB", "<= 2"),
)
