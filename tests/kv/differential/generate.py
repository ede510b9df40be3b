"""Random commands, so that they meet: few keys, few values, the numbers at the edges."""

KEYS = [b"a", b"b", b"c", b"key:1", b"key:2", b"counter", b"\x00\xff", b"", b"a[b", b"long" * 20]
VALUES = [b"", b"1", b"-1", b"0", b"10", b"value", b"3.5", b"-0.25", b"1e3", b"9223372036854775807",
          b"-9223372036854775808", b"x" * 70, b"y" * 3000, b"\r\n\x00", b" 1", b"01", b"0.1", b"12345678901"]
INTEGERS = [b"0", b"1", b"-1", b"5", b"100", b"-100", b"9223372036854775807", b"-9223372036854775808",
            b"9223372036854775808", b"x", b"", b"1.5", b"01", b" 1", b"4194304", b"2147483648"]
# Only where a long double is close enough to the decimal for 17 places: a small number that has a
# key of its own; on others what is no number.
FLOAT_KEY = b"float"
NO_FLOATS = [b"inf", b"-inf", b"nan", b"x", b"", b" 1", b"1 ", b"1e", b".", b"1e5000", b"1e-5000", b"-x"]
FLOATS = [b"0.1", b"-0.1", b"1", b"-3.25", b"1e-2", b"-1.5e-3", b".5", b"2.", b"+2", b"0", b"-0",
          b"0.00000000000000001", b"-1.23456789012345678e0", b"3.14159265358979323", b"1E-16"]
OFFSETS = [b"0", b"1", b"-1", b"3", b"-3", b"100", b"-100", b"4194303", b"4194304", b"x", b"9999999999"]
FAR_S, FAR_MS = b"99999999999", b"99999999999999"  # absolute, so that no time passes
TIMES_S = [FAR_S, b"1", b"0", b"-1", b"x", b"9223372036854775807", b"88888888888"]
TIMES_MS = [FAR_MS, b"1", b"0", b"-1", b"x", b"9223372036854775807", b"88888888888888"]
RELATIVE = [b"0", b"-1", b"x", b"9223372036854775807"]
PATTERNS = [b"*", b"a*", b"?", b"key:[12]", b"[^a]*", b"k*[0-9]", b"a\\[b", b"", b"*:*", b"**", b"[b-a]*"]


def pick(chance, words):
    return chance.choice(words)


def key(chance):
    return pick(chance, KEYS)


def relative(chance):
    """A time to live: hardly ever one twice, or GT and LT would depend on a millisecond."""
    if chance.random() < 0.3:
        return pick(chance, RELATIVE)
    return b"%d" % chance.randint(10**6, 10**9)


def cased(chance, word):
    return bytes(chance.choice((c, c ^ 0x20)) if chr(c).isalpha() else c for c in word)


def set_options(chance):
    words = []
    for _ in range(pick(chance, [0, 0, 1, 1, 1, 2, 3])):
        option = pick(chance, [b"NX", b"XX", b"GET", b"KEEPTTL", b"EX", b"PX", b"EXAT", b"PXAT", b"FOO"])
        words.append(cased(chance, option))
        if option in (b"EX", b"PX"):
            words.append(relative(chance))
        elif option in (b"EXAT", b"PXAT"):
            words.append(pick(chance, TIMES_S if option == b"EXAT" else TIMES_MS))
    return words


def getex_options(chance):
    option = pick(chance, [None, b"PERSIST", b"EX", b"PX", b"EXAT", b"PXAT", b"KEEPTTL"])
    if option is None:
        return []
    if option in (b"PERSIST", b"KEEPTTL"):
        return [option]
    if option in (b"EX", b"PX"):
        return [option, relative(chance)]
    return [option, pick(chance, TIMES_S if option == b"EXAT" else TIMES_MS)]


def pairs(chance):
    return [word for _ in range(chance.randint(1, 4)) for word in (key(chance), pick(chance, VALUES))]


def keys(chance):
    return [key(chance) for _ in range(chance.randint(1, 4))]


def conditions(chance):
    return [pick(chance, [b"NX", b"XX", b"GT", b"LT", b"gt", b"ZZ"]) for _ in range(pick(chance, [0, 0, 1, 2]))]


