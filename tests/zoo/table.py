#!/usr/bin/env python3
"""table.py TEMPEST-SIM [ARGUMENT...]: `tempest-sim zoo --json ARGUMENT...` finds, shrinks and explains every bug that it
is asked for, within the goals, and blames no twin."""
import json
import subprocess
import sys

CPU_S_MAX, CHOICES_MAX = 60, 10
# What each explanation names, and the operation of the source that stands in its line: what a barrier belongs after, what
# failed or was damaged, what reads what a cut has left, what is told too early, what is waited for in vain. Where several
# faults make the same bug show, the seed that is found decides which.
NAMED = {1: {"error": "tp_fsync("}, 2: {"error": "tp_fsync("}, 3: {"sync_dir": "tp_rename("},
         4: {"sync_dir": "tp_rename("}, 5: {"sync_dir": "tp_open("}, 6: {"torn": "zoo_load_start("},
         7: {"torn": "zoo_load_start("}, 8: {"fsync": "tp_write_at("}, 9: {"error": "tp_read_at("},
         10: {"fsync": "tp_write_at("}, 11: {"fsync": "tp_write_at("}, 12: {"error": "tp_write_at("},
         13: {"early": "tp_send("}, 14: {"torn": "zoo_load_start(", "error": "tp_", "choice": "tp_open("},
         15: {"error": "&p->files[0]", "choice": "&p->files[0]"}, 16: {"choice": "&p->files[0]"},
         17: {"choice": "tp_recv("}, 18: {"fsync": "tp_write_at("}, 19: {"fsync": "tp_write_at("}, 20: {"error": "tp_"}}

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
    with open(f"{sources}/{row['source']}", encoding="utf-8") as source:
        line = source.read().splitlines()[row.get("line", 1) - 1]
    operation = NAMED[row["id"]].get(row.get("kind"))
    good = good and operation is not None and operation in line and row.get("file") == row["source"]
    if not good:
        wrong.append(f"bug {row['id']}")
for what in wrong:
    print("not as it should be:", what)
sys.exit(1 if wrong else 0)
