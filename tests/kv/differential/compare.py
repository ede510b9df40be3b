"""Whether two replies to a command are the same: byte for byte, with the exceptions named here."""

from peer import parse

# CONFIG GET shows the settings that there are: those, of all that Redis has.
SETTINGS = {b"maxmemory", b"maxmemory-policy", b"timeout", b"proto-max-bulk-len", b"databases", b"save"}
# Of INFO, lines that both must have.
INFO_LINES = [b"redis_version:7.0.15", b"loading:0", b"role:master", b"maxmemory_policy:noeviction"]


def is_error(reply):
    return reply.startswith(b"-") or reply == b"closed"


def as_set(ours, theirs, _arguments):
    """KEYS: an array without an order."""
    return sorted(parse(ours)[0]) == sorted(parse(theirs)[0])


def as_cursor(ours, theirs, _arguments):
    """SCAN: a cursor and some keys, how many and which is the table's affair; what a whole walk
    gives is compared by walk()."""
    both = parse(ours)[0], parse(theirs)[0]
    return all(len(one) == 2 and one[0].isdigit() and isinstance(one[1], list) for one in both)


def as_time(ours, theirs, _arguments):
    """TIME: seconds and microseconds of now."""
    return abs(int(parse(ours)[0][0]) - int(parse(theirs)[0][0])) <= 5


def as_presence(ours, theirs, _arguments):
    """RANDOMKEY: any key, or none."""
    return (parse(ours)[0] is None) == (parse(theirs)[0] is None)


def as_info(ours, theirs, arguments):
    if len(arguments) > 1:
        return ours[:1] == theirs[:1]
    return ours[:1] == theirs[:1] and all(line in ours and line in theirs for line in INFO_LINES)


def as_number(ours, theirs, _arguments):
    """CLIENT ID, COMMAND COUNT, LASTSAVE."""
    return ours[:1] == theirs[:1] == b":"


def as_kind(ours, theirs, _arguments):
    """CLIENT LIST, HELP: only that there is one."""
    return ours[:1] == theirs[:1]


def as_hello(ours, theirs, _arguments):
    """HELLO: all but the ID."""
    if ours[:1] != theirs[:1]:
        return False
    return mask_id(parse(ours)[0]) == mask_id(parse(theirs)[0])


def mask_id(value):
    value = value if isinstance(value, dict) else dict(zip(value[::2], value[1::2]))
    return {name: item for name, item in value.items() if name != b"id"}


def within(limit):
    """A time that passes while both are asked."""
    def compare(ours, theirs, _arguments):
        ours, theirs = parse(ours)[0], parse(theirs)[0]
        return min(ours, theirs) >= 0 and abs(ours - theirs) <= limit
    return compare


def as_settings(ours, theirs, _arguments):
    def known(reply):
        value = parse(reply)[0]
        value = value if isinstance(value, dict) else dict(zip(value[::2], value[1::2]))
        return {name: item for name, item in value.items() if name.lower() in SETTINGS}
    return ours[:1] == theirs[:1] and known(ours) == known(theirs)


def as_commands(ours, theirs, arguments):
    """COMMAND INFO: flags, groups and tips without an order; of subcommands those that we have."""
    if len(arguments) < 3:
        return ours[:1] == theirs[:1]
    return all(same_command(a, b) for a, b in zip(parse(ours)[0], parse(theirs)[0]))


def same_command(ours, theirs):
    if ours is None or theirs is None:
        return ours is theirs
    subcommands = {sub[0]: sub for sub in theirs[9]}
    return all([ours[0:2] == theirs[0:2], sorted(ours[2]) == sorted(theirs[2]), ours[3:6] == theirs[3:6],
                sorted(ours[6]) == sorted(theirs[6]), sorted(ours[7]) == sorted(theirs[7]),
                ours[8] == theirs[8],
                all(same_command(sub, subcommands.get(sub[0])) for sub in ours[9]
                    if sub[0] != b"client|setinfo")])


RULES = {
    "keys": as_set, "scan": as_cursor, "time": as_time, "randomkey": as_presence, "info": as_info,
    "client id": as_number, "client list": as_kind, "command count": as_number, "lastsave": as_number,
    "hello": as_hello, "ttl": within(2), "pttl": within(2000), "pexpiretime": within(2000),
    "expiretime": within(2), "config get": as_settings, "command info": as_commands,
    "client help": as_kind, "config help": as_kind, "command help": as_kind, "function help": as_kind,
    "debug help": as_kind, "command": as_kind, "command docs": as_kind,
}


def rule_of(arguments):
    words = [bytes(word).decode("latin-1").lower() for word in arguments[:2]]
    return RULES.get(" ".join(words)) or RULES.get(words[0] if words else "")


def same(ours, theirs, arguments):
    """Whether the replies to a command are the same."""
    if ours == theirs:
        return True
    rule = rule_of(arguments)
    if rule is None or is_error(ours) or is_error(theirs):
        return False
    return rule(ours, theirs, arguments)


def same_exec(ours, theirs, queue):
    """The same of what EXEC gives, by the commands that were queued."""
    if ours == theirs:
        return True
    if ours[:1] != b"*" or theirs[:1] != b"*":
        return False
    ours, theirs = pieces(ours), pieces(theirs)
    return len(ours) == len(theirs) == len(queue) and \
        all(same(a, b, arguments) for a, b, arguments in zip(ours, theirs, queue))


def pieces(reply):
    """The elements of an array, as bytes."""
    at = reply.index(b"\r\n") + 2
    found = []
    while at < len(reply):
        end = parse(reply, at)[1]
        found.append(reply[at:end])
        at = end
    return found
