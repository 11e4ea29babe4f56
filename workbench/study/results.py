"""The table of all systems on the same questions: figures, intervals, costs and differences.

Jobs that differ in their seed alone can be taken together: then a figure is the mean over seeds,
and its interval covers the chance of the seeds as well as that of the pictures.  Differences from a
baseline are paired, question by question; their p-values are corrected for there being several
(Holm 1979).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from workbench.errors import InputError
from workbench.evaluate.statistics.comparisons import compare_systems, holm
from workbench.evaluate.statistics.over_seeds import apart, mean
from workbench.records import JSON
from workbench.store import Evaluation, JobRow, Project
from workbench.store.reading import evaluations
from workbench.study.missing import missing_answers

By = Literal["system", "objective"]

BOUND = "an upper bound: the label chooses among the programs"
OF_RIGHT_ANSWERS = "differences and families are of right answers"
BASES = ("base", "small")
"""Names of students that nobody has taught yet; the first one that is there is the baseline."""


@dataclass(frozen=True, slots=True)
class Against:
    """The difference of a system from the baseline, over questions that both have a score for."""

    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    """The p value corrected for all comparisons of the table."""
    of: int
    """Number of questions."""


@dataclass(frozen=True, slots=True)
class SystemRow:
    """One system of the table."""

    system: str
    kind: str
    mode: str
    evaluations: tuple[str, ...]
    """Ids of the evaluations: one, or one for each seed."""
    metric: str
    value: float | None
    low: float | None
    high: float | None
    questions: int
    families: Mapping[str, Mapping[str, JSON]]
    latency: Mapping[str, JSON]
    """As `Evaluation.latency`; of several seeds, the first measured one."""
    cost: Mapping[str, JSON]
    note: str = ""
    against: Against | None = None

    @property
    def seeds(self) -> int:
        return len(self.evaluations)


@dataclass(frozen=True, slots=True)
class PassAtK:
    """pass@k for one k, over `of` questions."""

    k: int
    value: float
    low: float
    high: float
    of: int
    gain: float
    """ArmDifference from pass@1."""
    relative: float | None
    """The gain as a share of pass@1; None where that is 0."""


@dataclass(frozen=True, slots=True)
class Results:
    """The table of results."""

    benchmark: str
    """Source of the questions; empty for all of the project."""
    split: str
    task_limit: int | None
    baseline: str
    rows: tuple[SystemRow, ...]
    curve: tuple[PassAtK, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def results(
    project: Project,
    baseline: str | None = None,
    benchmark: str | None = None,
    split: str | None = None,
    by: By = "system",
    arms: Mapping[str, Sequence[str]] | None = None,
) -> Results:
    """The table of the questions that were evaluated last, or of a benchmark and split.

    Args:
        project: has the evaluations.
        baseline: name of the row that the others are compared with; when None it is `base`, or the
            first system where there is no `base`.
        benchmark: source of the questions; empty for evaluations of all sources, None for any.
        split: of the questions; empty for evaluations of all splits, None for any.
        by: `objective` takes jobs together that differ in seed alone.
        arms: names of rows by job, which may stand in several; jobs of one name are taken together,
            and jobs that are not named here stay out of the table.

    Raises:
        InputError: nothing was evaluated there, no row has this name, or the rows were scored in
            several ways.
    """
    if by not in get_args(By):
        raise InputError(f"the table is by {' or by '.join(get_args(By))}, found '{by}'")
    chosen = _newest(_of_one_set(project.evaluations(), benchmark, split))
    _check_one_way(chosen)
    jobs: dict[str | None, JobRow] = {row.id: row for row in project.lineage().jobs}
    if arms is not None:
        chosen = [row for row in chosen if row.job is None or row.job in arms]
    named = _named(chosen, jobs, by, arms)
    scores = {row.id: project.evaluation_scores(row.id) for row in chosen}
    about = evaluations.about(
        project.database, sorted({task for by_task in scores.values() for task in by_task})
    )
    rows = sorted((_row(name, group, scores, about) for name, group in named.items()), key=_place)
    base = _baseline(rows, baseline)
    compared = _with_differences(
        rows, base, scores, {task: picture for task, (picture, _) in about.items()}
    )
    return Results(
        chosen[0].benchmark, chosen[0].split, chosen[0].task_limit, base, compared, _curve(chosen)
    )


def _baseline(rows: Sequence[SystemRow], wish: str | None) -> str:
    """The name of the row that the others are compared with."""
    names = [row.system for row in rows if row.mode != "any"]
    if wish is not None and wish not in names:
        raise InputError(f"no system is called '{wish}'; there are: {', '.join(names)}")
    return wish or next((name for name in BASES if name in names), names[0])


def _of_one_set(
    rows: Sequence[Evaluation], benchmark: str | None, split: str | None
) -> list[Evaluation]:
    """The evaluations on the same questions as the latest one that fits."""
    fits = [
        row for row in rows if benchmark in (None, row.benchmark) and split in (None, row.split)
    ]
    if not fits:
        there = sorted({f"{row.benchmark or 'all'} {row.split or 'all'}" for row in rows})
        hint = "run: vpd evaluate --pipeline 5, and vpd evaluate"
        if there:
            hint = f"there are: {', '.join(there)}"
        raise InputError(f"nothing was evaluated there yet; {hint}")
    last = fits[-1]
    key = (last.benchmark, last.split, last.task_limit)
    return [row for row in fits if (row.benchmark, row.split, row.task_limit) == key]


def _newest(rows: Sequence[Evaluation]) -> list[Evaluation]:
    """The evaluations of students, and the latest one of each kind of the pipeline.

    Earlier ones of the pipeline are of other prompts, tools or models.
    """
    latest = {(row.system if row.kind == "pipeline" else row.id): row for row in rows}
    return list(latest.values())


def _check_one_way(rows: Sequence[Evaluation]) -> None:
    """Refuse figures under several ways of normalising answers: they are not comparable.

    Raises:
        InputError: there are several.
    """
    ways: dict[str, list[str]] = {}
    for row in rows:
        if way := row.details.get("normalise"):
            ways.setdefault(str(way), []).append(row.system)
    if len(ways) > 1:
        there = "; ".join(f"{way}: {', '.join(names)}" for way, names in sorted(ways.items()))
        raise InputError(
            f"answers were normalised in several ways ({there}), so that these figures cannot be "
            "compared; evaluate in one way: vpd evaluate --normalise always, for each of them, "
            "which asks nothing anew"
        )


def _single(rows: Sequence[Evaluation]) -> dict[str, list[Evaluation]]:
    """One row for each evaluation; where several share a name, later ones add their job's id."""
    named: dict[str, list[Evaluation]] = {}
    for row in rows:
        marks = ("", f" ({(row.job or row.model or row.id)[:8]})", f" ({row.id[:8]})")
        names = (row.system + mark for mark in marks)
        named[next((name for name in names if name not in named), row.id)] = [row]
    return named


