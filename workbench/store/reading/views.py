"""Counts per stage, records by id, and everything about one task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workbench.errors import InputError
from workbench.evidence import EVIDENCE
from workbench.records import PartRef, Prediction, Program, Rationale, Task, Trace, Verdict
from workbench.store.kernel.database import IDS, Database, among, id_list
from workbench.store.reading.evidence import evidence
from workbench.store.reading.outcome import OUTCOMES
from workbench.store.records import rows as shape
from workbench.store.records.pending import COUNTED, SAMPLED, TRACED
from workbench.store.records.scope import Scope, Selection
from workbench.verify.answers import AnswerKind


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows each stage has, within a scope and a selection."""

    tasks: int
    labelled: int
    bad_rows: int
    """Rows of the sources that could not be imported, whatever the selection."""
    programs: int
    sampled: int
    """Tasks with all k programs."""
    traces: int
    executed: int
    """Traces that ended with an answer."""
    failures: Mapping[str, int]
    """Traces that failed, by kind of failure."""
    judged: int
    """Tasks with verdicts."""
    kept: int
    """Labelled tasks with a right trace kept."""
    agreed: int
    """Unlabelled tasks with a trace kept by agreement."""
    rationales: int
    faithful: int
    """Rationales without an issue."""
    bare: int
    """Rationales that say no more than the answer."""
    unchecked: int
    """Rationales with a claim that could not be held against the trace."""
    evidence: Mapping[str, int]
    """Kept traces by what their answer rests on, the strongest first."""
    predictions: int


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


def counts(database: Database, scope: Scope, selection: Selection) -> Counts:
    """How many rows each stage has.

    Args:
        database: the store.
        scope: the parts whose rows count.
        selection: the tasks whose rows count; visitors' questions only where their source or
            split is named.
    """
    kinds = ", ".join(f"count(*) FILTER (evidence = '{kind}') AS {kind}" for kind in EVIDENCE)
    sql = f"""
    WITH {COUNTED}, {OUTCOMES}
    SELECT count(*) AS tasks, count(*) FILTER (labelled) AS labelled,
        (SELECT count(*) FROM bad_row) AS bad_rows, coalesce(sum(programs), 0)::BIGINT AS programs,
        count(*) FILTER (programs >= $k) AS sampled, coalesce(sum(traces), 0)::BIGINT AS traces,
        coalesce(sum(executed), 0)::BIGINT AS executed, count(*) FILTER (judged >= $k) AS judged,
        count(*) FILTER (status = 'kept') AS kept, count(*) FILTER (status = 'agreed') AS agreed,
        count(faithful) AS rationales, count(*) FILTER (faithful) AS faithful,
        count(*) FILTER (bare) AS bare, count(*) FILTER (unchecked) AS unchecked,
        count(student_answer) AS predictions,
        list(chosen) FILTER (chosen IS NOT NULL AND evidence IS NULL) AS open,
        {kinds}
    FROM outcome
    """
    parameters = {**scope.parameters(), **selection.parameters()}
    row = database.rows(sql, parameters)[0]
    fresh = Counter(evidence(database, row.pop("open") or ()).values())
    sql = f"""
    WITH {COUNTED}, {SAMPLED}, {TRACED}
    SELECT failure_kind AS kind, count(*) AS n FROM traced WHERE failure_kind IS NOT NULL
    GROUP BY kind ORDER BY n DESC, kind
    """
    failures = database.rows(
        sql, {name: value for name, value in parameters.items() if f"${name}" in sql}
    )
    return Counts(
        **{name: value for name, value in row.items() if name not in EVIDENCE},
        evidence={kind: row[kind] + fresh[kind] for kind in EVIDENCE if row[kind] + fresh[kind]},
        failures={row["kind"]: row["n"] for row in failures},
    )


def seconds(database: Database, scope: Scope) -> dict[str, tuple[int, float]]:
    """Rows written and wall seconds of the scope's parts, by stage (import: of all sources)."""
    current = [
        key
        for key in (scope.sampler, scope.executor, scope.verifier, scope.writer, scope.student)
        if key
    ]
    sql = f"""
    SELECT stage, sum(rows)::BIGINT AS n, sum(seconds) AS seconds FROM timing
    WHERE part IS NULL OR part IN {IDS} GROUP BY stage
    """
    return {
        row["stage"]: (row["n"], row["seconds"])
        for row in database.rows(sql, {"ids": id_list(current)})
    }


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
    return [shape.to_program(row, parts) for row in _sampled(database, task_ids, scope)]


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
    programs = _sampled(database, task_ids, scope)
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


def _sampled(database: Database, task_ids: Sequence[str], scope: Scope) -> list[dict[str, Any]]:
    """The rows of the scope's sampled programs of some tasks, by task and index."""
    rows = [
        row
        for row in _of_tasks(database, "program", task_ids, sampler=scope.sampler)
        if row["base_seed"] == scope.seed and row["index"] < scope.k and row["parent"] is None
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
    sql = f"SELECT * FROM {table} WHERE task_id IN {IDS} AND {column} = $key"
    return database.rows(sql, {"ids": id_list(task_ids), "key": key})


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
    pairs = _runs(database, parts, [task_id], scope)
    if not pairs:
        raise InputError(f"no task is called '{task_id}' in {database.path}; vpd show lists them")
    task, task_runs = pairs[0]
    traces = {run.trace.id for run in task_runs if run.trace is not None}
    rationales = database.rows(
        "SELECT * FROM rationale WHERE task_id = ? ORDER BY created_at DESC", [task_id]
    )
    if not traces.issuperset(row["trace_id"] for row in rationales):
        traces |= _repaired(database, task_id)
    predictions = database.rows(
        "SELECT * FROM prediction WHERE task_id = ? ORDER BY created_at DESC", [task_id]
    )
    return TaskView(
        task,
        tuple(task_runs),
        tuple(shape.to_rationale(row, parts) for row in rationales if row["trace_id"] in traces),
        tuple(shape.to_prediction(row, parts) for row in predictions),
        scope,
    )


def _repaired(database: Database, task_id: str) -> set[str]:
    """Ids of the traces of a task's repaired programs."""
    programs = database.rows("SELECT id, parent FROM program WHERE task_id = ?", [task_id])
    repaired = {row["id"] for row in programs if row["parent"] is not None}
    traces = database.rows("SELECT id, program_id FROM trace WHERE task_id = ?", [task_id])
    return {row["id"] for row in traces if row["program_id"] in repaired}


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
