"""Phrases: words that stand side by side in one text of a question.

The index (`search.py`) knows which questions have the words; whether they stand side by side is
read from the texts of those questions alone.  What a run printed and got from its tools is packed
with its events, so that those are opened last, and only where all the words came from runs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from weakref import WeakKeyDictionary

from workbench.store.kernel.database import IDS, Database, id_list
from workbench.store.reading.search import WORDS, cut, posting_sql, word_condition
from workbench.store.records import rows as shape
from workbench.store.records.scope import Scope
from workbench.store.records.words import text_of

KEPT = 32
"""Phrases whose questions are kept: a page, its total and its counts ask for the same one."""

OPENED = 500
"""Runs whose events are opened at a time."""

Memory = OrderedDict[tuple[object, ...], tuple[int, ...]]

_memory: WeakKeyDictionary[Database, Memory] = WeakKeyDictionary()
_lock = Lock()

_FITS = f"contains(' ' || array_to_string({WORDS}, ' ') || ' ', $phrase)"

_STORED = f"""
SELECT seq FROM task WHERE seq IN (SELECT seq FROM asked) AND {_FITS.format("question")}
UNION SELECT asked.seq FROM program JOIN asked ON asked.id = task_id
WHERE sampler = $sampler AND {_FITS.format("source")}
UNION SELECT asked.seq FROM trace JOIN asked ON asked.id = task_id
WHERE executor = $executor AND coalesce(failure_kind, '') <> 'infra' AND (
    {_FITS.format("coalesce(answer, '')")} OR {_FITS.format("coalesce(failure_message, '')")})
UNION SELECT asked.seq FROM rationale JOIN asked ON asked.id = task_id
WHERE writer = $writer AND {_FITS.format("text")}
"""
"""Numbers of the questions that have the phrase in a column of their own."""


def phrase_tasks(database: Database, phrase: str, scope: Scope) -> tuple[int, ...]:
    """Numbers of the questions in one of whose texts a phrase stands.

    Args:
        database: the store, whose summary is up to date.
        phrase: as it was typed.
        scope: the parts whose texts count.
    """
    words = cut(database, phrase)
    if not words:
        return ()
    (state,) = database.rows("SELECT count(*) AS n, max(updated_at) AS latest FROM outcome")
    key = (*words, scope, state["n"], state["latest"])
    with _lock:
        memory = _memory.setdefault(database, OrderedDict())
        if key in memory:
            memory.move_to_end(key)
            return memory[key]
    tasks = tuple(sorted(_tasks(database, words, scope)))
    with _lock:
        memory[key] = tasks
        while len(memory) > KEPT:
            memory.popitem(last=False)
    return tasks


def _tasks(database: Database, words: Sequence[str], scope: Scope) -> set[int]:
    condition = word_condition(database, words, last_begins=False)
    head = f"WITH asked AS MATERIALIZED (SELECT seq, id FROM task WHERE seq IN ({condition}))"
    spaced = f" {' '.join(words)} "
    parameters = {
        "sampler": scope.sampler,
        "executor": scope.executor,
        "writer": scope.writer,
        "phrase": spaced,
    }
    tasks = {row["seq"] for row in database.rows(f"{head} {_STORED}", parameters)}
    in_runs = _words_in_runs(database, words, scope)
    runs = {trace: seq for trace, seq in in_runs.items() if seq not in tasks}
    ids = list(runs)
    for first in range(0, len(ids), OPENED):
        some = ids[first : first + OPENED]
        tasks |= {runs[one] for one in _fitting_runs(database, some, spaced)}
    return tasks


def _words_in_runs(database: Database, words: Sequence[str], scope: Scope) -> dict[str, int]:
    """Runs of the questions to which the executor's own texts give all the words: the number of
    the question by the trace's id.
    """
    own = " AND ".join(
        f"seq IN ({posting_sql([word], '($executor)')})" for word in dict.fromkeys(words)
    )
    rows = database.rows(
        f"""
        SELECT trace.id, seq FROM trace JOIN task ON task.id = task_id
        WHERE executor = $executor AND {own}
        """,
        {"executor": scope.executor},
    )
    return {row["id"]: row["seq"] for row in rows}


def _fitting_runs(database: Database, ids: Sequence[str], spaced: str) -> list[str]:
    """Of these traces, those in one line of whose texts the phrase stands."""
    parts = {row["key"]: shape.to_part(row) for row in database.rows("SELECT * FROM part")}
    texts: dict[str, str] = {}
    for row in database.rows(f"SELECT * FROM trace WHERE id IN {IDS}", {"ids": id_list(ids)}):
        try:
            texts[row["id"]] = text_of(shape.to_trace(row, parts))
        except ValueError:
            continue  # its events cannot be read: `vpd doctor` names it
    rows = database.rows(
        f"""
        SELECT DISTINCT id FROM (
            SELECT id, unnest(string_split(text, chr(10))) AS line FROM (
                SELECT unnest(from_json($ids, '["VARCHAR"]')) AS id,
                    unnest(from_json($texts, '["VARCHAR"]')) AS text
            )
        ) WHERE {_FITS.format("line")}
        """,
        {"ids": id_list(texts), "texts": id_list(texts.values()), "phrase": spaced},
    )
    return [row["id"] for row in rows]
