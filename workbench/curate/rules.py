"""Who may say what about what: every event is checked here before it is stored.

| kind         | needs                                             | may be said by      |
|--------------|---------------------------------------------------|---------------------|
| accept       | a trace with an answer; its rationale if it has   | curator and above   |
| reject       | a reason (`other`: with words)                    | curator and above   |
| skip         |                                                   | curator and above   |
| edit         | a parent (program or rationale) and its new form  | curator and above   |
| note         | words                                             | curator and above   |
| wrong_step   | a trace and the `seq` of one of its events        | curator and above   |
| queue        |                                                   | curator and above   |
| rating       | two models, a preference, both forms or none      | curator and above   |
| tag          | a word of at most 40 letters, digits or -_.       | curator and above   |
| undo         | an own event (or batch) that still counts         | its author          |
| adjudicate   | a disputed item, a verdict (and what it needs)    | adjudicator, admin  |
| gold         | a verdict (and what it needs)                     | admin               |
| rollback     | whose events, stored from when until when         | admin; oneself      |

Only an admin undoes another's rollback; an undo cannot be undone (decide again instead).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from workbench.curate.fold import History, spans
from workbench.errors import InputError
from workbench.records import KINDS, REASON_WORDS, ROLES, Decision, Form, Preference

MAX_TEXT = 20_000
MAX_NAME = 200
MAX_SECONDS = 7 * 86_400.0

_ID = re.compile(r"[A-Za-z0-9._:-]{8,64}")
_TAG = re.compile(r"[\w.-]{1,40}")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the project has of the records that an event names; False or None where it has none."""

    task: bool = False
    trace_task: str | None = None
    trace_program: str | None = None
    trace_events: int = 0
    """Number of events of the trace."""
    trace_ok: bool = False
    """Whether the trace ended with an answer."""
    program_task: str | None = None
    rationale_trace: str | None = None
    models: frozenset[str] = frozenset()
    """Keys of parts that answered the task, and `pipeline` where it has a rationale."""
    automatic: bool | None = None
    """The automatic verdict on the trace."""
    tool: str | None = None
    """The tool that the event's step is a call of; empty for a step of the program itself."""


def check(event: Decision, history: History, facts: Facts) -> None:
    """Refuse an event that may not be stored, with the reason and what to do.

    Args:
        event: as a client sent it.
        history: all stored events about its task and, for an undo, about what it names.
        facts: about the records that it names.

    Raises:
        InputError: the event breaks a rule.
    """
    _check_form(event)
    if event.role == "viewer":
        raise InputError(
            f"{event.author} may look but not decide (role viewer); "
            "ask an admin for the role curator"
        )
    if event.task_id and not facts.task:
        raise InputError(f"no task is called '{event.task_id}' in this project")
    _check_records(event, facts)
    if event.kind in _BY_KIND:
        _BY_KIND[event.kind](event, history, facts)


def _check_form(event: Decision) -> None:
    """Refuse what no record is needed to judge: words outside the lists, sizes, fields."""
    _check_lists(event)
    _check_sizes(event)
    _check_fields(event)


def _check_lists(event: Decision) -> None:
    if event.kind not in KINDS:
        raise InputError(f"no decision is called '{event.kind}'; there are: {', '.join(KINDS)}")
    if event.role not in ROLES:
        raise InputError(f"no role is called '{event.role}'; there are: {', '.join(ROLES)}")
    for name, value in (("id", event.id), ("batch", event.batch)):
        if value is not None and not _ID.fullmatch(value):
            raise InputError(
                f"a decision's {name} has 8 to 64 letters, digits or ._:- , found {value[:80]!r}"
            )


def _check_sizes(event: Decision) -> None:
    if not event.author.strip() or len(event.author) > MAX_NAME:
        raise InputError(f"a decision needs its author's name, at most {MAX_NAME} characters")
    if len(event.text) > MAX_TEXT:
        raise InputError(
            f"the text has {len(event.text)} characters; at most {MAX_TEXT} are kept: shorten it"
        )
    if event.seconds is not None and not 0 <= event.seconds <= MAX_SECONDS:
        raise InputError(f"seconds spent must be 0 to {MAX_SECONDS:.0f}, found {event.seconds}")


