"""A model's configuration as a graph: layers, their calls and what each call reads. Keras 2 and Keras 3 write both.

Source: keras/src/models/functional.py, keras/src/models/sequential.py and keras/src/saving/serialization_lib.py of
Keras 3; keras/src/engine/functional.py of Keras 2.15.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, TypeAlias

from ..limits import LAYERS, NESTING
from ..models.document import Json, Malformed, is_integer, mapping, sequence, shown
from .configuration import Settings

MODELS = frozenset({"Functional", "Model", "Sequential"})
TIME_DISTRIBUTED = "TimeDistributed"
"""The class that has a layer, or a model, at each position of an axis."""
"""Classes of models; a subclass of one is known by its layers."""
TENSOR = "__keras_tensor__"
CONSTANT = "_CONSTANT_VALUE"
"""What Keras 2 writes in the place of a layer before a number."""

Dims: TypeAlias = "tuple[int | None, ...]"
"""A shape as Keras states it, the batch first; None for an open size."""


class Source(NamedTuple):
    """A tensor that a call reads: output `tensor` of call `call` of a layer."""

    layer: str
    call: int
    tensor: int


class Slice(NamedTuple):
    """What stands between brackets: start, stop, step."""

    start: Argument
    stop: Argument
    step: Argument


class Array(NamedTuple):
    """A constant: its numbers, nested as its axes are."""

    value: Json


Argument: TypeAlias = (
    "bool | int | float | str | Source | Slice | Array | Sequence[Argument] | Mapping[str, Argument] | None"
)


@dataclass(frozen=True)
class Call:
    """One use of a layer."""

    arguments: Sequence[Argument] = ()
    named: Mapping[str, Argument] = field(default_factory=dict)

    @property
    def sources(self) -> list[Source]:
        """The tensors that it reads, in the order in which they stand."""
        return [*sources_in(self.arguments), *sources_in(list(self.named.values()))]


@dataclass(frozen=True)
class LayerConfig:
    """A layer of a model."""

    name: str
    class_name: str
    module: str
    """Where its class is from; empty in a file of Keras 2."""
    settings: Settings
    calls: Sequence[Call] = ()
    model: ModelConfig | None = None
    """Its layers, where it is a model, or has one at each position."""
    foreign: bool = False
    """Whether its class is none of Keras's own, whatever it is called."""

    @property
    def trainable(self) -> bool:
        """Whether its weights are trained."""
        return self.settings.get("trainable") is not False


@dataclass(frozen=True)
class ModelConfig:
    """A model: layers, which of them are its inputs, and the tensors that are its outputs."""

    name: str
    class_name: str
    layers: Sequence[LayerConfig]
    inputs: Sequence[Source]
    outputs: Sequence[Source]
    stated: Mapping[Source, Dims]
    """Shapes that the file states of tensors."""

    @cached_property
    def written_out(self) -> int:
        """Its layers where each call of a model inside it is written out."""
        each = [(layer.model.written_out if layer.model is not None else 1, layer.calls) for layer in self.layers]
        return sum([inner * max(len(calls), 1) for inner, calls in each])


def sources_in(value: Argument) -> Iterator[Source]:
    """The tensors in an argument.

    >>> list(sources_in([[Source("a", 0, 0), 3], Source("b", 0, 0)]))
    [Source(layer='a', call=0, tensor=0), Source(layer='b', call=0, tensor=0)]
    """
    if isinstance(value, Source):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from sources_in(inner)
    elif isinstance(value, (list, tuple)) and not isinstance(value, Array):
        for inner in value:
            yield from sources_in(inner)


class CodeAlone(Malformed):
    """A model whose layers stand in the code of a class alone."""


def read_model(root: Mapping[str, Json], modern: bool) -> ModelConfig:
    """The model of a configuration that Keras 3 wrote, or an earlier one. Raises `Malformed`."""
    class_name = root.get("class_name")
    if not isinstance(class_name, str):
        raise Malformed("it has no class_name: it is no model of Keras")
    reader = _Reader(modern)
    config = mapping(root.get("config"), "config") if isinstance(root.get("config"), dict) else {}
    if "layers" not in config:
        old = root.get("config")
        if class_name == "Sequential" and isinstance(old, list):  # Keras 2.0 to 2.2.2
            return reader.model({"layers": old, "name": "sequential"}, class_name, 0)
        raise CodeAlone(f"{class_name} states no layers: a subclassed model keeps them in its code, which is not run")
    return reader.model(config, class_name, 0)


