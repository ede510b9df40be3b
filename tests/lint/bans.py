"""Names that have no place: functions that are traps, types whose width or order differs."""

import re

import source

# Everywhere: each has a better twin.
TRAPS = {"strcpy", "strcat", "sprintf", "vsprintf", "gets", "strtok", "alloca", "rand", "srand",
         "random", "srandom", "atoi", "atol", "atoll", "asctime", "ctime", "gmtime", "localtime",
         "tmpnam", "mktemp", "tempnam", "setjmp", "longjmp", "sigsetjmp", "siglongjmp",
         "gt"}  # of Criterion 2.4.1: it is "not less"; lt() the other way round is meant
# In the library: memory comes from tp_alloc(), time and chance through the context, and
# what the process does is its owner's affair.
LIBRARY = {"malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign", "strdup",
           "printf", "puts", "putchar", "perror", "exit", "abort", "system", "popen", "getenv",
           "setenv", "signal", "sigaction", "assert", "fork", "chdir", "umask"}
# In what will run as wasm32, and must trace alike there.
PLAIN_CALLS = {"time", "clock", "clock_gettime", "gettimeofday", "getpid", "qsort"}
PLAIN_TYPES = {"float", "double", "long", "off_t", "time_t", "ssize_t", "wchar_t", "_Thread_local",
               "__thread", "pthread_t", "clock_t"}
# In what io/posix shares between systems: they stand in *_linux.c and ready_epoll.c.
LINUX = {"accept4", "epoll_ctl", "epoll_wait", "eventfd", "signalfd", "statx", "syscall", "syncfs",
         "fallocate", "preadv2", "pwritev2", "renameat2", "openat2", "gettid", "prctl", "getrandom"}
LINUX_NAMES = {"O_DIRECT", "O_PATH", "O_TMPFILE", "SO_DOMAIN", "TCP_KEEPIDLE", "EAI_NODATA",
               "EAI_ADDRFAMILY", "RWF_NOWAIT", "AT_EMPTY_PATH"}
# Where a rule has its one exception.
EXCEPT = {("io/base.c", name) for name in ("calloc", "free", "malloc", "aligned_alloc", "abort")}
EXCEPT.add(("io/loans.c", "_Thread_local"))  # the hook of free() is given an address only
EXCEPT.add(("runtime/scheduler.c", "_Thread_local"))  # its address names the thread; never written

PLAIN = re.compile(r"(io|runtime|sm)/(?!linux/|posix/)")
ROOMS = re.compile(r"(io|runtime|sm)/")
PORTABLE = re.compile(r"io/posix/(?!.*_linux\.c$|ready_epoll\.c$|statx_internal\.h$)")


def check(path, text):
    """Findings of one file."""
    found = []
    stream = source.tokens(text)
    calls = set(TRAPS)
    types = set()
    if ROOMS.match(path):
        calls |= LIBRARY
    if PLAIN.match(path):
        calls |= PLAIN_CALLS
        types |= PLAIN_TYPES
    names = LINUX_NAMES if PORTABLE.match(path) else set()
    if PORTABLE.match(path):
        calls |= LINUX
    for index, (token, line) in enumerate(stream):
        before = stream[index - 1][0] if index else ""
        after = stream[index + 1][0] if index + 1 < len(stream) else ""
        if token in calls and after == "(" and before not in (".", "->", "*"):
            if (path, token) not in EXCEPT:
                found.append(f"{path}:{line}: {token}() is banned here")
        elif token in names:
            found.append(f"{path}:{line}: only Linux has {token}: it stands in *_linux.c")
        elif token == "long" and "long" in (before, after):
            continue  # long long has 64 bits everywhere; printf wants it
        elif token in types and before not in (".", "->") and (path, token) not in EXCEPT:
            found.append(f"{path}:{line}: the type {token} is banned here")
    return found


if __name__ == "__main__":
    paths = [p for p in source.files(".c", ".h") if not p.startswith("tests/lint/")]
    findings = [f for p in paths for f in check(p, source.read(p))]
    source.finish("bans", findings, len(paths))
