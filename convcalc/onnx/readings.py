"""What a node reads, in the forms that its rule may take: as it is, learned constants as layers, the batch an axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from ..geometry import GeometryError
from ..models.making import Unsupported
from .builder import Builder
from .messages import Malformed, Unknown
from .operators import operator_of
from .operators.record import Operator
from .values import Activation, Call, Constant, Value

DEEPEST = 32
"""Operators behind each other whose computation with learned tensors is followed."""


class Readings:
    """Makes the layers of nodes, and of constants that are computed with what is learned."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._learned: dict[int, Activation] = {}
        """Constants, by their identity -> the layers that compute them."""

    def layers(self, operator: Operator) -> Sequence[Value | None]:
        """The layers of a node, of what it reads as it is, else with its learned constants or the batch as layers.

        Raises what the operator's rule raises where no form serves.
        """
        assert operator.layers is not None
        b, call = self._builder, self._builder.call
        first: Exception | None = None
        for inputs in self._forms(call):
            count = len(b.steps)
            b.call = call._replace(inputs=inputs)
            try:
                made = operator.layers(b)
            except (Unsupported, Unknown) as error:
                first = first or error
            except (GeometryError, Malformed):
                if first is None:
                    raise
            else:
                return [made] if isinstance(made, Activation) else made
            self.undo(count)
        b.call = call
        assert first is not None
        raise first

    def layers_of(self, value: Constant, depth: int = 0) -> Activation:
        """The layers that hold and compute a constant."""
        found = self._learned.get(id(value))
        if found is None:
            found = self._learned[id(value)] = self._computed(value, depth)
        return found

    def undo(self, count: int) -> None:
        """Take back the steps after the first `count`."""
        del self._builder.steps[count:]
        while self._learned and next(reversed(self._learned.values())).step >= count:
            self._learned.popitem()

    def _forms(self, call: Call) -> Iterator[tuple[Value | None, ...]]:
        """What a node reads, and the same in other forms, each made when the ones before it do not serve."""
        yield call.inputs
        learned = any(isinstance(value, Constant) and prod(value.shape) > 1 for value in call.inputs)
        explicit = any(isinstance(value, Activation) and self._builder.is_one_example(value) for value in call.inputs)
        if learned:
            yield tuple([self._as_layers(value) for value in call.inputs])
        if explicit:
            yield tuple([self._explicit(value) for value in call.inputs])
        if learned:
            yield tuple([self._explicit(self._as_layers(value)) for value in call.inputs])

    def _explicit(self, value: Value | None) -> Value | None:
        return self._builder.explicit(value) if isinstance(value, Activation) else value

    def _as_layers(self, value: Value | None, depth: int = 0) -> Value | None:
        """A constant of several numbers as the layers that hold and compute it; every other value as it is."""
        if not isinstance(value, Constant) or prod(value.shape) < 2:
            return value
        return self.layers_of(value, depth)

    def _computed(self, value: Constant, depth: int) -> Activation:
        b, call, count = self._builder, value.call, len(self._builder.steps)
        if not value.stored or value.is_stored or call is None or depth > DEEPEST:
            return b.held(value)
        before = b.call
        b.call = call._replace(
            inputs=tuple(
                [
                    self._as_layers(read, depth + 1) if isinstance(read, Constant) and read.stored else read
                    for read in call.inputs
                ]
            )
        )
        operator = operator_of(call.node.domain, call.node.op, call.opset)
        try:
            made = self.layers(operator) if operator.layers is not None else []
            found = next((made for made in made if isinstance(made, Activation) and made.dims == value.shape), None)
            return found or b.keep(value.shape, reason="the language has no such operator")
        except (Unsupported, Unknown, GeometryError, Malformed) as reason:
            self.undo(count)
            return b.keep(value.shape, reason=str(reason))
        finally:
            b.call = before
