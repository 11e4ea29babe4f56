"""How good a system is on a set of questions, as rows of the store: a student, asked directly or
through its rationale, and the pipeline by its first program, by vote among k, and at best.

Answers are records like all others, so an evaluation that was stopped goes on, and one that was
done costs nothing. Figures are the benchmark's own (`evaluate.scorers`); with intervals that keep a
picture's questions together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.errors import InputError
from workbench.evaluate.benchmarks.scorers import BENCHMARKS, scorer
from workbench.evaluate.benchmarks.scores import Scorer, SystemAnswer, clusters
from workbench.evaluate.statistics.comparisons import Interval, mean_interval
from workbench.pipeline import loop
from workbench.pipeline.ingesting import ingest
from workbench.pipeline.loop import Progress, Watch
from workbench.records import JSON, Task, content_key
from workbench.shares import best_of
from workbench.store import (
    Evaluation,
    JobRow,
    Project,
    Selection,
)
from workbench.store.kernel.database import now
from workbench.store.reading import evaluations
from workbench.store.reading.evaluations import ProgramAnswer
from workbench.store.reading.ids import sources_and_splits
from workbench.study import answering
from workbench.study.answering import NamedStudent
from workbench.verify.answers import canonical
from workbench.verify.vote import vote

TIMED = 10
"""Questions asked one by one for the clock, where nothing else is said."""

YES_SHARES = "hateful"
"""The benchmark that asks how sure a yes is."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked, and how it is scored."""

    selection: Selection
    tasks: Sequence[Task]
    scorer: Scorer

    @property
    def key(self) -> tuple[str | None, str | None, int | None]:
        return self.selection.source, self.selection.split, self.selection.limit


def questions(project: Project, selection: Selection) -> Questions:
    """The questions of a selection.

    Raises:
        InputError: there are none, or they are of several benchmarks that are not scored alike.
    """
    tasks = project.tasks(evaluations.selected_ids(project.database, selection))
    sources = sorted({task.source for task in tasks})
    if not tasks:
        there = sources_and_splits(project.database)
        names = (
            ", ".join(f"{source} {split}" for source, split in there)
            or "none; import some with: vpd import"
        )
        raise InputError(f"no question fits; the project holds: {names}")
    official = [source for source in sources if source in BENCHMARKS]
    if official and len(sources) > 1:
        raise InputError(
            f"the questions are of {', '.join(sources)}, which are not scored alike; choose with --benchmark NAME"
        )
    return Questions(selection, tasks, scorer(sources[0]))


def evaluate(
    project: Project,
    model: str | None = None,
    selection: Selection | None = None,
    explain: bool = False,
    timed: int = TIMED,
    watch: Watch | None = None,
) -> Evaluation:
    """A student on a set of questions.

    Args: model: as `answering.named` takes it; the profile's student when None. explain: ask for
        the rationale and read the answer where it ends; what cannot be read is wrong. timed:
        questions asked one by one for the clock; measured once, and anew when more are wanted.

    Raises:
        InputError: no such model, no questions, or ones that are not scored alike.
    """
    asked = questions(project, selection or Selection())
    who = answering.student_by_name(project, model)
    ingest(project, [who.job] if who.job is not None else [])
    row = next(
        (row for row in project.lineage().jobs if who.job is not None and row.id == who.job.name),
        None,
    )
    ref = who.asked(explain)
    said = answering.ask(project, who, [task.id for task in asked.tasks], explain, watch)
    answers = {task: (answer or None) if explain else answer for task, (answer, _) in said.items()}
    id_ = content_key("student", ref, *asked.key)
    before = _stored(project, id_)
    latency, cost = (before.latency, before.cost) if before is not None else ({}, {})
    if min(timed, len(said)) > latency.get("n", 0):
        _tell(watch, "timing", timed)
        timing = answering.sample([task for task in asked.tasks if task.id in said], timed)
        latency = answering.seconds_alone(timing, answering.student_answer(project, who, explain))
    if who.loaded or not cost:
        cost = {"tokens": answering.tokens(who, said), "calls": 0.0}
    shares = {}
    if asked.scorer.source == YES_SHARES and not explain:
        shares = answering.yes_shares(project, who, [task.id for task in asked.tasks], watch)
    found = _scored(asked, answers, shares)
    details = {"unreadable": sum(answer is None for answer in answers.values())} if explain else {}
    made = _row(
        asked,
        found,
        id=id_,
        system=_name(who, row, explain),
        kind="student",
        mode="explain" if explain else "direct",
        part=project.add_part(ref),
        model=ref.version,
        job=row.id if row else None,
        snapshot=row.snapshot if row else None,
        latency=latency,
        cost=cost,
        details={**found.details, **details},
    )
    evaluations.put(project.database, [made], {id_: found.per_task})
    return made