def built_on(root: Mapping[str, Json]) -> tuple[int, ...] | None:
    """The shape of the input on which a model was built, without the batch; None where it is not stated whole."""
    built = root.get("build_config")
    shape = _dims(built.get("input_shape")) if isinstance(built, dict) else None
    sizes = tuple([size for size in shape[1:] if size is not None]) if shape is not None else ()
    return sizes if shape is not None and len(sizes) == len(shape) - 1 else None


class _Reader:
    """Reads models and counts their layers and calls."""

    def __init__(self, modern: bool) -> None:
        self.modern = modern
        """Whether Keras 3 wrote the configuration."""
        self.calls = 0
        self.stated: dict[Source, Dims] = {}

    def model(self, config: Mapping[str, Json], class_name: str, depth: int) -> ModelConfig:
        """A model, and those inside it."""
        if depth > NESTING:
            raise Malformed(f"models are nested deeper than {NESTING} levels")
        outer, self.stated = self.stated, {}
        items = [mapping(item, "a layer") for item in sequence(config.get("layers"), "layers")]
        name = config.get("name")
        name = name if isinstance(name, str) and name else class_name.lower()
        layers = [self._layer(item, depth) for item in items]
        if "input_layers" in config or any(layer.calls for layer in layers):
            found = self._functional(config, name, class_name, layers)
        else:
            found = self._sequential(config, name, class_name, layers, items)
        self.stated = outer
        return found

    def _layer(self, item: Mapping[str, Json], depth: int) -> LayerConfig:
        class_name = item.get("class_name")
        if not isinstance(class_name, str) or not class_name:
            raise Malformed(f"a layer has the class_name {shown(class_name)}")
        foreign = is_foreign(item)
        class_name = class_name.rpartition(">")[2]  # of a registered class: package>name
        settings = mapping(item.get("config") if item.get("config") is not None else {}, f"the config of {class_name}")
        name = item.get("name") or settings.get("name")
        if not isinstance(name, str) or not name:
            raise Malformed(f"a {class_name} has no name")
        module = item.get("module")
        nodes = sequence(item.get("inbound_nodes") or [], f"inbound_nodes of {name}")
        calls = [call for call in map(self._call, nodes) if call is not None]
        self.calls += max(len(calls), 1)
        if self.calls > LAYERS:
            raise Malformed(f"it has more than {LAYERS:,} layers")
        inner = None
        model, kind = settings, class_name
        if class_name == TIME_DISTRIBUTED and not foreign and isinstance(settings.get("layer"), dict):
            held = mapping(settings["layer"], "layer")
            kind = str(held.get("class_name"))
            model = mapping(held.get("config") or {}, f"the config of {kind}") if not is_foreign(held) else {}
        if "layers" in model and (kind in MODELS or isinstance(model.get("layers"), list)):
            outer = self.stated
            inner = self.model(model, kind, depth + 1)
            self.stated = outer
            if inner.written_out * max(len(calls), 1) > LAYERS:
                raise Malformed(f"it has more than {LAYERS:,} layers")
        built = item.get("build_config")
        settings_of = {**settings, "build_config": built} if isinstance(built, dict) else settings
        found = LayerConfig(
            name, class_name, module if isinstance(module, str) else "", Settings(settings_of), calls, inner, foreign
        )
        if isinstance(built, dict) and len(calls) == 1 and len(calls[0].sources) == 1:
            shape = _dims(built.get("input_shape"))
            if shape is not None:
                self.stated.setdefault(calls[0].sources[0], shape)
        return found

    def _call(self, node: Json) -> Call | None:
        """A call; None where there is none, as of an input."""
        if isinstance(node, dict):
            arguments = self._argument(node.get("args") or [], 0)
            named = self._argument(node.get("kwargs") or {}, 0)
            if not isinstance(arguments, list) or not isinstance(named, dict):
                raise Malformed("a call's args must be a list, its kwargs an object")
            return Call(arguments, named)
        entries = sequence(node, "a call")
        if not entries:
            return None
        if isinstance(entries[0], str):
            entries = [entries]
        sources: list[Argument] = []
        named = {}
        for entry in entries:
            parts = sequence(entry, "what a call reads")
            sources.append(self._legacy(list(parts[:3]), 0))
            if len(parts) > 3 and isinstance(parts[3], dict):
                named.update({key: self._legacy(value, 0) for key, value in parts[3].items()})
        return Call([sources if len(sources) > 1 else sources[0]], named)

    def _legacy(self, value: Json, depth: int) -> Argument:
        """An argument as Keras 2 writes it: a list of a layer's name and two numbers is a tensor."""
        if depth > NESTING:
            raise Malformed("an argument is nested too deep")
        if isinstance(value, list):
            if len(value) == 3 and value[0] == CONSTANT:
                return self._legacy(value[2], depth + 1)
            if len(value) == 3 and isinstance(value[0], str) and is_integer(value[1]) and is_integer(value[2]):
                return _triple(value)
            return [self._legacy(inner, depth + 1) for inner in value]
        if isinstance(value, dict):
            if {"start", "stop", "step"} <= value.keys():
                return Slice(*(self._legacy(value[key], depth + 1) for key in ("start", "stop", "step")))
            if value.get("class_name") == "__ellipsis__":
                return "..."
            return {key: self._legacy(inner, depth + 1) for key, inner in value.items()}
        return value if isinstance(value, (bool, int, float, str)) else None

    def _argument(self, value: Json, depth: int) -> Argument:
        """An argument as Keras 3 writes it."""
        if depth > NESTING:
            raise Malformed("an argument is nested too deep")
        if isinstance(value, list):
            return [self._argument(inner, depth + 1) for inner in value]
        if not isinstance(value, dict):
            return value if isinstance(value, (bool, int, float, str)) else None
        kind, config = value.get("class_name"), value.get("config")
        if kind == TENSOR:
            stated = mapping(config, "a tensor")
            source = _triple(sequence(stated.get("keras_history"), "a tensor's keras_history"))
            shape = _dims(stated.get("shape"))
            if shape is not None:
                self.stated[source] = shape
            return source
        if kind == "__tuple__":
            return [self._argument(inner, depth + 1) for inner in sequence(value.get("items") or [], "a tuple")]
        if kind == "__ellipsis__":
            return "..."
        if kind == "__slice__":
            parts = mapping(config, "a slice")
            return Slice(*(self._argument(parts.get(key), depth + 1) for key in ("start", "stop", "step")))
        if kind in ("__tensor__", "__numpy__"):
            return Array(mapping(config, "a constant").get("value"))
        return {key: self._argument(inner, depth + 1) for key, inner in value.items()}

    def _functional(
        self, config: Mapping[str, Json], name: str, class_name: str, layers: list[LayerConfig]
    ) -> ModelConfig:
        known = {layer.name: layer for layer in layers}
        inputs = [_triple(entry) for entry in _triples(config.get("input_layers"))]
        outputs = [_triple(entry) for entry in _triples(config.get("output_layers"))]
        if not outputs:
            raise Malformed(f"{name} names no output_layers")
        read = [source for layer in layers for call in layer.calls for source in call.sources]
        first = _first_calls(known, read, usual=not self.modern)
        counted = [_counted(layer, first) for layer in layers]
        stated = {_from(source, first): shape for source, shape in self.stated.items()}
        first = _first_calls(known, outputs, usual=True)
        return ModelConfig(name, class_name, counted, inputs, [_from(source, first) for source in outputs], stated)

    def _sequential(
        self,
        config: Mapping[str, Json],
        name: str,
        class_name: str,
        layers: list[LayerConfig],
        items: list[Mapping[str, Json]],
    ) -> ModelConfig:
        """Layers one after the other; where none of them is an input, one is put before them."""
        if not layers:
            raise Malformed(f"{name} has no layers")
        if layers[0].class_name != "InputLayer":
            first = layers[0].settings
            shape = first.get("batch_input_shape") or first.get("batch_shape") or config.get("build_input_shape")
            if shape is None and layers[0].model is not None:
                shape = _input_shape(layers[0].model)
            shape = (
                shape
                if shape is not None
                else mapping(first.get("build_config") or {}, "build_config").get("input_shape")
            )
            layers = [LayerConfig(f"{name}_input", "InputLayer", "", Settings({"batch_shape": shape})), *layers]
            items = [{}, *items]
        stated: dict[Source, Dims] = {}
        chained = [layers[0]]
        for layer, item in zip(layers[1:], items[1:], strict=True):
            source = Source(chained[-1].name, 0, 0)
            built = item.get("build_config")
            shape = _dims(built.get("input_shape")) if isinstance(built, dict) else None
            if shape is not None:
                stated[source] = shape
            chained.append(replace(layer, calls=[Call([source])]))
        if len({layer.name for layer in chained}) < len(chained):
            raise Malformed(f"{name} has several layers of one name")
        ends = Source(chained[0].name, 0, 0), Source(chained[-1].name, 0, 0)
        return ModelConfig(name, class_name, chained, [ends[0]], [ends[1]], stated)


