"""Make the smallest ONNX files of what exports showed, one mechanism each, and record them with onnx's own shapes.

python -m tools.onnx_minimal    writes tests/oracle/onnx/minimal.json.gz

Needs the onnx package. Weights are in the files as shapes alone, numbers where a mechanism needs them.
"""

from __future__ import annotations

import base64
import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from tools.onnx_fused import (
    bias_gelu,
    channels_in_blocks,
    fused_clip,
    fused_conv,
    fused_matmul,
    matmulinteger,
    norm_in_blocks,
    qlinearadd,
    skip_layer_norm,
)
from tools.onnx_graph import Graph

RECORD = Path(__file__).resolve().parent.parent / "tests" / "oracle" / "onnx" / "minimal.json.gz"


def gemm_tokens(batch: int = 1) -> Graph:
    """Positions folded into the batch before a Gemm, as simplifiers write a linear layer over the last axis."""
    g = Graph(x=(batch, 56, 56, 96))
    g.node("Reshape", f"x {g.numbers('s', [-1, 96])}", "a")
    g.node("Gemm", f"a {g.weight('w', 96, 384)} {g.weight('b', 384)}", "c")
    g.node("Reshape", f"c {g.numbers('t', [batch, 56, 56, 384])}")
    return g


def conv_windows(batch: int = 1) -> Graph:
    """Windows folded into the batch before a convolution, a batch norm and a pool."""
    g = Graph(x=(batch, 4, 8, 16, 16))
    g.node("Reshape", f"x {g.numbers('s', [4 * batch, 8, 16, 16])}", "a")
    g.node("Conv", f"a {g.weight('w', 8, 8, 3, 3)}", "b", pads=[1, 1, 1, 1])
    g.node("BatchNormalization", f"b {' '.join(g.weight(n, 8) for n in ('p', 'q', 'm', 'v'))}", "n")
    g.node("AveragePool", "n", "o", kernel_shape=[2, 2], strides=[2, 2])
    g.node("Reshape", f"o {g.numbers('t', [batch, 4, 8, 8, 8])}")
    return g


def bias_table() -> Graph:
    """A table of relative positions, picked from by constant indices."""
    g = Graph(x=(1, 4, 49, 49))
    g.node("Gather", f"{g.weight('t', 169, 4)} {g.numbers('i', [n % 169 for n in range(2401)])}", "g", axis=0)
    g.node("Transpose", "g", "h", perm=[1, 0])
    g.node("Reshape", f"h {g.numbers('s', [1, 4, 49, 49])}", "r")
    g.node("Add", "x r")
    return g


def matmul_left() -> Graph:
    g = Graph(x=(1, 64, 100))
    g.node("MatMul", f"{g.weight('w', 10, 64)} x")
    return g


def matmul_batch() -> Graph:
    g = Graph(x=(1, 4, 10, 64))
    g.node("MatMul", f"x {g.weight('w', 4, 64, 32)}")
    return g


def condconv() -> Graph:
    """A convolution whose weights are computed from the input."""
    g = Graph(x=(1, 8, 16, 16))
    g.node("GlobalAveragePool", "x", "p")
    g.node("ReduceMean", "p", "m", axes=[1], keepdims=1)
    g.node("Mul", f"{g.weight('w', 8, 8, 3, 3)} m", "w2")
    g.node("Conv", "x w2", pads=[1, 1, 1, 1])
    return g


def gained() -> Graph:
    """Weights times a learned gain."""
    g = Graph(x=(1, 3, 32, 32))
    g.node("Mul", f"{g.weight('w', 8, 3, 3, 3)} {g.weight('k', 8, 1, 1, 1)}", "w2")
    g.node("Conv", "x w2")
    return g


def conv_bias_expand() -> Graph:
    """A bias of zeros, made of one number."""
    g = Graph(x=(1, 3, 32, 32))
    g.node("CastLike", f"{g.numbers('z', [0.0], (), TensorProto.FLOAT)} x", "z1")
    g.node("Expand", f"z1 {g.numbers('n', [8])}", "b")
    g.node("Conv", f"x {g.weight('w', 8, 3, 3, 3)} b")
    return g


