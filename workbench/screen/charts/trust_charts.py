"""Charts of how far a project's figures can be trusted.

They compare systems with a baseline, show programs that are right for the wrong reason, probe the
students' own rationales, and count what people said blind.  The charts read every answer, so a page
that shows them often keeps them for as long as `stamp` stays the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from workbench.curate.agreement import Agreement
from workbench.errors import InputError
from workbench.evaluate.faithfulness.probe import Line, Probe
from workbench.evaluate.human import (
    ASKED,
    PAPER,
    PREFERENCES,
    HumanEvaluation,
    human_evaluation,
    rated_pairs,
)
from workbench.records import PartRef
from workbench.screen.charts.chart import TONES, Cell, Chart, Row, axis, dot_plot, flat, interval
from workbench.screen.charts.reason_charts import reason_charts
from workbench.screen.part_names import part_name
from workbench.shares import Share
from workbench.store import Project
from workbench.store.reading.figures import evidence_stamp
from workbench.study.probing import FOLDER, probes
from workbench.study.results import Results, results

MODELS = 4
"""Number of probed students on the chart at most, the newest first."""


_NONE = "Fills when systems are evaluated: vpd evaluate, or vpd study."
_NO_PAIR = (
    "Fills when at least two systems are evaluated on the same questions: vpd evaluate, or "
    "vpd study."
)


def trust_charts(project: Project) -> list[Chart]:
    """Charts of systems against a baseline and by family, of reasons, probes and blind ratings."""
    try:
        figures = results(project, by="objective")
        why = ""
    except InputError as error:  # nothing was evaluated yet, or in ways that are not comparable
        figures, why = None, str(error) if project.evaluations() else ""
    ratings = project.curation.ratings()
    blind = _blind_chart()
    if pairs := rated_pairs(ratings):  # the first pair of models is the one that was rated most
        blind = _blind(human_evaluation(ratings, *pairs[0]), project.parts)
    systems = [_against(figures, why or _NO_PAIR), _by_family(figures, why or _NONE)]
    return [*systems, *reason_charts(project), _probes(project), blind]


def stamp(project: Project) -> tuple[object, ...]:
    """A value that changes whenever the charts of `trust_charts` may change."""
    files = sorted((project.path / FOLDER).glob("probe-*.jsonl"))
    evidence = evidence_stamp(project.database)
    return (*evidence, *((path.name, path.stat().st_size) for path in files))


def _against(figures: Results | None, why: str) -> Chart:
    rows = figures.rows if figures else ()
    pairs = [(row, row.against) for row in rows if row.against is not None]
    base = figures.baseline if figures else "a baseline"
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": [100 * apart.difference for _, apart in pairs],
        "y": list(range(len(pairs))),
        "customdata": [apart.of for _, apart in pairs],
        "marker": {
            "size": 10,
            "color": ["@accent" if row.kind == "pipeline" else "@good" for row, _ in pairs],
        },
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [100 * (apart.high - apart.difference) for _, apart in pairs],
            "arrayminus": [100 * (apart.difference - apart.low) for _, apart in pairs],
            "color": "@soft",
        },
        "hovertemplate": "%{x:+.1f} points, n = %{customdata}<extra></extra>",
    }
    side = {
        "range": [len(pairs) - 0.5, -0.5],
        "tickvals": list(range(len(pairs))),
        "ticktext": [flat(row.system) for row, _ in pairs],
        "zeroline": False,
    }
    table: list[Row] = []
    for row in rows:
        apart = row.against
        ends = (
            (apart.difference, apart.low, apart.high, apart.p, apart.p_holm)
            if apart
            else (None,) * 5
        )
        table.append(
            (row.system, row.seeds, row.value, row.low, row.high, row.questions, *ends, row.note)
        )
    return Chart(
        "against",
        f"Difference from {flat(base)}",
        "paired, question by question",
        f"points, 95 %; {_questions(figures)}",
        "Jobs that differ in their seed alone are one row: the mean over seeds, with the seeds in "
        "its interval. Intervals from drawing pictures again; p corrected for all comparisons of "
        "the table (Holm 1979).",
        why,
        (
            "system",
            "seeds",
            "value",
            "low",
            "high",
            "n",
            "difference",
            "low",
            "high",
            "p",
            "p, Holm",
            "",
        ),
        tuple(table),
        {
            "data": [dots] if pairs else [],
            "layout": {"xaxis": axis(f"points above {flat(base)}"), "yaxis": side},
        },
    )


def _by_family(figures: Results | None, why: str) -> Chart:
    rows = [row for row in figures.rows if row.mode != "any"] if figures else []
    families = sorted({name for row in rows for name in row.families})
    table: list[Row] = []
    for name in families:
        cells: list[Cell] = [_value(row.families.get(name, {}), "value") for row in rows]
        sizes = [int(_value(row.families.get(name, {}), "of") or 0) for row in rows]
        table.append((name or "(none)", max(sizes, default=0), *cells))
    return Chart(
        "system_families",
        "Systems by family",
        "",
        f"share right; {_questions(figures)}",
        "As in the table above. Many cells are looked at: a difference in one of them is not yet "
        "a finding.",
        why,
        ("family", "n", *(row.system for row in rows)),
        tuple(table),
    )


def _probes(project: Project) -> Chart:
    newest: list[Probe] = []
    empty = "Fills when a student is probed: vpd probe --model JOB."
    try:
        newest = probes(project)[:MODELS]
    except InputError as error:
        empty = str(error)
    words = {
        line.condition: line.words for probe in newest for line in probe.lines if line.moved.of
    }
    series = []
    table: list[Row] = []
    for at, probe in enumerate(newest):
        lines = {line.condition: line for line in probe.lines}
        name = part_name(probe.model, (one.model for one in newest))
        moved = [lines[word].moved if word in lines else Share(0, 0) for word in words]
        series.append(
            (
                name,
                moved,
                TONES[at % 6],
                ("circle", "diamond", "square", "cross")[at % 4],
            )
        )
        table += [(name, *_cells(line)) for line in probe.lines if line.moved.of]
        reasons = (
            name,
            "gives reasons before its answer",
            *interval(probe.explained),
        )
        table.append((*reasons, *(None,) * 6))
    plot = dot_plot(list(words.values()), series)
    plot["layout"]["xaxis"] = axis("% of answers that moved", range=[0, 100])
    return Chart(
        "probe",
        "Does the answer rest on the rationale?",
        "how often a student's answer moves when its own reasons are changed",
        "% of answers that moved, 95 % (Wilson); "
        f"questions asked, n = {sum(probe.asked for probe in newest):,}",
        "The student's own rationale is put back into its mouth, changed, and concluded anew. "
        "Controls show what moves an answer although it should not; differences are paired. "
        "Only rationales with reasons before their answer count.",
        empty,
        (
            "student",
            "condition",
            "moved",
            "low",
            "high",
            "n",
            "followed",
            "against",
            "difference",
            "low",
            "high",
            "p",
        ),
        tuple(table),
        plot,
        size="wide",
    )


def _cells(line: Line) -> Row:
    apart = line.difference
    ends = (apart.difference, apart.low, apart.high, apart.p) if apart else (None,) * 4
    return (line.words, *interval(line.moved), line.followed.value, line.against, *ends)


def _blind(pair: HumanEvaluation, parts: Mapping[str, PartRef]) -> Chart:
    """The chart of the blind ratings of one pair of models."""
    names = [_part(key, parts) for key in (pair.first, pair.second)]
    table: list[Row] = []
    for question, words in ASKED.items():
        kappa = _least_kappa(pair.agreement[question])
        table += [
            (words, name, *interval(share), paper, kappa)
            for name, share, paper in zip(
                names, pair.shares[question], PAPER[question], strict=True
            )
        ]
    table += [
        (f"preferred: {choice}", "", *interval(pair.preferences[choice]), None, None)
        for choice in PREFERENCES
    ]
    series = [
        (name, [pair.shares[question][side] for question in ASKED], color, "circle")
        for side, (name, color) in enumerate(zip(names, ("@warm", "@accent"), strict=True))
    ]
    return _blind_chart(
        says=" against ".join(names),
        counts=(pair.questions, pair.ratings, len(pair.raters)),
        rows=tuple(table),
        series=series,
    )


def _least_kappa(agreement: Iterable[Agreement]) -> str | None:
    """The least κ of any two raters with its n; None where no pair has a κ."""
    kappas = [(pair.kappa, pair.n) for pair in agreement if pair.kappa is not None]
    if not kappas:
        return None
    kappa, n = min(kappas, key=lambda one: one[0])
    return f"{kappa:.2f} (n = {n})"


def _blind_chart(
    says: str = "",
    counts: tuple[int, int, int] = (0, 0, 0),
    rows: tuple[Row, ...] = (),
    series: Sequence[tuple[str, Sequence[Share], str, str]] = (),
) -> Chart:
    """The chart of blind ratings; without arguments, as it stands before people have rated.

    Args:
        says: names of the two models.
        counts: numbers of questions, ratings and people.
        rows: cells of the table.
        series: lines of the plot, as `dot_plot` takes them.
    """
    questions, ratings, people = counts
    return Chart(
        "rated",
        "What people said, blind",
        says,
        f"%, 95 % (Wilson); n = {questions:,} questions, {ratings:,} ratings by {people} people",
        "The form of Hu et al. 2024, section 4.4, in its order; each question counts once, with "
        "the mean of its raters. The paper's figures stand beside: PaLI-X-Instruct first, "
        "PaLI-X-VPD second. κ: the least of any two raters.",
        "Fills when people rate two models: Curate, Rate models.",
        ("question", "model", "share", "low", "high", "n", "paper", "κ of raters"),
        rows,
        dot_plot(list(ASKED.values()), series),
        size="wide",
    )


def _questions(figures: Results | None) -> str:
    """Source, split and number of the questions, as a chart's note says them."""
    if figures is None:
        return "n = 0"
    limit = f", first {figures.task_limit}" if figures.task_limit else ""
    source = " ".join(filter(None, (figures.benchmark, figures.split))) or "all questions"
    return f"{source}{limit}, n = {max((row.questions for row in figures.rows), default=0):,}"


def _value(share: Mapping[str, object], name: str) -> float | None:
    value = share.get(name)
    return float(value) if isinstance(value, int | float) else None


def _part(key: str, parts: Mapping[str, PartRef]) -> str:
    return part_name(parts[key], parts.values()) if key in parts else key
