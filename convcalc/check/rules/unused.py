"""CC407: parameters and blocks that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator

from ...language import SpecOrigin
from ...network import Network
from ..manual.page import Page
from .remark import Remark

PAGES = (
    Page(
        "CC407",
        "No expression reads the parameter, or the layers never reach the block: `--set` of it would change nothing. "
        "Often the trace of a renaming.",
        """\
convcalc: 1
input: [3, 32, 32]
params: {width: 16, classes: 10}        # nothing reads classes
layers: [{conv2d: {out: width, k: 3}}, global_avg_pool, flatten, {linear: {out_features: 10}}]
""",
        """\
convcalc: 1
input: [3, 32, 32]
params: {width: 16, classes: 10}
layers: [{conv2d: {out: width, k: 3}}, global_avg_pool, flatten, {linear: {out_features: classes}}]
""",
    ),
)


def remarks(network: Network) -> Iterator[Remark]:
    """A remark for each parameter and each block that nothing uses."""
    origin = network.origin
    if not isinstance(origin, SpecOrigin):
        return
    blocks = {block.name for block in origin.unused_blocks}
    for block in origin.unused_blocks:
        yield Remark("CC407", f"nothing uses the block {block.name}", hint="remove it, or call it", at=block.at)
    for param in origin.unused_params:
        owner, _, name = param.name.rpartition(".")
        if owner not in blocks:
            of_block = f" of {owner}" if owner else ""
            yield Remark("CC407", f"nothing reads the parameter {name}{of_block}", hint="remove it", at=param.at)
