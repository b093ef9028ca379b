"""One layer from a text, as the command line takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..layers.registry import KINDS
from ..marked import Map, Source, Text
from .events import parse
from .item_compiler import Scope, unknown_kind
from .items import LayerTemplate, Split
from .problems import Findings
from .templates import compile_kind
from .written_values import Names

if TYPE_CHECKING:
    from ..layers.base import Layer


def parse_layer(text: str) -> Layer:
    """A layer from its kind and its fields; expressions may compute but name nothing. Raises SpecError.

    >>> parse_layer("conv2d: {out_channels: 8, k: 1 + 2}").output_shape(((3, 32, 32),))
    (8, 30, 30)
    """
    source = Source(text, "<layer>")
    root = parse(source)
    findings = Findings(source)
    if isinstance(root, Map) and len(root.entries) == 1:
        ((kind, body),) = root.entries.items()
        at = root.keys[kind]
    elif isinstance(root, Text) and not root.empty:
        kind, body, at = root.text, None, root
    else:
        source.fail("CC103", "one layer is a kind and its fields", root, hint="conv2d: {out_channels: 8, k: 3}")
    if kind not in KINDS:
        findings.problem(unknown_kind(kind, {}), at)
        findings.raise_any()
    scope = Scope(Names({}), {}, findings, {})
    what = compile_kind(scope, kind, at, body, kind)
    findings.raise_any()
    template = what.template if isinstance(what, Split) else what
    if not isinstance(template, LayerTemplate):
        source.fail("CC103", "a single layer has no branches", root)
    assert template.layer is not None
    return template.layer
