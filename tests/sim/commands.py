#!/usr/bin/env python3
"""commands.py TEMPEST-SIM VERDICTS TALLY.C: the command line of simulations, as a user types it."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

from checks import ASAN, call, end, expect, failing

SIM, VERDICTS, SOURCE = sys.argv[1:4]


def verdict(scenario, *words):
    status, out, _ = call(VERDICTS, "run", scenario, "--seed", "1", "--json", *words)
    found = json.loads(out)
    expect(f"{scenario}: exit status", status == (0 if found["verdict"] == "passed" else 1), status)
    return found


# Every way to end is a verdict, and says why.
for scenario, wanted, words in (
        ("asserts", "stopped", "rounds > 0"), ("leaks", "stopped", "in flight"),
        ("crashes", "crashed", "died"), ("exits", "crashed", "status 3"), ("leaves", "crashed", "status 0"),
        ("talks", "stopped", "rounds > 0"), ("floods", "crashed", "File size limit"),
        ("sticks", "deadlock", "nothing can wake"), ("waits", "deadlock", "work is left"),
        ("polls", "liveness", "work is left"), ("check", "failed", "\"quotes\" and \\ too"),
        ("invariant", "failed", "half a millisecond"), ("works", "passed", ""),
        ("idles", "empty", "tp_node_spawn() does"), ("stateless", "stopped", "scenario stateless: tp_sim_state()")):
    found = verdict(scenario, "--faults", "-all")
    expect(scenario, found["verdict"] == wanted and words in found["message"], found)
# A law's report is all there: each operation, and where it was submitted.
LEAK = r"machine worker ended with [^\n]*\n  timer \(handle [0-9a-f]+\), in flight, submitted at [^ ]*verdicts\.c:\d+ by"
found = verdict("leaks", "--faults=-all")
expect("the operation that leaks, in JSON", re.search(LEAK, found["message"]), found["message"])
for command in ("run", "replay", "explain", "shrink"):
    with tempfile.TemporaryDirectory() as folder:
        more = ("-o", os.path.join(folder, "tape")) if command == "shrink" else ()
        status, out, err = call(VERDICTS, command, "leaks", "--seed", "1", "--faults=-all", *more)
        expect(f"the operation that leaks, in {command}", re.search(LEAK, out + err), out, err)
for scenario, wanted in (("leaves", "crashed"), ("talks", "stopped"), ("works", "passed")):
    status, out, _ = call(VERDICTS, "replay", scenario, "--seed", "1", "--json", "--faults=-all")
    expect(f"{scenario} once more", json.loads(out)["verdict"] == wanted, out)
if ASAN:
    found = verdict("overruns", "--faults", "-all")
    expect("overruns", found["verdict"] == "sanitizer", found["verdict"])

# One that dies takes no other seed with it; what outlives a run is noticed.
status, out, err = call(VERDICTS, "run", "asserts", "--seeds", "1..20", "--json")
totals = json.loads(out)
expect("each seed of asserts", totals["seeds"] == 20 and totals["failed"] == 20, totals["failed"])
expect("a line for the first few", sum("replay asserts --seed" in line for line in err.splitlines()) == 3, err)
expect("all in JSON", len(totals["failures"]) == 20, out)
status, out, err = call(VERDICTS, "run", "asserts", "--seeds", "1..20")
expect("how many were alike", re.search(r"^20 failed like seed 1: stopped: .*rounds > 0", out, re.MULTILINE) and
       "asserts: 20 seeds, 20 failed" in out, out)
# What it says to type is what was typed.
expect("how to ask why", f"the lowest seed that failed: 1\nto be told why:\n  {VERDICTS} explain asserts --seed 1\n" in out, out)
expect("how to replay it", f"    {VERDICTS} replay asserts --seed " in err, err)
status, out, err = call(VERDICTS, "run", "asserts", "-n", "1")
expect("one seed", "asserts: 1 seed, 1 failed" in out and "failed like" not in out, out)
status, out, err = call(VERDICTS, "run", "spins", "-n", "1", "--limit", "300ms", "--json")
expect("a limit", status == 1 and json.loads(out)["failures"][0]["verdict"] == "hang" and
       "within 0.3 s; --limit" in out, out)
status, out, err = call(VERDICTS, "replay", "spins", "--seed", "1", "--limit", "300ms")
expect("a limit for one", status == 1 and "hang: it did not end within 0.3 s" in err, err)
status, out, err = call(VERDICTS, "run", "remembers", "--seeds", "1..20", "--json", "--faults=-all")
kinds = {f["verdict"] for f in json.loads(out)["failures"]}
expect("remembers", kinds == {"diverged"}, out)
status, out, err = call(VERDICTS, "run", "remembers", "--seeds", "1..20", "--faults=-all")
expect("where it is seen again", re.search(r"    \S+ run remembers --seeds 1\.\.\d+ -j1 --faults=-all\n", err) and
       "each gives another trace alone" in out and "explain" not in out, out + err)

# The same for any number of processes.
runs = [json.loads(call(SIM, "run", "tally-broken", "--seeds", "1..60", "--json", "-j", j)[1])
        for j in ("1", "3")]
for run in runs:
    for failure in run["failures"]:
        del failure["wall_ns"]
expect("one or three jobs", runs[0]["failures"] == runs[1]["failures"] and runs[0]["faults"] == runs[1]["faults"])
expect("some fail, some do not", 0 < runs[0]["failed"] < 60, runs[0]["failed"])
expect("repeated", runs[0]["repeated"] > 0)
first = runs[0]["failures"][0]

# Until a failure: the lowest.
status, out, _ = call(SIM, "run", "tally-broken", "--until-failure", "--json", "-j", "3")
expect("until the lowest failure", json.loads(out)["failures"][0]["seed"] == first["seed"], out)
for scenario, until, found in (("fails_rarely", (), [1196]), ("fails_rarely", ("--seeds", "1..1196"), [1196]),
                               ("fails_rarely", ("--seeds", "1..1195"), []), ("works", ("--time", "1ms"), [])):
    status, out, _ = call(VERDICTS, "run", scenario, "--until-failure", "--json", *until)
    expect(f"{scenario} until a failure {until}", status == len(found) and
           [f["seed"] for f in json.loads(out)["failures"]] == found, out)
status, out, _ = call(VERDICTS, "run", "fails_rarely", "--until-failure", "--seeds", "1..9")
expect("none was found", status == 0 and "no seed that fails was found" in out, out)
status, out, _ = call(SIM, "run", "tally", "--time", "500ms", "--json")
expect("for a while", status == 0 and json.loads(out)["seeds"] > 0, out)

# The same run again, in another process; then the smallest, from its file.
with tempfile.TemporaryDirectory() as folder:
    tape = os.path.join(folder, "small.tape")
    seed = ("--seed", str(first["seed"]))
    status, out, _ = call(SIM, "replay", "tally-broken", *seed, "--json")
    expect("replay", json.loads(out)["trace_hash"] == first["trace_hash"] and status == 1, out)
    status, out, err = call(SIM, "shrink", "tally-broken", *seed, "-o", tape, "--json")
    small = json.loads(out)
    expect("shrink", status == 0 and small["choices"] <= 10 < small["choices_before"], out, err)
    status, out, _ = call(SIM, "replay", "tally-broken", "--tape", tape, "--json")
    again = json.loads(out)
    expect("the small tape", again["verdict"] == "failed" and again["trace_hash"] == small["trace_hash"], out)
    status, out, _ = call(SIM, "shrink", "tally-broken", "--tape", tape, "-o", tape, "--c-test")
    expect("words and a test", "workload is" in out and "\nfaults: " in out and "static void test_tally_broken(" in out, out)
    status, out, _ = call(VERDICTS, "shrink", "crashes", "--seed", "3", "-o", tape)
    expect("shrink what crashes", status == 0 and "crashed" in out, out)
    status, _, err = call(VERDICTS, "replay", "works", "--tape", tape)
    expect("a tape of another scenario", status == 2 and "is of scenario 'crashes', and not of 'works'" in err, err)
    call(VERDICTS, "shrink", "rings \033]0;a bell\a", "--seed", "1", "-o", tape)
    status, _, err = call(VERDICTS, "replay", "works", "--tape", tape)
    expect("a tape that would ring the bell", status == 2 and r"is of scenario $'rings \033]0;a bell\a', and" in err, err)
    link, target = os.path.join(folder, "link"), os.path.join(folder, "target")
    os.symlink(target, link)
    status, _, err = call(VERDICTS, "shrink", "works", "--seed", "1", "-o", link)
    expect("nothing is left where nothing was written", status == 1 and not os.path.exists(target), err)
    status, _, err = call(VERDICTS, "shrink", "check", "--seed", "1", "-o", link)
    expect("a link to what is not there yet", status == 0 and os.path.islink(link) and os.path.isfile(target), err)
    for command in ("shrink", "explain"): # of a tape that has no choices left
        status, out, err = call(VERDICTS, command, "check", "--tape", target, *(
            ("-o", tape) if command == "shrink" else ()), "--json")
        expect(f"{command} what needs no choice", status == 0 and json.loads(out)["choices"] == 0, out, err)
    manner = ("--profile", "ext4", "--faults=-all,+kill,+power")
    status, out, _ = call(SIM, "shrink", "tally-broken", *failing(SIM, "tally-broken", *manner), "-o", tape, "--json")
    small = json.loads(out)
    for words in ((), manner, manner[:2], manner[2:]):
        status, out, err = call(SIM, "replay", "tally-broken", "--tape", tape, "--json", *words)
        expect("a tape knows how it was run", json.loads(out)["trace_hash"] == small["trace_hash"] and
               "another run" not in err, words, out, err)
    status, out, err = call(SIM, "replay", "tally-broken", "--tape", tape, "--faults=+slow")
    expect("a tape with other faults", "this is another run" in err, err)
    status, out, err = call(SIM, "shrink", "tally-broken", "--tape", tape, "-o", tape, "--c-test")
    expect("the test has them, too", ".profile = " in out and ".families_off = 0x" in out, out)
    with open(tape, "wb") as file:
        file.write(b"TPTAPE\0\0 is not enough")
    status, _, err = call(SIM, "replay", "tally", "--tape", tape)
    expect("a file that is no tape", status == 2 and "no tape" in err, err)
    status, out, err = call(SIM, "shrink", "zoo-04", "--seed", "1356", "-o", tape, "--json")
    expect("shrink slices", status == 0 and json.loads(out)["choices"] <= 10, out, err)
    status, out, err = call(SIM, "shrink", "zoo-14", "--seed", "3", "--others", "-o", tape, "--json",
                            "--time", "120s") # on a machine that is busy; else 10 s suffice
    small = json.loads(out)
    expect("shrink others", status == 0 and small["choices"] < 12 and small["seed"] > 3, out, err)
    status, _, err = call(SIM, "shrink", "tally", "--seed", "1")
    expect("nothing to shrink", status == 1 and "passes" in err, err)

# What is missing is named, with the line after which it belongs. Hundreds of forks, which are slow
# under AddressSanitizer: there docs-simulation-steps has to do.
for scenario, kind, operation, missing in () if ASAN else (
        ("tally-broken", "fsync", "write", "a sync of the file"),
        ("tally-nodir", "sync_dir", "open", "a sync of the directory"),
        ("tally-deaf", "error", "fsync", "is not borne")):
    seed = failing(SIM, scenario)
    status, out, _ = call(SIM, "explain", scenario, *seed, "--json", "-j1")
    _, again, _ = call(SIM, "explain", scenario, *seed, "--json", "-j3")
    expect(f"{scenario} is explained alike by one and by three", out == again, out, again)
    why = json.loads(out)
    expect(f"{scenario} is explained", status == 0 and why["explained"] and why["kind"] == kind and
           why["operation"] == operation and why["file"] == "tally.c" and why["choices"] <= 10, out)
    with open(SOURCE, encoding="utf-8") as source:
        line = source.read().splitlines()[why["line"] - 1]
    expect(f"{scenario}: its line", f"tp_{'write_at' if operation == 'write' else operation}(" in line, line)
    if kind != "sync_dir":
        status, out, _ = call(SIM, "explain", scenario, *seed)
        expect(f"{scenario} in words", missing in out and f"tally.c:{why['line']}" in out, out)
# Where only many together do: a line of a loop is one place, with a count. By one and by three the same.
if not ASAN:
    faults, whys = "--faults=-all,+power", {}
    for scenario in ("syncs_none_of_many", "hurries_with_two"):
        seed = failing(VERDICTS, scenario, faults)
        both = [call(VERDICTS, "explain", scenario, *seed, "--json", "-j", j)[1] for j in ("1", "3")]
        expect(f"{scenario} is explained alike by one and by three", both[0] == both[1], both)
        whys[scenario] = (json.loads(both[0]), call(VERDICTS, "explain", scenario, *seed)[1])
    why, out = whys["syncs_none_of_many"]
    expect("many", why["kind"] == "fsync" and why["barriers"] == 20 and len(why["places"]) == 1 and
           why["places"][0]["times"] == 20 and why["places"][0]["operation"] == "write", why)
    expect("many in words", "\n20 barriers are missing, and without any of them it fails:\n" in out and "; and 16 more\n" in out and
           re.search(r"^  after: write 1 bytes at 0 /file19 \(verdicts_promises.c:\d+\), and 19 more at the same line$", out, re.MULTILINE), out)
    why, out = whys["hurries_with_two"]
    expect("two in a hurry", why["barriers"] == 2 and why["places"][0]["times"] == 2 and
           re.search(r"before it is promised: 2 files\n  there is one, which is not waited for: fsync /file1 \(", out), why, out)
# What a failed sync did not write may be gone, too: in zoo-11 it takes a page, and leaves the root that points to it.
if not ASAN:
    status, out, _ = call(SIM, "explain", "zoo-11", *failing(SIM, "zoo-11", "--faults=-all,+sync"))
    expect("a page that a sync loses", re.search(r"^not durable when a sync failed: write .*\nmissing: a sync of the file .*\n"
           r"  after: write 512 bytes .*\n  before the next change of the same: write 16 bytes", out, re.MULTILINE), out)
# What is told at the end was lost in a cut before the last one, and from that on a barrier makes another run of it.
if not ASAN:
    status, out, _ = call(VERDICTS, "explain", "notices_late", *failing(VERDICTS, "notices_late", "--faults=-all,+power"))
    expect("what is told late", re.search(r"\nthe barrier is there, and is not waited for: .*\n  fsync /file0 \(", out), out)
# What was never written is gone whatever a cut takes.
if not ASAN:
    status, out, _ = call(VERDICTS, "explain", "writes_something_else", "--seed", "1", "--json")
    expect("a restart", json.loads(out)["kind"] == "restart" and json.loads(out)["barriers"] == 0, out)
    status, out, _ = call(VERDICTS, "explain", "writes_something_else", "--seed", "1")
    expect("a restart in words", "passes if the power is not cut at the end, and fails even if that cut takes nothing:" in out and
           re.search(r"as it had been written:\n  read 1 bytes at 0 /file0 \(verdicts_promises.c:\d+\)\n    of: write 1 bytes", out), out)
# Where no ghosts heal, the same again.
if not ASAN:
    seed = failing(SIM, "zoo-12", seeds="1..5000")
    whys = [call(SIM, "explain", "zoo-12", *seed, "--json", "-j", j)[1] for j in ("1", "3")]
    expect("zoo-12 is explained alike by one and by three", whys[0] == whys[1] and json.loads(whys[0])["barriers"] == 0, whys)
# A barrier that is there, and is not waited for; and what befell a node, with what was under way.
if not ASAN:
    hurries = ("hurries", *failing(VERDICTS, "hurries", "--faults=-all,+power"))
    status, out, _ = call(VERDICTS, "explain", *hurries, "--json")
    why = json.loads(out)
    expect("hurries is explained", why["kind"] == "wait" and why["operation"] == "fsync" and
           why["file"] == "verdicts_promises.c", out)
    status, out, _ = call(VERDICTS, "explain", *hurries)
    expect("hurries in words", "wait until this has completed" in out and "before it is promised: round" in out, out)
    status, out, _ = call(VERDICTS, "explain", "names_in_a_hurry",
                          *failing(VERDICTS, "names_in_a_hurry", "--faults=-all,+power"), "--json")
    why = json.loads(out)
    expect("a name in a hurry is explained", why["kind"] == "wait" and why["operation"] == "sync_dir", out)
    # An operation that is overtaken, by the barrier that should cover it, or by a promise; order alone heals.
    for scenario, family, operation, words in (
            ("overtakes", "power", "write", ("overtakes it: wait until this has completed", "before this is begun: fsync /one")),
            ("tells_early", "kill", "open", ("wait until this has completed\n  open /name", "before it is promised: name 1"))):
        seed = failing(VERDICTS, scenario, f"--faults=-all,+{family}")
        status, out, _ = call(VERDICTS, "explain", scenario, *seed, "--json")
        why = json.loads(out)
        expect(f"{scenario} is explained", why["kind"] == "wait" and why["operation"] == operation, out)
        status, out, _ = call(VERDICTS, "explain", scenario, *seed)
        expect(f"{scenario} in words", all(word in out for word in words), out)
    # Of two it is not known which one should have been waited for, and none is blamed.
    status, out, _ = call(VERDICTS, "explain", "tells_of_two",
                          *failing(VERDICTS, "tells_of_two", "--faults=-all,+kill", seeds="2600..12000"))
    expect("what is known of the two", "cut_op is 1 of" in out and "wait until" not in out and out.count("    open ") == 2 and
           re.search(r"and then done or not:\n    open /a(\d+) \(verdicts_promises.c:\d+\)\n    open /b\1 \(", out), out)
    # What was told another node just before the power was cut: the node itself changes and promises nothing after that.
    seed = failing(VERDICTS, "tells_another", "--faults=-all,+power", seeds="1..9000")
    status, out, _ = call(VERDICTS, "explain", "tells_another", *seed)
    expect("what another node was told", re.search(r"\nmissing: a sync of the file .*, on node 1\n"
           r"  after: write 4 bytes at 0 /number .*\n  before others are told: send_to ", out), out)
    # A failed sync with which the process ended, as it should; the next one reads what the disk does not have.
    status, out, _ = call(VERDICTS, "explain", "believes",
                          *failing(VERDICTS, "believes", "--faults=-all,+sync,+power", seeds="1..9000"))
    expect("what a boot believes", "the barrier is there, and failed" in out and
           "the next process reads it all the same, from memory" in out and "what was read is not what" in out and
           not re.search("(behind|between) that read", out), out)
    # What a node waits for, a timer too; and how wrong a clock is.
    for scenario, words in (("waits", "accept"), ("polls", "timer")):
        status, out, _ = call(VERDICTS, "explain", scenario, "--seed", "1", "--faults=-all")
        expect(f"what {scenario} waits for", re.search(rf"^node 0 waits for:\n  {words} \(verdicts.c:\d+\)\n", out, re.MULTILINE), out)
    status, out, _ = call(VERDICTS, "replay", "polls", "--seed", "1", "--faults=-all", "-v")
    expect("and where all is printed", re.search(r"begins: timer \(verdicts.c:\d+\)\n.* liveness: ", out), out)
    status, out, _ = call(VERDICTS, "explain", "keeps_time", *failing(VERDICTS, "keeps_time", "--faults=-all,+clock"))
    expect("a wrong clock in words", re.search(r"(does not happen|is not so):\n  at [\d.]+ s, its (wall clock|clocks) \w+( ahead by| back by|) [\d.]+ (s|ppm)\b", out), out)
    status, out, _ = call(SIM, "explain", "zoo-14", "--seed", "9")
    expect("a killed process", "does not happen" in out and "killed (node 0)" in out and
           "while in flight: open /log.0 (14_empty_file.c:" in out, out)
    damaged = failing(SIM, "zoo-16", seeds="1..5000")
    status, out, _ = call(SIM, "explain", "zoo-16", *damaged)
    expect("a read that is damaged", "read_damage" in out and "at: read 16384 bytes at 0 /first" in out and
           "in a recovery" in out, out)
    status, out, _ = call(SIM, "replay", "zoo-16", *damaged, "-v")
    expect("and where all is printed", re.search(r"read 16384 bytes at 0 /first \(.*\) = 512, \d+ not as written\n", out), out)
    for scenario, what in (("asserts", "what it asserts there was not true"), ("leaks", "broke a law of the runtime"),
                           ("exits", "came to an end in the midst of the run")):
        status, out, _ = call(VERDICTS, "explain", scenario, "--seed", "1", "--faults=-all")
        expect(f"{scenario} in words", what in out and re.search(r"known of it .*:\n +[0-9.]+ us +node 0 +boots\nnot explained by", out), out)
    status, out, _ = call(SIM, "replay", "zoo-14", "--seed", "9", "-v")
    expect("a process that ends with an error", "the process exits: log ended with EINVAL" in out, out)
status, out, err = call(SIM, "explain", "tally", "--seed", "1")
expect("nothing to explain", status == 1 and "passes" in err and not out, err)
status, out, err = call(SIM, "replay", "tally", "--seed", "1", "-v")
expect("all that happened", status == 0 and "boots" in out and "promised: stroke 1" in out and
       "(tally.c:" in out, out)

# The power cut everywhere.
for scenario, wanted in () if ASAN else (("tally", 0), ("tally-nodir", 1)):
    with tempfile.TemporaryDirectory() as folder:
        tape = os.path.join(folder, "sweep.tape")
        status, out, _ = call(SIM, "sweep", scenario, "--seed", "28", "--json", "-o", tape)
        swept = json.loads(out)
        expect(f"sweep of {scenario}", status == wanted and (swept["failures"] > 0) == (wanted == 1) and
               swept["points"] == swept["points_done"] > 0 and swept["second_cuts"] > 0 and not swept["interrupted"], out)
        expect(f"sets of survivors in {scenario}", swept["first"]["every_set"] + swept["first"]["some_sets"] ==
               swept["first"]["places"] > swept["points"] and swept["first"]["every_set"] > 1 and 0 < swept["second"]["done"] == swept["second"]["places"] ==
               swept["second"]["every_set"] + swept["second"]["some_sets"], out)
        status, out, _ = call(SIM, "sweep", scenario, "--seed", "28", "--survivors", "1", "-j1", "-o", tape)
        expect(f"sets that were left out of {scenario}", re.search(r"^first cuts, .* [1-9]\d* with 1 of them", out,
                                                                  re.MULTILINE), out)
        if wanted:
            _, out, _ = call(SIM, "sweep", scenario, "--seed", "28", "--profile", "nvme-plp", "-o", tape)
            again = [line.split() for line in out.splitlines() if "replay" in line]
            expect("how to run it again", again and again[0] == [
                SIM, "replay", scenario, "--tape", tape, "--profile", "nvme-plp", "--faults=-all,+power"], out)
            status, out, _ = call(SIM, *again[0][1:], "--json")
            expect("the same again", status == 1 and json.loads(out)["verdict"] == "failed", out)
            status, bare, _ = call(SIM, "replay", scenario, "--tape", tape, "--json")
            expect("and without the faults", json.loads(bare)["trace_hash"] == json.loads(out)["trace_hash"], bare)
            call(SIM, "sweep", scenario, "--seed", "28", "-o", tape)
            status, out, _ = call(SIM, "explain", scenario, "--tape", tape, "--faults=-all,+power", "--json")
            expect(f"explain after sweep of {scenario}", json.loads(out)["kind"] in ("fsync", "sync_dir"), out)

# A trace that others read.
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "trace.json")
    status, out, _ = call(SIM, "trace", "tally", "--seed", "3", "-o", path)
    with open(path, encoding="utf-8") as file:
        events = json.load(file)["traceEvents"]
    spans = [event for event in events if event["ph"] == "X"]
    expect("trace", status == 0 and {"write", "fsync"} <= {e["name"] for e in spans} and
           all(e["dur"] >= 0 and e["pid"] == 1 for e in spans) and
           any(e["name"].startswith("promised") for e in events), out)

# Marks that never held are named.
status, out, _ = call(VERDICTS, "run", "works", "--seeds", "1..200", "--faults", "+kill")
expect("marks", "never reached: pigs fly (" in out and "a worker works" not in out and
       "came back" not in out, out)

# A range of one seed, the first there is.
status, out, _ = call(SIM, "run", "tally", "--seeds", "0..0", "--json")
expect("seed 0 alone", status == 0 and json.loads(out)["seeds"] == 1, out)

# A signal in the middle: what was done until then is told, and nothing goes on.
# It comes when `told` is on standard error, so many children were seen, and one is there.
def interrupt(number, told, runs, program, *words):
    seen, children, err = set(), [], ""
    with tempfile.TemporaryFile("w+") as said, \
            subprocess.Popen([program, *words], stdout=subprocess.PIPE, stderr=said, text=True) as one:
        while one.poll() is None and not (children and told in err and len(seen) >= runs):
            with open(f"/proc/{one.pid}/task/{one.pid}/children", encoding="ascii") as file:
                children = file.read().split()
            seen.update(children)
            time.sleep(0.005)
            err = os.pread(said.fileno(), 1 << 20, 0).decode()
        expect(f"{words} has children", children and one.poll() is None)
        one.send_signal(number)
        out, _ = one.communicate(timeout=100)
        err = os.pread(said.fileno(), 1 << 20, 0).decode()
        left = [child for child in children if os.path.exists(f"/proc/{child}")]
        expect(f"{words} leaves no children", not left, left)
        expect(f"{words}: status and words", one.returncode == 128 + number and "it ended early" in err,
               one.returncode, err)
        return out, err


out, err = interrupt(signal.SIGINT, "seed 1196: ", 1, VERDICTS, "run", "fails_rarely", "--seeds", "1100..1000000000", "--json",
                     "-j2")
found = json.loads(out)
expect("what an interrupted run did", found["interrupted"] and 0 < found["failed"] < found["seeds"] and
       {f["verdict"] for f in found["failures"]} == {"failed"}, out[:400])
out, err = interrupt(signal.SIGTERM, "", 2, VERDICTS, "run", "spins", "--seeds", "1..9", "-j2")
expect("a run that hung is not told", "0 seeds, 0 failed" in out and "hang" not in err, out, err)
out, err = interrupt(signal.SIGTERM, "", 1, VERDICTS, "replay", "spins", "--seed", "1", "--json")
expect("a replay that did not end", out == "", out)
with tempfile.TemporaryDirectory() as folder:
    tape = os.path.join(folder, "best.tape")
    out, err = interrupt(signal.SIGINT, "", 5, VERDICTS, "shrink", "dawdles", "--seed", "2", "-o", tape, "--json")
    found = json.loads(out)
    expect("a shrink that was stopped", found["verdict"] == "failed" and found["tried"] > 0 and found["interrupted"], out)
    out, err = interrupt(signal.SIGINT, "", 5, VERDICTS, "explain", "dawdles", "--seed", "2")
    expect("an explanation that was stopped", "not explained: that was ended before" in out, out)
    status, out, _ = call(VERDICTS, "replay", "dawdles", "--tape", tape, "--json")
    expect("and its tape", json.loads(out)["trace_hash"] == found["trace_hash"], out)
    out, err = interrupt(signal.SIGINT, "", 6, SIM, "sweep", "kv", "--seed", "1", "-o", tape, "-j2", "--json")
    found = json.loads(out)
    expect("a sweep that was stopped", found["points_done"] < found["points"] and found["failures"] == 0 and
           found["interrupted"], out)

# The bar on a terminal: as wide as that at most, and the words before the bar.
def bars(columns):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with open(os.devnull, "w", encoding="ascii") as nowhere:
        done = subprocess.Popen([SIM, "run", "tally", "-n", "40"], stdout=nowhere, stderr=theirs,
                                env=dict(os.environ, TERM="xterm"))
    os.close(theirs)
    drawn = b""
    try:
        while piece := os.read(ours, 4096):
            drawn += piece
    except OSError: # all ends of the terminal are closed
        pass
    os.close(ours)
    expect("a run on a terminal", done.wait(timeout=100) == 0, drawn)
    return [line.removesuffix("\x1b[K") for line in drawn.decode().split("\r") if line.removesuffix("\x1b[K")]


# In 40 columns there is room for the bar only as long as the words do not say how much time is left.
for columns in (40, 60, 100):
    lines = bars(columns)
    expect(f"a bar of {columns} columns", lines and all(len(line) < columns and "/s" in line for line in lines) and
           all(line.startswith("[") == (columns > 40 or " left" not in line) for line in lines), lines)
    expect(f"the words in {columns} columns", lines[-1].endswith("0 failed") and "40 of 40, " in lines[-1], lines)

# What is not understood.
for words in ((), ("run",), ("fly",), ("run", "nothing"), ("run", "tally", "--seeds", "9..3"),
              ("run", "tally", "--faults", "kill"), ("run", "tally", "--profile", "fat"),
              ("run", "tally", "--time", "soon"), ("replay", "tally"), ("run", "tally", "more"),
              ("run", "tally", "--tape", "some.tape"), ("run", "tally", "-n", "0"), ("run", "tally", "--limit", "x"), ("sweep", "tally", "--seed", "1", "--survivors", "0"),
              ("run", "tally", "--survivors", "9"),
              ("run", "tally", "--seeds", "5..9", "-n", "2"), ("run", "tally", "--seed", "5", "-n", "2"),
              ("run", "tally", "-o", "x"), ("replay", "tally", "--seed", "1", "--seeds", "1..2"),
              ("list", "--seed", "1"), ("shrink", "tally", "--seed", "1", "--json", "--c-test"),
              ("sweep", "tally", "--seed", "1", "--faults", "+kill")):
    status, out, err = call(SIM, *words)
    expect(f"wrong usage {words}", status == 2 and err and not out, status, err)
for words, wanted in ((("run", "tally", "--seeds", "1-10"), "1..10 is"), (("run", "tally", "--seeds", "7"), "--seed 7 is"),
                      (("trace", "tally", "--seed", "1", "--json"), "--json has no effect on trace"),
                      (("show", "tally", "--seed", "1", "--tape", "x"), "--seed and --tape do not go together"),
                      (("replay", "tally", "--tape", "/nothing.tape"), "ENOENT"),
                      (("shrink", "tally-broken", "--seed", "1", "-o", "/nowhere/x.tape"), "ENOENT"),
                      (("sweep", "tally", "--seed", "1", "-o", "-"), "wants a file"),
                      (("trace", "tally", "--seed", "1", "-o", "/dev/full"), "ENOSPC")):
    status, out, err = call(SIM, *words)
    expect(f"what is wrong with {words}", status == 2 and wanted in err and not out, status, out, err)

# More ways to say which seeds; and where it goes.
for words, seeds in ((("-n", "3"), 3), (("--seeds", "5..", "-n", "2"), 2), (("--seeds", f"{2 ** 64 - 2}..", "-n", "9"), 2)):
    status, out, _ = call(SIM, "run", "tally", "--json", *words)
    expect(f"seeds {words}", status == 0 and json.loads(out)["seeds"] == seeds, out)
status, out, err = call(SIM, "run", "--io=virtual", "tally", "-n", "1", "-q")
expect("the option of all programs", status == 0, err)
status, out, err = call(SIM, "run", "--io=linux", "tally", "-n", "1", "-q")
expect("no other world", status == 2 and "--io is virtual" in err, err)
status, out, err = call(SIM, "trace", "tally", "--seed", "1", "-o", "-")
expect("a trace on standard output", status == 0 and json.loads(out)["traceEvents"] and "facts in it" in err, err)
# What was printed and has not arrived is told, once; a program without standard output gives its number to no file.
for words in (("list",), ("help",), ("--help",), ("zoo", "--help"), ("check", "--help"), ("run", "tally", "-n", "1", "-q"),
              ("run", "tally", "-n", "1", "--json")):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([SIM, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=100, check=False)
    expect(f"no room for {words}", done.returncode == 1 and done.stderr.count("No space left") == 1, done)
for words, wanted in ((("zoo", "--help"), 1), (("run", "tally", "-n", "1"), 1), (("trace", "tally", "--seed", "1", "-o", "-"), 2),
                      (("show", "tally", "--seed", "1", "-o", "-"), 2)):
    done = subprocess.run(["sh", "-c", 'exec "$0" "$@" >&-', SIM, *words], stderr=subprocess.PIPE, text=True, timeout=100,
                          check=False)
    expect(f"no output for {words}", done.returncode == wanted and done.stderr.count("standard output: ") == 1 and
           done.stderr.count("\n") == 1, done)
status, out, _ = call(SIM, "list")
expect("list", status == 0 and "tally-broken" in out, out)
status, out, _ = call(SIM, "list", "--json")
expect("list in JSON", "tally-broken" in [one["name"] for one in json.loads(out)["scenarios"]], out)
for words, wanted in ((("help",), "tempest-sim check"), (("help",), "tempest-sim zoo"), (("run", "--faults=help"), "a process dies"),
                      (("run", "--profile=help"), "as ext4")):
    status, out, err = call(SIM, *words)
    expect(f"{words}", status == 0 and wanted in out and not err, out)
for word in ("--help", "--version"):
    status, out, err = call(SIM, word)
    expect(word, status == 0 and out and not err)
end()
