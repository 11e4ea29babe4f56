"""The queue: the next items in order, each leased in the transaction that hands it out.

Items whose kept run the checks for wrong reasons flag come first, whatever the order.

Candidates are the rows of `outcome` (one per question, kept by `summary.py`), joined to what was
decided and to the leases; DuckDB reads only the columns that the order and the filter need, which
takes milliseconds for hundreds of thousands of questions.  A task has as many slots as it may have
reviewers; two processes that want the same slot write the same row of `lease`, so that one of them
has to begin again and finds it taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from workbench.curate import predict
from workbench.curate.fold import VERDICTS
from workbench.curate.queue import (
    Lease,
    QueueProgress,
    QueueRequest,
    Served,
    gold_turn,
    to_come,
    why,
)
from workbench.curate.settings import Settings
from workbench.errors import InputError
from workbench.evidence import FLAGGED
from workbench.records import Role
from workbench.store.kernel.database import IDS, Database, id_list
from workbench.store.people import leases, reviewed
from workbench.store.people.facts import FACTS, SETTLED
from workbench.store.reading.search import parse_query
from workbench.store.reading.summary import bring_up_to_date
from workbench.store.reading.where import Where

_COLUMNS_OF_FACTS = ", ".join(f"{sql} AS {name}" for name, sql in FACTS.items())

_RANKS = {
    "disagreement": "coalesce(siblings, -1)",
    "student": "coalesce(apart, -1)",
    "newest": "epoch_us(updated_at)",
    "random": "hash(id || $seed)",
    "suspicion": "coalesce((SELECT suspicion FROM trace_check WHERE trace_id = chosen), -1)",
}
"""What an order sorts by, descending."""

_CRITIC = "coalesce((SELECT score FROM critic_score WHERE trace_id = chosen), 0)"
"""What the order `acceptance` sorts by where a critic is in force; a run that it has not scored
comes last."""

_FORM = r"""regexp_replace({}, '"[^"]*"|''[^'']*''|[0-9]+', '_', 'g')"""
"""A text without what differs between similar ones: numbers, and words in quotes."""

_LIKENESS = {
    "picture": "(SELECT image FROM task WHERE task.id = outcome.id)",
    "program": f"""(
        SELECT {_FORM.format("source")} FROM program
        WHERE program.id = (SELECT program_id FROM trace WHERE trace.id = outcome.chosen)
    )""",
    "rationale": f"""(
        SELECT {_FORM.format("arg_max(text, created_at)")} FROM rationale
        WHERE rationale.trace_id = outcome.chosen
    )""",
}
"""What items of an order have in common that brings them together."""

_RANKS |= dict.fromkeys(_LIKENESS, "row(count(*) OVER (PARTITION BY likeness), likeness)")


class Queue:
    """The items of one store, handed out to reviewers."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._model: tuple[int, predict.AcceptanceModel | str] | None = None

    def next(
        self,
        reviewer: str,
        role: Role,
        request: QueueRequest,
        count: int,
        settings: Settings,
        moment: datetime,
    ) -> list[Served]:
        """The next items of a reviewer, each leased to the reviewer.

        Args:
            reviewer: who asks.
            role: the reviewer's role.
            request: which items are asked for, and in which order.
            count: how many at most.
            settings: the rules in force.
            moment: the time now (UTC).

        Raises:
            InputError: the role may not decide, or the search text cannot be understood.
        """
        regular, parameters, order = self._next_query(
            reviewer, role, request, count, settings, moment
        )
        until = moment + timedelta(minutes=settings.lease_minutes)
        # Any gold item will do: one that the filter leaves out looks like any other.  None comes
        # where nothing else does: it would be known for what it is.
        gold = f"""
            WITH {_LIVE}
            SELECT {_PICKED} FROM (
                SELECT id, siblings, apart, NULL AS alike, updated_at FROM outcome
            ) AS o
            JOIN (
                SELECT task_id, NULL AS asked, NULL AS asked_by FROM curated WHERE gold IS NOT NULL
            ) AS c ON c.task_id = o.id
            LEFT JOIN live ON live.task_id = o.id
            WHERE o.id NOT IN (SELECT task_id FROM standing WHERE author = $me AND kind <> 'none')
            ORDER BY hash(o.id || $me) LIMIT {count}
            """

        def work(cursor: Any) -> list[Served]:
            rows = _rows(cursor, regular, parameters)
            if rows and _has_gold(request, settings):
                sql = f"SELECT count(*) FROM decision WHERE author = $me AND kind IN {VERDICTS}"
                (decided,) = cursor.execute(sql, {"me": reviewer}).fetchone()
                turns = [
                    gold_turn(reviewer, decided + at, settings.gold_rate) for at in range(count)
                ]
                if any(turns):
                    rows = _mixed(rows, _rows(cursor, gold, parameters), turns)[:count]
            served = []
            for row in rows:
                lease = Lease(row["id"], reviewer, row["since"] or moment, until)
                slots = row["slots"] or []
                free = next(slot for slot in range(len(slots) + 1) if slot not in slots)
                slot = row["slot"] if row["slot"] is not None else free
                served.append((slot, lease, row))
            leases.grant(cursor, [(slot, lease) for slot, lease, _ in served])
            visible = not settings.hide_verdicts or request.state == "disputed"
            return [
                Served(lease.task_id, lease, why(order, row), visible) for _, lease, row in served
            ]

        return self.database.transaction(work)

    def upcoming(
        self,
        reviewer: str,
        role: Role,
        request: QueueRequest,
        count: int,
        settings: Settings,
        moment: datetime,
    ) -> list[str]:
        """Ids of the items that `next` would give; nothing is leased, and gold items are left out.

        Args:
            reviewer: who asks.
            role: the reviewer's role.
            request: which items are asked for, and in which order.
            count: how many at most.
            settings: the rules in force.
            moment: the time now (UTC).
        """
        sql, parameters, _ = self._next_query(reviewer, role, request, count, settings, moment)
        return [row["id"] for row in self.database.rows(sql, _used(sql, parameters))]

    def _next_query(
        self,
        reviewer: str,
        role: Role,
        request: QueueRequest,
        count: int,
        settings: Settings,
        moment: datetime,
    ) -> tuple[str, dict[str, Any], str]:
        """The query of the next items, its parameters, and the name of the order in force.

        Args:
            reviewer: who asks.
            role: the reviewer's role.
            request: which items are asked for, and in which order.
            count: how many at most.
            settings: the rules in force.
            moment: the time now (UTC).
        """
        _check(reviewer, role, request)
        order, _, rank = self._order(request, settings)
        items, parameters = self._items(reviewer, request, (order, rank), settings, moment)
        sql = f"""
            {items} SELECT {_PICKED} FROM candidate WHERE wanted AND (own OR free)
            ORDER BY own DESC, asked_seq IS NULL, flagged DESC, rank DESC, seq LIMIT {count}
            """
        return sql, parameters, order

    def progress(
        self,
        reviewer: str,
        role: Role,
        request: QueueRequest,
        settings: Settings,
        moment: datetime,
        day: datetime,
    ) -> QueueProgress:
        """Where a reviewer and the queue stand.

        Args:
            reviewer: who asks.
            role: the reviewer's role.
            request: which items are asked for, and in which order.
            settings: the rules in force.
            moment: the time now (UTC).
            day: when the reviewer's day began (UTC).

        Raises:
            InputError: the role may not decide, or the search text cannot be understood.
        """
        _check(reviewer, role, request)
        order, note, rank = self._order(request, settings)
        items, parameters = self._items(reviewer, request, (order, rank), settings, moment)
        sql = f"""
            {items} SELECT
                count(*) FILTER (wanted AND (own OR free)) AS remaining,
                (SELECT count(DISTINCT task_id) FROM lease
                    WHERE expires_at > $moment AND holder <> $me) AS held,
                (SELECT count(*) FROM curated WHERE state = 'disputed') AS disputed,
                (SELECT count(*) FROM curated WHERE state = 'skipped') AS skipped,
                (SELECT count(*) FROM standing
                    WHERE author = $me AND kind <> 'none' AND created_at >= $day) AS today,
                (SELECT median(seconds) FROM decision
                    WHERE author = $me AND kind IN {VERDICTS}) AS seconds,
                (SELECT count(*) FROM decision
                    WHERE author = $me AND kind IN {VERDICTS}) AS decided,
                (SELECT count(*) FROM outcome SEMI JOIN curated
                    ON curated.task_id = outcome.id AND curated.gold IS NOT NULL
                    WHERE id NOT IN (SELECT task_id FROM standing
                        WHERE author = $me AND kind <> 'none')) AS gold
            FROM candidate
            """
        row = self.database.rows(sql, _used(sql, {**parameters, "day": day}))[0]
        gold = row["gold"] if _has_gold(request, settings) else 0
        remaining = to_come(row["remaining"], gold, reviewer, row["decided"], settings.gold_rate)
        return QueueProgress(
            remaining,
            row["held"],
            row["disputed"],
            row["skipped"],
            row["today"],
            settings.daily_goal,
            row["seconds"],
            order,
            note,
        )

    def _order(self, request: QueueRequest, settings: Settings) -> tuple[str, str, str]:
        """Name of the order in force, why it is not the requested one, and the SQL it sorts by."""
        order = request.order or settings.order
        if order != "acceptance":
            return order, "", _RANKS[order]
        if reviewed.in_force(self.database) is not None:
            return order, "", _CRITIC
        model = self.model()
        if isinstance(model, str):
            return "disagreement", f"{model}; ordered by disagreement", _RANKS["disagreement"]
        terms = [f"{weight!r} * {FACTS[name]}" for name, weight in model.weights.items()]
        return order, "", " + ".join([repr(model.intercept), *terms])

    def model(self) -> predict.AcceptanceModel | str:
        """What reviewers accept, learnt again after every ten decided items.

        Where nothing can be learnt the result is the reason, in words.  Items that were decided in
        batches alone teach nothing: nobody looked at each.
        """
        n = self.database.rows(f"SELECT count(*) AS n FROM curated WHERE {SETTLED}")[0]["n"]
        if self._model is None or self._model[0] != n // 10:
            rows = self.settled_rows()
            self._model = n // 10, predict.fit(rows, [row["yes"] for row in rows])
        return self._model[1]

    def settled_rows(self) -> list[dict[str, Any]]:
        """`predict.FEATURES` of every question that people looked at and decided on, and under
        `yes` whether it was accepted; by id.
        """
        bring_up_to_date(self.database)
        return self.database.rows(
            f"""
            SELECT * FROM (SELECT id, {_COLUMNS_OF_FACTS} FROM outcome)
            JOIN (SELECT task_id, coalesce(outcome, state) IN ('accept', 'accepted') AS yes
                FROM curated WHERE {SETTLED}) ON task_id = id
            ORDER BY id
            """
        )

    def pending_rows(self) -> dict[str, dict[str, Any]]:
        """`predict.FEATURES` of every question that nobody has decided on, by id."""
        bring_up_to_date(self.database)
        rows = self.database.rows(
            f"""
            SELECT id, {_COLUMNS_OF_FACTS} FROM outcome
            WHERE id NOT IN (SELECT task_id FROM curated WHERE state NOT IN ('pending', 'skipped'))
            """
        )
        return {row["id"]: row for row in rows}

    def _items(
        self,
        reviewer: str,
        request: QueueRequest,
        order: tuple[str, str],
        settings: Settings,
        moment: datetime,
    ) -> tuple[str, dict[str, Any]]:
        """Named queries that end in `candidate`, and their parameters.

        Args:
            reviewer: who asks.
            request: which items are asked for.
            order: its name, and the SQL it sorts by.
            settings: the rules in force.
            moment: the time now (UTC).
        """
        name, rank = order
        source, alike = "outcome", "NULL"
        if name in _LIKENESS:
            source = f"(SELECT *, {_LIKENESS[name]} AS likeness FROM outcome)"
            alike = "count(*) OVER (PARTITION BY likeness)"
        where = Where(self.database, parse_query(request.text), bring_up_to_date(self.database))
        fits = [where.sql()]
        parameters: dict[str, Any] = {
            **where.values,
            "me": reviewer,
            "moment": moment,
            "overlap": settings.overlap,
            "split": request.split,
            "family": request.family,
            "seed": str(request.seed),
            "flagged": FLAGGED,
            "status": id_list(request.status),
        }
        if request.split is not None:
            fits.append("split = $split")
        if request.family is not None:
            fits.append("family = $family")
        eligible = "status IN (SELECT unnest(from_json($status, '[\"VARCHAR\"]')))"
        if request.tasks is not None:
            fits.append(f"id IN {IDS}")
            parameters["ids"] = id_list(request.tasks)
            eligible = "true"
        if request.without:
            fits.append(f"id NOT IN {IDS.replace('$ids', '$without')}")
            parameters["without"] = id_list(request.without)
        sql = f"""
        WITH {_LIVE},
        fitting AS (
            SELECT id, seq, siblings, apart, {alike} AS alike, {rank} AS rank,
                {eligible} AS wanted,
                coalesce(chosen IN (
                    SELECT trace_id FROM trace_check WHERE suspicion >= $flagged
                ), false) AS flagged
            FROM {source}
            WHERE {" AND ".join(fits)}
        ),
        candidate AS (
            SELECT id, fitting.seq, siblings, apart, alike, rank, flagged, asked, asked_by,
                asked_seq, slots, slot, since, coalesce(own, false) AS own,
                {_WANTED[request.state]} AS wanted,
                coalesce(held, 0)
                    + CASE WHEN state = 'pending' AND asked_seq IS NULL THEN votes ELSE 0 END
                    < {"1" if request.state == "disputed" else "$overlap"} AS free
            FROM fitting LEFT JOIN curated ON curated.task_id = fitting.id
            LEFT JOIN live ON live.task_id = fitting.id
            LEFT JOIN (
                SELECT task_id, seq FROM standing WHERE author = $me AND kind <> 'none'
            ) AS mine ON mine.task_id = fitting.id
        )
        """
        return sql, parameters


