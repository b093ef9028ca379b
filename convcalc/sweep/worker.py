"""Run in a process of its own: a plan on the first line of standard input, then a line for each chunk.

The answer to a chunk is one line of JSON: the chunk and the seconds that it took, or what went wrong. The process ends
with its input, so that it does not outlive who started it.
"""

from __future__ import annotations

import gc
import json
import os
import sys

from ..version import __version__
from .chunks import answer


def main() -> None:
    gc.freeze()
    # What anything prints is no answer: standard output is handed on to nobody else.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    plan = json.loads(sys.stdin.buffer.readline())
    for line in sys.stdin.buffer:
        start, stop = json.loads(line)
        answers.write(answer(plan, __version__, start, stop) + b"\n")
        answers.flush()
