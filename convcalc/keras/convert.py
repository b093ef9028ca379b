"""A model's graph -> steps: every call in an order in which what it reads is there, models inside models in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..findings import UsageError
from ..geometry import GeometryError
from ..layers.base import Shape
from ..models.document import Malformed, is_integer, shown
from ..models.steps import Place
from .builder import Builder, Unsupported, Use, tensors_in
from .graph import MODELS, TIME_DISTRIBUTED, Argument, Array, Dims, LayerConfig, ModelConfig, Slice, Source, input_shape
from .rules import rule_of
from .rules.wrapper import at_each_position
from .tensor import Order, Tensor, channels_last, plain

SPACE = ("Conv", "Pool", "Cropping", "ZeroPadding", "UpSampling", "Separable", "Depthwise")
"""What the classes of layers over space begin with."""


class Wrong(Exception):
    """A layer that cannot be read: its name, what is wrong, and the code and hint of the arithmetic."""

    def __init__(self, name: str, message: str, code: str = "CC716", hint: str | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.code = code
        self.hint = hint


class Conversion:
    """Runs through a model and has its layers built."""

    def __init__(
        self,
        model: ModelConfig,
        modern: bool,
        given: Mapping[str, Shape],
        held: Mapping[tuple[str, ...], Sequence[Shape]],
    ) -> None:
        self.builder = Builder(modern)
        self.model = model
        self.orders: dict[int, Order] = {}
        """Input -> the order of its axes."""
        self.dead: list[str] = []
        self._given = dict(given)
        self._held = held
        self._spatial = _space_axes(model)
        self.outputs = self._model(model, None, ())

    def _model(self, model: ModelConfig, inputs: Sequence[Tensor] | None, owner: tuple[str, ...]) -> list[Tensor]:
        """The outputs of a model on these inputs; the network's own where there are none."""
        values: dict[Source, Tensor] = {}
        layers = {layer.name: layer for layer in model.layers}
        if inputs is not None:
            if len(inputs) != len(model.inputs):
                raise Wrong(model.name, f"it takes {len(model.inputs)} inputs and is given {len(inputs)}")
            values.update(zip(model.inputs, inputs, strict=True))
        else:
            for source in model.inputs:
                if source.layer not in layers:
                    raise Wrong(source.layer, "the model names it as an input, and has no such layer")
                values[source] = self._input(layers[source.layer], layers)
        for layer, number in self._order(model, layers, values):
            self._call(model, layer, number, values, owner)
        missing = [source for source in model.outputs if source not in values]
        if missing:
            raise Wrong(missing[0].layer, "the model puts it out, and no layer gives it")
        return [values[source] for source in model.outputs]

    def _order(
        self, model: ModelConfig, layers: Mapping[str, LayerConfig], values: Mapping[Source, Tensor]
    ) -> list[tuple[LayerConfig, int]]:
        """The calls that lead to an output, each after what it reads, and one branch after the other."""
        done = {(source.layer, source.call) for source in values}
        open_: set[tuple[str, int]] = set()
        ordered: list[tuple[LayerConfig, int]] = []
        stack: list[tuple[Source, bool]] = [(source, False) for source in reversed(model.outputs)]
        while stack:
            source, after = stack.pop()
            key = (source.layer, source.call)
            if after:
                open_.discard(key)
                done.add(key)
                ordered.append((layers[source.layer], source.call))
                continue
            if key in done:
                continue
            layer = layers.get(source.layer)
            if layer is None:
                raise Wrong(source.layer, "it is read, and the model has no such layer")
            if not 0 <= source.call < len(layer.calls):
                raise Wrong(source.layer, f"its output of call {source.call} is read, and it has {len(layer.calls)}")
            if key in open_:
                raise Wrong(source.layer, "it reads what it gives: the model goes round in a circle")
            open_.add(key)
            stack.append((source, True))
            stack.extend((read, False) for read in reversed(layer.calls[source.call].sources))
        called = sum(len(layer.calls) for layer in model.layers)
        if len(ordered) < called:
            reached = {(layer.name, call) for layer, call in ordered}
            self.dead += [
                layer.name for layer in model.layers for n in range(len(layer.calls)) if (layer.name, n) not in reached
            ]
        return ordered

    def _call(
        self,
        model: ModelConfig,
        layer: LayerConfig,
        number: int,
        values: dict[Source, Tensor],
        owner: tuple[str, ...],
    ) -> None:
        call = layer.calls[number]
        arguments = [_filled(argument, values, layer.name) for argument in call.arguments]
        named = {name: _filled(argument, values, layer.name) for name, argument in call.named.items()}
        if layer.model is not None:
            outputs = self._inside(layer, tensors_in([*arguments, *named.values()]), owner)
        else:
            stated = _stated(model, layer.name, number)
            outputs = self._layer(Use(layer, arguments, named, stated), (*owner, layer.name))
        for index, tensor in enumerate(outputs):
            values[Source(layer.name, number, index)] = tensor

    def _inside(self, layer: LayerConfig, tensors: list[Tensor], owner: tuple[str, ...]) -> list[Tensor]:
        """The layers of a model inside the model, in a group of its name."""
        builder = self.builder
        scope, trained = builder.scope, builder.trained
        builder.call += 1
        builder.scope = (*scope, Place((layer.name,), _kind_of(layer), ("model", builder.call)))
        builder.trained = trained and layer.trainable
        assert layer.model is not None
        if layer.class_name == TIME_DISTRIBUTED:
            outputs = [self._at_each_position(layer.model, layer, tensors, (*owner, layer.name))]
        else:
            outputs = self._model(layer.model, tensors, (*owner, layer.name))
        builder.scope, builder.trained = scope, trained
        return outputs

    def _at_each_position(
        self, model: ModelConfig, layer: LayerConfig, tensors: Sequence[Tensor], owner: tuple[str, ...]
    ) -> Tensor:
        """What a model of one input and one output gives at each position of the first axis."""
        if len(tensors) != 1 or len(model.outputs) != 1:
            raise Wrong(layer.name, "a model at each position has one input and one output")
        try:
            return at_each_position(self.builder, tensors[0], lambda frame: self._model(model, [frame], owner)[0])
        except Malformed as error:
            raise Wrong(layer.name, str(error)) from error

    def _layer(self, use: Use, path: tuple[str, ...]) -> list[Tensor]:
        builder, config = self.builder, use.config
        builder.name, builder.cls = config.name, config.class_name
        builder.call += 1
        trained, start = builder.trained, len(builder.steps)
        builder.trained = trained and config.trainable
        try:
            rule = rule_of(use)
            if rule is None:
                raise unknown(config)
            made = rule(builder, use)
        except Unsupported as error:
            made = self._opaque(use, error, path)
        except Malformed as error:
            raise Wrong(config.name, str(error)) from error
        except GeometryError as error:
            names = [builder.steps[tensor.step].name for tensor in use.tensors]
            raise Wrong(config.name, error.said(names), error.code, error.hint) from error
        finally:
            builder.trained = trained
        builder.share(start, path)
        return [made] if isinstance(made, Tensor) else list(made)

    def _opaque(self, use: Use, error: Unsupported, path: tuple[str, ...]) -> list[Tensor]:
        """The layer as opaque, where its shape is known."""
        if not error.known and path in self._held:
            error = Unsupported(str(error), holds=self._held[path], macs=error.macs, sizes=error.sizes)
        try:
            return self.builder.opaque(use, error)
        except Malformed as missing:
            raise Wrong(use.config.name, str(missing)) from missing

    def _input(self, layer: LayerConfig, layers: Mapping[str, LayerConfig]) -> Tensor:
        stated = input_shape(layer)
        if not isinstance(stated, list) or not stated:
            raise Wrong(layer.name, "it states no shape", hint="build the model before it is saved")
        sizes = [None if size is None else _extent(size, layer.name) for size in stated[1:]]
        order = self._input_order(len(sizes))
        known: list[int | None] = [None] * len(sizes)
        for axis, size in zip(order, sizes, strict=True):
            known[axis] = size
        given = self._given.get(layer.name, self._given.get(""))
        shape = _given_shape(known, sizes, order, given, layer.name)
        try:
            made = self.builder.input(layer.name, shape, order)
        except GeometryError as error:
            raise Wrong(layer.name, str(error), error.code, error.hint) from error
        self.orders[made.step] = order
        return made

    def _input_order(self, axes: int) -> Order:
        """The order in which an input is taken: channels first where layers over that many axes read it."""
        if axes > 2:
            return channels_last(axes)
        return channels_last(axes) if axes == 2 and 1 in self._spatial else plain(axes)


