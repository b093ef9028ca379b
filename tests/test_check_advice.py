"""The rules of advice, beyond the examples of the manual: boundaries, exemptions, and brute force."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcalc import loads
from convcalc.check.rules import RULES, advise, windows
from convcalc.check.rules.windows import slides
from convcalc.geometry import GeometryError, conv_output


def spec(*layers: str, input: str = "[8, 14, 14]", rest: str = "") -> str:
    items = "".join(f"  - {layer}\n" for layer in layers)
    return f"convcalc: 1\ninput: {input}\nlayers:\n{items}{rest}\n"


def advice(*layers: str, input: str = "[8, 14, 14]", rest: str = "") -> list[str]:
    return sorted(finding.code for finding in advise(loads(spec(*layers, input=input, rest=rest))))


@pytest.mark.parametrize(
    ("layers", "codes"),
    [
        (["{conv2d: {out: 8, k: 3, s: 2, p: 1}}"], []),  # remainder 1, padding after 1
        (["{conv2d: {out: 8, k: 3, s: 2}}"], ["CC401"]),
        (["{conv2d: {out: 8, k: 1, s: 3}}"], ["CC401"]),
        (["{max_pool2d: {k: 3, s: 2}}"], ["CC401"]),
        (["{max_pool2d: {k: 3, s: 2, ceil_mode: true}}"], []),
        (["{avg_pool2d: {k: 3, s: 2}}", "{conv2d: {out: 8, k: [1, 2], s: 2}}"], ["CC401"] * 2),
        (["{conv_transpose2d: {out: 8, k: 4, s: 2, p: 1}}"], []),
        (["{conv_transpose2d: {out: 8, k: 1, s: 2}}"], ["CC402"]),
        (["{conv_transpose2d: {out: 8, k: 4, s: 2, d: 2}}"], ["CC402"]),
        (["{conv2d: {out: 8, k: 3, p: 1}}", "batch_norm"], ["CC403"]),
        (["{conv2d: {out: 8, k: 3, p: 1}}", "relu", "batch_norm"], []),
        (["{conv2d: {out: 8, k: 3, p: 1}, name: c}", "batch_norm", "{add: {}, from: [batch_norm, c]}"], []),
        (["{conv2d: {out: 8, k: 3, p: 2}}"], []),
        (["{conv2d: {out: 8, k: 3, p: 3}}"], ["CC404"]),
        (["{conv2d: {out: 8, k: 3, p: 4, d: 2}}"], []),
        (["{conv2d: {out: 8, k: 3, p: 4, padding_mode: circular}}"], []),
        (["{conv2d: {out: 8, k: 15, p: 7}}"], ["CC409"]),
        (["{conv2d: {out: 16, k: 3, p: 1, g: 8}}"], []),  # depthwise
        (["{conv2d: {out: 4, k: 3, p: 1, g: 4}}"], ["CC411"]),
        (["{group_norm: {num_groups: 8}}"], ["CC411"]),
        (["{group_norm: {num_groups: 4}}"], []),
        (["{unfold: {k: 3, s: 2}}"], []),
    ],
)
def test_advice(layers: list[str], codes: list[str]) -> None:
    assert advice(*layers) == codes


def test_no_more_inputs_are_unread_than_there_are() -> None:
    network = loads(spec("{conv2d: {out: 1, k: 1, s: 3, p: [[2, 0], [2, 0]]}}", input="[1, 1, 1]"))
    found = [finding for finding in advise(network) if finding.code == "CC401"]
    assert [finding.message for finding in found] == ["conv2d never reads the last 1 of 1 positions"]
    assert found[0].hint == "pad 1 more after: the stride is 3"


def test_dead_ends_are_found_only_where_outputs_are_named() -> None:
    layers = ["{relu: {}, name: a}", "{relu: {}, name: b}", "{relu: {}, name: c, from: a}"]
    assert advice(*layers) == []
    assert advice(*layers, rest="outputs: [c]") == ["CC406"]
    assert advice(*layers, rest="outputs: [b, c]") == []


def test_an_input_that_nothing_reads() -> None:
    both = "{left: [8, 4, 4], right: [8, 4, 4]}"
    assert advice("{relu: {}, from: left}", input=both) == ["CC406"]
    assert advice("{add: {}, from: [left, right]}", input=both) == []


def test_unused_blocks_do_not_report_their_parameters() -> None:
    blocks = "params: {n: 2}\nblocks:\n  a: {params: {k: 1, s: 1}, layers: [{conv2d: {out: 8, k: k}}]}"
    assert advice("relu", rest=blocks) == ["CC407", "CC407"]  # n and a
    assert advice("{a: {}}", rest=blocks) == ["CC407", "CC407"]  # n and a's s


def test_layers_of_one_line_share_a_finding() -> None:
    layers = "{layers: [{conv2d: {out: 8, k: 1, s: 2}}, {pad: {padding: [[0, 7], [0, 7]]}}], repeat: 3}"
    (finding,) = advise(loads(spec(layers)))
    assert finding.message.endswith("(and 2 more layers from this line)")


def test_axes_that_differ_are_named() -> None:
    (finding,) = advise(loads(spec("{conv2d: {out: 8, k: 1, s: 2}}", input="[8, 13, 14]")))
    assert "along its width" in finding.message
    (finding,) = advise(loads(spec("{conv2d: {out: 8, k: 1, s: 2}}")))
    assert "along" not in finding.message


def read_positions(size: int, output: int, k: int, s: int, before: int, d: int) -> list[set[int]]:
    return [{q * s - before + t * d for t in range(k)} & set(range(size)) for q in range(output)]


@settings(max_examples=300)
@given(*(st.integers(1, 9), st.integers(1, 4), st.integers(1, 4), st.integers(0, 6), st.integers(1, 4)))
def test_unread_and_blind_windows_by_brute_force(i: int, k: int, s: int, p: int, d: int) -> None:
    """CC401 where the inputs behind the last that is read are real; CC404 where a window reads none."""
    try:
        output = conv_output(i, k, s, p, p, d)
    except GeometryError:
        return
    found = set(advice(f"{{conv1d: {{out: 8, k: {k}, s: {s}, p: {p}, d: {d}}}}}", input=f"[8, {i}]"))
    windows = read_positions(i, output, k, s, p, d)
    last = (output - 1) * s - p + d * (k - 1)
    assert ("CC401" in found) == (last < i - 1)
    assert ("CC404" in found) == any(not window for window in windows)
    assert ("CC409" in found) == (d * (k - 1) + 1 > i)


def test_the_brute_force_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_blind", lambda slide: None)
    with pytest.raises(AssertionError):
        test_unread_and_blind_windows_by_brute_force()


def test_slides_skip_layers_whose_space_is_gone() -> None:
    network = loads(spec("{unfold: {k: 3}}", "global_avg_pool", input="[8, 14, 14]"))
    assert list(slides(network)) == []
    assert len(RULES) == 9


@pytest.mark.parametrize(
    ("shape", "codes"),
    [("[32, 32, 3]", ["CC412"]), ("[28, 28, 1]", ["CC412"]), ("[64, 100, 1]", []), ("[3, 32, 32]", [])],
)
def test_channels_that_seem_to_stand_last(shape: str, codes: list[str]) -> None:
    assert advice("{conv2d: {out: 4, k: 1}}", input=shape) == codes
    assert advice("{permute: {dims: [2, 0, 1]}}", input=shape) == []


def test_channels_last_says_the_shape_that_is_meant() -> None:
    (found,) = advise(loads(spec("{conv2d: {out: 4, k: 3}}", input="[32, 32, 3]")))
    assert (found.line, found.hint) == (2, "channels stand first: [3, 32, 32]")
    assert found.message == "32 channels of 32×3, as an image with its channels last"
