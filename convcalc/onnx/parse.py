"""Bytes of an ONNX file -> Model, in one walk that steps over the weights."""

from __future__ import annotations

from . import wire
from .model import Attribute, Dim, Function, Graph, Graphs, Model, OnnxNode, Reference, Tensor, ValueInfo
from .wire import Damaged, Data, Field

PAYLOADS = frozenset({4, 5, 7, 9, 10, 11})
"""Fields of a tensor that hold its numbers."""
DEEPEST = 32
"""Subgraphs inside subgraphs that are followed."""


def parse_model(data: Data) -> Model:
    """The model of a file's bytes. Raises `Damaged`."""
    model = Model()
    for f in wire.fields(data, 0, len(data)):
        if f.number == 7:
            wire.expect(f, wire.LENGTH)
            model.graph = _graph(data, f)
        elif f.number == 8:
            domain, version = "", 1
            for g in _inside(data, f):
                if g.number == 1:
                    domain = wire.text(data, g)
                elif g.number == 2:
                    version = wire.integer(g)
            model.opsets[domain] = version
        elif f.number in (2, 3):
            model.producer = f"{model.producer} {wire.text(data, f)}".strip()
        elif f.number == 25:
            _function(data, f, model)
    return model


def _inside(data: Data, field: Field) -> list[Field]:
    wire.expect(field, wire.LENGTH)
    return list(wire.fields(data, field.start, field.stop))


def _graph(data: Data, field: Field) -> Graph:
    graph = Graph()
    for f in wire.fields(data, field.start, field.stop):
        if f.number == 1:
            graph.nodes.append(_node(data, f, 0))
        elif f.number == 2:
            graph.name = wire.text(data, f)
        elif f.number == 5:
            tensor = _tensor(data, f)
            graph.tensors[tensor.name] = tensor
        elif f.number == 15:
            values, dims = None, []
            for g in _inside(data, f):
                if g.number == 1:
                    values = _tensor(data, g)
                elif g.number == 3:
                    dims.append(g)
            if values is not None:
                shape = tuple(wire.integers(data, dims))
                graph.tensors[values.name] = Tensor(values.name, shape, values.data_type, data, {}, True)
        elif f.number == 11:
            graph.inputs.append(_value_info(data, f))
        elif f.number == 12:
            graph.outputs.append(_value_info(data, f))
        elif f.number == 13:
            info = _value_info(data, f)
            graph.infos[info.name] = info
    return graph


def _node(data: Data, field: Field, depth: int) -> OnnxNode:
    op = name = domain = ""
    inputs: list[str] = []
    outputs: list[str] = []
    attributes: dict[str, Attribute] = {}
    metadata: dict[str, str] = {}
    for f in _inside(data, field):
        number = f.number
        if number == 1:
            inputs.append(wire.text(data, f))
        elif number == 2:
            outputs.append(wire.text(data, f))
        elif number == 3:
            name = wire.text(data, f)
        elif number == 4:
            op = wire.text(data, f)
        elif number == 5:
            key, value = _attribute(data, f, depth)
            if value is not None:
                attributes[key] = value
        elif number == 7:
            domain = wire.text(data, f)
        elif number == 9:
            pair = {g.number: wire.text(data, g) for g in _inside(data, f)}
            metadata[pair.get(1, "")] = pair.get(2, "")
    return OnnxNode(
        op, name, "" if domain == "ai.onnx" else domain, tuple(inputs), tuple(outputs), attributes, metadata
    )


