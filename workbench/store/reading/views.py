"""Records by id, and everything about some tasks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workbench.errors import InputError
from workbench.records import (
    PartRef,
    Prediction,
    Program,
    Rationale,
    Task,
    Trace,
    Verdict,
    storable,
)
from workbench.store.kernel import literal
from workbench.store.kernel.database import IDS, Database, among, id_list, listed
from workbench.store.records import rows as shape
from workbench.store.records.scope import Scope
from workbench.verify.answers import AnswerKind


@dataclass(frozen=True, slots=True)
class Run:
    """One program with its trace and its verdict, as far as it has them."""

    program: Program
    trace: Trace | None
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class TaskView:
    """Everything about one task, within a scope."""

    task: Task
    runs: tuple[Run, ...]
    """Runs of the scope's sampler, executor and verifier, by index."""
    rationales: tuple[Rationale, ...]
    """Rationales of these runs and of repaired programs, by any writer, the newest first."""
    predictions: tuple[Prediction, ...]
    """Answers of any student, the newest first."""
    scope: Scope
    edits: tuple[str, ...] = ()
    """Ids of its repaired programs that were run, the oldest first."""

    @property
    def chosen(self) -> Run | None:
        """The run that was kept."""
        return next(
            (run for run in self.runs if run.verdict is not None and run.verdict.chosen), None
        )

    @property
    def prediction(self) -> Prediction | None:
        """The scope's student's answer; the newest answer of any where it has none."""
        answers = [p for p in self.predictions if not p.rationale]
        current = [p for p in answers if shape.part_key(p.model) == self.scope.student]
        return next(iter(current or answers), None)


def tasks(database: Database, ids: Sequence[str]) -> list[Task]:
    """Tasks by id, in order of import; unknown ids are left out."""
    rows = database.rows(f"SELECT * FROM task WHERE id IN {among(ids)}")
    return [shape.to_task(row) for row in sorted(rows, key=lambda row: int(row["seq"]))]


def answer_kinds(database: Database, ids: Collection[str]) -> dict[str, AnswerKind]:
    """How the answers of tasks are written, by task id; unknown ids are left out."""
    sql = f"SELECT id, answer_type, choices FROM task WHERE id IN {among(list(ids))}"
    return {
        row["id"]: AnswerKind(row["answer_type"], tuple(row["choices"]))
        for row in database.rows(sql)
    }


def jobs(
    database: Database, parts: Mapping[str, PartRef], program_ids: Sequence[str]
) -> list[tuple[Task, Program]]:
    """Programs with their tasks, in order of import and index.

    Args:
        database: the store.
        parts: every part that made a record, by key.
        program_ids: unknown ids are left out.
    """
    sql = f"""
    SELECT * FROM program WHERE id IN {among(program_ids)} ORDER BY index
    """
    of_task: dict[str, list[Program]] = {}
    for row in database.rows(sql):
        of_task.setdefault(row["task_id"], []).append(shape.to_program(row, parts))
    return [
        (task, program) for task in tasks(database, list(of_task)) for program in of_task[task.id]
    ]


def programs(
    database: Database, parts: Mapping[str, PartRef], task_ids: Sequence[str], scope: Scope
) -> list[Program]:
    """The sampled programs of some tasks, run or not, by task and index.

    Args:
        database: the store.
        parts: every part that made a record, by key.
        task_ids: unknown ids are left out.
        scope: gives the sampler, the seed and k.
    """
    rows = _sampled(_programs(database, task_ids, scope), scope)
    return [shape.to_program(row, parts) for row in rows]


def runs(
    database: Database, parts: Mapping[str, PartRef], task_ids: Sequence[str], scope: Scope
) -> Iterator[tuple[Task, list[tuple[Program, Trace]]]]:
    """Each task with its programs that were run, and their traces, by index.

    Args:
        database: the store.
        parts: every part that made a record, by key.
        task_ids: unknown ids are left out.
        scope: gives the sampler, the executor, the seed and k.
    """
    for task, task_runs in _runs(database, parts, task_ids, scope):
        yield task, [(run.program, run.trace) for run in task_runs if run.trace is not None]


def _runs(
    database: Database, parts: Mapping[str, PartRef], task_ids: Sequence[str], scope: Scope
) -> list[tuple[Task, list[Run]]]:
    return _grouped(database, parts, task_ids, scope, _programs(database, task_ids, scope))


