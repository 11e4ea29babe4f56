"""Pairs of answers to rate, and what raters said of them."""

from __future__ import annotations

import json

from workbench.curate.rating import PIPELINE, Pair, Side, sides
from workbench.errors import InputError
from workbench.records import Rating
from workbench.store.database import Database
from workbench.store.decisions import to_rating

# One answer of each maker to each task: a model's newest explanation, the rationale of the task's kept trace.
_SAID = f"""
said AS (
    SELECT task_id, model, arg_max({{'answer': answer, 'rationale': rationale}}, created_at) AS words
    FROM prediction WHERE rationale <> '' AND model IN ($first, $second) GROUP BY task_id, model
    UNION ALL
    SELECT outcome.id, '{PIPELINE}', arg_max({{'answer': rationale.answer, 'rationale': text}}, rationale.created_at)
    FROM outcome JOIN rationale ON rationale.trace_id = outcome.chosen
    WHERE '{PIPELINE}' IN ($first, $second) GROUP BY outcome.id
)"""  # noqa: S608


def pairs(database: Database, reviewer: str, first: str, second: str, count: int) -> list[Pair]:
    """Tasks that both answered and the reviewer has not rated, in an order drawn once for all reviewers.

    Raises:
        InputError: one model, or nothing to compare.
    """
    if first == second:
        raise InputError("a rating compares two models; choose another one beside the first")
    both = f"""
        WITH {_SAID}
        SELECT a.task_id, a.words.answer, a.words.rationale, b.words.answer, b.words.rationale
        FROM said AS a JOIN said AS b ON b.task_id = a.task_id AND a.model = $first AND b.model = $second
        """  # noqa: S608
    given = {"first": first, "second": second}
    found = database.rows(
        f"""
        SELECT * FROM ({both}) AS open(task_id, first_answer, first_rationale, second_answer, second_rationale)
        WHERE task_id NOT IN (
            SELECT task_id FROM active_decision WHERE kind = 'rating' AND author = $reviewer
            AND list_sort([rating->>'left', rating->>'right']) = list_sort([$first, $second])
        )
        ORDER BY hash(task_id) LIMIT $count
        """,  # noqa: S608
        {**given, "reviewer": reviewer, "count": count},
    )
    if not found and not database.rows(f"SELECT 1 FROM ({both}) LIMIT 1", given):  # noqa: S608
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


def said(database: Database) -> list[Rating]:
    """Every rater's last word on each task and pair of models."""
    rows = database.rows(
        """
        SELECT rating FROM active_decision WHERE kind = 'rating' QUALIFY row_number() OVER (
            PARTITION BY task_id, author, list_sort([rating->>'left', rating->>'right']) ORDER BY seq DESC
        ) = 1
        """
    )
    return [to_rating(json.loads(row["rating"])) for row in rows]
