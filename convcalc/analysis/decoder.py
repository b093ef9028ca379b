"""The mirrored decoder of a network: every layer answered, from the output back to the input.

The graph is walked backwards, as gradients are: where a tensor fed several layers, their answers are added;
where layers were concatenated, the tensor is split. So the decoder's tensors have exactly the shapes of the
encoder's, and its output that of the encoder's input. Norms and activations follow the answer that gives
back the tensor which they made; after the last answer there are none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..findings import UsageError
from ..flow import ancestors, with_parts
from ..geometry import GeometryError
from ..hints import shortened
from ..network import Network, Node, Output, renumbered
from .decoder_answers import ANSWERS, Asked, Sketch, bordered, fitted, follows, passes, unanswered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..layers.base import Layer, Shape
    from ..network import Network


def needed_nodes(network: Network, start: int) -> list[int]:
    """The nodes that a node depends on, itself among them, in order; splits with all their parts."""
    return sorted(with_parts(network.nodes, ancestors(network.nodes, [start])))


def skip_nodes(network: Network, needed: Sequence[int]) -> frozenset[int]:
    """For each resolution, the last node before a stride makes it smaller; the input lends nothing."""
    nodes = network.nodes
    last: dict[tuple[int, ...], int] = {}
    for index in needed:
        node = nodes[index]
        if node.layer is None or not node.inputs:
            continue
        slides = node.layer.slides(network.input_shapes(node), node.shape)
        source = node.inputs[0]
        if any(slide.window.stride > 1 for slide in slides) and nodes[source].layer is not None:
            space = nodes[source].shape[1:]
            last[space] = max(source, last.get(space, source))
    return frozenset(last.values())


def last_features(network: Network, last: int) -> int:
    """The last node before the head (a global or adaptive pool, a flatten) on the way to the node `last`."""
    behind: set[int] = set()
    found = last
    for index in needed_nodes(network, last):
        node = network.nodes[index]
        if node.layer is None:
            continue
        if node.layer.ends_features or behind.issuperset(node.inputs):
            behind.add(index)
        else:
            found = index
    return found if last in behind else last


@dataclass(frozen=True, slots=True)
class Omission:
    """A layer that has no answer, and why."""

    layer: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Mirror:
    """The decoder (with skips: encoder and decoder), and what it leaves out."""

    network: Network
    omissions: tuple[Omission, ...]

    def summary(self) -> list[str]:
        """What is left out, a line a kind and reason."""
        found: dict[tuple[str, str], list[str]] = {}
        for omission in self.omissions:
            found.setdefault((omission.kind, omission.reason), []).append(omission.layer)
        return [f"no answer to {kind} ({shortened(names, 3)}): {reason}" for (kind, reason), names in found.items()]


def mirror(network: Network, *, resize: bool = False, skips: bool = False, until: str | None = None) -> Mirror:
    """The decoder that mirrors a network, from its output (or the layer or group `until`) to its input.

    `resize` answers strides by nearest upsampling and a convolution, which paints no checkerboard. `skips`
    writes the encoder too, up to its last features, and concatenates those before each change of resolution
    (a U-Net).
    Raises UsageError where the walk back reaches no input.

    >>> from convcalc import loads
    >>> spec = "{convcalc: 1, input: [3, 32, 32], layers: [{conv2d: {out: 8, k: 3, s: 2, p: 1}}, relu]}"
    >>> [(node.kind, node.shape) for node in mirror(loads(spec)).network.nodes]
    [('input', (8, 16, 16)), ('conv_transpose2d', (3, 32, 32))]
    """
    return _Walk(network, _start(network, until, skips), resize, skips).mirror()


def _start(network: Network, until: str | None, skips: bool) -> int:
    if until is None:
        last = max((output.node for output in network.outputs), default=len(network.nodes) - 1)
        return last_features(network, last) if skips else last
    group = network.groups.get(until)
    if group is not None:
        return group.output
    found = next((n for n, node in enumerate(network.nodes) if node.name == until), None)
    if found is None:
        stages = ", ".join(name for name, _, _ in network.stages()[:8])
        raise UsageError(f"there is no layer or group '{until}' to start from", f"{network.name} starts with {stages}")
    return found


class _Followers(NamedTuple):
    """A layer that follows, and those after it: a chain, since a network may have very many in a row."""

    layer: int
    rest: _Followers | None


class _Tensor(NamedTuple):
    """A tensor of the decoder that stands for a node of the encoder."""

    node: int
    followers: _Followers | None = None
    """Norms and activations of the encoder, passed on the way back: they follow once the walk goes on."""


class _Walk:
    """One walk backwards over the encoder."""

    def __init__(self, network: Network, start: int, resize: bool, skips: bool) -> None:
        self.nodes = network.nodes
        self.title = network.name
        self.start = start
        self.resize = resize
        self.omissions: list[Omission] = []
        needed = needed_nodes(network, start)
        self.places = {old: new for new, old in enumerate(needed)} if skips else {}
        self.skipped = skip_nodes(network, needed) if skips else frozenset()
        self.sketch = Sketch(renumbered(network.nodes, self.places))
        self.latent = self.places[start] if skips else self.sketch.input("input", self.nodes[start].shape)
        self.tensors: dict[int, list[_Tensor]] = {start: [_Tensor(self.latent)]}
        """Encoder node -> what its readers gave back."""
        self.parts: dict[int, dict[int, dict[int, int]]] = {}
        """Encoder node -> the first part of a split of it -> part -> tensor."""

    def mirror(self) -> Mirror:
        """Walk, and collect the decoder's outputs at the encoder's inputs."""
        outputs = []
        for index in range(self.start, -1, -1):
            tensors = self.tensors.pop(index, []) + self._joined_parts(index)
            if not tensors:
                continue
            node = self.nodes[index]
            if node.layer is None:
                last = [_Tensor(tensor.node) for tensor in tensors]
                outputs.append(self._output(index, self._whole(index, last)))
            elif len(tensors) == 1 and index not in self.skipped and self._passes(node, node.layer):
                self._pass(index, node.layer, tensors[0])
            else:
                self._answer(index, node, node.layer, self._whole(index, tensors))
        if not outputs:
            raise UsageError(
                f"the way back from {self.nodes[self.start].name} reaches no input: {self.summary_of_last()}",
                "name an earlier layer with --until",
            )
        name = f"{self.title} {'with ' if self.places else ''}decoder"
        return Mirror(
            Network(name, tuple(self.sketch.nodes), tuple(reversed(outputs)), {}), tuple(reversed(self.omissions))
        )

    def summary_of_last(self) -> str:
        """Why the way back ended."""
        last = self.omissions[-1] if self.omissions else None
        return f"{last.layer} ({last.kind}): {last.reason}" if last else "nothing leads there"

    def _name(self, index: int, suffix: str = "") -> str:
        mark = "_mirror" if self.places else ""
        return f"{self.nodes[index].name.replace('.', '_')}{mark}{suffix}"

    def _output(self, index: int, tensor: int) -> Output:
        if self.sketch.nodes[tensor].layer is None:
            tensor = self.sketch.add(self._name(index, "_out"), "identity", [tensor])
        return Output(self.sketch.nodes[tensor].name, tensor)

    def _whole(self, index: int, tensors: Sequence[_Tensor]) -> int:
        """The one tensor for a node: what its readers gave back, added, joined with the encoder's where skipped."""
        settled = [self._settled(tensor) for tensor in tensors]
        name = self._name(index)
        whole = settled[0] if len(settled) == 1 else self.sketch.add(f"{name}_add", "add", settled)
        if index not in self.skipped:
            return whole
        shape = self.nodes[index].shape
        joined = self.sketch.add(f"{name}_skip", "concat", [self.places[index], whole])
        kind = f"conv{len(shape) - 1}d"
        return self.sketch.add(f"{name}_merge", kind, [joined], out_channels=shape[0], kernel_size=3, padding=1)

    def _settled(self, tensor: _Tensor) -> int:
        """The tensor with the norms and activations that follow it; the latent has had them already."""
        node = tensor.node
        if node == self.latent:
            return node
        followers = tensor.followers
        while followers is not None:
            layer = self.nodes[followers.layer].layer
            assert layer is not None
            node = self.sketch.copy(self._name(followers.layer), layer, [node])
            followers = followers.rest
        return node

    def _passes(self, node: Node, layer: Layer) -> bool:
        return bool(node.inputs) and passes(layer, self.nodes[node.inputs[0]].shape, node.shape)

    def _pass(self, index: int, layer: Layer, tensor: _Tensor) -> None:
        """A layer that keeps the shape: its tensor goes on as it is."""
        reason = unanswered(layer)
        if reason is not None:
            self._omit(index, reason)
        elif follows(layer):
            tensor = tensor._replace(followers=_Followers(index, tensor.followers))
        self._give(self.nodes[index].inputs[0], tensor)

    def _give(self, source: int, tensor: _Tensor) -> None:
        self.tensors.setdefault(source, []).append(tensor)

    def _omit(self, index: int, reason: str) -> None:
        self.omissions.append(Omission(self.nodes[index].name, self.nodes[index].kind, reason))

    def _answer(self, index: int, node: Node, layer: Layer, tensor: int) -> None:
        """Give each input of a node its tensor."""
        if not node.inputs:
            return
        shapes = tuple(self.nodes[i].shape for i in node.inputs)
        dim, answer = layer.joined_axis(shapes), ANSWERS.get(layer)
        if self._passes(node, layer):
            self._pass(index, layer, _Tensor(tensor))
        elif dim is not None:
            self._cut(index, node, dim, tensor)
        elif layer.joins:
            self._fan_out(index, node, layer, tensor)
        elif layer.part_of is not None:
            which = layer.part_of.which
            self.parts.setdefault(node.inputs[0], {}).setdefault(index - which, {})[which] = tensor
        elif answer is not None:
            name = self._name(index)
            try:
                found = answer(layer, Asked(self.sketch, name, tensor, shapes, node.shape, self.resize))
                self._give(node.inputs[0], _Tensor(fitted(self.sketch, name, found, shapes[0])))
            except GeometryError as error:
                self._omit(index, error.message)
        else:
            self._omit(index, ANSWERS.why(layer))

    def _fan_out(self, index: int, node: Node, layer: Layer, tensor: int) -> None:
        """A join of equal shapes: its tensor goes to each input; factors, gates and what was repeated get none."""
        given: set[int] = set()
        for which, source in enumerate(node.inputs):
            gated = layer.gate_input is not None
            factor = layer.multiplies_inputs and (which == layer.gate_input if gated else bool(given))
            if factor or self.nodes[source].shape != node.shape:
                self._omit(
                    index, f"its {'factor' if factor else 'broadcast input'} {self.nodes[source].name} gets none"
                )
            elif source not in given:
                given.add(source)
                self._give(source, _Tensor(tensor))

    def _cut(self, index: int, node: Node, dim: int, tensor: int) -> None:
        """A concatenation along axis `dim`: each input gets its piece."""
        sizes = [self.nodes[source].shape[dim] for source in node.inputs]
        name = self._name(index)
        parts = self.sketch.split(name, tensor, sizes) if dim == 0 and len(sizes) > 1 else []
        for which, source in enumerate(node.inputs):
            if len(sizes) == 1:
                piece = tensor
            elif parts:
                piece = parts[which]
            else:
                cuts = [(0, 0)] * (len(node.shape) - 1)
                cuts[dim - 1] = (-sum(sizes[:which]), -sum(sizes[which + 1 :]))
                piece = bordered(self.sketch, f"{name}_{which}", tensor, tuple(cuts))
            self._give(source, _Tensor(piece))

    def _joined_parts(self, index: int) -> list[_Tensor]:
        """The tensors that splits of a node gave back, each put together again."""
        found = []
        for first, parts in self.parts.pop(index, {}).items():
            pieces = [parts[part] for part in sorted(parts)]
            name, shape = self._name(index, "_parts"), self.nodes[index].shape
            gone = _axis_gone(self.nodes[first], shape)
            if gone is None:
                whole = pieces[0] if len(pieces) == 1 else self.sketch.add(name, "concat", pieces)
                found.append(_Tensor(fitted(self.sketch, name, whole, shape)))
            elif len(pieces) == shape[gone]:
                found.append(_Tensor(self.sketch.add(name, "stack", pieces, dim=gone)))
            else:
                self._omit(first, f"of its {shape[gone]} parts {len(pieces)} come back")
        return found


def _axis_gone(part: Node, shape: Shape) -> int | None:
    """The axis of a tensor of this shape that is taken apart into its positions; None where a split keeps it."""
    assert part.layer is not None
    kept = {link.source for link in part.layer.axes((shape,)) if link is not None}
    return next(iter(set(range(len(shape))) - kept), None) if len(part.shape) < len(shape) else None
