"""Curation of a project: deciding, the queue, settings, guidelines, ratings and figures, in one
place.

`project.curation` is this.  Times are UTC without a zone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from workbench.curate import rating
from workbench.curate.agreement import Agreement, VerdictConfusion
from workbench.curate.fold import History, Item, Standing
from workbench.curate.queue import Lease, QueueProgress, QueueRequest, Served
from workbench.curate.settings import Settings
from workbench.errors import InputError
from workbench.rationalize.check.faithful import check as check_rationale
from workbench.records import Decision, PartRef, Program, Rationale, Role, content_key, storable
from workbench.store.kernel.database import IDS, Database, id_list, now
from workbench.store.people import (
    accept_many,
    decisions,
    ratings,
    reviewing,
)
from workbench.store.people import queue as serving
from workbench.store.people.accept_many import Bulk
from workbench.store.people.reviewing import ReviewerFigures, ToolBlame
from workbench.store.reading import views
from workbench.store.reading.summary import bring_up_to_date
from workbench.store.records import rows as shape

PERSON = PartRef("writer", "person")
"""Writer of an edited rationale; who it was stands in the event."""
PERSON_SAMPLER = PartRef("sampler", "person")


@dataclass(frozen=True, slots=True)
class Recent:
    """One of a reviewer's last decisions."""

    decision: Decision
    undone: bool
    """It was taken back since."""


@dataclass(frozen=True, slots=True)
class Guideline:
    """One version of the guidelines."""

    version: str
    """Content key of the text."""
    text: str
    author: str
    created_at: datetime


