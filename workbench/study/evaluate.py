"""How good a system is on a set of questions, as rows of the store.

A system is a student, asked directly or through its rationale, or the pipeline with its first
program, the vote of k programs, or the best of them.  Answers are records like all others, so an
evaluation that was stopped goes on, and a second one costs nothing.  Figures are the benchmark's
own (`evaluate.benchmarks.scorers`), with intervals that keep a picture's questions together.
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
from workbench.pipeline.progress import Progress, Watch
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
from workbench.store.reading.evaluations import AnswerOfStudent, ProgramAnswer
from workbench.store.reading.ids import sources_and_splits
from workbench.study import answering
from workbench.study.answering import NamedStudent
from workbench.verify.answers import canonical
from workbench.verify.normalise import Mode
from workbench.verify.vote import vote

TIMED = 10
"""Default number of questions asked one by one for the clock."""

YES_SHARES = "hateful"
"""The benchmark that asks how sure a yes is."""


@dataclass(frozen=True, slots=True)
class Questions:
    """The questions of an evaluation, and their scorer."""

    selection: Selection
    tasks: Sequence[Task]
    scorer: Scorer
    mode: Mode = "always"
    """How VQA answers are normalised."""

    @property
    def key(self) -> tuple[str | None, str | None, int | None]:
        """Source, split and limit: the part of an evaluation's key that says which questions."""
        return self.selection.source, self.selection.split, self.selection.limit


