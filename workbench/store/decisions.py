"""Storing what people said: each event checked against the rules and folded into states, in one transaction.

Two people's events about one task both write that task's row of `curated`, so that one of them has to begin again
and is checked against what the other said.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any

from workbench.curate.fold import VERDICTS, History, Item, Standing
from workbench.curate.rating import PIPELINE
from workbench.curate.rules import Facts, check
from workbench.errors import InputError
from workbench.execute.trace import decode_events
from workbench.records import Decision, Form, Rating, TraceEvent, content_key, storable
from workbench.store.database import IDS, Database, listed, now
from workbench.store.scope import LATEST

GIVEN = ("automatic", "tool", "created_at", "seq")
"""Fields of an event that the store fills in."""

_COLUMNS = tuple(field.name for field in fields(Decision))

_TYPES: Mapping[str, Mapping[str, str]] = {
    "decision": {
        "content": "VARCHAR", "step": "BIGINT", "since": "TIMESTAMP", "until": "TIMESTAMP", "seconds": "DOUBLE",
        "hidden": "BOOLEAN", "client_time": "TIMESTAMP", "automatic": "BOOLEAN", "created_at": "TIMESTAMP",
        "seq": "BIGINT",
    },
    "standing": {"seq": "BIGINT", "created_at": "TIMESTAMP"},
    "curated": {
        "votes": "BIGINT", "needed": "BIGINT", "edited": "BOOLEAN", "asked_seq": "BIGINT", "seq": "BIGINT",
        "updated_at": "TIMESTAMP",
    },
    "lease": {"slot": "INTEGER", "granted_at": "TIMESTAMP", "expires_at": "TIMESTAMP"},
}  # fmt: skip
"""Types of columns that are not text."""


def store(cursor: Any, given: Sequence[Decision]) -> list[Decision]:
    """Check and store events inside a transaction, in their order; those that are there already are left alone.

    Returns:
        Each as it is stored now.

    Raises:
        InputError: a rule is broken, or an id stands for something else already; nothing must be kept then.
    """
    cleaned = [_clean(event) for event in given]
    ids = [event.id for event in cleaned]
    tasks = {event.task_id for event in cleaned}
    if "" in tasks:
        tasks |= _about(cursor, cleaned)
    found = _held(cursor, tasks)
    history = History(event for event, _ in found)
    contents = {event.id: content for event, content in found}
    fresh = [event for event in cleaned if event.id not in contents]
    if len({event.id for event in fresh}) < len(fresh):
        raise InputError("two decisions given together have the same id; each needs its own")
    records = _Records(cursor, fresh) if fresh else None
    for event in cleaned:
        other = event.id in contents and contents[event.id] != _content(event)
        if other or (records is not None and event.id in records.events):
            raise InputError(f"decision '{event.id}' is stored with another content; a new decision needs a new id")
    if records is None:
        return [history.by_id[id] for id in ids]
    stamp = now()
    rows: list[dict[str, Any]] = []
    for event, seq in zip(fresh, records.numbers, strict=True):
        facts = records.facts(event)
        check(event, history, facts)
        done = replace(
            event,
            program_id=event.program_id or facts.trace_program,
            automatic=records.automatic(event),
            tool=records.tool(event),
            created_at=stamp,
            seq=seq,
        )
        history.add(done)
        rows.append(_row(done, _content(event)))
    put(cursor, "decision", rows)
    _put_states(cursor, history, tasks - {""}, records.overlap, stamp, records.numbers[0])
    _release(cursor, fresh, stamp)
    return [history.by_id[id] for id in ids]


def write_all_states(cursor: Any, stamp: datetime) -> None:
    """Bring every row of `standing` and `curated` up to date."""
    history = History(event for event, _ in _held(cursor, None))
    _put_states(cursor, history, set(history.by_task) - {""}, overlap_in_force(cursor), stamp)


def _put_states(
    cursor: Any, history: History, tasks: Iterable[str], overlap: int, stamp: datetime, first: int | None = None
) -> None:
    """Write `standing` and `curated` for these tasks, whose history is given whole.

    Args:
        first: number of the first new event.  What no older event spoke of has no row yet, and adding a row costs
            half of replacing one.
    """

    def old(event: Decision) -> bool:
        return first is None or (event.seq or 0) < first

    standing: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    items: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for task_id in sorted(tasks):
        events = history.by_task.get(task_id)
        if not events:
            continue
        said = {one.author: one for one in history.standing(task_id)}
        judged = [event for event in events if event.kind in VERDICTS]
        older = {event.author for event in judged if old(event)}
        for author in sorted({event.author for event in judged}):
            held = said.get(author)
            standing[author in older].append(asdict(held) if held else _nothing(task_id, author))
        known = any(old(event) for event in events)
        items[known].append({**asdict(history.item(task_id, overlap)), "updated_at": stamp})
    for known in (False, True):
        put(cursor, "standing", standing[known], "task_id, author" if known else None)
        put(cursor, "curated", items[known], "task_id" if known else None)


def overlap_in_force(cursor: Any) -> int:
    found = cursor.execute("SELECT arg_max(overlap, seq) FROM curation").fetchone()
    return int(found[0]) if found and found[0] is not None else 1


def _nothing(task_id: str, author: str) -> dict[str, Any]:
    return asdict(Standing(task_id, author, "none", None, None, None, None, 0, None))


def _about(cursor: Any, events: Sequence[Decision]) -> set[str]:
    """Tasks whose states change by events about no single task.

    A rollback, and the undo of one, may change whatever its subject ever spoke of: an undo that is rolled back
    gives back what it took.
    """
    targets = [event.target or "" for event in events if event.kind == "undo" and not event.task_id]
    subjects = [event.subject or "" for event in events if event.kind == "rollback"]
    found = cursor.execute(
        f"""
        SELECT DISTINCT task_id FROM decision WHERE task_id <> '' AND (
            batch IN {_among("targets")} OR author IN {_among("subjects")}
            OR author IN (SELECT subject FROM decision WHERE kind = 'rollback' AND id IN {_among("targets")})
        )
        """,  # noqa: S608
        {"targets": listed(targets), "subjects": listed(subjects)},
    )
    return {task_id for (task_id,) in found.fetchall()}


def _among(name: str) -> str:
    return IDS.replace("$ids", f"${name}")


def _held(cursor: Any, tasks: Iterable[str] | None) -> list[tuple[Decision, str]]:
    """Stored events in their order, each with its content key: what bears on these tasks; None: all."""
    sql = f"SELECT {', '.join(_COLUMNS)}, content FROM decision"  # noqa: S608
    given = {}
    if tasks is not None:
        sql += f" WHERE task_id IN {IDS}"
        given = {"ids": listed(["", *tasks])}
    found = cursor.execute(f"{sql} ORDER BY seq", given).fetchall()
    return [(to_decision(dict(zip(_COLUMNS, row[:-1], strict=True))), row[-1]) for row in found]


def to_decision(row: Mapping[str, Any]) -> Decision:
    """An event from its row."""
    given = {name: row[name] for name in _COLUMNS}
    if given["rating"] is not None:
        given["rating"] = to_rating(json.loads(given["rating"]))
    return Decision(**given)


def to_rating(raw: Mapping[str, Any]) -> Rating:
    """A rating from its JSON."""
    forms = {side: Form(**raw[side]) if raw[side] is not None else None for side in ("left_form", "right_form")}
    return Rating(**{**raw, **forms})


def _row(event: Decision, content: str) -> dict[str, Any]:
    rating = json.dumps(asdict(event.rating)) if event.rating is not None else None
    return {**{name: getattr(event, name) for name in _COLUMNS}, "rating": rating, "content": content}


def _content(event: Decision) -> str:
    """Content key of what the client sent."""
    sent = {name: value for name, value in asdict(event).items() if name not in GIVEN}
    return content_key({name: str(value) if isinstance(value, datetime) else value for name, value in sent.items()})


def _clean(event: Decision) -> Decision:
    """As the store will give it back: without what the store fills in, and without what UTF-8 cannot hold."""
    given = {name: getattr(event, name) for name in _COLUMNS if name not in GIVEN}
    texts = {name: storable(v) for name, v in given.items() if isinstance(v, str)}
    if event.rating is not None:
        given["rating"] = replace(event.rating, left=storable(event.rating.left), right=storable(event.rating.right))
    times = {name: _utc(v) for name, v in given.items() if isinstance(v, datetime)}
    return Decision(**{**given, **texts, **times})


def _utc(time: datetime) -> datetime:
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)


def put(cursor: Any, name: str, rows: Sequence[Mapping[str, Any]], key: str | None = None) -> None:
    """Rows into a table; where `key` is given, a row that is there is replaced."""
    if not rows:
        return
    columns = list(rows[0])
    shape = [{column: _TYPES[name].get(column, "VARCHAR") for column in columns}]
    listed_names = ", ".join(f'"{column}"' for column in columns)
    change = ""
    if key is not None:
        held = [column for column in columns if column not in key.split(", ")]
        change = f"ON CONFLICT ({key}) DO UPDATE SET " + ", ".join(f'"{c}" = excluded."{c}"' for c in held)
    # One text parameter for all rows: the same on every connection, and quick for one row and for thousands.
    cursor.execute(
        f"INSERT INTO {name} ({listed_names}) "
        f"SELECT unnest(from_json($rows, '{json.dumps(shape)}'), max_depth := 2) {change}",
        {"rows": json.dumps(rows, default=str)},
    )


def _release(cursor: Any, events: Iterable[Decision], stamp: datetime) -> None:
    """Whoever has decided on an item lets go of it."""
    done = [event for event in events if event.kind in (*VERDICTS, "adjudicate")]
    for author in {event.author for event in done}:
        cursor.execute(
            f"UPDATE lease SET expires_at = $stamp WHERE holder = $author AND expires_at > $stamp AND task_id IN {IDS}",  # noqa: S608
            {
                "stamp": stamp, "author": author,
                "ids": listed(event.task_id for event in done if event.author == author),
            },
        )  # fmt: skip


_RECORDS = f"""
WITH latest AS ({LATEST})
SELECT 'seq', NULL, nextval('decision_seq')::VARCHAR, NULL, NULL FROM range($fresh)
UNION ALL SELECT 'overlap', NULL, arg_max(overlap, seq)::VARCHAR, NULL, NULL FROM curation
UNION ALL SELECT 'event', id, NULL, NULL, NULL FROM decision WHERE id IN {_among("events")}
UNION ALL SELECT 'task', id, NULL, NULL, NULL FROM task WHERE id IN {_among("tasks")}
UNION ALL SELECT 'trace', id, task_id, program_id, CASE WHEN answer IS NOT NULL THEN 'ok' END
    FROM trace WHERE id IN {_among("traces")}
