"""What the pages show, made from what the store holds: plain values only, ready for a template.

Nothing here escapes markup: templates do, always.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from workbench.boxes_in_text import boxes_in
from workbench.rationalize.check.which_picture import picture_of_box
from workbench.records import Prediction, Rationale, Task, Trace
from workbench.shares import Share
from workbench.store import Run, TaskView
from workbench.verify.answers import RIGHT

_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

STATES = {
    "kept": "right",
    "agreed": "none",
    "wrong": "wrong",
    "failed": "failed",
    "waiting": "none",
}
"""The sign of what came of a question, by the store's status."""

WORDS = {
    "kept": "kept",
    "agreed": "kept by agreement",
    "wrong": "no program right",
    "failed": "every program failed",
    "waiting": "not run yet",
}
"""The same in words."""

SHORT_WORDS = {
    "kept": "",
    "agreed": "",
    "wrong": "none right",
    "failed": "all failed",
    "waiting": "not run",
}
"""The same where there is little room and no answer."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a rationale."""

    text: str
    box: tuple[int, ...] | None = None
    """`ymin xmin ymax xmax` on the 0-999 grid, where the text names a box."""
    picture: int = 0
    """Which of several pictures the text says the box is in, from 0."""


@dataclass(frozen=True, slots=True)
class PictureView:
    """A picture as a page draws it."""

    image: str
    """The picture's digest."""
    url: str | None
    """Address of the picture; None where it cannot be shown."""
    width: int
    height: int
    problem: str = ""
    """Why the picture cannot be shown, in one sentence."""
    more: Sequence[PictureView] = ()
    """The other pictures of a question about several, in order."""

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels; None where there is no picture to measure."""
        return None if self.url is None else (self.width, self.height)


@dataclass(frozen=True, slots=True)
class ShareView:
    """A share with its interval (`workbench.shares.Share`)."""

    hits: float
    of: int
    value: float | None
    """0 to 1; None where nothing was counted."""
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SupportedSentence:
    """A sentence of a rationale, and whether something in the trace supports it."""

    pieces: tuple[Piece, ...]
    supported: bool
    events: tuple[int, ...] = ()
    """`seq` of the events that the sentence states."""


@dataclass(frozen=True, slots=True)
class RationaleView:
    """A rationale cut into sentences, with what speaks against it."""

    sentences: tuple[SupportedSentence, ...]
    issues: tuple[str, ...]
    writer: str


def visible(value: object) -> object:
    """A plain text with the code of each character that turns the direction of writing.

    Such a character shows a text in another order than it is stored in and read by a model.  What
    is no plain text is given back as it is; the scripts' `visible` does the same.

    >>> visible("\\u202egnp.exe")
    '\\\\u202egnp.exe'
    """
    if type(value) is not str:  # markup was made of texts that went through here
        return value
    return _DIRECTIONS.sub(lambda match: f"\\u{ord(match[0]):04x}", value)


def pictures_of(task: Task, picture_of: Callable[[str], PictureView]) -> PictureView:
    """The picture of a question, with the others behind it.

    Args:
        task: the question.
        picture_of: a picture by its digest.
    """
    first, *others = map(picture_of, task.images)
    return replace(first, more=others)


def share_view(share: Share) -> ShareView:
    """A share with its interval."""
    low, high = share.interval
    return ShareView(share.hits, share.of, share.value, low, high)


def family_words(name: str) -> str:
    """A family's name as words."""
    return name.replace("_", " ")


def duration(seconds: float | None) -> str:
    """A time for people: `340 ms`, `1.2 s`, `2 min 5 s`, `3 h 20 min`."""
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    if seconds < 3599.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min"


def work_and_waiting(trace: Trace) -> str:
    """How long a run worked, and how long it waited for its turn where that is worth a word."""
    if trace.work is None:
        return duration(trace.seconds)
    waiting = trace.seconds - trace.work
    return duration(trace.work) + (f" · waited {duration(waiting)}" if waiting >= 0.05 else "")


