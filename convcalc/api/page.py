"""`report`: a network as one self-contained page, alone or against another."""

from __future__ import annotations

from ..page.report import page
from .load import Spec
from .report import Report, analyses_of


def report(spec: Spec | Report, *, against: Spec | Report | None = None) -> str:
    """The page of a network: its tree, its diagram, memory, receptive fields, printed tables, and why each layer has
    its figures. It is one HTML file that asks for nothing.

    With `against`, another network, it shows what changed from that one to `spec`, and what each change costs. Give
    reports for another batch, dtype or device. Raises UsageError where jinja2 is not installed, SpecError and
    UsageError as `load` does.

    >>> text = report("lenet5")
    >>> text.partition(chr(10))[0], "61,706" in text
    ('<!doctype html>', True)
    """
    return page(analyses_of(spec), against=None if against is None else analyses_of(against))
