"""A model in code, imported and built without numbers. Its code runs with the trust of `python -m`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from inspect import Parameter, Signature, signature
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any
from urllib.error import URLError

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ...findings import UsageError
from ...hints import file_near, nearest, shortened
from ..spec import ModelSpec
from .failure import article, code_error

FACTORIES = frozenset({torch.empty, torch.empty_strided, torch.empty_like})
"""What allocates the weights of layers, before their values are drawn."""


@contextmanager
def quiet() -> Iterator[None]:
    """What the code of a model prints goes to standard error, and its warnings nowhere: the answer is convcalc's."""
    with redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def build(spec: ModelSpec, arguments: Mapping[str, object], device: str) -> nn.Module:
    """The module that a spec names: an instance as it is, a class or a function called with the arguments.

    Raises UsageError where it cannot be found or called so, SpecError (CC721) where its code raises.
    """
    with quiet():
        found: Any = _imported(spec)
        left = dict(arguments)
        path = spec.module
        names = spec.attribute.split(".")
        for position, name in enumerate(names):
            if not _has(found, name) and callable(found) and not isinstance(found, nn.Module) and position:
                found, left = _called(found, left, path, device), {}
            if not _has(found, name):
                raise UsageError(f"{path} has no attribute '{name}'", _meant(found, name, path, position == 0))
            found = getattr(found, name)
            path += f"{'.' if position else ':'}{name}"
        if not isinstance(found, nn.Module):
            if not callable(found):
                raise UsageError(f"{path} is {article(found)}, and no module of PyTorch", _modules_hint(found))
            found, left = _called(found, left, path, device), {}
        if left:
            raise UsageError(f"--arg does not go with {path}", "it is built already; a class or a function takes it")
        if not isinstance(found, nn.Module):
            raise UsageError(f"{path} gives {article(found)}, and no module of PyTorch", _modules_hint(found))
        return found


def _imported(spec: ModelSpec) -> ModuleType:
    if spec.is_file:
        return _file(spec.module)
    if "" not in sys.path and "." not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return import_module(spec.module)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if not (spec.module == missing or spec.module.startswith(f"{missing}.")):
            raise code_error(error, f"importing {spec.module}") from error
        raise UsageError(f"there is no module '{missing}'", _near_module(missing)) from None
    except (Exception, SystemExit) as error:
        raise code_error(error, f"importing {spec.module}") from error


def _file(path: str) -> ModuleType:
    file = Path(path)
    if not file.is_file():
        near, _ = file_near(path, (".py",))
        raise UsageError(f"there is no file '{path}'", near and f"did you mean '{near}'?")
    folder = str(file.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = f"_model_{file.stem}"
    loader = SourceFileLoader(name, str(file))
    found = spec_from_loader(name, loader)
    assert found is not None
    module = module_from_spec(found)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        relative = isinstance(error, ImportError) and "relative import" in str(error)
        hint = "it is part of a package: name it as package.module:Net" if relative else None
        raise code_error(error, f"importing {path}", hint=hint) from error
    return module


def _near_module(name: str) -> str:
    parent, _, last = name.rpartition(".")
    if parent:
        module = import_module(parent)
        known = [each.name for each in iter_modules(getattr(module, "__path__", ()))]
    else:
        known = [each.name for each in iter_modules()]
    near = nearest(last, known)
    if near is not None:
        return f"did you mean '{parent}.{near}'?" if parent else f"did you mean '{near}'?"
    return "a file is named with its .py: ./net.py:Net"


def _has(found: Any, name: str) -> bool:
    return hasattr(found, name)


def _is_model(value: object) -> bool:
    return isinstance(value, nn.Module) or (isinstance(value, type) and issubclass(value, nn.Module))


def _meant(found: Any, name: str, path: str, first: bool) -> str | None:
    known = [each for each in dir(found) if not each.startswith("_")]
    near = nearest(name, known)
    if near is not None:
        return f"did you mean '{path}{':' if first else '.'}{near}'?"
    return _modules_hint(found)


def _modules_hint(found: Any) -> str | None:
    """The models that stand in a module of Python or in a sequence, or the modules in one of PyTorch."""
    own = getattr(found, "__name__", None)
    if isinstance(found, nn.Module):
        models = [each for each, _ in found.named_children()]
    elif isinstance(found, ModuleType):
        models = [
            each for each, value in vars(found).items() if _is_model(value) and getattr(value, "__module__", own) == own
        ]
    elif isinstance(found, Sequence):
        place = next((place for place, value in enumerate(found) if isinstance(value, nn.Module)), None)
        return None if place is None else f"its item {place} is one: name a function that gives it alone"
    else:
        models = []
    return f"there are {shortened(models, 8)}" if models else None


def _called(function: Callable[..., Any], arguments: dict[str, object], path: str, device: str) -> Any:
    """What a class or a function gives for the arguments. Raises UsageError where it does not take them."""
    try:
        takes = signature(function)
    except (TypeError, ValueError):
        takes = None
    if takes is not None:
        _check(takes, arguments, path)
    ways = (torch.device("meta"), EmptyOnMeta(), nullcontext()) if device == "meta" else (nullcontext(),)
    for way in ways:
        try:
            with way, torch.random.fork_rng(devices=[]):
                return function(**arguments)
        except (Exception, SystemExit) as error:
            if way is not ways[-1] and _needs_numbers(error):
                continue
            raise code_error(error, f"building {path}", hint=_download_hint(error)) from error
    raise AssertionError


class EmptyOnMeta(TorchFunctionMode):
    """What layers allocate is on the meta device, all other tensors have numbers: for constructors that compute."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in FACTORIES:
            kwargs["device"] = "meta"
        return func(*args, **kwargs)


def _needs_numbers(error: BaseException) -> bool:
    """Whether an exception says that a tensor without numbers was asked for them."""
    return isinstance(error, NotImplementedError) or "meta" in str(error).lower()


def _download_hint(error: BaseException) -> str | None:
    if isinstance(error, (URLError, ConnectionError)):
        return "it downloads weights: --arg weights=none, --arg weights_backbone=none or --arg pretrained=false"
    return None


def _check(takes: Signature, arguments: Mapping[str, object], path: str) -> None:
    """Raise UsageError for arguments that there are not, and for those that are missing."""
    parameters = takes.parameters.values()
    named = {p.name for p in parameters if p.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)}
    if not any(p.kind is Parameter.VAR_KEYWORD for p in parameters):
        for name in arguments:
            if name not in named:
                near = nearest(name, named)
                known = f"it takes {shortened(sorted(named), 12)}" if named else "it takes none"
                raise UsageError(f"{path} has no argument '{name}'", f"did you mean '{near}'?" if near else known)
    missing = [
        p.name
        for p in parameters
        if p.default is Parameter.empty
        and p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        and p.name not in arguments
    ]
    if missing:
        given = " ".join(f"--arg {name}=…" for name in missing)
        raise UsageError(f"{path} needs {', '.join(missing)}", f"give its arguments: {given}")
