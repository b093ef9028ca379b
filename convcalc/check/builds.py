"""The networks that a spec describes: built once for each variant, params and input that something asks for."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..analysis.figures import Figures
from ..analysis.report import analyse
from ..findings import SpecError, UsageError
from ..network import Network, Origin

Params = tuple[tuple[str, str], ...] | None
Input = tuple[int, ...] | tuple[tuple[str, tuple[int, ...]], ...] | None
Key = tuple[str | None, Params, Input]
DEFAULT: Key = (None, None, None)


class DoesNotBuild(Exception):
    """A variant, params or an input with which the spec gives no network; `message` says why."""

    def __init__(self, message: str, hint: str | None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass
class Builds:
    """The network as the file says it, and the others, on demand."""

    network: Network
    reports: dict[object, Figures] = field(default_factory=dict)
    networks: dict[Key, Network] = field(default_factory=dict)
    reported: set[Key] = field(default_factory=set)
    """Keys under which the spec does not build, which has been reported as such."""
    _failed: dict[Key, DoesNotBuild] = field(default_factory=dict)

    @property
    def origin(self) -> Origin:
        """Where the network comes from."""
        assert self.network.origin is not None
        return self.network.origin

    def report(self, key: Key = DEFAULT) -> Figures:
        """The report under a key. Raises DoesNotBuild."""
        found = self.reports.get(key)
        if found is not None:
            return found
        if key in self._failed:
            raise self._failed[key]
        try:
            found = self.reports[key] = analyse(self.build(key))
        except SpecError as error:
            first = error.findings[0]
            self._failed[key] = DoesNotBuild(f"{first.message} ({first.code}, line {first.line})", first.hint)
        except UsageError as error:
            self._failed[key] = DoesNotBuild(error.message, error.hint)
        if found is None:
            raise self._failed[key]
        return found

    def build(self, key: Key) -> Network:
        """The network under a key. Raises SpecError, and UsageError for an unknown variant, parameter or input."""
        if key == DEFAULT:
            return self.network
        found = self.networks.get(key)
        if found is None:
            variant, params, given = key
            shapes: object = given
            if given and isinstance(given[0], tuple):
                shapes = dict(given)
            found = self.networks[key] = self.origin.reload(params=dict(params or ()), variant=variant, input=shapes)
        return found


def describe(key: Key) -> str:
    """The key as a message mentions it.

    >>> describe(("wide", (("classes", "10"),), (3, 160, 160)))
    ' (variant wide, with classes: 10, input 3×160×160)'
    """
    variant, params, given = key
    parts = [f"variant {variant}"] if variant is not None else []
    if params:
        parts.append("with " + ", ".join(f"{name}: {value}" for name, value in params))
    for entry in (given,) if given and not isinstance(given[0], tuple) else given or ():
        name, shape = entry if isinstance(entry[0], str) else ("input", entry)  # type: ignore[index,misc]
        parts.append(f"{name} " + "×".join(map(str, shape)))  # type: ignore[arg-type]
    return f" ({', '.join(parts)})" if parts else ""