UNION ALL SELECT 'program', id, task_id, NULL, NULL FROM program WHERE id IN {_among("programs")}
UNION ALL SELECT 'rationale', id, trace_id, NULL, NULL FROM rationale WHERE id IN {_among("rationales")}
UNION ALL SELECT 'verdict', trace_id, arg_max(correct, (
        coalesce(verdict.verifier = latest.verifier AND runs = latest.k, false), created_at
    ))::VARCHAR, NULL, NULL
    FROM verdict, latest WHERE trace_id IN {_among("traces")} GROUP BY trace_id
UNION ALL SELECT DISTINCT 'model', task_id, model, NULL, NULL
    FROM prediction WHERE rationale <> '' AND task_id IN {_among("rated")}
UNION ALL SELECT DISTINCT 'model', task_id, '{PIPELINE}', NULL, NULL FROM rationale WHERE task_id IN {_among("rated")}
"""  # noqa: S608
"""Everything that the rules ask of the project, in one question: each costs a journey where the store is another
process's.  The verdict in force counts where there is one, else the newest."""


class _Records:
    """What the project holds of the records that some events name."""

    def __init__(self, cursor: Any, events: Sequence[Decision]) -> None:
        given: dict[str, set[str | None]] = {
            "events": {event.id for event in events},
            "tasks": {event.task_id for event in events},
            "traces": {event.trace_id for event in events},
            "programs": {event.program_id for event in events},
            "rationales": {event.rationale_id for event in events},
            "rated": {event.task_id for event in events if event.kind == "rating"},
        }
        names = {name: listed(sorted(id for id in ids if id)) for name, ids in given.items()}
        held: dict[str, list[tuple[Any, ...]]] = {}
        for kind, *row in cursor.execute(_RECORDS, {**names, "fresh": len(events)}).fetchall():
            held.setdefault(kind, []).append(tuple(row))
        self.numbers = sorted(int(seq) for _, seq, _, _ in held["seq"])
        self.overlap = int(held["overlap"][0][1] or 1)
        self.events = {id for id, *_ in held.get("event", ())}
        """Ids of these events that are stored already."""
        self._tasks = {id for id, *_ in held.get("task", ())}
        self._traces = {id: (task_id, program_id, ok) for id, task_id, program_id, ok in held.get("trace", ())}
        self._programs = {id: task_id for id, task_id, *_ in held.get("program", ())}
        self._rationales = {id: trace_id for id, trace_id, *_ in held.get("rationale", ())}
        self._automatic = {id: correct == "true" for id, correct, *_ in held.get("verdict", ())}
        self._models: dict[str, set[str]] = {}
        for task_id, model, *_ in held.get("model", ()):
            self._models.setdefault(task_id, set()).add(model)
        steps = {event.trace_id for event in events if event.step is not None and event.trace_id}
        sql = f"SELECT id, events FROM trace WHERE id IN {IDS}"  # noqa: S608
        blobs = cursor.execute(sql, {"ids": listed(sorted(steps))}).fetchall() if steps else ()
        self._steps = {id: decode_events(blob) for id, blob in blobs}

    def facts(self, event: Decision) -> Facts:
        task_id, program_id, ok = self._traces.get(event.trace_id, (None, None, None))
        return Facts(
            task=event.task_id in self._tasks,
            trace_task=task_id,
            trace_program=program_id,
            trace_events=len(self._steps.get(event.trace_id, ())),
            trace_ok=ok is not None,
            program_task=self._programs.get(event.program_id),
            rationale_trace=self._rationales.get(event.rationale_id),
            models=frozenset(self._models.get(event.task_id, ())),
        )

    def automatic(self, event: Decision) -> bool | None:
        """The automatic verdict on the event's trace."""
        return self._automatic.get(event.trace_id or "")

    def tool(self, event: Decision) -> str | None:
        """The tool that the event's step is a call of; empty for a step of the program itself."""
        if event.step is None:
            return None
        events: Sequence[TraceEvent] = self._steps.get(event.trace_id or "", ())
        return str(events[event.step].payload.get("tool", "")) if event.step < len(events) else ""


