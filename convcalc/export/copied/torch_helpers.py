"""Small modules for what torch.nn lacks; an exported file holds copies of those that it uses.

This file is the text that is copied: nothing here imports it, and it needs PyTorch to run.
"""

import torch
import torch.nn.functional as F
from torch import nn


class Permute(nn.Module):
    """The axes in another order."""

    def __init__(self, dims):
        super().__init__()
        self.dims = dims

    def forward(self, x):
        return x.permute(self.dims)


class ChannelLayerNorm(nn.LayerNorm):
    """A layer norm over the channels of each position."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


def without(parameter, norm, *arguments, **options):
    """A norm that does not learn its weight, or its bias."""
    made = norm(*arguments, **options)
    made.register_parameter(parameter, None)
    return made


class LastAxisBatchNorm(nn.BatchNorm1d):
    """A batch norm whose channels are the last axis."""

    def forward(self, x):
        return super().forward(x.flatten(0, -2)).reshape(x.shape)


class Formed:
    """A layer that multiplies with weights that are standardised, have a gain an output, or are not learned."""

    def __init__(self, *args, standardize=False, gain=False, fixed=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.standardize = standardize
        outputs = self.out_features if isinstance(self, nn.Linear) else self.out_channels
        ones = torch.ones(outputs, *(1,) * (self.weight.dim() - 1))
        for name in ("weight", "bias") if fixed else ():
            value = getattr(self, name)
            delattr(self, name)
            self.register_buffer(name, None if value is None else value.detach())
        self.gain = nn.Parameter(ones) if gain else None

    def made(self):
        transposed = isinstance(self, nn.modules.conv._ConvTransposeNd)
        w = self._turned(self.weight) if transposed else self.weight
        if self.standardize:
            variance, mean = torch.var_mean(w, dim=tuple(range(1, w.dim())), keepdim=True, correction=0)
            w = (w - mean) * torch.rsqrt(variance + 1e-6)
        if self.gain is not None:
            w = w * self.gain * (w[0].numel() ** -0.5 if self.standardize else 1)
        return self._turned(w) if transposed else w

    def _turned(self, w):
        return w.unflatten(0, (self.groups, -1)).transpose(1, 2).flatten(0, 1)

    def _transposed_forward(self, function, x):
        steps = (self.stride, self.padding, self.output_padding, self.groups, self.dilation)
        return function(x, self.made(), self.bias, *steps)


class FormedLinear(Formed, nn.Linear):
    """A linear layer with weights that are made."""

    def forward(self, x):
        return F.linear(x, self.made(), self.bias)


class FormedConv1d(Formed, nn.Conv1d):
    """A convolution with weights that are made."""

    def forward(self, x):
        return self._conv_forward(x, self.made(), self.bias)


class FormedConv2d(Formed, nn.Conv2d):
    """A convolution with weights that are made."""

    def forward(self, x):
        return self._conv_forward(x, self.made(), self.bias)


class FormedConv3d(Formed, nn.Conv3d):
    """A convolution with weights that are made."""

    def forward(self, x):
        return self._conv_forward(x, self.made(), self.bias)


class FormedConvTranspose1d(Formed, nn.ConvTranspose1d):
    """A transposed convolution with weights that are made."""

    def forward(self, x):
        return self._transposed_forward(F.conv_transpose1d, x)


class FormedConvTranspose2d(Formed, nn.ConvTranspose2d):
    """A transposed convolution with weights that are made."""

    def forward(self, x):
        return self._transposed_forward(F.conv_transpose2d, x)


class FormedConvTranspose3d(Formed, nn.ConvTranspose3d):
    """A transposed convolution with weights that are made."""

    def forward(self, x):
        return self._transposed_forward(F.conv_transpose3d, x)


def by_example(function, x, weight, bias=None, **steps):
    """Each example multiplied with weights of its own."""
    biases = [None] * len(x) if bias is None else bias
    return torch.cat([function(x[n : n + 1], weight[n], biases[n], **steps) for n in range(len(x))])


class Constant(nn.Module):
    """A tensor that the module holds, repeated for each example of what it is called with, and along more axes."""

    def __init__(self, shape, learned=True, repeats=()):
        super().__init__()
        self.repeats = repeats
        value = torch.zeros(shape)
        if learned:
            self.value = nn.Parameter(value)
        else:
            self.register_buffer("value", value)

    def forward(self, x):
        return self.value.expand(len(x), *self.repeats, *self.value.shape)


class Rescale(nn.Module):
    """Each channel times a number and plus another, which nothing learns."""

    def __init__(self, scale, offset):
        super().__init__()
        self.register_buffer("scale", torch.tensor(scale), persistent=False)
        self.register_buffer("offset", torch.tensor(offset), persistent=False)

    def forward(self, x):
        shape = (-1, *(1,) * (x.dim() - 2))
        return x * self.scale.reshape(shape) + self.offset.reshape(shape)


class Scale(nn.Module):
    """Each channel times a learned number, and with a bias plus another; so many axes stand behind the channels."""

    def __init__(self, channels, axes=0, bias=False):
        super().__init__()
        shape = (channels, *(1,) * axes)
        self.weight = nn.Parameter(torch.ones(shape))
        self.bias = nn.Parameter(torch.zeros(shape)) if bias else None

    def forward(self, x):
        y = x * self.weight
        return y if self.bias is None else y + self.bias


class Attention(nn.MultiheadAttention):
    """Multi-head attention, batch first, without its shares; one input attends to itself."""

    def forward(self, query, key=None, value=None):
        key = query if key is None else key
        value = key if value is None else value
        return super().forward(query, key, value, need_weights=False)[0]


class Embedding(nn.Embedding):
    """The rows of a table that numbers name, which may be floating-point ones."""

    def forward(self, x):
        return super().forward(x.long())


class RNN(nn.RNN):
    """A recurrent layer, batch first, that gives the states of all positions."""

    def forward(self, x):
        return super().forward(x)[0]


class GRU(nn.GRU):
    """Gated recurrent units, batch first, that give the states of all positions."""

    def forward(self, x):
        return super().forward(x)[0]


class ResetFirstGRU(nn.GRU):
    """Gated recurrent units whose state is reset before its product, batch first; all states are given."""

    def forward(self, x):
        for layer in range(self.num_layers):
            forth = self._states(x, f"_l{layer}")
            back = [self._states(x.flip(1), f"_l{layer}_reverse").flip(1)] if self.bidirectional else []
            x = torch.cat([forth, *back], dim=-1)
        return x

    def _states(self, x, end):
        bias = [getattr(self, name + end) if self.bias else None for name in ("bias_ih", "bias_hh")]
        gates, last = slice(0, 2 * self.hidden_size), slice(2 * self.hidden_size, None)
        arrived, weight = F.linear(x, getattr(self, f"weight_ih{end}"), bias[0]), getattr(self, f"weight_hh{end}")
        (of_gates, of_last) = (None, None) if bias[1] is None else (bias[1][gates], bias[1][last])
        state, states = x.new_zeros(len(x), self.hidden_size), []
        for position in arrived.unbind(1):
            sums = position[:, gates] + F.linear(state, weight[gates], of_gates)
            reset, update = sums.sigmoid().chunk(2, dim=-1)
            new = (position[:, last] + F.linear(reset * state, weight[last], of_last)).tanh()
            state = (1 - update) * new + update * state
            states.append(state)
        return torch.stack(states, dim=1)


class LSTM(nn.LSTM):
    """Long short-term memory, batch first, that gives the states of all positions."""

    def forward(self, x):
        return super().forward(x)[0]


class ConvLSTM(nn.Module):
    """Long short-term memory whose products are convolutions, on [batch, positions, channels, *space]."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=(), dilation=1, bias=True):
        super().__init__()
        rank, gates = len(kernel_size), 4 * out_channels
        conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[rank - 1]
        given = conv(in_channels, gates, kernel_size, bias=bias)
        self.weight_ih = given.weight
        self.weight_hh = conv(out_channels, gates, kernel_size, bias=False).weight
        self.bias_ih = given.bias
        self.function = (F.conv1d, F.conv2d, F.conv3d)[rank - 1]
        self.steps = {"stride": stride, "dilation": dilation}
        self.padding = padding
        self.state_padding = [side for k in reversed(kernel_size) for side in ((k - 1) // 2, k // 2)]

    def forward(self, x):
        padded = F.pad(x.flatten(0, 1), self.padding)
        arrived = self.function(padded, self.weight_ih, self.bias_ih, **self.steps).unflatten(0, x.shape[:2])
        hidden = memory = torch.zeros_like(arrived[:, 0].chunk(4, dim=1)[0])
        states = []
        for position in arrived.unbind(1):
            total = position + self.function(F.pad(hidden, self.state_padding), self.weight_hh)
            into, forget, new, out = total.chunk(4, dim=1)
            memory = forget.sigmoid() * memory + into.sigmoid() * new.tanh()
            hidden = out.sigmoid() * memory.tanh()
            states.append(hidden)
        return torch.stack(states, dim=1)


def one_bias(recurrent, *arguments, **options):
    """A recurrent layer that learns one bias a gate; the other one stays 0."""
    made = recurrent(*arguments, **options)
    for name, value in list(made.named_parameters()):
        if name.startswith("bias_hh"):
            delattr(made, name)
            made.register_buffer(name, torch.zeros_like(value), persistent=False)
    made._flat_weights = [getattr(made, name) for name in made._flat_weights_names]
    return made


class StochasticDepth(nn.Module):
    """In training drops whole examples (row) or the whole batch with probability p."""

    def __init__(self, p, mode="row"):
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        if self.p == 1:
            return torch.zeros_like(x)
        count = x.shape[0] if self.mode == "row" else 1
        kept = torch.empty((count, *(1,) * (x.dim() - 1)), dtype=x.dtype, device=x.device)
        return x * kept.bernoulli_(1 - self.p) / (1 - self.p)


class PaddedAvgPool(nn.Module):
    """A mean over windows of the padded input; the divisor counts the input and the padding `counted`."""

    def __init__(self, kernel_size, stride, padding, counted):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.counted = counted

    def forward(self, x):
        pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[len(self.kernel_size) - 1]
        rest = tuple(all_ - counted for all_, counted in zip(self.padding, self.counted))
        ones = F.pad(F.pad(torch.ones_like(x[:1, :1]), self.counted, value=1.0), rest)
        total = pool(F.pad(x, self.padding), self.kernel_size, self.stride)
        return total / pool(ones, self.kernel_size, self.stride)


class ChannelShuffle(nn.Module):
    """The channels of the groups dealt out in turn."""

    def __init__(self, groups):
        super().__init__()
        self.groups = groups

    def forward(self, x):
        return x.unflatten(1, (self.groups, -1)).transpose(1, 2).flatten(1, 2)


class PixelShuffle(nn.Module):
    """Channels moved into space, on any number of axes."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        axes = x.dim() - 2
        y = x.unflatten(1, (-1, *(self.factor,) * axes))
        y = y.permute(0, 1, *(axis for n in range(axes) for axis in (2 + axes + n, 2 + n)))
        for n in range(axes):
            y = y.flatten(2 + n, 3 + n)
        return y


class PixelUnshuffle(nn.Module):
    """Space moved into channels, on any number of axes."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        axes, y = x.dim() - 2, x
        for n in range(axes):
            y = y.unflatten(2 + 2 * n, (-1, self.factor))
        y = y.permute(0, 1, *(3 + 2 * n for n in range(axes)), *(2 + 2 * n for n in range(axes)))
        return y.flatten(1, 1 + axes)


def center_crop(x, size):
    """The middle of the space; of an odd difference, the larger part is cut off the end."""
    for axis, wanted in enumerate(size, start=2):
        x = x.narrow(axis, (x.shape[axis] - wanted) // 2, wanted)
    return x


def share_weights(module, holder):
    """Give a module the parameters and buffers of another one that is built of the same parts."""
    for name, parameter in holder.named_parameters(recurse=False):
        setattr(module, name, parameter)
    for name, buffer in holder.named_buffers(recurse=False):
        setattr(module, name, buffer)
    for own, held in zip(module.children(), holder.children()):
        share_weights(own, held)


def relative_positions(window):
    """For each two positions of a window, where the offset between them stands in a table of all offsets."""
    sides = [torch.arange(side) for side in window]
    places = torch.stack(torch.meshgrid(*sides, indexing="ij")).flatten(1)
    index = 0
    for side, place in zip(window, places):
        index = index * (2 * side - 1) + place[:, None] - place + side - 1
    return index.flatten()
