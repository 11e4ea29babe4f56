"""Every noun that passes between rooms, as frozen dataclasses.

Records hold plain values only (no models, no connections, no pictures: a picture is its digest), so
they can be pickled to a worker, written to the store and compared.  Each knows its content key:
`Program.id`, `Trace.id`, ... are hashes of what the record was made from (inputs, part, version),
so that the same work done twice is one row and an edited part re-runs only what depends on it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from workbench.boxes import Box

Scalar = None | bool | int | float | str
"""A value that a program may hold or return, besides patches and containers."""

JSON = Any
"""Anything that `json.dumps` takes: the payload of a trace event, the arguments of a part."""

AnswerType = Literal["yesno", "integer", "choice", "phrase", "open"]
"""How an answer is compared: `open` goes to the judge when the words differ."""

ErrorKind = Literal[
    "syntax", "unsupported", "source", "runtime", "tool_error", "steps", "memory", "recursion",
    "tool_calls", "output", "value", "time", "infra",
]  # fmt: skip
"""Why a program ended without an answer; closed list.  `infra` alone is retryable and not its
fault.
"""

DecisionKind = Literal[
    "accept", "reject", "skip", "edit", "note", "wrong_step", "adjudicate", "gold", "queue", "rating", "undo",
    "rollback",
]  # fmt: skip
"""What a person said; closed list, rules in `curate/rules.py`."""
KINDS: tuple[DecisionKind, ...] = get_args(DecisionKind)

Reason = Literal[
    "wrong_tool_output", "wrong_program", "wrong_reason", "unfaithful", "ambiguous", "bad_gold", "unsafe", "other",
]  # fmt: skip
"""Why an item was rejected; closed list."""

REASONS: Mapping[int, Reason] = {
    1: "wrong_tool_output", 2: "wrong_program", 3: "wrong_reason", 4: "unfaithful", 5: "ambiguous", 6: "bad_gold",
    7: "unsafe", 9: "other",
}  # fmt: skip
"""Each reason by the digit that chooses it."""

REASON_WORDS: Mapping[Reason, str] = {
    "wrong_tool_output": "wrong tool output",
    "wrong_program": "wrong program logic",
    "wrong_reason": "right for the wrong reason",
    "unfaithful": "rationale is not what happened",
    "ambiguous": "ambiguous question",
    "bad_gold": "the gold answer is wrong",
    "unsafe": "unsafe or private",
    "other": "other",
}
"""Each reason as people read it."""

Role = Literal["viewer", "curator", "adjudicator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""A later role may do all that an earlier one may: look; decide; settle disputes; change settings,
publish.
"""

Preference = Literal["left", "right", "both", "neither"]
"""Which of two answers a rater prefers, by the side on which it stood."""

EventKind = Literal[
    "call", "return", "line", "branch", "tool", "tool_result", "print", "exception", "limit", "end", "truncated",
]  # fmt: skip


def storable(text: str) -> str:
    """The text with each lone surrogate, which UTF-8 cannot hold, as `?`: what files and databases
    can take.
    """
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def storable_json(value: JSON) -> JSON:
    """A value with every text in it, keys of dicts included, as `storable` makes it; tuples become
    lists.
    """
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable_json(key): storable_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable_json(item) for item in value]
    return value


