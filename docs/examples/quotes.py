"""Code that a page quotes stands in an example, line by line; an example is compiled and run.

    quotes.py PAGE...

Every block of a page that is fenced as ```c must be found in one of the examples, its lines in a
row and indented alike, but for a line that says "...", which stands for anything.
"""

import glob
import os
import re
import sys
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))


def lines_of(text):
    return [line.rstrip() for line in textwrap.dedent(text).strip("\n").split("\n")]


def stands_in(quote, example):
    """Whether the quote's lines follow each other in the example, at one common indentation."""
    for start in range(len(example)):
        indent = len(example[start]) - len(example[start].lstrip())
        if example[start][indent:] == quote[0] and follows(quote, example[start:], indent):
            return True
    return False


def follows(quote, example, indent):
    at = 0
    skipping = False
    for line in quote:
        if line.strip() == "...":
            skipping = True
            continue
        wanted = " " * indent + line if line else ""
        while skipping and at < len(example) and example[at] != wanted:
            at += 1
        if at == len(example) or example[at] != wanted:
            return False
        at += 1
        skipping = False
    return True


def main():
    examples = []
    for path in sorted(glob.glob(os.path.join(HERE, "*.[ch]"))):
        with open(path, encoding="utf-8") as file:
            examples.append([line.rstrip() for line in file.read().split("\n")])
    checked = missing = 0
    for page in sys.argv[1:]:
        with open(page, encoding="utf-8") as file:
            text = file.read()
        for match in re.finditer(r"^```c\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            checked += 1
            if not any(stands_in(lines_of(match.group(1)), example) for example in examples):
                line = text.count("\n", 0, match.start()) + 1
                print(f"{page}:{line}: stands in no example")
                missing += 1
    print(f"quotes: {checked} checked, {missing} missing")
    return 1 if missing or not checked else 0


sys.exit(main())
