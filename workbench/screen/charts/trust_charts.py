"""How far a project's figures can be trusted, as charts: systems against a baseline, wrong reasons,
students' own rationales, what people said blind.  They read every answer: whoever shows them often
keeps them (see `stamp`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from workbench.shares import Share
from workbench.store import Project
from workbench.store.reading.figures import evidence_stamp
from workbench.study.probing import FOLDER, probes
from workbench.study.results import Results, results

MODELS = 4
"""Probed students shown, the newest."""


def trust_charts(project: Project) -> list[Chart]:
    """Systems against a baseline, and by family; probes; blind ratings."""
    try:
        found = results(project, by="objective")
    except InputError:  # nothing was evaluated yet
        found = None
    said, parts = project.curation.ratings(), project.parts
    rated = [human_evaluation(said, *pair) for pair in rated_pairs(said)]
    systems = [_against(found), _by_family(found)]
    return [*systems, *reason_charts(project), _probes(project), _rated(rated[:1], parts)]


def stamp(project: Project) -> tuple[object, ...]:
    """Changes whenever `trust_charts` may."""
    files = sorted((project.path / FOLDER).glob("probe-*.jsonl"))
    evidence = evidence_stamp(project.database)
    return (*evidence, *((path.name, path.stat().st_size) for path in files))


def _against(found: Results | None) -> Chart:
    rows = found.rows if found else ()
    held = [(row, row.against) for row in rows if row.against is not None]
    base = found.baseline if found else "a baseline"
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": [100 * apart.difference for _, apart in held],
        "y": list(range(len(held))),
        "customdata": [apart.of for _, apart in held],
        "marker": {
            "size": 10,
            "color": ["@accent" if row.kind == "pipeline" else "@good" for row, _ in held],
        },
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [100 * (apart.high - apart.difference) for _, apart in held],
            "arrayminus": [100 * (apart.difference - apart.low) for _, apart in held],
            "color": "@soft",
        },
        "hovertemplate": "%{x:+.1f} points, n = %{customdata}<extra></extra>",
    }
    side = {
        "range": [len(held) - 0.5, -0.5],
        "tickvals": list(range(len(held))),
        "ticktext": [flat(row.system) for row, _ in held],
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
        f"points, 95 %; {_questions(found)}",
        "Jobs that differ in their seed alone are one row: the mean over seeds, with the seeds in its interval. "
        "Intervals from drawing pictures again; p corrected for all comparisons of the table (Holm 1979).",
        "Fills when at least two systems are evaluated on the same questions: vpd evaluate, or vpd study.",
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
            "data": [dots] if held else [],
            "layout": {"xaxis": axis(f"points above {flat(base)}"), "yaxis": side},
        },
    )


def _by_family(found: Results | None) -> Chart:
    rows = [row for row in found.rows if row.mode != "any"] if found else []
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
        f"share right; {_questions(found)}",
        "As in the table above. Many cells are looked at: a difference in one of them is no finding yet.",
        "Fills when systems are evaluated: vpd evaluate, or vpd study.",
        ("family", "n", *(row.system for row in rows)),
        tuple(table),
    )


def _probes(project: Project) -> Chart:
    found: list[Probe] = []
    empty = "Fills when a student is probed: vpd probe --model JOB."
    try:
        found = probes(project)[:MODELS]
    except InputError as error:
        empty = str(error)
    words = {line.condition: line.words for probe in found for line in probe.lines if line.moved.of}
    series = []
    table: list[Row] = []
    for at, probe in enumerate(found):
        lines = {line.condition: line for line in probe.lines}
        moved = [lines[name].moved if name in lines else Share(0, 0) for name in words]
        series.append(
            (
                _name(probe.model),
                moved,
                TONES[at % 6],
                ("circle", "diamond", "square", "cross")[at % 4],
            )
        )
        table += [(_name(probe.model), *_probed(line)) for line in probe.lines if line.moved.of]
        reasons = (
            _name(probe.model),
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
        f"% of answers that moved, 95 % (Wilson); questions asked, n = {sum(probe.asked for probe in found):,}",
        "The student's own rationale is put back into its mouth, changed, and concluded anew. Controls show what "
        "moves an answer although it should not; differences are paired. Only rationales with reasons before their "
        "answer count.",
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


def _probed(line: Line) -> Row:
    apart = line.difference
    ends = (apart.difference, apart.low, apart.high, apart.p) if apart else (None,) * 4
    return (line.words, *interval(line.moved), line.followed.value, line.against, *ends)


def _rated(found: Sequence[HumanEvaluation], parts: Mapping[str, PartRef]) -> Chart:
    """The pair of models that was rated most."""
    names: list[str] = []
    table: list[Row] = []
    series = []
    for one in found:
        names = [_part(key, parts) for key in (one.first, one.second)]
        for question, words in ASKED.items():
            kappas = [pair for pair in one.agreement[question] if pair.kappa is not None]
            worst = min(kappas, key=lambda pair: pair.kappa or 0.0, default=None)
            agreed = (
                f"{worst.kappa:.2f} (n = {worst.n})" if worst and worst.kappa is not None else None
            )
            for name, share, told in zip(names, one.shares[question], PAPER[question], strict=True):
                table.append((words, name, *interval(share), told, agreed))
        table += [
            (f"preferred: {choice}", "", *interval(one.preferences[choice]), None, None)
            for choice in PREFERENCES
        ]
        series = [
            (name, [one.shares[question][side] for question in ASKED], color, "circle")
            for side, (name, color) in enumerate(zip(names, ("@warm", "@accent"), strict=True))
        ]
    return Chart(
        "rated",
        "What people said, blind",
        " against ".join(names),
        f"%, 95 % (Wilson); n = {sum(one.questions for one in found):,} questions, "
        f"{sum(one.ratings for one in found):,} ratings by {sum(len(one.raters) for one in found)} people",
        "The form of Hu et al. 2024, section 4.4, in its order; each question counts once, with the mean of its "
        "raters. The paper's figures stand beside: PaLI-X-Instruct first, PaLI-X-VPD second. κ: the least of any two "
        "raters.",
        "Fills when people rate two models: Curate, Rate models.",
        ("question", "model", "share", "low", "high", "n", "paper", "κ of raters"),
        tuple(table),
        dot_plot(list(ASKED.values()), series),
        size="wide",
    )


def _questions(found: Results | None) -> str:
    if found is None:
        return "n = 0"
    limit = f", first {found.task_limit}" if found.task_limit else ""
    asked = " ".join(filter(None, (found.benchmark, found.split))) or "all questions"
    return f"{asked}{limit}, n = {max((row.questions for row in found.rows), default=0):,}"


def _value(held: Mapping[str, object], name: str) -> float | None:
    value = held.get(name)
    return float(value) if isinstance(value, int | float) else None


def _name(ref: PartRef) -> str:
    return f"{ref.name} {ref.version[:8]}"


def _part(key: str, parts: Mapping[str, PartRef]) -> str:
    return _name(parts[key]) if key in parts else key
