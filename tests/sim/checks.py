"""checks.py - what commands.py, explains.py and show.py share: a program is called, and what it did is as it should be."""

import json
import os
import subprocess
import sys

ASAN = os.environ.get("SIM_ASAN") == "1"
failures = []


def call(program, *words):
    """Exit status, standard output, standard error."""
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=240, check=False)
    return done.returncode, done.stdout, done.stderr


def expect(what, condition, *shown):
    if not condition:
        failures.append(what)
        print("not as it should be:", what, *shown)
        sys.stdout.flush()


def failing(program, scenario, *manner, seeds="1..2000"):
    """The words that run the lowest seed again that fails."""
    _, out, err = call(program, "run", scenario, "--seeds", seeds, *manner, "--until-failure", "--json")
    found = json.loads(out)["failures"]
    expect(f"{scenario} is found", found, out, err)
    return ("--seed", str(found[0]["seed"]), *manner)


def end():
    sys.exit(1 if failures else 0)
