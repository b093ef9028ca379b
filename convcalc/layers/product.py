"""Products of activations: matmul, scaled_dot_product_attention, multihead_attention."""

from math import prod
from typing import Annotated, ClassVar

from pydantic import Field

from ..geometry import (
    IDENTITY,
    AxisLink,
    ChannelMismatch,
    GeometryError,
    RankMismatch,
    UnequalInputs,
)
from .base import Count, Flag, Layer, MatrixProduct, Operations, Product, Saved, Shape, Shapes, Weight, check_groups

Links = tuple[AxisLink | None, ...]


def _broadcast(layer: Layer, inputs: Shapes, trailing: int) -> Shape:
    """The axes before the last `trailing` ones, repeated where they are 1 or absent."""
    result: Shape = ()
    for which, shape in enumerate(inputs):
        leading = shape[: len(shape) - trailing]
        rank = max(len(result), len(leading))
        one, other = ((1,) * (rank - len(axes)) + axes for axes in (result, leading))
        if any(a != b and 1 not in (a, b) for a, b in zip(one, other, strict=True)):
            where = f"leading axes {list(result)} and {list(leading)}"
            raise UnequalInputs(layer.kind, 0, inputs[0], which, shape, where, hint="they must be equal, or 1")
        result = tuple(b if a == 1 else a for a, b in zip(one, other, strict=True))
    return result


def _check_matrices(layer: Layer, inputs: Shapes, names: tuple[str, ...]) -> None:
    """Raise `RankMismatch` unless every input has two axes at least."""
    for shape, name in zip(inputs, names, strict=False):
        if len(shape) < 2:
            raise RankMismatch(
                f"{layer.kind} takes matrices, and {name} is {list(shape)}",
                hint="unsqueeze makes a row or a column of it; axes exclude the batch",
                axes=len(shape),
            )


def _leading(shape: Shape, rank: int) -> Links:
    """Links of the axes before the last two of an output of so many axes."""
    absent = rank - len(shape)
    return (*(None,) * absent, *(AxisLink(axis, IDENTITY) for axis in range(len(shape) - 2)))


class MatMul(Layer):
    """The product of two inputs: [..., n, k] and [..., k, m] give [..., n, m].

    Axes before the last two are equal, or 1, or absent, and are repeated then, as PyTorch broadcasts; the batch never
    is. Multiply-accumulates: the outputs times k, all of them products of two activations. Source: torch.matmul.
    """

    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    joins: ClassVar[bool] = True
    multiplies_inputs: ClassVar[bool] = True
    reads_apart: ClassVar[bool] = True

    def output_shape(self, inputs: Shapes) -> Shape:
        left, right = inputs
        _check_matrices(self, inputs, ("the left one", "the right one"))
        if left[-1] != right[-2]:
            raise ChannelMismatch(
                f"matmul of {list(left)} and {list(right)}: the last axis of the left one is {left[-1]}, the last but "
                f"one of the right one {right[-2]}",
                hint="permute the right one, so that its last axis is its last but one"
                if left[-1] == right[-1]
                else None,
                left=left,
                right=right,
            )
        return (*_broadcast(self, inputs, 2), left[-2], right[-1])

    def axes(self, inputs: Shapes) -> Links:
        return self.axes_of(inputs, 0)

    def axes_of(self, inputs: Shapes, which: int) -> Links:
        """The left one gives the rows, the right one the columns; what they share is summed."""
        shape, rank = inputs[which], max(map(len, inputs))
        rows = AxisLink(len(shape) - 2, IDENTITY) if which == 0 else None
        columns = AxisLink(len(shape) - 1, IDENTITY) if which == 1 else None
        return (*_leading(shape, rank), rows, columns)

    def matrix_products(self, inputs: Shapes, output: Shape) -> tuple[MatrixProduct, ...]:
        return (MatrixProduct("product", prod(output), inputs[0][-1], of_activations=True),)

    def backward_macs(self, inputs: Shapes, output: Shape, learns: tuple[bool, ...]) -> int:
        """The gradient of each factor costs as much as the product."""
        return sum(learns) * self.activation_macs(inputs, output)

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        return {"mac": self.activation_macs(inputs, output)}

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        """Both factors; one that is repeated along leading axes as the copy that PyTorch makes of it."""
        leading = output[:-2]
        return tuple(
            Saved("input", which) if shape[:-2] == leading else Saved("extra", elements=prod((*leading, *shape[-2:])))
            for which, shape in enumerate(inputs)
        )


