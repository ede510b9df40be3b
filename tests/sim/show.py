#!/usr/bin/env python3
"""show.py TEMPEST-SIM VERDICTS: the data of a page that `show` writes are valid, complete and bounded."""

import collections
import json
import os
import re
import sys
import tempfile

from checks import ASAN, call, end, expect, failing

SIM, VERDICTS = sys.argv[1:3]
BOOT, END, EVENT, PROMISE, OPERATION, FILE, MESSAGE = 1, 2, 3, 4, 5, 16, 17
KILLED, OVER = 2, 6
BEGUN, EFFECT, COMPLETED = 0, 1, 2
COLUMNS = {BEGUN: 12, EFFECT: 17, COMPLETED: 7}
BYTES_MAX = 12 << 20


def show(program, folder, scenario, *words):
    """The page of a run, and the data in it."""
    path = os.path.join(folder, scenario + ".html")
    status, out, err = call(program, "show", scenario, *words, "-o", path)
    expect(f"show {scenario}", status == 0 and path in out, status, out, err)
    with open(path, "rb") as file:
        page = file.read().decode("ascii")
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    expect(f"{scenario}: one place for data, two scripts", len(found) == 1 and page.count("<script") == 2)
    rest = page.replace(found[0], "")
    expect(f"{scenario}: nothing from elsewhere", not re.search(r"(src|href)=|url\(|@import|https?://", rest))
    return page, json.loads(found[0])


def spans_of(run):
    """(node, kind, begin, duration) of all operations that complete, as a trace has them."""
    begun, found = {}, collections.Counter()
    for fact in run["facts"]:
        if fact[1] == 2:
            begun = {key: at for key, at in begun.items() if key[0] != fact[2]}
        if fact[1] != OPERATION:
            continue
        expect("columns", len(fact) == COLUMNS[fact[3]], fact)
        key = (fact[2], fact[4])
        if fact[3] == BEGUN:
            begun[key] = fact[0]
        elif fact[3] == COMPLETED and key in begun:
            at = begun.pop(key)
            found[(fact[2], fact[5], at, fact[0] - at)] += 1
    return found


def nanoseconds(us):
    return round(us * 1000)


def against_trace(folder, scenario, data, run, *words):
    path = os.path.join(folder, "trace.json")
    call(SIM, "trace", scenario, *words, "-o", path)
    with open(path, encoding="utf-8") as file:
        events = json.load(file)["traceEvents"]
    kinds = {name: number for number, name in enumerate(data["kinds"])}
    spans = collections.Counter((e["pid"], kinds[e["name"]], nanoseconds(e["ts"]), nanoseconds(e["dur"]))
                                for e in events if e["ph"] == "X")
    expect(f"{scenario}: every operation of the trace", spans == spans_of(run) and spans,
           spans - spans_of(run), spans_of(run) - spans)
    instants = sum(e["ph"] == "i" for e in events)
    facts = sum(fact[1] not in (OPERATION, FILE, MESSAGE) for fact in run["facts"])
    expect(f"{scenario}: every other fact of the trace", instants == facts > 0, instants, facts)
    promises = [e["name"] for e in events if e["name"].startswith("promised: ")]
    expect(f"{scenario}: promises", promises == ["promised: " + f[4] for f in run["facts"] if f[1] == PROMISE])


def disks(scenario, run):
    """What is written is first in memory only, and durable after a sync; a boot lists what is left."""
    states = [f[15] for f in run["facts"] if f[1] == OPERATION and f[3] == EFFECT and f[15]]
    expect(f"{scenario}: dirty and durable", any(s[1] for s in states) and any(s[0] for s in states), states[:5])
    expect(f"{scenario}: names pending, and not", any(s[4] for s in states) and any(not s[4] for s in states))
    expect(f"{scenario}: files at a boot", any(f[1] == FILE for f in run["facts"]))


