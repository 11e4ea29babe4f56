"""Curation of a project: decisions, the queue, settings, guidelines, ratings and figures.

`project.curation` is a `Curation`.  Times are UTC without a zone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from workbench.curate import rating
from workbench.curate.agreement import Agreement, VerdictConfusion
from workbench.curate.fold import History, Item, Standing
from workbench.curate.queue import Lease, QueueProgress, QueueRequest, Served
from workbench.curate.settings import Settings
from workbench.errors import InputError
from workbench.records import Decision, PartRef, Program, Rationale, Role
from workbench.store.kernel.database import Database, among, now
from workbench.store.kernel.local import day_begin
from workbench.store.people import (
    decide_many,
    decisions,
    edits,
    leases,
    ratings,
    reviewing,
    rules_in_force,
)
from workbench.store.people import queue as serving
from workbench.store.people.commit_group import CommitGroup
from workbench.store.people.decide_many import Bulk, Verdicts
from workbench.store.people.reviewing import ReviewerFigures, ToolBlame
from workbench.store.people.rules_in_force import Guideline
from workbench.store.reading import views
from workbench.store.reading.summary import bring_up_to_date
from workbench.store.records import rows as shape
from workbench.store.records.recalled import recall


@dataclass(frozen=True, slots=True)
class Recent:
    """One of a reviewer's last decisions."""

    decision: Decision
    undone: bool
    """Whether it was taken back since."""


def _check_parent(
    rows: Sequence[Mapping[str, Any]], decision: Decision, name: str, parent: str | None
) -> None:
    """Refuse an edit of something that its task does not have.

    Args:
        rows: what is stored under the parent's id.
        decision: of the edit.
        name: of what is edited, for the message.
        parent: id of the parent.

    Raises:
        InputError: there is no such parent.
    """
    if not rows or rows[0]["task_id"] != decision.task_id:
        raise InputError(f"task '{decision.task_id}' has no {name} '{parent}' to edit")


