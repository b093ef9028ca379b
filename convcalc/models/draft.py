"""A network in the making, as a model of a framework calls it: layers in the scopes of the modules that made them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod

from ..findings import Finding
from ..flow import ancestors, with_parts
from ..geometry import LIMIT, TooLarge
from ..inference import Inference
from ..layers.base import Layer, Shape
from ..network import Network, Node, Origin, Output, Tied
from .paths import named
from .steps import Place, Step


class Draft:
    """Steps in the order of execution, numbered from 0; `network` gives what leads to an output, with its groups.

    >>> from convcalc.layers.registry import build
    >>> draft, stem = Draft(), Place(("stem",), "Stem", 1)
    >>> image = draft.input("input", (3, 8, 8))
    >>> conv = draft.add(build("conv2d", {"out": 4, "k": 3}), [image], scope=[stem, Place(("conv",), "Conv2d", 2)])
    >>> relu = draft.add(build("relu", {}), [conv], scope=[stem])
    >>> network = draft.network("small", {"relu": relu})
    >>> network, [node.name for node in network], network["stem"]
    (<Network small: 3×8×8 → 4×6×6, 2 layers>, ['stem.conv', 'stem.relu'], <Stem stem: 3×8×8 → 4×6×6, 2 layers>)
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._inference = Inference()

    def input(self, name: str, shape: Shape) -> int:
        """An input of the network, without the batch. Raises `TooLarge`."""
        if prod(shape) > LIMIT:
            raise TooLarge(f"input '{name}'", prod(shape))
        self.steps.append(Step(None, (), shape, (), name, name))
        return len(self.steps) - 1

    def add(
        self,
        layer: Layer,
        inputs: Sequence[int],
        *,
        scope: Sequence[Place] = (),
        name: str = "",
        label: str = "",
        shares: int | None = None,
        tied: Sequence[Tied] = (),
    ) -> int:
        """One more layer that reads these steps, with the weights of the step `shares` where one is given.

        Of the tensors that are `tied`, the nodes are steps that hold them.

        Raises a GeometryError where its shape is impossible.
        """
        shape = self._inference.shape(layer, tuple([self.steps[i].shape for i in inputs]))
        self.steps.append(Step(layer, tuple(inputs), shape, tuple(scope), name, label, shares, tuple(tied)))
        return len(self.steps) - 1

    def split(
        self, parts: Sequence[Layer], source: int, *, scope: Sequence[Place] = (), name: str = "", label: str = ""
    ) -> list[int]:
        """The parts of a split of one step."""
        place = Place((name or parts[0].kind,), "", len(self.steps), split=True)
        return [
            self.add(part, [source], scope=(*scope, place), name=str(which), label=label)
            for which, part in enumerate(parts)
        ]

    def shape(self, step: int) -> Shape:
        """Of a step's output, without the batch."""
        return self.steps[step].shape

    def network(
        self,
        name: str,
        outputs: Iterable[tuple[str, int]] | dict[str, int],
        *,
        source: str | None = None,
        origin: Callable[[Mapping[str, str]], Origin] | None = None,
        notes: Sequence[Finding] = (),
    ) -> Network:
        """The network of the steps that lead to the outputs, inputs first, in the groups of their scopes.

        `origin` makes the origin of a mapping of the layers' names to their labels.
        """
        ends = list(outputs.items() if isinstance(outputs, dict) else outputs)
        order = self._order({step for _, step in ends})
        place = {step: position for position, step in enumerate(order)}
        steps = [self.steps[step] for step in order]
        paths, groups = named(steps)
        nodes = tuple(
            Node(
                path,
                step.layer,
                tuple([place[source] for source in step.inputs]),
                step.shape,
                None if step.shares is None else place.get(step.shares),
                tuple([Tied(tensor, place[held_by]) for tensor, held_by in step.tied if held_by in place]),
            )
            for path, step in zip(paths, steps, strict=True)
        )
        return Network(
            name=name,
            nodes=nodes,
            outputs=tuple(Output(nodes[place[step]].name, place[step]) for step in dict.fromkeys(dict(ends).values())),
            groups={group.path: group for group in groups},
            source=source,
            origin=origin({path: step.label for path, step in zip(paths, steps, strict=True)}) if origin else None,
            notes=tuple(notes),
        )

    def _order(self, ends: set[int]) -> list[int]:
        """The steps that the outputs need, all parts of a split together, and the inputs first."""
        needed = with_parts(self.steps, ancestors(self.steps, ends))
        inputs = [index for index in sorted(needed) if self.steps[index].layer is None]
        inputs = inputs or [index for index, step in enumerate(self.steps) if step.layer is None]
        return [*inputs, *(index for index in sorted(needed) if self.steps[index].layer is not None)]
