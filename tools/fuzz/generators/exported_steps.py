"""What the programs of torch.export are drawn from: calls of ATen's operators with the sizes that they give."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, prod
from random import Random
from typing import Any

from . import words
from .exported_graphs import BOOL, END, FLOAT, INT, Dims, Program, Raw, Size, Tensor, fixed

EDGES = (0, 1, 2, 3, -1, -2, 7, 255, 2**31, 2**62, 2**63 - 1, -(2**63), 2**63, 2**70)
PLAIN = "relu sigmoid tanh silu gelu elu leaky_relu hardswish hardtanh softplus mish selu erf exp abs neg dropout clone"
ODD = (
    *("mean.dim", "max.dim", "index.Tensor", "slice.Tensor", "select.int", "embedding.default", "einsum.default"),
    *("expand.default", "repeat.default", "view.default", "convolution.default", "conv2d.padding", "lstm.input"),
    *(
        "split.Tensor",
        "unbind.int",
        "roll.default",
        "pad.default",
        "unfold.default",
        "im2col.default",
        "cumsum.default",
    ),
    *("where.self", "clamp.default", "pow.Tensor_Scalar", "upsample_bilinear2d.vec", "scaled_dot_product_attention.x"),
    *(
        "permute.default",
        "transpose.int",
        "squeeze.dims",
        "addmm.default",
        "baddbmm.default",
        "sort.default",
        "copy_.d",
    ),
)
"""Operators that are given arguments at random."""
NAMES = (
    *("self", "input", "weight", "bias", "dim", "size", "other", "stride", "padding", "indices", "tensors", "equation"),
    *("kernel_size", "dims", "groups", "transposed", "mat1", "mat2", "hx", "params", "query", "index", "start", "step"),
)


def conv(p: Program) -> None:
    """A convolution that keeps the space, or halves it."""
    random, x, rank = p.random, p.end, len(p.end.dims) - 2
    if rank < 1:
        return linear(p)
    channels, k, stride = x.dims[1].number, random.choice((1, 3)), random.choice((1, 1, 2))
    groups = channels if random.random() < 0.15 else 1
    out = random.choice((2, 4, 8)) * (groups if groups > 1 else 1)
    p.enter(f"Conv{rank}d")
    weight = p.weight("weight", out, channels // groups, *[k] * rank)
    bias = p.weight("bias", out) if random.random() < 0.6 else None
    space = [p.plus(p.over(p.plus(dim, 2 * (k // 2) - k), stride), 1) for dim in x.dims[2:]]
    steps, pads = [stride] * rank, [k // 2] * rank
    given: dict[str, Any] = {"input": x, "weight": weight, "bias": bias, "stride": steps, "padding": pads}
    if p.core:
        given |= {"dilation": [1] * rank, "transposed": False, "output_padding": [0] * rank, "groups": groups}
        p.call("convolution.default", given, (x.dims[0], Size(out), *space))
    else:
        same = stride == 1 and random.random() < 0.2
        given |= {"padding": "same"} if same else {}
        given |= {"dilation": [1] * rank, "groups": groups} if groups > 1 or same else {}
        name = f"conv{rank}d.{'padding' if same else 'default'}"
        p.call(name, given, (x.dims[0], Size(out), *space))
    p.leave()
    return None


def deconv(p: Program) -> None:
    """A transposed convolution that doubles the space."""
    x, rank = p.end, len(p.end.dims) - 2
    if rank < 1 or prod(x.numbers) > 20_000:
        return plain(p)
    out = p.random.choice((2, 4))
    p.enter(f"ConvTranspose{rank}d")
    weight, bias = p.weight("weight", x.dims[1].number, out, *[2] * rank), p.weight("bias", out)
    given: dict[str, Any] = {"input": x, "weight": weight, "bias": bias, "stride": [2] * rank}
    dims = (x.dims[0], Size(out), *(p.times(dim, 2) for dim in x.dims[2:]))
    if p.core:
        given |= {"padding": [0] * rank, "dilation": [1] * rank, "transposed": True}
        given |= {"output_padding": [0] * rank, "groups": 1}
        p.call("convolution.default", given, dims)
    else:
        p.call(f"conv_transpose{rank}d.{'default' if rank == 1 else 'input'}", given, dims)
    p.leave()
    return None


def norm(p: Program) -> None:
    """Batch norm, group norm, instance norm or layer norm."""
    random, x = p.random, p.end
    channels = x.dims[1].number if len(x.dims) > 1 else 1
    kind = random.choice(("batch", "batch", "group", "instance", "layer", "rms"))
    if kind == "batch" and len(x.dims) > 1 and not x.dims[1].text:
        p.enter(f"BatchNorm{max(len(x.dims) - 2, 1)}d", "batchnorm")
        given: dict[str, Any] = {"input": x, "weight": p.weight("weight", channels), "bias": p.weight("bias", channels)}
        given |= {f"running_{n}": p.stored("buffer", f"running_{n}", channels) for n in ("mean", "var")}
        p.stored("buffer", "num_batches_tracked", dtype=INT)
        if p.core:
            numbers = {"momentum": 0.1, "eps": 1e-5}
            p.call("_native_batch_norm_legit_no_training.default", given | numbers, x.dims, fixed(0), fixed(0))
        else:
            given |= {"training": False, "momentum": 0.1, "eps": 1e-5, "cudnn_enabled": False}
            p.call("batch_norm.default", given, x.dims)
    elif kind in ("group", "instance") and len(x.dims) > 2 and not x.dims[1].text:
        p.enter("GroupNorm" if kind == "group" else "InstanceNorm2d", "normalization")
        held = {"weight": p.weight("weight", channels), "bias": p.weight("bias", channels)}
        if kind == "group":
            groups = random.choice([n for n in (1, 2, channels) if channels % n == 0])
            given = {"input": x, "num_groups": groups, **held, "eps": 1e-5, "cudnn_enabled": False}
            p.call("group_norm.default", given, x.dims)
        else:
            rest = {"running_mean": None, "running_var": None, "use_input_stats": True, "momentum": 0.1}
            p.call("instance_norm.default", {"input": x, **held, **rest, "eps": 1e-5, "cudnn_enabled": False}, x.dims)
    else:
        count = 1 if len(x.dims) < 3 or random.random() < 0.7 else 2
        shape = [] if any(dim.text for dim in x.dims[-count:]) else [dim.number for dim in x.dims[-count:]]
        if not shape or count == len(x.dims):
            return plain(p)
        p.enter("LayerNorm" if kind != "rms" else "RMSNorm", "normalization")
        given = {"input": x, "normalized_shape": shape, "weight": p.weight("weight", *shape)}
        if kind == "rms":
            p.call("rms_norm.default", given, x.dims)
        elif p.core:
            given |= {"bias": p.weight("bias", *shape), "eps": 1e-5}
            stats = (*x.dims[:-count], *[Size(1)] * count)
            p.call("native_layer_norm.default", given, x.dims, stats, stats)
        else:
            p.call("layer_norm.default", given | {"bias": p.weight("bias", *shape)}, x.dims)
    p.leave()
    return None


def plain(p: Program) -> None:
    """What keeps the sizes."""
    x, random = p.end, p.random
    if random.random() < 0.1 and len(x.dims) > 1:
        p.call("softmax.int", {"self": x, "dim": random.choice((-1, 1))}, x.dims)
        return
    kind = random.choice(PLAIN.split())
    more = {"dropout": {"p": 0.5, "train": False}, "leaky_relu": {"negative_slope": 0.1}}.get(kind, {})
    place = "_" if kind in ("relu", "silu", "elu") and not p.core and random.random() < 0.2 else ""
    p.call(f"{kind}{place}.default", {"input" if kind == "dropout" else "self": x, **more}, x.dims)


def pool(p: Program) -> None:
    """Windows of two, or of the whole."""
    x, rank, random = p.end, len(p.end.dims) - 2, p.random
    if rank < 1 or min(x.numbers[2:]) < 2:
        return plain(p)
    halves = (*x.dims[:2], *(p.over(dim, 2) for dim in x.dims[2:]))
    match random.randrange(4):
        case 0:
            size = random.choice((1, 2))
            name = f"adaptive_avg_pool{rank}d.default"
            p.call(name, {"self": x, "output_size": [size] * rank}, (*x.dims[:2], *fixed(*[size] * rank)))
        case 1:
            given = {"self": x, "kernel_size": [2] * rank, "stride": [2] * rank}
            p.call(f"avg_pool{rank}d.default", given, halves)
        case 2:
            given = {"self": x, "kernel_size": [2] * rank, "stride": [2] * rank}
            p.call(f"max_pool{rank}d_with_indices.default", given, halves, halves, places=1)
        case _:
            keep = random.random() < 0.5
            given = {"self": x, "dim": [-1 - n for n in range(rank)], "keepdim": keep}
            p.call(
                random.choice(("mean.dim", "amax.default")), given, (*x.dims[:2], *(fixed(*[1] * rank) if keep else ()))
            )
    return None


def join(p: Program) -> None:
    """The sum with an older tensor, or the two side by side."""
    x, random = p.end, p.random
    equal = [tensor for tensor in p.before if tensor.dims == x.dims]
    if not equal or len(x.dims) < 2 or x.dims[1].text:
        return plain(p)
    other = random.choice(equal)
    if random.random() < 0.6:
        p.call(
            random.choice(("add.Tensor", "mul.Tensor", "sub.Tensor", "maximum.default")),
            {"self": other, "other": x},
            x.dims,
        )
    else:
        dims = (x.dims[0], p.times(x.dims[1], 2), *x.dims[2:])
        p.call("cat.default", {"tensors": [other, x], "dim": 1}, dims)
    return None


def number(p: Program) -> None:
    """Arithmetic with a number, a buffer or a constant."""
    x, random = p.end, p.random
    match random.randrange(3):
        case 0:
            kind = random.choice(("add.Tensor", "mul.Tensor", "div.Tensor", "rsub.Scalar", "pow.Tensor_Scalar"))
            name = "exponent" if kind.startswith("pow") else "other"
            p.call(kind, {"self": x, name: random.choice((2, 0.5, 1, 1e-5))}, x.dims)
        case 1 if len(x.dims) > 1 and not x.dims[-1].text:
            kind = random.choice(("buffer", "parameter"))
            held = p.stored(kind, f"scale{len(p.weights)}", 1, x.dims[-1].number)
            p.call(random.choice(("mul.Tensor", "add.Tensor")), {"self": x, "other": held}, x.dims)
        case _:
            held = p.stored("tensor_constant", f"lifted_tensor_{len(p.weights)}")
            copied = p.call("lift_fresh_copy.default", {"self": held}, ())
            p.call("mul.Tensor", {"self": x, "other": copied}, x.dims)


def resized(p: Program) -> None:
    """The space doubled, padded or moved into channels."""
    x, rank, random = p.end, len(p.end.dims) - 2, p.random
    if rank < 1 or prod(x.numbers) > 20_000:
        return plain(p)
    double = (*x.dims[:2], *(p.times(dim, 2) for dim in x.dims[2:]))
    match random.randrange(4):
        case 0:
            given = {"input": x, "output_size": None, "scale_factors": [2.0] * rank}
            p.call(f"upsample_nearest{rank}d.vec", given, double)
        case 1 if rank == 2:
            given = {"input": x, "output_size": None, "align_corners": False, "scale_factors": [2.0] * rank}
            p.call("upsample_bilinear2d.vec", given, double)
        case 2 if rank == 2 and not x.dims[1].text and x.dims[1].number % 4 == 0:
            channels = Size(x.dims[1].number // 4)
            p.call("pixel_shuffle.default", {"self": x, "upscale_factor": 2}, (x.dims[0], channels, *double[2:]))
        case _:
            dims = (*x.dims[:2], *(p.plus(dim, 2) for dim in x.dims[2:]))
            if p.core:
                given = {"self": x, "pad": [1, 1] * rank, "value": random.choice((0.0, 0.5, -inf))}
                p.call("constant_pad_nd.default", given, dims)
            else:
                p.call("pad.default", {"self": x, "pad": [1, 1] * rank}, dims)
    return None


def parts(p: Program) -> None:
    """Parts of the end, and one of them or all read."""
    x, random = p.end, p.random
    if len(x.dims) < 2 or x.dims[1].text or x.dims[1].number < 2:
        return plain(p)
    size = x.dims[1].number

    def cut(number: int) -> Dims:
        return (x.dims[0], Size(number), *x.dims[2:])

    match random.randrange(5):
        case 0:
            sizes = [cut(size // 2), cut(size - size // 2)]
            given: dict[str, Any] = {"self": x, "split_sizes": [size // 2, size - size // 2], "dim": 1}
            p.call("split_with_sizes.default", given, *sizes, listed=True, read=random.randrange(2))
        case 1 if size % 2 == 0:
            made = [cut(size // 2)] * 2
            p.call("chunk.default", {"self": x, "chunks": 2, "dim": 1}, *made, listed=True)
            p.call("cat.default", {"tensors": p.before[-2:][::-1], "dim": 1}, x.dims)
        case 2:
            p.call("select.int", {"self": x, "dim": 1, "index": random.choice((0, -1))}, (x.dims[0], *x.dims[2:]))
        case 3 if len(x.dims) > 2:
            p.call("unbind.int", {"self": x, "dim": 1}, *[(x.dims[0], *x.dims[2:])] * size, listed=True)
        case _:
            p.call("slice.Tensor", {"self": x, "dim": 1, "start": 1, "end": END}, cut(size - 1))
    return None


def moved(p: Program) -> None:
    """Axes in another order, or other axes."""
    x, random = p.end, p.random
    rank = len(x.dims)
    match random.randrange(5):
        case 0 if rank > 2:
            order = [0, *random.sample(range(1, rank), rank - 1)]
            p.call("permute.default", {"self": x, "dims": order}, tuple([x.dims[axis] for axis in order]))
        case 1 if rank > 2:
            dims = [*x.dims]
            dims[1], dims[-1] = dims[-1], dims[1]
            p.call("transpose.int", {"self": x, "dim0": 1, "dim1": -1}, tuple(dims))
        case 2 if rank < 5:
            p.call("unsqueeze.default", {"self": x, "dim": 1}, (x.dims[0], Size(1), *x.dims[1:]))
        case 3 if rank == 2 and not x.dims[1].text and x.dims[1].number % 2 == 0:
            half = x.dims[1].number // 2
            p.call("unflatten.int", {"self": x, "dim": 1, "sizes": [2, half]}, (x.dims[0], *fixed(2, half)))
        case _ if rank > 1:
            p.call("roll.default" if rank > 2 else "flip.default", _rolled(x), x.dims)


def _rolled(x: Tensor) -> dict[str, Any]:
    return {"self": x, "shifts": [1, 1], "dims": [1, 2]} if len(x.dims) > 2 else {"self": x, "dims": [1]}


def tokens(p: Program) -> None:
    """Positions of an image as a sequence, to which an embedding of positions is added."""
    x = p.end
    if len(x.dims) != 4 or x.dims[1].text:
        return plain(p)
    place = p.whole(x.dims[2:])
    flat = p.call("flatten.using_ints", {"self": x, "start_dim": 2}, (*x.dims[:2], place))
    p.call("transpose.int", {"self": flat, "dim0": 1, "dim1": 2}, (x.dims[0], place, x.dims[1]))
    if not place.text and p.random.random() < 0.6:
        held = p.weight(f"position{len(p.weights)}", 1, place.number, x.dims[1].number)
        p.call("add.Tensor", {"self": p.end, "other": held}, p.end.dims)
    return None


def linear(p: Program) -> None:
    """A product with a matrix, at each position."""
    x, random = p.end, p.random
    if len(x.dims) < 2 or x.dims[-1].text or x.dims[-1].number > 5000:
        return plain(p)
    width, out = x.dims[-1].number, random.choice((2, 4, 8, 10))
    p.enter("Linear", "linear")
    weight, bias = p.weight("weight", out, width), p.weight("bias", out) if random.random() < 0.7 else None
    dims = (*x.dims[:-1], Size(out))
    if p.core and len(x.dims) == 2 and bias is not None:
        turned = p.call("permute.default", {"self": weight, "dims": [1, 0]}, fixed(width, out))
        p.call("addmm.default", {"self": bias, "mat1": x, "mat2": turned}, dims)
    else:
        p.call("linear.default", {"input": x, "weight": weight, "bias": bias}, dims)
    p.leave()
    return None


def flat(p: Program) -> None:
    """All axes behind the batch as one."""
    x = p.end
    if len(x.dims) < 3:
        return linear(p)
    dims = (x.dims[0], p.whole(x.dims[1:]))
    if p.random.random() < 0.5 or dims[1].text:
        p.call("flatten.using_ints", {"self": x, "start_dim": 1}, dims)
    else:
        kind, name = ("view", "size") if p.core else ("reshape", "shape")
        if p.core:
            x = p.call("clone.default", {"self": x, "memory_format": Raw("as_memory_format", 1)}, x.dims)
        p.call(f"{kind}.default", {"self": x, name: [p.size(x, 0), dims[1].number]}, dims)
    return linear(p)


def attention(p: Program) -> None:
    """Queries, keys and values of one matrix, heads apart; the products written out or as one call."""
    x, random = p.end, p.random
    if len(x.dims) != 3 or x.dims[2].text or x.dims[2].number % 2:
        return linear(p)
    batch, length, width = x.dims
    heads, size = 2, width.number // 2
    p.enter("Attention", "attention")
    projected = (batch, length, Size(3 * width.number))
    weight = p.weight("qkv.weight", 3 * width.number, width.number)
    qkv = p.call("linear.default", {"input": x, "weight": weight, "bias": None}, projected)
    dims = (batch, length, *fixed(3, heads, size))
    view = p.call("reshape.default", {"self": qkv, "shape": [p.size(qkv, 0), p.size(qkv, 1), 3, heads, size]}, dims)
    order = [2, 0, 3, 1, 4]
    turned = p.call("permute.default", {"self": view, "dims": order}, tuple([dims[axis] for axis in order]))
    each = turned.dims[1:]
    p.call("unbind.int", {"self": turned}, each, each, each, listed=True)
    query, key, value = p.before[-3:]
    if random.random() < 0.6:
        given = {"query": query, "key": key, "value": value}
        p.call("scaled_dot_product_attention.default", given, each)
    else:
        keys = p.call("transpose.int", {"self": key, "dim0": -2, "dim1": -1}, (*each[:2], each[3], each[2]))
        scores = p.call("matmul.default", {"self": query, "other": keys}, (*each[:2], length, length))
        scaled = p.call("mul.Tensor", {"self": scores, "other": 0.5}, scores.dims)
        shares = p.call("softmax.int", {"self": scaled, "dim": -1}, scores.dims)
        p.call("matmul.default", {"self": shares, "other": value}, each)
    back = p.call("transpose.int", {"self": p.end, "dim0": 1, "dim1": 2}, (batch, length, *fixed(heads, size)))
    shape = [p.size(back, 0), p.size(back, 1), width.number]
    p.call("reshape.default", {"self": back, "shape": shape}, x.dims)
    p.leave()
    return linear(p)


def recurrent(p: Program) -> None:
    """An LSTM, a GRU or a plain one over a sequence, from states of zeros."""
    x, random = p.end, p.random
    if len(x.dims) != 3 or x.dims[2].text:
        return linear(p)
    kind, gates = random.choice((("lstm", 4), ("gru", 3), ("rnn_tanh", 1)))
    hidden, both, layers = random.choice((2, 3)), random.random() < 0.3, random.choice((1, 1, 2))
    directions = 2 if both else 1
    p.enter(kind.upper(), "rnn")
    held: list[Tensor] = []
    for layer in range(layers):
        for end in ("", "_reverse")[:directions]:
            width = x.dims[2].number if layer == 0 else hidden * directions
            held += [p.weight(f"weight_ih_l{layer}{end}", gates * hidden, width)]
            held += [p.weight(f"weight_hh_l{layer}{end}", gates * hidden, hidden)]
            held += [p.weight(f"bias_{which}_l{layer}{end}", gates * hidden) for which in ("ih", "hh")]
    state = (Size(layers * directions), x.dims[0], Size(hidden))
    said = {"dtype": Raw("as_scalar_type", FLOAT), "device": Raw("as_device", {"type": "cpu", "index": None})}
    shape = [layers * directions, p.size(x, 0), hidden]
    states = [p.call("zeros.default", {"size": shape, **said}, state) for _ in range(2 if kind == "lstm" else 1)]
    given = {"input": x, "hx": states if kind == "lstm" else states[0], "params": held, "has_biases": True}
    given |= {"num_layers": layers, "dropout": 0.0, "train": False, "bidirectional": both, "batch_first": True}
    made = [(*x.dims[:2], Size(hidden * directions)), *[state] * len(states)]
    p.call(f"{kind}.input", given, *made)
    p.leave()
    return None


def summed(p: Program) -> None:
    """A contraction in Einstein's notation, or an extreme along an axis."""
    x = p.end
    if len(x.dims) != 3 or x.dims[2].text:
        return pool(p)
    batch, length, width = x.dims
    match p.random.randrange(3):
        case 0:
            given: dict[str, Any] = {"equation": "bij,bkj->bik", "tensors": [x, x]}
            p.call("einsum.default", given, (batch, length, length))
        case 1:
            held = p.weight(f"mixing{len(p.weights)}", width.number, 4)
            p.call("einsum.default", {"equation": "bij,jk->bik", "tensors": [x, held]}, (batch, length, Size(4)))
        case _:
            p.call("max.dim", {"self": x, "dim": 1}, (batch, width), (batch, width), places=1)
    return None


