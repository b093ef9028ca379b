"""Reading: paths, the gallery, standard input, encodings, and what is refused without blocking."""

from __future__ import annotations

import io
import os
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import convcalc
from convcalc import check, parse_layer
from convcalc.findings import Finding, SpecError, UsageError
from convcalc.language import gallery_names, gallery_path, load, loads, read
from convcalc.language.sources import decode
from convcalc.limits import SPEC_BYTES
from convcalc.onnx import load_onnx

POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no such files, or says something else of them")
TEXT = "convcalc: 1\ninput: [3, 8, 8]\nlayers: [relu]\n"


def finding(data: bytes) -> Finding:
    with pytest.raises(SpecError) as caught:
        decode(data, "spec.yaml")
    (found,) = caught.value.findings
    return found


def refused(path: str | Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read(str(path))
    return caught.value


class TestFiles:
    def test_a_path(self, tmp_path: Path) -> None:
        path = tmp_path / "tiny.yaml"
        path.write_text(TEXT, newline="\n")
        network = load(str(path))
        assert network.name == "tiny"
        assert network.origin is not None and network.origin.path == str(path)

    def test_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(TEXT.encode())))
        assert read("-").text == TEXT

    def test_a_missing_file(self) -> None:
        assert refused("no/such/file.yaml").message == "there is no file 'no/such/file.yaml'"

    def test_did_you_mean_a_gallery_name(self) -> None:
        assert refused("goglenet").hint == "did you mean 'googlenet'?"

    def test_files_beside_it_come_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        for name in ("cnn.yaml", "Wide.yml", ".nni.yaml", "notes.txt", "graph.onnx"):
            (tmp_path / name).write_text(TEXT, newline="\n")
        assert refused("cnn").hint == refused("cnn.yml").hint == refused("CNN.YAML").hint == "did you mean 'cnn.yaml'?"
        assert refused("wide").hint == "did you mean 'Wide.yml'?"
        assert refused("graf").hint == "did you mean 'graph.onnx'?"
        assert refused("cnm").hint == "did you mean 'cnn.yaml', or 'fcn' of the gallery?"
        assert refused("./cnm.yaml").hint == f"did you mean '.{os.sep}cnn.yaml'?"
        assert refused(tmp_path / "cnn.yml").hint == f"did you mean '{tmp_path / 'cnn.yaml'}'?"
        assert refused("elsewhere/cnn.yaml").hint is None

    def test_the_gallery_is_no_wall_of_names(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert refused("zzzzzz.yaml").hint == "'convcalc specs' lists the gallery"

    @POSIX
    def test_a_missing_onnx_file(self, tmp_path: Path) -> None:
        (tmp_path / "net.onnx").write_bytes(b"")
        with pytest.raises(UsageError) as caught:
            load_onnx(str(tmp_path / "Net2.onnx"))
        assert caught.value.message == f"there is no file '{tmp_path / 'Net2.onnx'}'"
        assert caught.value.hint == f"did you mean '{tmp_path / 'net.onnx'}'?"

    def test_a_directory(self, tmp_path: Path) -> None:
        assert "is a directory" in refused(tmp_path).message

    @POSIX
    def test_a_fifo_is_not_opened(self, tmp_path: Path) -> None:
        path = tmp_path / "fifo"
        os.mkfifo(path)
        assert "is a FIFO" in refused(path).message

    @POSIX
    def test_a_device_is_not_opened(self) -> None:
        assert "is a device" in refused("/dev/zero").message

    @POSIX
    def test_a_socket_is_not_opened(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)  # the name of a socket is short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("s")
            assert "is a socket" in refused("s").message

    @POSIX
    def test_a_symlink_loop(self, tmp_path: Path) -> None:
        (tmp_path / "a").symlink_to(tmp_path / "b")
        (tmp_path / "b").symlink_to(tmp_path / "a")
        assert "leads in a circle" in refused(tmp_path / "a").message

    def test_a_dangling_link(self, tmp_path: Path) -> None:
        (tmp_path / "a").symlink_to(tmp_path / "nothing")
        assert "does not exist" in refused(tmp_path / "a").message

    def test_a_link_to_a_file_is_fine(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text(TEXT, newline="\n")
        (tmp_path / "link").symlink_to(tmp_path / "file")
        assert read(str(tmp_path / "link")).text == TEXT

    @POSIX
    def test_no_permission(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "secret.yaml"
        path.write_text(TEXT, newline="\n")
        path.chmod(0)
        if os.geteuid() == 0:

            def denied(*_: object) -> int:
                raise PermissionError(13, "Permission denied")

            monkeypatch.setattr(os, "open", denied)
        assert "no permission" in refused(path).message

    @pytest.mark.parametrize("path", ["a\0b", "x" * 5000, ""])
    def test_no_paths(self, path: str) -> None:
        assert refused(path).message.isprintable()

    @POSIX
    def test_a_path_through_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text(TEXT, newline="\n")
        assert "no directory" in refused(tmp_path / "file" / "inner").message

    def test_names_are_printed_escaped(self) -> None:
        assert refused("\x1b[31mred").message.isprintable()


class TestGallery:
    def test_names(self) -> None:
        assert "googlenet" in gallery_names()
        assert (gallery_path() / "googlenet.yaml").is_file()

    @pytest.mark.parametrize("name", ["googlenet", "googlenet.yaml"])
    def test_by_name_from_any_folder(self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert read(name).path == str(gallery_path() / "googlenet.yaml")

    def test_an_existing_file_beats_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "googlenet").write_text(TEXT, newline="\n")
        assert read("googlenet").text == TEXT
        (tmp_path / "googlenet.yaml").write_text(TEXT + "# mine\n", newline="\n")
        assert read("googlenet.yaml").text == TEXT + "# mine\n"

    def test_a_folder_does_not(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "googlenet").mkdir()
        assert read("googlenet").path.endswith("googlenet.yaml")

    @pytest.mark.parametrize("name", ["../specs/googlenet", "./googlenet"])
    def test_names_have_no_folders(self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        refused(name)


class TestBytes:
    @pytest.mark.parametrize("text", [TEXT, "\ufeff" + TEXT, TEXT.replace("\n", "\r\n"), TEXT.replace("\n", "\r")])
    def test_a_bom_and_all_line_ends_are_fine(self, text: str) -> None:
        assert loads(decode(text.encode(), "x").text).nodes[1].kind == "relu"

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
    def test_utf_16_and_32(self, encoding: str) -> None:
        found = finding(TEXT.encode(encoding))
        assert found.code == "CC003" and "UTF-16" in found.message

    def test_latin_1(self) -> None:
        found = finding("convcalc: 1\nname: café net\n".encode("latin-1"))
        assert (found.code, found.line, found.column) == ("CC003", 2, 10)
        assert "0xe9" in found.message and "Latin-1" in str(found.hint)
        assert found.excerpt == "name: caf\ufffd net"

    def test_nul(self) -> None:
        found = finding(b"convcalc: 1\nname: a\0b\n")
        assert (found.code, found.line, found.column) == ("CC003", 2, 8)

    @pytest.mark.parametrize(
        "text", ["\ud800", "convcalc: 1\n# é\udfff", "convcalc: 1\nname: '\udc80'\r\n", "a: 1\n\nb\ud83d"]
    )
    def test_half_a_character(self, text: str) -> None:
        """Texts of Python, unlike files, can hold one."""
        with pytest.raises(SpecError, match=r"the text holds half a character, U\+D[0-9A-F]{3}") as raised:
            loads(text)
        (found,) = raised.value.findings
        assert found.code == "CC003"
        assert text.splitlines()[found.line - 1][found.column - 1] in "\ud800\udfff\udc80\ud83d"
        assert [each.code for each in check(text=text).findings] == ["CC003"]
        with pytest.raises(SpecError):
            parse_layer(text)
        with pytest.raises(UsageError, match="half a character"):
            loads("convcalc: 1\ninput: [3]\nparams: {w: 1}\nlayers: [relu]\n", params={"w": text})

    def test_oversized(self, tmp_path: Path) -> None:
        path = tmp_path / "big.yaml"
        with path.open("wb") as file:
            file.truncate(SPEC_BYTES + 1)
        with pytest.raises(SpecError) as caught:
            read(str(path))
        assert caught.value.findings[0].code == "CC004"


@pytest.mark.parametrize("name", ["\ud800", "a\0b", "\x1b[31m", "\u202e"])
def test_names_of_a_call_are_shown_and_never_sent(name: str) -> None:
    """An error that is printed is printed: it neither fails nor obeys."""
    network = loads(TEXT)
    calls = [
        lambda: loads(TEXT, variant=name),
        lambda: loads(TEXT, params={name: 1}),
        lambda: loads(TEXT, input={name: [3, 8, 8]}),
        lambda: network[name],
        lambda: convcalc.explain(network, name),
        lambda: convcalc.draw(network, name),
        lambda: convcalc.export(network, name),
        lambda: convcalc.load(name),
        lambda: check(text=TEXT, select=[name]),
    ]
    for call in calls:
        with pytest.raises(UsageError) as raised:
            call()
        assert str(raised.value).replace("\n", "").isprintable()
    assert name not in str(check([name]))
