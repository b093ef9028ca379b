"""`convcalc invert SPEC`: the mirrored decoder, written as a spec to standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..network import Network


def write_decoder(network: Network, resize: bool, skips: bool, until: str | None) -> None:
    """Print the decoder that mirrors a network; what it leaves out stands in comments above it."""
    from ..analysis.decoder import mirror
    from ..render.decoder import decoder_text
    from ..render.terminal import write_text

    write_text(decoder_text(mirror(network, resize=resize, skips=skips, until=until)))
