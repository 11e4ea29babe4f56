"""From trace events to the steps that the player shows: one step per tool call, statement, branch
or end.

A statement that asked a tool is one step with it (call, answer, the variables it set).  Patches get
names, `dog 1`, `dog 2`, by their boxes in order of appearance, the same everywhere in the trace;
the whole picture is `picture`.  A value is a list of pieces of text, some of which name a patch:
the player sets text nodes and never reads markup.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from workbench.records import TraceEvent
from workbench.screen.step_pictures import StepPicture, numbers, step_pictures
from workbench.screen.views import count_label

SHORT = 40
"""Characters of a result in the strip."""

BRACKETS = {
    "list": ("[", "]"),
    "tuple": ("(", ")"),
    "set": ("{", "}"),
    "frozenset": ("{", "}"),
    "dict": ("{", "}"),
}


BoxRole = Literal["result", "receiver", "variable", "loop"]
"""What a box is to its step: in the result, what the tool was called on, in a variable, or in the
variable of a loop around it.
"""


@dataclass(frozen=True, slots=True)
class ValuePiece:
    """A stretch of a value's text."""

    text: str
    patch: str | None = None
    """Name of the patch that the text stands for; None where it is plain text."""


ValueText = list[ValuePiece]
"""A value as pieces of text."""


@dataclass(frozen=True, slots=True)
class NamedValue:
    """An argument or a variable."""

    name: str
    value: ValueText


@dataclass(frozen=True, slots=True)
class ChangedVariable:
    """A variable that a step set."""

    name: str
    value: ValueText
    before: ValueText | None
    """What it held before; None for a variable that is new."""


@dataclass(frozen=True, slots=True)
class StepBox:
    """A box that a step draws into the picture."""

    box: Sequence[float]
    """Pixels `x0 y0 x1 y1`, origin at the top left."""
    label: str
    role: BoxRole
    patch: str | None = None
    """Name of the patch, the same in values and boxes."""
    score: float | None = None
    picture: int = 0
    """Which of the question's pictures it is drawn into, from 0."""


@dataclass(slots=True)
class Step:
    """One step of a run."""

    kind: str
    """`tick` (a plain line), `tool`, `said` (printed), `end` or `error`."""
    line: int
    title: str
    """Text of the step's cell in the strip, with `short` below it."""
    heading: str
    """Heading of the panel that shows the step."""
    short: str = ""
    arguments: list[NamedValue] = field(default_factory=list)
    result: ValueText | None = None
    error: str = ""
    changed: list[ChangedVariable] = field(default_factory=list)
    text: str = ""
    textTitle: str = ""
    facts: list[str] = field(default_factory=list)
    boxes: list[StepBox] = field(default_factory=list)
    pictures: list[StepPicture] = field(default_factory=list)
    """Pictures that it looked at or made, beside the picture asked about."""
    looked: list[int] = field(default_factory=list)
    """Which of several pictures the tool was given parts of, from 0."""
    ms: float = 0.0
    """Milliseconds: the call's share of its batch."""
    cached: bool = False
    raw: list[dict[str, Any]] = field(default_factory=list)
    """The events as recorded: `seq`, `kind`, `line`, and the keys of each kind of event."""
    frame: int = 0
    form: str = ""
    """`for` or `while` where a round of a loop begins."""


def steps_of(
    events: Sequence[TraceEvent], size: tuple[int, int] | None = None, number: int = 1
) -> list[Step]:
    """The steps of one run.

    Args:
        events: of its trace.
        size: width and height of the picture, or of the first of several, in pixels.
        number: how many pictures the question has.
    """
    return _Builder(size, number).build(events)


def places(steps: Sequence[Step]) -> dict[int, int]:
    """The index of the step that each event is part of, by the event's `seq`."""
    return {raw["seq"]: at for at, step in enumerate(steps) for raw in step.raw}


def plain(value: ValueText) -> str:
    """A value as one text."""
    return "".join(piece.text for piece in value)


def _cut(text: str, limit: int = SHORT) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


