"""Events of people, stored: checked against the rules and folded into states in one transaction.

Two people's events about one task both write that task's row of `curated`, so that one of them has
to begin again and is checked against the other's.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any

from workbench.curate import apply
from workbench.curate.fold import VERDICTS, History, Item, Standing
from workbench.curate.rating import PIPELINE
from workbench.curate.rules import Facts
from workbench.errors import InputError
from workbench.events import decode_events
from workbench.records import Decision, Form, Rating, TraceEvent, content_key, storable
from workbench.store.kernel.database import FEW, IDS, Database, among, id_list, listed, now
from workbench.store.kernel.literal import literal
from workbench.store.people.automatic import automatic

GIVEN = ("automatic", "tool", "created_at", "seq")
"""Fields of an event that the store fills in."""

COLUMNS: Mapping[str, str] = {field.name: field.name for field in fields(Decision)} | {
    "ruling": "verdict"
}
"""Column of each field of an event; a ruling keeps its older name in rows, keys and JSON."""

_TYPES: Mapping[str, Mapping[str, str]] = {
    "decision": {
        "content": "VARCHAR", "step": "BIGINT", "since": "TIMESTAMP", "until": "TIMESTAMP",
        "seconds": "DOUBLE", "hidden": "BOOLEAN", "client_time": "TIMESTAMP",
        "automatic": "BOOLEAN", "created_at": "TIMESTAMP", "seq": "BIGINT",
    },
    "standing": {"seq": "BIGINT", "created_at": "TIMESTAMP"},
    "curated": {
        "votes": "BIGINT", "needed": "BIGINT", "edited": "BOOLEAN", "asked_seq": "BIGINT",
        "seq": "BIGINT", "updated_at": "TIMESTAMP",
    },
    "lease": {"slot": "INTEGER", "granted_at": "TIMESTAMP", "expires_at": "TIMESTAMP"},
}  # fmt: skip
"""Types of columns that are not text."""


def store(cursor: Any, sent: Sequence[Decision]) -> list[Decision]:
    """Check and store events in their order; those that are stored already are left alone.

    Args:
        cursor: inside a transaction, which must not be kept when this raises.
        sent: the events as clients sent them.

    Returns:
        Each as it is stored now.

    Raises:
        InputError: a rule is broken, or an id stands for another event already.
    """
    events = [_clean(event) for event in sent]
    stored = _stored(cursor, _tasks_of(cursor, events))
    contents = {event.id: content for event, content in stored}
    fresh = [event for event in events if event.id not in contents]
    if len({event.id for event in fresh}) < len(fresh):
        raise InputError("two decisions given together have the same id; each needs its own")
    records = _Records(cursor, fresh) if fresh else None
    # An id may be stored with an event about another task, whose history was not read.
    elsewhere = records.events if records is not None else frozenset()
    _check_contents(events, contents, elsewhere)
    history = History(event for event, _ in stored)
    if records is not None:
        _add(cursor, history, fresh, records)
    return [history.by_id[event.id] for event in events]


def _tasks_of(cursor: Any, events: Sequence[Decision]) -> set[str]:
    """Tasks whose states these events may change; an empty id stands for no single task."""
    tasks = {event.task_id for event in events}
    return tasks | _about(cursor, events) if "" in tasks else tasks


def _check_contents(
    events: Sequence[Decision], contents: Mapping[str, str], elsewhere: frozenset[str]
) -> None:
    """Refuse an event whose id is stored with another content.

    Args:
        events: as clients sent them.
        contents: content keys of stored events about the same tasks, by id.
        elsewhere: ids of stored events about other tasks.
    """
    for event in events:
        other = event.id in contents and contents[event.id] != _content(event)
        if other or event.id in elsewhere:
            raise InputError(
                f"decision '{event.id}' is stored with another content; "
                "a new decision needs a new id"
            )


def _add(cursor: Any, history: History, fresh: Sequence[Decision], records: _Records) -> None:
    """Write new events and the states that follow from them; the history grows by the events."""
    stamp = now()
    rows = _rows_of(history)
    placed = [
        replace(event, created_at=stamp, seq=seq)
        for event, seq in zip(fresh, records.numbers, strict=True)
    ]
    events, standing, items = apply(history, placed, map(records.facts, fresh), records.overlap)
    put(
        cursor,
        "decision",
        [_row(event, _content(sent)) for event, sent in zip(events, fresh, strict=True)],
    )
    _put_states(cursor, standing, items, rows, stamp)
    _release(cursor, fresh, stamp)


def write_all_states(cursor: Any, stamp: datetime) -> None:
    """Bring every row of `standing` and `curated` up to date."""
    history = History(event for event, _ in _stored(cursor, None))
    _, standing, items = apply(history, (), (), overlap_in_force(cursor))
    _put_states(cursor, standing, items, _rows_of(history), stamp)


def _rows_of(history: History) -> dict[str, list[str]]:
    """Tasks with a row in `curated`, each with the reviewers who have a row in `standing`."""
    return {task_id: history.reviewers(task_id) for task_id in history.by_task}


def _put_states(
    cursor: Any,
    standing: Sequence[Standing],
    items: Sequence[Item],
    rows: Mapping[str, Sequence[str]],
    stamp: datetime,
) -> None:
    """Write states.

    Args:
        cursor: inside a transaction.
        standing: rows of `standing`.
        items: rows of `curated`.
        rows: which of these rows are there already, as `_rows_of` gives them: to replace a row
            costs twice as much as to add one.
        stamp: when the items were brought up to date.
    """
    for old in (False, True):
        standing_rows = [
            asdict(one) for one in standing if (one.author in rows.get(one.task_id, ())) == old
        ]
        put(cursor, "standing", standing_rows, "task_id, author" if old else None)
        came = [
            {**asdict(item), "updated_at": stamp} for item in items if (item.task_id in rows) == old
        ]
        put(cursor, "curated", came, "task_id" if old else None)


def overlap_in_force(cursor: Any) -> int:
    """How many reviewers each item needs, by the settings in force."""
    row = cursor.execute("SELECT arg_max(overlap, seq) FROM curation").fetchone()
    return int(row[0]) if row and row[0] is not None else 1


def _about(cursor: Any, events: Sequence[Decision]) -> set[str]:
    """Tasks whose states change by events about no single task.

    A rollback, and the undo of one, may change whatever its subject ever spoke of: an undo that is
    rolled back gives back what it took.
    """
    targets = [event.target or "" for event in events if event.kind == "undo" and not event.task_id]
    subjects = [event.subject or "" for event in events if event.kind == "rollback"]
    rows = cursor.execute(
        f"""
        SELECT DISTINCT task_id FROM decision WHERE task_id <> '' AND (
            batch IN {_among("targets")} OR author IN {_among("subjects")}
            OR author IN (SELECT subject FROM decision WHERE kind = 'rollback'
                AND id IN {_among("targets")})
        )
        """,
        {"targets": id_list(targets), "subjects": id_list(subjects)},
    )
    return {task_id for (task_id,) in rows.fetchall()}


def _among(name: str) -> str:
    return IDS.replace("$ids", f"${name}")


def _stored(cursor: Any, tasks: Iterable[str] | None) -> list[tuple[Decision, str]]:
    """Stored events that bear on these tasks, in their order, each with its content key; None takes
    all events.
    """
    sql = f"SELECT {', '.join(COLUMNS.values())}, content FROM decision"
    if tasks is not None:
        met = cursor.execute(_MET.format(among(list(tasks)))).fetchall()
        sql += f" WHERE {_bearing(task_id for (task_id,) in met)}"
    rows = cursor.execute(f"{sql} ORDER BY seq").fetchall()
    return [
        (to_decision(dict(zip(COLUMNS.values(), row[:-1], strict=True))), row[-1]) for row in rows
    ]


_MET = "SELECT task_id FROM curated WHERE task_id IN {}"
"""Those of some tasks that events are about.

