"""Rows that lack the next record: what a stage still has to do, as ids in order of import.

The rows themselves are asked, never a flag, so that work can stop and go on anywhere.  A run that
broke for reasons outside the program (`infra`) counts as not done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.records import VISITORS
from workbench.store.kernel.database import IDS, Database, id_list
from workbench.store.records.scope import Scope, Selection

# CTEs that the queries share, with no more columns than needed, as one that is used twice is
# written out whole.  Their parameters come from Scope and Selection.
SELECTED = """
selected AS (
    SELECT * FROM task WHERE ($split IS NULL OR split = $split)
        AND ($source IS NULL OR source = $source)
    ORDER BY seq LIMIT $limit
)"""

VISITOR = f"(source = '{VISITORS}' AND split = '{VISITORS}' AND starts_with(id, '{VISITORS}/'))"
"""Whether a row with the columns id, source and split is a question that a visitor asked."""

PICTURES = "list_prepend(image, coalesce(more_images, []))"
"""All pictures of a row of `task`, in order, as a list of digests."""

COUNTED = f"""
selected AS (
    SELECT * FROM task WHERE ($split IS NULL OR split = $split)
        AND ($source IS NULL OR source = $source)
        AND ('{VISITORS}' IN ($source, $split) OR NOT {VISITOR})
    ORDER BY seq LIMIT $limit
)"""
"""As `SELECTED`, but visitors' questions only where their source or split is named."""

SAMPLED = """
sampled AS (
    SELECT program.id, task_id, index, score, seconds, program.created_at
    FROM program JOIN selected ON selected.id = program.task_id
    WHERE sampler = $sampler AND base_seed = $seed AND index < $k AND parent IS NULL
)"""

TRACED = """
traced AS (
    SELECT trace.id, trace.task_id, program_id, answer, form, evidence, failure_kind, steps,
        tools, trace.seconds, trace.work, trace.created_at
    FROM trace JOIN sampled ON sampled.id = trace.program_id
    WHERE trace.executor = $executor
)"""

JUDGED = """
judged AS (
    SELECT trace_id, verdict.task_id, correct, chosen, verdict.created_at
    FROM verdict JOIN traced ON traced.id = verdict.trace_id
    WHERE verdict.verifier = $verifier AND verdict.runs = $k
)"""


def _ask(
    database: Database, sql: str, scope: Scope, selection: Selection, **more: Any
) -> list[str]:
    values = {**scope.parameters(), **selection.parameters(), **more}
    parameters = {name: value for name, value in values.items() if f"${name}" in sql}
    return [row["id"] for row in database.rows(sql, parameters)]


def to_sample(database: Database, scope: Scope, selection: Selection) -> list[str]:
    """Tasks with fewer than k programs of the scope's sampler and seed.

    Args:
        database: the store.
        scope: the parts in force.
        selection: the tasks looked at.
    """
    sql = f"""
    WITH {SELECTED}, {SAMPLED}
    SELECT selected.id FROM selected LEFT JOIN sampled ON sampled.task_id = selected.id
    GROUP BY selected.id, selected.seq HAVING count(DISTINCT sampled.index) < $k
        ORDER BY selected.seq
    """
    return _ask(database, sql, scope, selection)


def to_begin(database: Database, scope: Scope, selection: Selection) -> list[str]:
    """Tasks without any program of the scope's sampler and seed.

    Args:
        database: the store.
        scope: the parts in force.
        selection: the tasks looked at.
    """
    sql = f"""
    WITH {SELECTED}
    SELECT selected.id FROM selected WHERE NOT EXISTS (
        SELECT 1 FROM program WHERE program.task_id = selected.id
            AND program.sampler = $sampler AND program.base_seed = $seed
    ) ORDER BY selected.seq
    """
    return _ask(database, sql, scope, selection)


def stored_programs(database: Database, ids: Sequence[str]) -> set[str]:
    """Which of these ids name programs of the store."""
    sql = f"SELECT id FROM program WHERE id IN {IDS}"
    return {row["id"] for row in database.rows(sql, {"ids": id_list(ids)})}