class _Names:
    """Names of patches by label and box."""

    def __init__(self, size: tuple[int, int] | None, number: int) -> None:
        self._whole = None if size is None else (0, 0, *size)
        self._number = number
        self._names: dict[tuple[str, tuple[Any, ...]], str] = {}
        self._count: dict[str, int] = {}
        self._made: dict[str, str] = {}
        """The label with which each new picture was made, by its digest."""

    def of(self, patch: Mapping[str, Any]) -> str:
        box: tuple[Any, ...] = tuple(patch.get("box") or ())
        label = str(patch.get("label") or "part")[:60]
        if (new := patch.get("made")) and isinstance(new, Mapping):
            own, image = tuple(numbers(new, "box")), str(new.get("image"))
            is_whole = own == (0, 0, *numbers(new, "size"))
            # what is found later and fills the picture has a name of its own
            is_new = is_whole and self._made.setdefault(image, label) == label
            label, box = ("new picture" if is_new else label), (*own, image)
        elif self.is_whole(patch):
            return "picture" if self._number == 1 else f"picture {picture_of(patch) + 1}"
        else:
            box = (*box, picture_of(patch))
        if (label, box) not in self._names:
            self._count[label] = self._count.get(label, 0) + 1
            self._names[label, box] = f"{label} {self._count[label]}"
        return self._names[label, box]

    def is_whole(self, patch: Mapping[str, Any]) -> bool:
        """Whether a patch is all of a picture asked about."""
        whole = (0, 0, *numbers(patch, "size")) if picture_of(patch) else self._whole
        return tuple(patch.get("box") or ()) == whole


def picture_of(patch: Mapping[str, Any]) -> int:
    """Which of the question's pictures a patch lies in, from 0."""
    number = patch.get("picture")
    return number if type(number) is int else 0


