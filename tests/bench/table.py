#!/usr/bin/python3
"""tests/bench/out/*.json as tables and plots.

    tests/bench/table.py		print the tables
    tests/bench/table.py README.md	put them between its markers, and plot
"""

import subprocess
import sys

import figures

BEGIN, END = "<!-- bench: made by `make bench-table` -->", "<!-- /bench -->"
BULK = ("CPU per byte", "throughput", "keepalive round trip")
ROUTES = ("full table, CPU", "full table, time")
HANDSHAKE = ("as initiator", "as responder", "initiator, of bare operations",
             "responder, of bare operations", "time")
PLOT = """set terminal pngcairo size 1000,%(height)d font "sans,11"
set output "%(folder)s/%(name)s.png"
set title "%(title)s"
set style data boxes
set style fill solid 0.7
set boxwidth 0.6
set xrange [0:*]
set yrange [%(top).1f:-0.6]
set grid x
unset key
set lmargin 48
$data << END
%(rows)s
END
plot $data using (0.5*$2):0:(0.5*$2):(0.3):ytic(1) with boxxyerror, \\
	$data using 2:0:3 with labels left offset 0.5,0
"""


def number(value):
    return "%.3g" % value if abs(value) < 1000 else "%.0f" % value


def of(value, base):
    return "%.2f" % (value / base) if base else ""


def row(*cells):
    return "| " + " | ".join(cells) + " |"


def head(*cells):
    return [row(*cells), "|" + "---|" * len(cells)]


def by_way(records, group):
    """{way: {what: record}}, plain first."""
    found = {}
    for record in records:
        if record["group"] == group:
            found.setdefault(record["way"], {})[record["what"]] = record
    return dict(sorted(found.items(), key=lambda item: (
        item[0] != "plain", next(iter(item[1].values()))["value"] and
        item[1][(BULK if group == "bulk" else ROUTES)[0]]["value"])))


def bulk_table(records):
    found = by_way(records, "bulk")
    if not found:
        return []
    lines = head("bulk TCP on port 179", "CPU, ns a byte (s a GB)",
                 "of plain", "Gbit/s", "round trip of a keepalive, us")
    for way, what in found.items():
        cpu, gbit, trip = (what[key] for key in BULK)
        lines.append(row(way, number(cpu["value"]),
                         of(cpu["value"], cpu["peer_value"]),
                         number(gbit["value"]), number(trip["value"])))
    return lines + [""]


def routes_table(records):
    found = by_way(records, "routes")
    if not found:
        return []
    lines = head("a full table, BIRD to BIRD", "CPU s", "of plain", "s",
                 "of plain")
    for way, what in found.items():
        cpu, took = (what[key] for key in ROUTES)
        lines.append(row(way, number(cpu["value"]),
                         of(cpu["value"], cpu["peer_value"]),
                         number(took["value"]),
                         of(took["value"], took["peer_value"])))
    return lines + [""]


def handshake_table(records):
    """A row for each suite of algorithms, the default ones first; what there
    is an aim for stands in the head, and what it stands beside at the end."""
    found = {}
    for record in records:
        if record["group"] == "handshake" and "suite" in record:
            found.setdefault(record["suite"], {})[record["what"]] = record
    if not found:
        return []
    suites = sorted(found, key=lambda suite: (
        not found[suite][HANDSHAKE[0]]["aim"],
        -found[suite][HANDSHAKE[0]]["value"]))
    default = [found[suites[0]][what] for what in HANDSHAKE]
    lines = head("IKE handshake with two Child SAs", *(
        "%s%s (aim %s)" % (r["what"], r["unit"] and ", " + r["unit"],
                           r["aim"]) for r in default))
    lines += [row(suite, *(number(found[suite][what]["value"])
                           for what in HANDSHAKE)) for suite in suites]
    lines.append(row(default[0]["peer"] + ", measured earlier", *(
        number(r["peer_value"]) if r["peer"] else "" for r in default)))
    return lines + [""]


def aims_table(records):
    """What else there is an aim for."""
    found = [r for r in records if r["aim"] and "way" not in r and
             r.get("what") not in HANDSHAKE]
    if not found:
        return []
    lines = head("", "measured", "aim", "beside it")
    for r in found:
        measured = number(r["value"]) + " " + r["unit"]
        # of a span, what other programs on the machine have added
        if r["unit"] == "ms":
            measured += " (least %s)" % number(r["least"])
        lines.append(row(r["figure"], measured, r["aim"], "%s: %s" % (
            r["peer"], number(r["peer_value"])) if r["peer"] else ""))
    return lines + [""]


def verdict(records):
    aimed = [r for r in records if r["aim"]]
    missed = ["%s (%s, aim %s)" % (r["figure"], number(r["value"]), r["aim"])
              for r in aimed if not figures.reached(r)]
    return "%d of %d aims reached%s." % (
        len(aimed) - len(missed), len(aimed),
        "; missed: " + "; ".join(missed) if missed else "")


def text(records):
    if not records:
        sys.exit("table: no figures yet: `make bench` first")
    # the newest record says when and where
    last = max(records, key=lambda r: r["date"])
    stolen = max(r.get("steal_s", 0) for r in records)
    lines = bulk_table(records) + routes_table(records) + \
        handshake_table(records) + aims_table(records)
    lines.append("%s, %s; at most %.0f s of a part's time stolen by other "
                 "machines. %s" % (last["date"], last["machine"], stolen,
                                   verdict(records)))
    return "\n".join(lines)


# -------------------------------------------------------------------- plots

def plot(name, title, rows):
    if not rows:
        return
    script = PLOT % {
        "folder": figures.OUT, "name": name, "title": title,
        "height": 120 + 45 * len(rows), "top": len(rows) - 0.4,
        "rows": "\n".join('"%s" %g "%s"' % (label, value, number(value))
                          for label, value in rows)}
    subprocess.run(("gnuplot",), input=script, check=True, text=True)


def plots(records):
    plot("bulk", "Bulk TCP on port 179: CPU nanoseconds a byte, both ends", [
        (way, what["CPU per byte"]["value"])
        for way, what in by_way(records, "bulk").items()])
    plot("routes", "A full table, BIRD to BIRD: CPU seconds", [
        (way, what["full table, CPU"]["value"])
        for way, what in by_way(records, "routes").items()])
    rates = [r for r in records if r["group"] == "handshake" and
             r["unit"] == "1/CPU-s"]
    plot("handshake", "IKE handshakes a CPU second", sorted(
        [("%s, %s" % (r["suite"], r["what"]), r["value"]) for r in rates] +
        [("%s, %s" % (r["peer"], r["what"]), r["peer_value"])
         for r in rates if r["peer"]], key=lambda row: -row[1]))


def put(path, table):
    with open(path, encoding="utf-8") as file:
        old = file.read()
    if BEGIN not in old or END not in old:
        sys.exit("table: %s has no markers %s and %s" % (path, BEGIN, END))
    before, rest = old.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + "\n" + table + "\n" + END + after)


def main():
    records = figures.load()
    table = text(records)
    if len(sys.argv) == 2:
        put(sys.argv[1], table)
        plots(records)
    else:
        print(table)


if __name__ == "__main__":
    main()