def is_foreign(item: Mapping[str, Json]) -> bool:
    """Whether the class of a layer is none of Keras's own: a registered one, or one of another module.

    >>> is_foreign({"class_name": "Dense"}), is_foreign({"class_name": "Dense", "module": "my.layers"})
    (False, True)
    """
    name, module = item.get("class_name"), item.get("module", "keras")
    own = isinstance(module, str) and module.partition(".")[0] in ("keras", "tf_keras")
    return not own or (isinstance(name, str) and ">" in name)


def _input_shape(model: ModelConfig) -> Json:
    """The shape of the first input of a model."""
    for layer in model.layers:
        if layer.class_name == "InputLayer":
            return input_shape(layer)
    return None


def input_shape(layer: LayerConfig) -> Json:
    """What an input layer says of its shape, the batch included."""
    for name in ("batch_shape", "batch_input_shape"):
        if name in layer.settings:
            return layer.settings.get(name)
    return None


def _first_calls(layers: Mapping[str, LayerConfig], read: Sequence[Source], usual: bool) -> dict[str, int]:
    """Layer -> 1 where its calls are counted from 1 on: of a model inside the model the first is that which made it.

    Keras 2 counts so wherever a model is read (`usual`), Keras 3 among the outputs alone.
    """
    numbers: dict[str, list[int]] = {}
    for source in read:
        numbers.setdefault(source.layer, []).append(source.call)
    found = {}
    for name, calls in numbers.items():
        layer = layers.get(name)
        if layer is None or not layer.calls:
            continue
        beyond = max(calls) >= len(layer.calls)
        if beyond or (usual and layer.model is not None and min(calls) > 0):
            found[name] = 1
    return found


