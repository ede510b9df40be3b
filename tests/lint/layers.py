"""Reads the includes: arrows only point down, and only io/linux and io/posix know the system.

io <- runtime <- sm <- apps. A backend is seen by a file with a main() only, by the one that
chooses for all programs, by tests, or by what a program has to simulate itself with: its sim/,
and apps/sim/.
"""

import posixpath
import re

import source

# A room, which files it is, what it may include of the project, and of the system's headers.
PLAIN = {"errno.h", "inttypes.h", "limits.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h",
         "stdio.h", "stdlib.h", "string.h", "xxhash.h", "sanitizer/asan_interface.h",
         "valgrind/memcheck.h"}
ATOMIC = {"stdatomic.h"}  # a wake may come from another thread
ANY = None
ROOMS = [
    ("io/linux", ("io", "io/linux", "io/posix"), ANY),
    ("io/posix", ("io", "io/posix"), ANY),
    ("io/auto", ("io", "io/auto", "io/linux", "io/posix"), PLAIN),
    ("io/virtual", ("io", "io/virtual"), PLAIN),
    ("io/wasm", ("io", "io/wasm"), PLAIN | {"unistd.h", "wasi/api.h", "wasm_simd128.h"}),
    ("io", ("io",), PLAIN | ATOMIC),
    ("runtime", ("io", "runtime"), PLAIN | ATOMIC),
    ("sm", ("io", "runtime", "sm"), PLAIN),
]
BACKENDS = ("io/auto", "io/linux", "io/posix", "io/virtual", "io/wasm")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def folder_of(path, written, kind):
    """The folder of the project that an include reaches, or None for one of the system's."""
    if written.startswith("tempest/"):
        written = written[len("tempest/"):]
        return posixpath.dirname(written) or "runtime"
    if kind == "<":
        return None
    if re.match(r"(io|runtime|sm|apps|tests)/", written):
        return posixpath.dirname(written)
    return posixpath.dirname(posixpath.normpath(posixpath.join(posixpath.dirname(path), written)))


def check(path, text):
    """Findings of one file of the project."""
    found = []
    stripped = source.strip(text, keep_strings=True)
    room = next((r for r in ROOMS if path.startswith(r[0] + "/")), None)
    for match in INCLUDE.finditer(stripped):
        written, line = match.group(2), stripped.count("\n", 0, match.start(1)) + 1
        folder = folder_of(path, written, match.group(1))
        if room is None:
            chooses = (re.search(r"\bmain\(", stripped) or path.startswith(("tests/", "docs/")) or
                       path == "apps/common/backend.c" or
                       re.match(r"apps/([^/]+/)?sim/", path))
            if folder in BACKENDS and not chooses:
                found.append(f"{path}:{line}: {written}: only a file with a main() sees a backend")
        elif folder is None:
            if room[2] is not None and written not in room[2]:
                found.append(f"{path}:{line}: <{written}> has no place in {room[0]}/")
        elif folder not in room[1]:
            found.append(f"{path}:{line}: {written}: {room[0]}/ does not look at {folder}/")
    return found


if __name__ == "__main__":
    paths = [p for p in source.files(".c", ".h") if not p.startswith("tests/lint/")]
    findings = [f for p in paths for f in check(p, source.read(p))]
    source.finish("layers", findings, len(paths))
