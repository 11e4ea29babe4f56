"""Rows that lack the next record: what a stage still has to do, as ids in order of import.

The rows themselves are asked, never a flag, so that work can stop and go on anywhere.  A run that
broke for reasons outside the program (`infra`) counts as not done.
"""

from __future__ import annotations

from workbench.records import VISITORS
from workbench.store.kernel.database import Database
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


def _ask(database: Database, sql: str, scope: Scope, selection: Selection) -> list[str]:
    values = {**scope.parameters(), **selection.parameters()}
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
