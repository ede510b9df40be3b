#!/usr/bin/env python3
"""serve.py FOLDER [--port N]: serves a folder on 127.0.0.1, to this machine only, and prints its address.

Without --port: 7380, or any that is free if that one is taken. It sends no special headers: what works here
works on any static host."""

import argparse
import functools
import http.server
import sys

PORT = 7380


class Handler(http.server.SimpleHTTPRequestHandler):
    # Without these, mime.types of the system decides, and may know neither.
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map,
                      ".js": "text/javascript", ".wasm": "application/wasm"}

    def end_headers(self):
        # What was built anew is seen at the next reload.
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        # Whoever leaves or reloads while something is loading is no error.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def listen(folder, port):
    handler = functools.partial(Handler, directory=folder)
    try:
        return Server(("127.0.0.1", PORT if port is None else port), handler)
    except OSError as error:
        if port is not None:
            sys.exit(f"serve.py: port {port}: {error.strerror}")
        return Server(("127.0.0.1", 0), handler)


def port_number(text):
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError
    return port


def main():
    parser = argparse.ArgumentParser(prog="apps/run.sh web", description="Serves the playground on 127.0.0.1.")
    parser.add_argument("folder", help=argparse.SUPPRESS)  # apps/run.sh says which
    parser.add_argument("--port", type=port_number, metavar="N", help="0: any that is free")
    arguments = parser.parse_args()
    server = listen(arguments.folder, arguments.port)
    print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


main()