def to_execute(database: Database, scope: Scope, selection: Selection) -> list[str]:
    """Programs without a trace of the scope's executor, and those whose run broke (`infra`).

    Args:
        database: the store.
        scope: the parts in force.
        selection: the tasks looked at.
    """
    sql = f"""
    WITH {SELECTED}, {SAMPLED}
    SELECT sampled.id FROM sampled JOIN selected ON selected.id = sampled.task_id
    WHERE NOT EXISTS (
        SELECT 1 FROM trace WHERE trace.program_id = sampled.id AND trace.executor = $executor
        AND trace.failure_kind IS DISTINCT FROM 'infra'
    ) ORDER BY selected.seq, sampled.index
    """
    return _ask(database, sql, scope, selection)


def to_run_whole(database: Database, scope: Scope, selection: Selection) -> list[str]:
    """All k programs of the tasks that have them, where one or more lack a trace.

    Args:
        database: the store.
        scope: the parts in force.
        selection: the tasks looked at.
    """
    sql = f"""
    WITH {SELECTED}, {SAMPLED}, {TRACED},
    begun AS (
        SELECT sampled.task_id FROM sampled LEFT JOIN traced ON traced.program_id = sampled.id
            AND traced.failure_kind IS DISTINCT FROM 'infra'
        GROUP BY sampled.task_id
        HAVING count(DISTINCT sampled.index) >= $k AND count(traced.id) < count(sampled.id)
    )
    SELECT sampled.id FROM sampled JOIN begun ON begun.task_id = sampled.task_id
    JOIN selected ON selected.id = sampled.task_id ORDER BY selected.seq, sampled.index
    """
    return _ask(database, sql, scope, selection)


def to_verify(database: Database, scope: Scope, selection: Selection) -> list[str]:
    """Tasks whose k programs all have a trace, and whose runs were not judged together yet.

    Args:
        database: the store.
        scope: the parts in force.
        selection: the tasks looked at.
    """
    sql = f"""
    WITH {SELECTED}, {SAMPLED}, {TRACED}, {JUDGED},
    -- joined and not asked for each task: through another process's store a count within a query
    -- of its own would be NULL where there is nothing to count
    done AS (SELECT task_id, count(DISTINCT trace_id) AS n FROM judged GROUP BY task_id)
    SELECT selected.id FROM selected JOIN traced ON traced.task_id = selected.id
    LEFT JOIN done ON done.task_id = selected.id
    GROUP BY selected.id, selected.seq
    HAVING count(DISTINCT traced.program_id) >= $k AND coalesce(any_value(done.n), 0) < $k
    ORDER BY selected.seq
    """
    return _ask(database, sql, scope, selection)


def to_rationalize(database: Database, scope: Scope, selection: Selection) -> list[str]:
    """Kept traces without a rationale of the scope's writer.

    Args:
        database: the store.
        scope: the parts in force.
        selection: the tasks looked at.
    """
    sql = f"""
    WITH {SELECTED}, {SAMPLED}, {TRACED}, {JUDGED}
    SELECT judged.trace_id AS id FROM judged JOIN selected ON selected.id = judged.task_id
    WHERE judged.chosen AND NOT EXISTS (
        SELECT 1 FROM rationale WHERE rationale.trace_id = judged.trace_id
            AND rationale.writer = $writer
    ) ORDER BY selected.seq
    """
    return _ask(database, sql, scope, selection)


def _rewritten(rounds: int) -> str:
    """CTEs `again_0` (the sampled programs) to `again_N`, each the programs that the scope's
    sampler wrote after those of the one before.
    """
    ctes = ["again_0 AS (SELECT id, task_id, index FROM sampled)"]
    for number in range(1, rounds + 1):
        ctes.append(
            f"""again_{number} AS (
    SELECT program.id, program.task_id, program.index
    FROM program JOIN again_{number - 1} AS earlier ON program.parent = earlier.id
    WHERE program.sampler = $sampler AND program.base_seed = $seed
)"""
        )
    return ",\n".join(ctes)


def all_rewritten(rounds: int) -> str:
    """The CTEs of `_rewritten`, and `rewritten` with the programs of all rounds."""
    each = " UNION ALL ".join(
        f"SELECT *, {n} AS round FROM again_{n}" for n in range(1, rounds + 1)
    )
    return f"{_rewritten(rounds)},\nrewritten AS ({each})"


