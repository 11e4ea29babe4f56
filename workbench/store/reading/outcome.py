"""What came of each task within a scope: the one query that says it, and its record.

The query reads every program, trace and verdict of the tasks asked for.  `summary.py` keeps its
answer for all tasks in the table `outcome`; the figures of another scope or selection ask it anew.

Which answers mean the same is known to `verify.answers` alone: every answer is stored with its
canonical form, and the query counts forms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workbench.store.kernel.database import Database
from workbench.store.reading.evidence import evidence
from workbench.store.records.pending import COUNTED, JUDGED, SAMPLED, TRACED
from workbench.store.records.scope import Scope, Selection

STATUSES = ("kept", "agreed", "wrong", "failed", "waiting")
"""What came of a task.

`kept`: a right trace is kept.  `agreed`: there is no label, and a trace is kept by agreement.
`wrong`: programs ran, and none was right.  `failed`: no program ran to its end.  `waiting`: the
task is not judged yet.
"""

MATCHES = ("all", "some", "none", "unlabelled", "waiting")
"""How many of a task's runs fit its label."""

STUDENTS = ("right", "wrong", "unscored", "none")
"""How the student did.

`unscored`: it answered a task without a label.  `none`: it has not answered.  A score counts as
right from 0.5 on.
"""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One of a task's runs, as a list shows it."""

    index: int
    program: str
    trace: str | None
    result: str
    """One of `right`, `wrong`, `crashed`, `unjudged` (it has an answer and no verdict yet) and
    `waiting` (it has not run yet).
    """
    answer: str | None
    """The first 200 characters of its answer."""
    kind: str | None
    """Kind of its failure; None where it has not failed."""
    steps: int | None
    seconds: float | None
    """Seconds in which a processor or a model worked for it."""
    tools: tuple[str, ...]
    waiting: float | None
    """Seconds in which it waited for its turn."""


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
    said: str | None
    """The pipeline's answer: the kept trace's, else the one that wins the vote."""
    vote: int | None
    """Index of the program whose answer wins the vote (see `verify.vote`); None without answers."""
    faithful: bool | None
    """Whether the kept trace's rationale is faithful; None without a rationale."""
    seconds: float | None
    """Work of processors and models on sampling and running all its programs, waiting left out;
    None before they ran.
    """
    steps: int | None
    """Steps of the longest run."""
    tools: tuple[str, ...]
    """Tools that any run called, sorted."""
    kinds: tuple[str, ...]
    """Kinds of failure among its runs, sorted."""
    match: str
    """One of `MATCHES`."""
    siblings: float | None
    """Share of the answers that do not mean the most frequent one; None without an answer."""
    student: str
    """One of `STUDENTS`."""
    student_answer: str | None
    student_score: float | None
    """None for an unlabelled task."""
    student_seconds: float | None
    apart: float | None
    """Student against pipeline: the difference of their scores; without a label 0 where their
    answers mean the same, else 1.
    """
    updated_at: datetime
    """Time (UTC) of the newest record about it."""
    evidence: str | None
    """What the kept trace's answer rests on, one of `EVIDENCE`; None where none is kept."""
    bare: bool | None
    """Whether the kept trace's rationale says no more than the answer; None without one."""
    unchecked: bool | None
    """Whether that rationale has a claim that could not be held against the trace."""
    waiting: float | None
    """Seconds in which its runs waited for their turn; None before they ran."""
    runs: tuple[RunLine, ...]
    """Its runs, by index."""
    review: str = "pending"
    """State of its review, where a page of Browse asks for it."""
    reviewers: tuple[str, ...] = ()
    """Names of the people whose decisions on it stand, sorted."""