def _by_kin(
    rows: Sequence[Evaluation], jobs: Mapping[str | None, JobRow]
) -> dict[str, list[Evaluation]]:
    """One row for the jobs of one kin and mode.

    Where an objective has several kins, their settings stand in the names.
    """
    named = _single([row for row in rows if row.job not in jobs])
    kins: dict[tuple[str, str], list[Evaluation]] = {}
    for row in rows:
        if row.job in jobs:
            kins.setdefault((jobs[row.job].kin, row.mode), []).append(row)
    for (kin, mode), group in kins.items():
        job = jobs[group[0].job]
        others = [jobs[first[0].job] for (other, _), first in kins.items() if other != kin]
        rivals = [other for other in others if other.objective == job.objective]
        name = (
            f"{job.objective} ({_difference(job, rivals) or kin[:8]})" if rivals else job.objective
        )
        named[name + " explained" * (mode == "explain")] = sorted(
            group, key=lambda row: jobs[row.job].seed
        )
    return named


def _named(
    rows: Sequence[Evaluation],
    jobs: Mapping[str | None, JobRow],
    by: By,
    arms: Mapping[str, Sequence[str]] | None,
) -> dict[str, list[Evaluation]]:
    """The evaluations of each row of the table, by its name.

    Args:
        rows: all evaluations.
        jobs: by id.
        by: which are taken together where there are no arms.
        arms: names of rows by job.
    """
    if arms is not None:
        return _by_arm(rows, jobs, arms)
    return _by_kin(rows, jobs) if by == "objective" else _single(rows)


