"""Pairs of answers to rate, and the ratings that count."""

from __future__ import annotations

from typing import Any

from workbench.curate.rating import PIPELINE, Side, TwoAnswers, sides
from workbench.errors import InputError
from workbench.records import Decision
from workbench.store.kernel.database import Database
from workbench.store.people.decisions import to_decision
from workbench.store.reading.summary import bring_up_to_date

# One answer of each system to each task: a model's newest one with a rationale, and the rationale
# of the task's kept trace.
_WORDS = f"""
said AS (
    SELECT task_id, model,
        arg_max({{'answer': answer, 'rationale': rationale}}, created_at) AS words
    FROM prediction WHERE rationale <> '' AND model IN ($first, $second) GROUP BY task_id, model
    UNION ALL
    SELECT outcome.id, '{PIPELINE}',
        arg_max({{'answer': rationale.answer, 'rationale': text}}, rationale.created_at)
    FROM outcome JOIN rationale ON rationale.trace_id = outcome.chosen
    WHERE '{PIPELINE}' IN ($first, $second) GROUP BY outcome.id
)"""


_KNOWLEDGE = "SELECT id FROM outcome WHERE contains(tools, '|llm_query|')"
"""Questions of which a program asked a language model: they take knowledge, not sight alone."""


# A sample of the questions that both systems have a rationale for, the same for every rater.
_POOL = f"""
WITH {_WORDS},
pool AS (
    SELECT a.task_id, a.words AS first, b.words AS second, a.task_id IN (
        SELECT task_id FROM active_decision WHERE kind = 'rating' AND author = $reviewer
        AND list_sort([rating->>'left', rating->>'right']) = list_sort([$first, $second])
    ) AS rated, md5(concat($seed::VARCHAR, '/', a.task_id)) AS place
    FROM said AS a JOIN said AS b ON b.task_id = a.task_id AND a.model = $first
        AND b.model = $second
    WHERE $kind = '' OR ($kind = 'knowledge') = (a.task_id IN ({_KNOWLEDGE}))
    ORDER BY place LIMIT $sample
)"""


def pairs(
    database: Database,
    reviewer: str,
    first: str,
    second: str,
    count: int,
    sample: int | None = None,
    seed: int = 0,
    kind: str = "",
) -> list[TwoAnswers]:
    """Pairs of the sample that a reviewer has not rated, in the same order for all reviewers.

    Args:
        database: the store.
        reviewer: who is to rate.
        first: key of a student's part, or `pipeline`.
        second: another one.
        count: how many pairs at most.
        sample: how many questions are rated of those that both explain; None takes all.
        seed: of the sample and the order.
        kind: `knowledge` or `sight` for questions that take it alone; empty for all.

    Raises:
        InputError: the two are one, or have no question in common.
    """
    if first == second:
        raise InputError("a rating compares two models; choose another one beside the first")
    rows = database.rows(
        f"""
        {_POOL}
        SELECT task_id, first.answer AS first_answer, first.rationale AS first_rationale,
            second.answer AS second_answer, second.rationale AS second_rationale
        FROM pool WHERE NOT rated ORDER BY place LIMIT $count
        """,
        {**_parameters(reviewer, first, second, sample, seed, kind), "count": count},
    )
    if not rows and not progress(database, reviewer, first, second, sample, seed, kind)[1]:
        raise InputError(
            f"'{first}' and '{second}' have no question that both explain; "
            "let both explain the same questions first"
        )
    unrated = []
    for row in rows:
        answers = {
            first: Side(first, row["first_answer"], row["first_rationale"]),
            second: Side(second, row["second_answer"], row["second_rationale"]),
        }
        left, right = sides(row["task_id"], first, second, reviewer)
        unrated.append(TwoAnswers(row["task_id"], answers[left], answers[right]))
    return unrated


def progress(
    database: Database,
    reviewer: str,
    first: str,
    second: str,
    sample: int | None = None,
    seed: int = 0,
    kind: str = "",
) -> tuple[int, int]:
    """How many questions of the sample a reviewer has rated, and how many the sample has.

    Args:
        database: the store.
        reviewer: who rates.
        first: key of a student's part, or `pipeline`.
        second: another one.
        sample: how many questions are rated of those that both explain; None takes all.
        seed: of the sample.
        kind: `knowledge` or `sight` for questions that take it alone; empty for all.
    """
    (counts,) = database.rows(
        f"{_POOL} SELECT count(*) FILTER (rated) AS rated, count(*) AS n FROM pool",
        _parameters(reviewer, first, second, sample, seed, kind),
    )
    return counts["rated"], counts["n"]


def questions_of_knowledge(database: Database) -> set[str]:
    """Ids of the questions of which a program asked a language model."""
    bring_up_to_date(database)
    return {row["id"] for row in database.rows(_KNOWLEDGE)}


def _parameters(
    reviewer: str, first: str, second: str, sample: int | None, seed: int, kind: str
) -> dict[str, Any]:
    return {
        "reviewer": reviewer,
        "first": first,
        "second": second,
        "seed": seed,
        "kind": kind,
        "sample": 2**62 if sample is None else sample,
    }


def last_ratings(database: Database) -> list[Decision]:
    """Every rater's last rating of each task and pair of systems, in order of time."""
    rows = database.rows(
        """
        SELECT * FROM active_decision WHERE kind = 'rating' QUALIFY row_number() OVER (
            PARTITION BY task_id, author, list_sort([rating->>'left', rating->>'right'])
            ORDER BY seq DESC
        ) = 1 ORDER BY seq
        """
    )
    return [to_decision(row) for row in rows]
