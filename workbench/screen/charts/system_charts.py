"""A project's models and evaluations as charts: how right and how fast, what teaching brought, what
came of what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from typing import NamedTuple

from workbench.records import JSON
from workbench.screen.charts.chart import Chart, Row, axis, flat
from workbench.screen.charts.overview import Overview
from workbench.store.reading.evaluations import Evaluation
from workbench.store.reading.lineage import ModelRow

MOST = 12
"""Jobs drawn in the lineage; the table holds all."""

EVALUATE = "Fills when systems are evaluated: vpd evaluate --model bundled, vpd evaluate --pipeline 1, or vpd study."


def model_charts(found: Overview) -> list[Chart]:
    """Systems, accuracy against latency, learning curves, lineage."""
    learning, minutes = _learning(found)
    return [_latency(found), learning, _systems(found), minutes, _lineage(found)]


class EvaluationPoint(NamedTuple):
    """An evaluation whose main metric is defined, in percent."""

    made: Evaluation
    value: float
    low: float
    high: float


def points(found: Overview) -> list[EvaluationPoint]:
    """Every evaluation that has a value."""
    return [
        EvaluationPoint(one, 100 * one.value, 100 * one.low, 100 * one.high)
        for one in found.lineage.evaluations
        if one.value is not None and one.low is not None and one.high is not None
    ]


def _systems(found: Overview) -> Chart:
    held = found.lineage.evaluations
    rows = [
        (
            one.system,
            _asked(one),
            one.metric,
            one.value,
            one.low,
            one.high,
            one.questions,
            _number(one.latency, "median"),
            _number(one.latency, "n"),
            _number(one.cost, "calls"),
            _number(one.cost, "tokens"),
        )
        for one in held
    ]
    shown = points(found)
    several = len({_asked(point.made) for point in shown}) > 1
    dots = {
        "type": "scatter",
        "mode": "markers",
        "cliponaxis": False,
        "x": [point.value for point in shown],
        "y": list(range(len(shown))),
        "customdata": [point.made.questions for point in shown],
        "marker": {
            "size": 10,
            "color": [_color(p.made) for p in shown],
            "symbol": [_symbol(p.made) for p in shown],
        },
        "error_x": _error(shown, "@soft"),
        "hovertemplate": "%{x:.1f} %, n = %{customdata}<extra></extra>",
    }
    labels = [
        flat(f"{p.made.system}, {_asked(p.made)}" if several else p.made.system) for p in shown
    ]
    side = {
        "range": [len(shown) - 0.5, -0.5],
        "tickvals": list(range(len(shown))),
        "ticktext": labels,
        "zeroline": False,
    }
    return Chart(
        "systems",
        "Systems",
        "pipeline, students before and after teaching",
        f"metric as named, 95 %; {_counted(held)}",
        "Each evaluation is one row: the benchmark's own scorer, the interval over questions, latency as the warm "
        "median of single questions, cost per question. pass@k knows the label: an upper bound, no way of answering. "
        "Open symbols: answers read out of the student's rationale.",
        EVALUATE,
        (
            "system",
            "questions of",
            "metric",
            "value",
            "low",
            "high",
            "n",
            "median s",
            "n timed",
            "tool calls",
            "tokens",
        ),
        tuple(rows),
        {
            "data": [dots] if shown else [],
            "layout": {"xaxis": axis("%", range=[0, 100]), "yaxis": side},
        },
        size="wide",
    )


LABELS, LEGEND = 8, 12
"""Points that carry their names; that have a legend.  More of them are named by the table alone."""


def _latency(found: Overview) -> Chart:
    models = found.models
    how = (
        "The latest evaluated questions: warm median of single questions; for programs sampling and running them."
        if any(one.evaluated for one in models)
        else "The loop's own times, batches divided by their questions: a single question takes longer. Any of k knows "
        "the label. Evaluations take their place once there are some: vpd evaluate."
    )
    labelled = len(models) <= LABELS
    symbols = ("circle", "circle-open", "diamond", "square", "cross")
    data = [
        {
            "name": flat(one.name),
            "mode": "markers+text" if labelled else "markers",
            "x": [one.seconds],
            "y": [100 * one.value],
            "text": [f"   {flat(one.name)}"],
            "textposition": "middle right",
            "cliponaxis": False,
            "textfont": {"color": "@ink"},
            "showlegend": LABELS < len(models) <= LEGEND,
            "marker": {
                "size": 12,
                "symbol": symbols[at % 5],
                "color": "@accent" if one.pipeline else "@good" if one.taught else "@warm",
            },
            "error_y": _bar([100 * (one.high - one.value)], [100 * (one.value - one.low)], "@soft"),
            "hovertemplate": f"%{{y:.1f}} % in %{{x:.3g}} s, n = {one.of}<extra></extra>",
        }
        for at, one in enumerate(models)
    ]
    times = [one.seconds for one in models if one.seconds > 0] or [1.0]
    span = [log10(min(*times, 1.0)) - 0.35, log10(max(*times, 1.0)) + 0.7]
    layout = {
        "xaxis": axis("seconds a question", type="log", dtick="D2", range=span),
        "yaxis": axis("% right", range=[0, 100]),
    }
    return Chart(
        "accuracy_latency",
        "Accuracy and latency",
        "up and to the left is better",
        "% right against seconds a question (log); n beside each in the table",
        how,
        "Fills when pipeline and student have answered labelled questions: vpd run.",
        ("answers", "right", "low", "high", "n", "seconds a question"),
        tuple((one.name, one.value, one.low, one.high, one.of, one.seconds) for one in models),
        {"data": data, "layout": layout},
    )


def _learning(found: Overview) -> list[Chart]:
    """Students against what they were taught, in questions and in reviewers' minutes."""
    snapshots = {one.hash: one.counts for one in found.lineage.snapshots}
    names = {one.id: one.name or one.id for one in found.lineage.jobs}
    objectives = {one.id: one.objective for one in found.lineage.jobs}
    students = [point for point in points(found) if point.made.kind == "student"]
    taught = [point for point in students if point.made.snapshot in snapshots]
    base = [point for point in students if point.made.job is None]
    rows = []
    for point in [*base, *taught] if taught else []:
        made = point.made
        counts = snapshots.get(made.snapshot or "", {})
        rows.append(
            (
                made.system,
                _number(counts, "rows") or 0,
                _number(counts, "rationales") or 0,
                round(found.minutes.get(made.snapshot or "", 0.0), 1),
                names.get(made.job or "", made.job),
                made.value,
                made.low,
                made.high,
                made.questions,
            )
        )
    columns = (
        "student",
        "questions taught",
        "with a rationale",
        "reviewers' minutes",
        "job",
        "right",
        "low",
        "high",
        "n",
    )
    how = (
        "Evaluated students by the snapshot that they were taught, both sides of its division; students as they came "
        "stand at 0. Points of one objective differ in seed, settings or questions: no line is drawn through them."
    )
    charts = []
    for name, title, says, unit, column, more in (
        (
            "learning",
            "Learning curve",
            "student accuracy by accepted questions",
            "questions taught",
            1,
            "",
        ),
        (
            "minutes",
            "What reviewing buys",
            "student accuracy by reviewers' time",
            "reviewers' minutes",
            3,
            " Minutes: the time of all standing decisions up to the snapshot; none for what the verifier chose alone.",
        ),
    ):
        held: dict[str, list[tuple[EvaluationPoint, float]]] = {}
        for point, row in zip([*base, *taught], rows):
            held.setdefault(_kind(point.made, objectives), []).append(
                (point, float(row[column] or 0))
            )
        layout = {
            "xaxis": axis(unit, rangemode="tozero"),
            "yaxis": axis("% right", range=[0, 100]),
            "showlegend": True,
        }
        charts.append(
            Chart(
                name,
                title,
                says,
                f"% right against {unit}; {_counted([point.made for point in taught])}",
                how + more,
                "Fills when a trained student is evaluated: vpd train, then vpd evaluate --model JOB.",
                columns,
                tuple(rows),
                {"data": _scatter(held), "layout": layout},
            )
        )
    return charts