def _by_arm(
    rows: Sequence[Evaluation],
    jobs: Mapping[str | None, JobRow],
    arms: Mapping[str, Sequence[str]],
) -> dict[str, list[Evaluation]]:
    """One row for the jobs of one arm of a study and mode, in order of seeds.

    Args:
        rows: all evaluations.
        jobs: by id.
        arms: names of rows by job.
    """
    named = _single([row for row in rows if row.job is None])
    students = [row for row in rows if row.job in jobs]
    for row in sorted(students, key=lambda row: jobs[row.job].seed):
        for arm in arms[str(row.job)]:
            name = arm + " explained" * (row.mode == "explain")
            named.setdefault(name, []).append(row)
    return named


def _difference(job: JobRow, rivals: Sequence[JobRow]) -> str:
    """The settings of a job that differ from those of other jobs, for people."""
    names = {
        name
        for rival in rivals
        for name, value in job.settings.items()
        if value != rival.settings.get(name)
    }
    return ", ".join(
        f"{name} {_short(job.settings.get(name))}" for name in sorted(names - {"seed", "name"})
    )


def _short(value: JSON) -> str:
    if isinstance(value, str) and "/" in value:
        return value.rstrip("/").rpartition("/")[2][:12]
    if isinstance(value, Mapping):
        return " ".join(f"{key} {part}" for key, part in value.items())
    return str(value)


def _row(
    name: str,
    group: Sequence[Evaluation],
    scores: Mapping[str, Mapping[str, float]],
    about: Mapping[str, tuple[str, str]],
) -> SystemRow:
    """One row of the table.

    Args:
        name: of the row.
        group: one evaluation, or one for each seed.
        scores: by evaluation and question.
        about: picture and family of each question.
    """
    first = group[0]
    measured = next((row for row in group if row.latency), first)
    if len(group) > 1:
        figures = _figures_over_seeds(group, scores, about)
    else:
        figures = _figures_of_one(first, scores[first.id])
    return SystemRow(
        system=name,
        kind=first.kind,
        mode=first.mode,
        evaluations=tuple(row.id for row in group),
        metric=first.metric,
        latency=measured.latency,
        cost={key: _average([row.cost.get(key) for row in group]) for key in first.cost},
        **figures,
    )


def _figures_of_one(row: Evaluation, scores: Mapping[str, float]) -> dict[str, Any]:
    """Figures and note of a single evaluation, as `SystemRow` names them."""
    note = BOUND if row.mode == "any" else ""
    if not note and not _is_mean(row, scores):
        note = OF_RIGHT_ANSWERS
    return {
        "value": row.value,
        "low": row.low,
        "high": row.high,
        "questions": row.questions,
        "families": row.families,
        "note": "; ".join(filter(None, (note, missing_answers(row.details)))),
    }


