"""The graph of an exported model as a tape: its nodes are calls of ATen's operators, its stacks of modules scopes.

Source: torch/_export/serde/schema.py, torch/_export/serde/serialize.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import inf, nan
from typing import Any

from ...geometry import LIMIT
from ...models.document import Json, Malformed, mapping, sequence, shown, text, whole
from ..tape import Call, Kind, Ref, Scope, Shape, Tape, Tensor
from .costs import macs
from .expressions import symbols, value

DTYPES = {
    1: "uint8",
    2: "int8",
    3: "int16",
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    9: "complex32",
    10: "complex64",
    11: "complex128",
    12: "bool",
    13: "bfloat16",
}
"""torch/_export/serde/schema.py: ScalarType."""
PLAIN: dict[str, type | tuple[type, ...]] = {"bool": bool, "float": (int, float), "int": int, "string": str}
"""Kind of a plain argument -> its types."""
WORDS = {"Infinity": inf, "-Infinity": -inf, "NaN": nan}
"""torch/_export/serde/serialize.py: _dataclass_to_dict."""
MOST_AXES = 64
MOST_NODES = 100_000


class Batched(Malformed):
    """The model was exported with a batch that is fixed, and not 1."""


class Reader:
    """Reads one graph."""

    def __init__(self, model: Mapping[str, Json], shared: Mapping[str, str]) -> None:
        module = mapping(model.get("graph_module"), "graph_module")
        self.graph = mapping(module.get("graph"), "graph")
        self.signature = mapping(module.get("signature"), "signature")
        self.stored = mapping(self.graph.get("tensor_values"), "tensor_values")
        self.open_sizes = mapping(self.graph.get("sym_int_values"), "sym_int_values")
        self.shared = shared
        """Name of a weight -> the first name under which it is stored."""
        self.tape = Tape()
        self.places: dict[str, int] = {}
        """Name in the graph -> place on the tape."""
        self._held: dict[str, int] = {}
        """Name of a weight -> its place."""
        self._second: list[Shape] = []
        self._known: tuple[dict[str, int], dict[str, int]] = ({}, {})
        """The values of symbols in the first and the second run."""
        self._readers: dict[str, Callable[[Json], Any]] = {
            **{kind: partial(_plain, kind) for kind in PLAIN},
            "none": lambda content: None,
            "tensor": self._named,
            "optional_tensor": self._optional,
            "nested_tensor": self._several,
            "sym_int": self._whole,
            "sym_float": partial(_computed, "float"),
            "sym_bool": partial(_computed, "bool"),
        }
        """Kind of argument -> its reader; that of a list reads each part."""
        self._batched = False
        """Whether a batch is open: without one there is no second run, whose batch is 2."""

    def read(self) -> Tape:
        """The tape. Raises `Malformed`."""
        inputs = [_only(spec, "an input") for spec in sequence(self.signature.get("input_specs"), "input_specs")]
        self._open([_argument(content) for kind, content in inputs if kind == "user_input"])
        for kind, content in inputs:
            self._input(kind, mapping(content, "an input"))
        self.tape.inputs = tuple([n for n, tensor in enumerate(self.tape.tensors) if tensor.origin == "input"])
        self.tape.scopes.append(Scope("", "", -1))
        self._calls(sequence(self.graph.get("nodes"), "nodes"))
        self._outputs()
        read = {ref for call in self.tape.calls for ref in _places(call)}
        self.tape.unused = tuple(
            tensor.name
            for place, tensor in enumerate(self.tape.tensors)
            if tensor.origin == "parameter" and place not in read
        )
        if self._batched:
            self.tape.second = self._second
        return self.tape

    # Sizes

    def _open(self, inputs: Sequence[str | None]) -> None:
        """Values for the symbols: the batch is 1 and 2, another open size what the example had and twice as much."""
        first, second = self._known
        hints: dict[str, int] = {}
        batch: list[str] = []
        for name in inputs:
            if name is None:
                continue
            sizes = sequence(mapping(self.stored.get(name), name).get("sizes"), "sizes")
            for axis, size in enumerate(sizes):
                kind, content = _only(size, "a size")
                if kind != "as_expr":
                    continue
                said = mapping(content, "a size")
                found = symbols(text(said.get("expr_str"), "a size"))
                if len(found) == 1:
                    hints.setdefault(found[0], _hint(said))
                if axis == 0 and len(sizes) > 1:
                    batch += found
        for symbol, hint in hints.items():
            first[symbol], second[symbol] = (1, 2) if symbol in batch else (hint, 2 * hint)
        self._batched = bool(batch)

    def _size(self, size: Json, run: int) -> int:
        kind, content = _only(size, "a size")
        if kind == "as_int":
            found = whole(content, "a size")
            if found < 0:
                raise Malformed(f"a size is {found}")
            return found
        if kind != "as_expr":
            raise Malformed(f"a size is {kind}")
        said = mapping(content, "a size")
        return value(text(said.get("expr_str"), "a size"), self._known[run])

    def _symbolic(self, name: str) -> int:
        """The value of a size that nodes compute, in the first run."""
        if name not in self.open_sizes:
            raise Malformed(f"the size '{name}' is not known")
        return self._size(self.open_sizes[name], 0)

    # Tensors

    def _tensor(self, name: str, origin: Kind, own: str = "") -> int:
        said = mapping(self.stored.get(name), f"the tensor '{name}'")
        sizes = sequence(said.get("sizes"), "sizes")
        if len(sizes) > MOST_AXES:
            raise Malformed(f"the tensor '{name}' has {len(sizes)} axes")
        shapes = [tuple([self._size(size, run) for size in sizes]) for run in (0, 1)] if self._known[0] else []
        first = shapes[0] if shapes else tuple([self._size(size, 0) for size in sizes])
        self._second.append(shapes[1] if shapes else first)
        dtype = DTYPES.get(whole(said.get("dtype", 0), "a dtype"), "unknown")
        self.tape.tensors.append(Tensor(first, dtype, origin, own))
        self.places[name] = len(self.tape.tensors) - 1
        return self.places[name]

    def _input(self, kind: str, content: Mapping[str, Json]) -> None:
        name = _argument(content)
        if name is None:
            return
        if kind == "user_input":
            place = self._tensor(name, "input", name)
            dims = self.tape.tensors[place].shape
            if len(dims) > 1 and dims[0] != 1:
                raise Batched(f"its input '{name}' has the sizes {list(dims)}, and the batch is not 1")
        elif kind in ("parameter", "buffer"):
            own = text(content.get(f"{kind}_name"), f"the name of a {kind}")
            held = self.shared.get(own, own)
            known = self.tape.parameters if kind == "parameter" else self.tape.buffers
            if held in known:
                self.places[name] = self._held[held]
                self.tape.aliases[own] = held
                return
            place = self._tensor(name, "parameter" if kind == "parameter" else "buffer", own)
            known[own], self._held[own] = self.tape.tensors[place].shape, place
        else:
            self._tensor(name, "constant")

    # Calls

    def _calls(self, nodes: Sequence[Json]) -> None:
        if len(nodes) > MOST_NODES:
            raise Malformed(f"it has {len(nodes):,} nodes, more than {MOST_NODES:,}")
        stacks = _Stacks(self.tape)
        for node in nodes:
            said = mapping(node, "a node")
            target = text(said.get("target"), "the target of a node")
            outputs = _made(sequence(said.get("outputs"), "outputs"))
            given: dict[str, Any] = {}
            for argument in sequence(said.get("inputs"), "inputs"):
                each = mapping(argument, "an argument")
                name = text(each.get("name"), "the name of an argument") or f"_{len(given)}"
                given[name] = self._value(each.get("arg"))
            if not outputs:
                continue
            places = tuple([self._tensor(name, "call") for name in outputs])
            operator = _operator(target)
            shapes = {name: self._shapes(argument) for name, argument in given.items()}
            products = macs(operator, shapes, self.tape.tensors[places[0]].shape)
            if products > LIMIT:
                raise Malformed("a node takes more than 2^63 - 1 multiply-accumulates")
            scope = stacks.scope(mapping(said.get("metadata") or {}, "metadata").get("nn_module_stack"))
            self.tape.calls.append(Call(operator, (), given, places, scope, products))

    def _shapes(self, argument: object) -> object:
        """An argument with shapes in place of tensors."""
        if isinstance(argument, Ref):
            return self.tape.tensors[argument.tensor].shape
        return tuple([self._shapes(part) for part in argument]) if isinstance(argument, tuple) else argument

    def _value(self, argument: Json) -> Any:
        """An argument; what is no tensor and no plain value is the name of its kind."""
        found, content = _only(argument, "an argument")
        kind = found.removeprefix("as_")
        if kind in self._readers:
            return self._readers[kind](content)
        single = self._readers.get(kind.removesuffix("s"))
        return kind if single is None else tuple([single(part) for part in sequence(content, found)])

    def _named(self, content: Json) -> Ref:
        return self._ref(text(mapping(content, "a tensor").get("name"), "a tensor"))

    def _several(self, content: Json) -> tuple[Ref, ...]:
        return tuple([self._named(part) for part in sequence(content, "tensors")])

    def _optional(self, part: Json) -> Ref | None:
        kind, content = _only(part, "a tensor")
        return None if kind == "as_none" else self._named(content)

    def _ref(self, name: str) -> Ref:
        if name not in self.places:
            raise Malformed(f"the tensor '{name}' is read before it is made")
        return Ref(self.places[name])

    def _whole(self, content: Json) -> int:
        kind, inner = _only(content, "a size")
        return self._symbolic(text(inner, "a size")) if kind == "as_name" else whole(inner, "a size")

    def _outputs(self) -> None:
        found = []
        for spec in sequence(self.signature.get("output_specs"), "output_specs"):
            kind, content = _only(spec, "an output")
            name = _argument(mapping(content, "an output")) if kind == "user_output" else None
            if name is not None:
                found.append(self._ref(name).tensor)
        names = [""] if len(found) == 1 else [str(number) for number in range(len(found))]
        self.tape.outputs = tuple(zip(names, found, strict=True))


def _argument(content: Json) -> str | None:
    """The tensor of an input or output; None for what is none."""
    argument = mapping(content, "an input").get("arg")
    if not isinstance(argument, dict):
        return None
    inner = argument.get("as_tensor", argument)
    name = inner.get("name") if isinstance(inner, dict) else None
    return name if isinstance(name, str) and ("as_tensor" in argument or "name" in argument) else None


def _plain(kind: str, content: Json) -> Any:
    """A number, a truth value or a text; what is no finite number is written as a word."""
    if kind == "float" and isinstance(content, str) and content in WORDS:
        return WORDS[content]
    if not isinstance(content, PLAIN[kind]) or (isinstance(content, bool) and kind != "bool"):
        raise Malformed(f"an argument must be a {kind}, not {shown(content)}")
    return content


def _computed(kind: str, content: Json) -> Any:
    """A number or truth value that may be computed while the model runs: it is the name of its kind then."""
    found, inner = _only(content, "an argument")
    return kind if found == "as_name" else _plain(kind, inner)


def _hint(said: Mapping[str, Json]) -> int:
    """What an open size was in the example."""
    hint = said.get("hint")
    return whole(hint.get("as_int"), "a size") if isinstance(hint, dict) else 1


def _made(outputs: Sequence[Json]) -> list[str]:
    """The names of the tensors that a node makes."""
    found: list[str] = []
    for output in outputs:
        kind, content = _only(output, "an output")
        if kind == "as_tensor":
            found.append(text(mapping(content, "an output").get("name"), "an output"))
        elif kind == "as_tensors":
            found += [text(mapping(part, "an output").get("name"), "an output") for part in sequence(content, kind)]
    return found


def _operator(target: str) -> str:
    """`torch.ops.aten.conv2d.default` as the tape has it: `aten.conv2d.default`."""
    return target.removeprefix("torch.ops.")


def _places(call: Call) -> list[int]:
    return [ref.tensor for argument in call.kwargs.values() for ref in _refs(argument)]


def _refs(argument: object) -> list[Ref]:
    if isinstance(argument, Ref):
        return [argument]
    return [ref for part in argument for ref in _refs(part)] if isinstance(argument, tuple) else []


class _Stacks:
    """The calls of modules, from the stacks that nodes name: `key,path,class` each, outermost first."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.open: list[tuple[str, int]] = []
        """Keys of the calls that are open, with their scopes."""
        self._calls: dict[str, int] = {}

    def scope(self, stack: object) -> int:
        """The scope of a node with this stack."""
        entries = [entry.split(",") for entry in stack.split(";")] if isinstance(stack, str) and stack else []
        wanted = [entry for entry in entries if len(entry) == 3 and entry[1]]
        depth = 0
        for (key, _), entry in zip(self.open, wanted, strict=False):
            if key != entry[0]:
                break
            depth += 1
        del self.open[depth:]
        for key, path, cls in wanted[depth:MOST_AXES]:
            parent = self.open[-1][1] if self.open else 0
            own = path.partition("@")[0]
            name = cls.rpartition(".")[2]
            call = self._calls.get(own, 0)
            self._calls[own] = call + 1
            start = len(self.tape.calls)
            if start and len(self.tape.scopes) > MOST_NODES:
                raise Malformed(f"it has more than {MOST_NODES:,} calls of modules")
            self.tape.scopes.append(Scope(own, name, parent, call, start, start))
            self.open.append((key, len(self.tape.scopes) - 1))
        return self.open[-1][1] if self.open else 0


def tape_of(model: Mapping[str, Json], shared: Mapping[str, str]) -> Tape:
    """The tape of an exported model, whose weights of the names in `shared` are others' too. Raises `Malformed`."""
    reader = Reader(model, shared)
    tape = reader.read()
    version = model.get("torch_version")
    tape.versions = {"torch": version} if isinstance(version, str) else {}
    return tape


def _only(value: Json, what: str) -> tuple[str, Json]:
    """The name and the content of an object with one key: a union, as torch.export writes it. Raises `Malformed`."""
    found = mapping(value, what)
    if len(found) != 1:
        raise Malformed(f"{what} has {len(found)} keys, not one")
    return next(iter(found.items()))
