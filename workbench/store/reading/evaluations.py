"""How right each evaluated system is, and the answers and costs of the pipeline's programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import pyarrow as pa

from workbench.models.weights import is_distilled
from workbench.records import JSON
from workbench.several_pictures import by_question
from workbench.store.kernel.database import IDS, Database, id_list
from workbench.store.records.pending import COUNTED, PICTURES
from workbench.store.records.scope import Scope, Selection

_JSON = ("families", "latency", "cost", "details")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One system on one set of questions."""

    id: str
    """Content key of the system and of the questions asked for."""
    system: str
    """Its name for people, such as `pipeline k=5`, `base` or `vpd explained`; not unique."""
    kind: str
    """Either `student` or `pipeline`."""
    mode: str
    """How it answers: a student `direct` or `explain`; the pipeline by the `first` program, by
    `vote` among k, or by `any` right one of k, which takes the label to know.
    """
    part: str
    """Key of the student's part, or of the sampler's."""
    model: str | None
    """Digest of a student's weights; None for the pipeline."""
    job: str | None
    """Id of the training job that made the student."""
    snapshot: str | None
    """Hash of the snapshot that the student was trained on."""
    benchmark: str
    """Source of the questions; empty for all of the project."""
    split: str
    """Split of the questions; empty for all."""
    task_limit: int | None
    questions: int
    """Number of questions that count."""
    metric: str
    """Name of the main metric."""
    value: float | None
    """Value of the main metric; None where it is not defined."""
    low: float | None
    """Lower end of the 95 % interval."""
    high: float | None
    """Upper end of the 95 % interval."""
    families: Mapping[str, JSON]
    """Value, of, low and high of each family of questions, by its name."""
    latency: Mapping[str, JSON]
    """Seconds for one question alone on a warm system: median, quartiles and n; may be empty."""
    cost: Mapping[str, JSON]
    """Tool calls and tokens written, per question."""
    details: Mapping[str, JSON]
    """Further metrics, what was left out and why; for the pipeline the curve of pass@k."""
    created_at: datetime

    @property
    def is_distilled(self) -> bool:
        """Whether the student was distilled: by a job of this project, or before it shipped."""
        return self.job is not None or is_distilled(self.system.partition(" ")[0])


@dataclass(frozen=True, slots=True)
class ProgramAnswer:
    """The answer of one program of the pipeline, and its cost."""

    task_id: str
    index: int
    answer: str | None
    """None where the program failed."""
    score: float
    """The sampler's score of the program."""
    tokens: int
    tool_calls: int
    seconds: float
    """Seconds of sampling and running, as shares of their batches."""


@dataclass(frozen=True, slots=True)
class AnswerOfStudent:
    """What a student answered to one question."""

    answer: str
    rationale: str
    problem: str = ""
    """Why there is no answer, or why it is not whole."""


@dataclass(frozen=True, slots=True)
class StudentScore:
    """How many labelled questions a student answered rightly, all its answers taken together."""

    model: str
    """Key of the student."""
    n: int
    """Labelled questions that it has answered."""
    hits: int
    """Those of them that it answered rightly."""
    seconds: float
    """Mean time of one answer."""


def evaluations(database: Database) -> list[Evaluation]:
    """All evaluations, the latest last."""
    rows = database.rows("SELECT * FROM evaluation ORDER BY created_at, id")
    return [
        Evaluation(**{**row, **{name: json.loads(row[name]) for name in _JSON}}) for row in rows
    ]


def scores(database: Database, evaluation: str) -> dict[str, float]:
    """The score of each question of an evaluation that counts, 0 to 1."""
    sql = """
    SELECT task_id, score FROM evaluated
    WHERE evaluation = $id AND score IS NOT NULL ORDER BY task_id
    """
    return {row["task_id"]: row["score"] for row in database.rows(sql, {"id": evaluation})}


