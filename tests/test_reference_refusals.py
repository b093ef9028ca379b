"""What the reference refuses, at the bound: the last size, position or axis that fits, and the first that does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convcalc.layers.batched import batched
from convcalc.layers.registry import build
from convcalc.reference import DoesNotFit, forward, init

Shape = tuple[int, ...]
RNG = np.random.default_rng(11)


@pytest.mark.parametrize(
    ("kind", "fields", "shapes", "fits"),
    [
        *(("select", {"dim": 1, "index": n}, [(2, 3)], -3 <= n < 3) for n in range(-5, 5)),
        *(("select", {"dim": -1, "index": n}, [(2, 3)], -3 <= n < 3) for n in (-4, -3, 2, 3)),
        *(("index_select", {"dim": 0, "indices": [0, n]}, [(3, 2)], -3 <= n < 3) for n in range(-5, 5)),
        *(("unbind", {"dim": 1, "parts": n}, [(2, 3)], n == 3) for n in range(1, 5)),
        *(("squeeze", {"dim": n}, [(1, 2, 1)], n != 1) for n in range(3)),
        ("squeeze", {"dim": [0, 1]}, [(1, 2, 1)], False),
        ("squeeze", {"dim": [0, -1]}, [(1, 2, 1)], True),
        *(("expand", {"shape": [n, 4]}, [(1, 4)], True) for n in (1, 2, 5)),
        *(("expand", {"shape": [2, n]}, [(2, 4)], n == 4) for n in (1, 2, 4, 8)),
        ("expand", {"shape": [3, 5, -1]}, [(5, 4)], True),
        ("expand", {"shape": [3, 6, 2]}, [(5, 1)], False),
        *(("stack", {}, [(2, 3), (2, 3), (n, 3)], n == 2) for n in range(1, 4)),
        ("stack", {}, [(2, 3), (2, 1)], False),
        *(("rnn", {"hidden_size": 2}, [shape], shape == (4, 3)) for shape in [(4, 3), (4, 4), (4, 2), (2, 4, 3)]),
        *(
            ("conv_lstm1d", {"out": 2, "k": 1}, [shape], shape == (4, 3, 5))
            for shape in [(4, 3, 5), (4, 2, 5), (4, 3), (4, 3, 5, 5)]
        ),
    ],
)
def test_up_to_where_it_fits(kind: str, fields: dict[str, Any], shapes: list[Shape], fits: bool) -> None:
    """As PyTorch 2.14.1 refuses them: torch.select, index_select, expand, stack, nn.RNN; sizes said must be met."""
    layer = build(kind, fields)
    drawn = {"rnn": (4, 3), "conv_lstm1d": (4, 3, 5)}.get(kind, shapes[0])
    weights = init(layer, [drawn], RNG)
    arrays = [RNG.standard_normal((2, *shape)) for shape in shapes]
    if fits:
        assert forward(layer, arrays, weights).shape == (2, *layer.output_shape(tuple(shapes)))
    else:
        with pytest.raises(DoesNotFit):
            forward(layer, arrays, weights)


def test_axes_that_count_as_batch_are_those_of_every_input() -> None:
    """Of other axes broadcasting decides."""
    both = batched(build("add", {}), 1)
    x = RNG.standard_normal((2, 3, 4))
    np.testing.assert_array_equal(forward(both, [x, x[..., :1]]), x + x[..., :1])
    for other in (x[:, :1], x[:1]):
        with pytest.raises(DoesNotFit):
            forward(both, [x, other])
