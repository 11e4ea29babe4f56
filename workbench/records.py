"""Every noun that passes between rooms, as frozen dataclasses.

Records hold plain values only (a picture is its digest), so they can be pickled, stored and
compared.  Their ids are hashes of what they were made from (inputs, part, version): the same work
done twice is one row, and an edited part re-runs only what depends on it.

One word for one thing, in prose and in new names:

    question     what is asked about one picture: `Task`
    picture      an image file, known by its digest
    program      Python code that a sampler wrote for a question: `Program`
    trace        the record of what happened when a program ran: `Trace`, made of `TraceEvent`s
    run          a program with its trace and, once it is judged, its verdict
    verdict      the automatic opinion on a trace: `Verdict`
    kept         the run that answers its question; at most one is kept for each question
    rationale    a trace told in prose: `Rationale`
    decision     one thing that a reviewer said: `Decision`
    ruling       what an adjudicator or an admin declares to be right: `Decision.ruling`
    reviewer     a person who decides
    system       what is evaluated: a student, or the pipeline of programs
    student      a vision-language model that answers in one forward pass
    prediction   a system's answer to a question: `Prediction`
    part         a class or function that plays a role, named by a `PartRef`
    snapshot     a frozen set of examples to train on
    example      one question of a snapshot with what a student is to say
    lesson       one thing that an example teaches: `Lesson`
    patch        a part of a picture that a program looks at: `Region`
Stored data and plug-ins keep `Task`, `image`, `Verdict.chosen` (the run that is kept),
`Decision.author` (the reviewer) and `verdict` (a ruling)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from workbench.boxes import Box
from workbench.evidence import EvidenceKind
from workbench.keys import content_key as content_key
from workbench.keys import for_key as for_key
from workbench.keys import storable as storable
from workbench.keys import storable_json as storable_json

Scalar = None | bool | int | float | str
"""A value that a program may hold or return, besides patches and containers."""
JSON = Any
"""Anything that `json.dumps` takes: the payload of a trace event, the arguments of a part."""

AnswerType = Literal["yesno", "integer", "choice", "phrase", "open"]
"""How an answer is compared; an `open` one goes to the judge when the words differ."""

ErrorKind = Literal[
    "syntax", "unsupported", "source", "runtime", "tool_error", "steps", "memory", "recursion",
    "tool_calls", "output", "value", "time", "infra",
]  # fmt: skip
"""Why a program ended without an answer (a closed list); `infra` alone is not its own fault."""

DecisionKind = Literal[
    "accept", "reject", "skip", "edit", "note", "wrong_step", "adjudicate", "gold", "queue",
    "rating", "tag", "undo", "rollback",
]  # fmt: skip
"""What a reviewer said; a closed list, with its rules in `curate/rules.py`."""
KINDS: tuple[DecisionKind, ...] = get_args(DecisionKind)

Reason = Literal[
    "wrong_tool_output", "wrong_program", "wrong_reason", "unfaithful", "ambiguous", "bad_gold",
    "unsafe", "other",
]  # fmt: skip
"""Why an item was rejected; a closed list."""

REASONS: Mapping[int, Reason] = {
    1: "wrong_tool_output", 2: "wrong_program", 3: "wrong_reason", 4: "unfaithful",
    5: "ambiguous", 6: "bad_gold", 7: "unsafe", 9: "other",
}  # fmt: skip
"""Each reason by the digit that chooses it."""

REASON_WORDS: Mapping[Reason, str] = {
    "wrong_tool_output": "wrong tool output", "wrong_program": "wrong program logic",
    "wrong_reason": "right for the wrong reason",
    "unfaithful": "rationale is not what happened", "ambiguous": "ambiguous question",
    "bad_gold": "the gold answer is wrong", "unsafe": "unsafe or private", "other": "other",
}  # fmt: skip
"""Each reason as people read it."""

Role = Literal["viewer", "curator", "adjudicator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Roles in ascending order: they look; decide; settle disputes; change settings and publish."""
Preference = Literal["left", "right", "both", "neither"]
"""Which of two answers a rater prefers, by the side on which it stood."""

EventKind = Literal[
    "call", "return", "line", "branch", "tool", "tool_result", "print", "exception", "limit", "end",
    "truncated",
]  # fmt: skip
"""Kind of an event of a trace; `workbench/events.py` describes each."""

VISITORS = "compare"  # source and split of visitors' questions, which figures leave out


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
    """The plain arguments with which the part was built."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture: what a tool sees of a patch."""

    image: str
    """Digest of the whole picture (sha256, hex)."""
    width: int
    height: int
    """Of the whole picture, pixels, as `width`."""
    box: Box
    """The part that is looked at, in pixels of the whole picture."""
    label: str | None = None
    """The name under which a detector found it, if one did."""
    score: float | None = None
    """The detector's score, 0 to 1."""