def _kind(one: Evaluation, objectives: Mapping[str, str]) -> str:
    """What students that differ in their seed have in common."""
    objective = objectives.get(one.job or "")
    return f"{objective}{' explained' * (one.mode == 'explain')}" if objective else one.system


def _scatter(
    held: Mapping[str, Sequence[tuple[EvaluationPoint, float]]],
) -> list[dict[str, object]]:
    data: list[dict[str, object]] = []
    for name, mine in held.items():
        dots = [point for point, _ in mine]
        color = _color(dots[0].made)
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "cliponaxis": False,
                "name": flat(name),
                "x": [where for _, where in mine],
                "y": [point.value for point in dots],
                "error_y": _error(dots, color),
                "marker": {"size": 10, "color": color, "symbol": _symbol(dots[0].made)},
                "customdata": [point.made.questions for point in dots],
                "hovertemplate": "%{y:.1f} %, n = %{customdata}<extra></extra>",
            }
        )
    return data


def _lineage(found: Overview) -> Chart:
    """Snapshot, job, model, evaluation: a row for each path, and the newest of them drawn."""
    lineage = found.lineage
    names = {one.hash: one.name or one.hash[:10] for one in lineage.snapshots}
    paths: list[tuple[str, str, str, str]] = []
    rows: list[Row] = []
    taken = {job.snapshot for job in lineage.jobs}
    for taken_hash in names.keys() - taken:
        paths.append((names[taken_hash], "", "", ""))
        rows.append((names[taken_hash], None, None, None, None, None))
    for job in lineage.jobs:
        start = names.get(job.snapshot, job.snapshot[:10])
        models: list[ModelRow | None] = [one for one in lineage.models if one.job == job.id]
        for model in models or [None]:
            made: list[Evaluation | None] = [
                one for one in lineage.evaluations if model and one.model == model.id
            ]
            for one in made or [None]:
                named = f"{model.name or model.objective} {model.id[:8]}" if model else ""
                score = "" if one is None or one.value is None else f": {100 * one.value:.1f} %"
                end = f"{one.system}, {_asked(one)}{score}" if one else ""
                paths.append((start, job.name or job.id, named, end))
                rows.append(
                    (
                        start,
                        job.name or job.id,
                        job.state,
                        named,
                        end,
                        one.questions if one else None,
                    )
                )
    return Chart(
        "lineage",
        "What came of what",
        "from snapshot to evaluation",
        f"paths, n = {len(rows):,}; snapshots {len(lineage.snapshots)}, jobs {len(lineage.jobs)}, "
        f"models {len(lineage.models)}, evaluations {len(lineage.evaluations)}"
        + (f"; the newest {MOST} paths are drawn" if len(paths) > MOST else ""),
        "Snapshots by content, models by the digest of their weights: each evaluation names the weights that answered.",
        "Fills when a snapshot is taken and a student taught: vpd snapshot, vpd train.",
        ("snapshot", "job", "state", "model", "evaluation", "n"),
        tuple(rows),
        _graph(paths[-MOST:]),
        size="wide",
    )


