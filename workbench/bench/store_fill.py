"""A project full of questions with everything up to predictions, made by the database itself.

Records of a million traces would take longer to make in Python than to measure; here every row is
drawn in SQL from a hash of its number, so that the same number of questions is the same project.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import partial
from typing import Any

from workbench.bench.figure import Figure, durations
from workbench.bench.store_records import PARTS, PROGRAM, THINGS, K, events_of
from workbench.events import encode_events
from workbench.store.kernel.database import now
from workbench.store.project import Project
from workbench.store.records.scope import Scope, Selection

_THING = f"({list(THINGS)})[1 + {{}} % {len(THINGS)}]"
_DICE = "(hash({} + {}) >> 8)::BIGINT"

_ROWS = f"""
made AS (
    SELECT i, {_DICE.format("i", 11)} AS d, 'bench/' || lpad(i::VARCHAR, 8, '0') AS id,
        {_THING.format(_DICE.format("i", 7))} AS thing, {_DICE.format("i", 11)} % 6 AS gold
    FROM range($first, $last) AS t(i)
),
run AS (
    SELECT made.*, x, i * {K} + x AS n,
        left(md5('p' || n), 20) AS program,
        left(md5('t' || n), 20) AS trace,
        {_DICE.format("n", 3)} AS e,
        CASE WHEN e % 10 = 0
            THEN (['runtime', 'tool_error', 'time', 'value'])[1 + e % 4] END AS kind,
        CASE WHEN e % 3 > 0 THEN gold ELSE e % 7 END AS answer,
        replace(
            replace(replace($source, chr(1), thing), chr(2), {_THING.format("e")}),
            chr(3), x::VARCHAR) AS source,
        'There are ' || answer || ' of them.' AS printed
    FROM made, range({K}) AS k(x)
),
judged AS (
    SELECT *, kind IS NULL AND answer = gold AS fits,
        fits AND x = min(x) FILTER (kind IS NULL AND answer = gold) OVER (PARTITION BY i) AS chosen
    FROM run
)"""  # noqa: S608

_COLUMNS = {
    "task": """
        id, seq, source, split, image, question, answers, answer_type, choices, family,
        meta, content, created_at""",
    "program": """
        id, task_id, sampler, base_seed, index, source, score, tokens, seed, seconds,
        parent, created_at, problem, thinking, draws""",
    "trace": """
        id, program_id, task_id, executor, answer, failure_kind, failure_message,
        failure_line, steps, tool_calls, seconds, events, created_at, tools, form, evidence,
        work""",
    "verdict": """
        id, trace_id, program_id, task_id, verifier, runs, score, correct, chosen, method,
        reason, created_at""",
    "rationale": """
        id, trace_id, task_id, writer, text, answer, citations, issues, created_at, bare,
        unchecked""",
    "prediction": """
        id, task_id, model, answer, rationale, score, seconds, created_at, form, problem""",
    "touched": """
        task_id, part, text""",
}
"""Columns that are filled, in the order of `_SELECTS`; later ones may be empty."""

_SELECTS = {
    "task": """
        SELECT id, i, (['collages', 'gqa', 'vqa'])[1 + d % 3],
            (['train', 'train', 'val', 'test'])[1 + d % 4], md5(id),
            'How many ' || thing || 's are beside number ' || d % 5000 || '?',
            CASE WHEN d % 9 > 0 THEN [gold::VARCHAR] ELSE [] END,
            (['integer', 'yesno', 'open'])[1 + d % 3], [],
            (['count', 'exists', 'relation', 'choose',
              'compare', 'verify', 'query', 'logic'])[1 + d % 8],
            '{}', id, $now
        FROM made""",
    "program": """
        SELECT program, id, $sampler, 0, x, source, -0.1, 200, x, 0.2 + e % 100 / 100, NULL, $now,
            '', '', 1
        FROM run""",
    "trace": """
        SELECT trace, program, id, $executor, CASE WHEN kind IS NULL THEN answer::VARCHAR END, kind,
            CASE WHEN kind IS NOT NULL THEN 'IndexError: list index out of range' END, NULL,
            2 + e % 40, 2, e % 3000 / 1000, ($blobs)[1 + n % len($blobs)] || encode(trace), $now,
            (['|find|', '|exists|find|', '|visual_question_answering|'])[1 + e % 3],
            CASE WHEN kind IS NULL THEN answer::VARCHAR ELSE '' END,
            CASE WHEN kind IS NULL THEN (['comparison', 'count', 'question'])[1 + e % 3]
                ELSE '' END, e % 2000 / 1000
        FROM run""",
    "verdict": """
        SELECT left(md5('v' || n), 20), trace, program, id, $verifier, 5, fits::INTEGER, fits,
            chosen, 'gold', '-', $now
        FROM judged""",
    "rationale": """
        SELECT left(md5('r' || n), 20), trace, id, $writer,
            'The ' || thing || 's were counted: ' || printed, answer::VARCHAR, '[]', [], $now,
            false, []
        FROM judged WHERE chosen""",
    "prediction": """
        SELECT left(md5('s' || i), 20), id, $student, (d % 5)::VARCHAR, '', (d % 5 = gold)::INTEGER,
            0.3, $now, (d % 5)::VARCHAR, ''
        FROM made""",
    "touched": """
        SELECT id, part, text FROM (
            SELECT id, '' AS part,
                'How many ' || thing || 's are beside number ' || d % 5000 || '?' AS text
            FROM made
            UNION ALL SELECT id, $sampler, source FROM run
            UNION ALL SELECT id, $executor, printed || ' ' || thing FROM run
            UNION ALL SELECT id, $writer, 'The ' || thing || 's were counted: ' || printed
            FROM judged WHERE chosen
        )""",
}
"""The rows of each table, in the order in which they are written."""


def fill(project: Project, tasks: int) -> Figure:
    """Put `tasks` questions with everything into a project, and bring its summary up to date."""
    run = project.start_run(Scope(k=K), Selection(), "predict")
    values: dict[str, Any] = {role: project.set_part(run, role, ref) for role, ref in PARTS.items()}
    rng = random.Random(0)
    values |= {
        "now": now(),
        "source": PROGRAM.format(a=chr(1), b=chr(2), n=chr(3)),
        "blobs": [encode_events(events_of(rng, at % 6)) for at in range(64)],
    }
    seconds = 0.0
    for first in range(0, tasks, 20_000):
        values |= {"first": first, "last": min(first + 20_000, tasks)}
        for table, select in _SELECTS.items():
            sql = f"INSERT INTO {table} ({_COLUMNS[table]}) WITH {_ROWS} {select}"
            own = {name: value for name, value in values.items() if f"${name}" in sql}
            project.database.transaction(partial(_execute, sql, own))
        seconds += durations(lambda: project.browse(limit=1))[0]
    name, note = "summary and words of a bulk import", f"{tasks * K:,} traces"
    return Figure(name, tasks * K / seconds, "traces/s", note=note)


def _execute(sql: str, values: Mapping[str, Any], cursor: Any) -> None:
    cursor.execute(sql, values)
