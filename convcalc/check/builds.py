"""The networks that a spec describes: built once for each variant, params and input that something asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ..analysis.figures import Figures
from ..analysis.kept import Kept
from ..analysis.looks import MANY_STEPS, Looks
from ..analysis.report import analyse
from ..findings import Finding, SpecError, UsageError
from ..limits import FILE_STEPS
from ..network import Network, Origin

Params = tuple[tuple[str, str], ...] | None
Input = tuple[int, ...] | tuple[tuple[str, tuple[int, ...]], ...] | None
Key = tuple[str | None, Params, Input]
DEFAULT: Key = (None, None, None)


class Setting(NamedTuple):
    """At what figures are taken that depend on it; None where nothing is said."""

    dtype: str | None = None
    """Of activations and params in memory."""
    batch: int | None = None

    def over(self, general: Setting) -> Setting:
        """What is said here, else what is said in general.

        >>> Setting(batch=4).over(Setting("int8", 8))
        Setting(dtype='int8', batch=4)
        """
        return Setting(self.dtype or general.dtype, self.batch or general.batch)


PLAIN = Setting()
"""float32 at batch 1, as `table` takes them without options."""


class DoesNotBuild(Exception):
    """A variant, params or an input with which the spec gives no network, or none that can be counted.

    `message` says why; `findings` are those of the spec, none where the call is wrong.
    """

    def __init__(self, message: str, hint: str | None, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.findings = findings


@dataclass
class Builds:
    """The network as the file says it, and the others, on demand."""

    network: Network
    reports: dict[object, Figures] = field(
        default_factory=lambda: Kept(lambda figures: len(figures.network.nodes), DEFAULT)
    )
    """Of the network as the file says it, and of the latest others."""
    networks: dict[Key, Network] = field(default_factory=lambda: Kept(lambda network: len(network.nodes), DEFAULT))
    """The latest others."""
    reported: set[Key] = field(default_factory=set)
    """Keys under which the spec does not build, which has been reported as such."""
    general: Setting = PLAIN
    """The setting of what says none of its own."""
    looks: Looks = field(default_factory=Looks)
    """What its claims and cells may still look at."""
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
            self._failed[key] = DoesNotBuild(
                f"{first.message} ({first.code}, line {first.line})", first.hint, error.findings
            )
        except UsageError as error:
            self._failed[key] = DoesNotBuild(error.message, error.hint)
        if found is None:
            raise self._failed[key]
        return found

    def report_at(self, setting: Setting, key: Key = DEFAULT) -> Figures:
        """The report under a key at a setting, and at the general one where that says nothing. Raises DoesNotBuild."""
        dtype, batch = setting.over(self.general)
        plain = self.report(key)
        if (dtype or "float32", batch or 1) == ("float32", 1):
            return plain
        found = self.reports.get((key, dtype, batch))
        if found is None:
            found = self.reports[key, dtype, batch] = Figures(plain.network, batch or 1, dtype or "float32")
        return found

    def build(self, key: Key) -> Network:
        """The network under a key.

        Raises SpecError, also after too many steps for one file, and UsageError for an unknown variant, parameter or
        input.
        """
        if key == DEFAULT:
            return self.network
        found = self.networks.get(key)
        if found is None:
            left = FILE_STEPS - self.origin.steps
            if left <= 0:
                raise SpecError([self.origin.finding_at("CC111", MANY_STEPS, None)])
            variant, params, given = key
            shapes: object = given
            if given and isinstance(given[0], tuple):
                shapes = dict(given)
            found = self.networks[key] = self.origin.reload(
                params=dict(params or ()), variant=variant, input=shapes, steps=left
            )
        return found


def describe(key: Key, setting: Setting = PLAIN) -> str:
    """The key and the setting as a message mentions them.

    >>> describe(("wide", (("classes", "10"),), (3, 160, 160)))
    ' (variant wide, with classes: 10, input 3×160×160)'
    >>> describe(DEFAULT, Setting("int8", 4))
    ' (int8, batch 4)'
    """
    variant, params, given = key
    parts = [f"variant {variant}"] if variant is not None else []
    if params:
        parts.append("with " + ", ".join(f"{name}: {value}" for name, value in params))
    for entry in (given,) if given and not isinstance(given[0], tuple) else given or ():
        name, shape = entry if isinstance(entry[0], str) else ("input", entry)  # type: ignore[index,misc]
        parts.append(f"{name} " + "×".join(map(str, shape)))  # type: ignore[arg-type]
    parts += [setting.dtype] if setting.dtype else []
    parts += [f"batch {setting.batch}"] if setting.batch else []
    return f" ({', '.join(parts)})" if parts else ""
