"""Reading the store: what came of each task, one page of tasks, everything about one task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workbench.errors import InputError
from workbench.records import PartRef, Prediction, Program, Rationale, Task, Trace, Verdict
from workbench.store import rows as shape
from workbench.store.database import IDS, Database, listed
from workbench.store.pending import JUDGED, SAMPLED, SELECTED, TRACED
from workbench.store.scope import Scope, Selection

STATUSES = ("kept", "agreed", "wrong", "failed", "waiting")
"""What came of a task: a right trace kept; a trace kept by agreement (no label); programs ran, none was right;
no program ran to its end; not judged yet."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows per stage within a scope and a selection."""

    tasks: int
    labelled: int
    bad_rows: int
    """Rows of the sources that could not be imported."""
    programs: int
    sampled: int
    """Tasks with all k programs."""
    traces: int
    executed: int
    """Traces that ended with an answer."""
    failures: Mapping[str, int]
    """Traces that did not, by kind."""
    judged: int
    """Tasks with verdicts."""
    kept: int
    """Labelled tasks with a right trace kept."""
    agreed: int
    """Unlabelled tasks with a trace kept by agreement."""
    rationales: int
    faithful: int
    """Rationales without an issue."""
    predictions: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one task."""

    seq: int
    task_id: str
    family: str
    labelled: bool
    status: str
    """One of `STATUSES`."""
    programs: int
    traces: int
    executed: int
    judged: int
    correct: int
    chosen: str | None
    """Id of the trace that was kept."""
    answer: str | None
    """The kept trace's answer."""
    faithful: bool | None
    """Whether its rationale is; None without one."""
    seconds: float | None
    """Sampling and running all its programs; None before."""
    student_answer: str | None
    student_score: float | None
    """None for an unlabelled task."""
    student_seconds: float | None


@dataclass(frozen=True, slots=True)
class TaskPage:
    """One page of a list of tasks."""

    rows: tuple[tuple[Task, Outcome], ...]
    next: int | None
    """Give it as `after` for the following page; None on the last."""
    total: int
    """Tasks that fit the filter, on all pages."""


