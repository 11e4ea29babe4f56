"""A figure for people: what it says, its rows, and how Plotly draws them.

The dashboard and the report show the same figures.  A plot is plain data in Plotly's terms.  Its
colours are names with an `@` (`@accent`), which a page replaces by the colours of its theme.
Plotly reads some markup in text, so that names go through `flat`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workbench.shares import Share

Cell = str | int | float | None
Row = Sequence[Cell]

TONES = ("@accent", "@warm", "@good", "@bad", "@code-keyword", "@crash")
"""Colours of series, in the order in which series take them."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure; its plot shows nothing that its rows do not hold."""

    name: str
    """Name in the code and in addresses, unique among the figures of a page."""
    title: str
    """Heading for people."""
    says: str
    """The finding, or what to look for."""
    note: str
    """Unit of the figure and number of items that it counts."""
    how: str
    """How the figure is computed, and what it does not count."""
    empty: str
    """What a person does to fill the figure; a page shows it while there are no rows."""
    columns: tuple[str, ...]
    """Headings of the table."""
    rows: tuple[Row, ...]
    """Rows of the table, one cell for each column."""
    plot: Mapping[str, Any] | None = None
    """Plotly's {data, layout}; None where the table is the figure."""
    links: tuple[str | None, ...] = ()
    """For each row, the text to search for in Browse to see what it counts; None without one."""
    size: str = ""
    """Width on the page: `wide`, or '' for a half."""

    def to_json(self) -> dict[str, Any]:
        """The fields by name, as plain values."""
        return asdict(self)


def percent(share: Share) -> str:
    """A share in percent, such as `71.2 %`; a dash where nothing was counted."""
    return "–" if share.value is None else f"{100 * share.value:.1f} %"


def between(share: Share) -> str:
    """The 95 % interval of a share in percent, such as `60.1 to 80.3 %`."""
    low, high = share.interval
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def in_full(share: Share) -> str:
    """A share with its n and interval, such as `71.2 % of 40 (60.1 to 80.3 %)`."""
    return f"{percent(share)} of {share.of:,} ({between(share)})" if share.of else "–"


def interval(share: Share) -> tuple[Cell, ...]:
    """The four cells of a share in a table: value, low, high (0 to 1), n."""
    if share.value is None:
        return (None, None, None, 0)
    low, high = share.interval
    return (round(share.value, 6), round(low, 6), round(high, 6), share.of)


def flat(name: str) -> str:
    """A name without `<` and `&`, which Plotly would read as markup."""
    return name.replace("<", "‹").replace("&", "＆")


def words(name: str) -> str:
    """A name from the code as words, without underscores."""
    return flat(name).replace("_", " ") or "(none)"


def seconds(value: float | None) -> str:
    """A time in ms or s, such as `85 ms` or `1.20 s`; a dash where there is none."""
    if value is None:
        return "–"
    return f"{1000 * value:.0f} ms" if value < 0.1 else f"{value:.2f} s"


def size_of(value: int) -> str:
    """A number of bytes in KiB, MiB or GiB, such as `1.5 MiB`."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20)):
        if value >= size:
            return f"{value / size:.1f} {unit}"
    return f"{value / 2**10:.0f} KiB"


def error_bars(above: Sequence[float], below: Sequence[float], color: str) -> dict[str, Any]:
    """Error bars of a series of points.

    Args:
        above: for each point, the distance to its upper end, in the unit of the axis.
        below: for each point, the distance to its lower end.
        color: colour of the bars.
    """
    return {
        "type": "data",
        "symmetric": False,
        "array": list(above),
        "arrayminus": list(below),
        "color": color,
        "thickness": 1.4,
        "width": 4,
    }


def whiskers(shares: Sequence[Share], color: str) -> dict[str, Any]:
    """Error bars of Wilson's 95 % intervals, on an axis in percent."""
    ends = [(100 * (share.value or 0), *(100 * end for end in share.interval)) for share in shares]
    above = [high - value for value, _, high in ends]
    below = [value - low for value, low, _ in ends]
    return error_bars(above, below, color)


