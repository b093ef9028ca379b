"""Products: linear layers, products of matrices, sums by Einstein's convention, attention."""

from __future__ import annotations

from math import prod

from ....models.making import Fields, Unsupported
from ...tape import Ref
from ..arguments import listed
from ..builder import Builder
from ..values import Activation, Parameter, Place, Sizes, Value
from .arithmetic import joined, rescaled_alone
from .layout import beside, permuted
from .parts import unsqueezed
from .record import Function
from .weights import formed


def _linear(b: Builder) -> Activation:
    value, weight = b.activation("input"), b.given("weight")
    rank = value.sizes.rank
    if value.place is not None and value.place.axis == rank - 1:
        raise Unsupported("it works along the batch")
    form = formed(b, weight, b.value("bias"))
    source = b.settled(value)
    fields: Fields = {"out_features": weight.sizes.first[0], **form.fields}
    if len(b.steps[source].shape) > 1:
        fields["dim"] = "last"
    kept = {name: field for name, field in fields.items() if (name, field) != ("bias", True)}
    made = b.layer("linear", kept, source, *form.inputs, weights=form.weights)
    return b.made(form.biased(b, made, None), value.place)


def multiplied(b: Builder, left: Activation, right: Activation, output: Sizes) -> Activation:
    """torch.matmul of values of two axes and more; leading axes broadcast."""
    rank = output.rank
    places = []
    for value, row in ((left, True), (right, False)):
        if value.place is None:
            continue
        axis = value.place.axis + rank - value.sizes.rank
        if axis == rank - 2 + (not row):
            places.append(value.place._replace(axis=axis))
        elif axis >= rank - 2:
            raise Unsupported("it sums over the batch")
        else:
            places.append(value.place._replace(axis=axis))
    if len(set(places)) > 1:
        raise Unsupported("its inputs have the batch in different places")
    place = places[0] if places else None
    steps = []
    for value in (left, right):
        absent = rank - value.sizes.rank
        first, second = (1,) * absent + value.sizes.first, (1,) * absent + value.sizes.second
        if place is not None and place.axis < rank - 2 and not place.folded:
            if first[place.axis] != 1:
                raise Unsupported("it broadcasts over the batch")
            first, second = (dims[: place.axis] + dims[place.axis + 1 :] for dims in (first, second))
        elif place is not None and place.folded and value.place is not None:
            at = value.place.axis + absent
            second = (*second[:at], second[at] // b.batch, *second[at + 1 :])
        while len(first) > 2 and first[0] == 1 == second[0] and value.place is None:
            first, second = first[1:], second[1:]
        steps.append(b.settled(value, first, second))
    step = b.layer("matmul", {}, *steps)
    return b.seen(step, output, place)


def _matmul(b: Builder) -> Value:
    """A product of matrices; a vector is one of a single row, or of a single column."""
    other = next(name for name in ("other", "mat2", "vec") if name in b.arguments)
    stored, value = b.transposed(b.given(other)), b.given("input")
    if stored is not None and isinstance(value, Activation) and value.sizes.rank > 1:
        if value.place is None or value.place.axis < value.sizes.rank - 1:
            fields: Fields = {"out_features": b.given(other).sizes.first[1], "bias": False}
            return _by_rows(b, value, fields, {"weight": stored})
    left, right, whole = b.activation("input"), b.activation(other), b.output()
    if right.sizes.rank == 1:
        right, whole = unsqueezed(b, right, 1), whole.put(whole.rank, (1, 1))
    if left.sizes.rank == 1:
        left, whole = unsqueezed(b, left, 0), whole.put(whole.rank - 1, (1, 1))
    return b.viewed(multiplied(b, left, right, whole), b.output())


def _added(b: Builder) -> Activation:
    """beta·input + alpha·(mat1 @ mat2): addmm and baddbmm."""
    names = ("mat1", "mat2") if "mat1" in b.arguments else ("batch1", "batch2")
    left, right = (b.activation(name) for name in names)
    product = multiplied(b, left, right, b.output())
    alpha, beta = b.number("alpha", 1), b.number("beta", 1)
    if alpha != 1:
        product = rescaled_alone(b, product, alpha)
    if beta == 0:
        return product
    addend: Value = b.given("input")
    if beta != 1:
        addend = rescaled_alone(b, addend, beta)
    return joined(b, "add", product, addend)


def _addmm(b: Builder) -> Activation:
    """A linear layer where the second matrix is a transposed parameter; else a product of matrices."""
    weight, bias = b.given("mat2"), b.given("input")
    stored = b.transposed(weight)
    value = b.activation("mat1")
    plain = b.number("alpha", 1) == 1 == b.number("beta", 1)
    if stored is None or not plain or not isinstance(bias, Parameter) or value.place is None or value.place.axis:
        return _added(b)
    return _by_rows(b, value, {"out_features": weight.sizes.first[1]}, {"weight": stored, "bias": bias.source})


def _by_rows(b: Builder, value: Activation, fields: Fields, weights: dict[str, int]) -> Activation:
    """The linear layer along the last axis with stored weights."""
    source = b.settled(value)
    last: Fields = {"dim": "last"} if len(b.steps[source].shape) > 1 else {}
    return b.made(b.layer("linear", {**fields, **last}, source, weights=weights), value.place)


def _einsum(b: Builder) -> Activation:
    """Of two operands: axes that both have and that stay lead, those that are summed meet, the others are merged."""
    equation = b.arguments["equation"]
    if not isinstance(equation, str):
        raise Unsupported("it is called with lists of axes")
    operands = b.arguments["operands"]
    operands = operands[0] if len(operands) == 1 and listed(operands[0]) else operands
    if not all(isinstance(operand, Ref) for operand in operands):
        raise Unsupported("its operands are no tensors")
    values = [b.active(b.values[operand.tensor]) for operand in operands]
    left, arrow, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if not arrow or len(values) != 2 or len(terms) != 2 or "." in equation:
        raise Unsupported(f"its equation is {equation}")
    one, other = terms
    if any(len(set(term)) < len(term) for term in (one, other, result)):
        raise Unsupported(f"its equation is {equation}")
    lead = [axis for axis in result if axis in one and axis in other]
    rows = [axis for axis in result if axis in one and axis not in other]
    columns = [axis for axis in result if axis in other and axis not in one]
    summed = [axis for axis in one if axis in other and axis not in result]
    if len(lead) + len(rows) + len(summed) != len(one) or len(lead) + len(columns) + len(summed) != len(other):
        raise Unsupported(f"its equation sums an axis that one operand has alone: {equation}")
    a, c = values
    first = _matrix(b, permuted(b, a, [one.index(axis) for axis in (*lead, *rows, *summed)]), len(lead), len(rows))
    second = _matrix(
        b, permuted(b, c, [other.index(axis) for axis in (*lead, *summed, *columns)]), len(lead), len(summed)
    )
    sizes = {axis: _pair(value, term, axis) for value, term in ((a, one), (c, other)) for axis in term}
    spread = _of([sizes[axis] for axis in (*lead, *rows, *columns)], b.batch)
    whole = _of(
        [*(sizes[axis] for axis in lead), _merged([sizes[n] for n in rows]), _merged([sizes[n] for n in columns])],
        b.batch,
    )
    product = multiplied(b, first, second, whole)
    seen = b.viewed(product, spread)
    assert isinstance(seen, Activation)
    order = [(*lead, *rows, *columns).index(axis) for axis in result]
    made = permuted(b, seen, order)
    return made._replace(sizes=b.output())


def _pair(value: Activation, term: str, axis: str) -> tuple[int, int]:
    at = term.index(axis)
    return value.sizes.first[at], value.sizes.second[at]


def _merged(pairs: list[tuple[int, int]]) -> tuple[int, int]:
    return prod(pair[0] for pair in pairs), prod(pair[1] for pair in pairs)


def _of(pairs: list[tuple[int, int]], batch: int) -> Sizes:
    return Sizes(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs), batch)