def scan(chance):
    words = [pick(chance, [b"0", b"0", b"17", b"x", b"", b"-1", b"18446744073709551615", b"99999999999999999999"])]
    for _ in range(pick(chance, [0, 1, 2])):
        words += pick(chance, [[b"COUNT", pick(chance, [b"1", b"10", b"1000", b"0", b"-1", b"x"])],
                               [b"MATCH", pick(chance, PATTERNS)], [b"TYPE", b"string"], [b"TYPE", b"list"],
                               [b"MATCH"], [b"FOO", b"1"]])
    return words


# How often, a command, and its arguments.
COMMANDS = [
    (8, b"GET", lambda c: [key(c)]),
    (12, b"SET", lambda c: [key(c), pick(c, VALUES), *set_options(c)]),
    (3, b"SETNX", lambda c: [key(c), pick(c, VALUES)]),
    (2, b"SETEX", lambda c: [key(c), relative(c), pick(c, VALUES)]),
    (2, b"PSETEX", lambda c: [key(c), relative(c), pick(c, VALUES)]),
    (3, b"GETSET", lambda c: [key(c), pick(c, VALUES)]),
    (3, b"GETDEL", lambda c: [key(c)]),
    (4, b"GETEX", lambda c: [key(c), *getex_options(c)]),
    (3, b"MGET", keys), (3, b"MSET", pairs), (3, b"MSETNX", pairs),
    (4, b"APPEND", lambda c: [key(c), pick(c, VALUES)]),
    (3, b"STRLEN", lambda c: [key(c)]),
    (3, b"SETRANGE", lambda c: [key(c), pick(c, OFFSETS[:-4] + OFFSETS[-2:]), pick(c, VALUES[:12])]),
    (4, b"GETRANGE", lambda c: [key(c), pick(c, OFFSETS), pick(c, OFFSETS)]),
    (3, b"INCR", lambda c: [key(c)]), (3, b"DECR", lambda c: [key(c)]),
    (4, b"INCRBY", lambda c: [key(c), pick(c, INTEGERS)]),
    (4, b"DECRBY", lambda c: [key(c), pick(c, INTEGERS)]),
    (2, b"INCRBYFLOAT", lambda c: [key(c), pick(c, NO_FLOATS)]),
    (8, b"INCRBYFLOAT", lambda c: [FLOAT_KEY, pick(c, FLOATS + NO_FLOATS[:2])]),
    (3, b"SET", lambda c: [FLOAT_KEY, pick(c, FLOATS + NO_FLOATS[:3])]),
    (4, b"DEL", keys), (2, b"UNLINK", keys), (3, b"EXISTS", keys),
    (2, b"TYPE", lambda c: [key(c)]),
    (4, b"RENAME", lambda c: [key(c), key(c)]), (4, b"RENAMENX", lambda c: [key(c), key(c)]),
    (1, b"RANDOMKEY", lambda c: []),
    (2, b"KEYS", lambda c: [pick(c, PATTERNS)]),
    (2, b"SCAN", scan),
    (3, b"EXPIRE", lambda c: [key(c), relative(c), *conditions(c)]),
    (3, b"PEXPIRE", lambda c: [key(c), relative(c), *conditions(c)]),
    (4, b"EXPIREAT", lambda c: [key(c), pick(c, TIMES_S), *conditions(c)]),
    (4, b"PEXPIREAT", lambda c: [key(c), pick(c, TIMES_MS), *conditions(c)]),
    (2, b"TTL", lambda c: [key(c)]), (2, b"PTTL", lambda c: [key(c)]),
    (3, b"EXPIRETIME", lambda c: [key(c)]), (3, b"PEXPIRETIME", lambda c: [key(c)]),
    (3, b"PERSIST", lambda c: [key(c)]),
    (2, b"SELECT", lambda c: [pick(c, [b"0", b"0", b"0", b"1", b"15", b"16", b"-1", b"x", b"99999999999"])]),
    (1, b"PING", lambda c: pick(c, [[], [b"hello"], [b"a", b"b"]])),
    (1, b"ECHO", lambda c: [pick(c, VALUES)]),
    (1, b"TIME", lambda c: []),
    (1, b"HELLO", lambda c: pick(c, [[], [b"2"], [b"3"], [b"4"], [b"x"], [b"3", b"SETNAME", b"n"],
                                     [b"2", b"SETNAME", b"a b"], [b"3", b"FOO"]])),
    (1, b"CLIENT", lambda c: pick(c, [[b"ID"], [b"GETNAME"], [b"SETNAME", b"me"], [b"SETNAME", b"a b"],
                                      [b"LIST"], [b"LIST", b"TYPE", b"normal"], [b"LIST", b"FOO"], [b"FOO"], []])),
    (1, b"CONFIG", lambda c: pick(c, [[b"GET", b"maxmemory*"], [b"GET", b"nothing"], [b"SET", b"timeout", b"x"],
                                      [b"SET", b"timeout", b"0"], [b"SET", b"nothing", b"1"], [b"GET"], [b"FOO"]])),
    (1, b"COMMAND", lambda c: pick(c, [[b"COUNT"], [b"INFO", b"get", b"foo"], [b"DOCS", b"nothing"], [b"FOO"]])),
    (1, b"FUNCTION", lambda c: pick(c, [[b"FLUSH"], [b"FLUSH", b"ASYNC"], [b"FLUSH", b"X"], [b"FOO"]])),
    (1, b"DEBUG", lambda c: pick(c, [[b"SLEEP", b"0"], [b"SLEEP"], [b"FOO"]])),
    (1, b"NOSUCH", lambda c: keys(c)), (1, b"LPUSH0", lambda c: []),
]
WEIGHTS = [weight for weight, _, _ in COMMANDS]


