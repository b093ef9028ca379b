"""Graphs of torch.export: small programs of ATen operators that fit together, as torch writes them.

Source: torch/_export/serde/schema.py, whose names these are; torch/_export/serde/serialize.py.
"""

from __future__ import annotations

import json
from math import inf, prod
from random import Random
from typing import Any, NamedTuple

from . import words

FLOAT, INT, BOOL = 7, 5, 12
"""ScalarType: float32, int64, bool."""
STRIDED = 7
"""Layout."""
END = 2**63 - 1
"""Where a slice ends that goes to the end."""
KEYWORDS = ("dtype", "device", "memory_format")
"""Arguments that operators take by name alone."""


class Size(NamedTuple):
    """A size of a tensor."""

    number: int
    """What it is in the example."""
    text: str = ""
    """Its expression, where it is open."""


class Tensor(NamedTuple):
    """A tensor of the graph."""

    name: str
    dims: tuple[Size, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """Its sizes in the example."""
        return tuple([dim.number for dim in self.dims])


class Raw(NamedTuple):
    """An argument that is written as it is."""

    kind: str
    content: Any


Dims = tuple[Size, ...]


def fixed(*numbers: int) -> Dims:
    """Sizes that are not open."""
    return tuple([Size(number) for number in numbers])


class Program:
    """A program as it comes about: the tensor at its end, and what was made before it."""

    def __init__(self, random: Random, hostile: bool = True) -> None:
        self.random = random
        self.hostile = hostile
        """Whether some names are what programs trip over."""
        self.older = random.random() < 0.3
        """Whether it is of a version that writes expressions as people do."""
        self.core = random.random() < 0.3
        """Whether its operators are those that others are decomposed into."""
        self.nodes: list[dict[str, Any]] = []
        self.tensors: dict[str, Any] = {}
        self.sizes: dict[str, Any] = {}
        self.specs: dict[str, list[Any]] = {
            kind: [] for kind in ("parameter", "buffer", "tensor_constant", "user_input")
        }
        self.weights: dict[str, Any] = {}
        self.symbols: dict[str, Any] = {}
        self.before: list[Tensor] = []
        self.stack: list[tuple[str, str, str]] = []
        """Key, path and class of each module around."""
        self.calls: dict[str, int] = {}
        self.modules: list[str] = []
        self.outputs: list[dict[str, Any]] = []
        self.end = Tensor("", ())

    # Sizes

    def symbol(self, number: int, least: int) -> Size:
        """A size that is left open."""
        name = f"s{len(self.symbols)}{self.random.randrange(10)}"
        self.symbols[name] = {"min_val": least, "max_val": self.random.choice((64, 1024, None))}
        return Size(number, name if self.older else f"Symbol('{name}', positive=True, integer=True)")

    def plus(self, size: Size, number: int) -> Size:
        """The sum with a number."""
        if not size.text or not number:
            return Size(size.number + number, size.text)
        text = f"{size.text} + {number}" if self.older else f"Add({size.text}, Integer({number}))"
        return Size(size.number + number, text)

    def times(self, size: Size, number: int) -> Size:
        """The product with a number."""
        if not size.text or number == 1:
            return Size(size.number * number, size.text)
        text = f"{number}*({size.text})" if self.older else f"Mul(Integer({number}), {size.text})"
        return Size(size.number * number, text)

    def over(self, size: Size, number: int) -> Size:
        """The quotient, rounded down."""
        if not size.text or number == 1:
            return Size(size.number // number, size.text)
        text = f"(({size.text})//{number})" if self.older else f"FloorDiv({size.text}, Integer({number}))"
        return Size(size.number // number, text)

    def whole(self, dims: Dims) -> Size:
        """The product of sizes, of which at most two are open."""
        open_ones = [dim for dim in dims if dim.text]
        number = prod([dim.number for dim in dims if not dim.text])
        if len(open_ones) < 2:
            return self.times(open_ones[0], number) if open_ones else Size(number)
        one, other = (self.times(open_ones[0], number), open_ones[1])
        text = f"({one.text})*({other.text})" if self.older else f"Mul({one.text}, {other.text})"
        return Size(one.number * other.number, text)

    def _said(self, size: Size) -> dict[str, Any]:
        if not size.text:
            return {"as_int": size.number}
        return {"as_expr": {"expr_str": size.text, "hint": {"as_int": size.number}}}

    def meta(self, dims: Dims, dtype: int = FLOAT, learned: bool = False) -> dict[str, Any]:
        """What is said of a tensor."""
        strides: list[Size] = []
        step = Size(1)
        for dim in reversed(dims):
            strides.append(step)
            step = self.whole((step, dim)) if not step.text or not dim.text else Size(step.number * dim.number)
        return {
            "dtype": dtype,
            "sizes": [self._said(dim) for dim in dims],
            "requires_grad": learned,
            "device": {"type": "cpu", "index": None},
            "strides": [self._said(stride) for stride in reversed(strides)],
            "storage_offset": {"as_int": 0},
            "layout": STRIDED,
        }

    # What comes in

    def stored(self, kind: str, path: str, *numbers: int, dtype: int = FLOAT) -> Tensor:
        """A parameter, a buffer or a constant of the module that is open; the same one where it is asked for again."""
        path = f"{self.stack[-1][1]}.{path}" if self.stack and self.stack[-1][1] else path
        name = f"{kind[0] if kind != 'tensor_constant' else 'c'}_{path.replace('.', '_')}"
        if name not in self.tensors:
            learned = kind == "parameter"
            self.tensors[name] = self.meta(fixed(*numbers), dtype, learned)
            said: dict[str, Any] = {"arg": {"name": name}, f"{kind}_name": path}
            self.specs[kind].append({kind: said | ({"persistent": True} if kind == "buffer" else {})})
            self.weights[path] = {
                "path_name": f"{'tensor' if kind == 'tensor_constant' else 'weight'}_{len(self.weights)}",
                "is_param": learned,
                "use_pickle": False,
                "tensor_meta": self.tensors[name],
            }
        return Tensor(name, fixed(*numbers))

    def weight(self, path: str, *numbers: int) -> Tensor:
        """A parameter."""
        return self.stored("parameter", path, *numbers)

    def input(self, name: str, dims: Dims, dtype: int = FLOAT) -> Tensor:
        """What the program reads."""
        self.tensors[name] = self.meta(dims, dtype)
        self.specs["user_input"].append({"user_input": {"arg": {"as_tensor": {"name": name}}}})
        return Tensor(name, dims)

    def said(self, name: str) -> tuple[tuple[int, ...], bool]:
        """The sizes of a tensor in the example, and whether it holds whole numbers or truth values."""
        meta = self.tensors[name]
        sizes = [size["as_int"] if "as_int" in size else size["as_expr"]["hint"]["as_int"] for size in meta["sizes"]]
        return tuple(sizes), meta["dtype"] != FLOAT

    # Nodes

    def enter(self, cls: str, package: str = "conv") -> None:
        """A module opens: a new one, seldom one that was called before."""
        parent = self.stack[-1][1] if self.stack else ""
        own = f"{cls.lower()}{len(self.modules)}" if self.random.random() < 0.5 else str(len(self.modules))
        if self.hostile and self.random.random() < 0.02:
            own = words.text(self.random, 0.7)
        path = f"{parent}.{own}" if parent else own
        self.modules.append(path)
        self._open(path, f"torch.nn.modules.{package}.{cls}")

    def _open(self, path: str, cls: str) -> None:
        count = self.calls.get(path, 0)
        self.calls[path] = count + 1
        self.stack.append((f"L__self__{path}{f'@{count}' if count else ''}", path, cls))

    def leave(self) -> None:
        """The module closes."""
        self.stack.pop()

    def metadata(self, target: str) -> dict[str, str]:
        """The modules around a node, and what called it."""
        stack = ["L__self__,,__main__.Net", *(",".join(entry) for entry in self.stack)]
        said = {"nn_module_stack": ";".join(stack), "torch_fn": f"{target}_1;function.{target}"}
        return said if self.random.random() < 0.97 else {}

    def fresh(self, name: str) -> str:
        """A name that nothing has."""
        if self.hostile and self.random.random() < 0.01:
            name = words.text(self.random, 0.8)
        found, number = name, 0
        while found in self.tensors or found in self.sizes:
            number += 1
            found = f"{name}_{number}"
        return found

    def node(self, target: str, given: dict[str, Any], outputs: list[Any]) -> None:
        """A node with these arguments by name; those of operators of higher order have none, here `_` and `__`."""
        higher = ".higher_order." in target
        said = {
            "target": target,
            "inputs": [
                {"name": name.strip("_"), "arg": argument(value), "kind": 2 if name in KEYWORDS else 1}
                for name, value in given.items()
            ],
            "outputs": outputs,
            "metadata": self.metadata(target.split(".")[-2]),
            "is_hop_single_tensor_return": False if higher else None,
        } | ({"name": target.split(".")[-1]} if higher else {})
        if self.older:
            said["inputs"] = [{"name": each["name"], "arg": each["arg"]} for each in said["inputs"]]
        self.nodes.append(said)

    def call(
        self, operator: str, given: dict[str, Any], *dims: Dims, listed: bool = False, read: int = 0, places: int = 0
    ) -> Tensor:
        """A call of `aten.OPERATOR`, which makes tensors of these sizes; the one of number `read` is the new end.

        The last ones, as many as `places`, hold whole numbers.
        """
        name = operator.split(".")[0]
        made = []
        for number, sizes in enumerate(dims):
            output = self.fresh(name if len(dims) == 1 else "getitem")
            self.tensors[output] = self.meta(sizes, INT if number >= len(dims) - places else FLOAT)
            made.append(Tensor(output, sizes))
        names = [{"name": tensor.name} for tensor in made]
        outputs = [{"as_tensors": names}] if listed else [{"as_tensor": name} for name in names]
        self.node(f"torch.ops.aten.{operator}", given, outputs)
        self.before += made[: len(made) - places]
        self.end = made[read]
        return self.end

    def size(self, tensor: Tensor, axis: int, times: int = 1) -> Any:
        """A size of a tensor as an argument: a number, or what nodes compute."""
        dim = tensor.dims[axis]
        if not dim.text:
            return dim.number * times
        name = self.fresh("sym_size_int")
        self.sizes[name] = self._said(dim)
        self.node("torch.ops.aten.sym_size.int", {"self": tensor, "dim": axis}, [{"as_sym_int": {"as_name": name}}])
        if times != 1:
            product = self.fresh("mul")
            self.sizes[product] = self._said(self.times(dim, times))
            given = {"a": Raw("as_sym_int", {"as_name": name}), "b": times}
            self.node("_operator.mul", given, [{"as_sym_int": {"as_name": product}}])
            name = product
        return Raw("as_sym_int", {"as_name": name})

    def output(self, tensor: Tensor) -> None:
        """What the program puts out."""
        self.outputs.append({"user_output": {"arg": {"as_tensor": {"name": tensor.name}}}})

    # The whole

    def graph(self) -> dict[str, Any]:
        """The graph alone."""
        inputs = [next(iter(spec.values()))["arg"] for specs in self.specs.values() for spec in specs]
        return {
            "inputs": [each if "as_tensor" in each else {"as_tensor": each} for each in inputs],
            "outputs": [each["user_output"]["arg"] for each in self.outputs if "user_output" in each],
            "nodes": self.nodes,
            "tensor_values": self.tensors,
            "sym_int_values": self.sizes,
            "sym_bool_values": {},
            "is_single_tensor_return": False,
            "custom_obj_values": {},
            "sym_float_values": {},
        }

    def model(self) -> dict[str, Any]:
        """What the archive holds of it."""
        signature = {"input_specs": [s for specs in self.specs.values() for s in specs], "output_specs": self.outputs}
        leaves = [{"type": None, "context": None, "children_spec": []}] * max(len(self.outputs), 1)
        ins = _tuple([leaves[0]] * len(self.specs["user_input"]))
        empty = {"type": "builtins.dict", "context": "[]", "children_spec": []}
        called = {
            "inputs": [],
            "outputs": [],
            "in_spec": json.dumps([1, _tuple([ins, empty])]),
            "out_spec": json.dumps([1, leaves[0] if len(self.outputs) == 1 else _tuple(leaves)]),
            "forward_arg_names": None,
        }
        entries = [{"fqn": "", "signature": called}, *({"fqn": path, "signature": None} for path in self.modules)]
        return {
            "graph_module": {
                "graph": self.graph(),
                "signature": signature,
                "module_call_graph": entries,
                "metadata": {},
                "treespec_namedtuple_fields": {},
            },
            "opset_version": {"aten": 10},
            "range_constraints": self.symbols,
            "schema_version": {"major": 8, "minor": 8 if self.older else 20},
            "verifiers": ["ATEN" if self.core else "TRAINING"],
            "torch_version": "2.6.0" if self.older else "2.9.1+cpu",
            "guards_code": [],
        }


def _tuple(children: list[Any]) -> dict[str, Any]:
    return {"type": "builtins.tuple", "context": "null", "children_spec": children}


def argument(value: Any) -> dict[str, Any]:
    """A value as the argument of a node: a union of one key.

    >>> argument([1, 2]), argument(None), argument(Tensor("x", ()))
    ({'as_ints': [1, 2]}, {'as_none': True}, {'as_tensor': {'name': 'x'}})
    """
    if isinstance(value, Raw):
        return {value.kind: value.content}
    if isinstance(value, Tensor):
        return {"as_tensor": {"name": value.name}}
    if value is None:
        return {"as_none": True}
    if isinstance(value, list):
        if any(isinstance(part, Tensor) for part in value):
            return {"as_tensors": [{"name": part.name} for part in value]}
        if any(isinstance(part, Raw) for part in value):
            return {"as_sym_ints": [p.content if isinstance(p, Raw) else {"as_int": p} for p in value]}
        return {f"as_{_SINGULAR[type(value[0])] if value else 'int'}s": value}
    return {f"as_{_SINGULAR[type(value)]}": "-Infinity" if value == -inf else value}


_SINGULAR = {bool: "bool", int: "int", float: "float", str: "string"}
