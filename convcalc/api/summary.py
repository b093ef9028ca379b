"""`summary`: the modules of a PyTorch model as a printed tree, under the arguments of torchinfo's function."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from ..findings import UsageError
from ..hints import suggest
from ..render.module_rows import COLUMNS, NEED_A_RUN, ROWS, Look, Totals, module_lines
from ..render.streams import write_text

if TYPE_CHECKING:
    import torch

    from ..torch.rows import Row

USUAL = ("output_size", "num_params")
GRADIENTS = 2
"""An output of a layer with parameters is kept, and so is its gradient."""


class Summary:
    """The rows of a model's modules and their totals. Printed, it is the tree.

    The totals are those of torchinfo's `ModelStatistics`: counts of parameters, each once, of multiply-accumulates, and
    bytes. Multiply-accumulates are counted below the modules, operator by operator, so that those of functions count
    and additions of a bias do not.
    """

    def __init__(self, rows: Sequence[Row], input_size: list[tuple[int, ...]], input_bytes: int, look: Look) -> None:
        root = rows[0]
        self.summary_list = list(rows)
        self.input_size = input_size
        self.total_input = input_bytes
        self.total_params = root.params
        self.trainable_params = root.trainable
        self.total_param_bytes = root.param_bytes
        self.total_mult_adds = root.macs_below
        self.total_output_bytes = GRADIENTS * sum(row.output_bytes for row in rows if row.leaf and row.params)
        self._look = look

    def __str__(self) -> str:
        totals = Totals(
            self.total_params,
            self.trainable_params,
            self.total_mult_adds,
            self.total_input,
            self.total_output_bytes,
            self.total_param_bytes,
        )
        return "\n".join(module_lines(self.summary_list, totals, self._look, bool(self.input_size)))

    __repr__ = __str__

    @staticmethod
    def to_megabytes(num: int) -> float:
        """Bytes in megabytes, of 10^6."""
        return num / 1e6


def summary(
    model: torch.nn.Module,
    input_size: Sequence[Any] | None = None,
    input_data: Any = None,
    batch_dim: int | None = None,
    cache_forward_pass: bool | None = None,
    col_names: Iterable[str] | None = None,
    col_width: int = 25,
    depth: int = 3,
    device: torch.device | str | None = None,
    dtypes: Sequence[torch.dtype] | None = None,
    mode: str | None = None,
    row_settings: Iterable[str] | None = None,
    verbose: int | None = None,
    **kwargs: Any,
) -> Summary:
    """The modules of a model in the order of their calls: shapes, parameters, multiply-accumulates. It is printed too.

    The arguments are those of `torchinfo.summary`: `input_size` with the batch, `(1, 3, 224, 224)`, or a list of sizes;
    `input_data` a tensor, a list of arguments or a mapping of them; `batch_dim` the axis where sizes without a batch
    get one of 1; `col_names` of input_size, output_size, num_params, params_percent, kernel_size, groups, mult_adds,
    trainable; `row_settings` of depth, var_names, ascii_only, hide_recursive_layers; `verbose` 0 prints nothing, 2 the
    parameters too; `kwargs` go to `forward`. The model runs once on tensors without numbers and stays as it was; where
    its code asks for values it runs on its own device, and on `device` where one is given. With
    `cache_forward_pass` the run of the same model on the same sizes is kept.

    Raises SpecError where the model's code raises, UsageError where the call is wrong.

    >>> summary(torch.nn.Linear(4, 2), (1, 4), verbose=0).total_params  # doctest: +SKIP
    10
    """
    ran = input_size is not None or input_data is not None
    look = _look(col_names, col_width, depth, row_settings, verbose == 2, ran)
    if mode not in (None, "eval", "train"):
        raise UsageError(f"mode is 'eval' or 'train', not {mode!r}")
    if input_size is not None and input_data is not None:
        raise UsageError("input_size and input_data say the same thing", "give one of them")
    from ..torch.load import need_torch

    need_torch()
    from ..torch.live.summary import Asked, summarised

    asked = Asked(
        input_size, input_data, batch_dim, dtypes, kwargs, None if device is None else str(device), mode == "train"
    )
    rows, inputs = summarised(model, asked if ran else None, bool(cache_forward_pass))
    found = Summary(rows, [shape for shape, _ in inputs], sum(prod(shape) * size for shape, size in inputs), look)
    if verbose if verbose is not None else not hasattr(sys, "ps1"):
        write_text(str(found))
    return found


def _look(
    col_names: Iterable[str] | None,
    col_width: int,
    depth: int,
    row_settings: Iterable[str] | None,
    weights: bool,
    ran: bool,
) -> Look:
    """How it looks. Raises UsageError for names that there are not."""
    columns = tuple(col_names) if col_names is not None else USUAL if ran else ("num_params",)
    rows = tuple(row_settings) if row_settings is not None else ("depth",)
    known: Mapping[str, Iterable[str]] = {"col_names": COLUMNS, "row_settings": ROWS}
    for option, names in (("col_names", columns), ("row_settings", rows)):
        for name in names:
            if name not in known[option]:
                raise UsageError(f"{option}: there is no '{name}'", suggest(name, known[option]))
    missing = [name for name in columns if name in NEED_A_RUN]
    if missing and not ran:
        raise UsageError(f"col_names: {missing[0]} needs input_size or input_data")
    if not 1 <= col_width <= 100:
        raise UsageError(f"col_width is between 1 and 100, not {col_width}")
    return Look(columns, col_width, depth, rows, weights)
