"""Plotly as the pages load it: out of its own package, under our policy.

The policy forbids style elements that a script writes.  Plotly keeps to that where it is told: it
adds its rules to the sheet named `plotly.js-style-global` (see the templates), and it leaves out
the style of its maps, which no page here draws, where an element has the id of that style.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import plotly

LIBRARY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
"""Plotly's own build, out of its package."""

ADDRESS = f"vendor/plotly-{plotly.__version__}.js"
"""Where the server has it."""

_STYLE = re.compile(r'getElementById\("([0-9a-f]{64})"\)')


@cache
def address() -> str:
    """The library's address; behind the `#`, ids of the styles that it is to leave out."""
    ids = dict.fromkeys(_STYLE.findall(LIBRARY.read_text(encoding="utf-8")))
    return f"{ADDRESS}#{','.join(ids)}"
