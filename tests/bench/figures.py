"""Figures: one JSON object each, in tests/bench/out/."""

import datetime
import json
import os
import platform
import re
import statistics

import lab

OUT = os.environ.get("BENCH_OUT", os.path.join(lab.BENCH, "out"))


def machine():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        names = [line.split(":", 1)[1].strip() for line in info
                 if line.startswith("model name")]
    return "%d x %s, Linux %s" % (os.cpu_count(), names[0] if names else
                                  platform.machine(),
                                  platform.release().split("-")[0])


def store(group, figure, value, unit, **rest):
    """`aim`: "<= 4" or ">= 0.75"; `peer`, `peer_value`: what it stands
    beside."""
    record = {"group": group, "figure": figure, "value": value, "unit": unit,
              "aim": None, "peer": None, "peer_value": None, **rest,
              "date": datetime.date.today().isoformat(),
              "machine": machine()}
    name = re.sub(r"[^a-z0-9]+", "-", (group + " " + figure).lower())
    os.makedirs(OUT, exist_ok=True)
    with open("%s/%s.json" % (OUT, name.strip("-")), "w",
              encoding="ascii") as out:
        json.dump(record, out, indent=1)
        out.write("\n")
    return record


def median_of(rounds, key):
    """Of what the rounds of one way measured, and how they are spread."""
    values = [each[key] for each in rounds]
    return {"value": statistics.median(values), "runs": len(values),
            "least": min(values), "most": max(values),
            "steal_s": sum(each["steal_s"] for each in rounds)}


def files():
    names = sorted(os.listdir(OUT)) if os.path.isdir(OUT) else ()
    return [os.path.join(OUT, name) for name in names
            if name.endswith(".json")]


def load():
    records = []
    for path in files():
        with open(path, encoding="ascii") as file:
            records.append(json.load(file))
    return records


def forget(group):
    """Of an earlier run."""
    for path in files():
        if os.path.basename(path).startswith(group + "-"):
            os.unlink(path)


def reached(record):
    """None where there is no aim."""
    if not record["aim"]:
        return None
    sign, bound = record["aim"].split()
    return record["value"] <= float(bound) if sign == "<=" else \
        record["value"] >= float(bound)
