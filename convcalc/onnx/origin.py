"""The origin of a network that was read from an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..findings import Finding, UsageError

if TYPE_CHECKING:
    from ..marked import Marked
    from ..network import Network


class OnnxOrigin:
    """Where a network came from: the file, its nodes, and what there is to say about it; see `network.Origin`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.nodes: dict[str, str] = {}
        """Layer -> the node that it came of."""
        self.notes: tuple[Finding, ...] = ()
        """Warnings: what is opaque, stands for something else, is shared or left out."""
        self.as_stated = True
        """Whether the inputs have the sizes that the file states."""
        self.open_batches: frozenset[str] = frozenset()
        """Names under which the file leaves the batch open."""

    @property
    def variants(self) -> tuple[str, ...]:
        """An ONNX file has none."""
        return ()

    @property
    def overridden(self) -> tuple[str, ...]:
        """Nothing is claimed that another input would change."""
        return ()

    def finding(self, code: str, message: str, name: str = "", *, hint: str | None = None) -> Finding:
        """A finding that names the node of a layer."""
        node = self.nodes.get(name)
        return Finding(code, f"{message} (node {node})" if node else message, self.path, where=name, hint=hint)

    def finding_at(self, code: str, message: str, at: Marked | None, *, hint: str | None = None) -> Finding:
        """A finding about the file: it has no lines."""
        return Finding(code, message, self.path, hint=hint)

    def section(self, key: str) -> None:
        """An ONNX file claims nothing."""
        return

    def reload(
        self, *, params: Mapping[str, object] | None = None, variant: str | None = None, input: object = None
    ) -> Network:
        """The same file on another input. Raises UsageError for params and variants, which it does not have."""
        if params or variant is not None:
            raise UsageError(
                f"{self.path} is an ONNX file: it has no params and no variants", "only --input goes with it"
            )
        from .load import load_onnx

        return load_onnx(self.path, input=input)
