#!/usr/bin/python3
"""What bgpward costs, and what else would, side by side in one run.

    tests/bench/measure.py [--runs 5] [--only handshake,daemon,bulk,routes]

What is compared takes turns: RUNS rounds of all of it, and medians count, since
time that is stolen from one round would be held against one way otherwise.
Prefer figures of CPU time to those of the clock. One JSON object a figure goes
to tests/bench/out/ (table.py makes the README's table of them), and a table to
standard output.
"""

import argparse
import json
import os
import signal
import subprocess
import sys

import bulk
import daemon
import figures
import lab
import routes
import table
import ways

PARTS = ("handshake", "daemon", "bulk", "routes")


def rounds_of(count, names, measure):
    """measure(name) for each name in turn, `count` times."""
    results = {name: [] for name in names}
    for number in range(count):
        for name in names:
            results[name].append(measure(name))
            print("# %d/%d %s: %s" % (
                number + 1, count, getattr(name, "__name__", name),
                json.dumps(results[name][-1])), flush=True)
    return results


def store_ways(group, module, results, ratio_aims=False):
    for way, rounds in results.items():
        for key, unit in module.UNITS.items():
            plain = figures.median_of(results["plain"], key)["value"]
            aim = module.AIMS.get((key, way))
            if aim and ratio_aims:
                aim = "<= %.4g" % (aim * plain)
            figures.store(group, key + ", " + way, unit=unit, way=way,
                          what=key, aim=aim, peer="plain",
                          peer_value=plain,
                          **figures.median_of(rounds, key))


def do_bulk(args):
    results = rounds_of(args.runs, list(ways.SIZES),
                        lambda way: bulk.measure(way, args.scale))
    store_ways("bulk", bulk, results)


def do_routes(args):
    results = rounds_of(args.runs, ways.BIRD,
                        lambda way: routes.measure(way, args.routes))
    store_ways("routes", routes, results, ratio_aims=True)


def do_daemon(args):
    measures = {part: part.__name__ for part, *_ in daemon.FIGURES}
    # many, and short: the time is the clock's
    results = rounds_of(3 * args.runs, list(measures), lambda part: part())
    for part, key, unit, aim in daemon.FIGURES:
        figures.store("daemon", key, unit=unit, aim=aim,
                      **figures.median_of(results[part], key))


def do_handshake(args):
    before = lab.machine()[0]
    text = lab.output(lab.BUILD + "/tests/bench/handshake",
                      str(20 * args.runs), preexec_fn=lab.go_first)
    steal = lab.machine()[0] - before
    for line in text.splitlines():
        figures.store("handshake", steal_s=steal, **json.loads(line))


def stop(number, _):
    sys.exit("bench: ended by signal %d" % number)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--scale", type=float, default=1,
                        help="of the bulk transfers' size")
    parser.add_argument("--routes", type=int, default=1000000)
    args = parser.parse_args()
    parts = args.only.split(",")
    if not set(parts) <= set(PARTS) or args.runs < 1:
        parser.error("parts are " + ", ".join(PARTS))
    if os.geteuid() != 0:
        sys.exit("bench: needs root (network namespaces)")
    # so that what is set up is taken down
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    lab.sweep()
    for part in PARTS:
        if part in parts:
            figures.forget(part)
            globals()["do_" + part](args)
    print(table.text(figures.load()))


if __name__ == "__main__":
    main()
