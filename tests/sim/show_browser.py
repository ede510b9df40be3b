#!/usr/bin/env python3
"""show_browser.py TEMPEST-SIM VERDICTS CHROMIUM: pages of `show` in a real browser, wide and as on a phone.

Each page is a copy with show_selftest.js at its end, which does what a reader does, and tells the page around it
what it saw."""

import html
import json
import os
import re
import subprocess
import sys
import tempfile

SIM, VERDICTS, CHROMIUM = (sys.argv + [""])[1:4]
HERE = os.path.dirname(os.path.abspath(__file__))
WIDTHS = (1280, 375)
failures = 0

if os.environ.get("SIM_ASAN") == "1":
    print("skipped: with AddressSanitizer explanations take long; the other builds show the same page")
    sys.exit(77)
if not os.access(CHROMIUM, os.X_OK):
    print("skipped: there is no chromium")
    sys.exit(77)

AROUND = """<!DOCTYPE html><meta charset="utf-8"><body style="white-space:nowrap;margin:0">%s<pre id="told"></pre><script>
const told = [];
window.onmessage = e => { told.push(e.data); document.getElementById("told").textContent = JSON.stringify(told); };
</script>"""
BEFORE = """<script>window.errors = []; window.onerror = (m, f, l) => { errors.push(m + " " + l); };
document.addEventListener("securitypolicyviolation", e => errors.push("policy: " + e.violatedDirective));</script>"""


def call(program, *words):
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=120, check=False)
    return done.stdout


def browse(folder, path):
    """What the browser has of a page in the end, and what it wrote to its console."""
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--disable-background-networking", "--allow-file-access-from-files", f"--user-data-dir={folder}/profile",
         "--enable-logging=stderr", "--window-size=1700,1000", "--virtual-time-budget=20000", "--dump-dom",
         "file://" + path],
        capture_output=True, text=True, timeout=120, check=False)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def visit(folder, program, scenario, words, expected):
    global failures
    page = os.path.join(folder, scenario + ".html")
    call(program, "show", scenario, *words, "-o", page)
    with open(page, encoding="ascii") as file:
        text = file.read()
    with open(os.path.join(HERE, "show_selftest.js"), encoding="ascii") as file:
        test = file.read()
    text = text.replace("<head>", "<head>" + BEFORE, 1)
    # The last </body>, so that data can hold what they want.
    at = text.rindex("</body>")
    text = text[:at] + f"<script>const EXPECTED = {json.dumps(expected).replace('<', chr(92) + 'u003c')};\n{test}</script>" + text[at:]
    tested = os.path.join(folder, "tested.html")
    with open(tested, "w", encoding="ascii") as file:
        file.write(text)
    around = os.path.join(folder, "around.html")
    with open(around, "w", encoding="ascii") as file:
        file.write(AROUND % "".join(f'<iframe src="tested.html" style="width:{w}px;height:900px;border:0"></iframe>'
                                    for w in WIDTHS))
    dom, console = browse(folder, around)
    found = re.search(r'<pre id="told">(.*?)</pre>', dom, re.DOTALL)
    told = json.loads(html.unescape(found.group(1))) if found and found.group(1) else []
    wrong = [f"{result['width']}: {each}" for result in told for each in result["wrong"]]
    checks = sum(result["checks"] for result in told)
    if sorted(result["width"] for result in told) != sorted(WIDTHS) or wrong or console or checks < 20:
        failures += 1
        print(f"{scenario}: {len(told)} of {len(WIDTHS)} have told, {checks} checks:", *wrong, *console, sep="\n  ")
        sys.stdout.flush()


with tempfile.TemporaryDirectory() as scratch:
    first = json.loads(call(SIM, "run", "tally-broken", "--until-failure", "--json"))["failures"][0]["seed"]
    visit(scratch, SIM, "tally-broken", ("--seed", str(first)),
          {"verdict": "failed", "runs": 2, "cure": "tp_fsync()", "search": "write"})
    visit(scratch, SIM, "zoo-14", ("--seed", "9"),
          {"verdict": "liveness", "runs": 2, "cure": "its process is killed", "search": "open",
           "story": ["This befell node 0: its process is killed", "The program cannot go on: log ended with EINVAL"]})
    visit(scratch, SIM, "zoo-13-twin", ("--seed", "1"),
          {"verdict": "passed", "runs": 0, "cure": "", "search": "send"})
    visit(scratch, VERDICTS, "hostile", ("--seed", "1", "--faults=-all"),
          {"verdict": "failed", "runs": 2, "cure": "", "search": "<script>",
           "text": "<!--<script>'\"&\\</script><img src=x onerror=hacked=1>\u00e9\ufffd"})
    visit(scratch, VERDICTS, "toils", ("--seed", "1", "--faults=-all"),
          {"verdict": "passed", "runs": 0, "cure": "", "search": "nop", "text": "earlier facts are left out"})
    visit(scratch, VERDICTS, "mails", ("--seed", "1", "--faults=-all,+clog"),
          {"verdict": "passed", "runs": 0, "cure": "", "search": "send_to", "lost": True})
sys.exit(1 if failures else 0)