def _matrix(b: Builder, value: Activation, lead: int, rows: int) -> Activation:
    """The axes behind the leading ones as two: so many as rows, the others as columns."""
    pairs = list(zip(value.sizes.first, value.sizes.second, strict=True))
    sizes = _of([*pairs[:lead], _merged(pairs[lead : lead + rows]), _merged(pairs[lead + rows :])], b.batch)
    seen = b.viewed(value, sizes)
    assert isinstance(seen, Activation)
    return seen


def _attention(b: Builder) -> Activation:
    if b.flag("enable_gqa"):
        raise Unsupported("heads share keys and values")
    values = [b.activation(name) for name in ("query", "key", "value")]
    places = {value.place for value in values if value.place is not None}
    if len(places) > 1:
        raise Unsupported("its inputs have the batch in different places")
    place = next(iter(places), None)
    query = values[0]
    if place is not None and place.axis >= query.sizes.rank - 2:
        raise Unsupported("it attends over the batch")
    shapes = [(value.shape, value.second) if place is None else beside(value, place) for value in values]
    steps = [b.settled(value, *shape) for value, shape in zip(values, shapes, strict=True)]
    steps = _broadcast(b, steps)
    mask = b.value("attn_mask")
    if mask is not None:
        key = values[1].sizes
        scores = query.sizes.put(query.sizes.rank - 1, (key.first[-2], key.second[-2]), instead=True)
        steps.append(_mask(b, b.active(mask), place, scores))
    fields: Fields = {"is_causal": True} if b.flag("is_causal") else {}
    if b.arguments.get("scale") is not None:
        fields["scale"] = b.number("scale")
    return b.made(b.layer("scaled_dot_product_attention", fields, *steps), place)


