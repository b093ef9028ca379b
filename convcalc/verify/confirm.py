"""A network run layer by layer on the NumPy reference, its predictions held against what happens.

Predicted are shapes, tensors and multiply-accumulates by the layers' rules; actual are the arrays that come out, the
tensors that the reference makes for the arrays that arrive, and the products counted while they are executed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import prod
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from ..analysis.report import Report
from ..findings import Finding, UsageError
from ..network import finding_in
from ..reference import DoesNotFit, NoTwin, learned, run
from ..version import FORMAT
from .loss import losses_of

if TYPE_CHECKING:
    from ..layers.base import Shape
    from ..network import Loss, Network
    from ..reference import Step
    from .flow import Flow, FlowRow

HANDLED, DRAWN, BACK = 20, 200, 2
"""What a number put out, a weight drawn and a layer run backwards are expected to take: in multiply-accumulates, in
them, and in times that it is run forwards. They weigh the progress of a run, and nothing else."""

UNDRAWN = "normal:0"
"""The scheme of a run without gradients: shapes and counts depend on no number, and drawing them takes longest."""

SCHEME = "kaiming"
"""What draws the weights of a training step where nothing is said."""

Tensors = dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class LayerCheck:
    """One layer: what was predicted, and what it did. What is actual is None where the layer could not run."""

    name: str
    kind: str
    predicted_shape: Shape
    predicted_params: int
    predicted_macs: int
    actual_shape: Shape | None = None
    actual_params: int | None = None
    counted_macs: int | None = None
    differences: tuple[str, ...] = ()
    """What is not as predicted, in words."""

    @property
    def ok(self) -> bool:
        """Whether everything is as predicted."""
        return not self.differences

    def to_dict(self) -> dict[str, object]:
        """The layer in the JSON contract of `verify`."""
        return {
            "name": self.name,
            "kind": self.kind,
            "predicted_shape": list(self.predicted_shape),
            "actual_shape": None if self.actual_shape is None else list(self.actual_shape),
            "predicted_params": self.predicted_params,
            "actual_params": self.actual_params,
            "predicted_macs": self.predicted_macs,
            "counted_macs": self.counted_macs,
            "ok": self.ok,
            "differences": list(self.differences),
        }


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of a verification."""

    network: Network
    """The network that was run."""
    batch: int
    """The examples at once."""
    dtype: str
    """The type that it was computed in."""
    seed: int
    """Of the inputs and, in a training step, of the weights."""
    seconds: float
    """What the run took."""
    layers: tuple[LayerCheck, ...]
    """For each layer what was predicted, what it did, and whether that is the same."""
    flow: Flow | None = None
    """Of a training step: activations, gradients, and the gradient's way back; None without one."""
    findings: tuple[Finding, ...] = ()
    """One for each layer that differs although what it reads does not."""
    full_inputs: dict[str, Shape] | None = None
    """The network's own inputs, where smaller ones were run in their place."""
    needed: int = 0
    """Bytes that the run was expected to take at the most."""
    quick: bool = False
    """Whether a smaller input was sought."""
    scheme: str = SCHEME
    """What drew the weights."""

    @property
    def gradients(self) -> tuple[FlowRow, ...] | None:
        """Activations and gradients by layer; None without a training step."""
        return None if self.flow is None else self.flow.rows

    @property
    def ok(self) -> bool:
        """Whether every layer is confirmed."""
        return all(layer.ok for layer in self.layers)

    def to_dict(self) -> dict[str, object]:
        """The JSON contract of `verify`."""
        full = self.full_inputs
        return {
            "format": FORMAT,
            "spec": self.network.name,
            "variant": self.network.variant,
            "input": {name: list(shape) for name, shape in self.network.inputs.items()},
            "full_input": None if full is None else {name: list(shape) for name, shape in full.items()},
            "batch": self.batch,
            "dtype": self.dtype,
            "seed": self.seed,
            "ok": self.ok,
            "seconds": round(self.seconds, 3),
            "layers": [layer.to_dict() for layer in self.layers],
            "gradients": None if self.flow is None else [row.to_dict() for row in self.flow.rows],
            "losses": None if self.flow is None else [loss.to_dict() for loss in self.flow.losses],
            "extremes": None if self.flow is None else self.flow.extremes.to_dict(),
            "findings": [finding.to_dict() for finding in self.findings],
        }


