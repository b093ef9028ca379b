"""Quantities of memory, in bytes at the report's batch and dtype."""

from __future__ import annotations

from ..report import Report, Subject
from .values import Quantity, Value


def _params(report: Report, subject: Subject) -> int:
    return report.cost(subject).params * report.item


def _state(report: Report, subject: Subject) -> int:
    from ..memory.training import OPTIMIZERS

    return OPTIMIZERS[report.optimizer] * _params(report, subject)


def _activation(report: Report, subject: Subject) -> Value:
    return report.activations(subject.nodes) * report.item


def _live(report: Report, subject: Subject) -> Value:
    live = report.liveness.live
    return max([live[i] for i in subject.nodes], default=0) * report.batch * report.item


def _saved(report: Report, subject: Subject) -> int:
    return sum([report.saved[i] for i in subject.nodes])


def _workspace(report: Report, subject: Subject) -> Value:
    """The largest, since layers run one after another; of one example, as Caffe holds it."""
    from ..cost.multiplications import im2col_elements

    elements = report.figures(im2col_elements)
    return max([elements[i] for i in subject.nodes], default=0) * report.item


def _training(report: Report, subject: Subject) -> Value:
    return 2 * _params(report, subject) + _state(report, subject) + _saved(report, subject)


MEMORY_QUANTITIES = (
    Quantity("params_memory", "bytes", "params at --dtype", _params, sums=True),
    Quantity("gradients", "bytes", "gradients of params", _params, sums=True),
    Quantity("optimizer", "bytes", "state of --optimizer: 0, 1 (momentum) or 2 (adam) a param", _state, sums=True),
    Quantity("activation", "bytes", "its output", _activation, sums=True),
    Quantity("live", "bytes", "alive while it runs at inference, in the given order; total: the peak", _live),
    Quantity("saved", "bytes", "kept for backward and by no earlier layer, as PyTorch does", _saved, sums=True),
    Quantity("workspace", "bytes", "im2col matrix of one example; total: the largest", _workspace),
    Quantity("training", "bytes", "params, gradients, optimizer state and saved tensors", _training, sums=True),
)  # fmt: skip
