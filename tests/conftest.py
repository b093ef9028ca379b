"""What all tests share: no colours, pagers or CI of whoever runs them, and examples that are the same in every run.

``pytest --hypothesis-profile searching`` draws other examples each time; the nightly workflow does.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from convcalc.render.streams import SERVICES

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

for _name in (*OF_OUTPUT, *SERVICES):
    os.environ.pop(_name, None)

# How long an example takes is no property of the code. A check that what was drawn is of use is made where it is always
# the same: where it is drawn anew, its verdict would be a matter of luck. Each profile says all it wants, since what it
# leaves out it takes from hypothesis, which has other settings where CI is set.
settings.register_profile(
    "repeated",
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "searching",
    derandomize=False,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("repeated")