def _check_fields(event: Decision) -> None:
    if event.reason is not None and event.reason not in REASON_WORDS:
        raise InputError(
            f"no reason is called '{event.reason}'; there are: {', '.join(REASON_WORDS)}"
        )
    alone = event.kind in ("undo", "rollback")
    if not event.task_id and not alone:
        raise InputError(f"'{event.kind}' needs the task that it is about")
    for name, kinds in _ONLY.items():
        if getattr(event, name) is not None and event.kind not in kinds:
            raise InputError(
                f"'{event.kind}' has no field '{name}'; it belongs to: {', '.join(kinds)}"
            )


_ONLY: Mapping[str, tuple[str, ...]] = {
    "reason": ("reject", "adjudicate", "gold"),
    "ruling": ("adjudicate", "gold"),
    "made": ("edit",),
    "step": ("reject", "wrong_step"),
    "target": ("undo",),
    "subject": ("rollback",),
    "since": ("rollback",),
    "until": ("rollback",),
    "rating": ("rating",),
}
"""Fields that only some kinds have."""


def _check_records(event: Decision, facts: Facts) -> None:
    """Refuse an event that names records which are not there or do not belong together."""
    if event.trace_id is not None and facts.trace_task != event.task_id:
        raise InputError(f"task '{event.task_id}' has no trace '{event.trace_id}'")
    if event.program_id is not None:
        if facts.program_task != event.task_id:
            raise InputError(f"task '{event.task_id}' has no program '{event.program_id}'")
        if event.trace_id is not None and facts.trace_program != event.program_id:
            raise InputError(f"trace '{event.trace_id}' is not of program '{event.program_id}'")
    if event.rationale_id is not None and (
        event.trace_id is None or facts.rationale_trace != event.trace_id
    ):
        raise InputError(
            f"rationale '{event.rationale_id}' is not of trace '{event.trace_id}'; "
            "name its own trace"
        )
    if event.step is not None and not (
        event.trace_id is not None and 0 <= event.step < facts.trace_events
    ):
        raise InputError(
            f"step {event.step} is not in the trace, which has {facts.trace_events} events from 0"
        )


def _check_accept(event: Decision, _: History, facts: Facts) -> None:
    if event.trace_id is None:
        raise InputError(f"'{event.kind}' names the trace that becomes the target")
    if not facts.trace_ok:
        raise InputError(
            f"trace '{event.trace_id}' ended without an answer and cannot be a target; reject it"
        )
    if event.reason is not None:
        raise InputError("a reason belongs to a reject")


def _check_reject(event: Decision, *_: object) -> None:
    if event.reason is None:
        raise InputError(f"a reject needs a reason: {', '.join(REASON_WORDS)}")
    if event.reason == "other" and not event.text.strip():
        raise InputError("the reason 'other' needs words")


def _check_ruling(event: Decision, history: History, facts: Facts) -> None:
    allowed = ("adjudicator", "admin") if event.kind == "adjudicate" else ("admin",)
    if event.role not in allowed:
        raise InputError(
            f"'{event.kind}' belongs to the role {' or '.join(allowed)}; "
            f"{event.author} is {event.role}"
        )
    if event.ruling not in ("accept", "reject"):
        raise InputError(f"'{event.kind}' needs a verdict: accept or reject")
    if event.kind == "adjudicate" and (state := history.item(event.task_id, 1).state) != "disputed":
        raise InputError(f"only a disputed item is adjudicated; '{event.task_id}' is {state}")
    follow = _check_accept if event.ruling == "accept" else _check_reject
    follow(event, history, facts)


def _check_edit(event: Decision, *_: object) -> None:
    if event.made is None or (event.program_id is None) == (event.rationale_id is None):
        raise InputError(
            "an edit names its parent (a program or a rationale, not both) and what was made of it"
        )
    if event.made in (event.program_id, event.rationale_id):
        raise InputError("nothing was changed: an edit that equals its parent is not kept")


def _check_note(event: Decision, *_: object) -> None:
    if not event.text.strip():
        raise InputError("a note needs words")


