"""A figure for people: what it says, its rows, and how Plotly draws them.  Dashboard and report
show the same ones.

A plot is plain data in Plotly's terms.  Its colours are names with an `@` (`@accent`), which a page
replaces by those of its theme; Plotly reads some markup in text, so that names go through `flat`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workbench.shares import Share

Cell = str | int | float | None
Row = Sequence[Cell]

TONES = ("@accent", "@warm", "@good", "@bad", "@code-keyword", "@crash")
"""Colours of series, in order."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure.  Its rows are the whole of it: the plot shows nothing that they do not hold."""

    name: str
    title: str
    says: str
    """The finding, or what to look for."""
    note: str
    """Unit and n."""
    how: str
    """How it was made."""
    empty: str
    """What fills it."""
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    plot: Mapping[str, Any] | None = None
    """{data, layout}; None where the table is the figure."""
    links: tuple[str | None, ...] = ()
    """For each row, what to search for in Browse to see it."""
    size: str = ""
    """`wide`, `third` or the usual half."""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def percent(share: Share) -> str:
    """`71.2 %`."""
    return "–" if share.value is None else f"{100 * share.value:.1f} %"


def between(share: Share) -> str:
    """`60.1 to 80.3 %`."""
    low, high = share.interval
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def in_full(share: Share) -> str:
    """`71.2 % of 40 (60.1 to 80.3 %)`."""
    return f"{percent(share)} of {share.of:,} ({between(share)})" if share.of else "–"


def interval(share: Share) -> tuple[Cell, ...]:
    """Value, low, high, n: the four cells of a share."""
    if share.value is None:
        return (None, None, None, 0)
    low, high = share.interval
    return (round(share.value, 6), round(low, 6), round(high, 6), share.of)


def flat(name: str) -> str:
    """A name that Plotly takes as it is: it reads `<` and `&` as markup."""
    return name.replace("<", "‹").replace("&", "＆")


def words(name: str) -> str:
    """A name of the code's in words."""
    return flat(name).replace("_", " ") or "(none)"


def seconds(value: float | None) -> str:
    """A time of a question."""
    return "–" if value is None else f"{1000 * value:.0f} ms" if value < 0.1 else f"{value:.2f} s"


def size_of(value: int) -> str:
    """Bytes."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20)):
        if value >= size:
            return f"{value / size:.1f} {unit}"
    return f"{value / 2**10:.0f} KiB"


def whiskers(shares: Sequence[Share], color: str) -> dict[str, Any]:
    """Wilson's intervals as error bars, in percent."""
    held = [(100 * (share.value or 0), *(100 * end for end in share.interval)) for share in shares]
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - value for value, _, high in held],
        "arrayminus": [value - low for value, low, _ in held],
        "color": color,
        "thickness": 1.4,
        "width": 4,
    }


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with a title."""
    return {"title": {"text": title}, **more}


def bars(rows: Sequence[tuple[str, float]], unit: str, color: str) -> dict[str, Any]:
    """Horizontal bars, the largest on top."""
    held = sorted(rows, key=lambda row: row[1])
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": [n for _, n in held],
        "y": [words(name) for name, _ in held],
        "marker": {"color": color},
        "hovertemplate": f"%{{y}}: %{{x}} {unit}<extra></extra>",
    }
    gap = 0.6 if len(held) < 4 else 0.3
    return {"data": [bar], "layout": {"bargap": gap, "xaxis": axis(unit, rangemode="tozero")}}


def stacked_bars(
    days: Sequence[str], series: Mapping[str, Sequence[float]], unit: str
) -> dict[str, Any]:
    """Bars by day, one colour for each name."""
    data = [
        {
            "type": "bar",
            "name": words(name),
            "x": list(days),
            "y": list(held),
            "marker": {"color": TONES[at % 6]},
            "hovertemplate": "%{y}<extra></extra>",
        }
        for at, (name, held) in enumerate(series.items())
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
    """One row of dots with whiskers for each share that has an n, at `places` down the side."""
    held = [
        (place, label, share)
        for place, (label, share) in zip(places, shares.items(), strict=True)
        if share.of
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "cliponaxis": False,
        "name": name,
        "x": [100 * (share.value or 0) for _, _, share in held],
        "y": [place for place, _, _ in held],
        "marker": {"color": color, "size": 10, "symbol": symbol},
        "error_x": whiskers([share for _, _, share in held], color),
        "customdata": [[words(label), share.of] for _, label, share in held],
        "hovertemplate": "%{customdata[0]}: %{x:.1f} % of %{customdata[1]}<extra></extra>",
    }


def dot_plot(
    labels: Sequence[str], series: Sequence[tuple[str, Sequence[Share], str, str]]
) -> dict[str, Any]:
    """Shares with intervals beside each other, one line for each label.

    Args:
        series: name, one share for each label, colour, symbol.
    """
    shown = [one for one in series if any(share.of for share in one[1])]
    lines = range(len(labels))
    data = [
        dots(
            name,
            dict(zip(labels, shares, strict=True)),
            color,
            symbol,
            [line + 0.32 * ((at + 0.5) / len(shown) - 0.5) for line in lines],
        )
        for at, (name, shares, color, symbol) in enumerate(shown)
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
