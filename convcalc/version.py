"""The version of convcalc, which the build reads, and that of its JSON: here alone."""

__version__ = "1.0.0"

FORMAT = 1
"""Of every JSON contract: keys are only ever added."""