OUTCOMES = f"""
{SAMPLED}, {TRACED}, {JUDGED},
run AS (
    SELECT sampled.task_id, sampled.index, sampled.id AS program, score,
        sampled.seconds AS sampling, traced.id AS trace, left(traced.answer, 200) AS answer, form,
        evidence, failure_kind, steps, work AS running, tools,
        greatest(traced.seconds - work, 0) AS waiting,
        judged.trace_id AS judged, correct, chosen,
        greatest(sampled.created_at, traced.created_at, judged.created_at) AS updated_at,
        CASE WHEN traced.id IS NULL THEN 'waiting' WHEN failure_kind IS NOT NULL THEN 'crashed'
             WHEN correct IS NULL THEN 'unjudged' WHEN correct THEN 'right' ELSE 'wrong'
        END AS result
    FROM sampled LEFT JOIN traced ON traced.program_id = sampled.id
        LEFT JOIN judged ON judged.trace_id = traced.id
),
grouped AS (
    SELECT task_id, count(*) AS programs, count(trace) AS traces,
        count(trace) FILTER (failure_kind IS NULL) AS executed, count(judged) AS judged,
        count(*) FILTER (correct) AS correct, max(trace) FILTER (chosen) AS chosen,
        sum(sampling) + sum(running) AS seconds, sum(waiting) AS waited,
        max(steps) AS steps, max(updated_at) AS updated_at,
        replace(string_agg(tools, '' ORDER BY tools), '||', '|') AS tools,
        string_agg(DISTINCT failure_kind, '|' ORDER BY failure_kind) AS kinds,
        CAST(to_json(list([
            to_json(index), to_json(program), to_json(trace), to_json(result), to_json(answer),
            to_json(failure_kind), to_json(steps), to_json(running), to_json(tools),
            to_json(waiting)
        ] ORDER BY index)) AS VARCHAR) AS runs
    FROM run GROUP BY task_id
),
voiced AS (
    SELECT task_id, form, count(*) AS n, max(score) AS score,
        arg_max(index, (score, -index)) AS index, arg_max(answer, (score, -index)) AS answer
    FROM run WHERE answer IS NOT NULL AND failure_kind IS NULL GROUP BY task_id, form
),
spoken AS (  -- The rule of verify/vote.py.
    SELECT task_id, arg_max(index, (n, score, -index)) AS vote,
        arg_max(answer, (n, score, -index)) AS answer,
        arg_max(form, (n, score, -index)) AS form, round(1 - max(n) / sum(n), 6) AS siblings
    FROM voiced GROUP BY task_id
),
told AS (
    SELECT trace_id, bool_and(len(issues) = 0) AS faithful,
        arg_max(bare, created_at) AS bare,
        coalesce(arg_max(len(unchecked), created_at), 0) > 0 AS unchecked
    FROM rationale WHERE writer = $writer GROUP BY trace_id
),
answered AS (
    SELECT task_id, any_value(answer) AS answer, any_value(form) AS form, any_value(score) AS score,
        any_value(seconds) AS seconds, max(created_at) AS updated_at
    FROM prediction WHERE model = $student AND rationale = '' GROUP BY task_id
),
joined AS (
    SELECT selected.*, len(selected.answers) > 0 AS labelled,
        coalesce(grouped.judged, 0) < $k AS unjudged,
        grouped.* EXCLUDE (task_id, updated_at), kept.answer AS answer, told.faithful,
        told.bare, told.unchecked, kept.evidence,
        coalesce(kept.answer, spoken.answer) AS said,
        coalesce(kept.form, spoken.form) AS said_form, spoken.siblings,
        spoken.vote, answered.answer AS student_answer, answered.form AS student_form,
        answered.seconds AS student_seconds,
        CASE WHEN len(selected.answers) > 0 THEN answered.score END AS student_score,
        greatest(selected.created_at, grouped.updated_at, answered.updated_at) AS updated_at
    FROM selected
    LEFT JOIN grouped ON grouped.task_id = selected.id
    LEFT JOIN spoken ON spoken.task_id = selected.id
    LEFT JOIN run AS kept ON kept.trace = grouped.chosen
    LEFT JOIN told ON told.trace_id = grouped.chosen
    LEFT JOIN answered ON answered.task_id = selected.id
),
outcome AS (
    SELECT seq, id, source, split, family, answer_type,
        chr(10) || lower(array_to_string(answers, chr(10))) || chr(10) AS gold, labelled,
        CASE WHEN unjudged THEN 'waiting' WHEN chosen IS NULL AND executed = 0 THEN 'failed'
             WHEN chosen IS NULL THEN 'wrong' WHEN labelled THEN 'kept' ELSE 'agreed' END AS status,
        coalesce(programs, 0) AS programs, coalesce(traces, 0) AS traces,
        coalesce(executed, 0) AS executed, coalesce(judged, 0) AS judged,
        coalesce(correct, 0) AS correct, chosen, answer, said, faithful, seconds, steps,
        CASE WHEN coalesce(tools, '') = '' THEN ''
             ELSE '|' || array_to_string(
                 list_sort(list_distinct(string_split(trim(tools, '|'), '|'))), '|') || '|'
        END AS tools, coalesce('|' || kinds || '|', '') AS kinds,
        CASE WHEN unjudged THEN 'waiting' WHEN NOT labelled THEN 'unlabelled'
            WHEN correct = 0 THEN 'none'
             WHEN correct = judged THEN 'all' ELSE 'some' END AS match,
        siblings,
        CASE WHEN student_answer IS NULL THEN 'none' WHEN NOT labelled THEN 'unscored'
             WHEN student_score >= 0.5 THEN 'right' ELSE 'wrong' END AS student,
        student_answer, student_score, student_seconds,
        CASE WHEN unjudged THEN NULL
             WHEN labelled THEN abs(student_score - (chosen IS NOT NULL)::INTEGER)
             ELSE (student_form <> said_form)::INTEGER END AS apart,
        updated_at, coalesce(runs, '[]') AS runs, vote, said_form, evidence, bare,
        unchecked, waited AS waiting
    FROM joined
)"""
"""CTEs ending in `outcome`, with the columns of the table of that name; `selected` stands before
them.
"""