def conv_const_input() -> Graph:
    """A convolution of a learned image."""
    g = Graph(x=(1, 8, 16, 16))
    g.node("Conv", f"{g.weight('z', 1, 8, 16, 16)} {g.weight('w', 8, 8, 3, 3)}", "a", pads=[1, 1, 1, 1])
    g.node("Add", "x a")
    return g


def instance_norm_plain() -> Graph:
    """The ones and zeros of an instance norm without factors."""
    g = Graph(x=(1, 64, 8, 8))
    one, zero = (g.numbers(n, [value] * 64, None, TensorProto.FLOAT) for n, value in (("s", 1.0), ("b", 0.0)))
    g.node("InstanceNormalization", f"x {one} {zero}")
    return g


def shared_head() -> Graph:
    g = Graph(x=(1, 8, 32, 32))
    weight = g.weight("w", 8, 8, 3, 3)
    for source, made in (("x", "a"), ("a", "b"), ("b", "y")):
        g.node("Conv", f"{source} {weight}", made, pads=[1, 1, 1, 1])
    return g


def if_inside() -> Graph:
    """Weights in the branches of an If whose condition flows in."""
    g = Graph(x=(1, 3, 32, 32))
    g.inputs.append(helper.make_tensor_value_info("c", TensorProto.BOOL, []))
    branches = {}
    for name in ("then", "else"):
        out = helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8, 32, 32])
        weight = TensorProto(name=f"w{name}", dims=(8, 3, 3, 3), data_type=TensorProto.FLOAT)
        conv = helper.make_node("Conv", ["x", f"w{name}"], [name], pads=[1, 1, 1, 1])
        branches[f"{name}_branch"] = helper.make_graph([conv], name, [], [out], [weight])
    g.node("If", "c", **branches)
    return g


def lstm_state() -> Graph:
    """The zeros that an LSTM begins with."""
    g = Graph(x=(1, 10, 4))
    g.node("Transpose", "x", "a", perm=[1, 0, 2])
    weights = f"{g.weight('w', 1, 32, 4)} {g.weight('r', 1, 32, 8)} {g.weight('b', 1, 64)}"
    state = g.numbers("h", [0.0] * 8, (1, 1, 8), TensorProto.FLOAT)
    g.node("LSTM", f"a {weights} _ {state} {state}", "o", hidden_size=8)
    g.node("Squeeze", f"o {g.numbers('one', [1])}")
    return g


def lstm_rows() -> Graph:
    """An LSTM over each row of an image, as sequencers have it: the rows stand where the batch does."""
    g = Graph(x=(1, 5, 10, 4))
    g.node("Squeeze", f"x {g.numbers('b', [0])}", "s")
    g.node("Transpose", "s", "a", perm=[1, 0, 2])
    g.node("LSTM", f"a {g.weight('w', 1, 32, 4)} {g.weight('r', 1, 32, 8)}", "o", hidden_size=8)
    g.node("Squeeze", f"o {g.numbers('one', [1])}")
    return g


