"""Specs that are short and ask for much: what is repeated in what is repeated, long lines, many nodes, wide windows."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

HEAD = "convcalc: 1\ninput: [3, 16, 16]\n"
COUNTS = (10, 100, 1_000, 10_000, 100_000)
WIDE = (1, 3, 16, 255, 4096, 4097, 10**5, 10**9, 2**31, 2**62)
"""Sizes of windows, strides and paddings."""


def spec(random: Random) -> bytes:
    """One of them."""
    return (HEAD + random.choice(FORMS)(random)).encode()


def _variants(random: Random) -> str:
    count, layers = random.choice(COUNTS[:3]), random.choice((*COUNTS, 200_000))
    names = ", ".join([f"v{n}: {{a: {n}}}" for n in range(count)])
    return f"params: {{a: 1}}\nvariants: {{{names}}}\nlayers: [{{relu: {{}}, repeat: {layers}}}]\n"


def _lists_of_lists(random: Random) -> str:
    levels, width = random.randint(2, 12), random.choice((2, 10, 40))
    inner = [f"  p{n}: [{', '.join([f'p{n - 1}'] * width)}]\n" for n in range(1, levels)]
    use = random.choice((f"len(p{levels - 1})", f"sum(p{levels - 1})", f"p{levels - 1}", f"p{levels - 1}[0][0]"))
    return f"params:\n  p0: [1]\n{''.join(inner)}layers: [{{conv2d: {{out: '{use}', k: 1}}}}]\n"


def _repeats(random: Random) -> str:
    item = random.choice(("relu", "{conv2d: {out: index + 1, k: 1}}", "{concat: {branches: {a: [], b: []}}}"))
    for _ in range(random.randint(1, 6)):
        times = random.choice((2, 10, 100, "10 * 10", "a", "a * a", "in_channels * 5", "index + 2"))
        item = f"{{layers: [{item}], repeat: {times}}}"
    return f"params: {{a: {random.choice((3, 30, 300))}}}\nlayers: [{item}]\n"


def _blocks(random: Random) -> str:
    depth, calls = random.randint(2, 30), random.choice((1, 2, 3, 10))
    inner = [f"  b{n}: {{layers: [{', '.join([f'b{n - 1}'] * calls)}]}}\n" for n in range(1, depth)]
    return f"blocks:\n  b0: {{layers: [relu]}}\n{''.join(inner)}layers: [b{depth - 1}]\n"


def _long_line(random: Random) -> str:
    count = random.choice(COUNTS[:4])
    wrong = random.choice(("{relu: {x: 1}}", "nothing", "{conv2d: {out: y, k: 1}}", "{relu: {}, from: z}"))
    return f"name: {'n' * random.choice(COUNTS)}\nlayers: [{', '.join([wrong] * count)}]\n"


def _nodes(random: Random) -> str:
    count = random.choice(COUNTS)
    part = random.choice(("1", "[]", "{}", "relu", "{a: b}", "&a 1", "*a", "!!x y", "? a"))
    key = random.choice(("notes", "layers", "input", "params", "outputs", "expect", "published"))
    return f"{key}: [{', '.join([part] * count)}]\n" + ("" if key == "layers" else "layers: [relu]\n")


def _windows(random: Random) -> str:
    kind = random.choice(("conv2d", "conv_transpose2d", "max_pool2d", "avg_pool2d", "unfold", "separable_conv2d"))
    fields: dict[str, object] = {"k": random.choice(WIDE), "s": random.choice(WIDE), "p": random.choice(WIDE)}
    if random.random() < 0.4:
        fields["k"] = f"[1, {random.choice(WIDE)}]"
    if kind not in ("max_pool2d", "avg_pool2d", "unfold"):
        fields["out"] = random.choice((1, 4, 2**31))
    said = ", ".join([f"{name}: {value}" for name, value in fields.items() if random.random() < 0.8 or name != "p"])
    item = f"{{{kind}: {{{said}}}, repeat: {random.choice((1, 1, 2, 2000))}}}"
    expect = random.choice(
        ("", "expect: {receptive_field: [3, 3]}\n", "expect: {effective_macs: 1}\n", "expect: {live: 1}\n")
    )
    return f"layers: [{item}, {random.choice(('relu', '{conv_transpose2d: {out: 1, k: 2, s: 4096}}'))}]\n{expect}"


def _expression(random: Random) -> str:
    count = random.choice(COUNTS)
    said = random.choice(
        (
            lambda: "1" + " + 1" * count,
            lambda: "(" * count + "1" + ")" * count,
            lambda: "9" * count,
            lambda: "not " * count + "1",
            lambda: "-" * count + "1",
            lambda: "max(" + "1, " * count + "1)",
            lambda: "2 ** " * count + "1",
            lambda: "1 if 1 else " * count + "1",
            lambda: "0." + "3" * count,
        )
    )()
    return f"layers: [{{conv2d: {{out: '{said}', k: 1}}}}]\n"


def _claims(random: Random) -> str:
    count = random.choice(COUNTS[:4])
    claims = "\n".join([f"  - {{with: {{a: {n}}}, params: 1, receptive_field: [1, 1]}}" for n in range(count)])
    layers = random.choice((1, 10, 1000))
    return f"params: {{a: 1}}\nlayers: [{{conv2d: {{out: 3, k: 1}}, repeat: {layers}}}]\nexpect:\n{claims}\n"


def _cells(random: Random) -> str:
    count, long = random.choice(COUNTS[:4]), "9" * random.choice(COUNTS[:4])
    rows = "\n".join([f"      c.{n}: {{at: c.*, cells: ['{long if n == 0 else n}']}}" for n in range(count)])
    return (
        f"layers: [{{conv2d: {{out: 3, k: 1}}, name: c, repeat: {random.choice((1, 100))}}}]\n"
        f"published:\n  - title: t\n    columns: {{p: {{value: params}}}}\n    rows:\n{rows}\n"
    )


FORMS: tuple[Callable[[Random], str], ...] = (
    _variants,
    _lists_of_lists,
    _repeats,
    _blocks,
    _long_line,
    _nodes,
    _windows,
    _windows,
    _expression,
    _claims,
    _cells,
)
