"""Figures of candidates that are put together of parts: those of the networks themselves, whatever is asked for."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from random import Random

import pytest

from convcalc.analysis.figures import Figures, find
from convcalc.analysis.quantities import QUANTITIES
from convcalc.analysis.quantity import Value
from convcalc.findings import SpecError, UsageError
from convcalc.language import gallery_names, unfinished
from convcalc.language.document import Document
from convcalc.language.load import expand
from convcalc.marked import Source
from convcalc.sweep import evaluation
from convcalc.sweep.asked import Asked, Options
from convcalc.sweep.candidates import Candidate, Refused
from convcalc.sweep.evaluation import Evaluator
from convcalc.sweep.summaries import known
from convcalc.sweep.summaries.parts import Part, Piece
from convcalc.sweep.summaries.passages import Followed, Passages
from convcalc.sweep.summaries.reads import Values
from tests.sweep_candidates import candidates, document
from tools.fuzz.generators.specs import network as generated

FOLLOWING = [name for name, record in QUANTITIES.items() if record.follows is not None]
AT_PATHS = ("params", "macs", "live", "receptive_field", "start", "depth", "output", "workspace", "bytes_moved")
QUICK = ("resnet_cifar", "regnet", "lenet5", "googlenet", "teaching_residual", "teaching_inception", "textcnn", "vgg")
OPTIONS = (Options(), Options(batch=3, dtype="float16", optimizer="adam"), Options(batch=2, dtype="int8"))

Result = tuple[Value, ...] | tuple[str, str]


def by_network(spec: Document, candidate: Candidate, asked: Sequence[Asked], options: Options) -> Result:
    """The figures of a candidate's network, or the code and the message of its first error."""
    try:
        network = expand(spec, params=candidate.params, variant=candidate.variant, input=candidate.input)
        figures = Figures(network, options.batch, options.dtype, options.optimizer)
        subjects = [find(figures, path) for _, path in asked]
        records = [QUANTITIES[quantity] for quantity, _ in asked]
        return tuple([
            None if subject is None else record.get(figures, subject)
            for subject, record in zip(subjects, records, strict=True)
        ])  # fmt: skip
    except SpecError as error:
        return error.findings[0].code, error.findings[0].message


def evaluated(evaluator: Evaluator, candidate: Candidate) -> Result:
    """The same by an evaluator."""
    found = evaluator.values(candidate)
    return (found.code, found.message) if isinstance(found, Refused) else found


def differing(
    read: Callable[[], Document], asked: Sequence[Asked], options: Options, count: int, most: int = 1000
) -> list[str]:
    """Candidates whose figures differ, with what differs; those whose params nothing takes are left out."""
    evaluator, spec = Evaluator(read(), asked, options), read()
    found = []
    drawn = candidates(spec, count, str(asked[0]))
    for candidate in Random(count).sample(drawn, min(most, len(drawn))):
        try:
            wanted = by_network(spec, candidate, asked, options)
        except UsageError:
            continue
        got = evaluated(evaluator, candidate)
        if got != wanted:
            differ = [each.name for each, a, b in zip(asked, got, wanted, strict=False) if a != b]
            found.append(f"{candidate.params} {candidate.variant} {candidate.input}: {differ}")
    return found


def stages(spec: Document) -> list[str]:
    """The top-level items of a spec's variants."""
    networks = [expand(spec, variant=variant) for variant in (None, *spec.variants)]
    return list(dict.fromkeys(name for network in networks for name, *_ in network.stages()))


def hold(read: Callable[[], Document], count: int, most: int = 1000) -> None:
    """Everything that follows from parts, of the whole, of every stage, and of some groups deep inside."""
    spec = read()
    groups = list(expand(spec).groups)
    deep = Random(0).sample(groups, min(3, len(groups)))
    everything = [Asked(name) for name in FOLLOWING]
    at_stages = [Asked(name, path) for path in stages(spec) for name in AT_PATHS]
    inside = [Asked(name, path) for path in deep for name in FOLLOWING]
    for asked, options in zip((everything, at_stages, [*everything, *inside]), OPTIONS, strict=True):
        assert differing(read, asked, options, count, most) == []


