"""Functions and layers for what Keras lacks; an exported file holds copies of those that it uses.

This file is the text that is copied: nothing here imports it, and it needs Keras to run.
"""

import numpy as np
from keras import layers, ops


def bordered(x, pads, mode):
    """Space padded from the input itself; negative padding cuts."""
    for axis, (before, after) in enumerate(pads, start=1):
        places = np.pad(np.arange(x.shape[axis]), (max(before, 0), max(after, 0)), mode)
        places = places[max(-before, 0) : len(places) - max(-after, 0)]
        x = ops.take(x, places, axis=axis)
    return x


def padded_average(x, pool_size, strides, padding, counted):
    """A mean over windows of the padded input; the divisor counts the input and the padding `counted`."""
    ones = np.pad(np.ones(x.shape[1:-1], "float32"), counted, constant_values=1)
    ones = np.pad(ones, [(b - c, a - d) for (b, a), (c, d) in zip(padding, counted)])[None, ..., None]
    total = ops.average_pool(ops.pad(x, [(0, 0), *padding, (0, 0)]), pool_size, strides, "valid")
    return total / ops.average_pool(ones, pool_size, strides, "valid")


def adaptive_pool(x, sizes, reduce):
    """Means or maxima over windows that spread each axis over its size."""
    for axis, size in enumerate(sizes, start=1):
        count = x.shape[axis]
        windows = [np.arange(n * count // size, -(-(n + 1) * count // size)) for n in range(size)]
        parts = [reduce(ops.take(x, window, axis=axis), axis=axis, keepdims=True) for window in windows]
        x = ops.concatenate(parts, axis=axis)
    return x


def interpolated(x, sizes, scales, mode, align_corners):
    """Space stretched or shrunk to sizes, axis by axis, as PyTorch interpolates."""
    for axis, (size, scale) in enumerate(zip(sizes, scales), start=1):
        count, at = x.shape[axis], np.arange(size)
        step = count / size if scale is None else 1 / scale
        if mode in ("nearest", "nearest-exact"):
            places = np.floor((at + 0.5 * (mode == "nearest-exact")) * step).astype(int)
            x = ops.take(x, np.minimum(places, count - 1), axis=axis)
            continue
        position = at * (count - 1) / max(size - 1, 1) if align_corners else (at + 0.5) * step - 0.5
        if mode == "linear":
            position = np.maximum(position, 0)
        low = np.floor(position).astype(int)
        t, a = position - low, -0.75
        near = lambda d: ((a + 2) * d - (a + 3)) * d * d + 1
        far = lambda d: ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
        cubic = [(-1, far(1 + t)), (0, near(t)), (1, near(1 - t)), (2, far(2 - t))]
        shape = [-1 if n == axis else 1 for n in range(len(x.shape))]
        x = sum(
            ops.take(x, np.clip(low + offset, 0, count - 1), axis=axis) * weight.astype("float32").reshape(shape)
            for offset, weight in (cubic if mode == "cubic" else [(0, 1 - t), (1, t)])
        )
    return x


def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    """Each number over a power of the mean square of its neighbouring channels."""
    sides = [(0, 0)] * (len(x.shape) - 1) + [(size // 2, (size - 1) // 2)]
    squares = ops.pad(ops.square(x), sides)
    total = sum(squares[..., n : n + x.shape[-1]] for n in range(size))
    return x / (k + alpha / size * total) ** beta


class Formed(layers.Layer):
    """A layer with weights that are standardised, have a gain for each output, or are not learned."""

    def __init__(self, use_bias=True, standardize=False, gain=False, fixed=False, **kwargs):
        super().__init__(**kwargs)
        self.use_bias = use_bias
        self.standardize = standardize
        self.has_gain = gain
        self.fixed = fixed

    def add_weights(self, shape, outputs, axis=-1):
        self.axis = axis % len(shape)
        learned = {"trainable": not self.fixed}
        self.kernel = self.add_weight(shape=shape, initializer="glorot_uniform", name="kernel", **learned)
        if self.use_bias:
            self.bias = self.add_weight(shape=(outputs,), initializer="zeros", name="bias", **learned)
        if self.has_gain:
            self.gain = self.add_weight(shape=(outputs,), initializer="ones", name="gain")

    def made(self):
        w, count = self.kernel, np.prod(self.kernel.shape) / self.kernel.shape[self.axis]
        if self.standardize:
            axes = [axis for axis in range(len(w.shape)) if axis != self.axis]
            mean, variance = ops.moments(w, axes, keepdims=True)
            w = (w - mean) * ops.rsqrt(variance + 1e-6)
        if self.has_gain:
            gain = ops.reshape(self.gain, [-1 if axis == self.axis else 1 for axis in range(len(w.shape))])
            w = w * gain * (count**-0.5 if self.standardize else 1)
        return w

    def with_bias(self, y):
        return y + self.bias if self.use_bias else y


class FormedDense(Formed):
    """A fully connected layer with weights that are made."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.add_weights((input_shape[-1], self.units), self.units)

    def call(self, x):
        return self.with_bias(ops.matmul(x, self.made()))


class FormedConv(Formed):
    """A convolution with weights that are made."""

    def __init__(self, filters, kernel_size, strides=1, padding="valid", dilation_rate=1, groups=1, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.steps = {"strides": strides, "padding": padding, "dilation_rate": dilation_rate}
        self.groups = groups

    def build(self, input_shape):
        size = self.kernel_size if isinstance(self.kernel_size, tuple) else (self.kernel_size,) * (len(input_shape) - 2)
        self.add_weights((*size, input_shape[-1] // self.groups, self.filters), self.filters)

    def call(self, x):
        return self.with_bias(ops.conv(x, self.made(), data_format="channels_last", **self.steps))


class FormedConvTranspose(Formed):
    """A transposed convolution with weights that are made."""

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", output_padding=None, dilation_rate=1, **kwargs
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.steps = {"strides": strides, "padding": padding, "output_padding": output_padding}
        self.steps["dilation_rate"] = dilation_rate

    def build(self, input_shape):
        size = self.kernel_size if isinstance(self.kernel_size, tuple) else (self.kernel_size,) * (len(input_shape) - 2)
        self.add_weights((*size, self.filters, input_shape[-1]), self.filters, axis=-2)

    def call(self, x):
        return self.with_bias(ops.conv_transpose(x, self.made(), data_format="channels_last", **self.steps))


def both_ways(recurrent, *arguments, name=None, **options):
    """A recurrent layer in both directions, whose states stand side by side."""
    return layers.Bidirectional(recurrent(*arguments, **options), name=name)


class Constant(layers.Layer):
    """A tensor that the layer holds, repeated for each example of what it is called with, and along more axes."""

    def __init__(self, shape, learned=True, repeats=(), **kwargs):
        super().__init__(**kwargs)
        self.size = shape
        self.repeats = repeats
        self.learned = learned

    def build(self, input_shape):
        self.value = self.add_weight(shape=self.size, initializer="zeros", name="value", trainable=self.learned)

    def call(self, x):
        return ops.broadcast_to(self.value, (ops.shape(x)[0], *self.repeats, *self.size))


class RMSNorm(layers.Layer):
    """Each number over the root of the mean square of the last axes, times a learned factor."""

    def __init__(self, axes=1, epsilon=2.0**-23, scale=True, **kwargs):
        super().__init__(**kwargs)
        self.axes = list(range(-axes, 0))
        self.epsilon = epsilon
        self.scale = scale

    def build(self, input_shape):
        if self.scale:
            self.gamma = self.add_weight(shape=input_shape[self.axes[0] :], initializer="ones", name="gamma")

    def call(self, x):
        y = x * ops.rsqrt(ops.mean(ops.square(x), axis=self.axes, keepdims=True) + self.epsilon)
        return y * self.gamma if self.scale else y


class Scale(layers.Layer):
    """Each channel, or with size 1 all of them, times a learned number, and with a bias plus another."""

    def __init__(self, use_bias=False, size=None, **kwargs):
        super().__init__(**kwargs)
        self.use_bias = use_bias
        self.size = size

    def build(self, input_shape):
        shape = input_shape[-1:] if self.size is None else (self.size,)
        self.gamma = self.add_weight(shape=shape, initializer="ones", name="gamma")
        if self.use_bias:
            self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")

    def call(self, x):
        return x * self.gamma + self.beta if self.use_bias else x * self.gamma


def scaled_attention(query, key, value, scale, mask=None, is_causal=False):
    """The values, weighed by the softmax of the scaled products of queries with keys, to which a mask is added."""
    scores = ops.matmul(query, ops.swapaxes(key, -1, -2)) * scale
    if mask is not None:
        scores = scores + mask
    if is_causal:
        scores = scores + np.triu(np.full(scores.shape[-2:], -np.inf, "float32"), 1)
    return ops.matmul(ops.softmax(scores), value)


def relative_positions(window):
    """For each two positions of a window, where the offset between them stands in a table of all offsets."""
    places = np.indices(window).reshape(len(window), -1)
    index = 0
    for side, place in zip(window, places):
        index = index * (2 * side - 1) + place[:, None] - place + side - 1
    return index.flatten()