ROLES = ("query", "key", "value")


class ScaledDotProductAttention(Layer):
    """softmax(scale·Q Kᵀ + mask) V of query [..., L, E], key [..., S, E] and value [..., S, V]; gives [..., L, V].

    A fourth input is added to the scores: a bias or a mask of 0 and −∞, [..., L, S] with axes of 1 or absent where it
    repeats. `scale` is 1/√E by default; with `is_causal` position n sees the positions up to n. Multiply-accumulates
    of both products: L·S·(E + V) each leading position, those that a mask makes 0 among them.
    Source: torch.nn.functional.scaled_dot_product_attention; Vaswani et al. 2017, arXiv:1706.03762, section 3.2.1.
    """

    scale: Annotated[float, Field(allow_inf_nan=False)] | None = None
    is_causal: Flag = False

    arity: ClassVar[tuple[int, int | None]] = (3, 4)
    joins: ClassVar[bool] = True
    branch_roles: ClassVar[tuple[str, ...]] = (*ROLES, "mask")
    multiplies_inputs: ClassVar[bool] = True
    reads_apart: ClassVar[bool] = True

    def output_shape(self, inputs: Shapes) -> Shape:
        _check_matrices(self, inputs, self.branch_roles)
        query, key, value = inputs[:3]
        leading = query[:-2]
        for which, shape in enumerate(inputs[1:3], start=1):
            if shape[:-2] != leading:
                where = f"leading axes {list(leading)} and {list(shape[:-2])}"
                raise UnequalInputs(self.kind, 0, query, which, shape, where, hint="axes before the last two are equal")
        if query[-1] != key[-1]:
            raise ChannelMismatch(
                f"a query of {query[-1]} numbers meets keys of {key[-1]}: {list(query)} and {list(key)}",
                hint="the last axes of query and key are equal",
                query=query,
                key=key,
            )
        if key[-2] != value[-2]:
            raise ChannelMismatch(
                f"{key[-2]} keys for {value[-2]} values: {list(key)} and {list(value)}",
                hint="the last axes but one of key and value are equal",
                key=key,
                value=value,
            )
        if len(inputs) == 4:
            if self.is_causal:
                raise GeometryError(
                    f"{self.kind} with is_causal takes no mask beside it",
                    hint="drop is_causal and put -inf into the mask where positions are not to be seen",
                )
            self._check_mask(inputs)
        return (*leading, query[-2], value[-1])

    def _check_mask(self, inputs: Shapes) -> None:
        """Raise `UnequalInputs` unless the mask fits the scores."""
        query, key, _, mask = inputs
        scores = (*query[:-2], query[-2], key[-2])
        fits = len(mask) <= len(scores) and all(
            size in (1, wanted) for size, wanted in zip(mask[::-1], scores[::-1], strict=False)
        )
        if not fits:
            where = f"scores of {list(scores)}"
            raise UnequalInputs(
                self.kind, 0, query, 3, mask, where, hint="the mask's axes are those of the scores, or 1"
            )

    def axes(self, inputs: Shapes) -> Links:
        return self.axes_of(inputs, 0)

    def axes_of(self, inputs: Shapes, which: int) -> Links:
        """The query and the mask give the rows, the value the columns; every position of key and value is read."""
        shape, rank = inputs[which], len(inputs[0])
        rows = AxisLink(len(shape) - 2, IDENTITY) if which in (0, 3) else AxisLink(len(shape) - 2, None)
        columns = AxisLink(len(shape) - 1, IDENTITY) if which == 2 else None
        return (*_leading(shape, rank), rows, columns)

    def matrix_products(self, inputs: Shapes, output: Shape) -> tuple[MatrixProduct, ...]:
        query, key = inputs[:2]
        scores = MatrixProduct("scores", prod(query[:-1]) * key[-2], query[-1], of_activations=True)
        return (scores, MatrixProduct("shares of values", prod(output), key[-2], of_activations=True))

    def backward_macs(self, inputs: Shapes, output: Shape, learns: tuple[bool, ...]) -> int:
        """The gradient of each factor of each product costs as much as the product; scores are not computed again."""
        scores, shares = (product.macs for product in self.matrix_products(inputs, output))
        query, key, value = learns[:3]
        return scores * (query + key) + shares * (any((query, key, *learns[3:])) + value)

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        scores = prod(inputs[0][:-1]) * inputs[1][-2]
        return {
            "mac": self.activation_macs(inputs, output),
            "activation": 3 * scores,
            "elementwise": (1 + len(inputs[3:])) * scores,
        }

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        """Inputs, output, and the logarithm of each row's sum in float32, as PyTorch's fused kernels keep them.

        These give a mask no gradient, so that with one query and key are scaled apart and the shares are kept.
        """
        query, key = inputs[:2]
        rows = prod(query[:-1])
        if len(inputs) == 4:
            scaled = prod(query) + prod(key)
            return (Saved("input", 2), Saved("extra", elements=scaled + rows * key[-2]))
        read = tuple(Saved("input", which) for which in range(3))
        return (*read, Saved("output"), Saved("extra", elements=rows, bytes=4))


