"""The spec language: YAML text -> document -> expressions and blocks -> network, and back."""

from __future__ import annotations

from .item_compiler import parse_layer
from .load import SpecOrigin, load, loads
from .sources import gallery_names, gallery_path, read

__all__ = ["SpecOrigin", "gallery_names", "gallery_path", "load", "loads", "parse_layer", "read"]
