"""`report`: a network as one self-contained page, alone or against another."""

from __future__ import annotations

from ..page.report import page
from .load import Spec
from .report import Report, analyse


def report(spec: Spec | Report) -> str:
    """The page of a network: its tree, its diagram, memory, receptive fields, printed tables, and why each layer has
    its figures. It is one HTML file that asks for nothing.

    Give a report for another batch, dtype or device. Raises UsageError where jinja2 is not installed.

    >>> text = report("lenet5")
    >>> text.partition(chr(10))[0], "61,706" in text
    ('<!doctype html>', True)
    """
    return page(spec if isinstance(spec, Report) else analyse(spec))
