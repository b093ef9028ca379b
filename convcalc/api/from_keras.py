"""`from_keras`: a live model of Keras as a network."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..findings import UsageError
from ..keras import Subclassed, loads_keras

if TYPE_CHECKING:
    from ..layers.base import Shape
    from ..network import Network
    from .load import Inputs


def from_keras(model: Any, input: Inputs | None = None) -> Network:
    """The network of a Keras model, read from `model.to_json()`: nothing runs, and weights are not touched.

    `input` gives the shape of the only input without the batch ([channels, *space]), or shapes by the names of
    several, where the model leaves sizes open. Layers that are not Keras's own stand as opaque, with the weights that
    the model holds for them. A subclassed model has its layers in its code: on the backend torch a run of it is
    recorded, on a processor and on `input` as the model takes it (by default what it was built on). What the language
    does not say is in `network.notes`. Raises SpecError where the model cannot be read (CC716), UsageError for what is
    no model of Keras or has open sizes.

    >>> from_keras(keras.applications.ResNet50(weights=None))  # doctest: +SKIP
    <Network resnet50: 3×224×224 → 1000, 177 layers>
    """
    try:
        text = model.to_json()
        name = str(model.name)
    except AttributeError:
        raise UsageError(f"{type(model).__name__} is no model of Keras", "it has no to_json()") from None
    try:
        return loads_keras(text, name, input=input, held=dict(_held(model, ())))
    except Subclassed as error:
        if "torch" not in sys.modules or not isinstance(model, sys.modules["torch"].nn.Module):
            raise
        from ..torch.load import from_torch

        return from_torch(model, error.sizes if input is None else input, name=name, device="cpu")


def _held(model: Any, scope: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Shape]]]:
    """(path of a layer, the shapes of what it learns), the layers of models inside the model included."""
    for layer in model.layers:
        path = (*scope, str(layer.name))
        if isinstance(getattr(layer, "layers", None), list):  # a model inside the model
            yield from _held(layer, path)
            continue
        learned = layer.trainable_weights if layer.trainable else layer.weights
        yield path, [tuple(int(size) for size in weight.shape) for weight in learned]
