"""Run in a process of its own: the configuration that an HDF5 file of Keras holds, on standard output.

The first line of the input is JSON: the path, and the bytes and seconds that may be taken. The exit code is 2 where
the file is no HDF5 file or has no configuration; the reason is on standard error.
"""

import json
import sys


def limit(most_bytes: int, seconds: int) -> None:
    """Take no more memory and time than this, where the system has such limits."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def configuration(path: str) -> bytes:
    """The text of the attribute `model_config`. Raises OSError and KeyError."""
    import h5py

    with h5py.File(path, "r") as file:
        found = file.attrs["model_config"]
    return found.encode("utf-8") if isinstance(found, str) else bytes(found)


def main() -> None:
    said = json.loads(sys.stdin.readline())
    limit(said["bytes"], said["seconds"])
    try:
        sys.stdout.buffer.write(configuration(said["path"]))
    except KeyError:
        sys.exit(2)
    except (OSError, RuntimeError, TypeError, ValueError):
        sys.exit(3)


if __name__ == "__main__":
    main()