def _grouped(
    database: Database,
    parts: Mapping[str, PartRef],
    task_ids: Sequence[str],
    scope: Scope,
    stored: Sequence[Mapping[str, Any]],
) -> list[tuple[Task, list[Run]]]:
    """Tasks with the runs of their sampled programs, in order of import.

    Args:
        database: the store.
        parts: every part that made a record, by key.
        task_ids: unknown ids are left out.
        scope: the parts whose runs are given.
        stored: rows of the tasks' programs.
    """
    programs = _sampled(stored, scope)
    traces = _of_tasks(database, "trace", task_ids, executor=scope.executor)
    verdicts = [
        row
        for row in _of_tasks(database, "verdict", task_ids, verifier=scope.verifier)
        if row["runs"] == scope.k
    ]
    of_tasks = tasks(database, task_ids)
    choices = {task.id: task.choices for task in of_tasks}
    sampled = {row["id"]: row["source"] for row in programs}
    trace_of = {
        row["program_id"]: shape.to_trace(
            row, parts, sampled[row["program_id"]], choices.get(row["task_id"], ())
        )
        for row in traces
        if row["program_id"] in sampled
    }
    trace_ids = {trace.id for trace in trace_of.values()}
    verdict_of = {
        row["program_id"]: shape.to_verdict(row, parts)
        for row in verdicts
        if row["trace_id"] in trace_ids
    }
    grouped: dict[str, list[Run]] = {}
    for row in programs:
        one = Run(shape.to_program(row, parts), trace_of.get(row["id"]), verdict_of.get(row["id"]))
        grouped.setdefault(row["task_id"], []).append(one)
    return [(task, grouped.get(task.id, [])) for task in of_tasks]


def _programs(database: Database, task_ids: Sequence[str], scope: Scope) -> list[dict[str, Any]]:
    """The rows of the programs of some tasks: of the scope's sampler, and repaired ones of any."""
    sql = f"""
    SELECT * FROM program WHERE {_about(task_ids)} AND (sampler = $key OR parent IS NOT NULL)
    """
    return database.rows(sql, {"key": scope.sampler})


def _sampled(programs: Sequence[Mapping[str, Any]], scope: Scope) -> list[Mapping[str, Any]]:
    """The rows of the scope's sampled programs, by task and index."""
    rows = [
        row
        for row in programs
        if row["sampler"] == scope.sampler
        and row["base_seed"] == scope.seed
        and row["index"] < scope.k
        and row["parent"] is None
    ]
    return sorted(rows, key=lambda row: (row["task_id"], row["index"]))


def _of_tasks(
    database: Database, table: str, task_ids: Sequence[str], **maker: str | None
) -> list[dict[str, Any]]:
    """The rows of a table about some tasks, of one maker.

    Args:
        database: the store.
        table: has the column `task_id`.
        task_ids: the tasks.
        maker: column and key of the part that made the rows; None made none.
    """
    ((column, key),) = maker.items()
    sql = f"SELECT * FROM {table} WHERE {_about(task_ids)} AND {column} = $key"
    return database.rows(sql, {"key": key})


def _about(task_ids: Sequence[str]) -> str:
    """The condition that a row is about one of these tasks.

    A single one is compared, since DuckDB then passes over what cannot hold it.
    """
    if len(task_ids) == 1:
        return f"task_id = {literal.text(storable(task_ids[0]))}"
    return f"task_id IN {listed(task_ids)}"


def traced(
    database: Database, parts: Mapping[str, PartRef], trace_ids: Sequence[str]
) -> list[tuple[Task, Program, Trace]]:
    """Traces with their programs and tasks, in order of import and index.

    Args:
        database: the store.
        parts: every part that made a record, by key.
        trace_ids: unknown ids are left out.
    """
    rows = database.rows(f"SELECT * FROM trace WHERE id IN {among(trace_ids)}")
    by_program = {row["program_id"]: row for row in rows}
    return [
        (
            task,
            program,
            shape.to_trace(by_program[program.id], parts, program.source, task.choices),
        )
        for task, program in jobs(database, parts, list(by_program))
    ]


