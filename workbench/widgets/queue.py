"""ReviewQueue: one question after the other, decided in a cell; stored as from the page Curate."""

from __future__ import annotations

import atexit
import getpass
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, cast
from weakref import WeakValueDictionary

import traitlets

from workbench.curate.queue import QueueRequest, Served
from workbench.errors import InputError, WorkbenchError
from workbench.local_files import real_path
from workbench.records import REASON_WORDS, REASONS, Decision, Reason, Role
from workbench.screen.decide import Say, decide, person_event
from workbench.screen.player import PlayerModel
from workbench.screen.review import Items, QuestionItem
from workbench.screen.views import PictureView
from workbench.store import Project
from workbench.store.people.decisions import to_columns
from workbench.widgets import pictures, plain
from workbench.widgets.base import script
from workbench.widgets.current import current
from workbench.widgets.playing import Playing

State = Literal["pending", "skipped", "disputed"]


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who decides in this kernel."""

    name: str
    role: Role


class ReviewQueue(Playing):
    """Decide on questions: a accepts, r and a digit rejects, s skips, u takes back, e edits, [ and
    ] change the program.

    What each key does is a method as well (`accept`, `reject`, `skip`, `undo`, `mark_wrong`).
    Traits: `task`, `left`, `decided`, `last` (read them); `candidate`, `step`, `wording`, `note`
    (both ways).  The question on screen is leased to the reviewer, and given back by `close`.

    Args:
        project: whose questions; the notebook's own when left out.
        name: whose decisions they are; the user of this machine when left out.
        role: of that person.
        text: a search as in Browse.
        order: one of `workbench.curate.settings.ORDERS`; the project's when left out.
        state: which queue, as in `workbench.curate.queue.QueueRequest`.

    Raises:
        InputError: there is no project, the role may not decide, or the search is not one.
    """

    _esm = script("playing.js", "queue.js")
    item = traitlets.Dict().tag(sync=True)
    """What is seen of the question (`workbench.screen.review.Items.item`), runs left out."""
    task = traitlets.Unicode().tag(sync=True)
    """Id of the question; empty when none is left."""
    candidate = traitlets.Int().tag(sync=True)
    """Place of the program shown among the question's."""
    wording = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    """Another wording of the rationale, kept when the question is accepted."""
    note = traitlets.Unicode().tag(sync=True)
    left = traitlets.Int().tag(sync=True)
    decided = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """Ids of the decisions made here that stand."""
    last = traitlets.Dict().tag(sync=True)
    """The last event as stored."""
    problem = traitlets.Unicode().tag(sync=True)
    """What happened to the question meanwhile, in words."""
    reasons: traitlets.List[list[str | int]] = traitlets.List().tag(sync=True)

    _open: ClassVar[WeakValueDictionary[tuple[str, str], ReviewQueue]] = WeakValueDictionary()

    def __init__(
        self,
        project: Project | None = None,
        *,
        name: str | None = None,
        role: Role = "admin",
        text: str = "",
        order: str | None = None,
        state: State = "pending",
    ) -> None:
        self._project = current(project)
        self._person = Reviewer(name or _user(), role)
        self._request = QueueRequest(order=order, text=text, state=state)
        self._items = Items(self._project, self._picture_of)
        self._models: dict[str, PlayerModel] = {}
        """Runs of the question on screen, by the id of the trace."""
        key = (str(real_path(self._project.path)), self._person.name)
        before = self._open.get(key)
        if before is not None:  # the cell was run again: its question goes over to this queue
            before.close()
        super().__init__(
            reasons=[[digit, reason, REASON_WORDS[reason]] for digit, reason in REASONS.items()]
        )
        self._open[key] = self
        atexit.register(self._release)
        self._next()

    # --- deciding

    def accept(self) -> Decision:
        """Accept the program shown, with `wording` where one was written, and go on."""
        one = self._current_program()
        if one is None or one["answer"] is None:
            raise InputError("this run gave no answer; choose another program, or reject")
        edited = self.wording if self.wording not in (None, "", one["text"]) else None
        return self._say("accept", rationale=one["rationale"], edited=edited)

    def reject(self, reason: Reason | int, text: str = "") -> Decision:
        """Reject the question and go on.

        Args:
            reason: by name or by its digit (`workbench.records.REASONS`).
            text: words; `other` needs some.
        """
        named = REASONS.get(reason) if isinstance(reason, int) else reason
        if named not in REASON_WORDS:
            raise InputError(
                f"no reason is called {reason!r}; there are: {', '.join(REASON_WORDS)}"
            )
        return self._say("reject", reason=named, **({"text": text} if text else {}))

    def skip(self) -> Decision:
        """Leave the question to later, and go on."""
        return self._say("skip")

    def mark_wrong(self, step: int) -> Decision:
        """Mark the first wrong step of the run shown; the same step again takes the mark back."""
        one = self._current_program()
        if one is None or not 0 <= step < len(self.steps):
            raise InputError(f"the run shown has no step {step}")
        if self._mark is not None and self.wrong == step:
            event = person_event(self._person, _new(), "undo", task_id=self.task, target=self._mark)
        else:
            raw = self.steps[step].raw
            at = raw[0]["seq"] if raw else 0
            event = person_event(
                self._person,
                _new(),
                "wrong_step",
                task_id=self.task,
                trace_id=one["trace"],
                step=at,
            )
        stored = self._store(self._project.curation.decide([event])[0])
        if stored.kind == "wrong_step":
            self._mark, self.wrong = stored.id, step
        else:
            self._mark, self.wrong = None, None
        self._models.pop(one["trace"], None)
        return stored

    def undo(self) -> Decision:
        """Take back the last decision made here, else the reviewer's last one, and show its
        question again.
        """
        recent = self._project.curation.recent(self._person.name, 50)
        kinds = ("accept", "reject", "skip", "adjudicate")
        decisions = [
            one.decision for one in recent if not one.undone and one.decision.kind in kinds
        ]
        here = [one for one in decisions if one.id in self.decided[-1:]]
        if not decisions:
            raise InputError("there is no decision to take back")
        target = (here or decisions)[0]
        event = person_event(self._person, _new(), "undo", task_id=target.task_id, target=target.id)
        stored = self._store(self._project.curation.decide([event])[0])
        self.decided = [one for one in self.decided if one != target.id]
        self._next(target.task_id)
        return stored

    def close(self) -> None:
        """Give the question back, and end the widget."""
        self._release()
        atexit.unregister(self._release)
        super().close()

    # --- what the page asks

    def answer(self, request: Mapping[str, Any]) -> Any:
        do = request.get("do")
        if do == "hold":
            return self._hold()
        if do not in ("accept", "reject", "skip", "undo", "wrong"):
            return super().answer(request)
        if do != "undo" and request.get("task") != self.task:
            raise InputError("that question is no longer here; nothing was stored")
        self._event, self._seconds = request.get("event"), request.get("seconds")
        try:
            return self._decide(do, request).id
        finally:
            self._event, self._seconds = None, None

    def _decide(self, do: str, request: Mapping[str, Any]) -> Decision:
        """Store the decision that a key of the page stands for."""
        if do == "undo":
            return self.undo()
        if do == "wrong":
            return self.mark_wrong(int(request["step"]))
        # the page's fields may be ahead of the traits
        self.candidate, self.note = request["candidate"], request["note"]
        self.wording = request["wording"]
        if do == "reject":
            return self.reject(int(request["digit"]))
        return self.accept() if do == "accept" else self.skip()

    _event: str | None = None
    """Id of the decision that the page made, so that a retry is the same event."""
    _seconds: float | None = None
    _leased = ""
    """The question to give back at the end."""
    _mark: str | None = None
    """The event that marked the first wrong step of the run shown."""

    # --- the line

    def _say(self, kind: Literal["accept", "reject", "skip"], **more: Any) -> Decision:
        one = self._current_program()
        ruling = self._request.state == "disputed"
        if ruling and kind == "skip":
            raise InputError("a dispute is settled or left; it cannot be skipped")
        guideline = self._project.curation.guideline()
        values: dict[str, Any] = {
            "trace": one["trace"] if one else None,
            "text": self.note,
            "seconds": self._seconds,
            "guideline": guideline.version if guideline else None,
            "hidden": self.item["hidden"],
            "at": datetime.now(UTC),
            "verdict": kind if ruling else None,
            **more,
        }
        say = Say(self._event or _new(), self.task, "adjudicate" if ruling else kind, **values)
        stored = self._store(decide(self._project, self._person, say))
        self.decided = [*self.decided, stored.id]
        self._next()
        return stored

    def _store(self, event: Decision) -> Decision:
        columns = to_columns(event)
        self.last = {
            name: value for name, value in columns.items() if isinstance(value, str | int | float)
        }
        return event

    def _candidate(self) -> Mapping[str, Any] | None:
        """The run of the item that is open, if it has any."""
        candidates = self.item.get("candidates") or []
        return cast("Mapping[str, Any]", candidates[self.candidate]) if candidates else None

    def _current_program(self) -> Mapping[str, Any] | None:
        """The run that is open, of the question on screen, if it has any."""
        if not self.task:
            raise InputError("no question is on screen")
        return self._candidate()

    def _next(self, task: str | None = None) -> None:
        """Lease a question (this one, or the next) and show it; the fields are emptied."""
        person = self._person
        served = self._lease_one(task) if task is not None else []
        served = served or self._lease_next()
        progress = self._project.curation.progress(person.name, person.role, self._request)
        item: dict[str, Any] = {"none": asdict(progress), "at": 0}
        self._models = {}
        if served:
            one = served[0]
            self._leased = one.task_id
            question = self._items.item(person, one.task_id, one.why, one.lease)
            self._models = {
                run.trace: run.model for run in question.candidates if run.model is not None
            }
            item = _without_models(question)
        with self.hold_sync():
            self.left, self.note, self.problem = progress.remaining, "", ""
            self.task, self.item = item.get("task", ""), item
            if self.candidate == item["at"]:
                self._draw()
            self.candidate = item["at"]

    def _lease_one(self, task: str) -> list[Served]:
        """Lease this question, in place of the one on screen."""
        self._release()
        state: State = "disputed" if self._request.state == "disputed" else "pending"
        request = QueueRequest(tasks=(task,), state=state)
        return self._project.curation.next_items(self._person.name, self._person.role, request)

    def _lease_next(self) -> list[Served]:
        """Lease the next question.

        Another window of the same person may hold questions: those come only when nothing else is
        left.
        """
        curation, person = self._project.curation, self._person
        leased = {lease.task_id for lease in curation.leases() if lease.holder == person.name}
        items = curation.next_items(person.name, person.role, self._request, len(leased) + 1)
        served = [one for one in items if one.task_id not in leased] or list(items)
        for extra in served[1:]:
            if extra.task_id not in leased:
                curation.release(person.name, extra.task_id)
        return served

    @traitlets.validate("candidate")
    def _among(self, proposal: Any) -> int:
        return min(max(int(proposal.value), 0), max(len(self.item.get("candidates") or []) - 1, 0))

    def _picture_of(self, digest: str) -> PictureView:
        """A picture as the player takes it; the first one of a question comes as bytes."""
        return pictures.of_project(self._project.images, digest)[1]

    @traitlets.observe("candidate")
    def _draw(self, _: object = None) -> None:
        """Show the run of the program chosen; what was written is of another one."""
        one, self.wording = self._candidate(), None
        if one is None:
            self.clear()
            return
        trace = one["trace"]
        model = self._models.get(trace) or self._items.candidate(self._person, self.task, trace)
        self._models[trace], self._mark = model, model.mark
        run = self._project.run_view(trace)[1]
        self.images = self._project.images
        images = self._project.images
        picture = pictures.of_project(images, model.picture.image)[0]
        more = [replace(one, url=pictures.address(images, one.image)) for one in model.picture.more]
        model = replace(model, picture=replace(model.picture, more=more))
        self.play(model, self._items.steps(run, model.picture), picture)

    def _hold(self) -> str:
        """Keep the question; take it again where the lease ran out, and leave it where somebody
        else has it now.
        """
        if self.task and self._project.curation.renew(self._person.name, self.task) is None:
            task = self.task
            served = self._project.curation.next_items(
                self._person.name, self._person.role, QueueRequest(tasks=(task,))
            )
            if not served:
                self._next()
                self.problem = (
                    "Your hold on the last question ran out, and somebody else has it now."
                )
        return self.task

    def _release(self) -> None:
        task, self._leased = self._leased, ""
        if task:
            with suppress(WorkbenchError):
                self._project.curation.release(self._person.name, task)

    def plain(self) -> str:
        if not self.task:
            return f"<p>No question is left to decide; {len(self.decided)} were decided here.</p>"
        question = f"<p><b>{plain.text(self.item['question'])}</b></p>"
        gold = f"<p>expected {plain.text(self.item['gold'])}</p>"
        one, words = self._candidate(), ""
        if one is not None:
            number, answer = plain.text(one["number"]), plain.text(one["answer"])
            words = f"<p>Program {number} says <b>{answer}</b></p><p>{plain.text(one['text'])}</p>"
        return f"{question}{gold}{words}{self.plain_run()}"


def _without_models(question: QuestionItem) -> dict[str, Any]:
    """A question as the page takes it: its runs are sent one by one, in the trait `run`."""
    candidates = [replace(one, model=None) for one in question.candidates]
    item = asdict(replace(question, candidates=candidates))
    for one in item["candidates"]:
        del one["model"]
    return item


def _new() -> str:
    return uuid.uuid4().hex


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "you"