class Curation:
    """What people decide about a project, and what they are to look at next.

    Args:
        database: the project's store.
        parts: gives every part of the project, by key.
        write: `Project._write`, for programs and rationales that people make.
    """

    def __init__(
        self,
        database: Database,
        parts: Callable[[], Mapping[str, PartRef]],
        write: Callable[..., int],
    ) -> None:
        self.database = database
        self._parts = parts
        self._write = write
        self._queue = serving.Queue(database)
        self._group = CommitGroup(self._store, database.write_lock)
        self.clock: Callable[[], datetime] = now
        """What leases, rules and batches take for the present: UTC without a zone."""

    # --- deciding

    def decide(self, events: Sequence[Decision]) -> list[Decision]:
        """Store events in their order, all or none; one that is stored already changes nothing.

        What several threads store at the same time shares a transaction.

        Returns:
            Each as stored, with its place in the order.

        Raises:
            InputError: a rule is broken (`curate.rules`), or an id stands for another event.
        """
        named = (event.trace_id for event in events if event.step is not None)
        recall(self.database, {trace for trace in named if trace})
        return self._group.add(events)

    def _store(self, events: Sequence[Decision]) -> list[Decision]:
        return self.database.transaction(lambda cursor: decisions.store(cursor, events))

    def edit_rationale(self, decision: Decision, text: str) -> Rationale:
        """A person's wording of a rationale: a new record, checked against the trace.

        Args:
            decision: of kind `edit`, with the parent as `rationale_id` and without `made`.
            text: the new wording.

        Raises:
            InputError: there is no such parent, nothing changed, or the event breaks a rule.
        """
        rows = self.database.rows("SELECT * FROM rationale WHERE id = ?", [decision.rationale_id])
        _check_parent(rows, decision, "rationale", decision.rationale_id)
        parent = shape.to_rationale(rows[0], self._parts())
        [row] = views.traced(self.database, self._parts(), [parent.trace_id])
        edit = edits.edited_rationale(parent, row, text)
        event = replace(decision, made=edit.id, trace_id=parent.trace_id)
        keys = shape.Keys()
        self._edit("rationale", shape.from_rationale(edit, keys), keys, event)
        return edit

    def edit_program(self, decision: Decision, source: str) -> Program:
        """A person's version of a program: a new record that names its parent and has yet to run.

        Args:
            decision: of kind `edit`, with the parent as `program_id` and without `made`.
            source: the new program.

        Raises:
            InputError: there is no such parent, nothing changed, or the event breaks a rule.
        """
        rows = self.database.rows("SELECT * FROM program WHERE id = ?", [decision.program_id])
        _check_parent(rows, decision, "program", decision.program_id)
        program = edits.edited_program(shape.to_program(rows[0], self._parts()), source)
        keys = shape.Keys()
        row = shape.from_program(program, keys, rows[0]["base_seed"])
        self._edit("program", row, keys, replace(decision, made=program.id))
        return program

    def _edit(self, name: str, row: Mapping[str, Any], keys: shape.Keys, event: Decision) -> None:
        if event.kind != "edit":
            raise InputError(
                f"an edited {name} needs a decision of kind 'edit', found '{event.kind}'"
            )
        self._write(name, [row], keys, lambda cursor: decisions.store(cursor, [event]))

    def decide_all(self, task_ids: Sequence[str], verdicts: Verdicts, batch: str) -> Bulk:
        """Accept the kept trace of each of these tasks, with its rationale, or reject each task, as
        one batch.

        Args:
            task_ids: the tasks; those that are not open are left as they are.
            verdicts: what is said of each, and by whom.
            batch: id of the batch, by which it can be undone.

        Raises:
            InputError: a rule is broken (`curate.rules`).
        """
        bring_up_to_date(self.database)
        return self.database.transaction(
            lambda cursor: decide_many.store(cursor, task_ids, verdicts, batch, self.clock())
        )

    def bulk_count(self, task_ids: Sequence[str], verdicts: Verdicts) -> Bulk:
        """What `decide_all` would do now; nothing is written."""
        bring_up_to_date(self.database)
        return decide_many.count(self.database, task_ids, verdicts, self.clock())

    # --- states and events

    def item(self, task_id: str) -> Item:
        """The state of a task's review."""
        return self.items([task_id])[task_id]

    def items(self, task_ids: Sequence[str]) -> dict[str, Item]:
        """The states of these tasks' reviews; pending where nobody has decided."""
        sql = f"SELECT * FROM curated WHERE task_id IN {among(task_ids)}"
        by_task = {row["task_id"]: decisions.to_item(row) for row in self.database.rows(sql)}
        needed = self.settings().overlap
        return {
            task_id: by_task.get(task_id) or Item(task_id, needed=needed) for task_id in task_ids
        }

    def standing(
        self, task_ids: Sequence[str] | None = None, author: str | None = None
    ) -> list[Standing]:
        """The standing decision of each reviewer on each task, by task and name."""
        conditions = ["kind <> 'none'"]
        if task_ids is not None:
            conditions.append(f"task_id IN {among(task_ids)}")
        if author is not None:
            conditions.append("author = $author")
        sql = f"SELECT * FROM standing WHERE {' AND '.join(conditions)} ORDER BY task_id, author"
        rows = self.database.rows(sql, {} if author is None else {"author": author})
        return [decisions.to_standing(row) for row in rows]

    def events(
        self,
        *,
        task_id: str | None = None,
        author: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Decision]:
        """Events in their order.

        Args:
            task_id: only events about this task.
            author: only events of this person.
            since: only events from this time on (UTC).
            until: only events before this time (UTC).
            after: only events behind this place: the `seq` of the last one that was read.
            limit: how many events at most.
        """
        return decisions.events(
            self.database,
            task_id=task_id,
            author=author,
            since=since,
            until=until,
            after=after,
            limit=limit,
        )

    def history(self, task_ids: Iterable[str]) -> History:
        """The events that bear on these tasks, and what follows from them."""
        return decisions.history_of(self.database, task_ids)

    def recent(self, author: str, limit: int = 10) -> list[Recent]:
        """A reviewer's last events, the newest first."""
        rows = self.database.rows(
            "SELECT * FROM decision WHERE author = ? AND kind <> 'undo' ORDER BY seq DESC LIMIT ?",
            [author, limit],
        )
        history = self.history({row["task_id"] for row in rows})
        return [
            Recent(event, not history.counts(event)) for event in map(decisions.to_decision, rows)
        ]

    def tags(self, task_id: str | None = None) -> list[str]:
        """Every tag that stands, or those of one task, in the order of the alphabet."""
        sql = """
            SELECT DISTINCT text FROM active_decision
            WHERE kind = 'tag' AND ($task_id IS NULL OR task_id = $task_id) ORDER BY text
            """
        return [row["text"] for row in self.database.rows(sql, {"task_id": task_id})]

    # --- settings and guidelines

    def settings(self) -> Settings:
        """The rules in force."""
        return rules_in_force.settings(self.database)

    def set_settings(self, settings: Settings, author: str) -> None:
        """Put other rules in force; states that depend on the overlap change at once."""
        rules_in_force.set_settings(self.database, settings, author, self.clock())

    def add_guideline(self, text: str, author: str) -> Guideline:
        """Put guidelines in force; nothing changes where the text is in force already."""
        return rules_in_force.add_guideline(self.database, text, author, self.clock())

    def guideline(self, version: str | None = None) -> Guideline | None:
        """The guidelines in force, or this version; None where there are none."""
        return next((one for one in self.guidelines() if version in (None, one.version)), None)

    def guidelines(self) -> list[Guideline]:
        """Every text that was put in force, the newest first."""
        return rules_in_force.guidelines(self.database)

    # --- the queue

    def next_items(
        self, reviewer: str, role: Role, request: QueueRequest | None = None, count: int = 1
    ) -> list[Served]:
        """Items to look at, leased to the reviewer: first those leased before, then the next ones.

        It is never an item that somebody else has a lease on (unless items need several
        reviewers), nor one that the reviewer has decided on.  Nothing is left where the result is
        empty; see `progress`.

        Args:
            reviewer: who asks.
            role: the reviewer's role.
            request: which items are asked for; None takes all in the order of the settings.
            count: how many items at most.

        Raises:
            InputError: the role may not decide, or the search text cannot be understood.
        """
        return self._queue.next(
            reviewer, role, request or QueueRequest(), count, self.settings(), self.clock()
        )

    def upcoming(
        self, reviewer: str, role: Role, request: QueueRequest | None = None, count: int = 1
    ) -> list[str]:
        """Ids of the items that `next_items` would serve, gold ones left out; nothing is leased.

        Args:
            reviewer: who asks.
            role: the reviewer's role.
            request: which items are asked for; None takes all in the order of the settings.
            count: how many items at most.

        Raises:
            InputError: as `next_items` does.
        """
        return self._queue.upcoming(
            reviewer, role, request or QueueRequest(), count, self.settings(), self.clock()
        )

    def progress(
        self,
        reviewer: str,
        role: Role,
        request: QueueRequest | None = None,
        day: datetime | None = None,
    ) -> QueueProgress:
        """Where the reviewer and the queue stand.

        Args:
            reviewer: who asks.
            role: the reviewer's role.
            request: which items are asked for; None takes all in the order of the settings.
            day: when the reviewer's day began (UTC); None takes this machine's own day.

        Raises:
            InputError: the role may not decide, or the search text cannot be understood.
        """
        return self._queue.progress(
            reviewer,
            role,
            request or QueueRequest(),
            self.settings(),
            self.clock(),
            day or day_begin(),
        )

    def may_show(self, task_id: str, reviewer: str, role: Role) -> bool:
        """Whether a reviewer may see the automatic verdict on a task, and other people's decisions.

        Args:
            task_id: the task.
            reviewer: who looks.
            role: the reviewer's role.
        """
        return task_id in self.visible([task_id], reviewer, role)

    def visible(self, task_ids: Sequence[str], reviewer: str, role: Role) -> set[str]:
        """Those of some tasks whose automatic verdict, and what others said, a reviewer may see.

        Args:
            task_ids: the tasks.
            reviewer: who looks.
            role: the reviewer's role.
        """
        if not self.settings().hide_verdicts:
            return set(task_ids)
        open_tasks = {one.task_id for one in self.standing(task_ids, reviewer)}
        if role in ("adjudicator", "admin"):
            items = self.items([id for id in task_ids if id not in open_tasks])
            open_tasks |= {id for id, item in items.items() if item.state == "disputed"}
        return open_tasks

    def renew(self, reviewer: str, task_id: str) -> Lease | None:
        """Prolong a reviewer's lease; None where it has run out: ask again with `next_items`."""
        moment = self.clock()
        until = moment + timedelta(minutes=self.settings().lease_minutes)
        return leases.prolong(self.database, reviewer, task_id, until, moment)

    def release(self, reviewer: str, task_id: str) -> None:
        """End a reviewer's lease on an item."""
        moment = self.clock()
        leases.prolong(self.database, reviewer, task_id, moment, moment)

    def leases(self, task_ids: Sequence[str] | None = None) -> list[Lease]:
        """Leases that have not run out, of all tasks or of these."""
        return leases.live(self.database, self.clock(), task_ids)

    # --- ratings

    def models_to_rate(self) -> dict[str, PartRef | None]:
        """What can be rated, by key: models with rationales, and the `pipeline`'s own."""
        rows = self.database.rows(
            "SELECT DISTINCT model FROM prediction WHERE rationale <> '' ORDER BY model"
        )
        models: dict[str, PartRef | None] = {
            row["model"]: self._parts()[row["model"]] for row in rows
        }
        if self.database.rows("SELECT 1 FROM rationale LIMIT 1"):
            models[rating.PIPELINE] = None
        return models

    def next_rating(
        self,
        reviewer: str,
        first: str,
        second: str,
        count: int = 1,
        sample: int | None = None,
        seed: int = 0,
        kind: str = "",
    ) -> list[rating.TwoAnswers]:
        """Pairs that a reviewer has not rated, in the same order for everybody; sides shuffled.

        Args:
            reviewer: who is to rate.
            first: a key of `models_to_rate`.
            second: another one.
            count: how many pairs at most.
            sample: how many questions are rated of those that both explain; None takes all.
            seed: of the sample and the order.
            kind: `knowledge` or `sight` for questions that take it alone; empty for all.

        Raises:
            InputError: the two are one, or have no question in common.
        """
        bring_up_to_date(self.database)
        return ratings.pairs(self.database, reviewer, first, second, count, sample, seed, kind)

    def rating_progress(
        self,
        reviewer: str,
        first: str,
        second: str,
        sample: int | None = None,
        seed: int = 0,
        kind: str = "",
    ) -> tuple[int, int]:
        """How many questions of the sample a reviewer has rated, and how many the sample has.

        Args:
            reviewer: who rates.
            first: a key of `models_to_rate`.
            second: another one.
            sample: how many questions are rated of those that both explain; None takes all.
            seed: of the sample.
            kind: as `next_rating` takes it.
        """
        return ratings.progress(self.database, reviewer, first, second, sample, seed, kind)

    def ratings(self) -> list[Decision]:
        """Every rater's last rating of each question and pair; `evaluate.human` counts them."""
        return ratings.last_ratings(self.database)

    # --- figures

    def reviewers(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        zone: tzinfo | None = None,
    ) -> list[ReviewerFigures]:
        """Each reviewer's figures in a span of time.

        Args:
            since: UTC, included; None for the beginning.
            until: UTC, not included; None for now.
            zone: whose days are counted; None for this machine's own zone.
        """
        return reviewing.reviewers(self.database, since, until, zone)

    def agreement(self, until: datetime | None = None) -> list[Agreement]:
        """Cohen's kappa of every pair of reviewers with items in common, now or at a time."""
        return reviewing.agreement(self.database, until)

    def confusion(self) -> VerdictConfusion:
        """Automatic verdicts against people's decisions."""
        return reviewing.confusion(self.database)

    def blame(self) -> list[ToolBlame]:
        """First wrong steps by tool."""
        return reviewing.blame(self.database)

    def reject_reasons(self) -> dict[str, int]:
        """Standing rejects by reason."""
        return reviewing.reasons(self.database)
