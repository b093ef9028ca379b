"""Training steps of several networks beside each other: the gradient's way back through the factors that all have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, log10, prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..analysis.report import Report
from ..findings import UsageError
from ..reference import DoesNotFit, NoTwin, run
from ..version import FORMAT
from .confirm import BACK, effort
from .factors import MOST_STEPS, Factor, factors, spectral_norm, stations
from .flow import Flow, measure
from .footprint import needed_bytes
from .loss import losses_of

if TYPE_CHECKING:
    from ..network import Loss, Network


class FactorFlow(NamedTuple):
    """One factor of a run; see `factors`. None where there is no number."""

    name: str
    gradient_log10: float | None
    """Of the 2-norm of the gradient at what it reads."""
    gain_log10: float | None
    """Of that norm over the norm at its end. Heads that join in between add to it."""
    norm: float | None
    """The spectral norm of its Jacobian: the most that the gain can be without such heads."""
    saturated: float | None
    """The share of its activations' inputs at which they are flat."""

    def to_dict(self) -> dict[str, object]:
        """The factor in the JSON contract."""
        return {
            "name": self.name,
            "gradient": _power(self.gradient_log10),
            "gradient_log10": self.gradient_log10,
            "gain": _power(self.gain_log10),
            "spectral_norm": self.norm,
            "saturated": self.saturated,
        }


class Variation(NamedTuple):
    """One of the networks that are compared."""

    settings: dict[str, str]
    """What sets it apart: axis -> value."""
    network: Network
    scheme: str = "kaiming"
    loss: Loss | None = None


class RunFlow(NamedTuple):
    """The training step of one variation."""

    variation: Variation
    flow: Flow
    factors: tuple[FactorFlow, ...]

    @property
    def gain_log10(self) -> float | None:
        """Of the gradient at what the first factor reads over that at the end of the last."""
        return _sum([factor.gain_log10 for factor in self.factors])

    @property
    def bound_log10(self) -> float | None:
        """Of the product of the spectral norms."""
        return _sum([_log(factor.norm) for factor in self.factors])

    @property
    def saturated(self) -> float | None:
        """The mean over the factors with activations."""
        known = [factor.saturated for factor in self.factors if factor.saturated is not None]
        return sum(known) / len(known) if known else None

    def to_dict(self) -> dict[str, object]:
        """The run in the JSON contract."""
        return {
            "settings": self.variation.settings,
            "init": self.variation.scheme,
            "losses": [loss.to_dict() for loss in self.flow.losses],
            "extremes": self.flow.extremes.to_dict(),
            "gain": _power(self.gain_log10),
            "gain_log10": self.gain_log10,
            "spectral_norms": _power(self.bound_log10),
            "spectral_norms_log10": self.bound_log10,
            "saturated": self.saturated,
            "factors": [factor.to_dict() for factor in self.factors],
        }


@dataclass(frozen=True, slots=True)
class FlowComparison:
    """Training steps of several variations of one network."""

    network: Network
    """As it is without them."""
    batch: int
    """Examples of each training step."""
    dtype: str
    """The type that it is computed in."""
    seed: int
    """Of inputs, targets and weights."""
    runs: tuple[RunFlow, ...]
    """A training step of each variation, in the order of the axes."""

    def to_dict(self) -> dict[str, object]:
        """The JSON contract of `verify --compare`."""
        return {
            "format": FORMAT,
            "spec": self.network.name,
            "variant": self.network.variant,
            "input": {name: list(shape) for name, shape in self.runs[0].variation.network.inputs.items()},
            "batch": self.batch,
            "dtype": self.dtype,
            "seed": self.seed,
            "runs": [run.to_dict() for run in self.runs],
        }


def common_stations(variations: Sequence[Variation]) -> list[str]:
    """The layers at which factors begin in every variation, in the order of the first. Raises UsageError for none."""
    each = [[station.name for station in stations(variation.network)] for variation in variations]
    shared = set(each[0]).intersection(*each[1:])
    found = [name for name in each[0] if name in shared]
    if not all(each):
        raise UsageError("there is no convolution or linear layer that every path goes through", "leave --compare out")
    if not found:
        raise UsageError(
            "no convolution or linear layer that every path goes through has the same name in all of them",
            "compare variations of one network, such as activation=sigmoid,relu",
        )
    return found


