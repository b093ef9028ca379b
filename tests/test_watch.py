"""`convcalc watch`: the page follows its files, what is wrong is said beside the last good one, nobody else looks."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Event, Thread

import pytest

from convcalc.serve import server as servers
from convcalc.serve.board import Board, Shown
from convcalc.serve.recorded import Record
from convcalc.serve.server import MOST_WAITING, Server
from convcalc.serve.watch import Watch, stamp

from .command import run

pytestmark = pytest.mark.slow

AT_A_TERMINAL = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "runpy.run_module('convcalc', run_name='__main__', alter_sys=True)"
)
"""Runs the program as it is at a terminal: ^C is ignored of what a shell, and so CI, has put into the background."""

SPEC = "convcalc: 1\nname: {name}\ninput: [3, 32, 32]\nlayers: [{{conv2d: {{out: 8, k: {k}}}, name: first}}]\n"
SECONDS = 30.0
"""A reading on a machine that does much else takes no longer."""


def write(path: Path, k: int = 3, name: str = "net") -> Path:
    """A spec, put there as editors do: whole, in the place of the old one."""
    new = path.with_suffix(".new")
    new.write_text(SPEC.format(k=k, name=name), "utf-8")
    return new.replace(path)


@contextmanager
def serving(board: Board) -> Iterator[Server]:
    server = Server(board)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        board.close()
        server.shutdown()
        server.server_close()
        thread.join(SECONDS)


@contextmanager
def followed(path: Path, *others: str) -> Iterator[tuple[Board, Watch]]:
    """A spec whose drawing is kept up to date on a board."""
    board = Board(path.name)
    watch = Watch(["export", str(path), "--to", "svg", *others], [str(path)], board)
    watch.read()
    stop = Event()
    thread = Thread(target=watch.follow, args=(stop.wait,))
    thread.start()
    try:
        yield board, watch
    finally:
        stop.set()
        thread.join(SECONDS)
        assert not thread.is_alive()


def settled(board: Board, wanted: Callable[[Shown], bool]) -> Shown:
    """What is shown once it is as wanted."""
    shown = board.after(-1, 0)
    for _ in range(100):
        if not shown.reading and wanted(shown):
            return shown
        shown = board.after(shown.number, SECONDS)
    raise AssertionError(shown)


def ask(
    server: Server, path: str, method: str = "GET", token: str | None = None, **headers: str
) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.putrequest(method, f"/{server.token if token is None else token}/{path}", skip_host="Host" in given)
    for name, value in given.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def sent(server: Server, request: bytes) -> bytes:
    """All that comes back for these bytes."""
    with socket.create_connection(("127.0.0.1", server.port), SECONDS) as link, suppress(ConnectionError):
        link.sendall(request)
        link.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: link.recv(65536), b""))
    return b""


@pytest.fixture
def board() -> Board:
    return Board("net.yaml")


class TestServer:
    def test_the_shell_and_what_it_loads(self, board: Board) -> None:
        with serving(board) as server:
            kinds = {"": "text/html", "shell.css": "text/css", "shell.js": "text/javascript"}
            for path, kind in kinds.items():
                answer, body = ask(server, path)
                assert answer.status == 200 and body
                assert answer.getheader("Content-Type", "").startswith(kind)
                policy = answer.getheader("Content-Security-Policy", "")
                assert "default-src 'none'" in policy and "unsafe" not in policy
                assert answer.getheader("Access-Control-Allow-Origin") is None
                assert answer.getheader("Cache-Control") == "no-store"

    def test_the_page_is_kept_in_its_sandbox(self, board: Board) -> None:
        board.show(b"<!doctype html>", "")
        with serving(board) as server:
            answer, body = ask(server, "page?number=1")
            assert body == b"<!doctype html>"
            assert answer.getheader("Content-Security-Policy", "").startswith("sandbox allow-scripts;")

    def test_it_listens_on_this_machine_alone(self, board: Board) -> None:
        with serving(board) as server:
            assert server.server_address[0] == "127.0.0.1"
            assert server.url.startswith(f"http://127.0.0.1:{server.port}/") and len(server.token) >= 32

    @pytest.mark.parametrize("token", ["", "x", "..", "x" * 32, "%C3%A9"])
    def test_another_token(self, board: Board, token: str) -> None:
        with serving(board) as server:
            assert ask(server, "", token=token)[0].status == 404

    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", ""])
    def test_another_host(self, board: Board, host: str) -> None:
        """A site that makes its own name mean 127.0.0.1 gets nothing, whatever it asks for."""
        with serving(board) as server:
            for path in ("", "state", "page"):
                assert ask(server, path, Host=host)[0].status == 421

    def test_two_hosts_in_one_request(self, board: Board) -> None:
        with serving(board) as server, socket.create_connection(("127.0.0.1", server.port), SECONDS) as link:
            good = f"127.0.0.1:{server.port}"
            link.sendall(f"GET /{server.token}/ HTTP/1.1\r\nHost: {good}\r\nHost: evil.example\r\n\r\n".encode())
            assert b" 421 " in link.recv(100)

    def test_localhost_is_this_machine_too(self, board: Board) -> None:
        with serving(board) as server:
            assert ask(server, "", Host=f"localhost:{server.port}")[0].status == 200

    @pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1"])
    def test_another_origin(self, board: Board, origin: str) -> None:
        with serving(board) as server:
            assert ask(server, "state", Origin=origin)[0].status == 403
            assert ask(server, "", Origin=f"http://127.0.0.1:{server.port}")[0].status == 200

    def test_two_origins_in_one_request(self, board: Board) -> None:
        with serving(board) as server:
            good = f"http://127.0.0.1:{server.port}"
            head = f"GET /{server.token}/ HTTP/1.1\r\nHost: {good[7:]}\r\nOrigin: {good}\r\nOrigin: http://evil.example"
            assert sent(server, f"{head}\r\n\r\n".encode()).startswith(b"HTTP/1.0 403 ")

    @pytest.mark.parametrize(
        "request_",
        [
            b"GET /TOKEN/page\r\nHost: HOST\r\n\r\n",
            b"GET /TOKEN/page\r\n\r\n",
            b"<script>x</script> / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/<b>.1\r\n\r\n",
            b"GET / HTTP/" + b"9" * 5000 + b".1\r\n\r\n",
            b"GET /" + b"a" * 65_532,
            b"GET / HTTP/1.1\r\nX: " + b"a" * 65_534,
            b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
            b"\x16\x03\x01\x02\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ],
        ids=lambda request: str(request[:24]),
    )
    def test_every_answer_has_its_headers(self, board: Board, request_: bytes) -> None:
        """Also to what is hardly a request; nothing of it comes back."""
        board.show(b"<p>the page", "")
        with serving(board) as server:
            request = request_.replace(b"TOKEN", server.token.encode()).replace(b"HOST", server.hosts[0].encode())
            head, _, body = sent(server, request).partition(b"\r\n\r\n")
            assert re.match(rb"HTTP/1\.0 \d{3} [A-Z]", head)
            assert b"X-Content-Type-Options: nosniff" in head and b"Cross-Origin-Resource-Policy: same-origin" in head
            assert body == b"<p>the page" or (b"text/plain" in head and b"<" not in body and len(body) < 40)

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
    def test_other_methods(self, board: Board, method: str) -> None:
        with serving(board) as server:
            answer, _ = ask(server, "", method)
            assert (answer.status, answer.getheader("Allow")) == (405, "GET, HEAD")

    def test_head_has_no_body(self, board: Board) -> None:
        with serving(board) as server:
            answer, body = ask(server, "", "HEAD")
            assert (answer.status, body) == (200, b"") and int(answer.getheader("Content-Length", "0")) > 100

    @pytest.mark.parametrize(
        "path",
        [
            "../../etc/passwd",
            "..%2f..%2fetc%2fpasswd",
            "%2e%2e/server.py",
            "server.py",
            "/etc/passwd",
            "shell.js/",
            "\\",
        ],
    )
    def test_paths_are_no_files(self, board: Board, path: str) -> None:
        with serving(board) as server:
            assert ask(server, path)[0].status == 404

    @pytest.mark.parametrize("query", ["", "after=x", "after=-5", "after=9e9", "after=" + "9" * 5000, "a&b&c&d&e&f"])
    def test_a_wrong_number_is_answered_at_once(self, board: Board, query: str) -> None:
        with serving(board) as server:
            answer, body = ask(server, f"state?{query}")
            assert answer.status == 200 and json.loads(body)["number"] == 0

    def test_two_clients_wait_for_the_same(self, board: Board) -> None:
        found: list[object] = []
        with serving(board) as server:
            threads = [Thread(target=lambda: found.append(ask(server, "state?after=0")[1])) for _ in range(2)]
            for thread in threads:
                thread.start()
            board.fail("error: no")
            for thread in threads:
                thread.join(SECONDS)
            assert [json.loads(str(body, "utf-8"))["said"] for body in found if isinstance(body, bytes)] == [
                "error: no"
            ] * 2

    def test_more_clients_than_may_wait(self, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(servers, "WAIT_SECONDS", SECONDS)
        with serving(board) as server:
            for _ in range(MOST_WAITING):
                server.waiting.acquire()
            assert json.loads(ask(server, "state?after=0")[1])["number"] == 0

    def test_more_connections_than_there_is_room_for(self, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
        """Clients that begin a request and go on never: each would hold a thread."""
        monkeypatch.setattr(servers, "MOST_CONNECTIONS", 3)
        with serving(board) as server:
            before = threading.active_count()
            slow = [socket.create_connection(("127.0.0.1", server.port), SECONDS) for _ in range(3)]
            for client in slow:
                client.sendall(b"GET /")
            with pytest.raises(OSError):
                ask(server, "page")
            assert threading.active_count() <= before + 3
            for client in slow:
                client.close()
            for _ in range(100):
                try:
                    assert ask(server, "page")[0].status == 200
                    break
                except OSError:
                    threading.Event().wait(0.05)
            else:
                raise AssertionError("there is room again once they are gone")

    def test_who_asks_too_slowly_is_let_go(self, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
        """A letter now and then is something that is said, and would hold a thread for ever."""
        monkeypatch.setattr(servers, "REQUEST_SECONDS", 0.2)
        with serving(board) as server, socket.create_connection(("127.0.0.1", server.port), SECONDS) as client:
            began = time.monotonic()
            with suppress(OSError):
                while time.monotonic() < began + SECONDS:
                    client.sendall(b"GET / HTTP/1.1\r\nX: y\r\n")
                    time.sleep(0.05)
            assert time.monotonic() < began + SECONDS
            assert ask(server, "page")[0].status == 200
            assert not server._asking

    def test_who_has_asked_may_wait(self, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(servers, "REQUEST_SECONDS", 1.0)
        monkeypatch.setattr(servers, "WAIT_SECONDS", 3.0)
        with serving(board) as server:
            assert ask(server, "state?after=0")[0].status == 200


class TestFollowing:
    def test_a_change_gives_another_page(self, tmp_path: Path) -> None:
        path = write(tmp_path / "net.yaml", name="before")
        with followed(path) as (board, _):
            first = settled(board, lambda shown: not shown.failed)
            assert b"before" in board.page
            write(path, name="after")
            settled(board, lambda shown: shown.page > first.page)
            assert b"after" in board.page

    def test_what_is_wrong_is_said_and_the_last_page_stays(self, tmp_path: Path) -> None:
        path = write(tmp_path / "net.yaml", name="good")
        with followed(path) as (board, _):
            good = board.after(-1, 0)
            write(path, k=35)
            failed = settled(board, lambda shown: shown.failed)
            assert failed.page == good.page and b"good" in board.page
            assert f"{path}:4:11: error CC201 first: kernel of 35 is larger than the input of 32" in failed.said
            assert "^^^^" in failed.said and "hint: the input is 3 too small" in failed.said
            write(path, k=5, name="mended")
            mended = settled(board, lambda shown: not shown.failed)
            assert mended.said == "" and b"mended" in board.page

    def test_a_file_that_goes_and_comes_back(self, tmp_path: Path) -> None:
        path = write(tmp_path / "net.yaml")
        with followed(path) as (board, _):
            path.unlink()
            assert "there is no file" in settled(board, lambda shown: shown.failed).said
            write(path)
            settled(board, lambda shown: not shown.failed)

    def test_a_file_that_is_cut_off_and_written_on(self, tmp_path: Path) -> None:
        path = write(tmp_path / "net.yaml")
        with followed(path) as (board, _), path.open("r+b") as file:
            file.truncate(20)
            file.flush()
            settled(board, lambda shown: shown.failed)
            file.seek(0)
            file.write(SPEC.format(k=3, name="whole").encode())
            file.flush()
            settled(board, lambda shown: not shown.failed)
            assert b"whole" in board.page

    def test_many_saves_end_with_the_last(self, tmp_path: Path) -> None:
        path = write(tmp_path / "net.yaml")
        with followed(path) as (board, _):
            for number in range(30):
                write(path, name=f"save {number}")
                Event().wait(0.02)
            settled(board, lambda shown: b"save 29" in board.page)

    def test_what_it_is_shown_against_is_followed_too(self, tmp_path: Path) -> None:
        pytest.importorskip("jinja2")
        path, before = write(tmp_path / "net.yaml"), write(tmp_path / "before.yaml", k=5)
        watch = Watch(["report", str(path), "--against", str(before)], [str(path)], Board("net.yaml"))
        assert {str(path), str(before)} <= watch.read().files
        assert not watch.changed()
        write(before, k=7)
        assert watch.changed()

    def test_a_file_that_was_missing_is_read_when_it_comes(self, tmp_path: Path) -> None:
        """Where something is wrong the folder is watched."""
        path = tmp_path / "net.yaml"
        watch = Watch(["export", str(path), "--to", "svg"], [], Board("net.yaml"))
        watch.named = frozenset({str(tmp_path / "other")})
        assert watch.read().code
        write(path)
        assert watch.changed()

    def test_a_reading_that_hangs_ends_at_the_next_change(self, tmp_path: Path) -> None:
        """A pipe that nobody writes to is not read at all; code that waits is."""
        (tmp_path / "torch.py").write_text("import time\ntime.sleep(600)\n")
        path = write(tmp_path / "net.yaml")
        board = Board("net")
        watch = Watch(["table", "./net.py:Net"], [str(path)], board)
        (tmp_path / "net.py").write_text("import torch\n")
        thread = Thread(target=watch.read, daemon=True)
        old = sys.path[:]
        sys.path.insert(0, str(tmp_path))
        try:
            thread.start()
            shown = board.after(0, SECONDS)
            while not shown.reading:
                shown = board.after(shown.number, SECONDS)
            (tmp_path / "torch.py").write_text("raise ImportError('mended')\n")
            write(path, name="again")
            thread.join(SECONDS)
        finally:
            sys.path[:] = old
        assert not thread.is_alive() and board.after(-1, 0).failed


def test_stamps_tell_states_apart(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert stamp(str(path)) is None and stamp("\0") is None
    path.write_text("one")
    first = stamp(str(path))
    times = path.stat().st_mtime_ns
    (tmp_path / "b").write_text("two")
    (tmp_path / "b").replace(path)
    os.utime(path, ns=(times, times))
    assert stamp(str(path)) != first, "an editor has put another file of the same size and time there"


def test_a_record_has_what_was_read(tmp_path: Path) -> None:
    record = Record()
    record.opened("open", (str(tmp_path / "net.yaml"), "r", os.O_RDONLY))
    record.opened("open", (str(tmp_path / "missing.yaml"), None, os.O_RDONLY))
    record.opened("open", (os.fsencode(tmp_path / "bytes.yaml"), "rb", 0))
    record.opened("open", (str(tmp_path / "written.yaml"), "w", os.O_WRONLY))
    record.opened("open", (str(tmp_path / "written.yaml"), "r", os.O_RDONLY))
    record.opened("open", (3, "r", 0))
    record.opened("open", (os.__file__, "r", 0))
    record.opened("open", ("/proc/self/status", "r", 0))
    record.opened("open", (str(tmp_path / "__pycache__" / "blocks.cpython-311.pyc"), None, 0))
    record.opened("import", ("x", None, None, None, None))
    names = {Path(path).name for path in record.files() if path.startswith(str(tmp_path))}
    assert names == {"net.yaml", "missing.yaml", "bytes.yaml", "blocks.py"}
    assert not [path for path in record.files() if "site-packages" in path or path == os.__file__]


class TestCommand:
    def start(self, *arguments: str, folder: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", AT_A_TERMINAL, "watch", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
        )

    @pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
    def test_it_says_its_address_and_ends_cleanly(self, tmp_path: Path, ending: signal.Signals) -> None:
        pytest.importorskip("jinja2")
        write(tmp_path / "net.yaml", name="A <b> name")
        process = self.start("net.yaml", folder=tmp_path)
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        port, token = url.removeprefix("http://127.0.0.1:").strip("/").split("/")
        connection = HTTPConnection("127.0.0.1", int(port), timeout=SECONDS)
        connection.request("GET", f"/{token}/page")
        page = connection.getresponse().read().decode()
        assert page.startswith("<!doctype html>") and "A &lt;b&gt; name" in page
        process.send_signal(ending)
        out, err = process.communicate(timeout=SECONDS)
        assert (process.returncode, out, err) == (0, "", "")

    @pytest.mark.parametrize("time", range(3))
    def test_who_waits_for_news_is_answered_at_its_end(self, tmp_path: Path, time: int) -> None:
        pytest.importorskip("jinja2")
        write(tmp_path / "net.yaml")
        process = self.start("net.yaml", folder=tmp_path)
        assert process.stdout is not None
        port, token = process.stdout.readline().strip().removeprefix("http://127.0.0.1:").strip("/").split("/")

        def state(after: int) -> dict[str, object]:
            connection.request("GET", f"/{token}/state?after={after}")
            found: dict[str, object] = json.loads(connection.getresponse().read())
            return found

        connection = HTTPConnection("127.0.0.1", int(port), timeout=SECONDS)
        now = state(-1)
        number = now["number"]
        assert isinstance(number, int)
        connection.request("GET", f"/{token}/state?after={number}")
        Event().wait(0.5)
        process.send_signal(signal.SIGINT)
        answer = connection.getresponse()
        assert answer.status == 200 and json.loads(answer.read()) == now
        assert process.communicate(timeout=SECONDS) == ("", "") and process.returncode == 0

    def test_a_wrong_call_ends_at_once(self, tmp_path: Path) -> None:
        process = self.start(str(tmp_path / "none.yaml"), folder=tmp_path)
        out, err = process.communicate(timeout=SECONDS)
        assert (process.returncode, out) == (2, "") and "there is no file" in err

    def test_a_port_that_is_taken(self, tmp_path: Path) -> None:
        path = write(tmp_path / "net.yaml")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = run("watch", str(path), "--port", str(taken.getsockname()[1]))
        assert done.code == 2 and "cannot be used" in done.stderr and "--port 0" in done.stderr

    @pytest.mark.parametrize("spec", ["-", "git:HEAD:net.yaml"])
    def test_what_is_read_once(self, spec: str) -> None:
        done = run("watch", spec)
        assert done.code == 2 and "watch takes a file" in done.stderr

    def test_the_options_of_the_report_are_handed_on(self, tmp_path: Path) -> None:
        path = write(tmp_path / "net.yaml")
        done = run("watch", str(path), "--variant", "none")
        assert done.code == 2 and "there is no variant 'none'" in done.stderr


def test_threads_end() -> None:
    assert not [thread for thread in threading.enumerate() if "process_request" in thread.name and not thread.daemon]
