"""Sends the same bytes to both servers and compares every reply."""

import random
import re

from compare import same, same_exec
from peer import parse


def as_line(arguments):
    """A command as a line of words."""
    words = []
    for word in arguments:
        if word.isalnum():
            words.append(word)
        else:
            words.append(b'"' + b"".join(b"\\x%02x" % byte for byte in word) + b'"')
    return b" ".join(words) + b"\r\n"


def spell(arguments, chance):
    """A command in one of both ways."""
    line = as_line(arguments)
    # What is behind "*" is an array; a long line is an error.
    if chance.random() < 0.2 and len(line) < 60000 and not line.startswith(b"*"):
        return line
    return encode(arguments)


def encode(arguments):
    """A command as an array of bulk strings."""
    out = [b"*%d\r\n" % len(arguments)]
    out += [b"$%d\r\n%s\r\n" % (len(word), word) for word in arguments]
    return b"".join(out)


class Difference(Exception):
    pass


class Pair:
    """The same connection to both."""

    def __init__(self, servers):
        self.clients = [server.connect() for server in servers]
        self.queue = None  # what was queued since MULTI
        self.closed = False

    def close(self):
        for client in self.clients:
            client.close()

    def send(self, data, chance):
        for client in self.clients:
            client.send(data, pieces(len(data), chance))

    def check(self, arguments):
        """One reply of each, to that command."""
        ours, theirs = [client.reply() for client in self.clients]
        word = arguments[0].lower() if arguments else b""
        if word == b"exec" and self.queue is not None:
            alike = same_exec(ours, theirs, self.queue)
        else:
            alike = same(ours, theirs, arguments)
        if not alike:
            raise Difference(f"{arguments!r}\n  ours   {ours[:2000]!r}\n  theirs {theirs[:2000]!r}")
        self.closed = ours == b"closed"
        if word == b"multi" and ours == b"+OK\r\n":
            self.queue = []
        elif word in (b"exec", b"discard"):
            self.queue = None
        elif ours == b"+QUEUED\r\n":
            self.queue.append(arguments)

    def command(self, arguments, chance=None):
        self.send(encode(arguments), chance)
        self.check(arguments)


def pieces(length, chance):
    """Lengths that a stream is cut into, by chance; None: not at all."""
    if chance is None or length > 4000 or chance.random() < 0.6:
        return None
    if chance.random() < 0.2 and length < 300:
        return [1] * length
    return [chance.randint(1, 60) for _ in range(chance.randint(1, 20))]


def run_script(servers, steps, seed, together=40):
    """Steps: (connection, arguments), in order. What follows each other on one connection may go
    out together, that many at most. Returns how many replies were compared."""
    chance, pairs, at = random.Random(seed), {}, 0
    history = []
    try:
        while at < len(steps):
            name, batch = steps[at][0], []
            size = 1 if chance.random() < 0.4 else chance.randint(1, together)
            while at < len(steps) and steps[at][0] == name and len(batch) < size:
                batch.append(steps[at][1])
                at += 1
            if name not in pairs or pairs[name].closed:
                pairs[name] = Pair(servers)
            pairs[name].send(b"".join(spell(arguments, chance) for arguments in batch), chance)
            for arguments in batch:
                history.append((name, arguments))
                pairs[name].check(arguments)
                if pairs[name].closed:
                    break
    except Difference as error:
        recent = "\n".join(f"  {name} {arguments!r}"[:300] for name, arguments in history[-40:])
        raise Difference(f"seed {seed}: {error}\nafter\n{recent}") from None
    finally:
        for pair in pairs.values():
            pair.close()
    return len(history)


def run_raw(servers, data, seed=None):
    """Bytes that need be no commands, on a connection of their own, to its end."""
    pair = Pair(servers)
    pair.send(data, random.Random(seed) if seed is not None else None)
    ours, theirs = [re.sub(rb"\$2\r\nid\r\n:\d+", b"the id", client.rest()) for client in pair.clients]
    pair.close()
    if ours != theirs:
        raise Difference(f"{data[:300]!r}\n  ours   {ours[:2000]!r}\n  theirs {theirs[:2000]!r}")


def walk(client, options):
    """All keys that a whole SCAN gives."""
    found, cursor = set(), b"0"
    while True:
        client.send(encode([b"SCAN", cursor, *options]))
        cursor, keys = parse(client.reply())[0]
        found.update(keys)
        if cursor == b"0":
            return found


def run_walk(servers, db, options):
    """A whole SCAN of both, as sets."""
    pair = Pair(servers)
    pair.command([b"SELECT", b"%d" % db])
    ours, theirs = [walk(client, options) for client in pair.clients]
    pair.close()
    if ours != theirs:
        raise Difference(f"SCAN {options}: only ours {ours - theirs}, only theirs {theirs - ours}")
