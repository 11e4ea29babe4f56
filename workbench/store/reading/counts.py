"""Counts per stage, within a scope and a selection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from workbench.evidence import EVIDENCE
from workbench.store.kernel.database import IDS, Database, id_list
from workbench.store.reading.evidence import evidence
from workbench.store.reading.outcome import OUTCOMES
from workbench.store.records.pending import COUNTED, SAMPLED, TRACED
from workbench.store.records.scope import Scope, Selection


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows each stage has, within a scope and a selection."""

    tasks: int
    labelled: int
    bad_rows: int
    """Rows of the sources that could not be imported, whatever the selection."""
    programs: int
    sampled: int
    """Tasks with all k programs."""
    traces: int
    executed: int
    """Traces that ended with an answer."""
    failures: Mapping[str, int]
    """Traces that failed, by kind of failure."""
    judged: int
    """Tasks with verdicts."""
    kept: int
    """Labelled tasks with a right trace kept."""
    agreed: int
    """Unlabelled tasks with a trace kept by agreement."""
    rationales: int
    faithful: int
    """Rationales without an issue."""
    bare: int
    """Rationales that say no more than the answer."""
    unchecked: int
    """Rationales with a claim that could not be held against the trace."""
    evidence: Mapping[str, int]
    """Kept traces by what their answer rests on, the strongest first."""
    predictions: int


def counts(database: Database, scope: Scope, selection: Selection) -> Counts:
    """How many rows each stage has.

    Args:
        database: the store.
        scope: the parts whose rows count.
        selection: the tasks whose rows count; visitors' questions only where their source or
            split is named.
    """
    kinds = ", ".join(f"count(*) FILTER (evidence = '{kind}') AS {kind}" for kind in EVIDENCE)
    sql = f"""
    WITH {COUNTED}, {OUTCOMES}
    SELECT count(*) AS tasks, count(*) FILTER (labelled) AS labelled,
        (SELECT count(*) FROM bad_row) AS bad_rows, coalesce(sum(programs), 0)::BIGINT AS programs,
        count(*) FILTER (programs >= $k) AS sampled, coalesce(sum(traces), 0)::BIGINT AS traces,
        coalesce(sum(executed), 0)::BIGINT AS executed, count(*) FILTER (judged >= $k) AS judged,
        count(*) FILTER (status = 'kept') AS kept, count(*) FILTER (status = 'agreed') AS agreed,
        count(faithful) AS rationales, count(*) FILTER (faithful) AS faithful,
        count(*) FILTER (bare) AS bare, count(*) FILTER (unchecked) AS unchecked,
        count(student_answer) AS predictions,
        list(chosen) FILTER (chosen IS NOT NULL AND evidence IS NULL) AS open,
        {kinds}
    FROM outcome
    """
    parameters = {**scope.parameters(), **selection.parameters()}
    row = database.rows(sql, parameters)[0]
    fresh = Counter(evidence(database, row.pop("open") or ()).values())
    sql = f"""
    WITH {COUNTED}, {SAMPLED}, {TRACED}
    SELECT failure_kind AS kind, count(*) AS n FROM traced WHERE failure_kind IS NOT NULL
    GROUP BY kind ORDER BY n DESC, kind
    """
    failures = database.rows(
        sql, {name: value for name, value in parameters.items() if f"${name}" in sql}
    )
    return Counts(
        **{name: value for name, value in row.items() if name not in EVIDENCE},
        evidence={kind: row[kind] + fresh[kind] for kind in EVIDENCE if row[kind] + fresh[kind]},
        failures={row["kind"]: row["n"] for row in failures},
    )


def seconds(database: Database, scope: Scope) -> dict[str, tuple[int, float]]:
    """Rows written and wall seconds of the scope's parts, by stage (import: of all sources)."""
    current = [
        key
        for key in (scope.sampler, scope.executor, scope.verifier, scope.writer, scope.student)
        if key
    ]
    sql = f"""
    SELECT stage, sum(rows)::BIGINT AS n, sum(seconds) AS seconds FROM timing
    WHERE part IS NULL OR part IN {IDS} GROUP BY stage
    """
    return {
        row["stage"]: (row["n"], row["seconds"])
        for row in database.rows(sql, {"ids": id_list(current)})
    }