Value = Scalar | Region | list[Any] | tuple[Any, ...] | dict[str, Any]
"""What crosses the sandbox's border: scalars, regions and bounded containers of them."""


@dataclass(frozen=True, slots=True)
class Task:
    """One question about one picture, or about several in an order."""

    id: str
    """Unique within a project; the source stands first, for example `collages/test-00012/3`."""
    source: str
    """Name of the task source, for example `collages`."""
    split: str  # `train`, `val`, `test`, or the benchmark's own name
    image: str
    """Path to the picture relative to the source's folder on import; its digest once in a store."""
    question: str
    """The question as it was asked; hostile text, never interpreted."""
    answers: tuple[str, ...] = ()
    """Gold answers: none when unlabelled, one, or the ten of VQA-style annotation."""
    answer_type: AnswerType = "open"
    choices: tuple[str, ...] = ()
    """Options of a multiple-choice question, in order (A is the first)."""
    family: str = ""
    """Kind of question, for breakdowns: `count`, `exists`, `relation`, ..."""
    meta: Mapping[str, JSON] = field(default_factory=dict)
    """Anything else worth keeping: scene id, template, logical form, official ids."""
    more_images: tuple[str, ...] = ()
    """The pictures after the first one, in order, given as `image` is; most questions have none."""

    @property
    def images(self) -> tuple[str, ...]:
        """All pictures, in order."""
        return (self.image, *self.more_images)

    @property
    def labelled(self) -> bool:
        """Whether there is a gold answer."""
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
    """Number among the samples of its task, 0 to k-1."""
    source: str
    """Python source as sampled; untrusted."""
    score: float
    """Mean log-probability per token under the sampler (0.0 where the endpoint gives none)."""
    tokens: int
    seed: int
    sampler: PartRef
    seconds: float = 0.0
    """This sample's share of the batch's wall time."""
    parent: str | None = None
    """Id of the program that this one is an edit of, or that it was written again after."""
    problem: str = ""
    """Why there is no program; its source is then a comment."""
    thinking: str = ""
    """What the model thought aloud before it."""
    draws: int = 1
    """Times it was drawn: more than once where the question had the same program already."""
    repeats: bool | None = None
    """Whether an earlier program of the question is the same, names of variables and prints set
    aside; None where nobody compared them.
    """


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One question to one tool.  Two equal calls have equal answers."""

    tool: str
    arguments: Mapping[str, Value]
    """Arguments by parameter name, patches as `Region`; the receiver of a method is `patch`."""

    def key(self, version: str) -> str:
        """Content key of the answer: tool, its version, arguments and picture digests."""
        return content_key(self.tool, version, plain(self.arguments))


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One thing that happened while a program ran; `workbench/events.py` has the payloads."""

    seq: int
    """Position in the trace, from 0, without gaps."""
    kind: EventKind
    line: int
    """Line of the original source, 1-based; 0 for the run itself."""
    frame: int
    """Number of the call: 0 is `execute_command`, then each call of the program's own functions."""
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
    """Events in order of execution; those of a stored trace are decoded at their first use."""
    steps: int
    tool_calls: int
    seconds: float
    """Wall time from start to end, waiting included."""
    executor: PartRef
    evidence: EvidenceKind | None = None
    """What the answer rests on, as the store derives it; None without an answer."""
    work: float | None = field(default=None, compare=False)
    """Seconds in which a processor or a model worked for it; None where nobody took the time."""

    @property
    def ok(self) -> bool:
        """Whether the program ended with an answer."""
        return self.failure is None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The automatic opinion on one trace; a person's opinion is a Decision."""

    id: str
    trace_id: str
    program_id: str
    task_id: str
    score: float
    """How right the answer is, 0 to 1; for an unlabelled task, the share of programs that agree."""
    correct: bool
    """Whether the answer counts as right."""
    chosen: bool
    """Whether this is the run that is kept for its task; at most one is."""
    method: str
    """`gold` or `agreement` (unlabelled: agreement among the task's programs, not correctness)."""
    reason: str
    verifier: PartRef


@dataclass(frozen=True, slots=True)
class Citation:
    """A sentence of a rationale and the events of the trace that it states."""

    start: int
    end: int
    """One past the last character of the sentence."""
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
    """What is wrong by the faithfulness check; none where everything it says is in the trace."""
    writer: PartRef
    bare: bool = False
    """Whether it says no more than the answer: nothing that a student could learn to see."""
    unchecked: tuple[str, ...] = ()
    """Claims in it that the trace neither supports nor contradicts."""

    @property
    def faithful(self) -> bool:
        """Whether the faithfulness check has nothing against it."""
        return not self.issues


