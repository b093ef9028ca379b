"""What a shell completes: the candidates for the last word of a call, one a line.

The scripts of `convcalc completion` ask for them: the words of the call are the arguments, `_CONVCALC_COMPLETE` names
the shell. typer has scripts too, but that for zsh evaluates what the program prints: names of files and layers are data
of strangers, and here they are never code. Nothing is said on standard error, and standard input is not read.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from ..files import MODELS
from ..render import streams
from .commands import COMMANDS

if TYPE_CHECKING:
    from typer.core import TyperCommand

    from ..language.published import PrintedTable
    from ..network import Network
    from .program import Program

SPECS = (".yaml", ".yml", *MODELS)
LARGEST = 1 << 20
"""Bytes of a spec that is read while someone waits for a completion."""
MOST = 1000
"""Candidates that are given at most, and entries of a folder that are looked at times ten."""
_UNQUOTED = re.compile(r"([^\w./,:=@%+~\-])")


class Candidate(NamedTuple):
    """What the word may become, and what is said of it where a shell shows that."""

    value: str
    said: str = ""


class Call(NamedTuple):
    """The call so far."""

    command: TyperCommand
    arguments: tuple[str, ...]
    """Its words that are neither options nor their values."""
    options: dict[str, list[str]]
    """Option, by its first name -> its values."""

    def load(self) -> Network | None:
        """The network of the first argument; None where it is none, or is not to be read now."""
        spec = self.arguments[0] if self.arguments else "-"
        if spec == "-" or spec.startswith("git:") or (os.path.exists(spec) and not _readable(spec)):  # noqa: PTH110
            return None
        from ..api.load import names_code
        from .options import load_network

        if names_code(spec):  # a key is no wish to run code
            return None
        variants = self.options.get("--variant")
        return load_network(spec, self.options.get("--set"), variants[-1] if variants else None)


def answer(program: Program, shell: str, words: list[str]) -> None:
    """Print the candidates for the last word, as the script of a shell reads them. Raises nothing: there are none."""
    try:
        found = list(islice(candidates(program, _joined(words) if shell == "bash" else words), MOST))
        if shell == "bash":
            lines = [_UNQUOTED.sub(r"\\\1", candidate.value) for candidate in found]
        else:
            lines = ["\t".join(filter(None, candidate)) for candidate in found]
        streams.write_text("\n".join(lines))
        streams.flush()
    except Exception:  # a wrong spec, a folder that may not be read: whoever presses a key is not told of it
        return


def _joined(words: list[str]) -> list[str]:
    """The words as bash splits them (at `=`, with their quotes), as other shells give them."""
    joined: list[str] = []
    for word in words:
        if joined and (word == "=" or joined[-1].endswith("=")) and joined[-1].startswith("--"):
            joined[-1] += word
        else:
            joined.append(word)
    return [_without_quotes(word) for word in joined]


def _without_quotes(word: str) -> str:
    """A word without the quotes and backslashes that the shell would take away; an open quote is closed."""
    for ending in ("", "'", '"'):
        try:
            return "".join(shlex.split(word + ending)[:1])
        except ValueError:
            continue
    return word


def candidates(program: Program, words: Sequence[str]) -> Iterator[Candidate]:
    """What the last of these words may become; only what can be printed as it is."""
    *before, word = words or [""]
    for found in _candidates(program, before, word):
        if found.value.startswith(word) and found.value.isprintable() and found.said.isprintable():
            yield found


def _candidates(program: Program, before: Sequence[str], word: str) -> Iterable[Candidate]:
    name = next((known for known in before if known in COMMANDS), None)
    if name is None:
        if word.startswith("-"):
            return _option_names(program.params)
        if before[-1:] == ["--color"]:
            return _plain(("auto", "always", "never"))
        return [Candidate(known, found.summary) for known, found in COMMANDS.items()]
    called = program.command(name)
    valued = {opt: param for param in called.params for opt in param.opts if _takes_value(param)}
    call, open_option = _read(called, list(before)[list(before).index(name) + 1 :], valued)
    if open_option is not None:
        return _values(call, valued[open_option], word)
    if "--" not in before and word.startswith("--") and "=" in word:
        option, _, value = word.partition("=")
        if option not in valued:
            return ()
        return [Candidate(f"{option}={found.value}", found.said) for found in _values(call, valued[option], value)]
    if "--" not in before and word.startswith("-"):
        return _option_names(called.params)
    arguments = [param for param in called.params if param.param_type_name == "argument"]
    place = len(call.arguments)
    if place < len(arguments):
        return _values(call, arguments[place], word)
    return _values(call, arguments[-1], word) if arguments and arguments[-1].nargs == -1 else ()


def _takes_value(param: object) -> bool:
    from typer.core import TyperOption

    return isinstance(param, TyperOption) and not param.is_flag


def _read(command: TyperCommand, words: Sequence[str], valued: Container[str]) -> tuple[Call, str | None]:
    """The call that these words make, and the option whose value comes next; None where none is open."""
    arguments: list[str] = []
    options: dict[str, list[str]] = {}
    open_option: str | None = None
    ended = False
    for word in words:
        option, equals, value = word.partition("=")
        if open_option is not None:
            options.setdefault(open_option, []).append(word)
            open_option = None
        elif ended or not word.startswith("-") or word == "-":
            arguments.append(word)
        elif word == "--":
            ended = True
        elif equals:
            options.setdefault(option, []).append(value)
        elif word in valued:
            open_option = word
    return Call(command, tuple(arguments), options), open_option


def _option_names(params: Iterable[object]) -> Iterator[Candidate]:
    from typer.core import TyperOption

    for param in params:
        if isinstance(param, TyperOption) and not param.hidden:
            for name in (*param.opts, *param.secondary_opts):
                if name.startswith("--"):
                    yield Candidate(name, param.help or "")


def _values(call: Call, param: object, word: str) -> Iterable[Candidate]:
    """The values that an option or an argument may have."""
    from typer import Context
    from typer.core import TyperArgument, TyperOption

    assert isinstance(param, (TyperArgument, TyperOption))
    names = [name for name in (*param.opts, (param.metavar or "").strip("[].")) if name in VALUES]
    if names:
        return VALUES[names[0]](call, word)
    for said in (param.metavar or "", param.display_type(Context(call.command, info_name=call.command.name))):
        choice = re.fullmatch(r"<([^<>]*\|[^<>]*)>", said)
        if choice:
            return _plain(choice[1].split("|"))
    return ()


def _plain(values: Iterable[str]) -> Iterator[Candidate]:
    return map(Candidate, values)


def _specs(call: Call, word: str) -> Iterator[Candidate]:
    """Spec files and folders of the folder that the word names, then the gallery."""
    yield from _files(call, word)
    if "/" not in word:
        yield from _gallery(call, word)


def _swept(call: Call, word: str) -> Iterator[Candidate]:
    """What is swept: specs, and the plans of the gallery."""
    from ..sweep.plan_file import plan_names

    yield from _specs(call, word)
    if "/" not in word:
        yield from _plain(plan_names())


def _files(call: Call, word: str) -> Iterator[Candidate]:
    folder, _, start = word.rpartition("/")
    prefix = word[: len(word) - len(start)]
    where = os.path.expanduser(folder or ("/" if prefix else "."))  # noqa: PTH111
    with os.scandir(where) as entries:
        for entry in sorted(islice(entries, 10 * MOST), key=lambda entry: entry.name):
            if entry.name.startswith(".") and not start.startswith("."):
                continue
            if entry.is_dir():
                yield Candidate(f"{prefix}{entry.name}/")
            elif entry.name.lower().endswith(SPECS):
                yield Candidate(prefix + entry.name)


def _models(call: Call, word: str) -> Iterator[Candidate]:
    return (found for found in _files(call, word) if found.value.lower().endswith((*MODELS, "/")))


def _gallery(call: Call, word: str) -> Iterator[Candidate]:
    from ..analysis.gallery import read_index

    return (Candidate(entry["name"], entry["title"]) for entry in read_index())


def _readable(path: str) -> bool:
    """Whether a file is a plain one, and small enough to be read while someone waits."""
    found = os.stat(path)  # noqa: PTH116
    return stat.S_ISREG(found.st_mode) and found.st_size <= (1 << 30 if path.lower().endswith(MODELS) else LARGEST)


def _variants(call: Call, word: str) -> Iterator[Candidate]:
    network = call._replace(options={}).load()
    return _plain(network.origin.variants if network is not None and network.origin is not None else ())


def _layers(call: Call, word: str) -> Iterator[Candidate]:
    """The groups and layers of the network by their paths, level by level: behind a dot comes what is inside."""
    network = call.load()
    if network is None:
        return
    paths = (*network.groups, *(node.name for node in network.nodes if node.layer is not None))
    level = word.count(".")
    yield from _plain(dict.fromkeys(".".join(path.split(".")[: level + 1]) for path in paths if path.startswith(word)))
    if word.count(".") == 0 and call.command.name != "draw":
        yield Candidate("total", "the whole network")


def _printed(call: Call) -> list[PrintedTable]:
    """The printed tables of the spec; those of `--table` where it is given."""
    network = call.load()
    if network is None:
        return []
    from ..analysis.quantities import QUANTITY_NAMES
    from ..language.published import read_tables

    tables = read_tables(network.origin, QUANTITY_NAMES)
    asked = call.options.get("--table", [""])[-1]
    return [tables[int(asked) - 1]] if asked.isdigit() and 0 < int(asked) <= len(tables) else tables


def _tables(call: Call, word: str) -> Iterator[Candidate]:
    """The numbers of the printed tables, with their titles."""
    tables = _printed(call._replace(options={}))
    return (Candidate(str(number), table.title) for number, table in enumerate(tables, start=1))


def _rows(call: Call, word: str) -> Iterator[Candidate]:
    """The keys of printed rows."""
    return _plain(dict.fromkeys(name for table in _printed(call) for name in table.rows if "," not in name))


def _widths(call: Call, word: str) -> Iterator[Candidate]:
    """Layers and groups, with the sign behind which their widths stand."""
    return (Candidate(f"{found.value}=", found.said) for found in _layers(call, word) if found.value != "total")


def _columns(call: Call, word: str) -> Iterator[Candidate]:
    """Quantities, behind those that are named before the last comma; of `forensics` the columns of printed tables."""
    if call.command.name == "forensics":
        yield from _plain(dict.fromkeys(name for table in _printed(call) for name in table.columns if "," not in name))
        return
    from ..analysis.quantities import QUANTITIES

    before, comma, _ = word.rpartition(",")
    named = before.split(",")
    yield from (
        Candidate(before + comma + quantity.name, quantity.meaning)
        for quantity in QUANTITIES.values()
        if quantity.name not in named
    )
    if not comma:
        yield Candidate("help", "list them all")


def _column(call: Call, word: str) -> Iterator[Candidate]:
    from ..analysis.quantities import QUANTITIES

    return (Candidate(quantity.name, quantity.meaning) for quantity in QUANTITIES.values())


def _params(call: Call, word: str) -> Iterator[Candidate]:
    """The params of the spec, with the sign behind which their value stands."""
    from ..marked import Map

    network = call._replace(options={}).load()
    section = None if network is None or network.origin is None else network.origin.section("params")
    return _plain(f"{name}=" for name in (section.keys if isinstance(section, Map) else ()))


def _compared(sign: str) -> Callable[[Call, str], Iterator[Candidate]]:
    """Quantities, with the sign behind which an amount stands."""

    def found(call: Call, word: str) -> Iterator[Candidate]:
        return (Candidate(f"{each.value}{sign}", each.said) for each in _column(call, word))

    return found


def _axes(call: Call, word: str) -> Iterator[Candidate]:
    """Params, the variant and the input, with the sign behind which stands what they go through."""
    yield from _params(call, word)
    yield from _plain(("variant=", "input="))


def _limited(call: Call, word: str) -> Iterator[Candidate]:
    from ..analysis.diff import limited

    return (Candidate(f"{quantity.name}=", quantity.meaning) for quantity in limited())


def _revisions(call: Call, word: str) -> Iterator[Candidate]:
    from ..git import revisions

    return _plain(["HEAD", *revisions()])


def _reports(call: Call, word: str) -> Iterator[Candidate]:
    """The formats of reports, with the sign behind which their file stands."""
    from .check import REPORTS

    return _plain(f"{name}=" for name in REPORTS)


def _codes(call: Call, word: str) -> Iterator[Candidate]:
    from ..codes import codes, page

    before, comma, _ = word.rpartition(",")
    return (Candidate(before + comma + code, page(code).title) for code in codes())


def _devices(call: Call, word: str) -> Iterator[Candidate]:
    from ..analysis.device import DEVICES
    from .options import RUNS

    return _plain((*DEVICES, *RUNS))


def _activations(call: Call, word: str) -> Iterator[Candidate]:
    from ..verify.substitute import ACTIVATIONS

    return _plain(ACTIVATIONS)


def _commands(call: Call, word: str) -> Iterator[Candidate]:
    return (Candidate(name, found.summary) for name, found in COMMANDS.items())


VALUES: dict[str, Callable[[Call, str], Iterator[Candidate]]] = {
    "SPEC": _specs,
    "SPEC|ITEM": _specs,
    "SPEC|PLAN|RUN": _swept,
    "A": _specs,
    "B": _specs,
    "PATH": _specs,
    "NAME": _gallery,
    "WORD": _gallery,
    "FILE": _models,
    "LAYER": _layers,
    "COMMAND": _commands,
    "--until": _layers,
    "--variant": _variants,
    "--set": _params,
    "--grid": _axes,
    "--range": _axes,
    "--let": _params,
    "--where": _compared("<="),
    "--near": _compared("="),
    "--pareto": _columns,
    "--minimize": _column,
    "--maximize": _column,
    "--columns": _columns,
    "--table": _tables,
    "--rows": _rows,
    "--width": _widths,
    "--sort": _column,
    "--plot": _columns,
    "--fail-over": _limited,
    "--base": _revisions,
    "--against": _specs,
    "--report": _reports,
    "--select": _codes,
    "--ignore": _codes,
    "--explain": _codes,
    "--device": _devices,
    "--activation": _activations,
    "--init": lambda call, word: _plain(("kaiming", "xavier", "torch", "normal:")),
    "--depth": lambda call, word: _plain(("1", "2", "3", "all")),
    "--output": lambda call, word: _plain(()),
}
"""Option, or what an argument is called in the usage line -> the values that it may have."""
