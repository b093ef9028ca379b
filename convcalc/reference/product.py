"""Products of activations, forward and backward: matmul, scaled_dot_product_attention, multihead_attention."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .context import (
    Array,
    Arrays,
    Context,
    Counter,
    DoesNotFit,
    Gradients,
    Operation,
    Start,
    Starts,
    Weights,
    multiply_matrices,
)

if TYPE_CHECKING:
    from ..layers.product import MatMul, MultiheadAttention, ScaledDotProductAttention


def _aligned(x: Array, axes: int) -> Array:
    """The array with `axes` axes: those that are absent stand behind the batch."""
    return x.reshape(x.shape[0], *(1,) * (axes - x.ndim), *x.shape[1:])


def _summed_to(grad: Array, x: Array) -> Array:
    """The adjoint of repeating axes of size 1, and of `_aligned`."""
    wanted = _aligned(x, grad.ndim).shape
    repeated = tuple(axis for axis in range(grad.ndim) if wanted[axis] == 1 and grad.shape[axis] != 1)
    return grad.sum(axis=repeated, keepdims=True).reshape(x.shape) if repeated else grad.reshape(x.shape)


def _turned(x: Array) -> Array:
    return x.swapaxes(-1, -2)


def _factors(inputs: Arrays) -> tuple[Array, Array]:
    a, b = inputs
    if a.shape[-1] != b.shape[-2]:
        raise DoesNotFit(f"a product of matrices {a.shape[-2:]} and {b.shape[-2:]}")
    axes = max(a.ndim, b.ndim)
    return _aligned(a, axes), _aligned(b, axes)


def _matmul(layer: MatMul, inputs: Arrays, weights: Weights, context: Context) -> Array:
    a, b = _factors(inputs)
    return multiply_matrices(a, b, context.counter)


def _matmul_backward(layer: MatMul, inputs: Arrays, weights: Weights, grad: Array, context: Context) -> Gradients:
    a, b = _factors(inputs)
    grad_a = multiply_matrices(grad, _turned(b), context.counter)
    grad_b = multiply_matrices(_turned(a), grad, context.counter)
    return (_summed_to(grad_a, inputs[0]), _summed_to(grad_b, inputs[1])), {}


class Attention(NamedTuple):
    """softmax(scale·Q Kᵀ + mask) V: its arrays, and the shares that each position takes of the others."""

    query: Array
    key: Array
    value: Array
    shares: Array
    scale: float

    @classmethod
    def of(cls, arrays: Arrays, scale: float, mask: Array | None, counter: Counter | None) -> Attention:
        """The attention of query, key and value."""
        query, key, value = arrays
        if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
            raise DoesNotFit(f"a query {query.shape[1:]}, a key {key.shape[1:]} and a value {value.shape[1:]}")
        scores = multiply_matrices(query, _turned(key), counter) * scale
        if mask is not None:
            scores = scores + mask
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return cls(query, key, value, np.asarray(powers / powers.sum(axis=-1, keepdims=True)), scale)

    def output(self, counter: Counter | None) -> Array:
        """Each position's shares of the values."""
        return multiply_matrices(self.shares, self.value, counter)

    def backward(self, grad: Array, counter: Counter | None) -> tuple[Array, Array, Array, Array]:
        """The gradients of query, key, value and scores."""
        grad_value = multiply_matrices(_turned(self.shares), grad, counter)
        grad_shares = multiply_matrices(grad, _turned(self.value), counter)
        scores = self.shares * (grad_shares - (grad_shares * self.shares).sum(axis=-1, keepdims=True))
        scaled = scores * self.scale
        grad_query = multiply_matrices(scaled, self.key, counter)
        grad_key = multiply_matrices(_turned(scaled), self.query, counter)
        return grad_query, grad_key, grad_value, np.asarray(scores)


def _later(asked: int, read: int) -> Array:
    """−∞ where a position stands behind the one that asks."""
    return np.where(np.arange(read) > np.arange(asked)[:, None], -np.inf, 0.0)


def _attention(layer: ScaledDotProductAttention, inputs: Arrays, context: Context) -> Attention:
    query, key = inputs[:2]
    mask = _aligned(inputs[3], query.ndim) if len(inputs) == 4 else None
    if layer.is_causal:
        mask = _later(query.shape[-2], key.shape[-2]).astype(np.result_type(query, 0.0))
    scale = 1 / sqrt(query.shape[-1]) if layer.scale is None else layer.scale
    return Attention.of(inputs[:3], scale, mask, context.counter)


def _sdpa(layer: ScaledDotProductAttention, inputs: Arrays, weights: Weights, context: Context) -> Array:
    return _attention(layer, inputs, context).output(context.counter)


def _sdpa_backward(
    layer: ScaledDotProductAttention, inputs: Arrays, weights: Weights, grad: Array, context: Context
) -> Gradients:
    *grads, scores = _attention(layer, inputs, Context()).backward(grad, context.counter)
    return (*grads, *(_summed_to(scores, mask) for mask in inputs[3:])), {}


class _Heads(NamedTuple):
    """A multi-head attention on its arrays: what the heads read, and the projections that gave it."""

    attention: Attention
    reads: Arrays
    """Query, key and value as they arrive."""
    matrices: Arrays
    """The projections' weights."""


def _split_heads(x: Array, heads: int) -> Array:
    """[batch, L, E] to [batch, heads, L, E / heads]."""
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def _merged_heads(x: Array) -> Array:
    """[batch, heads, L, E / heads] to [batch, L, E]."""
    return x.swapaxes(1, 2).reshape(x.shape[0], x.shape[2], -1)


