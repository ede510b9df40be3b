#!/usr/bin/env python3
"""table.py [--update] PAGE TABLE...: the table of backends in a page of the documentation.

Each TABLE was written by `conformance --backend NAME --table TABLE`, or by tests/wasm. Between the marks of
the page stands what they come to, a row for each subject; the test fails when it does not, and --update
writes it. The column of a TABLE that is not there, because its test did not run, stays as it is.
"""

import os
import re
import sys

BEGIN, END = "<!-- conformance: begin -->\n", "<!-- conformance: end -->\n"


def read(path):
    """The backend's name, and {subject: {word: count}}."""
    with open(path, encoding="utf-8") as file:
        lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in file]
    counts = {}
    for subject, _, word in lines[2:]:
        words = counts.setdefault(subject, {})
        words[word or "not run"] = words.get(word or "not run", 0) + 1
    return lines[0][2], counts


def cell(words):
    total = sum(words.values())
    others = [f"{count} {word}" for word, count in sorted(words.items()) if word != "pass"]
    return ", ".join([f"{words.get('pass', 0)} of {total}"] + others)


def kept(text, index):
    """The name and the cells of a column of the page, by subject."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.split("\n") if line.startswith("|")]
    return rows[0][index], {row[0]: row[index] for row in rows[2:]}


def table(columns):
    subjects = list(dict.fromkeys(s for _, cells in columns for s in cells))
    rows = ["| subject | " + " | ".join(name for name, _ in columns) + " |",
            "|---|" + "---|" * len(columns)]
    for subject in subjects:
        rows.append(f"| {subject} | " + " | ".join(cells.get(subject, "") for _, cells in columns) + " |")
    return "\n".join(rows) + "\n"


def main(arguments):
    update = arguments[:1] == ["--update"]
    page, *paths = arguments[1:] if update else arguments
    with open(page, encoding="utf-8") as file:
        text = file.read()
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    old = pattern.search(text)
    if not old:
        print(f"{page}: there are no marks for the table")
        return 1
    columns = []
    for number, path in enumerate(paths, 1):
        if not os.path.exists(path):
            columns.append(kept(old.group(0), number))
            continue
        name, counts = read(path)
        if any("not run" in words for words in counts.values()):
            print(f"skipped: {name} cannot run here")
            return 77
        columns.append((name, {s.replace("_", " "): cell(words) for s, words in counts.items()}))
    made = BEGIN + table(columns) + END
    if old.group(0) == made:
        return 0
    if update:
        with open(page, "w", encoding="utf-8") as file:
            file.write(pattern.sub(lambda _: made, text))
        return 0
    print(f"{page}: this is what the tests say (table.py --update writes it):\n{made}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