def split_by_loop() -> Graph:
    """Parts of a tensor that a loop of two turns collects, as PyTorch exports `tensor_split`."""
    g = Graph(x=(1, 6, 8))
    g.numbers("bounds", [0, 2, 6])
    body = helper.make_graph(
        [
            helper.make_node("Gather", ["bounds", "n"], ["from"], axis=0),
            helper.make_node("Add", ["n", "step"], ["next"]),
            helper.make_node("Gather", ["bounds", "next"], ["to"], axis=0),
            helper.make_node("Unsqueeze", ["from", "first"], ["from1"]),
            helper.make_node("Unsqueeze", ["to", "first"], ["to1"]),
            helper.make_node("Slice", ["x", "from1", "to1", "step1"], ["part"]),
            helper.make_node("SequenceInsert", ["before", "part"], ["after"]),
            helper.make_node("Identity", ["on"], ["again"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("n", TensorProto.INT64, []),
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_sequence_value_info("before", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("again", TensorProto.BOOL, []),
            helper.make_tensor_sequence_value_info("after", TensorProto.FLOAT, None),
        ],
    )
    g.numbers("step", [1], ())
    g.numbers("step1", [1])
    g.numbers("first", [0])
    g.node("SequenceEmpty", "", "empty")
    turns, go_on = g.numbers("turns", [2], ()), g.numbers("go", [1], (), TensorProto.BOOL)
    g.node("Loop", f"{turns} {go_on} empty", "parts", body=body)
    for position, name in enumerate(("p", "q")):
        g.node("SequenceAt", f"parts {g.numbers(f'at{position}', [position], ())}", name)
    g.node("Concat", "q p", axis=1)
    return g


def loop_scan(turns: int = 3) -> Graph:
    """A loop without condition that puts out what each turn gives, one behind the other."""
    g = Graph(x=(1, 8))
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["h", "w"], ["next"]),
            helper.make_node("Tanh", ["next"], ["row"]),
            helper.make_node("Constant", [], ["again"], value=helper.make_tensor("t", TensorProto.BOOL, (), [1])),
        ],
        "body",
        [
            helper.make_tensor_value_info("n", TensorProto.INT64, []),
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("h", TensorProto.FLOAT, [1, 8]),
        ],
        [
            helper.make_tensor_value_info("again", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, [1, 8]),
            helper.make_tensor_value_info("row", TensorProto.FLOAT, [1, 8]),
        ],
    )
    g.weight("w", 8, 8)
    g.node("Loop", f"{g.numbers('turns', [turns], ())} _ x", "_ rows", body=body)
    g.node("Transpose", "rows", "y", perm=[1, 0, 2])
    return g


def chosen() -> Graph:
    """Boxes above a threshold: the network ends before the comparison, and a layer behind it has no shape."""
    g = Graph(x=(1, 3, 32, 32))
    g.node("Conv", f"x {g.weight('w', 1, 3, 3, 3)}", "a")
    g.node("Reshape", f"a {g.numbers('s', [-1])}", "b")
    g.node("Greater", f"b {g.numbers('t', [0.5], (), TensorProto.FLOAT)}", "c")
    g.node("NonZero", "c", "n")
    g.node("Cast", "n", "f", to=TensorProto.FLOAT)
    g.node("MatMul", f"f {g.weight('head', 1, 40)}")
    return g


def pads_clip() -> Graph:
    """Pads that are cut off at 0 and cast."""
    g = Graph(x=(1, 3, 32, 32))
    pads = g.numbers("p", [0, 0, -1, 0, 0, 0, 1, 1], None, TensorProto.FLOAT)
    g.node("Clip", f"{pads} {g.numbers('lo', [0.0], (), TensorProto.FLOAT)}", "q")
    g.node("Cast", "q", "r", to=TensorProto.INT64)
    g.node("Pad", "x r", "a")
    g.node("Conv", f"a {g.weight('w', 8, 3, 3, 3)}", strides=[2, 2])
    return g


def pad_channels() -> Graph:
    g = Graph(x=(1, 16, 8, 8))
    g.node("Cast", g.numbers("p", [0, 8, 0, 0, 0, 8, 0, 0], None, TensorProto.INT32), "q", to=TensorProto.INT64)
    g.node("Pad", "x q", "a")
    g.node("Relu", "a")
    return g


def sin_const() -> Graph:
    """A table of positions that is computed of numbers."""
    g = Graph(x=(1, 8, 4, 4))
    g.node("Cast", g.numbers("n", list(range(128))), "r", to=TensorProto.FLOAT)
    g.node("Reshape", f"r {g.numbers('k', [1, 8, 4, 4])}", "c")
    g.node("Sin", "c", "s")
    g.node("Add", "x s")
    return g


def scatternd() -> Graph:
    """Rows written to positions that lie apart."""
    g = Graph(x=(1, 3, 32, 32))
    g.node("Conv", f"x {g.weight('w', 8, 3, 3, 3)}", "a")
    g.node("ScatterND", f"a {g.numbers('i', [0, 2, 0, 5], (2, 2))} {g.weight('u', 2, 30, 30)}", "b")
    g.node("Relu", "b")
    return g