@dataclass(frozen=True, slots=True)
class Prediction:
    """A system's own answer to a task; a student gives it in one forward pass."""

    id: str
    task_id: str
    answer: str
    rationale: str
    """Its explanation; empty unless one was requested."""
    score: float
    """The verifier's score of the answer; 0.0 for unlabelled tasks."""
    seconds: float
    """This task's share of the batch's wall time."""
    model: PartRef
    problem: str = ""
    """Why there is no answer, or why it is not whole."""
    missing = property(lambda self: bool(self.problem) and not (self.answer or self.rationale))


@dataclass(frozen=True, slots=True)
class Lesson:
    """One thing that an example teaches: a prompt and what to say to it."""

    name: str
    """Name under which losses are reported: `label`, `rationale`, ..."""
    prompt: str
    target: str
    weight: float = 1.0
    """Weight of this lesson in the loss of its example."""
    example: str = ""
    """Id of the example that it was made of; empty where nobody has to know."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a rater said of one model's answer: the paper's human evaluation, in its order."""

    correct: bool
    """Whether the answer is right."""
    explains: bool
    """Whether the model explains its answer."""
    factual: bool | None = None
    """Whether the explanation is true of the picture; None where there is none."""
    consistent: bool | None = None
    """Whether the explanation leads to the answer; None where there is none."""


@dataclass(frozen=True, slots=True)
class Rating:
    """Two answers to one task, compared by a rater who does not know whose they are."""

    left: str
    """Key of the part that made the answer on the left; `pipeline` for the programs' rationale."""
    right: str
    """Key of the part that made the answer on the right."""
    left_form: Form | None
    """Opinion on the left answer; None where the rater gave a preference only."""
    right_form: Form | None
    """Opinion on the right answer; None where the rater gave a preference only."""
    preference: Preference


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing that a reviewer said, never changed or deleted; `curate/rules.py` has the rules."""

    id: str
    """Made by the client, so that a retry is the same event: 8 to 64 letters, digits or `._:-`."""
    kind: DecisionKind
    author: str
    role: Role
    """The author's role at that moment."""
    task_id: str = ""
    """Empty where it is not about a single task: `rollback`, `undo` of a batch or a rollback."""
    trace_id: str | None = None
    program_id: str | None = None
    """Id of the parent, for the `edit` of a program."""
    rationale_id: str | None = None
    """Rationale that becomes the target (`accept`, `adjudicate`, `gold`); parent of an `edit`."""
    made: str | None = None
    """Id of the new program or rationale, for an `edit`."""
    ruling: Literal["accept", "reject"] | None = None
    """What an `adjudicate` or a `gold` declares to be right; stored as `verdict`."""
    reason: Reason | None = None
    """Why an item was rejected."""
    text: str = ""
    """The note, the words behind the reason `other`, or why the item was queued."""
    step: int | None = None
    """`seq` of the trace's first wrong event, for a `wrong_step` or beside a reject."""
    target: str | None = None
    """Id of the event, or of the batch, that an `undo` takes back."""
    batch: str | None = None
    """Id of events made and undone together; their verdicts stay out of figures of agreement."""
    subject: str | None = None
    """Whose events a `rollback` takes back."""
    since: datetime | None = None
    """Start of what a `rollback` takes back, by time of storing; UTC without a zone."""
    until: datetime | None = None
    """End of what a `rollback` takes back, itself excluded."""
    rating: Rating | None = None
    guideline: str | None = None
    """Version of the guidelines that the author could read."""
    seconds: float | None = None
    """Time from seeing the item to deciding."""
    hidden: bool | None = None
    """Whether the automatic verdict and other people's were hidden at that moment."""
    client_time: datetime | None = None
    """Time of the decision by the client's clock."""
    automatic: bool | None = None
    """`Verdict.correct` of the trace; the store fills in this field and the next three."""
    tool: str | None = None
    """The tool that `step` is a call of; empty for a step of the program itself."""
    created_at: datetime | None = None
    """Time of storing."""
    seq: int | None = None
    """Position among all events, ascending; gaps are possible."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function that programs may call."""

    name: str
    type: str
    """Python annotation as the prompt has it: `str`, `ImagePatch`, `list[ImagePatch]`, ..."""
    default: Scalar = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as programs, prompt, checks and documentation see it: the one declaration."""

    name: str
    parameters: tuple[Parameter, ...]
    """Parameters in order, without the receiver."""
    returns: str
    doc: str
    """What the tool does, in the first line, and a `>>>` example; both stand in the prompt."""
    method: bool = True
    """Whether it is a method of ImagePatch, whose patch arrives as argument `patch`."""


def plain(value: object) -> JSON:
    """Records, boxes and containers as what `json.dumps` takes; a patch becomes a dict."""
    if isinstance(value, Region):
        box = list(value.box.as_tuple())
        more = {f.name: plain(getattr(value, f.name)) for f in fields(value)[len(fields(Region)) :]}
        base = {"image": value.image, "box": box, "label": value.label, "score": value.score}
        return base | more
    if isinstance(value, Box):
        return list(value.as_tuple())
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    return value
