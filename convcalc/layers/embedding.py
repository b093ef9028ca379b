"""A table whose rows are looked up: embedding."""

from math import prod
from typing import ClassVar

from ..geometry import IDENTITY, AxisLink
from .base import Count, Layer, Saved, Shape, Shapes, Weight


class Embedding(Layer):
    """Of each number, which is a position from 0 to num_embeddings − 1, the row of a learned table.

    [L] gives [L, embedding_dim]; the features stand last, whatever axes there are. It multiplies nothing. In a run a
    number that is no position counts as its whole part modulo num_embeddings. Weight: weight [num_embeddings,
    embedding_dim]. Source: torch.nn.Embedding.
    """

    num_embeddings: Count
    embedding_dim: Count

    width_field: ClassVar[str | None] = "embedding_dim"

    def output_shape(self, inputs: Shapes) -> Shape:
        return (*inputs[0], self.embedding_dim)

    def weights(self, inputs: Shapes) -> tuple[Weight, ...]:
        return (Weight("weight", (self.num_embeddings, self.embedding_dim)),)

    def axes(self, inputs: Shapes) -> tuple[AxisLink | None, ...]:
        return (*(AxisLink(axis, IDENTITY) for axis in range(len(inputs[0]))), None)

    def saved(self, inputs: Shapes, output: Shape) -> tuple[Saved, ...]:
        """The positions, as integers of 8 bytes."""
        return (Saved("extra", elements=prod(inputs[0]), bytes=8),)
