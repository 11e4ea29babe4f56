"""Which evaluation came from which snapshot, as a chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from workbench.screen.charts.chart import Chart, flat
from workbench.store.reading.evaluations import Evaluation
from workbench.store.reading.lineage import JobRow, Lineage

MOST = 12
"""Number of paths that the plot of the lineage draws; its table holds all."""


class LineageRow(NamedTuple):
    """A path from a snapshot as far as it leads."""

    snapshot: str
    """Name of the snapshot."""
    job: str | None = None
    """Name of the job that trains on the snapshot; None without one."""
    state: str | None = None
    """State of the job."""
    model: str | None = None
    """Name of the model that came from the job; '' without one."""
    evaluation: str | None = None
    """Evaluation of the model, with its questions and value; '' without one."""
    questions: int | None = None
    """Number of questions of the evaluation."""


def lineage_chart(lineage: Lineage) -> Chart:
    """Snapshot, job, model, evaluation: a row for each path, and the newest of them drawn."""
    rows = [*_unused_snapshots(lineage), *_job_paths(lineage)]
    paths = [(row.snapshot, row.job, row.model, row.evaluation) for row in rows]
    return Chart(
        "lineage",
        "What came of what",
        "from snapshot to evaluation",
        f"paths, n = {len(rows):,}; snapshots {len(lineage.snapshots)}, jobs {len(lineage.jobs)}, "
        f"models {len(lineage.models)}, evaluations {len(lineage.evaluations)}"
        + (f"; the newest {MOST} paths are drawn" if len(paths) > MOST else ""),
        "Snapshots by content, models by the digest of their weights: each evaluation names the "
        "weights that answered.",
        "Fills when a snapshot is taken and a student taught: vpd snapshot, vpd train.",
        ("snapshot", "job", "state", "model", "evaluation", "n"),
        tuple(tuple(row) for row in rows),
        _graph(paths[-MOST:]),
        size="wide",
    )


def _unused_snapshots(lineage: Lineage) -> Iterator[LineageRow]:
    """Snapshots that no job trains on."""
    training = {job.snapshot for job in lineage.jobs}
    for snapshot in lineage.snapshots:
        if snapshot.hash not in training:
            yield LineageRow(snapshot.name or snapshot.hash[:10])


def _job_paths(lineage: Lineage) -> Iterator[LineageRow]:
    """Paths of all jobs; a job without a model and a model without an evaluation end theirs."""
    names = {one.hash: one.name or one.hash[:10] for one in lineage.snapshots}
    for job in lineage.jobs:
        start = LineageRow(
            names.get(job.snapshot, job.snapshot[:10]), job.name or job.id, job.state, "", ""
        )
        yield from list(_model_paths(lineage, job, start)) or [start]


def _model_paths(lineage: Lineage, job: JobRow, start: LineageRow) -> Iterator[LineageRow]:
    """The job's path `start`, led on to its models and to their evaluations."""
    for model in lineage.models:
        if model.job == job.id:
            path = start._replace(model=f"{model.name or model.objective} {model.id[:8]}")
            ends = [
                path._replace(evaluation=_result(one), questions=one.questions)
                for one in lineage.evaluations
                if one.model == model.id
            ]
            yield from ends or [path]


def _result(one: Evaluation) -> str:
    """System, questions and main metric of an evaluation, in words."""
    score = "" if one.value is None else f": {100 * one.value:.1f} %"
    return f"{one.system}, {questions_of(one)}{score}"


def _graph(paths: Sequence[tuple[str | None, ...]]) -> dict[str, object]:
    """Columns of nodes, each as high as the middle of the paths through it.

    Paths share their nodes, but each evaluation is a node of its own.
    """
    routes = [
        [(column, name, at if column == 3 else 0) for column, name in enumerate(path) if name]
        for at, path in enumerate(paths)
    ]
    through: dict[tuple[int, str, int], list[int]] = {}
    for at, route in enumerate(routes):
        for node in route:
            through.setdefault(node, []).append(at)
    high = {node: sum(lines) / len(lines) for node, lines in through.items()}
    x: list[float | None] = []
    y: list[float | None] = []
    for route in routes:
        x += [*(node[0] for node in route), None]
        y += [*(high[node] for node in route), None]
    edges = {
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"color": "@line", "width": 2},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    nodes = {
        "mode": "markers+text",
        "x": [column for column, _, _ in high],
        "y": list(high.values()),
        "cliponaxis": False,
        "text": [f"  {flat(name)[:44]}" for _, name, _ in high],
        "textposition": "middle right",
        "textfont": {"color": "@ink"},
        "hoverinfo": "skip",
        "showlegend": False,
        "marker": {
            "size": 11,
            "color": [("@accent", "@warm", "@good", "@crash")[column] for column, _, _ in high],
        },
    }
    names = {"tickvals": [0, 1, 2, 3], "ticktext": ["snapshot", "job", "model", "evaluation"]}
    layout = {
        "xaxis": {"range": [-0.1, 3.9], **names, "zeroline": False, "side": "top"},
        "yaxis": {"range": [len(paths) - 0.5, -0.5], "visible": False},
    }
    return {"data": [edges, nodes] if paths else [], "layout": layout}


def questions_of(one: Evaluation) -> str:
    """The questions of an evaluation in words, such as `gqa testdev, first 100`."""
    limit = f", first {one.task_limit}" if one.task_limit else ""
    return (" ".join(filter(None, (one.benchmark, one.split))) or "all questions") + limit
