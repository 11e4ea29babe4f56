"""Accuracy while students learn: a line for the jobs that differ in their seed alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.screen.charts.chart import TONES, Chart, Row, axis, flat
from workbench.screen.charts.overview import Overview
from workbench.store import JobRow

LINES = 12
"""Most lines of the plot; the table has all."""


def validation_chart(overview: Overview) -> Chart:
    """Held-out accuracy by step."""
    groups: dict[str, list[JobRow]] = {}
    for job in overview.lineage.jobs:
        if len(overview.validation.get(job.id, ())) > 1:
            groups.setdefault(job.kin, []).append(job)
    rows: list[Row] = []
    lines: list[dict[str, object]] = []
    for at, jobs in enumerate(groups.values()):
        name = _name(jobs)
        points = _means([overview.validation[job.id] for job in jobs])
        rows += [(name, step, value, len(jobs), of) for step, value, of in points]
        if at < LINES:
            lines.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": flat(name),
                    "x": [step for step, _, _ in points],
                    "y": [100 * value for _, value, _ in points],
                    "line": {
                        "color": TONES[at % len(TONES)],
                        "dash": "dot" if at >= 6 else "solid",
                    },
                    "hovertemplate": "%{y:.1f} % after %{x} steps<extra></extra>",
                }
            )
    layout = {
        "xaxis": axis("steps", rangemode="tozero"),
        "yaxis": axis("% right", range=[0, 100]),
        "showlegend": True,
    }
    return Chart(
        "while_learning",
        "While learning",
        "where a student begins to reason, accuracy rises at once",
        f"% right on the held-out side by step, mean over jobs; {len(groups)} lines",
        "Direct answers to held-out questions of the job's snapshot at each of its evaluations; "
        "jobs that differ in their seed alone share a line. Step 0 is the student as it came.",
        "Fills when a training job has evaluated twice: vpd train, or vpd study.",
        ("students", "step", "right", "jobs", "n"),
        tuple(rows),
        {"data": lines, "layout": layout},
        size="wide",
    )


def _name(jobs: Sequence[JobRow]) -> str:
    """What people call jobs of one kin: their common name without the seed, or the objective."""
    first = jobs[0]
    return first.name.removesuffix(f" seed {first.seed}") or f"{first.objective} {first.id[:6]}"


def _means(
    evaluations: Sequence[Sequence[Mapping[str, object]]],
) -> list[tuple[int, float, int]]:
    """Step, mean accuracy and number of questions at each mark that all jobs have."""
    curves = [{_whole(row["step"]): row for row in rows} for rows in evaluations]
    marks = sorted(set.intersection(*map(set, curves)))
    return [
        (
            mark,
            sum(float(str(curve[mark]["accuracy"])) for curve in curves) / len(curves),
            _whole(curves[0][mark].get("of", 0)),
        )
        for mark in marks
    ]


def _whole(value: object) -> int:
    return int(str(value))
