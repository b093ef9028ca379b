"""Candidate -> figures: from summaries of the parts of its network, or where these do not settle it from all of it."""

from __future__ import annotations

from collections.abc import Sequence

from ..analysis.device import read_device
from ..analysis.figures import Figures, Subject, find
from ..analysis.quantities import QUANTITIES, quantity
from ..analysis.quantity import Quantity, Value
from ..findings import SpecError
from ..geometry import LIMIT, GeometryError
from ..language.document import LAYER_STEPS, Document
from ..language.load import bound, expand, find_outputs
from ..limits import DIFFERENT_LAYERS, STEPS
from ..network import Network
from .asked import Asked, Options
from .candidates import Candidate, Refused
from .summaries import Unsure
from .summaries.folding import Folding
from .summaries.known import Known
from .summaries.reads import TooDeep
from .summaries.whole import WholeFigures


class Evaluator:
    """Gives the figures of candidates of one spec, exactly as `analyse` gives them of the network of each.

    A candidate is put together of parts that are remembered: see `summaries.folding` for what is one, and
    `Quantity.follows` for the quantities that follow from parts. The whole network is expanded and looked at for

    - other quantities (training, arena, flash, fused work, time), and paths with `*`,
    - a spec that shares weights,
    - a candidate with an error, or near a limit, and one that has no layer at a path that is asked for.
    """

    def __init__(self, document: Document, asked: Sequence[Asked], options: Options) -> None:
        self.document = document
        self.asked = tuple(asked)
        self.options = options
        self._device = None if options.device is None else read_device(options.device)
        self._quantities = [quantity(each.quantity) or QUANTITIES["macs"] for each in asked]
        self._read = dict(document.known)
        """The models that the reading of the text made."""
        self._known = Known(document, self._quantities, [each.path for each in asked], options)
        follows = all(record.follows is not None for record in self._quantities)
        self.folds = follows and not any("*" in each.path for each in asked) and not self._known.reads.shares
        """Whether candidates are put together of parts."""
        self.whole = 0
        """Candidates so far of which the whole network was looked at."""

    def values(self, candidate: Candidate) -> tuple[Value, ...] | Refused:
        """One value for each that is asked; a path that this network does not have gives None."""
        if len(self.document.known) > DIFFERENT_LAYERS // 2:
            self._forget_models()
        if self.folds:
            try:
                return self._folded(candidate)
            except (Unsure, SpecError, GeometryError, TooDeep):
                pass
        self.whole += 1
        return self._looked_at(candidate)

    def _forget_models(self) -> None:
        """Leave no models but those of the text, as a spec that is read anew has them."""
        self.document.known.clear()
        self.document.known.update(self._read)
        self.document.parts.clear()
        self.document.batched.clear()

    def _looked_at(self, candidate: Candidate) -> tuple[Value, ...] | Refused:
        """The figures by the whole network; near a limit of one that is read anew, with models that are made anew."""
        document = self.document
        before = document.steps
        found = self._by_network(candidate)
        taken = document.steps - before + LAYER_STEPS * len(document.known)
        if taken > STEPS - document.reading or (isinstance(found, Refused) and found.code == "CC111"):
            self._forget_models()
            found = self._by_network(candidate)
        return found

    def _by_network(self, candidate: Candidate) -> tuple[Value, ...] | Refused:
        try:
            network = expand(self.document, params=candidate.params, variant=candidate.variant, input=candidate.input)
            batch, dtype, optimizer, _ = self.options
            figures = Figures(network, batch, dtype, optimizer, self._device)
            found: list[Value] = []
            for each, record in zip(self.asked, self._quantities, strict=True):
                subject = find(figures, each.path)
                found.append(None if subject is None else record.get(figures, subject))
            return tuple(found)
        except SpecError as error:
            first = error.findings[0]
            return Refused(candidate.number, candidate.values, first.code, first.message)

    def _folded(self, candidate: Candidate) -> tuple[Value, ...]:
        """Raises Unsure, SpecError, GeometryError, TooDeep where parts do not settle it."""
        document = self.document
        env, shapes = bound(document, candidate.params, candidate.variant, candidate.input)
        run = Folding(self._known, STEPS - document.reading)
        last = run.run(shapes, env)
        outputs = find_outputs(document, run, env, last)
        pieces = run.pieces()
        if sum([piece.part.summed[0] for piece in pieces if piece.part is not None]) > LIMIT:
            raise Unsure
        groups = {group.path: group for number, group in enumerate(run.groups) if number not in run.passed}
        figures = WholeFigures(
            Network("", tuple(run.nodes), outputs, groups), pieces, self._known.passages, self.options
        )
        found: list[Value] = []
        for each, record in zip(self.asked, self._quantities, strict=True):
            subject = find(figures, each.path)
            if subject is None:
                raise Unsure
            found.append(self._value(figures, subject, record))
        return tuple(found)

    def _value(self, figures: WholeFigures, subject: Subject, record: Quantity) -> Value:
        known = self._known
        if record.follows == "parts":
            return record.get(figures, subject)
        if record.name in known.empty:
            return None
        parts = [part for i in subject.nodes if (part := figures.pieces[i].part) is not None]
        if record.total == "sum":
            column = known.summed[record]
            return sum([part.summed[column] for part in parts])
        column = known.largest[record]
        return max([part.largest[column] for part in parts], default=0)