def events(
    database: Database,
    *,
    task_id: str | None = None,
    author: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: int = 0,
    limit: int = 1000,
) -> list[Decision]:
    """Stored events in their order; give the last one's `seq` as `after` to go on."""
    found = database.rows(
        """
        SELECT * FROM decision WHERE seq > $after AND ($task_id IS NULL OR task_id = $task_id)
        AND ($author IS NULL OR author = $author) AND ($since IS NULL OR created_at >= $since)
        AND ($until IS NULL OR created_at < $until) ORDER BY seq LIMIT $limit
        """,
        {"after": after, "task_id": task_id, "author": author, "since": since, "until": until, "limit": limit},
    )
    return [to_decision(row) for row in found]


def taken_back(database: Database, ids: Sequence[str]) -> set[str]:
    """Which of these events do not count any more."""
    found = database.rows(
        f"""
        SELECT id FROM decision AS r WHERE id IN {IDS} AND id NOT IN (SELECT id FROM active_decision)
        AND (kind <> 'rollback' OR EXISTS (FROM decision WHERE kind = 'undo' AND target = r.id))
        """,  # noqa: S608
        {"ids": listed(ids)},
    )
    return {row["id"] for row in found}


def to_item(row: Mapping[str, Any]) -> Item:
    """An item from its row of `curated` or of the view `item`."""
    return Item(**{name: row[name] for name in Item.__slots__})


def to_standing(row: Mapping[str, Any]) -> Standing:
    return Standing(**{name: row[name] for name in Standing.__slots__})