with tempfile.TemporaryDirectory() as folder:
    # A run that passes.
    page, data = show(SIM, folder, "tally", "--seed", "3")
    expect("it passes", data["explanation"] is None and [r["verdict"] for r in data["runs"]] == ["passed"])
    expect("nothing is left out", data["runs"][0]["left_out"] == 0)
    against_trace(folder, "tally", data, data["runs"][0], "--seed", "3")
    disks("tally", data["runs"][0])
    writes = [f[10] for f in data["runs"][0]["facts"] if f[1] == OPERATION and f[3] == EFFECT and
              data["kinds"][f[5]] == "write"]
    expect("a write tells its file", writes and all(name.startswith("/") for name in writes), writes[:5])
    status, out, _ = call(SIM, "replay", "tally", "--seed", "3", "--json")
    expect("to look changes nothing", json.loads(out)["trace_hash"] == data["runs"][0]["trace"], out)

    # Nobody has killed what the run needs no more.
    page, data = show(SIM, folder, "zoo-17-twin", "--seed", "1", "--faults=-all")
    ends = [f[3] for f in data["runs"][0]["facts"] if f[1] == END]
    expect("no end by a kill", KILLED not in ends and OVER in ends, ends)

    # Several nodes: a message that is received comes from a send before it, on another node.
    page, data = show(SIM, folder, "zoo-13-twin", "--seed", "1")
    run, sends, received = data["runs"][-1], {}, 0
    for fact in run["facts"]:
        if fact[1] == OPERATION and fact[3] == EFFECT and fact[16]:
            sends[(fact[2], fact[12])] = fact
        if fact[1] == MESSAGE:
            sent = sends.get((fact[3], fact[4]))
            expect("a message has been sent", sent is not None and sent[16] == fact[2] != sent[2], fact)
            received += 1
    expect("messages are received", 0 < received <= len(sends), received, len(sends))

    # So does a datagram; more of them are on their way than bytes of streams are followed.
    page, data = show(VERDICTS, folder, "mails", "--seed", "1", "--faults=-all")
    run, sends, received = data["runs"][0], {}, []
    for fact in run["facts"]:
        if fact[1] == OPERATION and fact[3] == EFFECT and data["kinds"][fact[5]] == "send_to":
            sends[(fact[2], fact[12])] = fact
        if fact[1] == MESSAGE:
            sent = sends.get((fact[3], fact[4]))
            expect("a datagram has been sent", sent is not None and sent[16] == fact[2] == 1 and sent[0] < fact[0], fact)
            received.append((fact[3], fact[4]))
    expect("each is received once", len(sends) >= 40 and received == list(sends) and run["not_followed"] == 0,
           len(sends), len(received))

    # A long one is bounded, and says so.
    page, data = show(VERDICTS, folder, "toils", "--seed", "1", "--faults=-all")
    run = data["runs"][0]
    expect("a long run is cut", len(run["facts"]) == data["facts_max"] and run["left_out"] > 1000 and
           len(page) < BYTES_MAX, len(run["facts"]), run["left_out"], len(page))
    expect("its end is kept", run["facts"][-1][1] == 0 and data["phases"][run["facts"][-1][3]] == "check" or
           run["facts"][-1][1] == 6, run["facts"][-1])

    # Names of any bytes stay names.
    page, data = show(VERDICTS, folder, "hostile", "--seed", "1", "--faults=-all")
    raw = b"<!--<script>'\"&\\</script><img src=x onerror=hacked=1>\xc3\xa9\xff".decode("latin-1")
    run = data["runs"][0]
    expect("a hostile name is whole", any(f[1] == OPERATION and f[3] == EFFECT and f[10] == "/" + raw
                                          for f in run["facts"]))
    expect("a hostile message", raw in run["message"] and "<img src=x" not in page and "<!--" not in page)

    # One that fails: the smallest first, explained, then as it was.
    if not ASAN:
        seed = failing(SIM, "tally-broken")
        page, data = show(SIM, folder, "tally-broken", *seed)
        small, whole = data["runs"]
        why = data["explanation"]
        expect("explained", why["how"] == "barrier" and why["places"][0]["site"].startswith("tally.c:") and
               not why["places"][0]["names"] and why["unkept"] and why["places"][0]["promise"], why)
        place = why["places"][0]
        marked = [f for f in small["facts"] if f[1] == OPERATION and f[3] == EFFECT and f[2] == place["node"] and
                  f[12] == place["effect"]]
        expect("its place is in the small run", len(marked) == 1 and marked[0][11] == place["site"], place, marked)
        expect("both fail", small["verdict"] == whole["verdict"] == "failed" and
               0 < small["operations"] < whole["operations"])
        against_trace(folder, "tally-broken", data, whole, *seed)
        page, data = show(SIM, folder, "zoo-04", "--seed", "1356")
        why = data["explanation"]
        expect("nothing befell it", why["event"] is None, why)
        expect("what made it fatal", why["how"] == "barrier" and
               why["then"]["operation"].startswith("remove /log."), why)
        page, data = show(SIM, folder, "zoo-14", "--seed", "9")
        befell, why = data["explanation"]["event"], data["explanation"]
        expect("what befell it", why["how"] == "choice" and befell["text"] == "its process is killed" and befell["node"] == 1, why)
        expect("it is in the small run",
               [befell["at_ns"], EVENT, 1] in [fact[:3] for fact in data["runs"][0]["facts"]], befell)
        expect("a process that ends with an error",
               any(f[1] == END and f[4] == "log ended with EINVAL" for f in data["runs"][0]["facts"]))
        expect("what the program is", data["summary"] == "a new log that is still empty blocks the start", data["summary"])
        tape = os.path.join(folder, "small.tape")
        call(SIM, "shrink", "tally-broken", *seed, "-o", tape)
        page, data = show(SIM, folder, "tally-broken", "--tape", tape)
        expect("a tape", data["origin"] == "tape " + tape and "--tape" in data["replay"], data["origin"])

    # Where it cannot be written.
    status, _, err = call(SIM, "show", "tally", "--seed", "3", "-o", os.path.join(folder, "no", "page.html"))
    expect("no such directory", status == 2 and "ENOENT" in err, err)
    status, out, err = call(SIM, "show", "tally")
    expect("which run", status == 2 and not out and "--seed" in err, err)
end()