def scatternd_block() -> Graph:
    """Some channels replaced: `y[:, 2:5] = u`, as PyTorch exports it."""
    g = Graph(x=(1, 3, 32, 32))
    g.node("Conv", f"x {g.weight('w', 8, 3, 3, 3)}", "a")
    g.node("ScatterND", f"a {g.numbers('i', [0, 2, 0, 3, 0, 4], (1, 3, 2))} {g.weight('u', 1, 3, 30, 30)}", "b")
    g.node("Relu", "b")
    return g


def scatternd_window() -> Graph:
    """All but a class token and its neighbours written anew, by indices too many to be computed: they are expanded."""
    g = Graph(x=(1, 1, 81, 81))
    g.node("Slice", f"x {g.numbers('o', [1, 1])} {g.numbers('e', [81, 81])} {g.numbers('ax', [2, 3])}", "p")
    g.node("Relu", "p", "u")
    shape = g.numbers("s", [1, 1, 80, 80])
    columns = []
    for n, (first, count, dims) in enumerate(((0, 1, [1]), (0, 1, [1]), (1, 80, [80, 1]), (1, 80, [80]))):
        g.node("Expand", f"{g.numbers(f'n{n}', list(range(first, first + count)), tuple(dims))} {shape}", f"e{n}")
        g.node("Unsqueeze", f"e{n} {g.numbers(f'l{n}', [-1])}", f"c{n}")
        columns.append(f"c{n}")
    g.node("Concat", " ".join(columns), "i", axis=-1)
    g.node("ScatterND", "x i u")
    return g


def scatternd_nothing() -> Graph:
    """Nothing written to an empty block, by indices that are joined of empty ones."""
    g = Graph(x=(1, 3, 8, 8))
    g.node("ConstantOfShape", g.numbers("z", [8, 8]), "m")
    g.node("Expand", f"{g.numbers('r', [], (0, 1))} {g.numbers('s', [0, 8])}", "a")
    g.node("Unsqueeze", f"a {g.numbers('l', [-1])}", "b")
    g.node("Concat", "b b", "i", axis=-1)
    g.node("ScatterND", f"m i {g.numbers('u', [], (0, 8), TensorProto.FLOAT)}", "n")
    g.node("Add", "x n")
    return g


def mask_of_constants() -> Graph:
    """A mask of windows that is computed of a large table: a constant, whatever computes it."""
    g = Graph(x=(1, 64, 100))
    one = helper.make_tensor("one", TensorProto.FLOAT, (1,), [1.0])
    g.node("ConstantOfShape", g.numbers("s", [64, 100]), "z")
    g.node("ConstantOfShape", g.numbers("r", [1, 100]), "u", value=one)
    g.node("ScatterND", f"z {g.numbers('i', [3], (1, 1))} u", "t")
    g.node("Equal", f"t {g.numbers('o', [0.0], (), TensorProto.FLOAT)}", "e")
    g.node("Where", f"e t {g.numbers('h', [-100.0], (), TensorProto.FLOAT)}", "m")
    g.node("Add", "x m")
    return g


def blur() -> Graph:
    """A filter that blurs, as a constant of the code."""
    g = Graph(x=(1, 4, 16, 16))
    filters = helper.make_tensor(
        "f", TensorProto.FLOAT, (4, 1, 3, 3), [float(n) for n in (1, 2, 1, 2, 4, 2, 1, 2, 1)] * 4
    )
    g.node("Constant", "", "/blur/Constant_output_0", value=filters)
    g.node("Conv", "x /blur/Constant_output_0", group=4, pads=[1, 1, 1, 1], strides=[2, 2])
    return g


