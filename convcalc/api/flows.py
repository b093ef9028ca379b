"""`compare_flows`: the gradients of variations of one network beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from ..findings import UsageError
from ..hints import suggest
from ..language.load import SpecOrigin
from ..network import Network, described
from ..verify import confirm
from ..verify.comparison import (
    FlowComparison,
    Variation,
    common_stations,
    compare,
    comparison_bytes,
    comparison_efforts,
)
from ..verify.flow import refuse_single_values
from ..verify.loss import losses_of
from ..verify.prediction import check_scheme
from ..verify.substitute import smallest_inputs
from ..verify.variation import NORMS, with_norm, with_skips, without_skips
from .load import Inputs, Spec, load
from .shown import Shown, made
from .verify import Dtype, loss_named, refuse_too_large, substituted

if TYPE_CHECKING:
    from ..render.document import Document

MOST_RUNS = 24
AXES = ("activation", "norm", "residual", "init", "loss", "variant")
"""What can be compared besides the params of the spec."""
TRUTH = ("true", "false")
Settings = dict[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class Flows(Shown, FlowComparison):
    """Training steps of variations of one network, and the gradient's way back in each.

    Printed, it is what `convcalc verify --backward --compare` prints.

    >>> import convcalc
    >>> spec = "{convcalc: 1, name: Two, input: [8], layers: [{linear: {out: 8}}, tanh, {linear: {out: 2}}]}"
    >>> convcalc.compare_flows(convcalc.loads(spec), ["activation=tanh,relu"])
    <Flows Two: 8 → 2: 2 runs>
    """

    def _document(self, width: int | None) -> Document:
        from ..render.flows import flows_document

        return flows_document(self, every=False)

    def __repr__(self) -> str:
        return f"<Flows {described(self.network)}: {len(self.runs)} runs>"


class FlowsPlan(NamedTuple):
    """A comparison that fits: the variations, and how they are run."""

    network: Network
    variations: tuple[Variation, ...]
    batch: int
    dtype: str

    def efforts(self) -> tuple[int, int]:
        """How often `starts` will be called, and the work that it will be told."""
        return comparison_efforts(self.variations, self.batch)

    def run(self, seed: int, starts: Callable[[str, int], None] | None = None) -> Flows:
        """The comparison; `starts` is told of each part that starts: its name and its work."""
        found = compare(self.network, self.variations, batch=self.batch, seed=seed, dtype=self.dtype, starts=starts)
        return made(Flows, found)


def read_axes(texts: Sequence[str]) -> list[Settings]:
    """The settings of every run: one of each axis, in all combinations. Raises UsageError.

    An axis is `NAME=VALUE,VALUE`; a value may bring further settings along, `VALUE+NAME=VALUE`.

    >>> read_axes(["activation=tanh,relu+norm=batch", "aux=true"])
    [{'activation': 'tanh', 'aux': 'true'}, {'activation': 'relu', 'norm': 'batch', 'aux': 'true'}]
    """
    axes = [_read_axis(text) for text in texts]
    if prod(map(len, axes)) > MOST_RUNS:
        raise UsageError(f"{prod(map(len, axes))} runs are more than {MOST_RUNS}", "compare fewer values at once")
    runs = []
    for chosen in product(*axes):
        settings: Settings = {}
        for alternative in chosen:
            for name, value in alternative.items():
                if name in settings:
                    raise UsageError(f"--compare sets {name} twice in one run", "give each name once")
                settings[name] = value
        runs.append(settings)
    if any(runs.count(settings) > 1 for settings in runs):
        raise UsageError("--compare has the same run twice", "give each value once")
    return runs


def _read_axis(text: str) -> list[Settings]:
    """The alternatives of one axis."""
    example = "for example activation=sigmoid,tanh,relu+norm=batch"
    name, equals, values = text.partition("=")
    if not equals or not name.strip() or not values.strip():
        raise UsageError(f"--compare takes NAME=VALUE,VALUE, not '{text}'", example)
    found = []
    for alternative in values.split(","):
        settings: Settings = {}
        for part in f"{name}={alternative}".split("+"):
            key, given, value = (piece.strip() for piece in part.partition("="))
            if not given or not key or not value:
                raise UsageError(f"'{part.strip()}' in --compare is no NAME=VALUE", example)
            if key in settings:
                raise UsageError(f"--compare sets {key} twice in one run", "give each name once")
            settings[key] = value
        found.append(settings)
    return found


class Training(NamedTuple):
    """How each run trains where its settings say nothing else."""

    batch: int = 1
    dtype: str = "float32"
    init: str | None = None
    activation: str | None = None
    loss: str | None = None
    quick: bool = False
    max_memory: int | None = None


class Source(NamedTuple):
    """How the network has been made of its spec, so that runs change one thing of it."""

    params: Mapping[str, object] | None = None
    variant: str | None = None
    input: Inputs | None = None


def plan_flows(network: Network, axes: Sequence[str], source: Source, training: Training) -> FlowsPlan:
    """What `compare_flows` runs. Raises UsageError for what cannot be run, or does not fit."""
    variations = [_variation(network, settings, source, training) for settings in read_axes(axes)]
    if training.quick:
        smaller = smallest_inputs(variations[0].network, training.batch, backward=True)
        if smaller is not None:
            variations = [one._replace(network=one.network.at(smaller)) for one in variations]
    common_stations(variations)
    refuse_too_large(comparison_bytes(variations, training.batch, training.dtype), training.max_memory, training.quick)
    for variation in variations:
        refuse_single_values(variation.network, training.batch)
    return FlowsPlan(network, tuple(variations), training.batch, training.dtype)


def _variation(network: Network, settings: Settings, source: Source, training: Training) -> Variation:
    """The network of one run."""
    origin = network.origin
    declared = origin.params if isinstance(origin, SpecOrigin) else {}
    params = {name: value for name, value in settings.items() if name in declared}
    own = {name: value for name, value in settings.items() if name not in declared}
    for name in own:
        if name not in AXES:
            known = [*declared, *AXES]
            raise UsageError(f"there is no '{name}' to compare", suggest(name, known, f"there are {', '.join(known)}"))
    if params or "variant" in own:
        if not isinstance(origin, SpecOrigin):
            raise UsageError("variant does not go with a network that has no spec", f"compare {', '.join(AXES[:-1])}")
        network = origin.reload(
            params={**(source.params or {}), **params}, variant=own.get("variant", source.variant), input=source.input
        )
    if "norm" in own:
        network = with_norm(network, _one_of("norm", own["norm"], NORMS))
    if "residual" in own:
        network = (with_skips if _one_of("residual", own["residual"], TRUTH) == "true" else without_skips)(network)
    activation = own.get("activation", training.activation)
    if activation is not None:
        network = substituted(network, activation)
    scheme, loss = own.get("init", training.init) or confirm.SCHEME, own.get("loss", training.loss)
    try:
        check_scheme(scheme)
    except ValueError as error:
        raise UsageError(f"init: {error}", "init=kaiming,torch") from error
    found = Variation(settings, network, scheme, None if loss is None else loss_named(loss))
    losses_of(network, found.loss)
    return found


def _one_of(axis: str, value: str, known: Iterable[str]) -> str:
    """The value, if it is one. Raises UsageError."""
    names = tuple(known)
    if value not in names:
        raise UsageError(f"{axis} is not '{value}'", suggest(value, names, f"one of {', '.join(names)}"))
    return value


def compare_flows(
    spec: Spec,
    axes: Sequence[str],
    *,
    params: Mapping[str, object] | None = None,
    variant: str | None = None,
    input: Inputs | None = None,
    batch: int = 1,
    seed: int = 0,
    dtype: Dtype = "float32",
    init: str | None = None,
    activation: str | None = None,
    loss: str | None = None,
    quick: bool = False,
    max_memory: int | None = None,
    starts: Callable[[str, int], None] | None = None,
) -> Flows:
    """Run a training step of several variations of a network and follow the gradient back through each.

    `axes` say what is varied, `NAME=VALUE,VALUE`, in all combinations: a param of the spec, `activation`, `norm` (none,
    batch, layer, instance), `residual` (true, false), `init`, `loss` or `variant`; `VALUE+NAME=VALUE` sets more in one
    run. The other arguments are those of `load` and `verify`. Raises UsageError as `verify` does.

    >>> flows = compare_flows("lenet5", ["activation=sigmoid,tanh"])
    >>> [round(run.flow.rows[1].saturated or 0, 2) for run in flows.runs], len(flows.runs[0].factors)
    ([0.0, 0.12], 5)
    """
    given = isinstance(spec, Network)
    network = spec if isinstance(spec, Network) else load(spec, params=params, variant=variant, input=input)
    source = Source(params, network.variant, network.inputs if given and input is None else input)
    training = Training(batch, dtype, init, activation, loss, quick, max_memory)
    return plan_flows(network, axes, source, training).run(seed, starts)
