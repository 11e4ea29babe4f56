"""Pairs of answers to rate, and what raters said of them."""

from __future__ import annotations

from typing import Any

from workbench.curate.rating import PIPELINE, Pair, Side, sides
from workbench.errors import InputError
from workbench.records import Decision
from workbench.store.kernel.database import Database
from workbench.store.people.decisions import to_decision

# One answer of each maker to each task: a model's newest explanation, the rationale of the task's
# kept trace.
_SAID = f"""
said AS (
    SELECT task_id, model, arg_max({{'answer': answer, 'rationale': rationale}}, created_at) AS words
    FROM prediction WHERE rationale <> '' AND model IN ($first, $second) GROUP BY task_id, model
    UNION ALL
    SELECT outcome.id, '{PIPELINE}', arg_max({{'answer': rationale.answer, 'rationale': text}}, rationale.created_at)
    FROM outcome JOIN rationale ON rationale.trace_id = outcome.chosen
    WHERE '{PIPELINE}' IN ($first, $second) GROUP BY outcome.id
)"""


# Questions that both explained, of which a sample is drawn: the same one for every rater.
_POOL = f"""
WITH {_SAID},
pool AS (
    SELECT a.task_id, a.words AS first, b.words AS second, a.task_id IN (
        SELECT task_id FROM active_decision WHERE kind = 'rating' AND author = $reviewer
        AND list_sort([rating->>'left', rating->>'right']) = list_sort([$first, $second])
    ) AS rated, md5(concat($seed::VARCHAR, '/', a.task_id)) AS place
    FROM said AS a JOIN said AS b ON b.task_id = a.task_id AND a.model = $first AND b.model = $second
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
) -> list[Pair]:
    """Pairs of the sample that the reviewer has not rated, in an order drawn once for all
    reviewers.

    Args:
        sample: so many questions that both explain, drawn by the seed; None takes all.

    Raises:
        InputError: one model, or nothing to compare.
    """
    if first == second:
        raise InputError("a rating compares two models; choose another one beside the first")
    found = database.rows(
        f"""
        {_POOL}
        SELECT task_id, first.answer AS first_answer, first.rationale AS first_rationale,
            second.answer AS second_answer, second.rationale AS second_rationale
        FROM pool WHERE NOT rated ORDER BY place LIMIT $count
        """,
        {**_given(reviewer, first, second, sample, seed), "count": count},
    )
    if not found and not progress(database, reviewer, first, second, sample, seed)[1]:
        raise InputError(
            f"'{first}' and '{second}' have no question that both explain; let both explain the same questions first"
        )
    shown = []
    for row in found:
        answers = {
            first: Side(first, row["first_answer"], row["first_rationale"]),
            second: Side(second, row["second_answer"], row["second_rationale"]),
        }
        left, right = sides(row["task_id"], first, second, reviewer)
        shown.append(Pair(row["task_id"], answers[left], answers[right]))
    return shown


def progress(
    database: Database,
    reviewer: str,
    first: str,
    second: str,
    sample: int | None = None,
    seed: int = 0,
) -> tuple[int, int]:
    """How many questions of the sample the reviewer has rated, and how many it has."""
    (found,) = database.rows(
        f"{_POOL} SELECT count(*) FILTER (rated) AS rated, count(*) AS n FROM pool",
        _given(reviewer, first, second, sample, seed),
    )
    return found["rated"], found["n"]


def _given(reviewer: str, first: str, second: str, sample: int | None, seed: int) -> dict[str, Any]:
    return {
        "reviewer": reviewer,
        "first": first,
        "second": second,
        "seed": seed,
        "sample": 2**62 if sample is None else sample,
    }


def last_ratings(database: Database) -> list[Decision]:
    """Every rater's last word on each task and pair of models, in the order in which they were
    said.
    """
    rows = database.rows(
        """
        SELECT * FROM active_decision WHERE kind = 'rating' QUALIFY row_number() OVER (
            PARTITION BY task_id, author, list_sort([rating->>'left', rating->>'right']) ORDER BY seq DESC
        ) = 1 ORDER BY seq
        """
    )
    return [to_decision(row) for row in rows]
