"""The smallest graphs of what onnxruntime makes of a network: fused, quantized, and with channels in blocks."""

from __future__ import annotations

from onnx import TensorProto, helper

from tools.onnx_graph import Graph


def matmulinteger() -> Graph:
    g = Graph(x=(1, 64))
    g.node("DynamicQuantizeLinear", "x", "q s z")
    g.node("MatMulInteger", f"q {g.weight('w', 64, 10, kind=TensorProto.UINT8)} z", "i")
    g.node("Cast", "i", "f", to=TensorProto.FLOAT)
    g.node("Mul", "f s")
    return g


def qlinearadd() -> Graph:
    g = Graph(x=(1, 3, 32, 32))
    scale = g.numbers("s", [0.1], (), TensorProto.FLOAT)
    zero = g.numbers("z", [0], (), TensorProto.UINT8)
    g.node("QuantizeLinear", f"x {scale} {zero}", "q")
    g.node("QLinearAdd", f"q {scale} {zero} q {scale} {zero} {scale} {zero}", "r", domain="com.microsoft")
    g.node("DequantizeLinear", f"r {scale} {zero}")
    return g


def fused_conv() -> Graph:
    """A convolution, a tensor that is added and a ReLU, as onnxruntime fuses them."""
    g = Graph(x=(1, 8, 16, 16))
    weights = f"{g.weight('w', 8, 8, 3, 3)} {g.weight('b', 8)}"
    g.node("FusedConv", f"x {weights} x", domain="com.microsoft", activation="Relu", pads=[1, 1, 1, 1])
    return g


def fused_clip() -> Graph:
    """A convolution that is cut off at 0 and 6."""
    g = Graph(x=(1, 8, 16, 16))
    g.node("FusedConv", f"x {g.weight('w', 8, 8, 1, 1)}", domain="com.microsoft", activation="Clip")
    g.nodes[-1].attribute.append(helper.make_attribute("activation_params", [0.0, 6.0]))
    return g


def channels_in_blocks() -> Graph:
    """20 channels in blocks of 16: a convolution, a depthwise one and a batch norm, all filled up to 32."""
    g, nchwc = Graph(x=(1, 20, 8, 8)), "com.microsoft.nchwc"
    for n in ("a", "b", "c"):
        g.numbers(f"{n}.bias", [1.0] * 20 + [0.0] * 12, None, TensorProto.FLOAT)
    g.node("ReorderInput", "x", "i", domain=nchwc)
    g.node("Conv", f"i {g.weight('a', 32, 32, 1, 1)} a.bias", "p", domain=nchwc, activation="Relu")
    g.node("Conv", f"p {g.weight('b', 32, 1, 3, 3)} b.bias", "q", domain=nchwc, group=32, pads=[1, 1, 1, 1])
    g.node("ReorderOutput", "q", domain=nchwc, channels=20, channels_last=1)
    return g


def norm_in_blocks() -> Graph:
    """A batch norm as a depthwise convolution of one position."""
    g, nchwc = Graph(x=(1, 32, 8, 8)), "com.microsoft.nchwc"
    g.node("ReorderInput", "x", "i", domain=nchwc)
    g.node(
        "Conv", f"i {g.weight('w', 32, 1, 1, 1)} {g.weight('b', 32)}", "n", domain=nchwc, group=32, activation="Relu"
    )
    g.node("GlobalAveragePool", "n", "p", domain=nchwc)
    g.node("ReorderOutput", "p", domain=nchwc, channels=32)
    return g


def fused_matmul() -> Graph:
    """Scores of attention: queries with turned keys, times a number."""
    g = Graph(x=(1, 4, 10, 64), k=(1, 4, 10, 64))
    g.node("FusedMatMul", "x k", domain="com.microsoft", transB=1, alpha=0.125)
    return g


def skip_layer_norm() -> Graph:
    """A sum, which is read too, and its layer norm."""
    g = Graph(x=(1, 10, 64), s=(1, 10, 64))
    weights = f"{g.weight('w', 64)} {g.weight('b', 64)}"
    g.node("SkipLayerNormalization", f"x s {weights}", "n _ _ z", domain="com.microsoft", epsilon=1e-6)
    g.node("Add", "n z")
    return g


def bias_gelu() -> Graph:
    """The bias of a product and a GELU."""
    g = Graph(x=(1, 10, 64))
    g.node("MatMul", f"x {g.weight('w', 64, 32)}", "m")
    g.node("BiasGelu", f"m {g.weight('b', 32)}", domain="com.microsoft")
    return g
