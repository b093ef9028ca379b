"""Run in a process of its own: the configuration that an HDF5 file of Keras holds, on standard output.

Its input is the path. The exit code is 2 where the file has no configuration, 3 where it cannot be read.
"""

import os
import sys


def configuration(path: str) -> bytes:
    """The text of the attribute `model_config`. Raises OSError and KeyError."""
    import h5py

    with h5py.File(path, "r") as file:
        found = file.attrs["model_config"]
    return found.encode("utf-8") if isinstance(found, str) else bytes(found)


def main() -> None:
    path = os.fsdecode(sys.stdin.buffer.read())
    try:
        sys.stdout.buffer.write(configuration(path))
    except KeyError:
        sys.exit(2)
    except (OSError, RuntimeError, TypeError, ValueError):
        sys.exit(3)


if __name__ == "__main__":
    main()