def count_label(number: int, noun: str) -> str:
    """`1 step`, `2 steps`: nouns of this page only, none of them irregular."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def gold_of(task: Task) -> str:
    """The expected answer; of ten annotators' answers each one once, the most frequent first."""
    distinct = sorted(dict.fromkeys(task.answers), key=task.answers.count, reverse=True)
    return " / ".join(distinct[:3])


def _student_state(score: float | None) -> str:
    if score is None:
        return "none"
    return "right" if score >= RIGHT else "wrong"


def student_view(task: Task, prediction: Prediction | None) -> tuple[str, str, str]:
    """The student's answer, its state and the state in words."""
    if prediction is None:
        return "", "none", "not asked"
    state = _student_state(prediction.score if task.labelled else None)
    words = {"none": "not labelled"}.get(state, state)
    return prediction.answer or "no answer" * prediction.missing, state, words


def pieces(text: str) -> tuple[Piece, ...]:
    """A sentence cut at its boxes."""
    cut, at = [], 0
    for box in boxes_in(text):
        where = picture_of_box(text, box.start, box.end) or 0
        cut += [Piece(text[at : box.start]), Piece(box.text, box.cells, where)]
        at = box.end
    return tuple(piece for piece in (*cut, Piece(text[at:])) if piece.text)


def rationale_of(view: TaskView, run: Run | None) -> Rationale | None:
    """The newest rationale of a run's trace; None where none was written."""
    if run is None or run.trace is None:
        return None
    return next((one for one in view.rationales if one.trace_id == run.trace.id), None)


def rationale_view(rationale: Rationale | None) -> RationaleView | None:
    """A rationale with its boxes and what supports each sentence; text that no citation spans
    counts as unsupported.
    """
    if rationale is None:
        return None
    spans: list[tuple[int, int, tuple[int, ...] | None]] = []
    at = 0
    for citation in sorted(rationale.citations, key=lambda one: one.start):
        start, end = max(citation.start, at), min(citation.end, len(rationale.text))
        if end <= start:
            continue
        if rationale.text[at:start].strip():
            spans.append((at, start, ()))
        spans.append((start, end, tuple(citation.events)))
        at = end
    if rationale.text[at:].strip():
        # a text without any citation was never checked: that is not the same as a sentence that
        # nothing supports
        spans.append((at, len(rationale.text), () if rationale.citations else None))
    sentences = tuple(
        SupportedSentence(
            pieces(rationale.text[a:b].strip()), events is None or bool(events), events or ()
        )
        for a, b, events in spans
    )
    writer = f"{rationale.writer.name} {rationale.writer.version}"
    return RationaleView(sentences, rationale.issues, writer)


def run_state(run: Run) -> str:
    """`right`, `wrong`, `failed`, or `none` where nothing is known."""
    if run.trace is None:
        return "none"
    if not run.trace.ok:
        return "failed"
    if run.verdict is None or run.verdict.method == "agreement":
        return "none"
    return "right" if run.verdict.correct else "wrong"


def problem_of(run: Run) -> str:
    """Why a program has no answer, in one sentence; empty where it has one."""
    if run.trace is None:
        return "Not run yet."
    if run.trace.failure is None:
        return ""
    failure = run.trace.failure
    where = f" in line {failure.line}" if failure.line is not None else ""
    return f"{failure.kind.replace('_', ' ').capitalize()}{where}: {failure.message}"


def facts_of(run: Run) -> str:
    """Score, steps, tool calls and time of a run."""
    facts = [f"score {run.program.score:.2f}"]
    if run.trace is not None:
        facts += [
            count_label(run.trace.steps, "step"),
            count_label(run.trace.tool_calls, "tool call"),
        ]
        facts.append(work_and_waiting(run.trace))
    return " · ".join(facts)
