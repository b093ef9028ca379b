"""The limits of what is read and built: all numbers in one place, each with what it counts.

Files are untrusted. What is refused is refused soon, whatever it holds: limits are counted while the work is done, and
over all that one file asks for.
"""

from typing import NamedTuple


class Limit(NamedTuple):
    """The most of something."""

    most: int
    unit: str
    what: str
    """What it is a limit of."""


SPEC_BYTES = 8 * 2**20
SPEC_NODES = 200_000
SPEC_DEPTH = 100
EXPRESSION_CHARACTERS = 1000
EXPRESSION_DEPTH = 50
EXPRESSIONS_CHARACTERS = 50_000
LIST_VALUES = 1000
DIFFERENT_LAYERS = 10_000
LAYERS = 250_000
STEPS = 750_000
FILE_STEPS = 600_000
FILE_LOOKS = 600_000
NAMED_SPECS = 100
NAMED_BYTES = 2**20
KEPT_LAYERS = 100_000
NESTING = 64
NAME_CHARACTERS = 100
PATH_CHARACTERS = 1000
FINDINGS = 1000
MESSAGE_CHARACTERS = 1000
EXCERPT_CHARACTERS = 1000
CONFIGURATION_BYTES = 2**18
CONFIGURATION_DIGITS = 1000
GIT_SECONDS = 30
GIT_BYTES = 2**26

LIMITS = (
    Limit(SPEC_BYTES, "bytes", "the text of a spec"),
    Limit(SPEC_NODES, "nodes", "the YAML of a spec, aliases expanded"),
    Limit(SPEC_DEPTH, "levels", "the nesting of YAML"),
    Limit(EXPRESSION_CHARACTERS, "characters", "an expression"),
    Limit(EXPRESSION_DEPTH, "levels", "the nesting of an expression"),
    Limit(EXPRESSIONS_CHARACTERS, "characters", "the expressions of a spec that differ, together"),
    Limit(LIST_VALUES, "values", "a list, those of the lists in it included"),
    Limit(DIFFERENT_LAYERS, "layers", "a file, those that are equal counted once"),
    Limit(LAYERS, "layers", "one network"),
    Limit(STEPS, "steps", "one network: its text, items, repetitions, groups, expressions, layers that differ"),
    Limit(FILE_STEPS, "steps", "all networks of a file: its own, and those of its variants, claims and cells"),
    Limit(FILE_LOOKS, "layers", "what the claims and cells of a file look at"),
    Limit(NAMED_SPECS, "specs", "the other specs that the printed tables of a file name"),
    Limit(NAMED_BYTES, "bytes", "the text of these other specs together"),
    Limit(KEPT_LAYERS, "layers", "the networks of a file that are kept for a second look; others are built again"),
    Limit(NESTING, "levels", "blocks, branches and groups inside each other"),
    Limit(NAME_CHARACTERS, "characters", "a name"),
    Limit(PATH_CHARACTERS, "characters", "the path of a layer"),
    Limit(FINDINGS, "findings", "what is told of a file"),
    Limit(MESSAGE_CHARACTERS, "characters", "a message, and a hint"),
    Limit(EXCERPT_CHARACTERS, "characters", "the excerpt of a finding"),
    Limit(CONFIGURATION_BYTES, "bytes", "a configuration"),
    Limit(CONFIGURATION_DIGITS, "digits", "a number in a configuration"),
    Limit(GIT_SECONDS, "seconds", "a call of git"),
    Limit(GIT_BYTES, "bytes", "the names that git prints"),
)
"""All limits of specs and of what stands around them. Those of ONNX files stand in `onnx/`, since only that room knows
them."""