Every event leaves a row in `curated`, which is found by its key: for most questions of a queue the
events need not be looked through.
"""


def _bearing(met: Iterable[str]) -> str:
    """The condition that an event bears on some tasks, of which these have events of their own."""
    tasks = list(met)
    return f"task_id IN {listed(['', *tasks])}" if tasks else "task_id = ''"


def history_of(database: Database, task_ids: Iterable[str]) -> History:
    """The history of these tasks: their own events, and those about no single task."""
    met = _bearing(row["task_id"] for row in database.rows(_MET.format(among(list(task_ids)))))
    rows = database.rows(f"SELECT * FROM decision WHERE {met} ORDER BY seq")
    return History(to_decision(row) for row in rows)


def to_decision(row: Mapping[str, Any]) -> Decision:
    """An event from its row."""
    values = {name: row[column] for name, column in COLUMNS.items()}
    if values["rating"] is not None:
        values["rating"] = to_rating(json.loads(values["rating"]))
    return Decision(**values)


def to_columns(event: Decision) -> dict[str, Any]:
    """The fields of an event by the names of their columns, which are their keys in JSON too."""
    return {column: getattr(event, name) for name, column in COLUMNS.items()}


def to_rating(raw: Mapping[str, Any]) -> Rating:
    """A rating from its JSON."""
    forms = {
        side: Form(**raw[side]) if raw[side] is not None else None
        for side in ("left_form", "right_form")
    }
    return Rating(**{**raw, **forms})


def _row(event: Decision, content: str) -> dict[str, Any]:
    rating = json.dumps(asdict(event.rating)) if event.rating is not None else None
    return {**to_columns(event), "rating": rating, "content": content}


def _content(event: Decision) -> str:
    """Content key of what the client sent.

    It is made of columns, so that a retry of what an earlier workbench stored is recognised.
    """
    sent = {name: value for name, value in to_columns(event).items() if name not in GIVEN}
    rating = asdict(event.rating) if event.rating is not None else None
    times = {name: str(value) for name, value in sent.items() if isinstance(value, datetime)}
    return content_key({**sent, **times, "rating": rating})


def _clean(event: Decision) -> Decision:
    """An event without what the store fills in and without what UTF-8 cannot hold."""
    sent = {name: getattr(event, name) for name in COLUMNS if name not in GIVEN}
    texts = {name: storable(value) for name, value in sent.items() if isinstance(value, str)}
    if event.rating is not None:
        sent["rating"] = replace(
            event.rating, left=storable(event.rating.left), right=storable(event.rating.right)
        )
    times = {name: _utc(value) for name, value in sent.items() if isinstance(value, datetime)}
    return Decision(**{**sent, **texts, **times})


def _utc(time: datetime) -> datetime:
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)


def put(cursor: Any, name: str, rows: Sequence[Mapping[str, Any]], key: str | None = None) -> None:
    """Write rows of one table.

    Args:
        cursor: inside a transaction.
        name: the table.
        rows: all with the same columns.
        key: names of the key's columns; rows with a key that is there are replaced.  None only
            adds rows.
    """
    if not rows:
        return
    columns = list(rows[0])
    shape = [{column: _TYPES[name].get(column, "VARCHAR") for column in columns}]
    listed_names = ", ".join(f'"{column}"' for column in columns)
    change = ""
    if key is not None:
        changing = [column for column in columns if column not in key.split(", ")]
        change = f"ON CONFLICT ({key}) DO UPDATE SET " + ", ".join(
            f'"{c}" = excluded."{c}"' for c in changing
        )
    if len(rows) <= FEW:
        # Written out, one row takes half the time of one that is read out of JSON.
        lines = (f"({', '.join(literal(row[column]) for column in columns)})" for row in rows)
        values = f"VALUES {', '.join(lines)}"
        cursor.execute(f"INSERT INTO {name} ({listed_names}) {values} {change}")
        return
    # One text parameter for all rows: the same on every connection, and quick for thousands.
    cursor.execute(
        f"INSERT INTO {name} ({listed_names}) "
        f"SELECT unnest(from_json($rows, '{json.dumps(shape)}'), max_depth := 2) {change}",
        {"rows": json.dumps(rows, default=str)},
    )


def _release(cursor: Any, events: Iterable[Decision], stamp: datetime) -> None:
    """End the leases of people on items that they have decided on."""
    done: defaultdict[str, list[str]] = defaultdict(list)
    for event in events:
        if event.kind in (*VERDICTS, "adjudicate"):
            done[event.author].append(event.task_id)
    if done:
        theirs = (
            f"(holder = {literal(author)} AND task_id IN {among(tasks)})"
            for author, tasks in done.items()
        )
        cursor.execute(
            "UPDATE lease SET expires_at = $stamp "
            f"WHERE expires_at > $stamp AND ({' OR '.join(theirs)})",
            {"stamp": stamp},
        )


_RECORDS: Mapping[str, str] = {
    "seq": "SELECT 'seq', NULL, nextval('decision_seq')::VARCHAR, NULL, NULL FROM range({fresh})",
    "overlap": "SELECT 'overlap', NULL, arg_max(overlap, seq)::VARCHAR, NULL, NULL FROM curation",
    "events": "SELECT 'event', id, NULL, NULL, NULL FROM decision WHERE id IN {events}",
    "tasks": "SELECT 'task', id, NULL, NULL, NULL FROM task WHERE id IN {tasks}",
    "traces": """
        SELECT 'trace', id, task_id, program_id, CASE WHEN answer IS NOT NULL THEN 'ok' END
        FROM trace WHERE id IN {traces}
        """,
    "programs": "SELECT 'program', id, task_id, NULL, NULL FROM program WHERE id IN {programs}",
    "rationales": """
        SELECT 'rationale', id, trace_id, NULL, NULL FROM rationale WHERE id IN {rationales}
        """,
    "rated": f"""
        SELECT DISTINCT 'model', task_id, model, NULL, NULL
        FROM prediction WHERE rationale <> '' AND task_id IN {{rated}}
        UNION ALL SELECT DISTINCT 'model', task_id, '{PIPELINE}', NULL, NULL FROM rationale
        WHERE task_id IN {{rated}}
        """,
}
"""What the rules have to know of the project, by the records that events name (`_named`).

