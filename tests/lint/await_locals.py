"""Locals do not survive an await: reports one that is read after an await without being set again.

A function with TP_BEGIN returns at each await and is called again for the rest. What stands before
TP_BEGIN runs in every call, so a local that is initialised there and never changed later always
holds. Any other is lost at each await, but for what the await itself sets (its last argument).
The body is read in order; a block that ends by leaving (return, break, continue, goto) does not
count for what follows it, and a loop with an await in it is read twice, for its second round.
Taking the address of a local counts as setting it.
"""

import sys

import source

AWAITS = ("TP_AWAIT", "TP_AWAIT_NEXT", "TP_AWAIT_RACE", "TP_AWAIT_UNTIL", "TP_AWAIT_YIELD")
# Arguments that are read again after the return, by position.
AGAIN = {"TP_AWAIT_RACE": (1, 2), "TP_AWAIT_UNTIL": (1,)}
SETS = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "++", "--"}
LEAVES = {"return", "break", "continue", "goto"}
KEYWORDS = {"return", "goto", "case", "else", "do", "sizeof", "if", "while", "for", "switch",
            "break", "continue", "default"}
QUALIFIERS = {"const", "volatile", "static", "register", "unsigned", "signed"}


def closing(stream, start):
    """The index of the mark that closes the one at `start`."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    opens, closes, depth = stream[start][0], pairs[stream[start][0]], 0
    for index in range(start, len(stream)):
        depth += (stream[index][0] == opens) - (stream[index][0] == closes)
        if depth == 0:
            return index
    return len(stream) - 1


def functions(stream):
    """(first, last) of each function body that has a TP_BEGIN."""
    index = 0
    while index < len(stream):
        if stream[index][0] == "{":
            last = closing(stream, index)
            if any(token == "TP_BEGIN" for token, _ in stream[index:last]):
                yield index, last
            index = last
        index += 1


def arguments(stream, start):
    """[(first, past the last)] of the arguments in the parentheses that open at `start`."""
    end, found, depth, first = closing(stream, start), [], 0, start + 1
    for index in range(start + 1, end + 1):
        token = stream[index][0]
        if index == end or (token == "," and depth == 0):
            found.append((first, index))
            first = index + 1
        depth += (token in "([{") - (token in ")]}")
    return found


def declared(stream, index):
    """The indices of the names that a declaration at `index` makes; [] if it is none."""
    at = index
    while stream[at][0] in QUALIFIERS:
        if stream[at][0] == "static":
            return []
        at += 1
    if stream[at][0] in ("struct", "enum", "union"):
        at += 1
    name = stream[at][0]
    if not (name[0].isalpha() or name[0] == "_") or name in KEYWORDS or name.startswith("TP_"):
        return []
    at += 1
    names, depth, wanted = [], 0, True
    while at < len(stream):
        token = stream[at][0]
        if depth == 0 and token == ";":
            return names
        if depth == 0 and token == ",":
            wanted = True
        elif wanted and (token == "*" or token in QUALIFIERS):
            pass
        elif wanted and (token[0].isalpha() or token[0] == "_"):
            if token in KEYWORDS or stream[at + 1][0] not in ("=", ";", ",", "["):
                return []
            names.append(at)
            wanted = False
        elif wanted:
            return []
        depth += (token in "([{") - (token in ")]}")
        at += 1
    return []


class Body:
    """One function: what its locals are, which are lost, and what was found."""

    def __init__(self, path, stream, first, last):
        self.path, self.stream, self.last = path, stream, last
        self.begin = next(i for i in range(first, last) if stream[i][0] == "TP_BEGIN")
        self.lost, self.found, self.locals = {}, {}, set()
        self.steady = set()
        self.collect(first)

    def collect(self, first):
        for index in range(first, self.last):
            if self.stream[index][0] in ("{", ";", ":", "}", ")"):
                names = declared(self.stream, index + 1)
                for at in names:
                    self.locals.add(self.stream[at][0])
                    if index < self.begin and self.stream[at + 1][0] == "=":
                        self.steady.add(self.stream[at][0])
        for index in range(self.begin, self.last):
            if self.is_local(index) and self.sets(index):
                self.steady.discard(self.stream[index][0])

    def is_local(self, index):
        before = self.stream[index - 1][0]
        return self.stream[index][0] in self.locals and before not in (".", "->", "struct", "enum")

    def sets(self, index):
        """Whether the local at `index` is set there: assigned as a whole, or its address taken."""
        before, after = self.stream[index - 1][0], self.stream[index + 1][0]
        if before == "&" and self.stream[index - 2][0] in ("(", ",", "=", "return"):
            return after not in ("->",)
        stepped = before in ("++", "--") and after not in ("->", ".", "[")
        return after in SETS or stepped or self.sets_part(index)

    def sets_part(self, index):
        """Whether a member or an element is assigned: name.member = ..., name[i] = ..."""
        at = index + 1
        while self.stream[at][0] in (".", "["):
            at = at + 2 if self.stream[at][0] == "." else closing(self.stream, at) + 1
        return at > index + 1 and self.stream[at][0] == "="

    def reads_too(self, index):
        """Whether what sets it reads it first."""
        after = self.stream[index + 1][0]
        return (after in SETS and after != "=") or self.stream[index - 1][0] in ("++", "--")

    def visit(self, index):
        """One mention of a local outside an await."""
        name, line = self.stream[index]
        if not self.is_local(index) or name in self.steady:
            return
        if "sizeof" in (self.stream[index - 1][0], self.stream[index - 2][0]):
            return
        if self.sets(index) and not self.reads_too(index):
            self.lost.pop(name, None)
        elif name in self.lost:
            self.found.setdefault((line, name), self.lost[name])

    def await_at(self, index):
        """An await: its arguments are read, all is lost, and its last argument is set."""
        name, line = self.stream[index]
        spans = arguments(self.stream, index + 1)
        for first, past in spans:
            self.walk(first, past)
        for local in self.locals - self.steady:
            self.lost[local] = line
        for position in AGAIN.get(name, ()):
            if position < len(spans):
                self.walk(*spans[position])
        if name != "TP_AWAIT_UNTIL":
            for at in range(*spans[-1]):
                if self.stream[at][0] in self.locals and self.stream[at - 1][0] == "&":
                    self.lost.pop(self.stream[at][0], None)
        return closing(self.stream, index + 1) + 1

    def loop_end(self, index):
        """Past the end of the loop whose keyword stands at `index`."""
        at = index + 1
        if self.stream[at][0] == "(":
            at = closing(self.stream, at) + 1
        return self.statement_end(at)

    def statement_end(self, index):
        token = self.stream[index][0]
        if token == "{":
            return closing(self.stream, index) + 1
        if token in ("if", "while", "for", "switch"):
            return self.statement_end(closing(self.stream, index + 1) + 1)
        while self.stream[index][0] != ";":
            index = closing(self.stream, index) if self.stream[index][0] in "([{" else index
            index += 1
        return index + 1

    def has_await(self, first, past):
        return any(self.stream[i][0] in AWAITS for i in range(first, past))

    def leaves(self, first, past):
        """Whether the last statement of the block [first, past) goes elsewhere."""
        at, start = first, first
        while at < past - 1:
            start = at
            at = self.statement_end(at) if self.stream[at][0] != "else" else at + 1
        return self.stream[start][0] in LEAVES

    def walk(self, index, past):
        while index < past:
            token = self.stream[index][0]
            if token in AWAITS:
                index = self.await_at(index)
            elif token in ("for", "while", "do"):
                index = self.loop(index)
            elif token == "if":
                index = self.branch(index)
            else:
                names = [self.stream[i][0] for i in declared(self.stream, index)] \
                    if self.stream[index - 1][0] in ("{", ";", "}", ":") else []
                for name in names:
                    self.lost.pop(name, None)
                self.visit(index)
                index += 1

    def loop(self, index):
        token, end = self.stream[index][0], self.loop_end(index)
        if token == "do":
            rounds = [(index + 1, end)]
        elif token == "while":
            rounds = [(index + 1, end)]
        else:
            close = closing(self.stream, index + 1)
            first = next(i for i in range(index + 1, close) if self.stream[i][0] == ";")
            second = next(i for i in range(first + 1, close) if self.stream[i][0] == ";")
            self.walk(index + 2, first + 1)
            rounds = [(first + 1, second), (close + 1, end), (second + 1, close)]
        for _ in range(2 if self.has_await(index, end) else 1):
            for span in rounds:
                self.walk(*span)
        if token == "for":
            self.walk(*rounds[0])
        return end

    def branch(self, index):
        close = closing(self.stream, index + 1)
        self.walk(index + 1, close + 1)
        before, end = dict(self.lost), self.statement_end(close + 1)
        self.walk(close + 1, end)
        block = self.stream[close + 1][0] == "{"
        left = self.leaves(close + 2, end - 1) if block else self.stream[close + 1][0] in LEAVES
        after = before if left else self.lost
        if end < self.last and self.stream[end][0] == "else":
            self.lost = dict(before)
            other = self.statement_end(end + 1)
            self.walk(end + 1, other)
            self.lost.update(after)
            end = other
        else:
            self.lost = dict(after)
            if not left:
                self.lost.update(before if self.has_await(close + 1, end) else {})
        return end

    def check(self):
        self.walk(self.begin + 1, self.last)
        return [f"{self.path}:{line}: {name} is lost at the await in line {at}"
                for (line, name), at in sorted(self.found.items())]


def check(path, text):
    """Findings of one file."""
    stream = source.tokens(text)
    return [finding for first, last in functions(stream)
            for finding in Body(path, stream, first, last).check()]


if __name__ == "__main__":
    paths = sys.argv[1:] or [p for p in source.files(".c", ".h") if not p.startswith("tests/lint/")]
    findings = [f for p in paths for f in check(p, source.read(p))]
    source.finish("await_locals", findings, len(paths))