class MultiheadAttention(Layer):
    """Attention of `num_heads` heads between learned projections, on [L, E] (self-attention) or query, key and value.

    Query [L, E], key [S, kdim], value [S, vdim] give [L, E]; each head has E/num_heads numbers of the projections.
    `kdim` and `vdim` are E by default; `add_bias_kv` appends a learned key and value, `add_zero_attn` one of zeros.
    Weights have PyTorch's names: in_proj_weight [3E, E], or q_, k_, v_proj_weight where kdim or vdim differ from E,
    in_proj_bias, bias_k, bias_v, out_proj.weight, out_proj.bias.
    Source: torch.nn.MultiheadAttention; Vaswani et al. 2017, arXiv:1706.03762, section 3.2.2.
    """

    num_heads: Count
    bias: Flag = True
    kdim: Count | None = None
    vdim: Count | None = None
    add_bias_kv: Flag = False
    add_zero_attn: Flag = False

    arity: ClassVar[tuple[int, int | None]] = (1, 3)
    joins: ClassVar[bool] = True
    branch_roles: ClassVar[tuple[str, ...]] = ROLES
    multiplies: ClassVar[Product | None] = "attention"
    reads_apart: ClassVar[bool] = True
    short_forms: ClassVar[dict[str, str]] = {"heads": "num_heads"}

    def _roles(self, inputs: Shapes) -> Shapes:
        """The shapes of query, key and value."""
        return inputs if len(inputs) == 3 else inputs[:1] * 3

    def output_shape(self, inputs: Shapes) -> Shape:
        if len(inputs) == 2:
            raise RankMismatch(
                "multihead_attention takes one input, or query, key and value, not 2",
                hint="where key and value are one tensor, name it twice: from: [q, kv, kv]",
                inputs=2,
            )
        query, key, value = self._roles(inputs)
        for shape, name in zip((query, key, value), ROLES, strict=True):
            if len(shape) != 2:
                raise RankMismatch(
                    f"multihead_attention takes [positions, features], and the {name} is {list(shape)}",
                    hint="flatten the space and permute the features to the end; frames or windows: batch_axes",
                    axes=len(shape),
                )
        check_groups(self.num_heads, "num_heads", in_features=query[-1])
        for shape, name, field, wanted in (
            (key, "key", "kdim", self.kdim or query[-1]),
            (value, "value", "vdim", self.vdim or query[-1]),
        ):
            if shape[-1] != wanted:
                raise ChannelMismatch(
                    f"the {name} {list(shape)} has {shape[-1]} features, multihead_attention takes {wanted}",
                    hint=f"{field}: {shape[-1]}",
                    shape=shape,
                )
        if key[0] != value[0]:
            raise ChannelMismatch(f"{key[0]} keys for {value[0]} values", hint=None, key=key, value=value)
        return query

    @property
    def _extra_positions(self) -> int:
        return self.add_bias_kv + self.add_zero_attn

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        query, key, value = self._roles(inputs)
        features = query[-1]
        if key[-1] == value[-1] == features:
            found = [Weight("in_proj_weight", (3 * features, features))]
        else:
            read = (("q", query), ("k", key), ("v", value))
            found = [Weight(f"{letter}_proj_weight", (features, shape[-1])) for letter, shape in read]
        if self.bias:
            found.append(Weight("in_proj_bias", (3 * features,)))
        if self.add_bias_kv:
            found += [Weight(name, (1, 1, features)) for name in ("bias_k", "bias_v")]
        found.append(Weight("out_proj.weight", (features, features)))
        if self.bias:
            found.append(Weight("out_proj.bias", (features,)))
        return tuple(found)

    def axes(self, inputs: Shapes) -> Links:
        return self.axes_of(inputs, 0)

    def axes_of(self, inputs: Shapes, which: int) -> Links:
        rows = IDENTITY if which == 0 and len(inputs) == 3 else None
        return (AxisLink(0, rows), AxisLink(1, None))

    def _positions(self, inputs: Shapes) -> tuple[int, int, int]:
        """How many are asked, how many are read, and those that are read with learned and zero ones."""
        query, key, _ = self._roles(inputs)
        return query[0], key[0], key[0] + self._extra_positions

    def matrix_products(self, inputs: Shapes, output: Shape) -> tuple[MatrixProduct, ...]:
        asked, _, read = self._positions(inputs)
        features = output[-1]
        shapes = zip(ROLES, self._roles(inputs), strict=True)
        return (
            *(MatrixProduct(f"projection of the {role}", shape[0] * features, shape[-1]) for role, shape in shapes),
            MatrixProduct("scores", self.num_heads * asked * read, features // self.num_heads, of_activations=True),
            MatrixProduct("shares of values", asked * features, read, of_activations=True),
            MatrixProduct("projection of the output", asked * features, features),
        )

    def backward_macs(self, inputs: Shapes, output: Shape, learns: tuple[bool, ...]) -> int:
        """Each weight's gradient, what goes back to inputs that learn, and both factors of both products."""
        products = [product.macs for product in self.matrix_products(inputs, output)]
        reads = learns if len(inputs) == 3 else learns[:1] * 3
        back = sum(macs for macs, learned in zip(products, reads, strict=False) if learned)
        return sum(products[:3]) + back + 2 * sum(products[3:])

    def operations(self, inputs: Shapes, output: Shape) -> Operations:
        asked, given, read = self._positions(inputs)
        scores = self.num_heads * asked * read
        mac = sum(product.macs for product in self.matrix_products(inputs, output))
        found = {"mac": mac, "activation": 3 * scores, "elementwise": scores}
        return {**found, "bias": 2 * (asked + given) * output[-1]} if self.bias else found

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        """The inputs; the projections, which the products read, their result, and the logarithm of each row's sum."""
        asked, _, read = self._positions(inputs)
        between = Saved("extra", elements=2 * (asked + read) * output[-1])
        rows = Saved("extra", elements=self.num_heads * asked, bytes=4)
        return (*(Saved("input", which) for which in range(len(inputs))), between, rows)