def _check_tag(event: Decision, *_: object) -> None:
    if not _TAG.fullmatch(event.text):
        raise InputError(
            f"a tag is one word of at most 40 letters, digits or - _ . , found {event.text[:80]!r}"
        )


def _check_wrong_step(event: Decision, *_: object) -> None:
    if event.trace_id is None or event.step is None:
        raise InputError("a first wrong step needs a trace and the number of the step in it")


def _check_rating(event: Decision, _: History, facts: Facts) -> None:
    rating = event.rating
    if rating is None:
        raise InputError("a rating needs its form")
    if rating.left == rating.right:
        raise InputError("a rating compares two models")
    # A vote without forms may come before a side has answered.
    if rating.left_form is not None and (unknown := {rating.left, rating.right} - facts.models):
        raise InputError(
            f"nothing by {', '.join(sorted(unknown))} to rate for task '{event.task_id}'"
        )
    if (rating.left_form is None) != (rating.right_form is None):
        raise InputError("a rating has the forms of both models, or none")
    if rating.preference not in get_args(Preference):
        there = ", ".join(get_args(Preference))
        raise InputError(f"no preference is called '{rating.preference}'; there are: {there}")
    for form in (rating.left_form, rating.right_form):
        if form is not None:
            _check_answers(form)


def _check_answers(form: Form) -> None:
    rest = (form.factual, form.consistent)
    if form.explains and None in rest:
        raise InputError("an answer that explains itself is rated factual and consistent, too")
    if not form.explains and rest != (None, None):
        raise InputError("factual and consistent are asked only of an answer that explains itself")


def _check_undo(event: Decision, history: History, _: Facts) -> None:
    target = history.by_id.get(event.target or "")
    batch = history.by_batch.get(event.target or "", [])
    if target is not None:
        _check_undo_of_event(event, history, target)
    elif batch:
        _check_undo_of_batch(event, history, batch)
    else:
        raise InputError(f"there is no event and no batch '{event.target}' to undo")


def _check_undo_of_batch(event: Decision, history: History, batch: Sequence[Decision]) -> None:
    if event.task_id:
        raise InputError("the undo of a batch is about no single task; leave the task out")
    if not any(one.author == event.author and history.counts(one) for one in batch):
        raise InputError(f"nothing of batch '{event.target}' is left to undo for {event.author}")


def _check_undo_of_event(event: Decision, history: History, target: Decision) -> None:
    if target.kind == "undo":
        raise InputError("an undo cannot be undone; decide again instead")
    if event.task_id != target.task_id:
        raise InputError(
            f"event '{event.target}' is about task '{target.task_id}', not '{event.task_id}'"
        )
    if target.author != event.author and not (target.kind == "rollback" and event.role == "admin"):
        raise InputError(
            f"event '{event.target}' is {target.author}'s; only one's own can be undone"
        )
    if not history.counts(target):
        raise InputError(f"event '{event.target}' was taken back already")


def _check_rollback(event: Decision, history: History, _: Facts) -> None:
    if event.task_id or event.subject is None or event.since is None or event.until is None:
        raise InputError("a rollback names a reviewer, from when and until when, and no task")
    if event.since >= event.until:
        raise InputError(f"a rollback from {event.since} until {event.until} covers nothing")
    if event.subject != event.author and event.role != "admin":
        raise InputError(
            f"only an admin rolls back another's events; {event.author} is {event.role}"
        )
    if not any(spans(event, one) for one in history.by_id.values()):
        raise InputError(
            f"{event.subject} decided nothing from {event.since} until {event.until} (UTC)"
        )


_BY_KIND: Mapping[str, Callable[[Decision, History, Facts], None]] = {
    "accept": _check_accept,
    "reject": _check_reject,
    "adjudicate": _check_ruling,
    "gold": _check_ruling,
    "edit": _check_edit,
    "note": _check_note,
    "tag": _check_tag,
    "wrong_step": _check_wrong_step,
    "rating": _check_rating,
    "undo": _check_undo,
    "rollback": _check_rollback,
}
"""The rule of each kind of event that has one of its own."""