def blur_buffer() -> Graph:
    """The same as a buffer, which PyTorch's older exporter writes as it writes parameters."""
    g = Graph(x=(1, 4, 16, 16))
    numbers = [float(n) for n in (1, 2, 1, 2, 4, 2, 1, 2, 1)] * 4
    g.numbers("layer1.0.aa.filt", numbers, (4, 1, 3, 3), TensorProto.FLOAT)
    g.node("Conv", "x layer1.0.aa.filt", group=4, pads=[1, 1, 1, 1], strides=[2, 2])
    return g


def depthwise_ones() -> Graph:
    """A depthwise convolution whose filters are still alike: its name says that it learns."""
    g = Graph(x=(1, 4, 16, 16))
    g.numbers("conv.weight", [float(n) for n in range(9)] * 4, (4, 1, 3, 3), TensorProto.FLOAT)
    g.node("Conv", "x conv.weight", group=4, pads=[1, 1, 1, 1])
    return g


def coordinates() -> Graph:
    """A buffer with the coordinates of a grid, of which a small network makes a bias, as in Swin v2."""
    g = Graph(x=(1, 2, 15))
    grid = [float(n) for row in range(-1, 2) for column in range(-2, 3) for n in (row, column)]
    g.numbers("attn.relative_coords_table", grid, (1, 3, 5, 2), TensorProto.FLOAT)
    g.node("MatMul", f"attn.relative_coords_table {g.weight('attn.mlp.weight', 2, 2)}", "b")
    g.node("Reshape", f"b {g.numbers('s', [15, 2])}", "r")
    g.node("Transpose", "r", "t", perm=[1, 0])
    g.node("Add", "x t")
    return g


def layer_norm_without_bias() -> Graph:
    """The zeros that PyTorch's exporter writes where a layer norm has no bias."""
    g = Graph(x=(1, 10, 64))
    zeros = helper.make_tensor("z", TensorProto.FLOAT, (64,), [0.0] * 64)
    g.node("Constant", "", "/norm/Constant_output_0", value=zeros)
    g.node("LayerNormalization", f"x {g.weight('norm.weight', 64)} /norm/Constant_output_0")
    return g


def layer_norm_plain() -> Graph:
    """The ones and zeros that it writes where a layer norm learns nothing."""
    g = Graph(x=(1, 10, 64))
    for name, number in (("/norm/Constant_output_0", 1.0), ("/norm/Constant_1_output_0", 0.0)):
        g.node("Constant", "", name, value=helper.make_tensor("n", TensorProto.FLOAT, (64,), [number] * 64))
    g.node("LayerNormalization", "x /norm/Constant_output_0 /norm/Constant_1_output_0")
    return g


def frozen_norm() -> Graph:
    """A batch norm whose four tensors are buffers and that is computed with, as torchvision's detectors have it."""
    g = Graph(x=(1, 3, 16, 16))
    g.node("Conv", f"x {g.weight('conv.weight', 8, 3, 3, 3)}", "a")
    for name in ("weight", "bias", "running_mean", "running_var"):
        g.node("Reshape", f"{g.weight(f'bn.{name}', 8)} {g.numbers(f's{name}', [1, 8, 1, 1])}", name)
    g.node("Add", f"running_var {g.numbers('eps', [1e-5], (), TensorProto.FLOAT)}", "v")
    g.node("Sqrt", "v", "d")
    g.node("Div", "weight d", "scale")
    g.node("Mul", "running_mean scale", "m")
    g.node("Sub", "bias m", "shift")
    g.node("Mul", "a scale", "c")
    g.node("Add", "c shift")
    return g


def empty_slice() -> Graph:
    g = Graph(x=(1, 3, 32, 32))
    g.node("Slice", f"x {g.numbers('a', [32])} {g.numbers('b', [64])} {g.numbers('ax', [2])}", "e")
    g.node("Concat", "e x", "c", axis=2)
    g.node("Conv", f"c {g.weight('w', 8, 3, 3, 3)}")
    return g


def sequence() -> Graph:
    g = Graph(x=(1, 3, 32, 32))
    g.node("SequenceEmpty", "", "s0")
    g.node("SequenceInsert", "s0 x", "s1")
    g.node("SequenceAt", f"s1 {g.numbers('i', [0], ())}", "a")
    g.node("Relu", "a")
    return g


