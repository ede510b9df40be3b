"""The lints themselves: each finds what it is for, and nothing in what is right."""

import re

import await_locals
import bans
import documents
import layers
import source

WRONG = [
    (layers, "io/x.c", '#include "runtime/op.h"\n'),
    (layers, "io/x.c", '#include "../runtime/op.h"\n'),
    (layers, "io/x.c", "#include <tempest/sm/copy.h>\n"),
    (layers, "io/x.c", "#include <linux/io_uring.h>\n"),
    (layers, "io/virtual/x.c", '#include "io/linux/linux.h"\n'),
    (layers, "io/virtual/x.h", '#include "../linux/linux.h"\n'),
    (layers, "runtime/x.h", '#include "../sm/copy.h"\n'),
    (layers, "runtime/x.c", "#  include <pthread.h>\n"),
    (layers, "sm/x.c", '#include "io/virtual/virtual.h"\n'),
    (layers, "sm/x.c", "#include <unistd.h>\n"),
    (layers, "apps/x.c", '#include "io/linux/linux.h"\n'),
    (bans, "apps/x.c", "void f(char *s) { strcpy(s, s); }"),
    (bans, "tests/x.c", "void f(int n) { cr_assert(gt(int, n, 0)); }"),
    (bans, "io/linux/x.c", "void *f(void) { return malloc(1); }"),
    (bans, "sm/x.c", "double f(void);"),
    (bans, "runtime/x.c", "long f(void);"),
    (bans, "io/x.c", "int64_t f(void) { return time(0); }"),
    (bans, "io/posix/x.c", "int f(int fd) { return accept4(fd, 0, 0, 0); }"),
    (bans, "io/posix/x.c", "int f(void) { return O_DIRECT; }"),
    (documents, "io/x.h", "TP_EXPORT int tp_x(void);\n"),
    (documents, "io/x.h", "/** Says. */\nTP_EXPORT int tp_x(void);\n\nTP_EXPORT int tp_y(void);\n"),
    (documents, "docs/x.md", "[a](no-such-file.md)\n"),
    (documents, "docs/x.md", "# One two\n[a](#one-three)\n"),
]
RIGHT = [
    (layers, "io/linux/x.c", '#include "io/io.h"\n#include <liburing.h>\n#include "../io.h"\n'),
    (layers, "sm/x.c", '/* #include "apps/x.h" */\n#include "runtime/tempest.h"\n'),
    (layers, "apps/x.c", '#include "io/linux/linux.h"\nint main(void) { return 0; }\n'),
    (bans, "io/x.c", 'void f(struct x *x) { x->free(x); g("malloc(1)"); } /* time(0) */'),
    (bans, "sm/x.c", "unsigned long long f(void);"),
    (bans, "io/posix/x_linux.c", "int f(int fd) { return accept4(fd, 0, 0, O_DIRECT); }"),
    (bans, "io/linux/x.c", "int f(void) { return O_DIRECT; }"),
    (documents, "io/x.h", "/** Says. */\nTP_EXPORT int tp_x(void);\nTP_EXPORT int tp_y(void);\n"),
    (documents, "docs/x.md", "# One two\n[a](#one-two) [b](https://example.org) `[c](d)`\n"),
]


def main():
    findings = []
    for lint, path, text in WRONG:
        if not lint.check(path, text):
            findings.append(f"{lint.__name__} finds nothing in {path}: {text!r}")
    for lint, path, text in RIGHT:
        findings += [f"{lint.__name__} finds what is right: {f}" for f in lint.check(path, text)]

    path = "tests/lint/fixtures/await.c"
    lines = source.read(path).split("\n")
    expected = {(number, name) for number, line in enumerate(lines, 1)
                for name in re.findall(r"lost: (\w+) \*/", line)}
    found = {(int(f.split(":")[1]), f.split()[1]) for f in await_locals.check(path, "\n".join(lines))}
    findings += [f"{path}:{n}: {name} is lost, and not found" for n, name in sorted(expected - found)]
    findings += [f"{path}:{n}: {name} is found, and not lost" for n, name in sorted(found - expected)]
    source.finish("selftest", findings, len(WRONG) + len(RIGHT) + len(expected))


if __name__ == "__main__":
    main()
