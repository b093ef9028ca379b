"""A fault put into modules that are imported already: the code of the functions that hold it is exchanged.

Reading a file of tests costs more than running most of them. So it is read once, with the modules as they are, and
each mutant is a fork in which the functions change. What ran at import is not run again: a mutant of such a line is
not for this.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Iterator
from types import CodeType, FunctionType

Functions = dict[str, list[FunctionType]]
"""Path of a module -> the functions that exist of it."""
Caches = list["functools._lru_cache_wrapper[object]"]


def functions_and_caches(paths: frozenset[str]) -> tuple[Functions, Caches]:
    """What exists in this process of the functions of these files, and all caches of functions."""
    functions: Functions = {}
    caches: Caches = []
    for found in gc.get_objects():
        if isinstance(found, FunctionType):
            if found.__code__.co_filename in paths:
                functions.setdefault(found.__code__.co_filename, []).append(found)
        elif isinstance(found, functools._lru_cache_wrapper):
            caches.append(found)
    return functions, caches


def changed(original: CodeType, code: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Code of functions that differs between two codes of a module, nested ones too."""
    pairs = [(original, code)]
    while pairs:
        old, new = pairs.pop()
        if old == new:
            continue
        if old.co_flags & 0x2:  # CO_NEWLOCALS: a function
            yield old, new
        parts = ([item for item in code.co_consts if isinstance(item, CodeType)] for code in (old, new))
        pairs += zip(*parts, strict=False)


def swap(path: str, original: CodeType, text: str, functions: Functions, caches: Caches) -> None:
    """Give the functions of a module the code that another text has, and forget what functions have cached."""
    existing = functions.get(path, [])
    for old, new in changed(original, compile(text, path, "exec", dont_inherit=True)):
        for function in existing:
            if function.__code__ == old and len(old.co_freevars) == len(new.co_freevars):
                function.__code__ = new
    for cache in caches:
        cache.cache_clear()