def questions(project: Project, selection: Selection, mode: Mode = "always") -> Questions:
    """The questions of a selection.

    Args:
        project: has the questions.
        selection: which ones.
        mode: how VQA answers are normalised, see `verify.normalise`.

    Raises:
        InputError: there are none, they are of several benchmarks, which are not scored alike, or
            the mode is for other benchmarks.
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
            f"the questions are of {', '.join(sources)}, which are not scored alike; "
            "choose with --benchmark NAME"
        )
    return Questions(selection, tasks, scorer(sources[0], mode), mode)


def evaluate(
    project: Project,
    model: str | None = None,
    selection: Selection | None = None,
    explain: bool = False,
    timed: int = TIMED,
    watch: Watch | None = None,
    mode: Mode = "always",
) -> Evaluation:
    """The evaluation of a student on a set of questions; it is stored.

    Args:
        project: has the questions and stores the answers and the evaluation.
        model: as `answering.student_by_name` takes it; the profile's student when None.
        selection: of the questions; all when None.
        explain: ask for the rationale and read the answer in its ending; an answer that cannot be
            read is wrong.
        timed: number of questions asked one by one for the clock; measured once, and again when
            more are timed.
        watch: called as the work goes on.
        mode: how VQA answers are normalised, see `verify.normalise`.

    Raises:
        InputError: there is no such model, there are no questions, or they are not scored alike.
    """
    posed = questions(project, selection or Selection(), mode)
    who = answering.student_by_name(project, model)
    job = _job(project, who)
    ref = who.reference(explain)
    id_ = content_key("student", ref, *posed.key)
    before = _stored(project, id_)
    ids = [task.id for task in posed.tasks]
    answers = answering.ask(project, who, ids, explain, watch)
    texts = _texts(answers, explain)
    latency = before.latency if before is not None else {}
    if min(timed, len(answers)) > latency.get("n", 0):
        _tell(watch, "timing", timed)
        timing = answering.sample([task for task in posed.tasks if task.id in answers], timed)
        latency = answering.seconds_alone(timing, answering.student_answer(project, who, explain))
    # `loaded` counts after the clock, which may load the student.
    cost = before.cost if before is not None else {}
    if who.loaded or not cost:
        cost = {"tokens": answering.tokens(who, answers), "calls": 0.0}
    asks_shares = posed.scorer.source == YES_SHARES and not explain
    shares = answering.yes_shares(project, who, ids, watch) if asks_shares else {}
    scored = _scored(posed, texts, shares)
    evaluation = _row(
        posed,
        scored,
        id=id_,
        system=_name(who, job, explain),
        kind="student",
        mode="explain" if explain else "direct",
        part=project.add_part(ref),
        model=ref.version,
        **_origin(job),
        latency=latency,
        cost=cost,
        details={**scored.details, **_unreadable(texts, explain), **_cut(answers)},
    )
    evaluations.put(project.database, [evaluation], {id_: scored.per_task})
    return evaluation


def _job(project: Project, who: NamedStudent) -> JobRow | None:
    """The training job that made a student, brought up to date; None for any other model."""
    ingest(project, [who.job] if who.job is not None else [])
    if who.job is None:
        return None
    return next((row for row in project.lineage().jobs if row.id == who.job.name), None)


def _origin(job: JobRow | None) -> dict[str, str | None]:
    """Job and snapshot that a student comes from, as `Evaluation` names them."""
    if job is None:
        return {"job": None, "snapshot": None}
    return {"job": job.id, "snapshot": job.snapshot}


def _texts(answers: Mapping[str, AnswerOfStudent], explain: bool) -> dict[str, str | None]:
    """The answer of each question; None where there is none, or a rationale states none."""
    return {
        task: one.answer or (None if explain or one.problem else "")
        for task, one in answers.items()
    }


def _cut(answers: Mapping[str, AnswerOfStudent]) -> dict[str, JSON]:
    """How many answers or rationales are not whole."""
    texts = (one.answer or one.rationale for one in answers.values() if one.problem)
    return {"cut": sum(map(bool, texts))}


def _unreadable(texts: Mapping[str, str | None], explain: bool) -> dict[str, JSON]:
    """How many rationales state no answer; nothing for direct answers."""
    return {"unreadable": sum(text is None for text in texts.values())} if explain else {}


def _name(who: NamedStudent, row: JobRow | None, explain: bool) -> str:
    name = f"{row.objective} seed {row.seed}" if row is not None else who.name
    return f"{name} explained" if explain else name


def evaluate_pipeline(
    project: Project,
    k: int = 5,
    selection: Selection | None = None,
    timed: int = TIMED,
    watch: Watch | None = None,
    mode: Mode = "always",
) -> list[Evaluation]:
    """The evaluations of the pipeline on a set of questions; they are stored.

    There is one for the first program; for k > 1 also one for the vote of k and one for the best
    of k.  A vote needs no label.  The best of k does; it is not a system but a bound on what
    choosing could give.

    Args:
        project: has the questions, runs the programs and stores the evaluations.
        k: programs per question.
        selection: of the questions; all when None.
        timed: number of questions run one by one for the clock.
        watch: called as the work goes on.
        mode: how VQA answers are normalised, see `verify.normalise`.

    Raises:
        InputError: there are no questions, k is out of range, or the questions are not scored
            alike.
    """
    posed = questions(project, selection or Selection(), mode)
    own = posed.selection
    # As many tasks as there are: an evaluation imports nothing.
    loop.run(project, len(posed.tasks), k, "execute", watch, split=own.split, source=own.source)
    scope = replace(project.scope(), k=k)
    programs = evaluations.program_answers(
        project.database, scope, [task.id for task in posed.tasks]
    )
    modes = {"first": "pipeline k=1"}
    if k > 1:
        modes |= {"vote": f"pipeline k={k}", "any": f"pipeline pass@{k}"}
    rows: list[Evaluation] = []
    scores = {}
    for way, name in modes.items():
        size = 1 if way == "first" else k
        id_ = content_key(
            "pipeline", way, size, scope.sampler, scope.executor, scope.seed, *posed.key
        )
        if way == "any":
            latency, scored = rows[-1].latency, _best(posed, programs, k)
        else:
            latency = _pipeline_latency(project, posed, size, _stored(project, id_), timed, watch)
            scored = _scored(posed, _chosen(posed.tasks, programs, way), {})
        rows.append(
            _row(
                posed,
                scored,
                id=id_,
                system=name,
                kind="pipeline",
                mode=way,
                part=scope.sampler or "",
                model=None,
                job=None,
                snapshot=None,
                latency=latency,
                cost=_cost(programs, size),
                details={**scored.details, "normalise": posed.mode, "k": size},
            )
        )
        scores[id_] = scored.per_task
    evaluations.put(project.database, rows, scores)
    return rows


def submission(
    project: Project, posed: Questions, row: Evaluation, model: str | None
) -> dict[str, SystemAnswer]:
    """The answers of an evaluation by question, as a benchmark's own files take them.

    Args:
        project: has the answers.
        posed: the questions of the evaluation.
        row: the evaluation.
        model: the name under which its student was evaluated; not read for the pipeline.
    """
    texts = evaluations.evaluation_answers(project.database, row.id)
    shares: Mapping[str, float] = {}
    if posed.scorer.source == YES_SHARES and (row.kind, row.mode) == ("student", "direct"):
        who = answering.student_by_name(project, model)
        shares = answering.yes_shares(project, who, list(texts))
    return {task: SystemAnswer(text, shares.get(task)) for task, text in texts.items()}


def _pipeline_latency(
    project: Project,
    posed: Questions,
    size: int,
    before: Evaluation | None,
    timed: int,
    watch: Watch | None,
) -> Mapping[str, JSON]:
    """Seconds of one question with `size` programs, measured again where more are timed."""
    latency = before.latency if before is not None else {}
    if min(timed, len(posed.tasks)) <= latency.get("n", 0):
        return latency
    _tell(watch, f"timing k={size}", timed)
    with answering.pipeline_answer(project, size) as answer:
        return answering.seconds_alone(answering.sample(posed.tasks, timed), answer)


def _chosen(
    tasks: Sequence[Task], answers: Mapping[str, Sequence[ProgramAnswer]], mode: str
) -> dict[str, str | None]:
    """By task, the answer of the first program (`first`), or of the one that wins the vote."""
    texts: dict[str, str | None] = {}
    for task in tasks:
        runs = answers.get(task.id, ())
        if mode == "first":
            at = next((place for place, run in enumerate(runs) if run.index == 0), None)
        else:
            forms = [None if run.answer is None else canonical(run.answer, task) for run in runs]
            at = vote(forms, [run.score for run in runs])
        texts[task.id] = None if at is None else runs[at].answer
    return texts


def _cost(answers: Mapping[str, Sequence[ProgramAnswer]], k: int) -> dict[str, JSON]:
    """Mean tool calls, tokens and batched seconds of a question's first k programs."""
    if not answers:
        return {}
    whole = [runs[:k] for runs in answers.values()]
    named = {"calls": "tool_calls", "tokens": "tokens", "batched_seconds": "seconds"}
    return {
        name: sum(getattr(run, field) for runs in whole for run in runs) / len(whole)
        for name, field in named.items()
    }