def _kind_of(layer: LayerConfig) -> str:
    """What uses of one model are called: its class, or of Keras's own classes its name without numbers."""
    return layer.class_name if layer.class_name not in MODELS else layer.name.rstrip("0123456789_") or layer.class_name


def unknown(config: LayerConfig) -> Unsupported:
    """Why a class has no rule: it is one that is not Keras's own, or one that the language has no layers for."""
    if config.foreign:
        return Unsupported(f"{config.class_name} is no class of Keras's own, and its code is not run", known=False)
    return Unsupported(f"the language has no {config.class_name}", known=False)


def _given_shape(
    known: Sequence[int | None], sizes: Sequence[int | None], order: Order, given: Shape | None, name: str
) -> Shape:
    """The shape of an input: what the call gives, in the language's order or in Keras's, else what the file states."""
    if given is None:
        if None in known:
            shown = ", ".join("?" if size is None else str(size) for size in known)
            raise UsageError(f"the input '{name}' has open sizes: [{shown}]", "give them with --input, channels first")
        return tuple([size for size in known if size is not None])
    fits = [all(size in (None, wanted) for size, wanted in zip(one, given, strict=False)) for one in (known, sizes)]
    if len(given) != len(known):
        raise UsageError(f"the input '{name}' has {len(known)} axes, and --input gives {len(given)}")
    if not fits[0] and fits[1]:
        found = [0] * len(given)
        for axis, size in zip(order, given, strict=True):
            found[axis] = size
        return tuple(found)
    return given


