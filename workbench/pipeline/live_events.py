"""The events of a question that is answered live; the last one is `Finished`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workbench.boxes_in_text import NamedBox
from workbench.records import Failure, PartRef, Prediction, Program, Trace, TraceEvent

Side = Literal["pipeline", "student", "base"]
SIDES: tuple[Side, ...] = ("pipeline", "student", "base")


@dataclass(frozen=True, slots=True)
class Queued:
    """Others are before this question on its side; sent again when that changes."""

    side: Side
    ahead: int


@dataclass(frozen=True, slots=True)
class Started:
    """It is this question's turn."""

    side: Side
    cold: bool
    """The side's models are loaded first."""


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A piece of text, which stands behind the earlier pieces of the same part."""

    side: Side
    part: Literal["program", "answer", "rationale"]
    text: str


@dataclass(frozen=True, slots=True)
class Wrote:
    """The program is complete; its source may leave out chatter that was streamed."""

    side: Side
    program: Program


@dataclass(frozen=True, slots=True)
class Stepped:
    """The program ran one step further."""

    side: Side
    event: TraceEvent


@dataclass(frozen=True, slots=True)
class Pointed:
    """All boxes that the rationale has named so far."""

    side: Side
    boxes: tuple[NamedBox, ...]
    size: tuple[int, int]
    """Width and height of the picture, pixels: what `NamedBox.pixels` takes."""


@dataclass(frozen=True, slots=True)
class Times:
    """What an answer took, in seconds."""

    wait: float
    """Until its turn came; in none of the others."""
    load: float
    """Loading models; contained in the following three."""
    first: float | None
    """To the first piece of text."""
    answer: float | None
    """To the answer: the end of the program's run, or the model's short answer."""
    total: float
    peak_bytes: int
    """Most memory of this process meanwhile; all sides live in it."""
    cold: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of every stream."""

    side: Side
    answer: str | None
    """None when there is none: it failed or was cancelled first."""
    right: bool | None
    """Against the label; None without a label or an answer."""
    failure: Failure | None
    cancelled: bool
    times: Times
    maker: PartRef | None
    """The part that answered, the sampler for a program; None when it was never reached."""
    program: Program | None = None
    trace: Trace | None = None
    predictions: tuple[Prediction, ...] = ()
    """A model's short answer, then its rationale."""


Event = Queued | Started | TextPiece | Wrote | Stepped | Pointed | Finished
