"""Writes docs/codes.md from the pages of the manual: python docs/make_codes.py"""

from __future__ import annotations

from pathlib import Path

from convcalc.check.manual.pages import codes_markdown

if __name__ == "__main__":
    (Path(__file__).parent / "codes.md").write_text(codes_markdown(), "utf-8")
