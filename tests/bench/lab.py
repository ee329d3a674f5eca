"""Two network namespaces with a veth pair between them, a cgroup for everything
that runs in them, and what the machine says of time.

    a: lo 192.0.2.1, eth0 10.99.0.1 ----- b: lo 192.0.2.2, eth0 10.99.0.2

All of it goes away with Laboratory's block, however that is left.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TOP, "build")))
BENCH = os.path.join(TOP, "tests", "bench")
PREFIX = "bgpward-bench"
TOKEN = PREFIX + str(os.getpid())
ADDRESS = {"a": "192.0.2.1", "b": "192.0.2.2"}
NEAR = {"a": "10.99.0.1", "b": "10.99.0.2"}
OTHER = {"a": "b", "b": "a"}
CGROUPS = ("cpuacct", "cpu,cpuacct", "", "unified")


def run(*command, **kwargs):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **kwargs)


def output(*command, **kwargs):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True, **kwargs).stdout


def until(what, seconds=30):
    """Ask again and again; nothing here can be told."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            sys.exit("bench: %s takes too long" % what.__qualname__)
        time.sleep(0.02)


# ------------------------------------------------------------------ cgroups

def cgroup_folder():
    """Where processor time is accounted: cgroup v1's cpuacct, or v2."""
    for name in CGROUPS:
        root = os.path.join("/sys/fs/cgroup", name)
        for usage in ("cpuacct.usage", "cpu.stat", "cgroup.controllers"):
            if os.path.exists(os.path.join(root, usage)):
                return os.path.join(root, TOKEN)
    return sys.exit("bench: no cgroup hierarchy under /sys/fs/cgroup that "
                    "accounts processor time: mount cgroup2 there")


CGROUP = cgroup_folder()


def join_cgroup():
    with open(CGROUP + "/cgroup.procs", "w", encoding="ascii") as procs:
        procs.write("0")


def go_first():
    """Before everything else on this machine that wants a processor."""
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def join_cgroup_first():
    join_cgroup()
    go_first()


def cpu_seconds():
    try:
        with open(CGROUP + "/cpuacct.usage", encoding="ascii") as usage:
            return int(usage.read()) / 1e9
    except FileNotFoundError:
        with open(CGROUP + "/cpu.stat", encoding="ascii") as stat:
            return int(dict(line.split() for line in stat)["usage_usec"]) / 1e6


# --------------------------------------------------------------- namespaces

def ns(name):
    return TOKEN + name


def ip(name, *words):
    run("ip", "-n", ns(name), *words)


def spawn(name, *command, urgent=False, **kwargs):
    """A process in namespace and cgroup; its processor time counts. `urgent`
    where a span is measured and not work: other load would be in it."""
    return subprocess.Popen(
        ("ip", "netns", "exec", ns(name)) + command,
        preexec_fn=join_cgroup_first if urgent else join_cgroup, **kwargs)


def pids(namespace):
    text = subprocess.run(("ip", "netns", "pids", namespace), check=False,
                          capture_output=True, text=True).stdout
    return [int(pid) for pid in text.split()]


def make_namespaces():
    for name in "ab":
        run("ip", "netns", "add", ns(name))
        ip(name, "link", "set", "lo", "up")
    ip("a", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0",
       "netns", ns("b"))
    for name, other in OTHER.items():
        ip(name, "link", "set", "eth0", "up")
        ip(name, "addr", "add", NEAR[name] + "/24", "dev", "eth0")
        ip(name, "addr", "add", ADDRESS[name] + "/32", "dev", "lo")
        ip(name, "route", "add", ADDRESS[other], "via", NEAR[other], "src",
           ADDRESS[name])


def delete_namespace(namespace):
    for pid in pids(namespace):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    subprocess.run(("ip", "netns", "del", namespace), check=False,
                   stderr=subprocess.DEVNULL)


def remove_cgroup(path=CGROUP):
    """Once the last process that was killed is gone."""
    for _ in range(200):
        try:
            os.rmdir(path)
            return
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.05)


def leftovers(folder):
    """What a bench that was killed has left there."""
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        owner = re.match(PREFIX + r"(\d+)", name)
        if owner and not os.path.exists("/proc/" + owner.group(1)):
            yield os.path.join(folder, name)


def sweep():
    for path in leftovers("/run/netns"):
        delete_namespace(os.path.basename(path))
    for path in leftovers(os.path.dirname(CGROUP)):
        remove_cgroup(path)
    for path in leftovers(tempfile.gettempdir()):
        shutil.rmtree(path)


class Laboratory:
    """A fresh one for each measurement; `folder` is for its files."""

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory(
            prefix=TOKEN + "-")
        self.folder = self.temporary.name
        try:
            os.makedirs(CGROUP, exist_ok=True)
            make_namespaces()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in "ab":
            delete_namespace(ns(name))
        remove_cgroup()
        self.temporary.cleanup()


# -------------------------------------------------------------------- costs

def machine():
    """(steal, ksoftirqd) in seconds since the start of the machine."""
    with open("/proc/stat", encoding="ascii") as stat:
        steal = int(stat.readline().split()[8])
    soft = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid, encoding="ascii") as stat:
                text = stat.read()
        except OSError:
            continue
        if "(ksoftirqd/" in text:
            soft += int(text.rsplit(")", 1)[1].split()[12])
    tick = os.sysconf("SC_CLK_TCK")
    return steal / tick, soft / tick


class Cost:
    """CPU time of the cgroup, and steal, of a block. What the kernel does for
    it in ksoftirqd is not in the cgroup's and is given beside."""

    def __enter__(self):
        self.start = (cpu_seconds(), *machine())
        return self

    def __exit__(self, *_):
        end = (cpu_seconds(), *machine())
        self.cpu, self.steal, self.soft = (
            after - before for before, after in zip(self.start, end))


def memory(pid):
    """Resident kilobytes."""
    with open("/proc/%d/status" % pid, encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS"):
                return int(line.split()[1])
    return None