def _attribute(data: Data, field: Field, depth: int) -> tuple[str, Attribute | None]:
    name, kind = "", 0
    by_number: dict[int, list[Field]] = {}
    for f in _inside(data, field):
        if f.number == 1:
            name = wire.text(data, f)
        elif f.number == 20:
            kind = wire.integer(f)
        else:
            by_number.setdefault(f.number, []).append(f)
    # Attribute types 1 … 8 are float, int, string, tensor, graph, floats, ints, strings, in fields 2 … 9;
    # 10 is graphs in field 11. Files before IR version 2 leave the type out.
    number = {10: 11}.get(kind, kind + 1) if kind else next(iter(by_number), 0)
    found = by_number.get(number, [])
    if 21 in by_number:
        return name, Reference(wire.text(data, by_number[21][-1]))
    if number == 7:
        return name, wire.floats(data, found)
    if number == 8:
        return name, wire.integers(data, found)
    if number == 9:
        return name, [wire.text(data, f) for f in found]
    if number in (6, 11):
        return name, Graphs(_reads(data, found, depth + 1))
    if number == 2:
        return name, wire.floats(data, found[-1:])[0] if found else 0.0
    if number == 3:
        return name, wire.integer(found[-1]) if found else 0
    if number == 4:
        return name, wire.text(data, found[-1]) if found else ""
    return (name, _tensor(data, found[-1])) if number == 5 and found else (name, None)


def _reads(data: Data, graphs: list[Field], depth: int) -> frozenset[str]:
    """Every tensor that the nodes of subgraphs read, wherever it comes from."""
    if depth > DEEPEST:
        raise Damaged(f"subgraphs nest deeper than {DEEPEST}")
    names: set[str] = set()
    for graph in graphs:
        for f in _inside(data, graph):
            if f.number == 1:
                node = _node(data, f, depth)
                names.update(node.inputs)
                for value in node.attributes.values():
                    if isinstance(value, Graphs):
                        names |= value.reads
            elif f.number == 12:
                names.add(_value_info(data, f).name)
    return frozenset(names)


def _tensor(data: Data, field: Field) -> Tensor:
    name, data_type, external = "", 0, False
    dims: list[Field] = []
    payloads: dict[int, list[Field]] = {}
    for f in _inside(data, field):
        number = f.number
        if number == 1:
            dims.append(f)
        elif number == 2:
            data_type = wire.integer(f)
        elif number == 8:
            name = wire.text(data, f)
        elif number in PAYLOADS:
            payloads.setdefault(number, []).append(f)
        elif number == 14:
            external = wire.integer(f) == 1
    return Tensor(name, tuple(wire.integers(data, dims)), data_type, data, payloads, external)


def _value_info(data: Data, field: Field) -> ValueInfo:
    info = ValueInfo("")
    for f in _inside(data, field):
        if f.number == 1:
            info.name = wire.text(data, f)
        elif f.number == 2:
            for g in _inside(data, f):
                if g.number == 1:
                    info.dims = _declared(data, g)
                elif g.number in (4, 5, 8, 9):
                    info.tensor = False
    return info


def _declared(data: Data, field: Field) -> tuple[Dim, ...] | None:
    """The dims of a tensor type; None where it declares none."""
    for f in _inside(data, field):
        if f.number == 2:
            dims: list[Dim] = []
            for g in _inside(data, f):
                if g.number != 1:
                    continue
                dim: Dim = None
                for h in _inside(data, g):
                    if h.number == 1:
                        dim = wire.integer(h)
                    elif h.number == 2:
                        dim = wire.text(data, h) or None
                dims.append(dim)
            return tuple(dims)
    return None


def _function(data: Data, field: Field, model: Model) -> None:
    name = domain = ""
    inputs: list[str] = []
    outputs: list[str] = []
    nodes: list[OnnxNode] = []
    defaults: dict[str, Attribute] = {}
    for f in _inside(data, field):
        if f.number == 1:
            name = wire.text(data, f)
        elif f.number == 4:
            inputs.append(wire.text(data, f))
        elif f.number == 5:
            outputs.append(wire.text(data, f))
        elif f.number == 7:
            nodes.append(_node(data, f, 0))
        elif f.number == 10:
            domain = wire.text(data, f)
        elif f.number == 11:
            key, value = _attribute(data, f, 0)
            if value is not None:
                defaults[key] = value
    model.functions[domain, name] = Function(tuple(inputs), tuple(outputs), nodes, defaults)