def axis(title: str, **more: Any) -> dict[str, Any]:
    """A Plotly axis with a title, and with whatever else of Plotly's settings it takes."""
    return {"title": {"text": title}, **more}


def bars(rows: Sequence[tuple[str, float]], unit: str, color: str) -> dict[str, Any]:
    """Plot of horizontal bars, the largest on top.

    Args:
        rows: name and length of each bar.
        unit: what the lengths count, in words.
        color: colour of the bars.
    """
    ascending = sorted(rows, key=lambda row: row[1])
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": [n for _, n in ascending],
        "y": [words(name) for name, _ in ascending],
        "marker": {"color": color},
        "hovertemplate": f"%{{y}}: %{{x}} {unit}<extra></extra>",
    }
    gap = 0.6 if len(ascending) < 4 else 0.3
    return {"data": [bar], "layout": {"bargap": gap, "xaxis": axis(unit, rangemode="tozero")}}


def stacked_bars(
    days: Sequence[str], series: Mapping[str, Sequence[float]], unit: str
) -> dict[str, Any]:
    """Plot of stacked bars by day, one colour for each name.

    Args:
        days: days from left to right, as text.
        series: for each name, its height on each day.
        unit: what the heights count, in words.
    """
    data = [
        {
            "type": "bar",
            "name": words(name),
            "x": list(days),
            "y": list(heights),
            "marker": {"color": TONES[at % 6]},
            "hovertemplate": "%{y}<extra></extra>",
        }
        for at, (name, heights) in enumerate(series.items())
    ]
    layout = {
        "barmode": "stack",
        "bargap": 0.7 if len(days) < 4 else 0.3,
        "xaxis": {"type": "category"},
        "yaxis": axis(unit, rangemode="tozero"),
        "showlegend": True,
    }
    return {"data": data, "layout": layout}


def dots(
    name: str, shares: Mapping[str, Share], color: str, symbol: str, places: Sequence[float]
) -> dict[str, Any]:
    """One series of dots with whiskers; a share without an n has no dot.

    Args:
        name: name of the series in the legend.
        shares: share of each label.
        color: colour of the dots and whiskers.
        symbol: Plotly's name of the dots' shape.
        places: height of each label's dot on the vertical axis.
    """
    points = [
        (place, label, share)
        for place, (label, share) in zip(places, shares.items(), strict=True)
        if share.of
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "cliponaxis": False,
        "name": name,
        "x": [100 * (share.value or 0) for _, _, share in points],
        "y": [place for place, _, _ in points],
        "marker": {"color": color, "size": 10, "symbol": symbol},
        "error_x": whiskers([share for _, _, share in points], color),
        "customdata": [[words(label), share.of] for _, label, share in points],
        "hovertemplate": "%{customdata[0]}: %{x:.1f} % of %{customdata[1]}<extra></extra>",
    }


def dot_plot(
    labels: Sequence[str], series: Sequence[tuple[str, Sequence[Share], str, str]]
) -> dict[str, Any]:
    """Plot of shares with intervals beside each other, one line for each label.

    Args:
        labels: names of the lines, from top to bottom.
        series: name, one share for each label, colour, symbol.
    """
    counted = [one for one in series if any(share.of for share in one[1])]
    lines = range(len(labels))
    data = [
        dots(
            name,
            dict(zip(labels, shares, strict=True)),
            color,
            symbol,
            [line + 0.32 * ((at + 0.5) / len(counted) - 0.5) for line in lines],
        )
        for at, (name, shares, color, symbol) in enumerate(counted)
    ]
    layout = {
        "xaxis": axis("%", range=[0, 100]),
        "showlegend": True,
        "yaxis": {
            "range": [len(labels) - 0.5, -0.5],
            "tickvals": list(lines),
            "ticktext": [words(name) for name in labels],
            "zeroline": False,
        },
    }
    return {"data": data, "layout": layout}