def _is_patch(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == "patch"


def patches(value: Any) -> Iterator[Mapping[str, Any]]:
    """The patches inside a value, in order."""
    if _is_patch(value):
        yield value
    elif isinstance(value, dict):
        for item in value.get("items") or ():
            yield from patches(item)
    elif isinstance(value, list):
        for item in value:
            yield from patches(item)


class _Builder:
    def __init__(self, size: tuple[int, int] | None, number: int) -> None:
        self.names = _Names(size, number)
        self.several = number > 1
        self.steps: list[Step] = []
        self.calls: dict[Any, Step] = {}
        self.looked: dict[Any, list[Mapping[str, Any]]] = {}
        """The patches that each call was given, by its number."""
        self.variables: dict[tuple[int, str], ValueText] = {}
        """What each variable holds now, by frame and name."""

    def build(self, events: Sequence[TraceEvent]) -> list[Step]:
        for event in events:
            step = getattr(self, f"_{event.kind}", self._other)(event, event.payload)
            if step is not None:
                step.raw.append(
                    {"seq": event.seq, "kind": event.kind, "line": event.line, **event.payload}
                )
        return self.steps

    def _new(self, kind: str, event: TraceEvent, title: str, heading: str, **more: Any) -> Step:
        step = Step(kind, event.line, title, heading, frame=event.frame, **more)
        self.steps.append(step)
        return step

    def _last(self, event: TraceEvent, *kinds: str) -> Step | None:
        """The step before, where it is of the same statement."""
        if not self.steps or self.steps[-1].kind not in kinds:
            return None
        same = self.steps[-1].line == event.line and self.steps[-1].frame == event.frame
        return self.steps[-1] if same else None

    # --- values

    def show(self, value: Any) -> ValueText:
        if _is_patch(value):
            name = self.names.of(value)
            return [ValuePiece(name, name)]
        if isinstance(value, dict):
            return self._container(value)
        if isinstance(value, float):
            return [ValuePiece(f"{value:.4g}")]
        if isinstance(value, str):
            return [ValuePiece(json.dumps(value, ensure_ascii=False))]
        return [ValuePiece(str(value))]

    def _container(self, value: Mapping[str, Any]) -> ValueText:
        kind = str(value.get("type", "object"))
        if kind == "str":
            more = ValuePiece(f"… {value.get('length')} characters")
            return [*self.show(str(value.get("text", ""))), more]
        if kind not in BRACKETS:
            return [ValuePiece(str(value.get("text") or f"<{value.get('name', kind)}>"))]
        opening, closing = BRACKETS[kind]
        length, items = int(value.get("length") or 0), value.get("items")
        if items is None:
            return [ValuePiece(f"{opening}{length} items{closing}")]
        pieces = [ValuePiece(opening)]
        for at, item in enumerate(items):
            if at:
                pieces.append(ValuePiece(", "))
            if kind == "dict" and isinstance(item, list) and len(item) == 2:
                pieces += [*self.show(item[0]), ValuePiece(": "), *self.show(item[1])]
            else:
                pieces += self.show(item)
        rest = f", … {length - len(items)} more" if length > len(items) else ""
        return [*pieces, ValuePiece(rest + closing)]

    def _set(self, step: Step, event: TraceEvent, values: Mapping[str, Any]) -> None:
        """Variables that the step set, each beside what it held before."""
        for name, value in values.items():
            text, key = self.show(value), (event.frame, name)
            step.changed.append(ChangedVariable(name, text, self.variables.get(key)))
            self.variables[key] = text
        self._boxes(step, list(values.values()), "variable")

    def _boxes(self, step: Step, value: Any, role: BoxRole) -> None:
        """Add the boxes of a value's patches, each patch once and the whole picture never."""
        names = {one.patch for one in step.boxes}
        for patch in patches(value):
            name = self.names.of(patch)
            if self.names.is_whole(patch) or name in names or len(patch.get("box") or ()) != 4:
                continue
            names.add(name)
            score = patch.get("score")
            number = score if isinstance(score, int | float) else None
            where = picture_of(patch)
            step.boxes.append(StepBox(patch["box"], name, role, name, number, where))

    def _short(self, value: Any) -> str:
        """A result in a few words: how many patches, or the value."""
        if isinstance(value, dict) and value.get("type") in ("list", "tuple"):
            items = value.get("items") or []
            if all(map(_is_patch, items)):
                length = int(value.get("length") or 0)
                return f"{length} patch{'' if length == 1 else 'es'}"
        return _cut(plain(self.show(value)))

    # --- one method per kind of event; each gives the step that the event belongs to

    def _call(self, event: TraceEvent, payload: Mapping[str, Any]) -> Step | None:
        if event.frame == 0:
            return None  # every trace begins so
        function = str(payload.get("function"))
        step = self._new("tick", event, f"{function}()", f"Enters {function}")
        self._set(step, event, dict(payload.get("arguments") or {}))
        return step

    def _return(self, event: TraceEvent, payload: Mapping[str, Any]) -> Step:
        value = payload.get("value")
        step = self._last(event, "tool")
        if step is None or step.result is None or step.changed:
            step = self._new(
                "tick",
                event,
                "return",
                "Returns",
                result=self.show(value),
                short=self._short(value),
            )
        else:
            step.changed.append(ChangedVariable("returned", self.show(value), None))
        self._boxes(step, value, "result")
        return step

    def _line(self, event: TraceEvent, payload: Mapping[str, Any]) -> Step | None:
        changed = dict(payload.get("changed") or {})
        step = self._last(event, "tool", "said")
        if step is None or step.changed:
            names = ", ".join(map(str, changed))
            heading = f"Sets {names}" if names else "Nothing changes"
            if payload.get("form") == "for":
                heading = f"Next round: {names}" if names else "Next round"
            step = self._new("tick", event, names or "statement", heading)
            step.short = _cut(", ".join(self._short(value) for value in changed.values()))
        step.form = str(payload.get("form") or "")
        self._set(step, event, changed)
        return step

    def _branch(self, event: TraceEvent, payload: Mapping[str, Any]) -> Step:
        form, holds = str(payload.get("form", "if")), bool(payload.get("taken"))
        does = {"while": ("goes round", "is over")}.get(form, ("is taken", "is passed over"))
        step = self._new(
            "tick", event, form, f"{form}: {does[not holds]}", short="true" if holds else "false"
        )
        step.form = "while" if form == "while" and holds else ""
        self._set(step, event, dict(payload.get("changed") or {}))
        return step

    def _tool(self, event: TraceEvent, payload: Mapping[str, Any]) -> Step:
        arguments = dict(payload.get("arguments") or {})
        tool = str(payload.get("tool"))
        words = ", ".join(value for value in arguments.values() if isinstance(value, str))
        step = self._new("tool", event, f"{tool} {_cut(words, 28)}".strip(), f"{tool}")
        step.arguments = [
            NamedValue(str(name), self.show(value)) for name, value in arguments.items()
        ]
        receiver = payload.get("receiver")
        if receiver is not None:
            step.arguments.insert(0, NamedValue("on", self.show(receiver)))
            self._boxes(step, receiver, "receiver")
        self._boxes(step, list(arguments.values()), "variable")
        others = list(patches(list(arguments.values())))
        looked = self.looked[payload.get("call")] = list(patches(receiver)) or others
        if self.several:
            step.looked = sorted({picture_of(patch) for patch in looked})
        step.error = "No answer came before the run ended."
        self.calls[payload.get("call")] = step
        return step

    def _tool_result(self, event: TraceEvent, payload: Mapping[str, Any]) -> Step | None:
        step = self.calls.get(payload.get("call"))
        if step is None:
            return None
        step.error = ""
        step.ms = float(payload.get("duration_ms") or 0.0)
        step.cached = bool(payload.get("cached"))
        if payload.get("ok"):
            step.result = self.show(payload.get("result"))
            step.short = self._short(payload.get("result"))
            self._boxes(step, payload.get("result"), "result")
            result = list(patches(payload.get("result")))
            looked = self.looked.get(payload.get("call"), [])
            step.pictures = step_pictures(looked, result, self.names.of)
        else:
            step.error = str(payload.get("error"))
            step.short = _cut(step.error)
        step.facts = self._costs(step, payload)
        return step

    @staticmethod
    def _costs(step: Step, payload: Mapping[str, Any]) -> list[str]:
        """Where a tool's answer came from, and how long it took."""
        if step.cached:
            facts = ["from the cache"]
        else:
            facts = [f"{step.ms:.0f} ms" if step.ms >= 1 else "under 1 ms"]
            if batch := payload.get("batch_size"):
                facts.append(f"batch of {batch}")
        if (queue_ms := float(payload.get("queue_ms") or 0)) >= 1:
            facts.append(f"waited {queue_ms:.0f} ms")
        return facts

    def _print(self, event: TraceEvent, payload: Mapping[str, Any]) -> Step:
        text = str(payload.get("text", ""))
        return self._new(
            "said", event, "prints", "Prints", short=_cut(text), text=text, textTitle="Printed"
        )

    def _exception(self, event: TraceEvent, payload: Mapping[str, Any]) -> Step:
        kind, message = str(payload.get("type")), str(payload.get("message"))
        handled = bool(payload.get("handled"))
        heading = f"{kind}, handled by the program" if handled else kind
        return self._new(
            "tick" if handled else "error", event, kind, heading, short=_cut(message), error=message
        )

    def _limit(self, event: TraceEvent, payload: Mapping[str, Any]) -> Step:
        kind, message = str(payload.get("limit")).replace("_", " "), str(payload.get("message"))
        return self._new(
            "error",
            event,
            f"limit: {kind}",
            f"Stopped by the limit on {kind}",
            short=_cut(message),
            error=message,
        )

    def _truncated(self, event: TraceEvent, payload: Mapping[str, Any]) -> Step:
        text = f"Only the first {payload.get('kept')} events were kept; the program ran on."
        return self._new("tick", event, "cut", "The rest was left out", text=text, textTitle="Why")

    def _end(self, event: TraceEvent, payload: Mapping[str, Any]) -> Step:
        last = self.steps[-1].line if self.steps else 0
        if payload.get("ok"):
            answer = str(payload.get("answer"))
            step = self._new(
                "end",
                event,
                _cut(answer) or "empty",
                "The answer",
                text=answer,
                textTitle="Program output",
            )
            step.short = "answer"
        else:
            error = dict(payload.get("error") or {})
            kind, message = str(error.get("kind")).replace("_", " "), str(error.get("message"))
            last = int(error.get("line") or last)
            if self.steps and self.steps[-1].kind == "error" and self.steps[-1].error in message:
                self.steps[-1].facts = self._sums(payload)
                return self.steps[-1]
            step = self._new(
                "error", event, kind, f"Ended: {kind}", short=_cut(message), error=message
            )
        step.line = last
        step.facts = self._sums(payload)
        return step

    @staticmethod
    def _sums(payload: Mapping[str, Any]) -> list[str]:
        return [
            count_label(payload.get("steps", 0), "step"),
            count_label(payload.get("tool_calls", 0), "tool call"),
        ]

    def _other(self, event: TraceEvent, payload: Mapping[str, Any]) -> Step:
        return self._new("tick", event, event.kind, event.kind.replace("_", " ").capitalize())