@dataclass(slots=True)
class Confirmation:
    """What a run has confirmed so far."""

    report: Report
    layers: list[LayerCheck] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    wrong: set[int] = field(default_factory=set)
    """Nodes whose array has another shape than predicted: what reads it is bound to differ."""

    def add(self, step: Step) -> None:
        """Hold one step against its prediction."""
        number, node = step.number, step.node
        assert node.layer is not None
        predicted = self._predicted(number)
        shape = tuple(step.output.shape[1:])
        actual: Tensors = {name: tuple(array.shape) for name, array in step.weights.items()}
        learns = learned(node.layer, [array.shape[1:] for array in step.inputs]) if node.shares is None else ()
        elsewhere = {tensor for tensor, _ in node.tied}
        learnt = sum(prod(sizes) for name, sizes in actual.items() if name in learns and name not in elsewhere)
        differences = []
        if shape != node.shape or step.output.shape[0] != self.report.batch:
            differences.append(f"the output is {list(shape)}, predicted {list(node.shape)}")
        if learnt != predicted.predicted_params:
            differences.append(f"{learnt} params, predicted {predicted.predicted_params}")
        differences += _tensor_differences(actual, self._tensors(number))
        if step.macs != predicted.predicted_macs:
            differences.append(f"{step.macs} multiply-accumulates counted, predicted {predicted.predicted_macs}")
        self._record(predicted, number, tuple(differences), shape, learnt, step.macs)

    def fail(self, number: int, message: str) -> None:
        """Record that a layer could not run on the arrays that arrived."""
        self._record(self._predicted(number), number, (f"it does not run: {message}",))

    def _record(
        self,
        predicted: LayerCheck,
        number: int,
        differences: tuple[str, ...],
        shape: Shape | None = None,
        params: int | None = None,
        macs: int | None = None,
    ) -> None:
        self.layers.append(
            LayerCheck(
                predicted.name,
                predicted.kind,
                predicted.predicted_shape,
                predicted.predicted_params,
                predicted.predicted_macs,
                shape,
                params,
                macs,
                differences,
            )
        )
        node = self.report.node(number)
        follows = any(source in self.wrong for source in node.inputs)
        if shape != node.shape:
            self.wrong.add(number)
        if differences and not follows:
            message = f"{node.kind} is not confirmed: {'; '.join(differences)}"
            self.findings.append(finding_in(self.report.network, "CC501", message, node.name))

    def _predicted(self, number: int) -> LayerCheck:
        node, cost = self.report.node(number), self.report.costs[number]
        return LayerCheck(node.name, node.kind, node.shape, cost.params, cost.macs * self.report.batch)

    def _tensors(self, number: int) -> Tensors:
        """The tensors that the layer's rule predicts for the inputs that it predicts."""
        node = self.report.node(number)
        assert node.layer is not None
        return {weight.name: weight.shape for weight in node.layer.weights(self.report.network.input_shapes(node))}


def _tensor_differences(actual: Tensors, predicted: Tensors) -> list[str]:
    """Tensors that have another shape, are missing or were not predicted."""
    found = []
    for name in [*predicted, *(name for name in actual if name not in predicted)]:
        have, want = actual.get(name), predicted.get(name)
        if have is None or want is None:
            found.append(f"{name} is {'missing' if have is None else 'not predicted'}")
        elif have != want:
            found.append(f"{name} is {list(have)}, predicted {list(want)}")
    return found


def effort(report: Report, number: int) -> int:
    """What running a layer is expected to take: its multiply-accumulates, and all numbers that are drawn or put out."""
    cost, node = report.costs[number], report.node(number)
    return report.batch * (cost.macs + HANDLED * prod(node.shape)) + DRAWN * cost.params


def efforts(network: Network, batch: int, backward: bool) -> tuple[int, int]:
    """(how often `starts` will be called, the work that it will be told): of every layer forwards, and back."""
    report = Report(network, batch)
    layers = [number for number, node in enumerate(network.nodes) if node.layer is not None]
    forward = sum(effort(report, number) for number in layers)
    return (2 * len(layers), (1 + BACK) * forward) if backward else (len(layers), forward)


def verify(
    network: Network,
    *,
    batch: int = 1,
    seed: int = 0,
    dtype: str = "float32",
    backward: bool = False,
    scheme: str | None = None,
    loss: Loss | None = None,
    starts: Callable[[str, int], None] | None = None,
) -> Verification:
    """Run the network on the NumPy reference and confirm its predictions, layer by layer.

    Inputs are standard normal numbers. `scheme` draws the weights (kaiming, xavier, torch, normal:STD; default
    kaiming with `backward`, else weights are 0). With `backward` the run is a training step, and the flow of
    activations and gradients is measured; `loss` stands in place of those of the outputs.
    `starts` is told of each layer that starts, forwards and back: its name and its `effort`. Raises UsageError for a
    layer that the reference does not know, ValueError for an unknown scheme and MemoryError where arrays do not fit.

    >>> from convcalc import loads
    >>> outcome = verify(loads("{convcalc: 1, input: [3, 8, 8], layers: [{conv2d: {out: 4, k: 3}}]}"))
    >>> outcome.ok, outcome.layers[0].actual_shape, outcome.layers[0].counted_macs
    (True, (4, 6, 6), 3888)
    """
    started = perf_counter()
    report = Report(network, batch)
    confirmed = Confirmation(report)
    layers = (number for number, node in enumerate(network.nodes) if node.layer is not None)
    steps: list[Step] = []
    scheme = scheme or (SCHEME if backward else UNDRAWN)
    losses = losses_of(network, loss) if backward else ()

    def begin(number: int | None, times: int = 1) -> None:
        if starts is not None and number is not None:
            name = network.nodes[number].name
            starts(name if times == 1 else f"{name} backwards", times * effort(report, number))

    # Values may overflow, in float16 above all: shapes and counts stay what they are.
    with np.errstate(all="ignore"):
        running = run(network, seed=seed, batch=batch, dtype=dtype, scheme=scheme, training=backward)
        begin(next(layers, None))
        try:
            for step in running:
                confirmed.add(step)
                begin(next(layers, None))
                if backward:
                    steps.append(step)
                # Else its arrays would live through the next layer.
                del step
        except NoTwin as error:
            raise UsageError(str(error)) from error
        except DoesNotFit as error:
            stopped = _first_not_run(network, len(confirmed.layers))
            confirmed.fail(stopped, str(error).removeprefix(f"{network.nodes[stopped].name}: "))
        flow = None
        if backward and not confirmed.findings:
            from .flow import measure

            flow = measure(network, steps, losses, seed, scheme, partial(begin, times=BACK))
    return Verification(
        network,
        batch,
        dtype,
        seed,
        perf_counter() - started,
        tuple(confirmed.layers),
        flow,
        tuple(confirmed.findings),
    )


def _first_not_run(network: Network, run_layers: int) -> int:
    """The number of the layer after the first `run_layers` ones."""
    layers = [index for index, node in enumerate(network.nodes) if node.layer is not None]
    return layers[run_layers]
