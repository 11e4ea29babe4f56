"""How good each system was found to be, and what the pipeline's programs answered and cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import pyarrow as pa

from workbench.records import JSON
from workbench.store.kernel.database import IDS, Database, id_list
from workbench.store.records.pending import SELECTED
from workbench.store.records.scope import Scope, Selection

_JSON = ("families", "latency", "cost", "details")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One system on one set of questions."""

    id: str
    """Content key of the system and of the questions asked for."""
    system: str
    """What people call it: `pipeline k=5`, `base`, `vpd`, `vpd explained`; two may share a name,
    never an id.
    """
    kind: str
    """`student` or `pipeline`."""
    mode: str
    """Of a student: `direct` or `explain`.  Of the pipeline: `first` program, `vote` among k, or
    `any` of k is right, which knows the label.
    """
    part: str
    """Key of the student's part, or of the sampler's."""
    model: str | None
    """Digest of a student's weights."""
    job: str | None
    """Which trained it."""
    snapshot: str | None
    """On which it was trained."""
    benchmark: str
    """Source of the questions; empty for all of the project."""
    split: str
    """Empty for all."""
    task_limit: int | None
    questions: int
    """That count."""
    metric: str
    """Name of the main metric."""
    value: float | None
    """Of the main metric; None where it is not defined."""
    low: float | None
    """95 % interval."""
    high: float | None
    families: Mapping[str, JSON]
    """By family of question: value, of, low, high."""
    latency: Mapping[str, JSON]
    """Seconds of one question asked alone, warm: median, low and high quartile, n; empty where not
    measured.
    """
    cost: Mapping[str, JSON]
    """Per question: tool calls, tokens written."""
    details: Mapping[str, JSON]
    """Further metrics, what was left out and why; of the pipeline the curve of pass@k."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ProgramAnswer:
    """What one program of the pipeline came to."""

    task_id: str
    index: int
    answer: str | None
    """None where it failed."""
    score: float
    """The sampler's."""
    tokens: int
    tool_calls: int
    seconds: float
    """Sampling and running, in their batches."""


@dataclass(frozen=True, slots=True)
class StudentScore:
    """How many labelled questions a student answered rightly, all its answers taken together."""

    name: str
    version: str
    n: int
    """Labelled questions that it has answered."""
    hits: int
    """Those of them that it answered rightly."""
    seconds: float
    """Mean time of one answer."""


def evaluations(database: Database) -> list[Evaluation]:
    """All evaluations, the latest last."""
    found = database.rows("SELECT * FROM evaluation ORDER BY created_at, id")
    return [
        Evaluation(**{**row, **{name: json.loads(row[name]) for name in _JSON}}) for row in found
    ]


def scores(database: Database, evaluation: str) -> dict[str, float]:
    """The score of each question of an evaluation that counts, 0 to 1."""
    sql = "SELECT task_id, score FROM evaluated WHERE evaluation = $id AND score IS NOT NULL ORDER BY task_id"
    return {row["task_id"]: row["score"] for row in database.rows(sql, {"id": evaluation})}


def evaluation_answers(database: Database, evaluation: str) -> dict[str, str]:
    """What was answered to each question of an evaluation, where anything was."""
    sql = "SELECT task_id, answer FROM evaluated WHERE evaluation = $id AND answer IS NOT NULL ORDER BY task_id"
    return {row["task_id"]: row["answer"] for row in database.rows(sql, {"id": evaluation})}


