"""Where a network comes from: its document, with the places of its nodes and a way to build it anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..findings import Finding
from ..marked import Marked, Source
from .arithmetic import Value
from .document import Document
from .expansion import Expansion

if TYPE_CHECKING:
    from ..network import Network


class Declared(NamedTuple):
    """Something that a spec declares: what it is called and where."""

    name: str
    at: Marked


class SpecOrigin:
    """The origin of a network that was read from a spec; see `network.Origin`."""

    def __init__(
        self, document: Document, expansion: Expansion, params: dict[str, Value], overridden: tuple[str, ...] = ()
    ) -> None:
        self.document = document
        self.path = document.source.path
        self.params: dict[str, Value] = params
        """The parameters of the spec with the values that they have."""
        self.overridden = overridden
        """The options that gave something else than the spec says: `--set`, `--variant`, `--input`."""
        self._expansion = expansion
        self._indices: dict[str, int] | None = None

    @property
    def source(self) -> Source:
        """The text."""
        return self.document.source

    @property
    def variants(self) -> tuple[str, ...]:
        """The names of the spec's variants."""
        return tuple(self.document.variants)

    @property
    def title(self) -> str | None:
        """The spec's title, or its name."""
        return self.document.text("title") or self.document.text("name")

    @property
    def description(self) -> str | None:
        """The spec's description."""
        return self.document.text("description")

    @property
    def unused_params(self) -> tuple[Declared, ...]:
        """Parameters that nothing reads: `name`, or `block.name` for a block's."""
        return tuple(Declared(name, at) for name, at in self.document.unused_params())

    @property
    def unused_blocks(self) -> tuple[Declared, ...]:
        """Blocks that the layers never reach."""
        return tuple(Declared(block.name, block.at) for block in self.document.blocks.values() if not block.called)

    def place(self, name: str) -> Marked | None:
        """Where the node or group `name` is written; the nearest enclosing path's place for others."""
        if self._indices is None:
            self._indices = {node.name: index for index, node in enumerate(self._expansion.nodes)}
        while name:
            index = self._indices.get(name)
            if index is not None:
                return self._expansion.places[index]
            if name in self._expansion.group_places:
                return self._expansion.group_places[name]
            name = name.rpartition(".")[0]
        return None

    def finding(self, code: str, message: str, name: str = "", *, hint: str | None = None) -> Finding:
        """A finding placed where the node or group `name` is written."""
        return self.source.finding(code, message, self.place(name), hint=hint, where=name)

    def finding_at(self, code: str, message: str, at: Marked | None, *, hint: str | None = None) -> Finding:
        """A finding placed at a node of the document."""
        return self.source.finding(code, message, at, hint=hint)

    def section(self, key: str) -> Marked | None:
        """A top-level section of the document (`expect`, `published`), or None."""
        return self.document.section(key)

    def reload(
        self,
        *,
        params: Mapping[str, object] | None = None,
        variant: str | None = None,
        input: Sequence[int] | Mapping[str, Sequence[int]] | object = None,
    ) -> Network:
        """The same source under exactly these params, variant and input; what is not given is the spec's own."""
        from .load import expand

        return expand(self.document, params=params, variant=variant, input=input)
