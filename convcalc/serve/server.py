"""A server for one person on this machine: a page that shows the report and asks what has changed.

It listens on 127.0.0.1 alone. Whoever asks has to know the token of the address, which only the terminal said, and has
to name this server as the host, so that no page of another site reaches it by a name of its own for 127.0.0.1. It
only answers GET and HEAD, and serves what is in memory: a path is a key of a table and never that of a file.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from secrets import compare_digest, token_urlsafe
from socket import SHUT_RDWR, socket
from socketserver import ThreadingTCPServer
from threading import BoundedSemaphore, Condition

from .board import Board

HOST = "127.0.0.1"
WAIT_SECONDS = 25.0
"""How long a client waits for news in one request."""
LAST_SECONDS = 2.0
"""How long the program goes on for those who are being answered when it is ended."""
MOST_WAITING = 32
"""Clients that wait at the same time; others are told at once how things stand."""
MOST_CONNECTIONS = 256
"""Connections that are open at the same time, each with a thread; more are closed."""
REQUEST_SECONDS = 10.0
"""Within how long a connection has asked, and taken its answer; else it is closed, however much it has sent."""
_SHELL = {
    "": ("shell.html", "text/html; charset=utf-8"),
    "shell.css": ("shell.css", "text/css; charset=utf-8"),
    "shell.js": ("shell.js", "text/javascript; charset=utf-8"),
}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_PAGE_POLICY = "sandbox allow-scripts; frame-ancestors 'self'"
"""The page says itself what it may do; here it is kept from being anything else than what the shell shows."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@cache
def _file(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()


class Server(ThreadingTCPServer):
    """Serves a board at a port; 0 is any that is free. Raises OSError where the port is taken."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, board: Board, port: int = 0) -> None:
        super().__init__((HOST, port), Handler)
        self.board = board
        self.token = token_urlsafe(24)
        self.port: int = self.server_address[1]
        self.waiting = BoundedSemaphore(MOST_WAITING)
        self._answering = 0
        self._answered = Condition()
        self.connections = BoundedSemaphore(MOST_CONNECTIONS)
        self._asking: dict[socket, float] = {}
        """Connections whose request has not come yet, and when it is too late."""

    @property
    def url(self) -> str:
        """The address of the shell."""
        return f"http://{HOST}:{self.port}/{self.token}/"

    @property
    def hosts(self) -> tuple[str, str]:
        """What a browser of this machine calls the server."""
        return f"{HOST}:{self.port}", f"localhost:{self.port}"

    def finish_request(self, request: object, client_address: object) -> None:
        """Answer a client; who ends the server waits for it."""
        with self._answered:
            self._answering += 1
        try:
            super().finish_request(request, client_address)  # type: ignore[arg-type]
        finally:
            with self._answered:
                self._answering -= 1
                self._answered.notify_all()

    def finish(self) -> None:
        """Wait a moment for those who are being answered: nobody gets an empty answer because the program ends."""
        with self._answered:
            self._answered.wait_for(lambda: not self._answering, LAST_SECONDS)

    def process_request(self, request: socket, client_address: object) -> None:  # type: ignore[override]
        """A thread for a connection, where there is room for one: who asks for nothing takes no memory without end."""
        if self.connections.acquire(blocking=False):
            self._asking[request] = time.monotonic() + REQUEST_SECONDS
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: socket, client_address: object) -> None:  # type: ignore[override]
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.has_asked(request)
            self.connections.release()

    def has_asked(self, request: socket) -> None:
        """A connection's request has come, or will not."""
        self._asking.pop(request, None)

    def service_actions(self) -> None:
        """Close the connections that take too long to ask: one that sends a letter now and then holds a thread."""
        now = time.monotonic()
        for request, late in list(self._asking.items()):
            if now > late:
                self.has_asked(request)
                with suppress(OSError):
                    request.shutdown(SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is gone is no news."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    timeout = REQUEST_SECONDS
    server_version = "convcalc"
    sys_version = ""

    def parse_request(self) -> bool:
        """Read the request."""
        read = super().parse_request()
        self.server.has_asked(self.connection)
        return read

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request, in words that are not the client's."""
        self.close_connection = True
        self._send(HTTPStatus(code), b"this is not answered")

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_GET  # noqa: N815

    def _not_allowed(self) -> None:
        self._send(HTTPStatus.METHOD_NOT_ALLOWED, b"", headers={"Allow": "GET, HEAD"})

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _not_allowed  # noqa: N815

    def _answer(self) -> None:
        if self.headers.defects or self.headers.get_payload():
            return self._send(HTTPStatus.BAD_REQUEST, b"not every line of the head is one")
        if self.headers.get_all("Host", []) not in [[host] for host in self.server.hosts]:
            return self._send(HTTPStatus.MISDIRECTED_REQUEST, b"another host is meant")
        if any(origin != f"http://{self.headers['Host']}" for origin in self.headers.get_all("Origin", [])):
            return self._send(HTTPStatus.FORBIDDEN, b"another page asks")
        path, _, query = self.path.partition("?")
        root, token, name = [*path.split("/", 2), "", ""][:3]
        if root or not compare_digest(token.encode(), self.server.token.encode()):
            return self._send(HTTPStatus.NOT_FOUND, b"no such page")
        if name in _SHELL:
            file, kind = _SHELL[name]
            return self._send(HTTPStatus.OK, _file(file), kind, {"Content-Security-Policy": _POLICY})
        if name == "page":
            kind = "text/html; charset=utf-8"
            return self._send(HTTPStatus.OK, self.server.board.page, kind, {"Content-Security-Policy": _PAGE_POLICY})
        if name == "state":
            state = json.dumps(self._state(query)).encode()
            return self._send(HTTPStatus.OK, state, "application/json")
        return self._send(HTTPStatus.NOT_FOUND, b"no such page")

    def _state(self, query: str) -> dict[str, object]:
        """How things stand, once they are otherwise than at the number that the client has seen."""
        seen = re.fullmatch(r"after=([0-9]{1,15})", query)
        number = int(seen[1]) if seen else -1
        if not self.server.waiting.acquire(blocking=False):
            return self.server.board.after(-1, 0).to_dict()
        try:
            return self.server.board.after(number, WAIT_SECONDS).to_dict()
        finally:
            self.server.waiting.release()

    def _send(
        self,
        status: HTTPStatus,
        body: bytes,
        kind: str = "text/plain; charset=utf-8",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.request_version = self.protocol_version  # to a request of HTTP/0.9 no headers would be sent
        self.send_response(status)
        for name, value in {**_HEADERS, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not told: the address has the token."""
