"""The JSON Schema of the spec language (draft 7, which editors know best).

It says what `check` says at schema level of sections, kinds, fields, types and names. Whether a name that is no
kind is a block, what an expression means, and shapes are left to `check`.
"""

from __future__ import annotations

from .schema import language_schema

__all__ = ["language_schema"]
