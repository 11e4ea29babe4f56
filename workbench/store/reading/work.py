"""Work on a project: what the loop has not done yet, and the runs that did something lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workbench.store.kernel.database import Database
from workbench.store.reading.summary import bring_up_to_date
from workbench.store.records.pending import VISITOR


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the loop has before it in a split."""

    waiting: int
    """Number of questions that lack programs, or whose programs were not judged."""
    limit: int
    """How many questions of the split, in the order of import, hold as many waiting ones as were
    wished for.  Where fewer wait, the rest is to be imported.
    """


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run of the loop that did something."""

    id: int
    at: datetime
    """When it began, UTC."""
    questions: int
    """Questions that it judged, by the number of their programs."""
    programs: int
    """Programs that it ran."""
    answers: int
    """Answers of the student."""
    ended: bool


def ahead(database: Database, split: str | None, questions: int, k: int) -> Ahead:
    """What the loop has before it.

    Args:
        database: the store.
        split: only questions of this split; None takes all.
        questions: how many waiting ones are wished for.
        k: programs of a question.
    """
    bring_up_to_date(database)
    (row,) = database.rows(
        f"""
        WITH placed AS (
            SELECT row_number() OVER (ORDER BY seq) AS place,
                (status = 'waiting' OR programs < $k) AND NOT {VISITOR} AS waits
            FROM outcome WHERE $split IS NULL OR split = $split
        ),
        counted AS (SELECT place, row_number() OVER (ORDER BY place) AS nth FROM placed WHERE waits)
        SELECT (SELECT count(*) FROM placed) AS tasks, count(*) AS waiting,
            max(place) FILTER (nth <= $questions) AS reach
        FROM counted
        """,
        {"split": split, "k": k, "questions": questions},
    )
    waiting, short = row["waiting"], max(0, questions - row["waiting"])
    return Ahead(waiting, row["tasks"] + short if short else row["reach"] or 0)


def past_runs(database: Database, limit: int) -> list[PastRun]:
    """The latest runs of the loop that wrote anything, the newest first."""
    rows = database.rows(
        """
        WITH written AS (
            SELECT run, coalesce(sum(rows) FILTER (stage = 'verify'), 0)::BIGINT AS verdicts,
                coalesce(sum(rows) FILTER (stage = 'execute'), 0)::BIGINT AS programs,
                coalesce(sum(rows) FILTER (stage = 'predict'), 0)::BIGINT AS answers
            FROM timing GROUP BY run HAVING sum(rows) > 0
        )
        SELECT id, created_at AS at, verdicts // k AS questions, programs, answers,
            ended_at IS NOT NULL AS ended
        FROM run JOIN written ON written.run = run.id ORDER BY id DESC LIMIT $limit
        """,
        {"limit": limit},
    )
    return [PastRun(**row) for row in rows]
