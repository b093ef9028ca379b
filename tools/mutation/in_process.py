"""Tests run by pytest in this process, which a fork of the runner is: with their lines recorded, or on a mutant."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tools.mutation.swapping import Caches, Functions, functions_and_caches, swap

if TYPE_CHECKING:
    from coverage import Coverage

PYTEST = (
    "-q",
    "--assert=plain",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-p",
    "no:logging",
    "--no-header",
    "--no-summary",
    "--hypothesis-profile=mutation",
)
MEMORY = 6 << 30
"""Bytes of address space that a fork may have: what asks for more fails."""


class Recorded(NamedTuple):
    """What one test did without a fault."""

    seconds: float
    """Of CPU."""
    lines: dict[str, list[int]]
    """Module -> the lines that it ran."""


def quiet() -> None:
    """Send the standard streams to nowhere and bound the memory."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def few_examples() -> None:
    """Let hypothesis draw the same examples each time, and not look for smaller ones; once it has failed, it has.

    How long it draws is no verdict: the machine may be busy.
    """
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=[HealthCheck.too_slow],
    )


class _Recorder:
    """A plugin that names each test to the tracer and takes its time; no test lives on what another one has cached."""

    def __init__(self, tracer: Coverage) -> None:
        self.tracer = tracer
        self.caches: Caches = []
        self.seconds: dict[str, float] = {}
        self.wrong: set[str] = set()

    def pytest_collection_finish(self) -> None:
        _, self.caches = functions_and_caches(frozenset())

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        for cache in self.caches:
            cache.cache_clear()
        self.tracer.switch_context(item.nodeid)
        begun = time.process_time()
        yield
        self.seconds[item.nodeid] = time.process_time() - begun
        self.tracer.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.outcome != "passed":
            self.wrong.add(report.nodeid)


def record(
    root: Path, test_file: str, modules: Sequence[str]
) -> tuple[float, dict[str, Recorded], dict[str, list[int]]]:
    """Run a file of tests: seconds to collect it, what each test that passes did, and what ran beside all of them."""
    from coverage import Coverage

    few_examples()
    paths = {str(root / module): module for module in modules}
    tracer = Coverage(data_file=None, include=list(paths), config_file=False, context="")
    begun = time.process_time()
    tracer.start()
    plugin = _Recorder(tracer)
    pytest.main([*PYTEST, f"--rootdir={root}", str(root / test_file)], plugins=[plugin])
    tracer.stop()
    spent = time.process_time() - begun
    lines: dict[str, dict[str, list[int]]] = {}
    data = tracer.get_data()
    for path in data.measured_files():
        for line, contexts in data.contexts_by_lineno(path).items():
            for context in contexts:
                lines.setdefault(context, {}).setdefault(paths[path], []).append(line)
    tests = {
        name: Recorded(seconds, lines.get(name, {}))
        for name, seconds in plugin.seconds.items()
        if name not in plugin.wrong
    }
    return spent - sum(plugin.seconds.values()), tests, lines.get("", {})


class _Changed(SourceFileLoader):
    """Loads a module from another text than its file's."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self.text = text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.text, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    """Finds one module, and gives it another text."""

    def __init__(self, name: str, path: Path, text: str) -> None:
        self.name = name
        self.path = path
        self.loader: Loader = _Changed(name, str(path), text)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        places = [str(self.path.parent)] if self.path.name == "__init__.py" else None
        return spec_from_file_location(fullname, self.path, loader=self.loader, submodule_search_locations=places)


def install(root: Path, module: str, text: str) -> None:
    """From now on, let an import of the module (a file below the root) compile this text."""
    name = _dotted(module)
    if name in sys.modules:
        raise RuntimeError(f"{name} is imported already")
    sys.meta_path.insert(0, _Finder(name, root / module, text))


def put_in(root: Path, module: str, text: str, original: CodeType, functions: Functions, caches: Caches) -> None:
    """Let the module be this text from now on: its functions where it is imported, and else when it is."""
    if _dotted(module) in sys.modules:
        swap(str(root / module), original, text, functions, caches)
    else:
        install(root, module, text)


def _dotted(module: str) -> str:
    return module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def allow(seconds: float) -> None:
    """End this process when it takes more CPU than this from now on."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


class _FirstFailure:
    """A plugin that notes the first test that fails."""

    def __init__(self) -> None:
        self.failed: str | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.failed is None:
            self.failed = report.nodeid


class _Chooser(_FirstFailure):
    """A plugin that runs the chosen tests in their order, each within the seconds that it is allowed."""

    def __init__(self, allowed: Mapping[str, float]) -> None:
        super().__init__()
        self.allowed = allowed

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        found = {item.nodeid: item for item in items}
        items[:] = [found[name] for name in self.allowed if name in found]

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        allow(self.allowed[nodeid])


def first_failure(root: Path, files: Mapping[str, Mapping[str, float]], reading: float) -> str | None:
    """The first test that fails of these, file by file; a file that cannot be read any more fails as a whole.

    `files` has the tests of each file with the seconds that each is allowed, `reading` is what reading a file is.
    """
    few_examples()
    for test_file, allowed in files.items():
        plugin = _Chooser(allowed)
        allow(reading)
        code = pytest.main([*PYTEST, "-x", f"--rootdir={root}", str(root / test_file)], plugins=[plugin])
        if plugin.failed is not None:
            return plugin.failed
        if code == pytest.ExitCode.USAGE_ERROR:
            raise RuntimeError(f"pytest does not take {test_file}")
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            return test_file
    return None


class _Session(_FirstFailure):
    """A plugin that hands over what was collected instead of running it."""

    def __init__(self, task: Callable[[Mapping[str, pytest.Item]], None]) -> None:
        super().__init__()
        self.task = task

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.task({item.nodeid: item for item in session.items})
        return True


def collected(root: Path, test_file: str, task: Callable[[Mapping[str, pytest.Item], Runner], None]) -> None:
    """Read a file of tests and hand its items, by name, to the task, with a function that runs some of them."""
    few_examples()
    plugin = _Session(lambda items: task(items, run))

    def run(items: Sequence[pytest.Item], allowed: Mapping[str, float]) -> str | None:
        for number, item in enumerate(items):
            allow(allowed[item.nodeid])
            following = items[number + 1] if number + 1 < len(items) else None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if plugin.failed is not None:
                return plugin.failed
        return None

    pytest.main([*PYTEST, f"--rootdir={root}", str(root / test_file)], plugins=[plugin])


Runner = Callable[[Sequence[pytest.Item], Mapping[str, float]], str | None]
"""Runs items, each within the seconds that it is allowed, up to the first that fails, which it returns."""
