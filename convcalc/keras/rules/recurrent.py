"""Recurrent layers, look-ups, and products that an equation names.

Keras's LSTM and SimpleRNN add one bias, its GRU two where it resets its state after the product. Source:
keras/src/layers/rnn, keras/src/layers/core of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod

from ...geometry import matmul_macs
from ...layers.base import Shape
from ...models.document import Json, Malformed, mapping, sequence, shown
from ...models.making import Fields
from ..builder import Builder, Unsupported, Use
from ..configuration import Settings
from ..graph import is_foreign
from ..tensor import Tensor, plain
from .activation import activated, named
from .axes import selected
from .conv import dense, window_fields

Rule = Callable[[Builder, Use], Tensor | Sequence[Tensor]]

GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}
KINDS = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}


def _cell(name: str) -> Rule:
    def rule(builder: Builder, use: Use) -> Tensor | Sequence[Tensor]:
        return _recurrent(builder, use, name, use.settings, 1, "concat")

    return rule


def _bidirectional(builder: Builder, use: Use) -> Tensor | Sequence[Tensor]:
    inner = mapping(use.settings.get("layer"), "layer")
    other = use.settings.get("backward_layer")
    name = inner.get("class_name")
    if not isinstance(name, str) or name not in GATES:
        raise Unsupported(f"the language has no {name} in both directions", known=False)
    settings = Settings(mapping(inner.get("config"), "config"))
    if isinstance(other, dict) and not _alike(settings, Settings(mapping(other.get("config"), "config"))):
        raise Unsupported("its two directions differ", known=False)
    return _recurrent(builder, use, name, settings, 2, use.settings.text("merge_mode", ""))


def _alike(forward: Settings, backward: Settings) -> bool:
    keys = ("units", "activation", "recurrent_activation", "use_bias", "reset_after", "return_sequences")
    return all(forward.get(key) == backward.get(key) for key in keys)


def _of_cells(builder: Builder, use: Use) -> Tensor | Sequence[Tensor]:
    """A layer of cells that have their settings apart, of several on top of each other."""
    settings = use.settings
    held = mapping(settings.get("cell"), "cell")
    inner = mapping(held.get("config"), "the config of the cell")
    stacked = held.get("class_name") == "StackedRNNCells"
    cells = [mapping(cell, "a cell") for cell in sequence(inner.get("cells"), "cells")] if stacked else [held]
    names = [str(cell.get("class_name")) for cell in cells]
    for name, cell in zip(names, cells, strict=True):
        if name.removesuffix("Cell") not in GATES or is_foreign(cell):
            raise Unsupported(f"the language has no RNN of {name}", known=False)
    if stacked and settings.flag("return_state", False):
        raise Unsupported("it gives the last states of several cells", known=False)
    made: Tensor | Sequence[Tensor] = use.tensor
    for number, (name, cell) in enumerate(zip(names, cells, strict=True)):
        own: dict[str, Json] = {key: value for key in OF_CELLS if (value := settings.get(key)) is not None}
        own |= {"return_sequences": True} if number < len(cells) - 1 else {}
        own |= mapping(cell.get("config"), "the config of a cell")
        tensors = use.tensors if number == 0 else [made]
        inside = Use(replace(use.config, settings=Settings(own)), tensors, {}, use.stated)
        made = _recurrent(builder, inside, name.removesuffix("Cell"), inside.settings, 1, "concat")
    return made


OF_CELLS = ("return_sequences", "return_state", "go_backwards")
"""What a layer of cells says of them all."""


def _recurrent(
    builder: Builder, use: Use, name: str, settings: Settings, directions: int, merge: str
) -> Tensor | Sequence[Tensor]:
    tensor = use.tensor
    if tensor.rank != 2:
        raise Malformed(f"it takes [positions, features], not {list(tensor.sizes)}")
    units, bias = settings.integer("units"), settings.flag("use_bias", True)
    two = name == "GRU" and settings.flag("reset_after", builder.modern)
    reason = _reason(name, settings, directions, merge)
    if len(use.tensors) > 1:
        masked = isinstance(use.named.get("mask"), Tensor) and len(use.tensors) == 2
        reason = "it passes over positions that a mask leaves out" if masked else "it is given a first state"
    if reason is not None:
        raise _unsaid(reason, tensor, name, settings, directions, merge, two)
    fields: Fields = {"hidden_size": units}
    if not bias:
        fields["bias"] = False
    elif not two:
        fields["biases"] = 1
    if name == "GRU" and not two:
        fields["reset_after"] = False
    if directions == 2:
        fields["bidirectional"] = True
    if name == "SimpleRNN" and named(settings.get("activation"))[0] == "relu":
        fields["nonlinearity"] = "relu"
    read = builder.last_of_two(tensor)
    if settings.flag("go_backwards", False):
        read = builder.emit("flip", {"dims": (0,)}, read)
    made = builder.emit(KINDS[name], fields, read)
    sequences, states = settings.flag("return_sequences", False), settings.flag("return_state", False)
    ends = _last_states(builder, made, units, directions) if states or not sequences else []
    outputs = ends if not sequences else _apart(builder, made, units, merge) if directions == 2 else [made]
    found = [outputs[0]] if directions == 1 else _merged(builder, outputs, merge, made if sequences else None)
    for end in ends if states else []:
        found.append(end)
        if name == "LSTM":
            found.append(builder.unsaid_beside(name, made, (units,), "the language has no output of an LSTM's cells"))
    return found


def _last_states(builder: Builder, made: Tensor, units: int, directions: int) -> list[Tensor]:
    """The state behind the last position; of two directions also that of the other one, behind the first."""
    ends = []
    for index, start in ((-1, 0), (0, units))[:directions]:
        state = builder.emit("select", {"dim": 0, "index": index}, made, order=(0,))
        if directions == 2:
            state = builder.emit("slice", {"dim": 0, "start": start, "stop": start + units}, state, order=(0,))
        ends.append(state)
    return ends


def _apart(builder: Builder, made: Tensor, units: int, merge: str) -> list[Tensor]:
    """What each of two directions gives at every position; nothing where both stay side by side."""
    if merge == "concat":
        return []
    return [builder.emit("slice", {"dim": 1, "start": start, "stop": start + units}, made) for start in (0, units)]


def _merged(builder: Builder, both: list[Tensor], merge: str, whole: Tensor | None) -> list[Tensor]:
    """Two directions as `merge_mode` puts them together; `whole` where they stand side by side already."""
    if merge == "":
        return both
    if merge == "concat":
        return [whole if whole is not None else builder.emit("concat", {}, *both, order=(0,))]
    joined = builder.emit("multiply" if merge == "mul" else "add", {}, *both)
    return [builder.emit("rescale", {"scale": 0.5}, joined) if merge == "ave" else joined]


def _unsaid(
    reason: str, tensor: Tensor, name: str, settings: Settings, directions: int, merge: str, two: bool
) -> Unsupported:
    """A recurrent layer that the language cannot say: what it holds, multiplies and puts out. `two`: biases a gate."""
    units, gates = settings.integer("units"), GATES[name]
    length, features = tensor.sizes
    sequences = settings.flag("return_sequences", False)
    held: list[Shape] = [(features, gates * units), (units, gates * units)]
    if settings.flag("use_bias", True):
        held.append((2, gates * units) if two else (gates * units,))
    width = units * (directions if merge == "concat" else 1)
    sizes: list[Shape] = [(length, width) if sequences else (width,)]
    sizes += [(units,)] * (directions * (2 if name == "LSTM" else 1) if settings.flag("return_state", False) else 0)
    if directions == 2 and merge == "":
        sizes = [(length, units) if sequences else (units,)] * 2 + sizes[1:]
    macs = directions * length * matmul_macs(gates * units, features + units)
    return Unsupported(reason, holds=held * directions, macs=macs, sizes=sizes)


def _reason(name: str, settings: Settings, directions: int, merge: str) -> str | None:
    """Why the language cannot say a recurrent layer; None where it can."""
    inside = named(settings.get("activation"))[0] or "tanh"
    gate = named(settings.get("recurrent_activation"))[0] or "sigmoid"
    usual = inside == "tanh" or (name == "SimpleRNN" and inside == "relu")
    if not usual or (name != "SimpleRNN" and gate != "sigmoid"):
        return f"the language has no {name} with {inside} and {gate}"
    if merge not in MERGES:
        return f"the language has no two directions with merge_mode {merge}"
    if directions == 2 and settings.flag("go_backwards", False):
        return "its first direction reads from the end"
    return None


MERGES = ("concat", "sum", "mul", "ave", "")
"""How two directions are put together; "" leaves them apart."""


def _conv_lstm(rank: int) -> Rule:
    kind = f"conv_lstm{rank}d"

    def rule(builder: Builder, use: Use) -> Tensor:
        settings, tensor = use.settings, use.tensor
        if tensor.rank != rank + 2:
            raise Malformed(f"it takes [positions, *space, channels], not {list(tensor.sizes)}")
        first = settings.text("data_format", "channels_last") == "channels_first"
        order = plain(rank + 2) if first else (0, *range(2, rank + 2), 1)
        fields: Fields = {"out_channels": settings.integer("filters"), **window_fields(use, rank)}
        fields |= {} if settings.flag("use_bias", True) else {"bias": False}
        sequences = settings.flag("return_sequences", False)
        reason = _reason(use.config.class_name, settings, 1, "concat")
        if settings.flag("go_backwards", False):
            reason = "it reads its positions from the end"
        if settings.flag("return_state", False):
            reason = "it gives its last state too"
        if len(use.tensors) > 1:
            reason = "it is given a first state"
        if reason is not None:
            layer = builder.layer(kind, fields)
            inputs = (tuple([tensor.sizes[order.index(axis)] for axis in range(rank + 2)]),)
            output = layer.output_shape(inputs)
            sizes = tuple([output[axis] for axis in order])
            given = [sizes if sequences else sizes[1:]]
            given += [sizes[1:]] * 2 if settings.flag("return_state", False) else []
            holds = [weight.shape for weight in layer.weights(inputs)]
            raise Unsupported(reason, holds=holds, macs=layer.operations(inputs, output)["mac"], sizes=given)
        made = builder.emit(kind, fields, builder.arranged(tensor, order))
        return made if sequences else selected(builder, made, 0, -1)

    return rule


def _embedding(builder: Builder, use: Use) -> Tensor:
    fields: Fields = {
        "num_embeddings": use.settings.integer("input_dim"),
        "embedding_dim": use.settings.integer("output_dim"),
    }
    return builder.emit("embedding", fields, use.tensor, order=plain(use.tensor.rank + 1))


def _einsum_dense(builder: Builder, use: Use) -> Tensor:
    """A product that an equation names: over the last axis it is a dense layer."""
    settings, tensor = use.settings, use.tensor
    inputs, _, output = settings.text("equation", "").replace(" ", "").partition("->")
    read, _, weight = inputs.partition(",")
    bias_axes = settings.text("bias_axes", "")
    if not (read and weight and output):
        raise Malformed("equation must name an input, a weight and an output")
    if "..." in read or len(read) != tensor.rank + 1:
        read, output = _written_out(read, output, tensor.rank + 1)
    if len(read) != tensor.rank + 1:
        raise Malformed(f"the equation does not fit an input {list(tensor.sizes)}")
    sizes = dict(zip(read[1:], tensor.sizes, strict=True))
    given = _output_sizes(settings.get("output_shape"), output)
    sizes.update({letter: size for letter, size in given.items() if letter not in sizes})
    letters = {*weight, *output[1:], *bias_axes}
    if any(letter not in sizes for letter in letters):
        raise Malformed(f"output_shape {shown(settings.get('output_shape'))} does not fit the equation")
    holds = [tuple([sizes[letter] for letter in weight])]
    if bias_axes:
        holds.append(tuple([sizes[letter] for letter in output if letter in bias_axes]))
    made = _as_dense(builder, use, tensor, (read, weight, output), sizes)
    if made is not None:
        return activated(builder, made, settings.get("activation"))
    macs = prod(sizes[letter] for letter in {*read[1:], *weight})
    raise Unsupported(
        f"the language has no product {read},{weight}->{output}",
        holds=holds,
        macs=macs,
        sizes=[tuple([sizes[letter] for letter in output[1:]])],
    )


def _as_dense(
    builder: Builder, use: Use, tensor: Tensor, equation: tuple[str, str, str], sizes: dict[str, int]
) -> Tensor | None:
    """A product over the last axes that gives others in their place, as a dense layer; None for another one."""
    read, weight, output = equation
    bias_axes = use.settings.text("bias_axes", "")
    summed = "".join(letter for letter in read if letter in weight)
    made = weight.removeprefix(summed)
    fits = summed and made and read.endswith(summed) and weight.startswith(summed)
    if not fits or output != read.removesuffix(summed) + made or bias_axes not in ("", made):
        return None
    kept = tensor.sizes[: tensor.rank - len(summed)]
    flat = tensor if len(summed) == 1 else builder.reshaped(tensor, (*kept, prod(sizes[letter] for letter in summed)))
    fields: Fields = {"out_features": prod(sizes[letter] for letter in made)}
    if not bias_axes:
        fields["bias"] = False
    product = dense(builder, flat, fields)
    return builder.reshaped(product, (*kept, *(sizes[letter] for letter in made)))


def _written_out(read: str, output: str, axes: int) -> tuple[str, str]:
    """An equation with letters in the place of its dots."""
    absent = axes - len(read.replace("...", ""))
    letters = "".join(letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter not in read + output)[
        : max(absent, 0)
    ]
    return read.replace("...", letters), output.replace("...", letters)


def _output_sizes(value: Json, output: str) -> dict[str, int]:
    """The sizes that output_shape states, without the batch; null where the input says it."""
    entries = value if isinstance(value, list) else [value]
    letters = output[-len(entries) :]
    return {letter: size for letter, size in zip(letters, entries, strict=False) if isinstance(size, int)}


RULES: dict[str, Rule] = {
    **{name: _cell(name) for name in GATES},
    "CuDNNLSTM": _cell("LSTM"),
    "CuDNNGRU": _cell("GRU"),
    "Bidirectional": _bidirectional,
    "RNN": _of_cells,
    "Embedding": _embedding,
    "EinsumDense": _einsum_dense,
    **{f"ConvLSTM{rank}D": _conv_lstm(rank) for rank in (1, 2, 3)},
}
