#!/usr/bin/env python3
"""explains.py TEMPEST-SIM SOURCES: what an explanation says of the program: what it did with a result, where the run fails,
what a node waits for. Of bugs of the zoo, whose sources tell whether the line is the right one."""

import re
import sys

from checks import call, end, expect, failing

SIM, SOURCES = sys.argv[1:3]
NEXT = "the program goes on with:"
FAILS = "the run fails when this has completed, on node 0:"
DOWN = r"node 0 is down: its process ends \([a-z ]+ ended with EINVAL\), \d+ times in a row, after:"
VAIN = "node 0 waits in vain for:"
DOUBT = r"what was read is not what had been written there:"
BOTH = "what was read after that is as it had been written, and is not borne together:"
IS = r"\d+ bytes?, the first at \d+, {}, of this:"
# Scenario, words that are there, and operations: behind what, which, and what stands in that line of the source.
WANTED = (
    ("zoo-01", "which brings nothing back: what the failed sync has lost stays lost, and has to be written anew\nand promises: command 1", ((NEXT, "fsync", "tp_fsync("), (FAILS, "read", "zoo_load_start("))),
    ("zoo-06", "so between that read (06_torn_page.c:59) and the check that fails (06_torn_page.c:61) it has to be noticed",
     ((FAILS, "read", "zoo_load_start("), (DOUBT, "read", "zoo_load_start("), (IS.format("are 0"), "write", "tp_write_at("))),
    ("zoo-07", "so between that read (07_zero_tail.c:54) and the check that fails (07_zero_tail.c:56) it has to be noticed",
     ((FAILS, "read", "zoo_load_start("), (DOUBT, "read", "zoo_load_start("), (IS.format("are 0"), "write", "tp_write_at("))),
    ("zoo-09", "that is in a recovery", ((NEXT, "close", "tp_close("), (FAILS, "close", "tp_close("))),
    ("zoo-12", "and promises: command 1", ((NEXT, "fsync", "tp_fsync("), (FAILS, "read", "zoo_load_start("))),
    ("zoo-14", "no start gets past that: behind that read (14_empty_file.c:48) the program has to do without",
     ((DOWN, "read", "zoo_load_start("), (DOUBT, "read", "zoo_load_start("), (IS.format("are not there"), "write", "tp_write_at("))),
    ("zoo-15", "that is in a recovery", ((NEXT, "open", "zoo_load_start(cx, &p->files[1]"), (FAILS, "read", "zoo_load_start("), (DOUBT, "read", "zoo_load_start(cx, &p->files[0]"),
                                         (IS.format("is (0|something else)"), "write", "tp_write_at("))),
    ("zoo-16", "no start gets past that: behind that read (16_padding.c:66)", ((DOUBT, "read", "zoo_load_start(cx, &p->files[0]"),
     (IS.format("is something else"), "write", "tp_write_at("), (NEXT, "open", "zoo_load_start(cx, &p->files[1]"), (DOWN, "read", "zoo_load_start("))),
    ("zoo-17", "nothing arrives at a node (node 0)",
     ((VAIN, "recv", "tp_recv("), (r"it passes, too, if nothing arrives that node 0 sends from here on, at [\d.]+ s:",
                                   "send", "tp_send("))),
    ("zoo-20", "upon that the process ends: counter ended with EIO", ((FAILS, "read", 'zoo_load_start(cx, &z->file, "/log")'),
     (BOTH, "read", 'zoo_load_start(cx, &z->file, "/counter")'), (BOTH + r"\n  .*\n    of: .*", "read", 'zoo_load_start(cx, &z->file, "/log")'),
     (BOTH + r"\n.*", "  of: write", "tp_write_at("))),
)


def line_of(file, number):
    with open(f"{SOURCES}/{file}", encoding="utf-8") as source:
        return source.read().splitlines()[int(number) - 1]


for scenario, words, operations in WANTED:
    status, out, err = call(SIM, "explain", scenario, *failing(SIM, scenario, seeds="1..5000"))
    expect(f"{scenario} is explained", status == 0 and words in out, out, err)
    for behind, operation, code in operations:
        found = re.search(behind + r"\n  " + operation + r"\b.* ?\((\w+\.c):(\d+)\)", out)
        expect(f"{scenario}: {behind}", found and code in line_of(*found.groups()[-2:]), out)
    # Where it should never have come to that, the read is not to blame.
    expect(f"{scenario}: what was read", "and promises" not in out or not re.search("(behind|between) that read", out), out)
    # Where it fails, in the program itself, where a check of the program's says so.
    if out.startswith("failed: ") and "lost: " in out:
        file, number = re.match(r"failed: (\w+\.c):(\d+): ", out).groups()
        expect(f"{scenario}: where it fails", "zoo_compare(" in line_of(file, int(number)), out)
end()
