"""Scripts by hand: every command, option and error, in scripts/; and streams of bytes that are none."""

import pathlib
import shlex

# Bytes that are a connection's whole life.
RAW = [
    b"", b"PING\r\n", b"PING\n", b"ping\r\nPING hello\r\nECHO 'a b'\r\n", b"\r\n\n  \r\nPING\r\n",
    b"*\r\n", b"*a\r\n", b"*01\r\n", b"*1x\r\n", b"*+1\r\n", b"*-0\r\n", b"* 1\r\n", b"*1 \r\n",
    b"*-1\r\nPING\r\n", b"*0\r\nPING\r\n", b"*-10\r\nPING\r\n", b"*2147483648\r\n",
    b"*9223372036854775808\r\n", b"*-9223372036854775809\r\n",
    b"*1\r\n\r\n", b"*1\r\n\n\n\r\n", b"*1\r\nPING\r\n", b"*1\r\n*1\r\n$4\r\nPING\r\n", b"*1\r\n:1\r\n",
    b"*1\r\n\x00\r\n\r\n", b"*1\r\n\x01\r\n", b"*1\r\n\xff\r\n", b"*1\r\n'\r\n",
    b"*1\r\n$-1\r\n", b"*1\r\n$x\r\n", b"*1\r\n$\r\n", b"*1\r\n$04\r\n", b"*1\r\n$ 4\r\n", b"*1\r\n$4 \r\n",
    b"*1\r\n$4194305\r\n", b"*1\r\n$9223372036854775808\r\n", b"*1\r\n$+4\r\nPING\r\n",
    b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n", b"*1\rx$4\ryPING\r\n", b"*1\r\n$4\r\nPING", b"*1\r\n$4\r\nPING\r",
    b"*1", b"*1\r", b"*1\r\n$4", b"*1\r\n$4\r", b"PING", b"PING\r", b"*1\n", b"*1\n\r\n",
    b"*" + b"1" * 70000, b"*1\r\n$" + b"1" * 70000, b"P" * 70000, b"*1\r\n" + b"x" * 70000,
    b"\"PING\r\n", b"\"PING\"x\r\n", b"'PI''NG'\r\n", b"\"\\x50ING\"\r\n", b"PING \"a\\nb\"\r\n",
    b"PING 'a\\nb\\''\r\n", b"PING\x00\r\nPING\r\n", b"PING\r\r\n", b"PING\x0bx\r\n", b"PING \x0bx\x0c\r\n",
    b"PING \"\\xzz\\x4\\a\\b\\t\\r\\q\"\r\n", b"PING \"a\rb\"\r\n", b"PI\rNG\r\n", b"PING \"\\\r\n", b"'PING\\'\r\n",
    b"\"\"\r\n", b"'' a\r\n", b"PING ''\r\n", b"PING \"\" \r\n", b"PING \xff\xfe\r\n", b"\xffPING\r\n",
    b"POST\r\nPING\r\n", b"Host: a\r\nPING\r\n", b"post a b\r\n", b"POST / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"*1\r\n$4\r\nPOST\r\n", b"*1\r\n$5\r\nhost:\r\n*1\r\n$4\r\nPING\r\n",
    b"PING\r\n" * 3 + b"QUIT\r\nPING\r\n", b"QUIT\r\n*x\r\n", b"MULTI\r\nQUIT\r\n", b"MULTI\r\n*x\r\n",
    b"MULTI\r\nSET a 1\r\nEXEC\r\n", b"SET a 1\r\nGET a\r\n*x\r\nSET a 2\r\n", b"GET a\r\n",
    b"*2\r\n$4\r\nECHO\r\n$5\r\na\r\nbc\r\n", b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n:1\r\n",
    b"HELLO 3\r\nGET missing\r\nMGET x y\r\nCONFIG GET timeout\r\nFOO\r\nMULTI\r\nGET missing\r\nEXEC\r\n"
    b"WATCH q\r\nSET q 1\r\nMULTI\r\nEXEC\r\n*x\r\n",
    b"PING\r\n\"\r\nPING\r\n", b"*1\r\n$0\r\n\r\n", b"*2\r\n$0\r\n\r\n$0\r\n\r\n",
    b"*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$4000000\r\n" + b"v" * 4000000 + b"\r\n*2\r\n$6\r\nSTRLEN\r\n$1\r\nb\r\n",
    b"*1001\r\n$4\r\nMGET\r\n" + b"$1\r\na\r\n" * 1000,
]

RAW_STRANGER = [b"*11\r\n", b"*10\r\n", b"*1\r\n$16385\r\n", b"*1\r\n$16384\r\n", b"*x\r\n", b"*1\r\n$x\r\n",
                b"PING " + b"x" * 20000 + b"\r\n", b"*2\r\n$4\r\nAUTH\r\n$15\r\na long password\r\n*11\r\n",
                b"AUTH 'a long password'\r\n*1\r\n$20000\r\n"]

# In the order in which they are run.
SCRIPTS = ("set", "getex", "several", "range", "counters", "floats", "keys", "patterns", "scan", "expire",
           "connection", "server", "transactions", "quit")
STRANGER = "stranger"  # by somebody who has to say the password first


def words_of(line):
    """The words of a line, as bytes; escapes within double quotes."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="")
    lexer.whitespace_split, lexer.commenters, lexer.escapedquotes, lexer.quotes = True, "", "", '"'
    lexer.escape = ""
    return [word.encode("latin-1").decode("unicode_escape").encode("latin-1") for word in lexer]


def steps_of(script):
    """The steps of a script. A line is a command, words in quotes with escapes; "2> " before it: on the
    second connection. Blank lines are nothing."""
    text = (pathlib.Path(__file__).parent / "scripts" / f"{script}.txt").read_text(encoding="utf-8")
    steps = []
    for line in text.split("\n"):
        if not line.strip():
            continue
        name = "1"
        if line[1:3] == "> ":
            name, line = line[0], line[3:]
        steps.append((name, words_of(line)))
    return steps
