"""Where a network that was read from a model came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..findings import Finding, UsageError
from ..network import Given, Network

if TYPE_CHECKING:
    from ..marked import Marked


@dataclass
class ModelOrigin:
    """A model of a framework, or the file of one; see `network.Origin`."""

    path: str
    """The file, or what names the model."""
    what: str
    """What it is: an ONNX file."""
    nodes: Mapping[str, str]
    """Layer -> what the model calls it."""
    load: Callable[[object], Network]
    """Reads it on another input, None for its own."""
    label: str = "node"
    """What its parts are called in messages."""

    @property
    def variants(self) -> tuple[str, ...]:
        """A model has none."""
        return ()

    @property
    def choices(self) -> Mapping[str, Sequence[str]]:
        """A model has no params."""
        return {}

    @property
    def given(self) -> Given:
        """Nothing is claimed that another input would change."""
        return Given()

    @property
    def steps(self) -> int:
        """Nothing is expanded."""
        return 0

    def finding(self, code: str, message: str, name: str = "", *, hint: str | None = None) -> Finding:
        """A finding that names what the model calls a layer."""
        node = self.nodes.get(name)
        said = f"{message} ({self.label} {node})" if node else message
        return Finding(code, said, self.path, where=name, hint=hint)

    def finding_at(self, code: str, message: str, at: Marked | None, *, hint: str | None = None) -> Finding:
        """A finding about the model: it has no lines."""
        return Finding(code, message, self.path, hint=hint)

    def section(self, key: str) -> None:
        """A model claims nothing."""
        return

    def reload(
        self,
        *,
        params: Mapping[str, object] | None = None,
        variant: str | None = None,
        input: object = None,
        spec: str | None = None,
        steps: int | None = None,
    ) -> Network:
        """The same model on another input, which takes no steps.

        Raises UsageError for params, variants and other specs, of which it has none.
        """
        if params or variant is not None or spec is not None:
            raise UsageError(
                f"{self.path} is {self.what}: it has no params and no variants", "only --input goes with it"
            )
        return self.load(input)
