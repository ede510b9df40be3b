"""What is written about the code: docstrings, links, a README a directory, where files may be."""

import os
import posixpath
import re

import source

TOP = {"runtime", "io", "sm", "apps", "tests", "docs", "CMakeLists.txt", "README.md", "LICENSE",
       "CMakePresets.json"}
LINES_MAX = 700


def anchor(heading):
    """The anchor that a heading of a Markdown page gets."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip()).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def prose(text):
    """A page without its code."""
    text = re.sub(r"^(```|~~~).*?^\1", lambda m: "\n" * m.group().count("\n"), text,
                  flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


def links(path, text):
    """Links of a Markdown page that lead nowhere."""
    found, page = [], prose(text)
    for match in re.finditer(r"\]\(([^)\s]+)\)", page):
        target, _, fragment = match.group(1).partition("#")
        line = page.count("\n", 0, match.start()) + 1
        if re.match(r"[a-z]+:", target):
            continue
        goal = posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) if target else path
        if not os.path.exists(os.path.join(source.ROOT, goal)) and goal != path:
            found.append(f"{path}:{line}: there is no {target}")
        elif fragment and goal.endswith(".md"):
            there = text if goal == path else source.read(goal)
            headings = re.findall(r"^#+ +(.*)$", re.sub(r"^```.*?^```", "", there,
                                  flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
            if fragment not in [anchor(h) for h in headings]:
                found.append(f"{path}:{line}: {goal} has no heading #{fragment}")
    return found


def docstrings(path, text):
    """Public declarations without words: the comment may stand above a group of them."""
    found, lines, said = [], text.split("\n"), False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            said = False
        elif line.startswith("/*"):
            said = True
        elif not said and re.match(r"(TP_EXPORT|TP_NORETURN|static inline)[^(]*\w(?<!_)\(", line):
            found.append(f"{path}:{number}: no docstring: {line.strip()}")
    return found


def public_headers():
    """What the rooms install, read from where they say so."""
    found = {"runtime/tempest.h"}
    for path in source.files("CMakeLists.txt"):
        for names in re.findall(r"^ *tp_public_headers\(([^)]*)\)", source.read(path), re.MULTILINE):
            found |= {posixpath.join(posixpath.dirname(path), name) for name in names.split()}
    return found


def check(path, text, public=None):
    """Findings of one file."""
    if path.endswith(".md"):
        return links(path, text)
    found = []
    if text.count("\n") > LINES_MAX:
        found.append(f"{path}: {text.count(chr(10))} lines: is it still one noun?")
    if path in (public or {path}) and path.endswith(".h"):
        found += docstrings(path, text)
    return found


def places(paths):
    """Directories without README, READMEs that keep a file quiet, strays at the top."""
    found = [f"{path}: the top level holds {', '.join(sorted(TOP))} only" for path in paths
             if path.split("/")[0] not in TOP and not path.startswith(".")]
    folders = {posixpath.dirname(p) for p in paths if "/" in p and not p.startswith(".")}
    for folder in sorted(folders):
        readme = posixpath.join(folder, "README.md")
        if re.search(r"/(fixtures|cases|expected|tree)\b", folder):
            continue
        if readme not in paths:
            found.append(f"{folder}/: has no README.md")
            continue
        text = source.read(readme)
        for path in paths:
            stem = posixpath.basename(path).split(".")[0]
            if posixpath.dirname(path) == folder and path.endswith((".c", ".h", ".md", ".py", ".sh")) \
                    and stem != "README" and not re.search(rf"\b{re.escape(stem)}\b", text):
                found.append(f"{readme}: does not mention {posixpath.basename(path)}")
    return found


def strays(paths):
    """Paths of the machine at hand: of the checkout, and of whoever works on it."""
    homes = {os.path.dirname(source.ROOT), os.path.expanduser("~")} - {"/", "/tmp", "/src"}
    return [f"{path}: names {home}/, a path of this machine" for path in paths
            for home in sorted(homes) if home + "/" in source.read(path)]


if __name__ == "__main__":
    everything, public = source.files(), public_headers()
    findings = places(everything) + strays(everything)
    for file in everything:
        if file.endswith((".c", ".h", ".md")):
            findings += check(file, source.read(file), public)
    source.finish("documents", findings, len(everything))