def _name(who: NamedStudent, row: JobRow | None, explain: bool) -> str:
    name = f"{row.objective} seed {row.seed}" if row is not None else who.name
    return f"{name} explained" if explain else name


def evaluate_pipeline(
    project: Project,
    k: int = 5,
    selection: Selection | None = None,
    timed: int = TIMED,
    watch: Watch | None = None,
) -> list[Evaluation]:
    """The pipeline on a set of questions: its first program; and for k > 1 the vote of k, and the
    best of k.

    A vote needs no label; the best of k does, and is no system but a bound on what choosing could
    give.

    Raises:
        InputError: no questions, k out of range, or questions that are not scored alike.
    """
    asked = questions(project, selection or Selection())
    own = asked.selection
    # As many tasks as there are: an evaluation imports nothing.
    loop.run(project, len(asked.tasks), k, "execute", watch, split=own.split, source=own.source)
    scope = replace(project.scope(), k=k)
    said = evaluations.program_answers(project.database, scope, [task.id for task in asked.tasks])
    modes = {"first": "pipeline k=1"} | (
        {"vote": f"pipeline k={k}", "any": f"pipeline pass@{k}"} if k > 1 else {}
    )
    made: list[Evaluation] = []
    scored = {}
    for mode, name in modes.items():
        ran = 1 if mode == "first" else k
        id_ = content_key(
            "pipeline", mode, ran, scope.sampler, scope.executor, scope.seed, *asked.key
        )
        before = _stored(project, id_)
        latency = before.latency if before is not None else {}
        if mode == "any":
            latency = made[-1].latency
        elif min(timed, len(asked.tasks)) > latency.get("n", 0):
            _tell(watch, f"timing k={ran}", timed)
            with answering.pipeline_answer(project, ran) as answer:
                latency = answering.seconds_alone(answering.sample(asked.tasks, timed), answer)
        found = (
            _best(asked, said, k)
            if mode == "any"
            else _scored(asked, _chosen(asked.tasks, said, mode), {})
        )
        made.append(
            _row(
                asked,
                found,
                id=id_,
                system=name,
                kind="pipeline",
                mode=mode,
                part=scope.sampler or "",
                model=None,
                job=None,
                snapshot=None,
                latency=latency,
                cost=_cost(said, ran),
                details={**found.details, "k": ran},
            )
        )
        scored[id_] = found.per_task
    evaluations.put(project.database, made, scored)
    return made


def _chosen(
    tasks: Sequence[Task], said: Mapping[str, Sequence[ProgramAnswer]], mode: str
) -> dict[str, str | None]:
    """By task, the first program's answer, or the one that the vote gives; of the best of k,
    nothing is said.
    """
    chosen: dict[str, str | None] = {}
    for task in tasks:
        runs = said.get(task.id, ())
        if mode == "first":
            at = next((place for place, run in enumerate(runs) if run.index == 0), None)
        else:
            forms = [None if run.answer is None else canonical(run.answer, task) for run in runs]
            at = vote(forms, [run.score for run in runs])
        chosen[task.id] = None if at is None else runs[at].answer
    return chosen