UNANSWERED = """(trace.failure_kind IS NOT NULL AND trace.failure_kind <> 'infra'
    OR trace.failure_kind IS NULL AND list_contains($empty, lower(trim(trace.answer)))
    AND NOT contains(chr(10) || lower(array_to_string(choices, chr(10))) || chr(10),
        chr(10) || lower(trim(trace.answer)) || chr(10)))"""
"""Whether a trace failed or ended with an empty answer; needs the column `choices` of its task, and
`sample.again.EMPTY` as `$empty`.
"""


def to_write_again(
    database: Database, scope: Scope, selection: Selection, number: int, empty: Sequence[str]
) -> list[str]:
    """Traces that failed or ended with an empty answer, and whose program was not written again.

    Args:
        database: the store.
        scope: the parts in force.
        selection: the tasks looked at.
        number: of the round: 1 looks at sampled programs, 2 at those that round 1 wrote.
        empty: answers that say nothing.
    """
    sql = f"""
    WITH {SELECTED}, {SAMPLED}, {_rewritten(number - 1)}
    SELECT trace.id FROM again_{number - 1} AS this
    JOIN selected ON selected.id = this.task_id
    JOIN trace ON trace.program_id = this.id AND trace.executor = $executor
    JOIN program ON program.id = this.id
    WHERE coalesce(program.problem, '') = '' AND {UNANSWERED}
    AND NOT EXISTS (
        SELECT 1 FROM program AS later WHERE later.parent = this.id AND later.sampler = $sampler
    ) ORDER BY selected.seq, this.index
    """
    return _ask(database, sql, scope, selection, empty=list(empty))


def to_execute_again(
    database: Database, scope: Scope, selection: Selection, rounds: int
) -> list[str]:
    """Programs that were written again and have no trace, or one that broke (`infra`).

    Args:
        database: the store.
        scope: the parts in force.
        selection: the tasks looked at.
        rounds: how many are looked at.
    """
    sql = f"""
    WITH {SELECTED}, {SAMPLED}, {all_rewritten(rounds)}
    SELECT rewritten.id FROM rewritten JOIN selected ON selected.id = rewritten.task_id
    WHERE NOT EXISTS (
        SELECT 1 FROM trace WHERE trace.program_id = rewritten.id AND trace.executor = $executor
        AND trace.failure_kind IS DISTINCT FROM 'infra'
    ) ORDER BY selected.seq, rewritten.index, round
    """
    return _ask(database, sql, scope, selection)


def to_verify_again(
    database: Database, scope: Scope, selection: Selection, rounds: int
) -> list[str]:
    """Traces with an answer, of programs that were written again for labelled tasks, without a
    verdict of the scope's verifier.

    Args:
        database: the store.
        scope: the parts in force.
        selection: the tasks looked at.
        rounds: how many are looked at.
    """
    sql = f"""
    WITH {SELECTED}, {SAMPLED}, {all_rewritten(rounds)}
    SELECT trace.id FROM rewritten JOIN selected ON selected.id = rewritten.task_id
    JOIN trace ON trace.program_id = rewritten.id AND trace.executor = $executor
    WHERE trace.failure_kind IS NULL AND len(selected.answers) > 0 AND NOT EXISTS (
        SELECT 1 FROM verdict
        WHERE verdict.trace_id = trace.id AND verdict.verifier = $verifier
    ) ORDER BY selected.seq, rewritten.index, round
    """
    return _ask(database, sql, scope, selection)


def to_predict(database: Database, scope: Scope, selection: Selection) -> list[str]:
    """Tasks that the scope's student has not answered; an answer with a rationale is not enough.

    Args:
        database: the store.
        scope: the parts in force.
        selection: the tasks looked at.
    """
    sql = f"""
    WITH {SELECTED}
    SELECT selected.id FROM selected WHERE NOT EXISTS (
        SELECT 1 FROM prediction
        WHERE prediction.task_id = selected.id AND prediction.model = $student
            AND prediction.rationale = ''
    ) ORDER BY selected.seq
    """
    return _ask(database, sql, scope, selection)
