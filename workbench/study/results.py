"""All systems on the same questions in one table: figures with intervals, what they cost, how far
they are apart.

Jobs that differ in their seed alone can be taken together: then a figure is the mean over seeds,
and its interval holds the chance of the seeds as well as that of the pictures.  Differences from a
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

By = Literal["system", "objective"]

BOUND = "an upper bound: the label chooses among the programs"


@dataclass(frozen=True, slots=True)
class Against:
    """A system and the baseline, over the questions that both have a score for."""

    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    """Corrected for all comparisons of the table."""
    of: int


@dataclass(frozen=True, slots=True)
class SystemRow:
    """One system."""

    system: str
    kind: str
    mode: str
    evaluations: tuple[str, ...]
    """Ids: one, or one for each seed."""
    metric: str
    value: float | None
    low: float | None
    high: float | None
    questions: int
    families: Mapping[str, Mapping[str, JSON]]
    latency: Mapping[str, JSON]
    """As `Evaluation.latency`; of several seeds, the first that was measured."""
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
    """Over pass@1."""
    relative: float | None
    """The same as a share of pass@1; None where that is 0."""


@dataclass(frozen=True, slots=True)
class Results:
    """The table."""

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
) -> Results:
    """The table of the latest evaluated questions, or of those of this benchmark and split.

    Args: baseline: name of the row that the others are compared with; `base` when None, else the
        first system. by: `objective` takes jobs together that differ in seed alone.

    Raises:
        InputError: nothing was evaluated there, or no row has this name.
    """
    if by not in get_args(By):
        raise InputError(f"the table is by {' or by '.join(get_args(By))}, found '{by}'")
    chosen = _newest(_of_one_set(project.evaluations(), benchmark, split))
    jobs: dict[str | None, JobRow] = {row.id: row for row in project.lineage().jobs}
    named = _grouped(chosen, jobs) if by == "objective" else _single(chosen)
    scores = {row.id: project.evaluation_scores(row.id) for row in chosen}
    about = evaluations.about(
        project.database, sorted({task for held in scores.values() for task in held})
    )
    rows = sorted((_row(name, held, scores, about) for name, held in named.items()), key=_place)
    names = [row.system for row in rows if row.mode != "any"]
    if baseline is not None and baseline not in names:
        raise InputError(f"no system is called '{baseline}'; there are: {', '.join(names)}")
    base = baseline or ("base" if "base" in names else names[0])
    compared = _compared(
        rows, base, scores, {task: picture for task, (picture, _) in about.items()}
    )
    return Results(
        chosen[0].benchmark, chosen[0].split, chosen[0].task_limit, base, compared, _curve(chosen)
    )


def _of_one_set(
    found: Sequence[Evaluation], benchmark: str | None, split: str | None
) -> list[Evaluation]:
    """Evaluations on the same questions as the latest one that fits."""
    fits = [
        row for row in found if benchmark in (None, row.benchmark) and split in (None, row.split)
    ]
    if not fits:
        there = sorted({f"{row.benchmark or 'all'} {row.split or 'all'}" for row in found})
        raise InputError(
            "nothing was evaluated there yet; "
            + (
                f"there are: {', '.join(there)}"
                if there
                else "run: vpd evaluate --pipeline 5, and vpd evaluate"
            )
        )
    last = fits[-1]
    key = (last.benchmark, last.split, last.task_limit)
    return [row for row in fits if (row.benchmark, row.split, row.task_limit) == key]


def _newest(rows: Sequence[Evaluation]) -> list[Evaluation]:
    """Of the pipeline the latest of each kind: earlier ones are of other prompts, tools or models."""
    latest = {(row.system if row.kind == "pipeline" else row.id): row for row in rows}
    return list(latest.values())


def _single(rows: Sequence[Evaluation]) -> dict[str, list[Evaluation]]:
    """A row each; of several with one name the later ones show what tells them apart."""
    named: dict[str, list[Evaluation]] = {}
    for row in rows:
        name = (
            row.system
            if row.system not in named
            else f"{row.system} ({(row.job or row.model or row.id)[:8]})"
        )
        named[name] = [row]
    return named


def _grouped(
    rows: Sequence[Evaluation], jobs: Mapping[str | None, JobRow]
) -> dict[str, list[Evaluation]]:
    """Jobs of one kin and mode together; where an objective has several kins, their settings tell
    them apart.
    """
    named = _single([row for row in rows if row.job not in jobs])
    kins: dict[tuple[str, str], list[Evaluation]] = {}
    for row in rows:
        if row.job in jobs:
            kins.setdefault((jobs[row.job].kin, row.mode), []).append(row)
    for (kin, mode), held in kins.items():
        job = jobs[held[0].job]
        others = [jobs[group[0].job] for (other, _), group in kins.items() if other != kin]
        rivals = [other for other in others if other.objective == job.objective]
        apart_by = sorted(
            {
                key
                for other in rivals
                for key, value in job.settings.items()
                if value != other.settings.get(key)
            }
            - {"seed", "name"}
        )
        told = ", ".join(f"{key} {_short(job.settings.get(key))}" for key in apart_by)
        name = (
            job.objective
            + (f" ({told or kin[:8]})" if rivals else "")
            + " explained" * (mode == "explain")
        )
        named[name] = sorted(held, key=lambda row: jobs[row.job].seed)
    return named


def _short(value: JSON) -> str:
    if isinstance(value, str) and "/" in value:
        return value.rstrip("/").rpartition("/")[2][:12]
    if isinstance(value, Mapping):
        return " ".join(f"{key} {held}" for key, held in value.items())
    return str(value)


def _row(
    name: str,
    held: Sequence[Evaluation],
    scores: Mapping[str, Mapping[str, float]],
    about: Mapping[str, tuple[str, str]],
) -> SystemRow:
    first = held[0]
    measured = next((row for row in held if row.latency), first)
    value, low, high, questions = first.value, first.low, first.high, first.questions
    families, note = first.families, BOUND if first.mode == "any" else ""
    if len(held) > 1:
        pictures = {task: picture for task, (picture, _) in about.items()}
        system = [scores[row.id] for row in held]
        found = mean(system, pictures)
        families = {
            family: _share(
                [{t: s for t, s in one.items() if about[t][1] == family} for one in system],
                pictures,
            )
            for family in first.families
        }
        value, low, high, questions = found.value, found.low, found.high, found.of
        if not all(_is_mean(row, scores[row.id]) for row in held):
            known = [row.value for row in held if row.value is not None]
            value, low, high = (sum(known) / len(known) if known else None), None, None
            note = "differences and families are of right answers"
    elif not note and not _is_mean(first, scores[first.id]):
        note = "differences and families are of right answers"
    cost = {key: _average([row.cost.get(key) for row in held]) for key in first.cost}
    return SystemRow(
        name,
        first.kind,
        first.mode,
        tuple(row.id for row in held),
        first.metric,
        value,
        low,
        high,
        questions,
        families,
        measured.latency,
        cost,
        note,
    )


def _is_mean(row: Evaluation, held: Mapping[str, float]) -> bool:
    """Whether the main metric is the mean over questions (accuracy is, the area under a curve is
    not).
    """
    return (
        row.value is not None
        and bool(held)
        and abs(sum(held.values()) / len(held) - row.value) < 1e-6
    )


def _share(system: Sequence[Mapping[str, float]], pictures: Mapping[str, str]) -> dict[str, JSON]:
    found = mean(system, pictures)
    return {"value": found.value, "of": found.of, "low": found.low, "high": found.high}


def _average(values: Sequence[Any]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


_ORDER = ("pipeline first", "pipeline vote", "pipeline any", "student direct", "student explain")


def _place(row: SystemRow) -> tuple[int, bool, str]:
    """The pipeline, then the base, then what was trained."""
    return _ORDER.index(f"{row.kind} {row.mode}"), not row.system.startswith("base"), row.system


def _compared(
    rows: Sequence[SystemRow],
    baseline: str,
    scores: Mapping[str, Mapping[str, float]],
    pictures: Mapping[str, str],
) -> tuple[SystemRow, ...]:
    """Each row with its difference from the baseline; a bound is no system and is not compared."""
    base = [scores[id_] for row in rows if row.system == baseline for id_ in row.evaluations]
    found: dict[str, Against] = {}
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
                found[row.system] = Against(
                    pair.difference, pair.low, pair.high, pair.p, pair.p, pair.n
                )
        else:
            seeds = apart(mine, base, pictures)
            found[row.system] = Against(
                seeds.difference, seeds.low, seeds.high, seeds.p, seeds.p, seeds.of
            )
    adjusted = holm({name: one.p for name, one in found.items()})
    whole = {name: replace(one, p_holm=adjusted[name] or one.p) for name, one in found.items()}
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