@dataclass(frozen=True, slots=True)
class _Scored:
    """The figures of one system's answers."""

    metric: str
    value: float | None
    interval: Interval | None
    per_task: Mapping[str, tuple[str | None, float | None]]
    """Answer and score by task; the score is None where a question does not count."""
    details: Mapping[str, JSON]


def _scored(
    posed: Questions, texts: Mapping[str, str | None], shares: Mapping[str, float]
) -> _Scored:
    """The figures of answers by the scorer of the questions.

    Args:
        posed: the questions.
        texts: answer by task; None where there is none, which is wrong.
        shares: by task, the share of yes in the yes-or-no probability, where it is measured.
    """
    answers = {
        id_: SystemAnswer(text, shares.get(id_)) for id_, text in texts.items() if text is not None
    }
    scores = posed.scorer.score(posed.tasks, answers)
    more = scores.to_json()
    return _Scored(
        scores.name,
        scores.value,
        posed.scorer.interval(posed.tasks, answers),
        {id_: (texts.get(id_), scores.per_task.get(id_)) for id_ in {**scores.per_task, **texts}},
        {
            **{name: more[name] for name in ("metrics", "left_out", "unanswered")},
            "unanswered_rule": posed.scorer.unanswered,
            "normalise": posed.mode,
        },
    )


def _best(posed: Questions, programs: Mapping[str, Sequence[ProgramAnswer]], k: int) -> _Scored:
    """The figures of the best of k programs, with the curve of pass@k for fewer."""
    pictures, each = clusters(posed.tasks), _each_program(posed, programs, k)
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


def _row(posed: Questions, scored: _Scored, **identity: Any) -> Evaluation:
    families, pictures = {task.id: task.family for task in posed.tasks}, clusters(posed.tasks)
    groups: dict[str, dict[str, float]] = {}
    for id_, (_, score) in scored.per_task.items():
        if score is not None:
            groups.setdefault(families[id_], {})[id_] = score
    return Evaluation(
        benchmark=posed.selection.source or "",
        split=posed.selection.split or "",
        task_limit=posed.selection.limit,
        questions=sum(map(len, groups.values())),
        metric=scored.metric,
        value=scored.value,
        low=scored.interval.low if scored.interval else None,
        high=scored.interval.high if scored.interval else None,
        families={family: _share(scores, pictures) for family, scores in sorted(groups.items())},
        created_at=now(),
        **identity,
    )


def _each_program(
    posed: Questions, programs: Mapping[str, Sequence[ProgramAnswer]], k: int
) -> dict[str, list[float]]:
    """By question, the scores of its k programs; one that failed or did not run scores 0."""
    each: dict[str, list[float]] = {}
    for index in range(k):
        mine = {
            run.task_id: run.answer
            for runs in programs.values()
            for run in runs
            if run.index == index
        }
        answers = {id_: SystemAnswer(text) for id_, text in mine.items() if text is not None}
        for id_, score in posed.scorer.score(posed.tasks, answers).per_task.items():
            each.setdefault(id_, []).append(score)
    return each


def _share(scores: Mapping[str, float], pictures: Mapping[str, str]) -> dict[str, JSON]:
    interval = mean_interval(scores, pictures)
    if interval is None:
        return {"value": None, "of": 0, "low": None, "high": None}
    return {"value": interval.value, "of": interval.n, "low": interval.low, "high": interval.high}


def _stored(project: Project, id_: str) -> Evaluation | None:
    return next((row for row in project.evaluations() if row.id == id_), None)


def _tell(watch: Watch | None, stage: str, total: int) -> None:
    if watch is not None:
        watch(Progress(stage, 0, total, "questions"))