def rationale_issues(
    database: Database, writer: str | None, trace_ids: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """What the checks hold against the rationales of these traces, by trace.

    Args:
        database: the store.
        writer: key of the writer whose rationales are meant; None has none.
        trace_ids: the traces; those without a rationale are left out.
    """
    sql = f"SELECT trace_id, issues FROM rationale WHERE writer = $writer AND trace_id IN {IDS}"
    rows = database.rows(sql, {"ids": id_list(trace_ids), "writer": writer})
    return {row["trace_id"]: tuple(row["issues"]) for row in rows}


def rationale_text(database: Database, rationale_id: str) -> str | None:
    """The text of a rationale; None where there is no rationale of this id."""
    rows = database.rows("SELECT text FROM rationale WHERE id = ?", [rationale_id])
    return str(rows[0]["text"]) if rows else None


def task_view(
    database: Database, parts: Mapping[str, PartRef], task_id: str, scope: Scope
) -> TaskView:
    """Everything about one task.

    Args:
        database: the store.
        parts: every part that made a record, by key.
        task_id: of the task.
        scope: the parts whose runs are given.

    Raises:
        InputError: there is no task of this id.
    """
    by_id = task_views(database, parts, [task_id], scope)
    if not by_id:
        raise InputError(no_task(task_id, database))
    return by_id[task_id]


def no_task(task_id: str, database: Database) -> str:
    """The message for an id that no task has."""
    return f"no task is called '{task_id}' in {database.path}; vpd show lists them"


def task_views(
    database: Database, parts: Mapping[str, PartRef], task_ids: Sequence[str], scope: Scope
) -> dict[str, TaskView]:
    """Everything about some tasks, by id; unknown ids are left out.

    Many cost little more than one: each table is passed over once.

    Args:
        database: the store.
        parts: every part that made a record, by key.
        task_ids: ids of the tasks.
        scope: the parts whose runs are given.
    """
    programs = _programs(database, task_ids, scope)
    pairs = _grouped(database, parts, task_ids, scope, programs)
    newest = f"WHERE {_about(task_ids)} ORDER BY created_at DESC"
    rationales = _by_task(database.rows(f"SELECT * FROM rationale {newest}"))
    predictions = _by_task(database.rows(f"SELECT * FROM prediction {newest}"))
    again = [row for row in programs if row["parent"] is not None]
    repaired = _repaired(database, again)
    ran = set(repaired.values())
    by_id = {}
    for task, task_runs in pairs:
        traces = {run.trace.id for run in task_runs if run.trace is not None} | repaired.keys()
        by_id[task.id] = TaskView(
            task,
            tuple(task_runs),
            tuple(
                shape.to_rationale(row, parts)
                for row in rationales.get(task.id, ())
                if row["trace_id"] in traces
            ),
            tuple(shape.to_prediction(row, parts) for row in predictions.get(task.id, ())),
            scope,
            tuple(
                row["id"]
                for row in sorted(again, key=lambda row: (row["created_at"], row["id"]))
                if row["task_id"] == task.id and row["id"] in ran
            ),
        )
    return by_id


def _by_task(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    by_task: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_task.setdefault(row["task_id"], []).append(row)
    return by_task


def _repaired(database: Database, programs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The programs of the traces of repaired programs, by trace; asked only where there are any."""
    if not programs:
        return {}
    ids = {row["id"] for row in programs}
    about = _about(sorted({row["task_id"] for row in programs}))
    traces = database.rows(f"SELECT id, program_id FROM trace WHERE {about}")
    return {row["id"]: row["program_id"] for row in traces if row["program_id"] in ids}


def resolve(database: Database, some_id: str) -> tuple[Literal["task", "run"], str]:
    """What an id names: `task` and its id, or `run` and the id of its program.

    The unique beginning of a program's or trace's id will do; an id that is whole wins over longer
    ones that begin with it.  Raises InputError when nothing or
    more than one thing fits.
    """
    if database.rows("SELECT 1 FROM task WHERE id = ?", [some_id]):
        return "task", some_id
    whole = """
    SELECT DISTINCT program_id AS id FROM trace WHERE id = $id
    UNION SELECT id FROM program WHERE id = $id LIMIT 3
    """
    begun = """
    SELECT DISTINCT program_id AS id FROM trace WHERE starts_with(id, $id)
        OR starts_with(program_id, $id)
    UNION SELECT id FROM program WHERE starts_with(id, $id) LIMIT 3
    """
    fits = database.rows(whole, {"id": some_id}) or database.rows(begun, {"id": some_id})
    if len(fits) == 1 and some_id:
        return "run", fits[0]["id"]
    why = (
        "fits several programs; give more of it"
        if fits and some_id
        else "names no task, program or trace here"
    )
    raise InputError(f"'{some_id}' {why}; vpd show lists the tasks")


def run_view(
    database: Database, parts: Mapping[str, PartRef], some_id: str, scope: Scope
) -> tuple[Task, Run]:
    """The run of one program, whatever sampled it.

    Args:
        database: the store.
        parts: every part that made a record, by key.
        some_id: id of the program or its trace, or the unique beginning of one.
        scope: its executor's trace and its verifier's verdict come before others.

    Raises:
        InputError: the id names no program or trace.
    """
    kind, program_id = resolve(database, some_id)
    if kind != "run":
        raise InputError(f"'{some_id}' is a task, not a program or trace; ask for the task")
    task, program = jobs(database, parts, [program_id])[0]
    traces = database.rows("SELECT * FROM trace WHERE task_id = ?", [task.id])
    traces = [row for row in traces if row["program_id"] == program_id]
    if not traces:
        return task, Run(program, None, None)
    row = _newest(traces, "executor", scope.executor)
    trace = shape.to_trace(row, parts, program.source, task.choices)
    verdicts = database.rows("SELECT * FROM verdict WHERE task_id = ?", [task.id])
    verdicts = [row for row in verdicts if row["trace_id"] == trace.id]
    if not verdicts:
        return task, Run(program, trace, None)
    row = _newest(verdicts, "verifier", scope.verifier)
    return task, Run(program, trace, shape.to_verdict(row, parts))


def _newest(rows: Sequence[dict[str, Any]], column: str, maker: str | None) -> dict[str, Any]:
    """The newest of some rows, one of this maker before others."""
    return max(rows, key=lambda row: (row[column] == maker, row["created_at"]))
