"""`verify`: the predictions for a network held against a NumPy run of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..findings import UsageError
from ..hints import suggest
from ..network import LOSSES, described, find_loss
from ..units import amount
from ..verify import confirm
from ..verify.footprint import default_limit, needed_bytes
from ..verify.loss import losses_of
from .load import Spec, network_of
from .shown import Shown, made

if TYPE_CHECKING:
    from ..layers.base import Shape
    from ..network import Loss, Network
    from ..render.document import Document

Dtype = Literal["float32", "float64", "float16"]


class TooLargeForMemory(UsageError):
    """A run that would take more memory than it may; `needed` and `allowed` are bytes."""

    needed = 0
    allowed = 0


@dataclass(frozen=True, slots=True, repr=False)
class Verification(Shown, confirm.Verification):
    """The outcome of a verification: `ok`, and what was predicted and found of each layer.

    Printed, it is what `convcalc verify` prints.

    >>> import convcalc
    >>> outcome = convcalc.verify("lenet5")
    >>> outcome
    <Verification LeNet-5: 1×32×32 → 10: confirmed, 12 of 12 layers>
    >>> outcome.ok, outcome.layers[0].name
    (True, 'C1')
    """

    def _document(self, width: int | None) -> Document:
        from ..render.verify import verification_document

        return verification_document(self, every=False)

    def __repr__(self) -> str:
        good = sum(layer.ok for layer in self.layers)
        verdict = "confirmed" if self.ok else "NOT confirmed"
        return f"<Verification {described(self.network)}: {verdict}, {good} of {len(self.layers)} layers>"


class Plan(NamedTuple):
    """A run that fits: the network that is run, and how."""

    network: Network
    full_inputs: dict[str, Shape] | None
    """The network's own inputs, where smaller ones are run in their place."""
    batch: int
    dtype: str
    backward: bool
    scheme: str | None
    loss: Loss | None
    quick: bool
    needed: int
    """Bytes that it takes at the most, as estimated."""

    def efforts(self) -> tuple[int, int]:
        """How often `starts` will be called, and the work that it will be told."""
        return confirm.efforts(self.network, self.batch, self.backward)

    def run(self, seed: int, starts: Callable[[str, int], None] | None = None) -> Verification:
        """The outcome; `starts` is told of each layer that starts: its name and its work."""
        outcome = confirm.verify(
            self.network,
            batch=self.batch,
            seed=seed,
            dtype=self.dtype,
            backward=self.backward,
            scheme=self.scheme,
            loss=self.loss,
            starts=starts,
        )
        return made(
            Verification,
            outcome,
            full_inputs=self.full_inputs,
            needed=self.needed,
            quick=self.quick,
            scheme=self.scheme or confirm.SCHEME,
        )


def substituted(network: Network, activation: str) -> Network:
    """The network with that activation in place of its own. Raises UsageError for one that does not exist."""
    from ..verify.substitute import ACTIVATIONS, with_activation

    if activation not in ACTIVATIONS:
        hint = suggest(activation, ACTIVATIONS, f"there are {', '.join(ACTIVATIONS)}")
        raise UsageError(f"there is no activation '{activation}'", hint)
    return with_activation(network, activation)


def refuse_too_large(needed: int, max_memory: int | None, quick: bool) -> None:
    """Raise TooLargeForMemory where a run needs more bytes than `max_memory`, or than half of what is free."""
    allowed = default_limit() if max_memory is None else max_memory
    if needed <= allowed:
        return
    which = "half of the free memory, " if max_memory is None else ""
    takes, most = amount(needed, "bytes", 0, "up"), amount(allowed, "bytes", 0, "down")
    hint = f"use {'' if quick else 'quick=True, '}a smaller batch or input, or max_memory={needed}"
    error = TooLargeForMemory(f"this takes up to {takes}, more than {which}{most}", hint)
    error.needed, error.allowed = needed, allowed
    raise error


def plan(
    network: Network,
    batch: int = 1,
    dtype: str = "float32",
    backward: bool = False,
    scheme: str | None = None,
    activation: str | None = None,
    loss: Loss | None = None,
    quick: bool = False,
    max_memory: int | None = None,
) -> Plan:
    """What `verify` runs under these arguments. Raises UsageError for what cannot be run, or does not fit."""
    network = network if activation is None else substituted(network, activation)
    full = network.inputs
    if quick:
        from ..verify.substitute import smallest_inputs

        smaller = smallest_inputs(network, batch, backward)
        network = network.at(smaller) if smaller is not None else network
    needed = needed_bytes(network, batch, dtype, backward)
    refuse_too_large(needed, max_memory, quick)
    if backward:
        from ..verify.flow import refuse_single_values

        refuse_single_values(network, batch)
        losses_of(network, loss)
    smaller_inputs = full if network.inputs != full else None
    return Plan(network, smaller_inputs, batch, dtype, backward, scheme, loss, quick, needed)


def loss_named(text: str) -> Loss:
    """The loss of that name. Raises UsageError."""
    found = find_loss(text)
    if found is None:
        raise UsageError(f"there is no loss '{text}'", suggest(text, LOSSES, f"there are {', '.join(LOSSES)}"))
    return found


def verify(
    spec: Spec,
    *,
    batch: int = 1,
    seed: int = 0,
    dtype: Dtype = "float32",
    backward: bool = False,
    init: str | None = None,
    activation: str | None = None,
    loss: str | None = None,
    quick: bool = False,
    max_memory: int | None = None,
    starts: Callable[[str, int], None] | None = None,
) -> Verification:
    """Run a network on the NumPy reference and confirm shapes, params and macs, layer by layer.

    Inputs are drawn from the `seed`; weights too where a number is looked at, with `backward`, else they are 0.
    `quick` shrinks the input as far as strides, remainders and weights stay the same. With `backward` it is a
    training step, and the flow of activations and gradients is measured;
    `init` (kaiming, xavier, torch, normal:STD) draws its weights, `activation` stands in place of the spec's,
    `loss` (cross_entropy, mean_square, linear) in place of those of its outputs.
    `max_memory` are bytes; None: half of what is free. `starts` is told name and work of each layer that starts.
    A layer that differs is no exception: see `ok`, `findings`, `layers`. Raises UsageError for what would take more
    memory, for a layer that the reference does not know, and for arguments that do not go together.

    >>> verify("lenet5")
    <Verification LeNet-5: 1×32×32 → 10: confirmed, 12 of 12 layers>
    """
    for name, value in (("init", init), ("activation", activation), ("loss", loss)):
        if value is not None and not backward:
            raise UsageError(f"{name} changes numbers, not shapes: it needs backward=True")
    chosen = None if loss is None else loss_named(loss)
    if init is not None:
        from ..verify.prediction import check_scheme

        try:
            check_scheme(init)
        except ValueError as error:
            raise UsageError(f"init: {error}") from error
    planned = plan(network_of(spec), batch, dtype, backward, init, activation, chosen, quick, max_memory)
    return planned.run(seed, starts)