@pytest.mark.parametrize("name", QUICK)
def test_candidates_have_the_figures_of_their_networks(name: str) -> None:
    hold(lambda: document(name), 6, most=3)


@pytest.mark.slow
@pytest.mark.parametrize("name", gallery_names())
def test_candidates_of_the_whole_gallery_have_the_figures_of_their_networks(name: str) -> None:
    hold(lambda: document(name), 12)


def of_generated(seeds: range) -> list[str]:
    found = []
    for seed in seeds:
        text = generated(Random(seed)).decode("utf-8", "replace")
        try:
            groups = list(expand(Document(Source(text, "<text>"))).groups)[:4]
        except SpecError:
            continue
        asked = [Asked(name) for name in FOLLOWING] + [Asked(name, path) for path in groups for name in AT_PATHS]
        for one in (asked[: len(FOLLOWING)], asked):
            differ = differing(lambda text=text: Document(Source(text, "<text>")), one, OPTIONS[1], 4)  # type: ignore[misc]
            found += [f"{seed}: {one}" for one in differ]
    return found


def test_candidates_of_generated_specs_have_the_figures_of_their_networks() -> None:
    assert of_generated(range(198, 208)) == []


@pytest.mark.slow
def test_candidates_of_many_generated_specs_have_the_figures_of_their_networks() -> None:
    assert of_generated(range(2000)) == []


def _forgetful(pieces: Sequence[Piece]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    part = pieces[-1].part
    assert part is not None
    return part.summed, part.largest


def _nothing(pieces: Sequence[Piece], part: Part) -> None:
    """Leaves a part as it is."""


@pytest.mark.parametrize(
    ("name", "wrong", "seen"),
    [("added", _forgetful, "macs"), ("deepest", _nothing, "depth"), ("memory", _nothing, "live")],
)
def test_a_wrong_summary_is_found(
    name: str, wrong: Callable[..., object], seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, name, wrong)
    found = differing(lambda: document("teaching_inception"), [Asked(name) for name in FOLLOWING], Options(), 0)
    assert found
    assert all(seen in line for line in found)


def test_a_field_that_is_followed_wrongly_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Passages, "_one", lambda self, passage, fields, sizes, local: Followed(fields, 0))
    assert differing(lambda: document("teaching_inception"), [Asked("receptive_field")], Options(), 0)


RESNETS = [
    Candidate(number, {"width": width, "depths": depths}, None, None, ())
    for number, (width, depths) in enumerate(
        [(width, (2, second, third, 3)) for width in (32, 40, 64) for second in (2, 4) for third in (3, 23)]
    )
]


def test_resnets_are_put_together_of_parts_that_are_few() -> None:
    evaluator = Evaluator(document("resnet"), [Asked("params"), Asked("macs"), Asked("live")], Options())
    for candidate in RESNETS:
        evaluator.values(candidate)
    assert evaluator.whole == 0
    held = len(evaluator._known.parts)
    for candidate in RESNETS:
        evaluator.values(candidate)
    assert len(evaluator._known.parts) == held


def test_paths_may_go_from_one_item_to_another_and_lead_into_items() -> None:
    asked = [
        Asked("macs", "conv1..conv3_x"),
        Asked("live", "conv3_x.1"),
        Asked("depth", "conv2_x.0.body"),
        Asked("macs"),
    ]
    evaluator, spec = Evaluator(document("resnet"), asked, Options()), document("resnet")
    for candidate in RESNETS[::4]:
        assert evaluated(evaluator, candidate) == by_network(spec, candidate, asked, Options())
    assert evaluator.whole == 0


def test_a_path_that_only_some_candidates_have() -> None:
    asked = [Asked("macs", "conv3_x.2"), Asked("params")]
    evaluator, spec = Evaluator(document("resnet"), asked, Options()), document("resnet")
    found = [evaluated(evaluator, candidate) for candidate in RESNETS[:4]]
    assert found == [by_network(spec, candidate, asked, Options()) for candidate in RESNETS[:4]]
    assert [value is None for value, _ in found] == [True, True, False, False]