def command(chance):
    """One command; sometimes with an argument too many or too few."""
    _, word, arguments = chance.choices(COMMANDS, WEIGHTS)[0]
    words = [cased(chance, word), *arguments(chance)]
    if chance.random() < 0.03:
        words = words[:-1] if chance.random() < 0.5 else words + [b"extra"]
    return words or [b"PING"]


def count(chance, name):
    """DBSIZE counts a key past its expiry until somebody looks at it, in Redis only: look first."""
    return [(name, [b"GET", one]) for one in KEYS] + [(name, [b"DBSIZE"])]


def transaction(chance, name, others):
    """MULTI to EXEC, perhaps watching, perhaps disturbed by another connection."""
    steps = []
    if chance.random() < 0.5:
        steps.append((name, [b"WATCH", *keys(chance)]))
        for _ in range(pick(chance, [0, 0, 1, 2])):
            steps.append((pick(chance, [name, *others]), command(chance)))
        if chance.random() < 0.1:
            steps.append((name, [b"UNWATCH"]))
    steps.append((name, [b"MULTI"]))
    for _ in range(chance.randint(0, 6)):
        if chance.random() < 0.15:
            steps.append((pick(chance, others), command(chance)))
        steps.append((name, command(chance)))
    steps.append((name, pick(chance, [[b"EXEC"], [b"EXEC"], [b"EXEC"], [b"DISCARD"], [b"EXEC", b"x"]])))
    steps.append((name, [b"HELLO", b"2"]))
    return steps


def flush(chance, name):
    return [(name, [pick(chance, [b"FLUSHDB", b"FLUSHALL"]),
                    *pick(chance, [[], [b"SYNC"], [b"ASYNC"], [b"FOO"]])])]


def script(chance, length):
    """Steps for three connections. They end with all that is there."""
    names, steps = ["one", "two", "three"], []
    while len(steps) < length:
        name = pick(chance, names)
        others = [other for other in names if other != name]
        roll = chance.random()
        if roll < 0.06:
            steps += transaction(chance, name, others)
        elif roll < 0.07:
            steps += count(chance, name)
        elif roll < 0.075:
            steps += flush(chance, name)
        else:
            steps += [(name, command(chance)) for _ in range(chance.randint(1, 10))]
    for name in names:
        steps += [(name, [b"DISCARD"]), (name, [b"HELLO", b"2"])]
    for db in (b"0", b"1", b"15"):
        steps += [("one", [b"SELECT", db]), ("one", [b"KEYS", b"*"])]
        for one in KEYS:
            steps += [("one", [b"GET", one]), ("one", [b"PEXPIRETIME", one])]
    return steps
