"""How much the programs of a question differ, how often they were drawn, and the likeliest one."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.store.kernel.database import Database
from workbench.store.records.pending import COUNTED, JUDGED, SAMPLED, TRACED
from workbench.store.records.scope import Scope, Selection


@dataclass(frozen=True, slots=True)
class Variety:
    """Figures over questions with k programs each that were compared with one another.

    Programs are the same where they differ in names of variables and in prints alone.
    """

    tasks: int
    different: int
    """Programs, of all these questions, that no earlier one of their question repeats."""
    with_repeats: int
    """Questions with fewer than k different programs."""
    all_equal: int
    """Questions whose k programs, two or more, are the same."""
    redrawn: int
    """Programs that were drawn more than once."""
    redraws: int
    """Drawings that gave way to another one, in all."""


def variety(database: Database, scope: Scope, selection: Selection) -> Variety:
    """The figures of the scope's sampler.

    Args:
        database: the store.
        scope: the sampler, seed and number of programs that count.
        selection: the tasks; visitors' questions only where their source or split is named.
    """
    sql = f"""
    WITH {COUNTED}, {SAMPLED},
    question AS (
        SELECT count(*) FILTER (NOT program.repeats) AS different,
            count(*) FILTER (program.draws > 1) AS redrawn, sum(program.draws - 1) AS redraws
        FROM sampled JOIN program ON program.id = sampled.id
        GROUP BY sampled.task_id
        HAVING count(*) = $k AND count(program.repeats) = $k
    )
    SELECT count(*) AS tasks, coalesce(sum(different), 0)::BIGINT AS different,
        count(*) FILTER (different < $k) AS with_repeats,
        count(*) FILTER (different = 1 AND $k > 1) AS all_equal,
        coalesce(sum(redrawn), 0)::BIGINT AS redrawn, coalesce(sum(redraws), 0)::BIGINT AS redraws
    FROM question
    """
    values = {
        **{name: scope.parameters()[name] for name in ("sampler", "seed", "k")},
        **selection.parameters(),
    }
    return Variety(**database.rows(sql, values)[0])


def likeliest_right(database: Database, scope: Scope, selection: Selection) -> tuple[int, int]:
    """Labelled tasks whose likeliest program is right, and all that have k judged ones.

    The likeliest program has the highest mean log-probability per token.  Tasks whose programs have
    none, as from many endpoints, are left out.

    Args:
        database: the store.
        scope: the parts whose records count.
        selection: as of `variety`.
    """
    sql = f"""
    WITH {COUNTED}, {SAMPLED}, {TRACED}, {JUDGED},
    question AS (
        SELECT arg_max(judged.correct, (sampled.score, -sampled.index)) AS correct
        FROM sampled JOIN traced ON traced.program_id = sampled.id
        JOIN judged ON judged.trace_id = traced.id
        JOIN selected ON selected.id = sampled.task_id AND len(selected.answers) > 0
        GROUP BY sampled.task_id HAVING count(*) = $k AND bool_or(sampled.score <> 0)
    )
    SELECT count(*) FILTER (correct) AS correct, count(*) AS tasks FROM question
    """
    values = {
        **{n: scope.parameters()[n] for n in ("sampler", "seed", "k", "executor", "verifier")},
        **selection.parameters(),
    }
    [row] = database.rows(sql, values)
    return row["correct"], row["tasks"]
