"""Layers that hold another layer, and what has weights of its own beside the families.

Source: keras/src/layers/rnn/time_distributed.py, keras/src/layers/normalization/spectral_normalization.py and
keras/src/layers/reshaping/repeat_vector.py of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ...models.document import Malformed, mapping
from ..builder import Builder, Unsupported, Use
from ..configuration import Settings
from ..graph import LayerConfig, is_foreign
from ..tensor import Tensor
from .operations import normalized

Rule = Callable[[Builder, Use], Tensor | Sequence[Tensor]]


def inner_layer(use: Use) -> LayerConfig:
    """The layer that a wrapper holds."""
    held = mapping(use.settings.get("layer"), "layer")
    name = held.get("class_name")
    if not isinstance(name, str):
        raise Malformed("the layer inside it has no class_name")
    module = held.get("module")
    settings = Settings(mapping(held.get("config"), "the config of the layer inside it"))
    return replace(
        use.config,
        class_name=name.rpartition(">")[2],
        settings=settings,
        module=module if isinstance(module, str) else "",
        foreign=is_foreign(held),
    )


def at_each_position(builder: Builder, tensor: Tensor, inside: Callable[[Tensor], Tensor]) -> Tensor:
    """What layers give at each position of the first axis, which counts as batch in them."""
    if tensor.rank < 1:
        raise Malformed("it has no positions")
    read = tensor
    if tensor.order[0] != 0:
        others = iter(range(1, tensor.rank))
        read = builder.arranged(tensor, (0, *others))
    frame = Tensor(read.step, read.shape[1:], tuple([axis - 1 for axis in read.order[1:]]))
    outer = builder.leading
    builder.leading = (*outer, read.shape[0])
    try:
        made = inside(frame)
    except Unsupported as error:
        raise error.repeated(read.shape[0]) from error
    finally:
        builder.leading = outer
    return Tensor(made.step, (read.shape[0], *made.shape), (0, *(axis + 1 for axis in made.order)))


def wrapped(rules: dict[str, Rule]) -> dict[str, Rule]:
    """The rules of wrappers over these rules."""

    def inside(builder: Builder, use: Use, tensors: Sequence[Tensor]) -> Tensor | Sequence[Tensor]:
        config = inner_layer(use)
        rule = rules.get(config.class_name)
        if rule is None or config.foreign or "layers" in config.settings:
            raise Unsupported(f"the language has no {config.class_name} inside a {use.config.class_name}", known=False)
        return rule(builder, Use(config, tensors, {}, use.stated))

    def spectral(builder: Builder, use: Use) -> Tensor | Sequence[Tensor]:
        return inside(builder, use, use.tensors)

    def time_distributed(builder: Builder, use: Use) -> Tensor:
        """The layer at each position of the first axis, which counts as batch in it."""

        def one(frame: Tensor) -> Tensor:
            made = inside(builder, use, [frame])
            found = [made] if isinstance(made, Tensor) else list(made)
            if len(found) > 1:
                raise Unsupported(f"a layer inside a {use.config.class_name} gives several tensors", known=False)
            return found[0]

        return at_each_position(builder, use.tensor, one)

    return {"SpectralNormalization": spectral, "TimeDistributed": time_distributed}


def _repeat_vector(builder: Builder, use: Use) -> Tensor:
    count = use.settings.integer("n")
    if use.tensor.rank != 1:
        raise Malformed(f"it repeats vectors, not {list(use.tensor.sizes)}")
    row = builder.reshaped(use.tensor, (1, *use.tensor.sizes))
    return builder.emit("expand", {"shape": (count, -1)}, row)


def _unit_normalization(builder: Builder, use: Use) -> Tensor:
    return normalized(builder, use.tensor, use.settings.integers("axis", default=-1))


RULES: dict[str, Rule] = {"RepeatVector": _repeat_vector, "UnitNormalization": _unit_normalization}
