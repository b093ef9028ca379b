"""The JSON inside a model's file, which may be small and mean millions of values: counted before it is read."""

from __future__ import annotations

import json

from .archive import Excessive

SIGNS = (",", ":", "[", "{")
"""One stands before each value and key, but for the first of a list or an object; those within texts count too."""


def json_values(text: bytes | str, most: int) -> object:
    """What a text of JSON holds. Raises `Excessive` for more than so many values and keys, RecursionError for one that
    is nested too deeply, and ValueError, whose message says why, for what is none.

    >>> json_values('{"a": [1, 2]}', most=10)
    {'a': [1, 2]}
    """
    found = sum(text.count(sign) if isinstance(text, str) else text.count(sign.encode()) for sign in SIGNS)
    if found > most:
        raise Excessive(f"its JSON has more than {most:,} values and keys")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(error.msg) from None
    except ValueError:
        raise ValueError("it is not UTF-8, or has too long a number") from None