def _extent(size: object, name: str) -> int:
    """A size of an input's axis."""
    if not is_integer(size) or size < 1:
        raise Wrong(name, f"an axis of it has the size {shown(size)}")
    return size


def _space_axes(model: ModelConfig) -> set[int]:
    """Over how many space axes its layers work, those of models inside it included."""
    found: set[int] = set()
    for layer in model.layers:
        if layer.model is not None:
            found |= _space_axes(layer.model)
        name = layer.class_name
        if any(part in name for part in SPACE):
            found |= {rank for rank in (1, 2, 3) if f"{rank}D" in name}
    return found


def _stated(model: ModelConfig, name: str, call: int) -> list[Dims | None]:
    """Shapes of the outputs of a call, as far as the file states them."""
    found: list[Dims | None] = []
    while (shape := model.stated.get(Source(name, call, len(found)))) is not None:
        found.append(shape)
    return found


def _filled(value: Argument, values: Mapping[Source, Tensor], name: str) -> object:
    """An argument with the tensors in the place of their names."""
    if isinstance(value, Source):
        if value not in values:
            raise Wrong(name, f"it reads output {value.tensor} of {value.layer}, which gives no such output")
        return values[value]
    if isinstance(value, (Array, Slice)):
        return value
    if isinstance(value, Mapping):
        return {key: _filled(inner, values, name) for key, inner in value.items()}
    return [_filled(inner, values, name) for inner in value] if isinstance(value, (list, tuple)) else value
