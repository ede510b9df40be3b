"""A server of one of the three kinds, in the working directory, and its clients."""

import os
import re
import shutil
import socket
import subprocess
import time

PASSWORD = "a long password"
BULK_MAX = 4 << 20  # what both take for an argument or a value
DEADLINE_S = 120    # for any one reply: a server that hangs is reported, not waited for


class Closed(Exception):
    """The server has closed the connection."""


def find_redis():
    """The command of Redis 7.0, or None. Debian has it in redis-tools, too, under another name."""
    for name in ("redis-server", "redis-check-rdb"):
        path = shutil.which(name)
        if path is None:
            continue
        try:
            said = subprocess.run(["redis-server", "--version"], executable=path, capture_output=True,
                                  check=False, timeout=20).stdout
        except OSError:
            continue
        if b"v=7.0." in said:
            return path
    return None


class Server:
    """A running server on a Unix socket; `kind` is "redis" or "engine"."""

    def __init__(self, kind, path, secret=False, options=()):
        self.kind, self.address = kind, f"{kind}{'-secret' if secret else ''}.sock"
        if os.path.exists(self.address):
            os.unlink(self.address)
        if kind == "redis":
            # It asks the system for its arguments' memory, so the first is the name only.
            words = ["redis-server", "--port", "0", "--unixsocket", self.address, "--save", "",
                     "--appendonly", "no", "--enable-debug-command", "yes", "--daemonize", "no",
                     "--loglevel", "warning", "--proto-max-bulk-len", str(BULK_MAX),
                     "--dbfilename", "differential.rdb"]
            words += ["--requirepass", PASSWORD] if secret else []
        else:
            words = [path, self.address, f"bulk={BULK_MAX}", "verify", *options]
            words += [f"password={PASSWORD}"] if secret else []
        self.process = subprocess.Popen(words, executable=path, stdin=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL)
        self.wait_until_it_listens()

    def wait_until_it_listens(self):
        for _ in range(1200):
            try:
                self.connect().close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        self.process.kill()
        raise SystemExit(f"{self.kind} does not start")

    def connect(self):
        return Client(self.address)

    def stop(self):
        """Ends it; its exit status."""
        self.process.stdin.close()
        if self.kind == "redis":
            self.process.kill()
        status = self.process.wait(timeout=DEADLINE_S)
        if self.kind == "redis" and os.path.exists("differential.rdb"):
            os.unlink("differential.rdb")
        return 0 if self.kind == "redis" else status


class Program(Server):
    """tempest-kv itself, over TCP. Its data are made anew, and durable before each reply."""

    def __init__(self, path, secret=False):
        name = f"program{'-secret' if secret else ''}"
        self.kind, self.address, self.log = "program", None, f"{name}.log"
        shutil.rmtree(f"{name}.data", ignore_errors=True)
        words = [path, "--dir", f"{name}.data", "--port", "0"]
        if secret:
            with open("program.password", "w", encoding="ascii") as file:
                file.write(PASSWORD + "\n")
            words += ["--password-file", "program.password"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(words, stderr=log)
        self.wait_until_it_listens()
        client = self.connect()
        for line in [f'AUTH "{PASSWORD}"'] * secret + [f"CONFIG SET proto-max-bulk-len {BULK_MAX}"]:
            client.send(line.encode() + b"\r\n")
            assert client.reply() == b"+OK\r\n"
        client.close()

    def connect(self):
        if self.address is None:
            with open(self.log, "rb") as log:
                said = re.search(rb"listening on 127\.0\.0\.1:(\d+)", log.read())
            if said is None:
                raise OSError("it has not said where it listens")
            self.address = ("127.0.0.1", int(said[1]))
        return Client(self.address)

    def stop(self):
        """Ends it, unless it was told to end; its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=DEADLINE_S)


class Client:
    """A connection. Replies are read as the bytes that they are."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX)
        self.socket.settimeout(DEADLINE_S)
        self.socket.connect(address)
        if isinstance(address, tuple):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = b""

    def close(self):
        self.socket.close()

    def send(self, data, pieces=None):
        """Sends bytes, in pieces of those lengths if any are given; a closed peer shows later."""
        try:
            for piece in pieces or [len(data)]:
                self.socket.sendall(data[:piece])
                data = data[piece:]
            if data:
                self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def more(self):
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Closed
        self.input += data

    def line(self, at):
        """The end of the line that begins there."""
        while True:
            end = self.input.find(b"\r\n", at)
            if end >= 0:
                return end + 2
            self.more()

    def end_of_reply(self, at):
        """The end of the reply that begins there."""
        end = self.line(at)
        kind, rest = self.input[at:at + 1], self.input[at + 1:end - 2]
        if kind in b"$=" and int(rest) >= 0:
            while len(self.input) < end + int(rest) + 2:
                self.more()
            return end + int(rest) + 2
        if kind in b"*~%>":
            for _ in range(int(rest) * (2 if kind == b"%" else 1)):
                end = self.end_of_reply(end)
        return end

    def reply(self):
        """The bytes of the next reply; b"closed" when there will be none."""
        try:
            end = self.end_of_reply(0)
        except Closed:
            return b"closed"
        reply, self.input = self.input[:end], self.input[end:]
        return reply

    def rest(self):
        """Says that nothing more will be sent, and gives all that comes until the end."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        try:
            while True:
                self.more()
        except Closed:
            pass
        rest, self.input = self.input, b""
        return rest


def parse(reply, at=0):
    """A reply as a value and its end: arrays are lists, maps dicts, sets sorted tuples, errors
    and statuses bytes with their mark."""
    end = reply.index(b"\r\n", at) + 2
    kind, rest = reply[at:at + 1], reply[at + 1:end - 2]
    if kind in b"$=":
        if rest == b"-1":
            return None, end
        return reply[end:end + int(rest)], end + int(rest) + 2
    if kind in b"*~%":
        values = []
        for _ in range(max(int(rest), 0) * (2 if kind == b"%" else 1)):
            value, end = parse(reply, end)
            values.append(value)
        if rest == b"-1":
            return None, end
        if kind == b"%":
            return dict(zip(values[::2], values[1::2])), end
        return tuple(sorted(values, key=repr)) if kind == b"~" else values, end
    if kind == b":":
        return int(rest), end
    if kind == b"_":
        return None, end
    return kind + rest, end