class Curation:
    """What people said about a project, and what they are to look at next.

    Args:
        parts: every part of the project by key, asked for when needed.
        write: `Project.write_records`, for programs and rationales that people make.
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

    # --- deciding

    def decide(self, events: Sequence[Decision]) -> list[Decision]:
        """Store events, all or none, in their order; one that is stored already (a retry) changes
        nothing.

        Returns:
            Each as stored, with its place in the order.

        Raises: InputError: a rule is broken (`curate.rules`), or an id stands for something else
            already.
        """
        return self.database.transaction(lambda cursor: decisions.store(cursor, events))

    def edit_rationale(self, decision: Decision, text: str) -> Rationale:
        """A person's wording of a rationale: a new record beside its parent, checked against the
        trace.

        Args:
            decision: of kind `edit`, with the parent as `rationale_id` and without `made`.

        Raises:
            InputError: no such parent, nothing changed, or the event breaks a rule.
        """
        found = self.database.rows("SELECT * FROM rationale WHERE id = ?", [decision.rationale_id])
        if not found or found[0]["task_id"] != decision.task_id:
            raise InputError(
                f"task '{decision.task_id}' has no rationale '{decision.rationale_id}' to edit"
            )
        parent = shape.to_rationale(found[0], self._parts())
        ((task, program, trace),) = views.traced(self.database, self._parts(), [parent.trace_id])
        issues, citations = check_rationale(text, task, program, trace)
        made = Rationale(
            parent.id if text == parent.text else content_key("edit", parent.trace_id, text),
            parent.trace_id,
            task.id,
            text,
            parent.answer,
            citations,
            issues,
            PERSON,
        )
        event = replace(decision, made=made.id, trace_id=parent.trace_id)
        keys = shape.Keys()
        self._edit("rationale", shape.from_rationale(made, keys), keys, event)
        return made

    def edit_program(self, decision: Decision, source: str) -> Program:
        """A person's version of a program: a new record that names its parent; run it, then send it
        to the queue.

        Args:
            decision: of kind `edit`, with the parent as `program_id` and without `made`.

        Raises:
            InputError: no such parent, nothing changed, or the event breaks a rule.
        """
        found = self.database.rows("SELECT * FROM program WHERE id = ?", [decision.program_id])
        if not found or found[0]["task_id"] != decision.task_id:
            raise InputError(
                f"task '{decision.task_id}' has no program '{decision.program_id}' to edit"
            )
        parent = shape.to_program(found[0], self._parts())
        made = Program(
            parent.id if source == parent.source else content_key("edit", parent.id, source),
            parent.task_id,
            parent.index,
            source,
            parent.score,
            0,
            parent.seed,
            PERSON_SAMPLER,
            0.0,
            parent.id,
        )
        keys = shape.Keys()
        row = shape.from_program(made, keys, found[0]["base_seed"])
        self._edit("program", row, keys, replace(decision, made=made.id))
        return made

    def _edit(self, name: str, row: Mapping[str, Any], keys: shape.Keys, event: Decision) -> None:
        if event.kind != "edit":
            raise InputError(
                f"an edited {name} needs a decision of kind 'edit', found '{event.kind}'"
            )
        self._write(name, [row], keys, lambda cursor: decisions.store(cursor, [event]))

    def accept_all(
        self,
        task_ids: Sequence[str],
        author: str,
        role: Role,
        batch: str,
        guideline: str | None = None,
    ) -> Bulk:
        """Accept the kept trace of each of these tasks, with its rationale, as one batch (undo it
        by its id).
        """
        bring_up_to_date(self.database)
        return self.database.transaction(
            lambda cursor: accept_many.accept(
                cursor, task_ids, author, role, batch, guideline, now()
            )
        )

    def bulk_count(self, task_ids: Sequence[str], author: str) -> Bulk:
        """What `accept_all` would do now; nothing is written."""
        bring_up_to_date(self.database)
        return accept_many.count(self.database, task_ids, author, now())

    # --- what was said

    def item(self, task_id: str) -> Item:
        """What came of a task."""
        return self.items([task_id])[task_id]

    def items(self, task_ids: Sequence[str]) -> dict[str, Item]:
        """What came of these tasks; pending where nobody said anything."""
        sql = f"SELECT * FROM curated WHERE task_id IN {IDS}"
        found = {
            row["task_id"]: decisions.to_item(row)
            for row in self.database.rows(sql, {"ids": id_list(task_ids)})
        }
        needed = self.settings().overlap
        return {task_id: found.get(task_id) or Item(task_id, needed=needed) for task_id in task_ids}

    def standing(
        self, task_ids: Sequence[str] | None = None, author: str | None = None
    ) -> list[Standing]:
        """What each reviewer says of each task now, by task and name."""
        some = "" if task_ids is None else f"AND task_id IN {IDS}"
        sql = f"""
            SELECT * FROM standing WHERE kind <> 'none' AND ($author IS NULL OR author = $author) {some}
            ORDER BY task_id, author
            """
        given = {"author": author} | ({} if task_ids is None else {"ids": id_list(task_ids)})
        return [decisions.to_standing(row) for row in self.database.rows(sql, given)]

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
        """Events in their order; give the last one's `seq` as `after` to go on."""
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
        """Everything that bears on these tasks, and what follows from it: which events count, what
        came of each.
        """
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

    # --- settings and guidelines

    def settings(self) -> Settings:
        """The rules in force."""
        names = ", ".join(f'"{name}"' for name in Settings.__slots__)
        found = self.database.rows(f"SELECT {names} FROM curation ORDER BY seq DESC LIMIT 1")
        return Settings(**found[0]) if found else Settings()

    def set_settings(self, settings: Settings, author: str) -> None:
        """Put other rules in force; states that depend on the overlap follow at once."""

        def work(cursor: Any) -> None:
            before = decisions.overlap_in_force(cursor)
            row = {**asdict(settings), "author": author, "created_at": now()}
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join("?" for _ in row)
            cursor.execute(
                f"INSERT INTO curation (seq, {names}) VALUES (nextval('curation_seq'), {marks})",
                list(row.values()),
            )
            if settings.overlap != before:
                decisions.write_all_states(cursor, now())

        self.database.transaction(work)

    def add_guideline(self, text: str, author: str) -> Guideline:
        """Put a text in force; the text in force already is left as it is."""
        if not text.strip():
            raise InputError("the guidelines are empty; give a text file with words in it")
        cleaned = storable(text)
        found = Guideline(content_key("guideline", cleaned)[:12], cleaned, author, now())

        def work(cursor: Any) -> None:
            latest = cursor.execute("SELECT arg_max(version, seq) FROM guideline").fetchone()
            if latest[0] != found.version:
                cursor.execute(
                    "INSERT INTO guideline VALUES (nextval('guideline_seq'), ?, ?, ?, ?)",
                    [found.version, found.text, found.author, found.created_at],
                )

        self.database.transaction(work)
        held = self.guideline()
        assert held is not None
        return held

    def guideline(self, version: str | None = None) -> Guideline | None:
        """The guidelines in force, or this version; None where there are none."""
        return next((one for one in self.guidelines() if version in (None, one.version)), None)

    def guidelines(self) -> list[Guideline]:
        """Every text that was put in force, the newest first."""
        rows = self.database.rows(
            "SELECT version, text, author, created_at FROM guideline ORDER BY seq DESC"
        )
        return [Guideline(**row) for row in rows]

    # --- the queue

    def next_items(
        self, reviewer: str, role: Role, asked: QueueRequest | None = None, count: int = 1
    ) -> list[Served]:
        """Items to look at, leased to the reviewer: first those held already, then the next in
        order.

        Never an item that somebody else holds (unless several reviewers are asked for), nor one
        that the reviewer has decided on.  Empty: nothing is left; see `progress`.

        Raises:
            InputError: the role may not decide, or the search text is none.
        """
        return self._queue.next(
            reviewer, role, asked or QueueRequest(), count, self.settings(), now()
        )

    def progress(
        self, reviewer: str, role: Role, asked: QueueRequest | None = None
    ) -> QueueProgress:
        """Where the reviewer and the queue stand."""
        return self._queue.progress(reviewer, role, asked or QueueRequest(), self.settings(), now())

    def may_show(self, task_id: str, reviewer: str, role: Role) -> bool:
        """Whether the reviewer may see the automatic verdict and other people's on this task."""
        if not self.settings().hide_verdicts or self.standing([task_id], reviewer):
            return True
        return role in ("adjudicator", "admin") and self.item(task_id).state == "disputed"

    def renew(self, reviewer: str, task_id: str) -> Lease | None:
        """Hold an item for another while; None when the lease had run out: ask for it again with
        `next_items`.
        """
        moment = now()
        until = moment + timedelta(minutes=self.settings().lease_minutes)
        return serving.prolong(self.database, reviewer, task_id, until, moment)

    def release(self, reviewer: str, task_id: str) -> None:
        """Let go of an item."""
        moment = now()
        serving.prolong(self.database, reviewer, task_id, moment, moment)

    def leases(self, task_ids: Sequence[str] | None = None) -> list[Lease]:
        """Who holds what now."""
        return serving.live(self.database, now(), task_ids)

    # --- ratings

    def models_to_rate(self) -> dict[str, PartRef | None]:
        """What can be rated, by key: models with a rationale, and the programs' own (`pipeline`)."""
        rows = self.database.rows(
            "SELECT DISTINCT model FROM prediction WHERE rationale <> '' ORDER BY model"
        )
        found: dict[str, PartRef | None] = {
            row["model"]: self._parts()[row["model"]] for row in rows
        }
        return found | (
            {rating.PIPELINE: None} if self.database.rows("SELECT 1 FROM rationale LIMIT 1") else {}
        )

    def next_rating(
        self,
        reviewer: str,
        first: str,
        second: str,
        count: int = 1,
        sample: int | None = None,
        seed: int = 0,
    ) -> list[rating.Pair]:
        """Pairs that the reviewer has not rated, the same order for everybody; sides shuffled.

        Args:
            sample: of so many questions, drawn by the seed; None takes every one that both explain.
        """
        bring_up_to_date(self.database)
        return ratings.pairs(self.database, reviewer, first, second, count, sample, seed)

    def rating_progress(
        self, reviewer: str, first: str, second: str, sample: int | None = None, seed: int = 0
    ) -> tuple[int, int]:
        """How many questions of the sample the reviewer has rated, and how many it has."""
        return ratings.progress(self.database, reviewer, first, second, sample, seed)

    def ratings(self) -> list[Decision]:
        """Every rater's last word on each question and pair of models; `evaluate.human` counts
        them.
        """
        return ratings.last_ratings(self.database)

    # --- figures

    def reviewers(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> list[ReviewerFigures]:
        """Each reviewer's figures in a span of time."""
        return reviewing.reviewers(self.database, since, until)

    def agreement(self, until: datetime | None = None) -> list[Agreement]:
        """Cohen's kappa of every pair of reviewers with items in common, now or at a time."""
        return reviewing.agreement(self.database, until)

    def confusion(self) -> VerdictConfusion:
        """The automatic verdict against people."""
        return reviewing.confusion(self.database)

    def blame(self) -> list[ToolBlame]:
        """First wrong steps by tool."""
        return reviewing.blame(self.database)

    def reject_reasons(self) -> dict[str, int]:
        """Standing rejects by reason."""
        return reviewing.reasons(self.database)