def _graph(paths: Sequence[tuple[str, ...]]) -> dict[str, object]:
    """Columns of nodes, each as high as the middle of the paths through it; each evaluation is a
    node of its own.
    """
    routes = [
        [(column, name, at if column == 3 else 0) for column, name in enumerate(path) if name]
        for at, path in enumerate(paths)
    ]
    through: dict[tuple[int, str, int], list[int]] = {}
    for at, route in enumerate(routes):
        for node in route:
            through.setdefault(node, []).append(at)
    high = {node: sum(held) / len(held) for node, held in through.items()}
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


def _asked(one: Evaluation) -> str:
    """Which questions."""
    limit = f", first {one.task_limit}" if one.task_limit else ""
    return (" ".join(filter(None, (one.benchmark, one.split))) or "all questions") + limit


def _number(held: Mapping[str, JSON], name: str) -> float | int | None:
    value = held.get(name)
    return value if isinstance(value, int | float) else None


def _counted(held: Sequence[Evaluation]) -> str:
    sizes = sorted({one.questions for one in held})
    spread = (
        f"{sizes[0]:,} to {sizes[-1]:,}" if len(sizes) > 1 else f"{sizes[0]:,}" if sizes else "0"
    )
    return f"{len(held)} evaluations, n = {spread} questions"


def _color(one: Evaluation) -> str:
    return "@accent" if one.kind == "pipeline" else "@good" if one.job else "@warm"


def _symbol(one: Evaluation) -> str:
    return (
        "diamond-open"
        if one.mode == "explain"
        else "diamond"
        if one.kind == "student"
        else "circle"
    )


def _error(held: Sequence[EvaluationPoint], color: str) -> dict[str, object]:
    return _bar(
        [point.high - point.value for point in held],
        [point.value - point.low for point in held],
        color,
    )


def _bar(above: Sequence[float], below: Sequence[float], color: str) -> dict[str, object]:
    held = {"array": list(above), "arrayminus": list(below)}
    return {
        "type": "data",
        "symmetric": False,
        **held,
        "color": color,
        "thickness": 1.4,
        "width": 4,
    }