FIELDS = (
    "seq", "family", "labelled", "status", "programs", "traces", "executed", "judged", "correct",
    "chosen", "answer", "said", "faithful", "seconds", "steps", "match", "siblings", "student",
    "student_answer", "student_score", "student_seconds", "apart", "updated_at", "vote",
    "evidence", "bare", "unchecked", "waiting",
)  # fmt: skip


def split_names(joined: str | None) -> tuple[str, ...]:
    """Names from '|exists|find|'."""
    return tuple(name for name in (joined or "").split("|") if name)


def _run_line(*fields: Any) -> RunLine:
    named = dict(zip(RunLine.__slots__, fields, strict=True))
    return RunLine(**{**named, "tools": split_names(named["tools"])})


def to_outcome(row: Mapping[str, Any]) -> Outcome:
    """The record of one row of the table `outcome`."""
    return Outcome(
        task_id=row["id"],
        tools=split_names(row["tools"]),
        kinds=split_names(row["kinds"]),
        runs=tuple(_run_line(*fields) for fields in json.loads(row["runs"])),
        **{name: row[name] for name in FIELDS},
    )


def outcomes(database: Database, scope: Scope, selection: Selection) -> list[Outcome]:
    """What came of each task, in order of import.

    Args:
        database: the store.
        scope: the parts whose records count.
        selection: the tasks; visitors' questions only where their source or split is named.
    """
    sql = f"WITH {COUNTED}, {OUTCOMES} SELECT * FROM outcome ORDER BY seq"
    rows = database.rows(sql, {**scope.parameters(), **selection.parameters()})
    lacking = [row for row in rows if row["chosen"] is not None and row["evidence"] is None]
    fresh = evidence(database, [row["chosen"] for row in lacking])
    for row in lacking:
        row["evidence"] = fresh.get(row["chosen"], "")
    return [to_outcome(row) for row in rows]
