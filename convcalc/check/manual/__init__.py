"""The manual of the codes: what each means, a wrong spec, a right one."""

from __future__ import annotations

from .page import Page

__all__ = ["Page"]