def _counted(layer: LayerConfig, first: Mapping[str, int]) -> LayerConfig:
    """The layer with what its calls read counted from 0 on."""
    if not any(source.layer in first for call in layer.calls for source in call.sources):
        return layer
    calls = [
        Call(
            [_renumbered(argument, first) for argument in call.arguments],
            {name: _renumbered(argument, first) for name, argument in call.named.items()},
        )
        for call in layer.calls
    ]
    return LayerConfig(layer.name, layer.class_name, layer.module, layer.settings, calls, layer.model)


def _renumbered(value: Argument, first: Mapping[str, int]) -> Argument:
    if isinstance(value, Source):
        return _from(value, first)
    if isinstance(value, Array):
        return value
    if isinstance(value, Slice):
        return value
    if isinstance(value, Mapping):
        return {key: _renumbered(inner, first) for key, inner in value.items()}
    return [_renumbered(inner, first) for inner in value] if isinstance(value, (list, tuple)) else value


def _from(source: Source, first: Mapping[str, int]) -> Source:
    return source._replace(call=source.call - first.get(source.layer, 0))


def _triples(value: Json) -> list[Sequence[Json]]:
    """The tensors that a nest of lists and objects names."""
    if isinstance(value, dict):
        return [entry for inner in value.values() for entry in _triples(inner)]
    if not isinstance(value, list):
        return []
    if value and isinstance(value[0], str):
        return [value]
    return [entry for inner in value for entry in _triples(inner)]


def _triple(parts: Sequence[Json]) -> Source:
    if len(parts) < 3 or not isinstance(parts[0], str):
        raise Malformed(f"a tensor is named by a layer, a call and a number, not by {shown(parts)}")
    layer, call, tensor = parts[0], parts[1], parts[2]
    if not (isinstance(call, int) and isinstance(tensor, int)):
        raise Malformed(f"a tensor is named by a layer, a call and a number, not by {shown(parts)}")
    return Source(layer, int(call), int(tensor))


def _dims(value: Json) -> Dims | None:
    """A shape, if it is one."""
    if not isinstance(value, list) or not value:
        return None
    if not all(size is None or is_integer(size) for size in value):
        return None
    return tuple([size if isinstance(size, int) else None for size in value])
