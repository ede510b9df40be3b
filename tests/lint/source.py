"""What the lints share: the project's files, and C as text without comments or as tokens."""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

TOKEN = re.compile(r"""
    (?P<space>\s+) | (?P<name>[A-Za-z_]\w*) | (?P<number>\d[\w.]*) |
    (?P<mark>->|\+\+|--|<<=|>>=|[-+*/%&|^=!<>]=|&&|\|\||<<|>>|\.\.\.|.)
""", re.VERBOSE | re.DOTALL)


def files(*suffixes):
    """Paths, from the root, of the project's own files; a build directory is none of them."""
    try:
        out = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others",
                              "--exclude-standard"], capture_output=True, check=True).stdout
        found = os.fsdecode(out).split("\0")
    except (OSError, subprocess.CalledProcessError):
        found = []
        for folder, folders, names in os.walk(ROOT):
            folders[:] = [f for f in folders if not f.startswith("build") and f != ".git"]
            found += [os.path.relpath(os.path.join(folder, n), ROOT) for n in names]
    found = [path for path in found if path and os.path.isfile(os.path.join(ROOT, path))]
    return sorted(p for p in found if not suffixes or p.endswith(suffixes))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def strip(text, keep_strings=False):
    """C with comments (and what strings hold) blanked; lines stay where they are."""
    pattern = r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"

    def blank(match):
        found = match.group()
        if found[0] in "\"'":
            return found if keep_strings else found[0] + found[0]
        return " " + "\n" * found.count("\n")

    return re.sub(pattern, blank, text, flags=re.DOTALL)


def tokens(text):
    """[(token, line)] of C; preprocessor lines (#define bodies too) are left out."""
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
                  lambda m: "\n" * m.group().count("\n"), strip(text), flags=re.MULTILINE)
    line, found = 1, []
    for match in TOKEN.finditer(text):
        if match.lastgroup != "space":
            found.append((match.group(), line))
        line += match.group().count("\n")
    return found


def finish(what, findings, checked):
    """Prints the findings ("path:line: text") and ends: 1 if there is one, or nothing to check."""
    for finding in findings:
        print(finding)
    if not checked:
        print(f"{what}: found nothing to check")
    print(f"{what}: {checked} checked, {len(findings)} findings")
    sys.exit(1 if findings or not checked else 0)
