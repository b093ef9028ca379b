"""What the reference does to need little memory, and little time for it."""

from __future__ import annotations

import platform
import subprocess
import sys

import numpy as np
import pytest

from convcalc.layers.registry import build
from convcalc.reference import forward, norm

FAULTS = """
import resource
import numpy as np
{before}
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
start = faults()
for _ in range(20):
    arrays = [np.ones(3 << 17) for _ in range(4)]
    del arrays
print((faults() - start) // 20)
"""


def faults(before: str) -> int:
    """Pages of fresh memory taken for four arrays of 3 MiB, 3072 pages, when they come and go."""
    code = FAULTS.format(before=before)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc's malloc")
def test_memory_of_freed_arrays_is_kept() -> None:
    given_back = faults("")
    assert given_back > 1000, "the allocator keeps memory by itself: keep_freed_memory() has no use"
    assert faults("from convcalc.reference import forward; forward") < given_back // 5


@pytest.mark.parametrize("shape", [(2, 7, 5, 6), (2, 7, 9), (3, 7)])
def test_response_norms_by_blocks_are_those_of_the_whole(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = build("local_response_norm", {"size": 3, "alpha": 0.5})
    x = np.random.default_rng(0).standard_normal(shape)
    whole = forward(layer, x)
    monkeypatch.setattr(norm, "BLOCK_BYTES", 300)
    np.testing.assert_array_equal(forward(layer, x), whole)
