"""Drafts of models: names that the language allows, groups of the modules' calls, what leads to no output left out."""

from __future__ import annotations

from convcalc.layers.registry import build
from convcalc.models.draft import Draft
from convcalc.models.paths import GROUPS, GROUPS_PER_STEP
from convcalc.models.steps import Place

CONV = build("conv2d", {"out": 4, "k": 1})
RELU = build("relu", {})


def drafted(*scopes: tuple[Place, ...]) -> tuple[list[str], dict[str, str]]:
    """Paths of layers in these scopes, and path -> kind of their groups."""
    draft = Draft()
    last = draft.input("x", (4, 5, 5))
    for scope in scopes:
        last = draft.add(RELU, [last], scope=scope)
    network = draft.network("model", {"out": last})
    return [node.name for node in network], {path: group.kind for path, group in network.groups.items()}


def test_children_of_one_class_keep_their_numbers() -> None:
    layer1 = Place(("layer1",), "Sequential", 1)
    scopes = [
        (layer1, Place((str(n),), "Block", 10 + n), Place((name,), "ReLU", 100 + 10 * n + i))
        for n in range(2)
        for i, name in enumerate(("a", "b"))
    ]
    paths, groups = drafted(*scopes)
    assert paths == ["layer1.0.a", "layer1.0.b", "layer1.1.a", "layer1.1.b"]
    assert groups == {"layer1": "repeat", "layer1.0": "Block", "layer1.1": "Block"}


def test_numbered_modules_keep_their_numbers() -> None:
    features = Place(("features",), "Sequential", 1)
    stem = Place(("1",), "ConvNormAct", 2)
    paths, groups = drafted(
        (features, Place(("0",), "ReLU", 3)),
        (features, stem, Place(("0",), "Conv2d", 4)),
        (features, stem, Place(("1",), "BatchNorm2d", 5)),
        (features,),
        (features,),
    )
    assert paths == [
        "features.0",
        "features.1.0",
        "features.1.1",
        "features.relu",
        "features.relu_2",
    ]
    assert groups == {"features": "Sequential", "features.1": "ConvNormAct"}


def test_containers_that_are_not_called_are_groups_where_nothing_interrupts_them() -> None:
    paths, groups = drafted(
        (Place(("blocks", "0"), "Block", 1), Place(("a",), "ReLU", 2)),
        (Place(("blocks", "0"), "Block", 1), Place(("b",), "ReLU", 3)),
        (Place(("blocks", "1"), "Block", 4), Place(("a",), "ReLU", 5)),
        (Place(("blocks", "1"), "Block", 4), Place(("b",), "ReLU", 6)),
    )
    assert paths == ["blocks.0.a", "blocks.0.b", "blocks.1.a", "blocks.1.b"]
    assert groups == {"blocks": "repeat", "blocks.0": "Block", "blocks.1": "Block"}
    paths, groups = drafted(
        (Place(("convs", "0"), "ReLU", 1),),
        (Place(("norms", "0"), "ReLU", 2),),
        (Place(("convs", "1"), "ReLU", 3),),
        (Place(("norms", "1"), "ReLU", 4),),
    )
    assert paths == ["convs_0", "norms_0", "convs_1", "norms_1"] and not groups


def test_a_module_that_is_called_twice_has_two_names() -> None:
    paths, groups = drafted((Place(("relu",), "ReLU", 1),), (Place(("relu",), "ReLU", 2),))
    assert paths == ["relu", "relu_2"] and not groups


def test_names_that_the_language_does_not_allow_are_changed() -> None:
    paths, _ = drafted((Place(("input",), "ReLU", 1),), (Place(("a b",), "ReLU", 2),), (Place(("7",), "ReLU", 3),))
    assert paths == ["input_", "a_b", "7"]


def test_parts_of_a_split_stand_together_and_what_leads_nowhere_is_left_out() -> None:
    draft = Draft()
    first, second = draft.input("left", (4, 5, 5)), draft.input("right", (4, 5, 5))
    parts = [build("split", {"channels": [1, 3], "part": part}) for part in range(2)]
    _, kept = draft.split(parts, first)
    draft.add(RELU, [second])
    network = draft.network("model", [("y", draft.add(CONV, [kept], label="aten::conv"))])
    assert [node.name for node in network.nodes] == ["input", "split.0", "split.1", "conv2d"]
    assert network.groups["split"].kind == "split" and network["conv2d"].inputs == (2,)


def interrupted(count: int, depth: int) -> list[tuple[Place, ...]]:
    """Scopes of so many layers, each of which interrupts all of the one before."""
    return [
        tuple(Place((f"level{level}_{which % 2}",), "", (which, level)) for level in range(depth))
        for which in range(count)
    ]


def test_more_groups_than_layers_join_their_names() -> None:
    count = 2000
    paths, groups = drafted(*interrupted(count, 20))
    assert len(set(paths)) == count and len(groups) <= GROUPS + GROUPS_PER_STEP * count
    assert ".level1_1.level2_1.level3_1_level4_1_level5_1_" in paths[-1]


def test_groups_of_few_layers_are_as_deep_as_they_are() -> None:
    paths, groups = drafted(*interrupted(20, 20))
    assert [path.count(".") for path in paths] == [19] * 20 and len(groups) == 20 * 19