def nonzero() -> Graph:
    g = Graph(x=(1, 3, 32, 32))
    g.node("Conv", f"x {g.weight('w', 8, 3, 3, 3)}", "a")
    g.node("NonZero", "a")
    return g


def einsum() -> Graph:
    g = Graph(x=(1, 8, 16, 16))
    g.node("Einsum", f"x {g.weight('w', 8, 4)}", equation="bchw,cd->bdhw")
    return g


def deform() -> Graph:
    g = Graph(opset=22, x=(1, 3, 32, 32), o=(1, 18, 32, 32))
    g.node("DeformConv", f"x {g.weight('w', 8, 3, 3, 3)} o", pads=[1, 1, 1, 1])
    return g


def hard_sigmoid() -> Graph:
    """With ONNX's own slope, which is not PyTorch's."""
    g = Graph(x=(1, 10))
    g.node("HardSigmoid", "x")
    return g


def folded_mask() -> Graph:
    """A mask of windows that an exporter has computed."""
    g = Graph(x=(1, 2, 4, 16, 16))
    g.numbers("onnx::Add_17", [0.0, -100.0] * 256, (2, 1, 16, 16), TensorProto.FLOAT)
    g.node("Add", "x onnx::Add_17")
    return g


def gather_reshape() -> Graph:
    """A reshape that is written as a Gather of all positions."""
    g = Graph(x=(1, 8, 7, 7))
    g.node("GlobalAveragePool", "x", "a")
    g.node("Reshape", f"a {g.numbers('m', [-1])}", "b")
    g.node("Gather", f"b {g.numbers('i', list(range(8)), (1, 8, 1, 1))}", "d")
    g.node("Flatten", "d", "e")
    g.node("Gemm", f"e {g.weight('w', 8, 10)}")
    return g


def no_batch() -> Graph:
    """An image without a batch axis."""
    g = Graph(x=(3, 224, 224))
    g.node("Unsqueeze", f"x {g.numbers('z', [0])}", "a")
    g.node("Conv", f"a {g.weight('w', 8, 3, 3, 3)}")
    return g


def gemm_open() -> Graph:
    """A matrix of weights that is an input."""
    g = Graph(x=(1, 64), w=(10, 64))
    g.node("Gemm", "x w", transB=1)
    return g


def scalar_out() -> Graph:
    g = Graph(x=(1, 3, 32, 32))
    g.node("ReduceMean", "x", keepdims=0)
    return g


MADE: tuple[Callable[[], Graph], ...] = (
    *(gemm_tokens, conv_windows, bias_table, matmul_left, matmul_batch, condconv, gained, conv_bias_expand),
    *(conv_const_input, instance_norm_plain, shared_head, if_inside, lstm_state, pads_clip, pad_channels, sin_const),
    *(scatternd, scatternd_block, scatternd_window, scatternd_nothing, mask_of_constants, blur, blur_buffer),
    *(depthwise_ones, coordinates, layer_norm_without_bias, layer_norm_plain, frozen_norm, lstm_rows, split_by_loop),
    *(
        loop_scan,
        chosen,
        empty_slice,
        sequence,
        nonzero,
        einsum,
        deform,
        matmulinteger,
        qlinearadd,
        gather_reshape,
        no_batch,
    ),
    *(gemm_open, scalar_out, fused_conv, fused_clip, channels_in_blocks, norm_in_blocks, fused_matmul),
    *(skip_layer_norm, bias_gelu, hard_sigmoid, folded_mask),
)


def main() -> None:
    models = {made.__name__: made().model() for made in MADE}
    models |= {"gemm_tokens_of_4": gemm_tokens(4).model(), "conv_windows_of_4": conv_windows(4).model()}
    record = {"onnx": onnx.__version__, "files": {}}
    for name, model in models.items():
        record["files"][name] = base64.b64encode(model.SerializeToString()).decode()
    RECORD.write_bytes(gzip.compress(json.dumps(record).encode(), mtime=0))
    print(f"{len(models)} files, {RECORD.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