def _cost(said: Mapping[str, Sequence[ProgramAnswer]], k: int) -> dict[str, JSON]:
    """Tool calls and tokens of a question's first k programs; batched seconds beside."""
    if not said:
        return {}
    whole = [runs[:k] for runs in said.values()]
    named = {"calls": "tool_calls", "tokens": "tokens", "batched_seconds": "seconds"}
    return {
        name: sum(getattr(run, field) for runs in whole for run in runs) / len(whole)
        for name, field in named.items()
    }


@dataclass(frozen=True, slots=True)
class _Scored:
    """What the scorer says of one system's answers."""

    metric: str
    value: float | None
    interval: Interval | None
    per_task: Mapping[str, tuple[str | None, float | None]]
    """Answer and score; no score where a question does not count."""
    details: Mapping[str, JSON]


def _scored(
    asked: Questions, texts: Mapping[str, str | None], shares: Mapping[str, float]
) -> _Scored:
    """What the scorer says.

    Args:
        texts: by task, what was answered; None where it came to nothing, which is wrong.
        shares: how much of yes and no was on yes, where that is known.
    """
    answers = {
        id_: SystemAnswer(text, shares.get(id_)) for id_, text in texts.items() if text is not None
    }
    found = asked.scorer.score(asked.tasks, answers)
    more = found.to_json()
    return _Scored(
        found.name,
        found.value,
        asked.scorer.interval(asked.tasks, answers),
        {id_: (texts.get(id_), found.per_task.get(id_)) for id_ in {**found.per_task, **texts}},
        {name: more[name] for name in ("metrics", "left_out", "unanswered")},
    )


def _best(asked: Questions, said: Mapping[str, Sequence[ProgramAnswer]], k: int) -> _Scored:
    """The best of k programs, and of fewer: the curve of pass@k."""
    pictures, each = clusters(asked.tasks), _each_program(asked, said, k)
    curve = {
        size: {id_: best_of(row, size) for id_, row in each.items()} for size in range(1, k + 1)
    }
    interval = mean_interval(curve[k], pictures)
    return _Scored(
        f"pass@{k}",
        interval.value if interval else None,
        interval,
        {id_: (None, score) for id_, score in curve[k].items()},
        {"passed": {str(size): _share(row, pictures) for size, row in curve.items()}},
    )


def _row(asked: Questions, found: _Scored, **known: Any) -> Evaluation:
    families, pictures = {task.id: task.family for task in asked.tasks}, clusters(asked.tasks)
    groups: dict[str, dict[str, float]] = {}
    for id_, (_, score) in found.per_task.items():
        if score is not None:
            groups.setdefault(families[id_], {})[id_] = score
    return Evaluation(
        benchmark=asked.selection.source or "",
        split=asked.selection.split or "",
        task_limit=asked.selection.limit,
        questions=sum(map(len, groups.values())),
        metric=found.metric,
        value=found.value,
        low=found.interval.low if found.interval else None,
        high=found.interval.high if found.interval else None,
        families={family: _share(scores, pictures) for family, scores in sorted(groups.items())},
        created_at=now(),
        **known,
    )


def _each_program(
    asked: Questions, said: Mapping[str, Sequence[ProgramAnswer]], k: int
) -> dict[str, list[float]]:
    """By question, the score of each of its k programs; one that failed or did not run scores 0."""
    each: dict[str, list[float]] = {}
    for index in range(k):
        mine = {
            run.task_id: run.answer for runs in said.values() for run in runs if run.index == index
        }
        answers = {id_: SystemAnswer(text) for id_, text in mine.items() if text is not None}
        for id_, score in asked.scorer.score(asked.tasks, answers).per_task.items():
            each.setdefault(id_, []).append(score)
    return each


def _share(scores: Mapping[str, float], pictures: Mapping[str, str]) -> dict[str, JSON]:
    found = mean_interval(scores, pictures)
    if found is None:
        return {"value": None, "of": 0, "low": None, "high": None}
    return {"value": found.value, "of": found.n, "low": found.low, "high": found.high}


def _stored(project: Project, id_: str) -> Evaluation | None:
    return next((row for row in project.evaluations() if row.id == id_), None)


def _tell(watch: Watch | None, stage: str, total: int) -> None:
    if watch is not None:
        watch(Progress(stage, 0, total, "questions"))
