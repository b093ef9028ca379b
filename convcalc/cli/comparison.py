"""Several specs, or a spec and its variants, as `table` shows them: a row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ..api.load import names_code
from ..findings import SpecError, UsageError
from .options import load_network, read_input, read_params
from .output import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..analysis.comparison import Failed
    from ..analysis.report import Report
    from ..network import Network
    from ..render.document import Document
    from .columns import View

STANDARD_INPUT = "-"


class Specs:
    """The specs that are compared, and what the call gives each of them."""

    def __init__(
        self,
        names: Sequence[str],
        variants: bool,
        params: list[str] | None,
        variant: str | None,
        input: list[str] | None,
        arg: list[str] | None,
        device: str | None,
    ) -> None:
        self.names = names
        self.variants = variants
        self.params = params
        self.variant = variant
        self.input = input
        self.arg = arg
        self.device = device
        for name in names:
            if names.count(name) > 1:
                what = "standard input (-)" if name == STANDARD_INPUT else name
                hint = "the sizes of an input stand together: --input 3,224,224" if name.isdigit() else None
                raise UsageError(f"{what} is given twice", hint)
        if variants and variant is not None:
            raise UsageError("--variants shows every variant: it goes without --variant")

    def reports(self, analyse: Callable[[Network], Report]) -> Iterator[tuple[str, Report] | Failed]:
        """What each spec was called and its report, or what is wrong with it. Raises UsageError, with its spec."""
        from ..analysis.comparison import Failed

        for name in self.names:
            variant = self.variant
            try:
                for found in self._networks(name):
                    if isinstance(found, Failed):
                        yield found
                    else:
                        variant = found.variant
                        yield name, analyse(found)
            except SpecError as error:
                yield Failed(name, variant, error)
            except UsageError as error:
                known = len(self.names) == 1 or name in error.message
                raise UsageError(error.message if known else f"{name}: {error.message}", error.hint) from None

    def _networks(self, name: str) -> Iterator[Network | Failed]:
        code = names_code(name)
        network = load_network(
            name, self.params, self.variant, self.input, self.arg if code else None, self.device if code else None
        )
        if not self.variants:
            yield network
            return
        from ..analysis.comparison import versions

        yield from versions(name, network, read_params(self.params), read_input(self.input))


def compare(specs: Specs, view: View, analyse: Callable[[Network], Report]) -> None:
    """Print the specs beside each other; exit code 1 where one of them has findings, which are printed first."""
    for quantity in view.everything:
        if quantity.name == "kind":
            raise UsageError(f"the column {quantity.heading} is of layers and blocks: networks have none")
    from ..analysis.comparison import Failed, compared, ordered, to_dict
    from ..render import comparison, streams

    found: list[tuple[str, Report]] = []
    failed: list[Failed] = []
    for report in specs.reports(analyse):
        if not isinstance(report, Failed):
            found.append(report)
            continue
        if report.variant is not None:
            streams.say(f"{report.label}:")
        streams.write_findings(report.error.findings)
        failed.append(report)
    networks = ordered(compared(found), view.by, view.top)
    notes = [f"not shown, with findings: {'; '.join(each.label for each in failed)}"] if failed else []

    def document() -> Document:
        legend = comparison.comparison_legend([*view.quantities, *view.drawn]) if view.legend else []
        if len(view.drawn) == 1:
            return comparison.comparison_bars(networks, view.drawn[0], notes, legend)
        if view.drawn:
            x, y = view.drawn
            return comparison.comparison_scatter(networks, x, y, view.exact, notes, legend)
        if view.format == "csv":
            return comparison.comparison_rows(networks, view.quantities)
        text = view.format == "text"
        return comparison.comparison_document(
            networks,
            view.quantities,
            exact=view.exact or not text,
            asked=view.asked or not text,
            set_in=view.by is None,
            notes=notes,
            remarks=legend,
        )

    if networks:
        write(view.format, document, lambda: to_dict(networks, failed, view.quantities if view.asked else None))
    if failed:
        raise typer.Exit(1)
