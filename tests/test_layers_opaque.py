"""opaque: what the language does not have keeps its shape, its weights and its cost, in a spec too."""

from __future__ import annotations

import pytest

from convcalc import SpecError, analyse, loads
from convcalc.language.write import write

SPEC = """
convcalc: 1
input: [8, 6, 6]
layers:
  - {conv2d: {out: 4, k: 3, p: 1, bias: false}, name: flow}
  - opaque:
      operator: "aten::grid sample, 2-d"
      output: [8, 3, 3]
      reads: [[8, 6, 6], [4, 6, 6]]
      holds: [[16, 8], [16], [4, 8]]
      macs: 1152
      reason: "it reads where the flow says: [not] by a rule"
    name: warp
    from: [input, flow]
  - relu
"""


def test_it_keeps_shape_weights_and_cost() -> None:
    network = loads(SPEC)
    report = analyse(network)
    assert network["warp"].shape == (8, 3, 3)
    assert report.totals.params == 4 * 8 * 9 + 16 * 8 + 16 + 4 * 8
    assert report.totals.weights == 4 * 8 * 9 + 16 * 8 + 4 * 8
    assert report.totals.macs == 4 * 8 * 9 * 36 + 1152


def test_what_is_written_is_read_again() -> None:
    network = loads(SPEC)
    again = loads(write(network))
    assert again.nodes == network.nodes


def test_its_output_is_not_known_for_other_inputs() -> None:
    with pytest.raises(SpecError, match=r"known for inputs of \[8, 6, 6\] and \[4, 6, 6\], not of \[8, 7, 7\]"):
        loads(SPEC, input=[8, 7, 7])


def test_without_a_shape_it_broadcasts() -> None:
    text = "{convcalc: 1, input: [8, 6, 6], layers: [{global_avg_pool: {}, name: mean}, "
    text += "{opaque: {operator: hypot}, from: [mean, input]}]}"
    assert loads(text)["opaque"].shape == (8, 6, 6)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("{operator: [a]}", "operator takes a text"),
        ("{operator: a, output: [-1]}", "output"),
        ("{operator: a, holds: [3]}", "holds"),
        ("{operator: a, macs: -1}", "macs"),
        ("{output: [3]}", "opaque needs operator"),
    ],
)
def test_wrong_fields_are_refused(fields: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        loads(f"{{convcalc: 1, input: [3, 4, 4], layers: [{{opaque: {fields}}}]}}")
