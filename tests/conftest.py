"""What the environment of whoever runs the tests says of colours and pagers is not what they are about."""

from __future__ import annotations

import os

OF_OUTPUT = (
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "PAGER",
    "CONVCALC_PAGER",
    "LESS",
    "COLUMNS",
    "LINES",
)

for _name in OF_OUTPUT:
    os.environ.pop(_name, None)