_LIVE = """
live AS (
    SELECT task_id, count(*) AS held, bool_or(holder = $me) AS own, list(slot) AS slots,
        max(slot) FILTER (holder = $me) AS slot, max(granted_at) FILTER (holder = $me) AS since
    FROM lease WHERE expires_at > $moment GROUP BY task_id
)"""

_WANTED = {
    "pending": """(
        (wanted AND mine.seq IS NULL AND coalesce(state, 'pending') IN ('pending', 'skipped'))
        OR (asked_seq IS NOT NULL AND coalesce(mine.seq, -1) < asked_seq)
    )""",
    "skipped": "coalesce(state = 'skipped', false)",
    "disputed": "coalesce(state = 'disputed', false)",
}


_COLUMNS = ("id", "siblings", "apart", "alike", "asked", "asked_by", "slots", "slot", "since")
_PICKED = ", ".join(_COLUMNS)


def _check(reviewer: str, role: Role, request: QueueRequest) -> None:
    if role == "viewer":
        raise InputError(
            f"{reviewer} may look but not decide (role viewer); ask an admin for the role curator"
        )
    if request.state == "disputed" and role not in ("adjudicator", "admin"):
        raise InputError(
            f"disputes belong to the roles adjudicator and admin; {reviewer} is {role}"
        )


def _has_gold(request: QueueRequest, settings: Settings) -> bool:
    """Whether gold items come among those that are asked for."""
    mixed = request.gold and request.state == "pending" and request.tasks is None
    return mixed and settings.gold_rate > 0


def _used(sql: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if f"${name}" in sql}


def _rows(cursor: Any, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    rows = cursor.execute(sql, _used(sql, parameters)).fetchall()
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def _mixed(
    regular: list[dict[str, Any]], gold: list[dict[str, Any]], turns: Sequence[bool]
) -> list[dict[str, Any]]:
    """Gold items at their turns, as long as there are any."""
    gold, regular = list(gold), list(regular)
    mixed = []
    for turn in turns:
        source = gold if turn and gold else regular
        if source:
            mixed.append(source.pop(0))
    return mixed