def content_key(*parts: object) -> str:
    """A stable 20-character key for any nesting of plain values and records."""

    def plain(value: object) -> Any:
        if is_dataclass(value) and not isinstance(value, type):
            return {"_": type(value).__name__, **asdict(value)}
        raise TypeError(
            f"cannot make a content key from {type(value).__name__}; give plain values or records"
        )

    text = json.dumps(
        parts, default=plain, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class PartRef:
    """Which part made a record: enough to make it again."""

    role: str
    """The extension point: `sampler`, `tool`, `verifier`, `writer`, `student`, ..."""
    name: str
    """The part's registered name, for example `ssdlite-coco`."""
    version: str = "1"
    """Changes whenever the part's results may change; part of every content key downstream."""
    arguments: Mapping[str, JSON] = field(default_factory=dict)
    """The plain arguments it was built with."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture: what a tool sees of a patch."""

    image: str
    """Digest of the whole picture (sha256, hex)."""
    width: int
    """Width of the whole picture, pixels."""
    height: int
    """Height of the whole picture, pixels."""
    box: Box
    """The part looked at, in pixels of the whole picture."""
    label: str | None = None
    """The name under which a detector found it, if one did."""
    score: float | None = None
    """The detector's score, 0 to 1."""


Value = Scalar | Region | list[Any] | tuple[Any, ...] | dict[str, Any]
"""What crosses the sandbox's border: scalars, regions and bounded containers of them."""


@dataclass(frozen=True, slots=True)
class Task:
    """One question about one picture."""

    id: str
    """Unique within a project; importers prefix it with the source, for example
    `collages/test-00012/3`.
    """
    source: str
    """Name of the task source, for example `collages`."""
    split: str
    """`train`, `val`, `test`, or the benchmark's own name."""
    image: str
    """Path to the picture relative to the source's folder on import; its digest once in a store."""
    question: str
    """As asked; hostile text, never interpreted."""
    answers: tuple[str, ...] = ()
    """Gold answers: none when unlabelled, one, or the ten of VQA-style annotation."""
    answer_type: AnswerType = "open"
    choices: tuple[str, ...] = ()
    """Options of a multiple-choice question, in order (A is the first)."""
    family: str = ""
    """Kind of question, for breakdowns: `count`, `exists`, `relation`, ..."""
    meta: Mapping[str, JSON] = field(default_factory=dict)
    """Anything else worth keeping: scene id, template, logical form, official ids."""

    @property
    def labelled(self) -> bool:
        return bool(self.answers)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something did not work, kept as data."""

    kind: ErrorKind
    message: str
    line: int | None = None
    """Line of the program's own source, 1-based; None where no line can be named."""


@dataclass(frozen=True, slots=True)
class Program:
    """One sampled program for one task."""

    id: str
    task_id: str
    index: int
    """0 to k-1 among the samples of its task."""
    source: str
    """Python source as sampled; untrusted."""
    score: float
    """Mean log-probability per token under the sampler (0.0 where the endpoint gives none)."""
    tokens: int
    """Length of the sample in tokens."""
    seed: int
    sampler: PartRef
    seconds: float = 0.0
    """This sample's share of the batch's wall time."""
    parent: str | None = None
    """The program this one is an edit of."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One question to one tool.  Two equal calls have equal answers."""

    tool: str
    arguments: Mapping[str, Value]
    """By parameter name; patches appear as `Region`.  The receiver of a method is `patch`."""

    def key(self, version: str) -> str:
        """Content key of the answer: tool, its version, arguments and picture digests."""
        return content_key(self.tool, version, plain(self.arguments))


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One thing that happened while a program ran; see `workbench/events.py` for each kind's
    payload.
    """

    seq: int
    """Position in the trace, from 0, without gaps."""
    kind: EventKind
    line: int
    """Line of the original source, 1-based; 0 for the run itself."""
    frame: int
    """0 is `execute_command`; each call of the program's own functions gets the next number."""
    payload: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """What happened when a program ran on its picture."""

    id: str
    program_id: str
    task_id: str
    answer: str | None
    """The program's final answer as text; None when it failed."""
    failure: Failure | None
    events: Sequence[TraceEvent]
    """In order of execution; of a stored trace they are decoded when they are first looked at."""
    steps: int
    """Statements executed."""
    tool_calls: int
    seconds: float
    """Wall time from start to end, waiting included."""
    executor: PartRef

    @property
    def ok(self) -> bool:
        return self.failure is None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The automatic opinion on one trace; a person's opinion is a Decision."""

    id: str
    trace_id: str
    program_id: str
    task_id: str
    score: float
    """1.0 right, 0.0 wrong, in between for soft scores; agreement share for unlabelled tasks."""
    correct: bool
    chosen: bool
    """This trace is the one kept for its task (at most one per task)."""
    method: str
    """`gold` or `agreement` (unlabelled: agreement among the task's programs, not correctness)."""
    reason: str
    """One sentence for people."""
    verifier: PartRef


@dataclass(frozen=True, slots=True)
class Citation:
    """A sentence of a rationale and the trace events it states."""

    start: int
    """First character of the sentence."""
    end: int
    """One past its last character."""
    events: tuple[int, ...]
    """`seq` of the supporting events; empty when nothing in the trace supports it."""


@dataclass(frozen=True, slots=True)
class Rationale:
    """A trace told in prose, boxes inline as `ymin xmin ymax xmax` on the 0-999 grid."""

    id: str
    trace_id: str
    task_id: str
    text: str
    answer: str
    citations: tuple[Citation, ...]
    issues: tuple[str, ...]
    """What the faithfulness check found; empty means every number, name and box occurs in the
    trace.
    """
    writer: PartRef

    @property
    def faithful(self) -> bool:
        return not self.issues


@dataclass(frozen=True, slots=True)
class Prediction:
    """A model's own answer to a task, in one forward pass."""

    id: str
    task_id: str
    answer: str
    rationale: str
    """Empty unless it was asked to explain."""
    score: float
    """The verifier's score of the answer; 0.0 for unlabelled tasks."""
    seconds: float
    """This task's share of the batch's wall time."""
    model: PartRef


@dataclass(frozen=True, slots=True)
class Lesson:
    """One thing that an example teaches: what to say when asked so."""

    name: str
    """`label`, `rationale`, ...; losses are reported under it."""
    prompt: str
    target: str
    weight: float = 1.0
    """Of the mean cross-entropy over this target's own tokens."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a rater said of one model's answer; the paper's human evaluation, in its order."""

    correct: bool
    explains: bool
    """It explains its answer."""
    factual: bool | None = None
    """What it explains is true of the picture; None unless it explains."""
    consistent: bool | None = None
    """The explanation leads to the answer; None unless it explains."""


@dataclass(frozen=True, slots=True)
class Rating:
    """Two answers to one task, compared blind."""

    left: str
    """Key of the part that made the answer shown at the left; `pipeline` for the programs'
    rationale.
    """
    right: str
    left_form: Form | None
    """None, like the other one, where only the preference was asked."""
    right_form: Form | None
    preference: Preference


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing that a person said; an event that is never changed and never deleted.

    Which fields a kind needs, and who may say it, stands in `curate/rules.py`.
    """

    id: str
    """Made by the client, so that a retry is the same event: 8 to 64 letters, digits or `._:-`."""
    kind: DecisionKind
    author: str
    role: Role
    """The author's role at that moment."""
    task_id: str = ""
    """Empty for events about no single task: `rollback`, `undo` of a batch or of a rollback."""
    trace_id: str | None = None
    program_id: str | None = None
    """`edit` of a program: the parent."""
    rationale_id: str | None = None
    """`accept`, `adjudicate`, `gold`: becomes the target; `edit` of a rationale: the parent."""
    made: str | None = None
    """`edit`: id of the new program or rationale."""
    ruling: Literal["accept", "reject"] | None = None
    """`adjudicate`, `gold`: what the author rules to be right.  Its column and its key in JSON are
    called `verdict`.
    """
    reason: Reason | None = None
    text: str = ""
    """The note, the words behind `other`, why it was queued."""
    step: int | None = None
    """`wrong_step`, or beside a reject: `seq` of the trace's first wrong event."""
    target: str | None = None
    """`undo`: id of the event, or of the batch, that is taken back."""
    batch: str | None = None
    """Shared by events that were made together and can be undone as one."""
    subject: str | None = None
    """`rollback`: whose events are taken back, where stored from `since` and before `until`."""
    since: datetime | None = None
    """UTC without a zone, as all times here."""
    until: datetime | None = None
    rating: Rating | None = None
    guideline: str | None = None
    """Version of the guidelines that the author had before them."""
    seconds: float | None = None
    """From seeing the item to deciding."""
    hidden: bool | None = None
    """Whether the automatic verdict and other people's were hidden at that moment."""
    client_time: datetime | None = None
    """The client's clock."""
    automatic: bool | None = None
    """The automatic verdict on the trace (`Verdict.correct`); filled in by the store, as are the
    next three.
    """
    tool: str | None = None
    """The tool that `step` is a call of; empty for a step of the program itself."""
    created_at: datetime | None = None
    seq: int | None = None
    """Position among all events, ascending; gaps are possible."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function that programs may call."""

    name: str
    type: str
    """Python annotation as written in the prompt: `str`, `int`, `ImagePatch`, `list[ImagePatch]`,
    ...
    """
    default: Scalar = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as programs, prompt, checks and documentation see it: the one declaration."""

    name: str
    parameters: tuple[Parameter, ...]
    """Without the receiver."""
    returns: str
    doc: str
    """First line: what it does.  Then a `>>>` example; both stand in the prompt."""
    method: bool = True
    """True: a method of ImagePatch (its patch arrives as argument `patch`); False: a plain
    function.
    """


def plain(value: object) -> JSON:
    """Records, boxes and containers as what `json.dumps` takes; a patch becomes a dict with its
    box.
    """
    if isinstance(value, Region):
        return {
            "image": value.image,
            "box": list(value.box.as_tuple()),
            "label": value.label,
            "score": value.score,
        }
    if isinstance(value, Box):
        return list(value.as_tuple())
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    return value