OUTSIDE = """
convcalc: 1
input: [4, 16, 16]
params: {c: 8, aux: true}
blocks:
  unit:
    params: [c]
    layers:
      - {conv2d: {out: c, k: 3, p: 1}}
      - {layers: [{conv2d: {out: c, k: 1}}, {add: {}, from: [conv2d, stem]}]}
layers:
  - {conv2d: {out: c, k: 3, p: 1}, name: stem}
  - {unit: [c], repeat: 3, name: stage}
  - {layers: [global_avg_pool, flatten, {linear: {out: 3}}], name: side, from: stage.1, when: aux}
  - {layers: [relu, {conv2d: {out: 2 * c, k: 3}}], name: last, from: stage}
"""


@pytest.mark.parametrize("aux", [True, False])
def test_names_that_lead_out_of_an_item_and_into_it_are_seen(aux: bool) -> None:
    asked = [Asked(name) for name in FOLLOWING] + [Asked("live", "stage"), Asked("macs", "stage.1")]
    spec = Document(Source(OUTSIDE, "<text>"))
    evaluator = Evaluator(Document(Source(OUTSIDE, "<text>")), asked, Options())
    for number, c in enumerate((8, 12, 8)):
        candidate = Candidate(number, {"c": c, "aux": aux}, None, None, ())
        assert evaluated(evaluator, candidate) == by_network(spec, candidate, asked, Options())
    assert evaluator.whole == 0


def test_a_layer_that_reads_one_tensor_several_times_is_followed_by_each() -> None:
    text = """
convcalc: 1
input: [8, 8, 33]
layers: [{scaled_dot_product_attention: {branches: {query: [], key: [], value: []}}, name: attention}]
"""
    asked = [Asked(name) for name in FOLLOWING]
    assert differing(lambda: Document(Source(text, "<text>")), asked, Options(), 0) == []


SHARED = """
convcalc: 1
input: [4, 8, 8]
layers:
  - {conv2d: {out: 4, k: 1}, name: a}
  - {conv2d: {out: 4, k: 1}, name: b, share: a}
"""


def test_shared_weights_are_counted_once_by_looking_at_the_whole() -> None:
    evaluator = Evaluator(Document(Source(SHARED, "<text>")), [Asked("params")], Options())
    assert not evaluator.folds
    assert evaluator.values(Candidate(0, {}, None, None, ())) == (20,)


def test_other_quantities_are_of_the_whole_network() -> None:
    asked = [Asked("training"), Asked("arena"), Asked("macs", "conv2_x.*.body")]
    evaluator = Evaluator(document("resnet"), asked, Options())
    candidate = RESNETS[0]
    assert evaluator.values(candidate) == by_network(document("resnet"), candidate, asked, Options())


def test_a_device_gives_the_time() -> None:
    evaluator = Evaluator(document("vgg"), [Asked("time"), Asked("bound")], Options(device="v100"))
    time, bound = evaluated(evaluator, Candidate(0, {}, None, None, ()))
    assert isinstance(time, int) and time > 0
    assert bound == "compute"


HOSTILE = """
convcalc: 1
input: [4, 8, 8]
params: {n: 2}
blocks:
  a: {layers: [{relu: {}, repeat: n}]}
  b: {layers: [{a: {}, repeat: n}]}
  c: {layers: [{b: {}, repeat: n}]}
layers: [{c: {}, repeat: n}]
"""


def test_a_candidate_keeps_the_limits_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (evaluation, unfinished):
        monkeypatch.setattr(module, "STEPS", 20_000)
    asked = [Asked("macs"), Asked("flops")]
    evaluator, spec = Evaluator(Document(Source(HOSTILE, "<text>")), asked, Options()), Document(Source(HOSTILE, "x"))
    refused = []
    for n in (1, 3, 5, 6, 7, 8, 10**12):
        candidate = Candidate(n, {"n": n}, None, None, ())
        found = evaluated(evaluator, candidate)
        assert found == by_network(spec, candidate, asked, Options())
        refused.append(found[0] == "CC111")
    assert refused == sorted(refused)
    assert set(refused) == {True, False}


