"""A project's models and evaluations as charts.

They show how often systems answer rightly and how fast, and what teaching a student brought.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import log10
from typing import NamedTuple

from workbench.records import JSON
from workbench.screen.charts.chart import Chart, Row, axis, error_bars, flat
from workbench.screen.charts.lineage_chart import lineage_chart, questions_of
from workbench.screen.charts.overview import Overview, SystemFigures
from workbench.screen.charts.validation_chart import validation_chart
from workbench.store.reading.evaluations import Evaluation

EVALUATE = (
    "Fills when systems are evaluated: vpd evaluate --model small, vpd evaluate --pipeline 1, "
    "or vpd study."
)
"""What fills the figures of evaluations."""


def model_charts(overview: Overview) -> list[Chart]:
    """Systems, accuracy against latency, learning curves, accuracy while learning, lineage."""
    learning, minutes = _learning(overview)
    return [
        _latency(overview),
        learning,
        validation_chart(overview),
        _systems(overview),
        minutes,
        lineage_chart(overview.lineage),
    ]


class EvaluationPoint(NamedTuple):
    """An evaluation whose main metric is defined, in percent."""

    evaluation: Evaluation
    value: float
    """Main metric, 0 to 100."""
    low: float
    """Lower end of the 95 % interval."""
    high: float
    """Upper end of the 95 % interval."""


def points(overview: Overview) -> list[EvaluationPoint]:
    """Every evaluation that has a value."""
    return [
        EvaluationPoint(one, 100 * one.value, 100 * one.low, 100 * one.high)
        for one in overview.lineage.evaluations
        if one.value is not None and one.low is not None and one.high is not None
    ]


SYSTEM_COLUMNS = (
    "system", "questions of", "metric", "value", "low", "high", "n",
    "median s", "n timed", "tool calls", "tokens",
)  # fmt: skip


def _systems(overview: Overview) -> Chart:
    history = overview.lineage.evaluations
    rows = [
        (
            one.system,
            questions_of(one),
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
        for one in history
    ]
    return Chart(
        "systems",
        "Systems",
        "pipeline, students before and after teaching",
        f"metric as named, 95 %; {_evaluation_count(history)}",
        "Each evaluation is one row: the benchmark's own scorer, the interval over questions, "
        "latency as the warm median of single questions, cost per question. pass@k knows the "
        "label: it is an upper bound, not a way of answering. Open symbols stand for answers that "
        "are read out of the student's rationale.",
        EVALUATE,
        SYSTEM_COLUMNS,
        tuple(rows),
        _system_plot(points(overview)),
        size="wide",
    )


def _system_plot(evaluated: Sequence[EvaluationPoint]) -> dict[str, object]:
    """A dot with whiskers for each evaluation, one below the other.

    Labels name the questions where evaluations differ in them.
    """
    lines = list(range(len(evaluated)))
    questions = [questions_of(point.evaluation) for point in evaluated]
    labels = [point.evaluation.system for point in evaluated]
    if len(set(questions)) > 1:
        labels = [f"{label}, {text}" for label, text in zip(labels, questions, strict=True)]
    dots = {
        "type": "scatter",
        "mode": "markers",
        "cliponaxis": False,
        "x": [point.value for point in evaluated],
        "y": lines,
        "customdata": [point.evaluation.questions for point in evaluated],
        "marker": {
            "size": 10,
            "color": [_color_of(point.evaluation) for point in evaluated],
            "symbol": [_symbol(point.evaluation) for point in evaluated],
        },
        "error_x": _whiskers(evaluated, "@soft"),
        "hovertemplate": "%{x:.1f} %, n = %{customdata}<extra></extra>",
    }
    side = {
        "range": [len(evaluated) - 0.5, -0.5],
        "tickvals": lines,
        "ticktext": [flat(label) for label in labels],
        "zeroline": False,
    }
    return {
        "data": [dots] if evaluated else [],
        "layout": {"xaxis": axis("%", range=[0, 100]), "yaxis": side},
    }


LABELS, LEGEND = 8, 12
"""Most points that carry their names, and most that have a legend; the table names all."""

LETTER, WIDTH, LINE = 7, 480, 8
"""Pixels of a letter and of the plot, and percent of its height that a line of text takes."""

SYMBOLS = ("circle", "circle-open", "diamond", "square", "cross")
"""Symbols of systems, in the order in which systems take them."""

LATENCY_OF_EVALUATIONS = (
    "Systems on the questions of the latest evaluation. Time: the warm median of single questions, "
    "for programs with sampling and running them."
)
LATENCY_OF_LOOP = (
    "The loop's own times: batches divided by their questions. A single question takes longer. "
    "Any of k knows the label. Evaluations take the place of these figures once there are some: "
    "vpd evaluate."
)


def _latency(overview: Overview) -> Chart:
    models = overview.models
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
        LATENCY_OF_EVALUATIONS if any(one.evaluated for one in models) else LATENCY_OF_LOOP,
        "Fills when pipeline and student have answered labelled questions: vpd run.",
        ("answers", "right", "low", "high", "n", "seconds a question"),
        tuple((one.name, one.value, one.low, one.high, one.of, one.seconds) for one in models),
        {
            "data": [
                _latency_dot(one, at, len(models), label)
                for at, (one, label) in enumerate(zip(models, _labels(models, span), strict=True))
            ],
            "layout": layout,
        },
    )


def _labels(models: Sequence[SystemFigures], span: Sequence[float]) -> list[str]:
    """On which side of its dot each system's name stands; no name at all where two would meet.

    Args:
        models: the systems.
        span: ends of the logarithmic axis of seconds.
    """
    sides, places = [], []
    for one in models:
        x = (log10(max(one.seconds, 1e-9)) - span[0]) / (span[1] - span[0])
        size = (LETTER * len(one.name) + 24) / WIDTH
        right = x + size <= 1 or x < size
        sides.append("middle right" if right else "middle left")
        places.append((x if right else x - size, x + size if right else x, 100 * one.value))
    meet = any(
        a[0] < b[1] and b[0] < a[1] and abs(a[2] - b[2]) < LINE for a, b in combinations(places, 2)
    )
    return [""] * len(models) if meet or len(models) > LABELS else sides


def _latency_dot(one: SystemFigures, at: int, of: int, side: str) -> dict[str, object]:
    """The dot of a system.

    Args:
        one: the system.
        at: its place among the systems.
        of: number of systems.
        side: where its name stands; empty where a legend names it.
    """
    name = flat(one.name)
    return {
        "name": name,
        "mode": "markers+text" if side else "markers",
        "x": [one.seconds],
        "y": [100 * one.value],
        "text": [f"{name}   " if side == "middle left" else f"   {name}"],
        "textposition": side or "middle right",
        "cliponaxis": False,
        "textfont": {"color": "@ink"},
        "showlegend": not side and of <= LEGEND,
        "marker": {
            "size": 12,
            "symbol": SYMBOLS[at % len(SYMBOLS)],
            "color": _color(pipeline=one.pipeline, trained=one.trained),
        },
        "error_y": error_bars(
            [100 * (one.high - one.value)], [100 * (one.value - one.low)], "@soft"
        ),
        "hovertemplate": f"%{{y:.1f}} % in %{{x:.3g}} s, n = {one.of}<extra></extra>",
    }


LEARNING_COLUMNS = (
    "student", "questions taught", "with a rationale", "reviewers' minutes", "job",
    "right", "low", "high", "n",
)  # fmt: skip


class LearningMeasure(NamedTuple):
    """A measure of what a student was taught: the horizontal axis of a learning curve."""

    name: str
    """Name of the chart."""
    title: str
    """Heading of the chart."""
    says: str
    """What the chart shows."""
    unit: str
    """Unit of the measure, which heads its column in the table."""
    remark: str = ""
    """What the explanation of the chart adds about the measure."""


LEARNING_MEASURES = (
    LearningMeasure(
        "learning", "Learning curve", "student accuracy by accepted questions", "questions taught"
    ),
    LearningMeasure(
        "minutes",
        "What reviewing buys",
        "student accuracy by reviewers' time",
        "reviewers' minutes",
        " Minutes: the time of all standing decisions up to the snapshot; none for what the "
        "verifier chose alone.",
    ),
)


def _learning(overview: Overview) -> list[Chart]:
    """A learning curve for each measure: students against what they were taught."""
    snapshots = [one.hash for one in overview.lineage.snapshots]
    students = [point for point in points(overview) if point.evaluation.kind == "student"]
    trained = [point for point in students if point.evaluation.snapshot in snapshots]
    base = [point for point in students if not point.evaluation.is_distilled]
    curve = [*base, *trained] if trained else []
    count = _evaluation_count([point.evaluation for point in trained])
    return [_learning_curve(overview, curve, measure, count) for measure in LEARNING_MEASURES]


def _learning_curve(
    overview: Overview, curve: Sequence[EvaluationPoint], measure: LearningMeasure, count: str
) -> Chart:
    rows = _learning_rows(overview, curve)
    column = LEARNING_COLUMNS.index(measure.unit)
    objectives = {one.id: one.objective for one in overview.lineage.jobs}
    series: dict[str, list[tuple[EvaluationPoint, float]]] = {}
    for point, row in zip(curve, rows, strict=True):
        kind = _student_kind(point.evaluation, objectives)
        series.setdefault(kind, []).append((point, float(row[column] or 0)))
    layout = {
        "xaxis": axis(measure.unit, rangemode="tozero"),
        "yaxis": axis("% right", range=[0, 100]),
        "showlegend": True,
    }
    return Chart(
        measure.name,
        measure.title,
        measure.says,
        f"% right against {measure.unit}; {count}",
        "Evaluated students by the snapshot that they were taught, both sides of its division; "
        "students as they came stand at 0. Points of one objective differ in seed, settings or "
        f"questions: no line is drawn through them.{measure.remark}",
        "Fills when a trained student is evaluated: vpd train, then vpd evaluate --model JOB.",
        LEARNING_COLUMNS,
        rows,
        {"data": _scatter(series), "layout": layout},
    )


def _learning_rows(overview: Overview, curve: Sequence[EvaluationPoint]) -> tuple[Row, ...]:
    """The table of a learning curve, a row for each of its points."""
    counts = {one.hash: one.counts for one in overview.lineage.snapshots}
    names = {one.id: one.name or one.id for one in overview.lineage.jobs}
    rows = []
    for point in curve:
        one = point.evaluation
        snapshot = one.snapshot or ""
        sizes = counts.get(snapshot, {})
        rows.append(
            (
                one.system,
                _number(sizes, "rows") or 0,
                _number(sizes, "rationales") or 0,
                round(overview.minutes.get(snapshot, 0.0), 1),
                names.get(one.job or "", one.job),
                one.value,
                one.low,
                one.high,
                one.questions,
            )
        )
    return tuple(rows)


def _student_kind(one: Evaluation, objectives: Mapping[str, str]) -> str:
    """What students that differ in their seed have in common."""
    objective = objectives.get(one.job or "")
    return f"{objective}{' explained' * (one.mode == 'explain')}" if objective else one.system


def _scatter(
    series: Mapping[str, Sequence[tuple[EvaluationPoint, float]]],
) -> list[dict[str, object]]:
    """Dots with whiskers for each kind of student, at its places on the horizontal axis."""
    data: list[dict[str, object]] = []
    for name, places in series.items():
        dots = [point for point, _ in places]
        color = _color_of(dots[0].evaluation)
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "cliponaxis": False,
                "name": flat(name),
                "x": [place for _, place in places],
                "y": [point.value for point in dots],
                "error_y": _whiskers(dots, color),
                "marker": {"size": 10, "color": color, "symbol": _symbol(dots[0].evaluation)},
                "customdata": [point.evaluation.questions for point in dots],
                "hovertemplate": "%{y:.1f} %, n = %{customdata}<extra></extra>",
            }
        )
    return data


def _number(figures: Mapping[str, JSON], name: str) -> float | int | None:
    """A figure by its name; None where there is none or it is not a number."""
    value = figures.get(name)
    return value if isinstance(value, int | float) else None


def _evaluation_count(evaluations: Sequence[Evaluation]) -> str:
    """How many evaluations there are and how many questions each has, in words."""
    sizes = sorted({one.questions for one in evaluations}) or [0]
    spread = f"{sizes[0]:,} to {sizes[-1]:,}" if len(sizes) > 1 else f"{sizes[0]:,}"
    return f"{len(evaluations)} evaluations, n = {spread} questions"


def _color(*, pipeline: bool, trained: bool) -> str:
    """Colour of a system: the pipeline, a student that was taught, or a student as it came."""
    if pipeline:
        return "@accent"
    return "@good" if trained else "@warm"


def _color_of(one: Evaluation) -> str:
    return _color(pipeline=one.kind == "pipeline", trained=one.is_distilled)


def _symbol(one: Evaluation) -> str:
    """Symbol of a system: open where the answer is read out of a student's rationale."""
    if one.mode == "explain":
        return "diamond-open"
    return "diamond" if one.kind == "student" else "circle"


def _whiskers(evaluated: Sequence[EvaluationPoint], color: str) -> dict[str, object]:
    """Error bars of the evaluations' 95 % intervals."""
    above = [point.high - point.value for point in evaluated]
    below = [point.value - point.low for point in evaluated]
    return error_bars(above, below, color)
