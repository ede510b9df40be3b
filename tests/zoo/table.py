#!/usr/bin/env python3
"""table.py TEMPEST-SIM [ARGUMENT...]: `tempest-sim zoo --json ARGUMENT...` finds, shrinks and explains every bug that it
is asked for, within the goals, and blames no twin."""
import json
import subprocess
import sys

CPU_S_MAX, CHOICES_MAX = 60, 10
# Where a barrier is missing, or one has failed: which, and after which operation of the source.
BARRIERS = {1: ("error", "tp_fsync("), 2: ("error", "tp_fsync("), 3: ("sync_dir", "tp_rename("),
            4: ("sync_dir", "tp_rename("), 5: ("sync_dir", "tp_open("), 8: ("fsync", "tp_write_at("),
            10: ("fsync", "tp_write_at("), 11: ("fsync", "tp_write_at("), 18: ("fsync", "tp_write_at("),
            19: ("fsync", "tp_write_at(")}

sim, sources, *arguments = sys.argv[1:]
done = subprocess.run([sim, "zoo", "--json", *arguments], stdout=subprocess.PIPE, text=True, check=False)
rows = json.loads(done.stdout)["rows"]
wanted = [int(word) for word in arguments if word.isdigit()] or list(range(1, 21))
wrong = []
if done.returncode != 0:
    wrong.append(f"exit status {done.returncode}")
if [row["id"] for row in rows] != wanted:
    wrong.append(f"{wanted} were asked for")
for row in rows:
    print(row)
    good = (row["found"] and row["cpu_s"] <= CPU_S_MAX and row["shrunk"] <= CHOICES_MAX and row["explained"] and
            row["twin_failures"] == 0 and row["twin_seeds"] > 0)
    if row["id"] in BARRIERS:
        kind, operation = BARRIERS[row["id"]]
        with open(f"{sources}/{row['source']}", encoding="utf-8") as source:
            line = source.read().splitlines()[row.get("line", 1) - 1]
        good = good and row["kind"] == kind and operation in line and row["file"] == row["source"]
    if not good:
        wrong.append(f"bug {row['id']}")
for what in wrong:
    print("not as it should be:", what)
sys.exit(1 if wrong else 0)
