"""Requests to the server of `watch`: those of its page, those of other pages, and bytes that are none."""

from __future__ import annotations

from random import Random

from ..case import Case
from ..programs import HOST, TOKEN
from . import words
from .mutations import changed_bytes

METHODS = (
    b"GET",
    b"GET",
    b"GET",
    b"HEAD",
    b"POST",
    b"PUT",
    b"OPTIONS",
    b"TRACE",
    b"CONNECT",
    b"get",
    b"G\0T",
    b"__init__",
)
NAMES = (
    b"",
    b"page",
    b"page",
    b"state",
    b"shell.css",
    b"shell.js",
    b"shell.html",
    b"server.py",
    b"..",
    b"%70age",
    b"page/",
)
QUERIES = (
    b"",
    b"",
    b"?",
    b"?after=0",
    b"?after=1",
    b"?after=-1",
    b"?after=" + b"9" * 400,
    b"?number=1",
    b"?a=b&c",
    b"?%00",
)
ROOTS = (
    b"/" + TOKEN + b"/",
    b"/" + TOKEN,
    b"//" + TOKEN + b"/",
    b"/" + TOKEN[:-1] + b"/",
    b"/" + TOKEN + b"x/",
    b"/",
    b"",
    b"*",
)
HOSTS = (
    HOST,
    b"evil.example",
    HOST + b".evil.example",
    b"127.0.0.1",
    b"localhost",
    b"evil@" + HOST,
    HOST + b", x",
    b"",
    b"[::1]:80",
)
ORIGINS = (
    b"http://" + HOST,
    b"null",
    b"http://evil.example",
    b"https://" + HOST,
    b"file://",
    b"",
    b"http://" + HOST + b"x",
)
VERSIONS = (
    b" HTTP/1.1",
    b" HTTP/1.1",
    b" HTTP/1.0",
    b"",
    b" HTTP/0.9",
    b" HTTP/2.0",
    b" HTTP/1.x",
    b" HTTP/" + b"9" * 50,
)
HARMLESS = (
    *(b"Connection: keep-alive", b"Connection: Upgrade", b"Upgrade: websocket", b"Content-Length: 5", b"Cookie: a=b"),
    *(b"Transfer-Encoding: chunked", b"Expect: 100-continue", b"Range: bytes=0-9", b"Accept: */*", b"If-None-Match: *"),
    *(b"X-Forwarded-Host: " + HOST, b"Sec-Fetch-Site: cross-site", b"Access-Control-Request-Private-Network: true"),
)
"""Lines of a head that mean nothing here."""
OTHERS = (b" folded: x", b": x", b"no colon", b"X\0: y", b"\xff: \xfe", b"Content-Length: -1", b"X: " + b"a" * 3000)
"""Lines that are none, or long."""


def case(random: Random) -> Case:
    """A request, most often with the token and the host, damaged by chance."""
    chance = random.random()
    if chance < 0.35:
        data = own(random)
    elif chance < 0.98:
        data = request(random)
    else:
        data = random.randbytes(random.randint(0, 300)) + b"\r\n\r\n"
    if 0.3 < chance < 0.5:
        data = changed_bytes(random, data)
    elif chance > 0.95:
        data += request(random)
    return Case((), data, program="watch")


def own(random: Random) -> bytes:
    """A request of the server's own page, as a browser of this machine sends it."""
    head = [b"Host: " + HOST, *([b"Origin: " + ORIGINS[0]] if random.random() < 0.3 else [])]
    head += random.sample(HARMLESS, random.choice((0, 1, 2, 5)))
    first = b"GET " + ROOTS[0] + random.choice(NAMES[:6]) + random.choice(QUERIES) + b" HTTP/1.1"
    return b"\r\n".join((first, *head, b"", b""))


def request(random: Random) -> bytes:
    """A first line and a head of anybody."""
    root = ROOTS[0] if random.random() < 0.5 else random.choice(ROOTS)
    name = random.choice(NAMES) if random.random() < 0.8 else said(random)
    first = random.choice(METHODS) + b" " + root + name + random.choice(QUERIES) + random.choice(VERSIONS)
    head = [b"Host: " + (HOST if random.random() < 0.5 else random.choice(HOSTS))] if random.random() < 0.9 else []
    if random.random() < 0.3:
        head.append(random.choice((b"Origin: ", b"origin:")) + random.choice(ORIGINS))
    if random.random() < 0.1:
        head.append(random.choice((b"Host: ", b"HOST:", b"Origin: ")) + random.choice((*HOSTS, *ORIGINS)))
    more = random.choice((0, 0, 0, 0, 0, 1, 1, 2, 5, 120))
    head += [
        random.choice((*HARMLESS, *OTHERS)) if random.random() < 0.7 else b"X: " + said(random) for _ in range(more)
    ]
    random.shuffle(head)
    return random.choice((b"\r\n", b"\r\n", b"\r\n", b"\n")).join((first, *head, b"", b""))


def said(random: Random) -> bytes:
    """A word that programs trip over."""
    return random.choice(words.TEXTS).encode("utf-8", "replace")