What is named by none is left out; the rest is one statement, since each is a journey where another
process owns the store.
"""


class _Records:
    """What the project holds of the records that some events name."""

    def __init__(self, cursor: Any, events: Sequence[Decision]) -> None:
        ids = _named(events)
        values = {name: among(sorted(some)) for name, some in ids.items()}
        sql = " UNION ALL ".join(
            part.format(fresh=len(events), **values)
            for name, part in _RECORDS.items()
            if ids.get(name, True)
        )
        rows: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for kind, *row in cursor.execute(sql).fetchall():
            rows[kind].append(tuple(row))
        self.numbers = sorted(int(number) for _, number, *_ in rows["seq"])
        """A place in the order of all events, for each of these."""
        self.overlap = int(rows["overlap"][0][1] or 1)
        self.events = frozenset(id for id, *_ in rows["event"])
        """Ids of these events that are stored already."""
        self._rows = {
            (kind, id): values
            for kind in ("task", "trace", "program", "rationale")
            for id, *values in rows[kind]
        }
        self._models: defaultdict[str, set[str]] = defaultdict(set)
        for task_id, model, *_ in rows["model"]:
            self._models[task_id].add(model)
        self._automatic = automatic(cursor, {id: row[0] for id, *row in rows["trace"]})
        self._steps = _events_of_traces(cursor, events)

    def facts(self, event: Decision) -> Facts:
        """What the rules ask about one of the events."""
        trace_task, trace_program, trace_ok = self._row("trace", event.trace_id)
        steps = self._steps.get(event.trace_id, ())
        return Facts(
            task=("task", event.task_id) in self._rows,
            trace_task=trace_task,
            trace_program=trace_program,
            trace_events=len(steps),
            trace_ok=trace_ok is not None,
            program_task=self._row("program", event.program_id)[0],
            rationale_trace=self._row("rationale", event.rationale_id)[0],
            models=frozenset(self._models.get(event.task_id, ())),
            automatic=self._automatic.get(event.trace_id or ""),
            tool=_tool(steps, event.step),
        )

    def _row(self, kind: str, id: str | None) -> Sequence[Any]:
        return self._rows.get((kind, id), (None, None, None))


def _named(events: Sequence[Decision]) -> dict[str, set[str]]:
    """The records that events name."""
    ids: dict[str, set[str | None]] = {
        "events": {event.id for event in events},
        "tasks": {event.task_id for event in events},
        "traces": {event.trace_id for event in events},
        "programs": {event.program_id for event in events},
        "rationales": {event.rationale_id for event in events},
        "rated": {event.task_id for event in events if event.kind == "rating"},
    }
    return {name: {id for id in some if id} for name, some in ids.items()}


def _events_of_traces(
    cursor: Any, events: Sequence[Decision]
) -> dict[str | None, Sequence[TraceEvent]]:
    """What happened in the traces of which a step is named, by trace."""
    traces = {event.trace_id for event in events if event.step is not None and event.trace_id}
    if not traces:
        return {}
    sql = f"SELECT id, events FROM trace WHERE id IN {IDS}"
    blobs = cursor.execute(sql, {"ids": id_list(sorted(traces))}).fetchall()
    return {id: decode_events(blob) for id, blob in blobs}


def _tool(steps: Sequence[TraceEvent], step: int | None) -> str | None:
    """The tool that a step calls.

    It is empty for a step of the program itself, and None where no step of the trace is named.
    """
    if step is None or not 0 <= step < len(steps):
        return None
    return str(steps[step].payload.get("tool", ""))


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
    """Stored events in their order.

    Args:
        database: the store.
        task_id: only events about this task.
        author: only events of this person.
        since: only events from this time on (UTC).
        until: only events before this time (UTC).
        after: only events behind this place: the `seq` of the last one that was read.
        limit: how many events at most.
    """
    rows = database.rows(
        """
        SELECT * FROM decision WHERE seq > $after AND ($task_id IS NULL OR task_id = $task_id)
        AND ($author IS NULL OR author = $author) AND ($since IS NULL OR created_at >= $since)
        AND ($until IS NULL OR created_at < $until) ORDER BY seq LIMIT $limit
        """,
        {
            "after": after,
            "task_id": task_id,
            "author": author,
            "since": since,
            "until": until,
            "limit": limit,
        },
    )
    return [to_decision(row) for row in rows]


def to_item(row: Mapping[str, Any]) -> Item:
    """An item from its row of `curated` or of the view `item`."""
    return Item(**{name: row[name] for name in Item.__slots__})


def to_standing(row: Mapping[str, Any]) -> Standing:
    """What a reviewer says of a task, from its row of `standing`."""
    return Standing(**{name: row[name] for name in Standing.__slots__})
