"""`python -m convcalc` and the `convcalc` program."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from .cli.app import main as run

    run()


if __name__ == "__main__":
    main()