DEEP = """
convcalc: 1
input: [4, 8, 8]
blocks:
{blocks}
layers: [b0, {{b60: {{}}, name: again}}]
"""


def test_blocks_that_are_nested_deeper_than_networks_are_refused_alike() -> None:
    blocks = "\n".join([f"  b{i}: {{layers: [b{i + 1}]}}" for i in range(80)] + ["  b80: {layers: [relu]}"])
    text = DEEP.format(blocks=blocks)
    candidate = Candidate(0, {}, None, None, ())
    evaluator = Evaluator(Document(Source(text, "<text>")), [Asked("flops")], Options())
    wanted = by_network(Document(Source(text, "<text>")), candidate, [Asked("flops")], Options())
    assert evaluated(evaluator, candidate) == wanted
    assert wanted[0] == "CC111"


def test_figures_above_the_limit_are_refused_alike() -> None:
    text = (
        "{convcalc: 1, input: [1, 8, 8], params: {c: 1}, layers: [{conv2d: {out: c, k: 1}}, {conv2d: {out: c, k: 1}}]}"
    )
    asked = [Asked("macs")]
    evaluator, spec = Evaluator(Document(Source(text, "<text>")), asked, Options()), Document(Source(text, "<text>"))
    for c in (2, 2**20, 2**31, 3 * 2**27, 2**29, 2**40, 2**62):
        candidate = Candidate(c, {"c": c}, None, None, ())
        assert evaluated(evaluator, candidate) == by_network(spec, candidate, asked, Options())


def test_truth_values_are_told_from_numbers_and_elements_from_lists() -> None:
    whole, first = Values(frozenset({("a", None)})), Values(frozenset({("a", 0)}))
    assert whole.of({"a": True}) != whole.of({"a": 1})
    assert whole.of({"a": (1, 2)}) != whole.of({"a": (True, 2)})
    assert first.of({"a": (1, 2)}) == first.of({"a": (1, 3)})
    assert first.of({"a": (1, 2)}) != first.of({"a": (2, 2)})
    later = Values(frozenset({("index", ("==", 0))}))
    assert later.of({"index": 1}) == later.of({"index": 7}) != later.of({"index": 0})


def random_regnets(count: int) -> list[Candidate]:
    """RegNets whose widths and depths all differ."""
    random = Random(0)
    found = []
    for number in range(count):
        widths = tuple(sorted(16 * random.randint(1, 60) for _ in range(4)))
        depths = tuple(random.randint(1, 9) for _ in range(4))
        params = {"widths": widths, "depths": depths, "group_width": 16, "excite": random.random() < 0.5}
        found.append(Candidate(number, params, None, None, ()))
    return found


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOST_PARTS", "MOST_LAYERS"):
        monkeypatch.setattr(known, name, 200)
    monkeypatch.setattr(evaluation, "DIFFERENT_LAYERS", 60)
    asked = [Asked("params"), Asked("live"), Asked("receptive_field")]
    evaluator, spec = Evaluator(document("regnet"), asked, Options()), document("regnet")
    for number, candidate in enumerate(random_regnets(12)):
        found = evaluator.values(candidate)
        if number % 6 == 0:
            assert found == by_network(spec, candidate, asked, Options())
        assert len(evaluator._known.parts) <= 200
        assert len(evaluator.document.known) <= 60
    assert evaluator.whole == 0


@pytest.mark.slow
def test_all_that_may_be_remembered_takes_less_than_300_megabytes() -> None:
    asked = [Asked("params"), Asked("macs"), Asked("live"), Asked("receptive_field")]
    evaluator = Evaluator(document("regnet"), asked, Options())
    drawn = random_regnets(500)
    for candidate in drawn[:50]:
        evaluator.values(candidate)
    tracemalloc.start()
    before = len(evaluator._known.parts)
    for candidate in drawn[50:]:
        evaluator.values(candidate)
    bytes_, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert bytes_ / (len(evaluator._known.parts) - before) * known.MOST_PARTS < 300e6