@dataclass(frozen=True, slots=True)
class Run:
    """One program with what came of it."""

    program: Program
    trace: Trace | None
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class TaskView:
    """Everything about one task, within a scope."""

    task: Task
    runs: tuple[Run, ...]
    """By index; the scope's sampler, executor and verifier."""
    rationales: tuple[Rationale, ...]
    """Of these runs, by any writer; the newest first."""
    predictions: tuple[Prediction, ...]
    """By any student; the newest first."""
    scope: Scope

    @property
    def chosen(self) -> Run | None:
        """The run that was kept."""
        return next((run for run in self.runs if run.verdict is not None and run.verdict.chosen), None)

    @property
    def prediction(self) -> Prediction | None:
        """The scope's student's answer; the newest answer of any where it has none."""
        answers = [p for p in self.predictions if not p.rationale]
        current = [p for p in answers if shape.part_key(p.model) == self.scope.student]
        return next(iter(current or answers), None)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tasks a page shows."""

    text: str = ""
    family: str | None = None
    split: str | None = None
    status: str | None = None


_OUTCOMES = f"""
{SAMPLED}, {TRACED}, {JUDGED},
per_program AS (SELECT task_id, count(*) AS programs, sum(seconds) AS seconds FROM sampled GROUP BY task_id),
per_trace AS (
    SELECT task_id, count(*) AS traces, count(*) FILTER (failure_kind IS NULL) AS executed, sum(seconds) AS seconds
    FROM traced GROUP BY task_id
),
per_verdict AS (
    SELECT task_id, count(*) AS judged, count(*) FILTER (correct) AS correct, max(trace_id) FILTER (chosen) AS chosen
    FROM judged GROUP BY task_id
),
told AS (
    SELECT trace_id, bool_and(len(issues) = 0) AS faithful FROM rationale WHERE writer = $writer GROUP BY trace_id
),
answered AS (
    SELECT task_id, any_value(answer) AS answer, any_value(score) AS score, any_value(seconds) AS seconds
    FROM prediction WHERE model = $student AND rationale = '' GROUP BY task_id
),
outcome AS (
    SELECT selected.*, len(selected.answers) > 0 AS labelled,
        coalesce(per_program.programs, 0) AS programs, coalesce(per_trace.traces, 0) AS traces,
        coalesce(per_trace.executed, 0) AS executed, coalesce(per_verdict.judged, 0) AS judged,
        coalesce(per_verdict.correct, 0) AS correct, per_verdict.chosen, traced.answer AS answer, told.faithful,
        per_program.seconds + per_trace.seconds AS seconds, answered.answer AS student_answer,
        CASE WHEN len(selected.answers) > 0 THEN answered.score END AS student_score,
        answered.seconds AS student_seconds,
        CASE WHEN coalesce(per_verdict.judged, 0) < $k THEN 'waiting'
             WHEN per_verdict.chosen IS NULL AND per_trace.executed = 0 THEN 'failed'
             WHEN per_verdict.chosen IS NULL THEN 'wrong'
             WHEN len(selected.answers) > 0 THEN 'kept' ELSE 'agreed' END AS status
    FROM selected
    LEFT JOIN per_program ON per_program.task_id = selected.id
    LEFT JOIN per_trace ON per_trace.task_id = selected.id
    LEFT JOIN per_verdict ON per_verdict.task_id = selected.id
    LEFT JOIN traced ON traced.id = per_verdict.chosen
    LEFT JOIN told ON told.trace_id = per_verdict.chosen
    LEFT JOIN answered ON answered.task_id = selected.id
)"""  # noqa: S608

_OUTCOME_FIELDS = (
    "seq", "family", "labelled", "status", "programs", "traces", "executed", "judged", "correct", "chosen", "answer",
    "faithful", "seconds", "student_answer", "student_score", "student_seconds",
)  # fmt: skip


def _outcome(row: Mapping[str, Any]) -> Outcome:
    return Outcome(task_id=row["id"], **{name: row[name] for name in _OUTCOME_FIELDS})


def latest_scope(database: Database) -> Scope:
    """For each role the part of the latest run that named one; k and seed of the latest run."""
    names = ("sampler", "executor", "verifier", "writer", "student", "k", "seed")
    columns = ", ".join(f"arg_max({name}, id) AS {name}" for name in names)
    row = database.rows(f"SELECT {columns} FROM run")[0]  # noqa: S608
    return Scope(**{name: row[name] for name in names}) if row["k"] is not None else Scope()


def counts(database: Database, scope: Scope, selection: Selection) -> Counts:
    """Rows per stage."""
    sql = f"""
    WITH {SELECTED}, {_OUTCOMES}
    SELECT count(*) AS tasks, count(*) FILTER (labelled) AS labelled,
        (SELECT count(*) FROM bad_row) AS bad_rows, coalesce(sum(programs), 0)::BIGINT AS programs,
        count(*) FILTER (programs >= $k) AS sampled, coalesce(sum(traces), 0)::BIGINT AS traces,
        coalesce(sum(executed), 0)::BIGINT AS executed, count(*) FILTER (judged >= $k) AS judged,
        count(*) FILTER (status = 'kept') AS kept, count(*) FILTER (status = 'agreed') AS agreed,
        count(faithful) AS rationales, count(*) FILTER (faithful) AS faithful,
        count(student_answer) AS predictions
    FROM outcome
    """  # noqa: S608
    given = {**scope.parameters(), **selection.parameters()}
    row = database.rows(sql, given)[0]
    sql = f"""
    WITH {SELECTED}, {SAMPLED}, {TRACED}
    SELECT failure_kind AS kind, count(*) AS n FROM traced WHERE failure_kind IS NOT NULL
    GROUP BY kind ORDER BY n DESC, kind
    """  # noqa: S608
    failures = database.rows(sql, {name: value for name, value in given.items() if f"${name}" in sql})
    return Counts(**row, failures={row["kind"]: row["n"] for row in failures})


def seconds(database: Database, scope: Scope) -> dict[str, tuple[int, float]]:
    """Rows written and wall seconds by stage, of the parts in force."""
    current = [key for key in (scope.sampler, scope.executor, scope.verifier, scope.writer, scope.student) if key]
    sql = f"""
    SELECT stage, sum(rows)::BIGINT AS n, sum(seconds) AS seconds FROM timing
    WHERE part IS NULL OR part IN {IDS} GROUP BY stage
    """  # noqa: S608
    return {row["stage"]: (row["n"], row["seconds"]) for row in database.rows(sql, {"ids": listed(current)})}


def outcomes(database: Database, scope: Scope, selection: Selection) -> list[Outcome]:
    """What came of each task, in order of import."""
    sql = f"WITH {SELECTED}, {_OUTCOMES} SELECT * FROM outcome ORDER BY seq"  # noqa: S608
    return [_outcome(row) for row in database.rows(sql, {**scope.parameters(), **selection.parameters()})]


def tasks_page(database: Database, scope: Scope, after: int | None, limit: int, asked: Filter) -> TaskPage:
    """One page of tasks.  Raises InputError for an unknown status."""
    if asked.status is not None and asked.status not in STATUSES:
        raise InputError(f"no status is called '{asked.status}'; there are: {', '.join(STATUSES)}")
    given: dict[str, Any] = {
        **scope.parameters(), "text": asked.text.lower(), "family": asked.family, "split": asked.split,
    }  # fmt: skip
    fits = """
        ($text = '' OR contains(lower(question), $text) OR contains(lower(id), $text))
        AND ($family IS NULL OR family = $family) AND ($split IS NULL OR split = $split)"""
    # Without a filter on the outcome the page is cut before anything is joined.
    cut = "ORDER BY seq LIMIT $page" if asked.status is None else ""
    sql = f"""
    WITH selected AS (SELECT * FROM task WHERE {fits} AND seq > $after {cut}), {_OUTCOMES}
    SELECT * FROM outcome WHERE $status IS NULL OR status = $status ORDER BY seq LIMIT $page
    """  # noqa: S608
    page = {**given, "after": after if after is not None else -1, "page": limit + 1, "status": asked.status}
    found = database.rows(sql, page)
    if asked.status is None:
        sql = f"SELECT count(*) AS n FROM task WHERE {fits}"  # noqa: S608
        total = database.rows(sql, {name: given[name] for name in ("text", "family", "split")})
    else:
        sql = f"""
        WITH selected AS (SELECT * FROM task WHERE {fits}), {_OUTCOMES}
        SELECT count(*) AS n FROM outcome WHERE status = $status
        """  # noqa: S608
        total = database.rows(sql, {**given, "status": asked.status})
    shown = tuple((shape.to_task(row), _outcome(row)) for row in found[:limit])
    return TaskPage(shown, shown[-1][1].seq if len(found) > limit else None, total[0]["n"])


def tasks(database: Database, ids: Sequence[str]) -> list[Task]:
    sql = f"SELECT * FROM task WHERE id IN {IDS} ORDER BY seq"  # noqa: S608
    return [shape.to_task(row) for row in database.rows(sql, {"ids": listed(ids)})]


def _by_id(found: Sequence[Task]) -> dict[str, Task]:
    return {task.id: task for task in found}


def jobs(database: Database, parts: Mapping[str, PartRef], program_ids: Sequence[str]) -> list[tuple[Task, Program]]:
    sql = f"""
    SELECT program.* FROM program JOIN task ON task.id = program.task_id
    WHERE program.id IN {IDS} ORDER BY task.seq, program.index
    """  # noqa: S608
    programs = [shape.to_program(row, parts) for row in database.rows(sql, {"ids": listed(program_ids)})]
    known = _by_id(tasks(database, list({program.task_id for program in programs})))
    return [(known[program.task_id], program) for program in programs]


def runs(
    database: Database, parts: Mapping[str, PartRef], task_ids: Sequence[str], scope: Scope
) -> Iterator[tuple[Task, list[tuple[Program, Trace]]]]:
    """Each task with its traced programs, by index."""
    for task, found in _runs(database, parts, task_ids, scope):
        yield task, [(run.program, run.trace) for run in found if run.trace is not None]


def _runs(
    database: Database, parts: Mapping[str, PartRef], task_ids: Sequence[str], scope: Scope
) -> list[tuple[Task, list[Run]]]:
    given = {"ids": listed(task_ids), **{n: scope.parameters()[n] for n in ("sampler", "seed", "k")}}
    programs = database.rows(
        f"""
        SELECT * FROM program WHERE task_id IN {IDS} AND sampler = $sampler AND base_seed = $seed
        AND index < $k AND parent IS NULL ORDER BY task_id, index
        """,  # noqa: S608
        given,
    )
    program_ids = [row["id"] for row in programs]
    traces = database.rows(
        f"SELECT * FROM trace WHERE program_id IN {IDS} AND executor = $executor",  # noqa: S608
        {"ids": listed(program_ids), "executor": scope.executor},
    )
    verdicts = database.rows(
        f"SELECT * FROM verdict WHERE trace_id IN {IDS} AND verifier = $verifier AND runs = $k",  # noqa: S608
        {"ids": listed(row["id"] for row in traces), "verifier": scope.verifier, "k": scope.k},
    )
    trace_of = {row["program_id"]: shape.to_trace(row, parts) for row in traces}
    verdict_of = {row["program_id"]: shape.to_verdict(row, parts) for row in verdicts}
    grouped: dict[str, list[Run]] = {}
    for row in programs:
        run = Run(shape.to_program(row, parts), trace_of.get(row["id"]), verdict_of.get(row["id"]))
        grouped.setdefault(row["task_id"], []).append(run)
    return [(task, grouped.get(task.id, [])) for task in tasks(database, task_ids)]


def traced(
    database: Database, parts: Mapping[str, PartRef], trace_ids: Sequence[str]
) -> list[tuple[Task, Program, Trace]]:
    found = database.rows(f"SELECT * FROM trace WHERE id IN {IDS}", {"ids": listed(trace_ids)})  # noqa: S608
    by_program = {row["program_id"]: shape.to_trace(row, parts) for row in found}
    return [(task, program, by_program[program.id]) for task, program in jobs(database, parts, list(by_program))]


def task_view(database: Database, parts: Mapping[str, PartRef], task_id: str, scope: Scope) -> TaskView:
    """Everything about one task.  Raises InputError when there is none of this id."""
    found = _runs(database, parts, [task_id], scope)
    if not found:
        raise InputError(f"no task is called '{task_id}' in {database.path}; vpd show lists them")
    task, held = found[0]
    traces = [run.trace.id for run in held if run.trace is not None]
    rationales = database.rows(
        f"SELECT * FROM rationale WHERE trace_id IN {IDS} ORDER BY created_at DESC",  # noqa: S608
        {"ids": listed(traces)},
    )
    predictions = database.rows("SELECT * FROM prediction WHERE task_id = ? ORDER BY created_at DESC", [task_id])
    return TaskView(
        task,
        tuple(held),
        tuple(shape.to_rationale(row, parts) for row in rationales),
        tuple(shape.to_prediction(row, parts) for row in predictions),
        scope,
    )


def resolve(database: Database, some_id: str) -> tuple[Literal["task", "run"], str]:
    """What an id (or the unique beginning of a program's or trace's id) names: a task, or a run by program id.

    Raises InputError when nothing or more than one thing fits.
    """
    if database.rows("SELECT 1 FROM task WHERE id = ?", [some_id]):
        return "task", some_id
    fits = database.rows(
        """
        SELECT DISTINCT program_id AS id FROM trace WHERE starts_with(id, $id) OR starts_with(program_id, $id)
        UNION SELECT id FROM program WHERE starts_with(id, $id) LIMIT 3
        """,
        {"id": some_id},
    )
    if len(fits) == 1 and some_id:
        return "run", fits[0]["id"]
    why = "fits several programs; give more of it" if fits and some_id else "names no task, program or trace here"
    raise InputError(f"'{some_id}' {why}; vpd show lists the tasks")


def run_view(database: Database, parts: Mapping[str, PartRef], some_id: str, scope: Scope) -> tuple[Task, Run]:
    """The run of one program, whatever the scope: the scope's executor and verifier where they have one."""
    kind, program_id = resolve(database, some_id)
    if kind != "run":
        raise InputError(f"'{some_id}' is a task, not a program or trace; ask for the task")
    task, program = jobs(database, parts, [program_id])[0]
    newest = "ORDER BY {} IS NOT DISTINCT FROM ? DESC, created_at DESC LIMIT 1"
    sql = f"SELECT * FROM trace WHERE program_id = ? {newest.format('executor')}"  # noqa: S608
    found = database.rows(sql, [program_id, scope.executor])
    if not found:
        return task, Run(program, None, None)
    trace = shape.to_trace(found[0], parts)
    sql = f"SELECT * FROM verdict WHERE trace_id = ? {newest.format('verifier')}"  # noqa: S608
    verdicts = database.rows(sql, [trace.id, scope.verifier])
    return task, Run(program, trace, shape.to_verdict(verdicts[0], parts) if verdicts else None)
