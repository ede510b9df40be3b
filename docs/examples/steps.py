"""What a page shows of a program's command line is what the program prints.

    steps.py PAGE NAME PROGRAM

Every block of the page that is fenced as ```console holds commands, "$ NAME ...", and what they
print. NAME may be several words. The commands are run, in order, in one directory; the lines after each must be printed by it,
in that order, each number standing for any number but for lines of a source (file.c:12). A line "..."
stands for anything. A seed that the page names is the one that failed first, whichever it is.
"""

import re
import subprocess
import sys
import tempfile


def plain(line):
    """A line without its numbers and durations, but with those of sources."""
    parts = re.split(r"(\b[a-z_]+\.c:\d+)", line.rstrip())
    return "".join(part if i % 2 else re.sub(r"[0-9][0-9a-f.,:]*( (ms|s)\b)?", "#", part)
                   for i, part in enumerate(parts))


def blocks(text):
    """Pairs of a command and the lines that it is said to print."""
    found = []
    for match in re.finditer(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in match.group(1).splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def missing(shown, printed):
    """The first line shown that is not printed after those before it; None: all are."""
    at = 0
    for line in shown:
        if line.strip() == "...":
            continue
        while at < len(printed) and plain(printed[at]) != plain(line):
            at += 1
        if at == len(printed):
            return line
        at += 1
    return None


def main():
    page, name, program = sys.argv[1:4]
    with open(page, encoding="utf-8") as file:
        steps = [step for step in blocks(file.read()) if step[0].startswith(name + " ")]
    wrong = 0
    real_seed = shown_seed = None
    with tempfile.TemporaryDirectory() as folder:
        for command, shown in steps:
            words = command[len(name):].split()
            if shown_seed is not None and "--seed" in words:
                at = words.index("--seed") + 1
                words[at] = real_seed if words[at] == shown_seed else words[at]
            done = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True,
                                  timeout=100, check=False)
            printed = (done.stderr + done.stdout).replace(program, name).replace("example-" + name, name).splitlines()
            for source, target in ((shown, "shown"), (printed, "printed")):
                for line in source:
                    seed = re.match(r"the lowest seed that failed: (\d+)", line)
                    if seed and target == "shown":
                        shown_seed = seed.group(1)
                    elif seed:
                        real_seed = seed.group(1)
            line = missing(shown, printed)
            if line is not None or done.returncode > 1:
                wrong += 1
                print(f"{page}: $ {command}\n  does not print: {line}\n  but:")
                print("".join(f"    {text}\n" for text in printed[:40]))
    print(f"steps: {len(steps)} run, {wrong} wrong")
    return 1 if wrong or not steps else 0


sys.exit(main())
