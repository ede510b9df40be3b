"""Starts an example that is a server, talks to it, and ends it with SIGTERM.

    serve.py echo|tally|counter PROGRAM
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """The program, listening; it is given another port when somebody was faster."""

    def __init__(self, program, *arguments):
        for _ in range(10):
            self.port = free_port()
            self.process = subprocess.Popen(
                [program, *arguments, f"127.0.0.1:{self.port}"], stderr=subprocess.PIPE, text=True)
            if self.listens():
                return
            errors = self.process.stderr.read()
            if "EADDRINUSE" not in errors:
                sys.exit(f"it did not start: {errors}")
        sys.exit("no port is free")

    def listens(self):
        while self.process.poll() is None:
            try:
                self.connect().close()
                return True
            except ConnectionRefusedError:
                time.sleep(0.02)
        return False

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """In order: whoever is connected gets an end, and the exit status is 0."""
        client = self.connect()
        self.process.send_signal(signal.SIGTERM)
        expect(client.recv(1), b"", "at a stop, an idle client reads the end")
        client.close()
        expect(self.process.wait(timeout=30), 0, "the exit status after SIGTERM")
        expect(self.process.stderr.read(), "", "what it printed")


def expect(got, wanted, what):
    if got != wanted:
        sys.exit(f"{what}: {got!r}, not {wanted!r}")


def read_to_end(client):
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


def ask(server, request):
    """Sends, ends its output, reads all."""
    with server.connect() as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        return read_to_end(client)


def echo(program):
    server = Server(program)
    expect(ask(server, b"hello"), b"hello", "an echo")
    large = os.urandom(100000)
    expect(ask(server, large), large, "a large echo")
    clients = [server.connect() for _ in range(20)]
    for number, client in enumerate(clients):
        client.sendall(b"%d" % number)
    for number, client in enumerate(clients):
        expect(client.recv(100), b"%d" % number, "an echo among others")
        client.close()
    server.stop()


def count(server, before):
    """Increments in the ways in which clients do; gives the value."""
    expect(ask(server, b"GET\n"), b"%d\n" % before, "the value")
    many = b"".join(b"%d\n" % (before + i + 1) for i in range(500))
    expect(ask(server, b"INCR\n" * 500), many, "500 increments at once")
    with server.connect() as client:
        for byte in b"INCR\nGET\nWHAT\n":
            client.sendall(bytes([byte]))
        client.shutdown(socket.SHUT_WR)
        expect(read_to_end(client), b"%d\n%d\nINCR or GET\n" % (before + 501, before + 501),
               "byte by byte")
    expect(ask(server, b"x" * 1000), b"", "a line that is too long")
    return before + 501


def tally(program):
    server = Server(program)
    count(server, count(server, 0))
    server.stop()


def counter(program):
    directory = tempfile.mkdtemp(dir=".")
    try:
        value = 0
        for _ in range(3):
            server = Server(program, directory)
            value = count(server, value)
            server.kill()
        server = Server(program, directory)
        value = count(server, value)
        server.stop()
        server = Server(program, directory)
        expect(ask(server, b"GET\n"), b"%d\n" % value, "after a stop in order")
        server.stop()
    finally:
        shutil.rmtree(directory)


{"echo": echo, "tally": tally, "counter": counter}[sys.argv[1]](sys.argv[2])