def _broadcast(b: Builder, steps: list[int]) -> list[int]:
    """Steps whose leading axes are equal: heads that share keys and values have them repeated."""
    leads = [b.steps[step].shape[:-2] for step in steps]
    if len(set(leads)) == 1:
        return steps
    if len({len(lead) for lead in leads}) > 1:
        raise Unsupported("its inputs have several ranks")
    wanted = tuple(map(max, zip(*leads, strict=True)))
    fields: Fields = {"shape": (*wanted, -1, -1)}
    return [
        step if lead == wanted else b.layer("expand", fields, step) for step, lead in zip(steps, leads, strict=True)
    ]


def _mask(b: Builder, mask: Activation, place: Place | None, scores: Sizes) -> int:
    """The step of a mask whose leading axes are those of the scores, or 1."""
    absent = scores.rank - mask.sizes.rank
    if mask.place is not None:
        if place is None or mask.place._replace(axis=mask.place.axis + absent) != place:
            raise Unsupported("its mask has the batch in another place")
        return b.settled(mask)
    first, second = (1,) * absent + mask.sizes.first, (1,) * absent + mask.sizes.second
    if place is not None and not place.folded:
        if first[place.axis] != 1:
            raise Unsupported("its mask broadcasts over the batch")
        first, second = (dims[: place.axis] + dims[place.axis + 1 :] for dims in (first, second))
    return b.settled(mask, first, second)


def _multihead(b: Builder) -> Activation:
    """multi_head_attention_forward: [positions, batch, features]."""
    query, key, value = (b.given(name) for name in ("query", "key", "value"))
    source = b.active(query)
    if b.flag("add_zero_attn") or b.value("attn_mask") is not None or b.value("key_padding_mask") is not None:
        raise Unsupported("it has a mask, or a zero position")
    packed, bias = b.value("in_proj_weight"), b.value("in_proj_bias")
    out, out_bias = b.given("out_proj_weight"), b.value("out_proj_bias")
    separate = [b.value(f"{name}_proj_weight") for name in "qkv"] if b.flag("use_separate_proj_weight") else []
    held = (
        {"in_proj_weight": packed}
        if not separate
        else {f"{n}_proj_weight": w for n, w in zip("qkv", separate, strict=True)}
    )
    held |= {"in_proj_bias": bias, "out_proj.weight": out, "out_proj.bias": out_bias}
    held |= {"bias_k": b.value("bias_k"), "bias_v": b.value("bias_v")}
    weights: dict[str, int] = {}
    for name, tensor in held.items():
        if tensor is None:
            continue
        if not isinstance(tensor, Parameter):
            raise Unsupported("its weights are computed")
        weights[name] = tensor.source
    fields: Fields = {"num_heads": b.integer("num_heads")}
    if bias is None:
        fields["bias"] = False
    if "bias_k" in weights:
        fields["add_bias_kv"] = True
    values = [source] if query == key == value else [b.active(item) for item in (query, key, value)]
    for item in values:
        if item.sizes.rank == 3 and (item.place is None or item.place.axis != 1) and item.sizes.first[1] != 1:
            raise Unsupported("the batch is not its second axis")
    if separate:
        fields |= {"kdim": values[1].sizes.first[-1], "vdim": values[-1].sizes.first[-1]}
    steps = [b.settled(item, *_without_second(item)) for item in values]
    made = b.layer("multihead_attention", fields, *steps, weights=weights)
    place = next((item.place for item in values if item.place is not None), None)
    return b.made(made, place)


def _without_second(item: Activation) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if item.place is not None or item.sizes.rank == 2:
        return item.shape, item.second
    return (item.sizes.first[0], item.sizes.first[2]), (item.sizes.second[0], item.sizes.second[2])


MHA = (
    "query key value embed_dim_to_check num_heads in_proj_weight in_proj_bias bias_k bias_v add_zero_attn dropout_p "
    "out_proj_weight out_proj_bias training=True key_padding_mask=None need_weights=True attn_mask=None "
    "use_separate_proj_weight=False q_proj_weight=None k_proj_weight=None v_proj_weight=None static_k=None "
    "static_v=None average_attn_weights=True is_causal=False"
)
FUNCTIONS = (
    Function("linear", "input weight bias=None", _linear),
    Function("matmul", "input other", _matmul),
    Function("bmm mm", "input mat2", _matmul),
    Function("mv", "input vec", _matmul),
    Function("dot vdot", "input other", _matmul),
    Function("addmm", "input mat1 mat2 beta=1 alpha=1", _addmm),
    Function("baddbmm", "input batch1 batch2 beta=1 alpha=1", _added),
    Function("einsum", "equation *operands", _einsum),
    Function(
        "scaled_dot_product_attention",
        "query key value attn_mask=None dropout_p=0 is_causal=False scale=None enable_gqa=False",
        _attention,
    ),
    Function("multi_head_attention_forward", MHA, _multihead),
)