def _projected(x: Array, matrix: Array, counter: Counter | None) -> Array:
    """Each position's features times a matrix [out, in]."""
    rows = multiply_matrices(x.reshape(-1, x.shape[-1]), matrix.T, counter)
    return rows.reshape(*x.shape[:-1], matrix.shape[0])


def _heads(layer: MultiheadAttention, inputs: Arrays, weights: Weights, counter: Counter | None) -> _Heads:
    reads = inputs if len(inputs) == 3 else inputs * 3
    if "in_proj_weight" in weights:
        matrices = tuple(np.split(weights["in_proj_weight"], 3))
    else:
        matrices = tuple(weights[f"{letter}_proj_weight"] for letter in "qkv")
    if any(x.ndim != 3 or x.shape[-1] != matrix.shape[1] for x, matrix in zip(reads, matrices, strict=True)):
        raise DoesNotFit(f"inputs {[x.shape[1:] for x in reads]} for projections {[m.shape for m in matrices]}")
    made = [_projected(x, matrix, counter) for x, matrix in zip(reads, matrices, strict=True)]
    if layer.bias:
        biases = np.split(weights["in_proj_bias"], 3)
        made = [x + bias for x, bias in zip(made, biases, strict=True)]
    for which, name in ((1, "bias_k"), (2, "bias_v")):
        if layer.add_bias_kv:
            row = np.broadcast_to(weights[name], (made[which].shape[0], 1, made[which].shape[2]))
            made[which] = np.concatenate((made[which], row), axis=1)
        if layer.add_zero_attn:
            made[which] = np.pad(made[which], ((0, 0), (0, 1), (0, 0)))
    apart = tuple(_split_heads(x, layer.num_heads) for x in made)
    return _Heads(Attention.of(apart, 1 / sqrt(apart[0].shape[-1]), None, counter), reads, matrices)


def _multihead(layer: MultiheadAttention, inputs: Arrays, weights: Weights, context: Context) -> Array:
    merged = _merged_heads(_heads(layer, inputs, weights, context.counter).attention.output(context.counter))
    result = _projected(merged, weights["out_proj.weight"], context.counter)
    return result + weights["out_proj.bias"] if layer.bias else result


def _rows(x: Array) -> Array:
    return x.reshape(-1, x.shape[-1])


def _multihead_backward(
    layer: MultiheadAttention, inputs: Arrays, weights: Weights, grad: Array, context: Context
) -> Gradients:
    counter = context.counter
    heads = _heads(layer, inputs, weights, None)
    merged = _merged_heads(heads.attention.output(None))
    gradients = {"out_proj.weight": multiply_matrices(_rows(grad).T, _rows(merged), counter)}
    back = multiply_matrices(_rows(grad), weights["out_proj.weight"], counter).reshape(merged.shape)
    made = list(map(_merged_heads, heads.attention.backward(_split_heads(back, layer.num_heads), counter)[:3]))
    for which, name in ((1, "bias_k"), (2, "bias_v")):
        length = heads.reads[which].shape[1]
        if layer.add_bias_kv:
            gradients[name] = made[which][:, length : length + 1].sum(axis=0, keepdims=True)
        made[which] = made[which][:, :length]
    steps = list(zip(made, heads.reads, heads.matrices, strict=True))
    found = [multiply_matrices(_rows(step).T, _rows(x), counter) for step, x, _ in steps]
    if "in_proj_weight" in weights:
        gradients["in_proj_weight"] = np.concatenate(found)
    else:
        gradients |= {f"{letter}_proj_weight": one for letter, one in zip("qkv", found, strict=True)}
    if layer.bias:
        gradients["in_proj_bias"] = np.concatenate([_rows(step).sum(axis=0) for step in made])
        gradients["out_proj.bias"] = _rows(grad).sum(axis=0)
    grads = tuple(multiply_matrices(_rows(step), matrix, counter).reshape(x.shape) for step, x, matrix in steps)
    return (grads if len(inputs) == 3 else (np.asarray(sum(grads)),)), gradients


def _multihead_tensors(layer: MultiheadAttention, shape: tuple[int, ...]) -> Starts:
    """The projections start as PyTorch's, uniform by Glorot & Bengio 2010, biases at 0."""
    features = shape[-1]
    kdim, vdim = layer.kdim or features, layer.vdim or features
    if kdim == vdim == features:
        found = {"in_proj_weight": _glorot((3 * features, features), features, 3 * features)}
    else:
        read = (("q", features), ("k", kdim), ("v", vdim))
        found = {f"{letter}_proj_weight": _glorot((features, size), size, features) for letter, size in read}
    if layer.bias:
        found["in_proj_bias"] = Start((3 * features,))
    if layer.add_bias_kv:
        found |= {name: _glorot((1, 1, features), features, features) for name in ("bias_k", "bias_v")}
    found["out_proj.weight"] = Start((features, features), features, features, features)
    if layer.bias:
        found["out_proj.bias"] = Start((features,))
    return found


def _glorot(shape: tuple[int, ...], fan_in: int, fan_out: int) -> Start:
    """A tensor that PyTorch draws with variance 2 / (fan_in + fan_out)."""
    return Start(shape, fan_in, fan_out, (fan_in + fan_out) / 6)


OPERATIONS = {
    "MatMul": Operation(_matmul, _matmul_backward),
    "ScaledDotProductAttention": Operation(_sdpa, _sdpa_backward),
    "MultiheadAttention": Operation(_multihead, _multihead_backward, _multihead_tensors),
}