def nested(p: Program) -> None:
    """A graph inside the graph, which is called under a condition or with gradients off."""
    x, inner = p.end, Program(p.random, hostile=False)
    inner.tensors[x.name] = p.meta(x.dims)
    inner.end = x
    plain(inner)
    graph = inner.graph() | {"inputs": [{"as_tensor": {"name": x.name}}]}
    graph["outputs"] = [{"as_tensor": {"name": inner.end.name}}]
    made = p.fresh("getitem")
    p.tensors[made] = p.meta(x.dims)
    own = [Raw("as_graph", {"name": name, "graph": graph}) for name in ("true_graph_0", "false_graph_0")]
    outputs = [{"as_tensor": {"name": made}}]
    if p.random.random() < 0.5:
        given = {"_": False, "__": own[0], "___": x}
        p.node("torch.ops.higher_order.wrap_with_set_grad_enabled", given, outputs)
    else:
        held = p.stored("buffer", f"flag{len(p.weights)}", dtype=BOOL)
        p.node("torch.ops.higher_order.cond", {"_": held, "__": own[0], "___": own[1], "____": [x]}, outputs)
    p.before.append(Tensor(made, x.dims))
    p.end = p.before[-1]


def odd(p: Program) -> None:
    """An operator with arguments that it need not take."""
    random, x = p.random, p.end
    held = p.weight(f"odd{len(p.weights)}", 2, 2)
    values = (
        *(x, held, [x, held], None, True, "bij,jk->bik", "same", "nearest", 0.5, [0.5, 2.0], [True, False], [], ["a"]),
        *(random.choice(EDGES), [random.choice(EDGES)], [0, 1], [-1, -1], random.choice(p.before or [x])),
        *(Raw("as_optional_tensors", [{"as_none": True}, {"as_tensor": {"name": x.name}}]), Raw("as_scalar_type", INT)),
        *(Raw("as_int_lists", [[1], [2, 3]]), Raw("as_complex", {"real": 1.0, "imag": 2.0}), Raw("as_operator", "a")),
        *(Raw("as_nested_tensors", [[{"name": x.name}]]), Raw("as_sym_float", {"as_float": 0.5})),
        *(Raw("as_float", word) for word in ("Infinity", "NaN")),
        *(Raw("as_device", {"type": "cpu"}), Raw("as_string_to_argument", {"a": {"as_int": 1}}), words.text(random, 1)),
    )
    names = random.sample(NAMES, random.randrange(5))
    given = {random.choice(("self", "input")): x, **{name: random.choice(values) for name in names}}
    dims = random.choice((x.dims, (), fixed(*[1] * 65), fixed(0), fixed(2**62, 2), x.dims[1:], (*x.dims, Size(3))))
    p.call(random.choice(ODD), given, *[dims] * random.choice((1, 1, 1, 2)), listed=random.random() < 0.2)