def _figures_over_seeds(
    group: Sequence[Evaluation],
    scores: Mapping[str, Mapping[str, float]],
    about: Mapping[str, tuple[str, str]],
) -> dict[str, Any]:
    """Means and note over evaluations of several seeds, as `SystemRow` names them."""
    pictures = {task: picture for task, (picture, _) in about.items()}
    system = [scores[row.id] for row in group]
    interval = mean(system, pictures)
    figures: dict[str, Any] = {
        "value": interval.value,
        "low": interval.low,
        "high": interval.high,
        "questions": interval.of,
        "families": {
            family: _share([_of_family(one, family, about) for one in system], pictures)
            for family in group[0].families
        },
        "note": BOUND if group[0].mode == "any" else "",
    }
    if not all(_is_mean(row, scores[row.id]) for row in group):
        # The main metric is not a mean over questions, so the interval above is not its own.
        figures |= {"value": _average([row.value for row in group]), "low": None, "high": None}
        figures["note"] = OF_RIGHT_ANSWERS
    each = [missing_answers(row.details) for row in group]
    notes = [f"run {at}: {words}" for at, words in enumerate(each, 1) if words]
    figures["note"] = "; ".join(filter(None, (figures["note"], *notes)))
    return figures


def _of_family(
    scores: Mapping[str, float], family: str, about: Mapping[str, tuple[str, str]]
) -> dict[str, float]:
    return {task: score for task, score in scores.items() if about[task][1] == family}


def _is_mean(row: Evaluation, scores: Mapping[str, float]) -> bool:
    """Whether the main metric is the mean over questions, as accuracy is and an area is not."""
    return (
        row.value is not None
        and bool(scores)
        and abs(sum(scores.values()) / len(scores) - row.value) < 1e-6
    )


def _share(system: Sequence[Mapping[str, float]], pictures: Mapping[str, str]) -> dict[str, JSON]:
    interval = mean(system, pictures)
    return {"value": interval.value, "of": interval.of, "low": interval.low, "high": interval.high}


def _average(values: Sequence[Any]) -> float | None:
    numbers = [value for value in values if value is not None]
    return sum(numbers) / len(numbers) if numbers else None


_ORDER = ("pipeline first", "pipeline vote", "pipeline any", "student direct", "student explain")


def _place(row: SystemRow) -> tuple[int, bool, str]:
    """The place of a row: the pipeline, then the base, then trained students."""
    return (
        _ORDER.index(f"{row.kind} {row.mode}"),
        row.system.partition(" ")[0] not in BASES,
        row.system,
    )


def _with_differences(
    rows: Sequence[SystemRow],
    baseline: str,
    scores: Mapping[str, Mapping[str, float]],
    pictures: Mapping[str, str],
) -> tuple[SystemRow, ...]:
    """Each row with its difference from the baseline; a bound is not a system and has none."""
    base = [scores[id_] for row in rows if row.system == baseline for id_ in row.evaluations]
    comparisons: dict[str, Against] = {}
    for row in rows:
        mine = [scores[id_] for id_ in row.evaluations]
        if (
            row.system == baseline
            or row.mode == "any"
            or not set.intersection(*map(set, [*mine, *base]))
        ):
            continue
        if len(mine) == len(base) == 1:
            if pair := compare_systems(mine[0], base[0], pictures):
                comparisons[row.system] = Against(
                    pair.difference, pair.low, pair.high, pair.p, pair.p, pair.n
                )
        else:
            seeds = apart(mine, base, pictures)
            comparisons[row.system] = Against(
                seeds.difference, seeds.low, seeds.high, seeds.p, seeds.p, seeds.of
            )
    adjusted = holm({name: one.p for name, one in comparisons.items()})
    whole = {
        name: replace(one, p_holm=adjusted[name] or one.p) for name, one in comparisons.items()
    }
    return tuple(replace(row, against=whole.get(row.system)) for row in rows)


def _curve(chosen: Sequence[Evaluation]) -> tuple[PassAtK, ...]:
    bounds = [row.details["passed"] for row in chosen if row.mode == "any"]
    if not bounds:
        return ()
    widest = max(bounds, key=len)
    one = widest["1"]["value"]
    return tuple(
        PassAtK(
            int(k), **at, gain=at["value"] - one, relative=at["value"] / one - 1 if one else None
        )
        for k, at in sorted(widest.items(), key=lambda item: int(item[0]))
        if at["value"] is not None
    )