def put(
    database: Database,
    rows: Sequence[Evaluation],
    scored: Mapping[str, Mapping[str, tuple[str | None, float | None]]],
) -> None:
    """Write evaluations; earlier ones of the same ids give way.  One transaction.

    Args: scored: by evaluation, the answer and the score of each question; no score where it does
        not count.
    """
    ids = id_list(row.id for row in rows)

    def make_room(cursor: Any) -> None:
        cursor.execute(f"DELETE FROM evaluation WHERE id IN {IDS}", {"ids": ids})
        cursor.execute(f"DELETE FROM evaluated WHERE evaluation IN {IDS}", {"ids": ids})

    kinds = {
        "int | None": pa.int64(),
        "int": pa.int64(),
        "float | None": pa.float64(),
        "datetime": pa.timestamp("us"),
    }
    schema = pa.schema(
        [(field.name, kinds.get(str(field.type), pa.string())) for field in fields(Evaluation)]
    )
    held = [{field.name: getattr(row, field.name) for field in fields(row)} for row in rows]
    plain = [{**row, **{name: json.dumps(row[name]) for name in _JSON}} for row in held]
    lines = [
        {"evaluation": id_, "task_id": task, "answer": answer, "score": score}
        for id_, found in scored.items()
        for task, (answer, score) in found.items()
    ]
    columns = [
        ("evaluation", pa.string()),
        ("task_id", pa.string()),
        ("answer", pa.string()),
        ("score", pa.float64()),
    ]
    tables = {
        "evaluation": pa.Table.from_pylist(plain, schema=schema),
        "evaluated": pa.Table.from_pylist(lines, schema=pa.schema(columns)),
    }
    database.insert({name: table for name, table in tables.items() if len(table)}, make_room)


def selected_ids(database: Database, selection: Selection) -> list[str]:
    """Ids of the tasks of a selection, in order of import."""
    return [
        row["id"]
        for row in database.rows(f"WITH {SELECTED} SELECT id FROM selected", selection.parameters())
    ]


def about(database: Database, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The picture and the family of each of these tasks."""
    found = database.rows(
        f"SELECT id, image, family FROM task WHERE id IN {IDS}", {"ids": id_list(ids)}
    )
    return {row["id"]: (row["image"], row["family"]) for row in found}


def student_answers(
    database: Database, model: str, ids: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """By task, the answer and the rationale of this student (key of its part)."""
    sql = f"SELECT task_id, answer, rationale FROM prediction WHERE model = $model AND task_id IN {IDS}"
    found = database.rows(sql, {"model": model, "ids": id_list(ids)})
    return {row["task_id"]: (row["answer"], row["rationale"]) for row in found}


def student_scores(database: Database, right: float) -> list[StudentScore]:
    """Every student that has answered labelled questions, the one with the most answers first; an
    answer counts as right from the score `right` on.
    """
    sql = """
    SELECT part.name AS name, part.version AS version, count(*) AS n,
        count(*) FILTER (score >= $right) AS hits, avg(seconds) AS seconds
    FROM prediction JOIN task ON task.id = prediction.task_id
        JOIN part ON part.key = prediction.model
    WHERE rationale = '' AND len(answers) > 0
    GROUP BY part.key, part.name, part.version ORDER BY n DESC, name
    """
    return [StudentScore(**row) for row in database.rows(sql, {"right": right})]


def program_answers(
    database: Database, scope: Scope, ids: Sequence[str]
) -> dict[str, list[ProgramAnswer]]:
    """By task, its programs that ran, in order of sampling."""
    sql = f"""
    SELECT program.task_id, index, CASE WHEN failure_kind IS NULL THEN answer END AS answer, score, tokens, tool_calls,
        program.seconds + trace.seconds AS seconds
    FROM program JOIN trace ON trace.program_id = program.id AND trace.executor = $executor
    WHERE sampler = $sampler AND base_seed = $seed AND index < $k AND parent IS NULL AND program.task_id IN {IDS}
    ORDER BY program.task_id, index
    """
    evaluation_answers = {
        name: scope.parameters()[name] for name in ("sampler", "executor", "seed", "k")
    }
    out: dict[str, list[ProgramAnswer]] = {}
    for row in database.rows(sql, {**evaluation_answers, "ids": id_list(ids)}):
        out.setdefault(row["task_id"], []).append(ProgramAnswer(**row))
    return out