def comparison_bytes(variations: Sequence[Variation], batch: int, dtype: str) -> int:
    """Bytes that a comparison takes at its peak, at most: one run at a time, and as much again for the directions of a
    spectral norm.
    """
    return 2 * max(needed_bytes(variation.network, batch, dtype, backward=True) for variation in variations)


def comparison_efforts(variations: Sequence[Variation], batch: int) -> tuple[int, int]:
    """(how often `starts` will be called, the work that it will be told)."""
    names = common_stations(variations)
    works = [work for variation in variations for work in _works(variation, names, batch)]
    return len(works), sum(works)


def _works(variation: Variation, names: Sequence[str], batch: int) -> list[int]:
    """What the forward pass, each factor's norm and the backward pass of a run are expected to take."""
    network, report = variation.network, Report(variation.network, batch)
    efforts = [0 if node.layer is None else effort(report, index) for index, node in enumerate(network.nodes)]
    passes = (1 + BACK) * MOST_STEPS // 2
    norms = [passes * sum(efforts[f.start + 1 : f.stop + 1]) for f in factors(network, names)]
    return [sum(efforts), *norms, BACK * sum(efforts)]


def compare(
    network: Network,
    variations: Sequence[Variation],
    *,
    batch: int = 1,
    seed: int = 0,
    dtype: str = "float32",
    starts: Callable[[str, int], None] | None = None,
) -> FlowComparison:
    """Run a training step of each variation and measure the factors that all have.

    `starts` is told of each part that starts, and its work. Raises UsageError for a layer that the reference does not
    know or cannot run, and where the variations have no factor in common.
    """
    names = common_stations(variations)
    runs = []
    for number, variation in enumerate(variations, start=1):
        works = iter(_works(variation, names, batch))

        def begin(what: str, works: Iterator[int] = works, number: int = number) -> None:
            if starts is not None:
                starts(f"{number} of {len(variations)}, {what}", next(works))

        with np.errstate(all="ignore"):
            runs.append(_run(variation, names, batch, seed, dtype, begin))
    return FlowComparison(network, batch, dtype, seed, tuple(runs))


def _run(
    variation: Variation, names: Sequence[str], batch: int, seed: int, dtype: str, begin: Callable[[str], None]
) -> RunFlow:
    network = variation.network
    begin("forwards")
    try:
        steps = list(run(network, seed=seed, batch=batch, dtype=dtype, scheme=variation.scheme, training=True))
    except (NoTwin, DoesNotFit) as error:
        raise UsageError(str(error)) from error
    by_node = {step.number: step for step in steps}
    parts = factors(network, names)
    norms = []
    for factor in parts:
        begin(factor.name)
        norms.append(spectral_norm(factor, by_node, seed))
    begin("backwards")
    by_node.clear()
    flow = measure(network, steps, losses_of(network, variation.loss), seed, variation.scheme)
    return RunFlow(
        variation,
        flow,
        tuple(_factor_flow(network, flow, factor, norm) for factor, norm in zip(parts, norms, strict=True)),
    )


def _factor_flow(network: Network, flow: Flow, factor: Factor, norm: float | None) -> FactorFlow:
    here, behind = flow.arrived.get(factor.start), flow.arrived.get(factor.stop)
    gain = here - behind if here is not None and behind is not None else None
    inside = {node.name for node in network.nodes[factor.start + 1 : factor.stop + 1]}
    sizes = {node.name: prod(node.shape) for node in network.nodes}
    rows = [(row.saturated, sizes[row.name]) for row in flow.rows if row.name in inside and row.saturated is not None]
    share = sum(saturated * size for saturated, size in rows) / sum(size for _, size in rows) if rows else None
    return FactorFlow(factor.name, here, gain, norm, share)


def _power(log: float | None) -> float | None:
    """10 to that; None where a double cannot hold it."""
    return 10**log if log is not None and abs(log) < 300 else None


def _log(value: float | None) -> float | None:
    return log10(value) if value is not None and value > 0 and isfinite(value) else None


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
