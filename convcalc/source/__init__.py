"""Text -> data with marks: one pass over libyaml's events, without recursion.

YAML is read for its structure only. Scalars keep their verbatim text (`3.10`, `No`, `1e3` stay as
written); what a scalar means is decided by the field that it stands in. Every node knows where it
stands. Anchors and aliases work; duplicate keys, merge keys, tags and several documents are refused.
"""

from .reader import MAX_BYTES, parse
from .tree import List, Map, Marked, Source, Text

__all__ = ["MAX_BYTES", "List", "Map", "Marked", "Source", "Text", "parse"]