STEPS: tuple[Callable[[Program], None], ...] = (
    *([conv] * 5 + [plain] * 3 + [norm] * 3),
    *(pool, join, join, number, resized, deconv, parts, moved, tokens, attention, linear, recurrent, summed, nested),
)


def program(random: Random, strange: bool = True) -> Program:
    """A program whose graph fits together; where it may be `strange`, some are not those of torch."""
    p = Program(random, hostile=strange)
    batch = Size(1) if random.random() < 0.6 else p.symbol(2, 1)
    if random.random() < 0.03:
        batch = Size(random.choice((0, 2, 4)))
    if random.random() < 0.25:
        length = Size(6) if random.random() < 0.7 else p.symbol(6, 2)
        if random.random() < 0.3:
            ids = p.input("ids", (batch, length), INT)
            held = p.weight("embed.weight", 10, 4)
            p.call("embedding.default", {"weight": held, "indices": ids}, (batch, length, Size(4)))
        else:
            p.end = p.input("tokens", (batch, length, Size(random.choice((4, 8)))))
    else:
        space = [Size(random.choice((8, 9, 16))) for _ in range(random.choice((1, 2, 2, 2, 2, 2, 3)))]
        if random.random() < 0.2:
            space[0] = p.symbol(space[0].number, 8)
        p.end = p.input("image", (batch, Size(random.choice((1, 3, 4, 8))), *space))
    if random.random() < 0.1:
        p.input("other", p.end.dims)
    for _ in range(random.choice((1, 2, 3, 4, 6))):
        random.choice(STEPS)(p)
    if random.random() < 0.3:
        flat(p)
    if strange and random.random() < 0.12:
        odd(p)
    for tensor in [p.end, *random.sample(p.before, min(len(p.before), random.choice((0, 0, 0, 1, 2))))]:
        p.output(tensor)
    return p
