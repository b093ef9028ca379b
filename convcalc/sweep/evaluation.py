"""Candidate -> figures."""

from __future__ import annotations

from collections.abc import Sequence

from ..analysis.figures import Figures, find
from ..analysis.quantities import QUANTITIES, quantity
from ..analysis.quantity import Value
from ..findings import SpecError
from ..language.document import Document
from ..language.load import expand
from .asked import Asked, Options
from .candidates import Candidate, Refused


class Evaluator:
    """Gives the figures of candidates of one spec, as `analyse` gives them of the network of each."""

    def __init__(self, document: Document, asked: Sequence[Asked], options: Options) -> None:
        self.document = document
        self.asked = tuple(asked)
        self.options = options
        self._quantities = [quantity(each.quantity) or QUANTITIES["macs"] for each in asked]

    def values(self, candidate: Candidate) -> tuple[Value, ...] | Refused:
        """One value for each that is asked; a path that this network does not have gives None."""
        try:
            network = expand(self.document, params=candidate.params, variant=candidate.variant, input=candidate.input)
            figures = Figures(network, self.options.batch, self.options.dtype, self.options.optimizer)
            found: list[Value] = []
            for each, record in zip(self.asked, self._quantities, strict=True):
                subject = find(figures, each.path)
                found.append(None if subject is None else record.get(figures, subject))
            return tuple(found)
        except SpecError as error:
            first = error.findings[0]
            return Refused(candidate.number, candidate.values, first.code, first.message)
