"""The configuration in an HDF5 file of Keras (`model.save("model.h5")`), read by the h5py package.

The package is C that trusts its input, so that it works in a process of its own, with limits of memory and time.
"""

from __future__ import annotations

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

from ..findings import UsageError
from ..hints import installing
from ..models.archive import Damaged, Excessive
from ..models.limited import command, ended, surroundings
from .configuration import MOST_BYTES

PROGRAM = Path(__file__).with_name("h5_config.py")
"""What the process runs."""
MOST_MEMORY = 1 << 30
"""Memory that the process may take."""
MOST_SECONDS = 10
"""Time of a processor that it may take."""
PATIENCE = 30
"""Seconds until it is ended whatever it does."""
SIGNATURE = b"\x89HDF\r\n\x1a\n"
WITHOUT, UNREADABLE = 2, 3
"""Exit codes of the process."""


def configuration(path: str) -> bytes:
    """The JSON of the model. Raises `Damaged` and `Excessive`, and UsageError where h5py is not installed."""
    if find_spec("h5py") is None:
        raise UsageError(
            f"'{path}' is an HDF5 file, which is read by the h5py package, and that is not installed",
            f"{installing('h5')}; or save the model as .keras, which needs no package",
        )
    call = command(PROGRAM, MOST_MEMORY, MOST_SECONDS)
    asked = os.fsencode(Path(path).absolute())
    try:
        done = subprocess.run(call, input=asked, capture_output=True, timeout=PATIENCE, env=surroundings(), check=False)
    except subprocess.TimeoutExpired:
        raise Damaged(f"the h5py package does not read it in {PATIENCE} seconds") from None
    if done.returncode == WITHOUT:
        raise Damaged("it holds no model_config: weights alone are no model")
    if done.returncode == UNREADABLE:
        raise Damaged("the h5py package cannot read it")
    if done.returncode:
        raise Damaged(f"the h5py package does not survive reading it: {ended(done.returncode, MOST_MEMORY)}")
    if len(done.stdout) > MOST_BYTES:
        raise Excessive(f"its model_config has {len(done.stdout):,} bytes, more than {MOST_BYTES:,}")
    return done.stdout