def evaluation_answers(database: Database, evaluation: str) -> dict[str, str]:
    """The answer to each question of an evaluation, by question; none where there was none."""
    sql = """
    SELECT task_id, answer FROM evaluated
    WHERE evaluation = $id AND answer IS NOT NULL ORDER BY task_id
    """
    return {row["task_id"]: row["answer"] for row in database.rows(sql, {"id": evaluation})}


def put(
    database: Database,
    rows: Sequence[Evaluation],
    scored: Mapping[str, Mapping[str, tuple[str | None, float | None]]],
) -> None:
    """Write evaluations in one transaction; earlier ones of the same ids give way.

    Args:
        database: the store.
        rows: the evaluations.
        scored: by evaluation, the answer and the score of each question; a question that does not
            count has no score.
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
    values = [{field.name: getattr(row, field.name) for field in fields(row)} for row in rows]
    plain = [{**row, **{name: json.dumps(row[name]) for name in _JSON}} for row in values]
    lines = [
        {"evaluation": id_, "task_id": task, "answer": answer, "score": score}
        for id_, pairs in scored.items()
        for task, (answer, score) in pairs.items()
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
        for row in database.rows(f"WITH {COUNTED} SELECT id FROM selected", selection.parameters())
    ]


def about(database: Database, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The picture and the family of each of these tasks.

    Of questions linked by pictures (`several_pictures`), one picture stands for all.
    """
    rows = database.rows(
        f"SELECT id, {PICTURES} AS images, family FROM task WHERE id IN {IDS}",
        {"ids": id_list(ids)},
    )
    picture_of = by_question({row["id"]: row["images"] for row in rows})
    return {row["id"]: (picture_of[row["id"]], row["family"]) for row in rows}


def student_answers(
    database: Database, model: str, ids: Sequence[str]
) -> dict[str, AnswerOfStudent]:
    """A student's answers and rationales, by question.

    Args:
        database: the store.
        model: key of the student's part.
        ids: of the questions; those without an answer are left out.
    """
    sql = f"""
    SELECT task_id, answer, rationale, coalesce(problem, '') AS problem
    FROM prediction WHERE model = $model AND task_id IN {IDS}
    """
    rows = database.rows(sql, {"model": model, "ids": id_list(ids)})
    return {row.pop("task_id"): AnswerOfStudent(**row) for row in rows}


def student_scores(database: Database, right: float) -> list[StudentScore]:
    """Every student that has answered labelled questions, the one with the most answers first; an
    answer counts as right from the score `right` on.
    """
    sql = """
    SELECT model, count(*) AS n, count(*) FILTER (score >= $right) AS hits,
        avg(prediction.seconds) FILTER (problem = '' OR answer <> '') AS seconds
    FROM prediction JOIN task ON task.id = prediction.task_id
        JOIN part ON part.key = prediction.model
    WHERE rationale = '' AND len(answers) > 0
    GROUP BY model, part.name, part.version ORDER BY n DESC, part.name, part.version, model
    """
    return [StudentScore(**row) for row in database.rows(sql, {"right": right})]


def program_answers(
    database: Database, scope: Scope, ids: Sequence[str]
) -> dict[str, list[ProgramAnswer]]:
    """Programs that were run, in order of sampling, by question.

    Args:
        database: the store.
        scope: the sampler, the executor, the seed and k.
        ids: of the questions; those without a program that ran are left out.
    """
    sql = f"""
    SELECT program.task_id, index, CASE WHEN failure_kind IS NULL THEN answer END AS answer, score,
        tokens, tool_calls, program.seconds + trace.seconds AS seconds
    FROM program JOIN trace ON trace.program_id = program.id AND trace.executor = $executor
    WHERE sampler = $sampler AND base_seed = $seed AND index < $k AND parent IS NULL
        AND program.task_id IN {IDS}
    ORDER BY program.task_id, index
    """
    parameters = {name: scope.parameters()[name] for name in ("sampler", "executor", "seed", "k")}
    out: dict[str, list[ProgramAnswer]] = {}
    for row in database.rows(sql, {**parameters, "ids": id_list(ids)}):
        out.setdefault(row["task_id"], []).append(ProgramAnswer(**row))
    return out
