"""What the tensors of a tape are while it is lifted: activations, parameters, constants, what is made of parameters."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from ...layers.base import Shape

Numbers = tuple[float, ...]


class Sizes(NamedTuple):
    """The dims of a tensor in the first run, whose batch is 1, and in the second, whose batch is 2."""

    first: Shape
    second: Shape
    """The dims of the first run again where there was no second."""
    batch: int
    """The batch of the second run; 1 where there was none."""

    @property
    def rank(self) -> int:
        """How many axes it has."""
        return len(self.first)

    def axis(self, dim: int) -> int:
        """An axis counted from the front; raises IndexError where there is none."""
        if not -self.rank <= dim < self.rank:
            raise IndexError(f"axis {dim} of {list(self.first)}")
        return dim % self.rank

    def put(self, axis: int, *pairs: tuple[int, int], instead: bool = False) -> Sizes:
        """With axes of these sizes, in the first and the second run, put in at an axis, or `instead` of it."""
        rest = axis + instead
        first, second = (tuple([pair[run] for pair in pairs]) for run in (0, 1))
        return Sizes(
            (*self.first[:axis], *first, *self.first[rest:]),
            (*self.second[:axis], *second, *self.second[rest:]),
            self.batch,
        )

    def permuted(self, order: tuple[int, ...]) -> Sizes:
        """The axes in another order."""
        return Sizes(tuple([self.first[n] for n in order]), tuple([self.second[n] for n in order]), self.batch)


class Place(NamedTuple):
    """Where the batch is among the axes of a tensor: the examples lie `inner` positions apart along the axis `axis`."""

    axis: int
    inner: int = 1
    """How many of the axis's positions lie within one step of the batch."""
    folded: bool = False
    """Whether the axis counts other things too: windows, frames, heads."""


def without_batch(dims: Shape, place: Place | None, batch: int = 1) -> Shape:
    """The dims as the language has them; an axis that counts other things beside the batch keeps those.

    >>> without_batch((3, 2, 8, 197, 64), Place(1)), without_batch((128, 49, 96), Place(0, folded=True), batch=2)
    ((3, 8, 197, 64), (64, 49, 96))
    """
    if place is None:
        return dims
    kept = (dims[place.axis] // batch,) if place.folded else ()
    return (*dims[: place.axis], *kept, *dims[place.axis + 1 :])


def moved(place: Place, before: Sizes, after: Sizes) -> Place | None:
    """Where the batch is once the same numbers, in the same order, have other dims; None where an axis cuts it.

    >>> image, windows = Sizes((1, 8, 8, 49, 96), (2, 8, 8, 49, 96), 2), Sizes((64, 49, 96), (128, 49, 96), 2)
    >>> moved(Place(0), image, windows), moved(Place(0, 64, True), windows, image)
    (Place(axis=0, inner=64, folded=True), Place(axis=0, inner=1, folded=False))
    """
    batch = before.batch
    step = place.inner * prod(before.second[place.axis + 1 :])
    found: list[Place] = []
    for axis, size in enumerate(after.second):
        inside = prod(after.second[axis + 1 :])
        inner = step // inside if inside and step % inside == 0 else 0
        if inner and size % (batch * inner) == 0:
            found.append(Place(axis, inner, size != batch or after.first[axis] != 1))
    if batch == 1:
        # Axes of size 1 look alike then: the batch is rather the outermost of an axis, and not of the last one.
        last = after.rank - 1
        found.sort(key=lambda one: (one.axis == last, one.inner != after.first[one.axis], abs(one.axis - place.axis)))
    return found[0] if found else None


class Activation(NamedTuple):
    """A tensor that is computed from the network's inputs, or from parameters: the output of a step.

    Its sizes may be others than the step's: a view of the same numbers becomes a layer where something reads it.
    """

    step: int
    sizes: Sizes
    place: Place | None
    """Where the batch is; None for what is the same for every example."""
    scope: int
    """The call of a module that gave it these sizes."""

    @property
    def shape(self) -> Shape:
        """As the language has it, in the first run."""
        return without_batch(self.sizes.first, self.place)

    @property
    def second(self) -> Shape:
        """As the language has it, in the second run."""
        return without_batch(self.sizes.second, self.place, self.sizes.batch)

    def axis(self, dim: int) -> int | None:
        """The axis of the language that an axis of the tensor is; None for that of the batch alone.

        >>> queries = Activation(0, Sizes((3, 1, 8, 9), (3, 2, 8, 9), 2), Place(1), 0)
        >>> queries.axis(0), queries.axis(1), queries.axis(-1)
        (0, None, 2)
        """
        axis = self.sizes.axis(dim)
        if self.place is None or self.place.folded or axis < self.place.axis:
            return axis
        return None if axis == self.place.axis else axis - 1


class Parameter(NamedTuple):
    """A parameter as it is stored, or a view of it."""

    source: int
    """The stored tensor, by its place in the tape's tensors."""
    sizes: Sizes
    """Those of the view."""


class Constant(NamedTuple):
    """A tensor that no parameter and no input changes: a buffer, a literal, or what is computed of them."""

    source: int
    sizes: Sizes
    numbers: Numbers | None = None

    @property
    def number(self) -> float | None:
        """The number of one that holds just one, where it is known."""
        return self.numbers[0] if self.numbers is not None and len(self.numbers) == 1 else None


class Derived(NamedTuple):
    """What a call makes of parameters; it becomes layers where an activation meets it."""

    tensor: int
    call: int
    sizes: Sizes


Pairs = tuple[tuple[int, int], ...]


class Padded(NamedTuple):
    """An activation with a border, which the window of the only call that reads it takes in."""

    inner: Activation
    sizes: Sizes
    first: Pairs
    """(before, after) of each axis in the first run."""
    second: Pairs
    number: float
    """What the border is filled with."""


Value = Activation | Parameter | Constant | Derived | Padded
