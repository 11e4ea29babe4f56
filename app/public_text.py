"""Texts for strangers: without addresses of servers and places in the file system.

Messages of failures and arguments of parts name them, and say who runs what where.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench.screen.charts.chart import Chart
from workbench.screen.charts.sections import ChartSection

PUBLIC_SECTIONS = ("loop", "systems", "trust", "tools")
"""The sections of figures that name no person and no folder."""

LEFT_OUT = "…"
"""What stands for an address or a path."""

_PRIVATE = re.compile(
    r"""
    \b[a-z][a-z0-9+.-]{1,20}://[^\s'"<>)\]]+                     # an address
    | (?<![\w.~/<])~?/(?:[^\s/'"<>:,)\]]+/)+[^\s/'"<>:,)\]]*     # a path from the root
    | (?<![\w.~/<])~?/[^\s/'"<>:,)\]]{2,}
    | \b[A-Za-z]:\\[^\s'"<>)\]]+                                 # a path of Windows
    """,
    re.VERBOSE | re.IGNORECASE,
)


def public_text(text: str) -> str:
    """The text with a mark in place of each address of a server and each absolute path.

    >>> public_text("no file /home/ann/a.txt, asked http://gpu1:8000/v1 and/or 1/2")
    'no file …, asked … and/or 1/2'
    """
    return _PRIVATE.sub(LEFT_OUT, text)


def public_value(value: Any) -> Any:
    """A plain value with `public_text` of every text in it."""
    if isinstance(value, str):
        return public_text(value)
    if isinstance(value, Mapping):
        return {key: public_value(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(public_value(one) for one in value)
    return value


def public_section(section: ChartSection) -> ChartSection:
    """A section whose figures name no place."""
    charts = [Chart(**public_value(chart.to_json())) for chart in section.charts]
    return replace(section, charts=charts)
