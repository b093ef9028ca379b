"""What is asked of every candidate: quantities of the network or of a part of it, at a batch and a type."""

from __future__ import annotations

from typing import NamedTuple


class Asked(NamedTuple):
    """A quantity of the whole network or of the layer or group at a path; written `macs` or `conv2_x.macs`."""

    quantity: str
    path: str = "total"

    @property
    def name(self) -> str:
        """How it is written, and what its column is called."""
        return self.quantity if self.path == "total" else f"{self.path}.{self.quantity}"


class Options(NamedTuple):
    """At what the figures are taken."""

    batch: int = 1
    dtype: str = "float32"
    optimizer: str = "sgd"
    device: str | None = None
    """A device's name or file, as `--device` takes it."""
