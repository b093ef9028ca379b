"""What takes input: the command line, the server of `watch`, the worker of the playground.

Each reads standard input and writes standard output, as a program does, and ends by an exit code.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from functools import cache
from threading import Thread
from unittest import mock

from convcalc.cli import app
from convcalc.language import events
from convcalc.language.pure_yaml import PureLoader
from convcalc.serve import server as servers
from convcalc.serve.board import Board
from convcalc.serve.playground import Playground
from convcalc.serve.server import Server

from .case import Program

TOKEN, HOST = b"{token}", b"{host}"
"""What stands in a request for the server's token, and for the host that it is."""
PAGE = b"<!doctype html><title>the page</title>"
SECONDS = 10.0
"""In which an answer comes."""


def playground() -> None:
    """Answers a message a line, as the worker of the page does: with PyYAML's scanner, for a browser has no libyaml."""
    answer = Playground().answer
    shown = False
    with mock.patch.object(events, "Loader", PureLoader):
        for message in sys.stdin.buffer.read().decode("utf-8", "replace").split("\n"):
            said = answer(message)
            shown = shown or "table" in json.loads(said)
            sys.stdout.write(f"{said}\n")
    sys.exit(0 if shown else 1)


@cache
def _server() -> Server:
    """A server that shows a page, for as long as the process lives."""
    board = Board("net.yaml")
    board.show(PAGE, "said")
    server = Server(board)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def watch() -> None:
    """Sends the bytes to the server, and prints the bytes that come back."""
    server = _server()
    token, host = server.token.encode(), server.hosts[0].encode()
    request = sys.stdin.buffer.read().replace(TOKEN, token).replace(HOST, host)
    with mock.patch.object(servers, "WAIT_SECONDS", 0.0):
        answer = _answer(server.port, request)
    sys.stdout.buffer.write(answer.replace(token, TOKEN))
    sys.exit(0 if answer[9:12] == b"200" else 1)


def _answer(port: int, request: bytes) -> bytes:
    found = bytearray()
    with socket.create_connection((servers.HOST, port), SECONDS) as link:
        try:
            link.sendall(request)
            link.shutdown(socket.SHUT_WR)
            while piece := link.recv(1 << 16):
                found += piece
        except TimeoutError:
            raise
        except OSError:  # who sends more than is read may not see the answer
            pass
    return bytes(found)


PROGRAMS: dict[Program, Callable[[], None]] = {"convcalc": lambda: app.main(), "playground": playground, "watch": watch}
"""Name -> the program, which ends by SystemExit."""
