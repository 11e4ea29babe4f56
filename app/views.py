"""What the pages show, made from what the store holds: plain values only, ready for a template.

Nothing here escapes anything: templates do, always.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.highlight import Words, highlight
from workbench.pipeline.report import Figures
from workbench.records import Prediction, Rationale, Task
from workbench.store import Counts, Outcome, Run, TaskView
from workbench.verify import compare
from workbench.verify.figures import Share

STATES = {"kept": "right", "agreed": "none", "wrong": "wrong", "failed": "failed", "waiting": "none"}
"""The sign of what came of a task, by the store's status."""

WORDS = {
    "kept": "kept",
    "agreed": "kept by agreement",
    "wrong": "no program right",
    "failed": "every program failed",
    "waiting": "not run yet",
}
"""The same in words."""

SHORT_WORDS = {"kept": "", "agreed": "", "wrong": "none right", "failed": "all failed", "waiting": "not run"}
"""The same where there is little room and no answer."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One cell of the bar of k samples."""

    state: str
    """`right`, `wrong` or `failed`."""
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One question in a list."""

    task_id: str
    question: str
    image: str
    family: str
    gold: str
    state: str
    answer: str
    student: str
    student_state: str
    outcomes: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of question in the overview."""

    name: str
    questions: int
    pass_1: float | None
    pass_k: float | None
    student: float | None

    @property
    def label(self) -> str:
        return spaced(self.name) or "no kind"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a rationale; `box` is `ymin xmin ymax xmax` on the 0-999 grid where the text names one."""

    text: str
    box: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a rationale, and whether something in the trace supports it."""

    pieces: tuple[Piece, ...]
    supported: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A rationale."""

    sentences: tuple[Sentence, ...]
    issues: tuple[str, ...]
    writer: str


@dataclass(frozen=True, slots=True)
class Member:
    """One program of a question."""

    number: int
    trace_id: str | None
    kept: bool
    facts: str
    problem: str
    reason: str
    code: Sequence[Words]


@dataclass(frozen=True, slots=True)
class Group:
    """The programs that gave one answer."""

    label: str
    state: str
    members: tuple[Member, ...]


def spaced(name: str) -> str:
    """A family's name as words."""
    return name.replace("_", " ")


def duration(seconds: float | None) -> str:
    """A time for people: `340 ms`, `1.2 s`, `2 min 5 s`."""
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def counted(number: int, noun: str) -> str:
    """`1 step`, `2 steps`: nouns of this page only, none of them irregular."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def gold_of(task: Task) -> str:
    """The expected answer; of ten annotators' answers each one once, the most frequent first."""
    distinct = sorted(dict.fromkeys(task.answers), key=task.answers.count, reverse=True)
    return " / ".join(distinct[:3])


def samples(outcome: Outcome) -> tuple[Sample, ...]:
    """The bar: right ones first; the kept one is among them."""
    states = ["right"] * outcome.correct
    states += ["wrong"] * (outcome.executed - outcome.correct)
    states += ["failed"] * (outcome.traces - outcome.executed)
    return tuple(Sample(state, kept=outcome.chosen is not None and not at) for at, state in enumerate(states))


def row(task: Task, outcome: Outcome) -> Row:
    """A question in a list."""
    return Row(
        task_id=task.id,
        question=task.question,
        image=task.image,
        family=task.family,
        gold=gold_of(task),
        state=STATES[outcome.status],
        answer=outcome.answer or SHORT_WORDS[outcome.status],
        student=outcome.student_answer or "",
        student_state=_student_state(outcome.student_score),
        outcomes=samples(outcome),
    )


def _student_state(score: float | None) -> str:
    if score is None:
        return "none"
    return "right" if score >= 0.5 else "wrong"


def student_view(task: Task, prediction: Prediction | None) -> tuple[str, str, str]:
    """The student's answer, its state and the state in words."""
    if prediction is None:
        return "", "none", "not asked"
    state = _student_state(prediction.score if task.labelled else None)
    return prediction.answer, state, {"none": "not labelled"}.get(state, state)


@dataclass(frozen=True, slots=True)
class Figure:
    """One large number with what it counts."""

    label: str
    value: str
    unit: str
    detail: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One station from question to kept rationale."""

    label: str
    count: str
    share: float
    detail: str


@dataclass(frozen=True, slots=True)
class End:
    """How many programs ended in one way."""

    label: str
    state: str
    count: int
    share: float


def figure(label: str, share: Share, detail: str) -> Figure:
    """A share as a large number; the denominator stands below."""
    if share.value is None:
        return Figure(label, "–", "", f"{detail}; nothing labelled was judged yet")
    hits = f"{share.hits:.0f}" if float(share.hits).is_integer() else f"{share.hits:.1f}"
    return Figure(label, f"{100 * share.value:.0f}", "%", f"{detail}: {hits} of {share.of}")


def pace(seconds: float, student: float | None) -> Figure:
    """Seconds per question, beside the student's where it answered."""
    value, _, unit = duration(seconds).partition(" ")
    beside = f"; the student takes {duration(student)}" if student is not None else ""
    return Figure("per question", value, unit, f"sampling, running and judging all programs{beside}")


def way(counts: Counts, questions: int) -> list[Stage]:
    """The stations, each with its share of the one that bounds it."""

    def stage(label: str, count: int, of: int, detail: str) -> Stage:
        return Stage(label, f"{count:,}", count / of if of else 0.0, detail)

    kept = counts.kept + counts.agreed
    return [
        stage("questions", questions, questions, "asked of their pictures"),
        stage("programs", counts.programs, counts.programs, "sampled"),
        stage("ran to an answer", counts.executed, counts.programs, f"of {counts.programs:,} programs"),
        stage("traces kept", kept, questions, f"of {questions:,} questions"),
        stage("rationales", counts.rationales, questions, "told in prose"),
        stage("faithful", counts.faithful, counts.rationales, f"of {counts.rationales:,} rationales"),
    ]


def ends(counts: Counts, outcomes: Sequence[Outcome]) -> list[End]:
    """Right, wrong, not labelled, and each kind of failure, of all traces."""
    labelled = [one for one in outcomes if one.labelled and one.judged]
    right = sum(one.correct for one in labelled)
    wrong = sum(one.executed - one.correct for one in labelled)
    rows = [("right answer", "right", right), ("wrong answer", "wrong", wrong)]
    rows += [("no label", "none", counts.executed - right - wrong)]
    rows += [(kind.replace("_", " "), "failed", number) for kind, number in counts.failures.items()]
    return [End(label, state, number, number / max(counts.traces, 1)) for label, state, number in rows if number]


def families(found: Mapping[str, Figures], k: int) -> list[Family]:
    """One row per kind of question of which some were judged."""
    return [
        Family(name, one.passed[k].of, one.passed[1].value, one.passed[k].value, one.student.value)
        for name, one in found.items()
        if one.passed[k].of
    ]


_BOX = re.compile(r"(?<![\d.])\d{1,3} \d{1,3} \d{1,3} \d{1,3}(?![\d.]\d)")


def pieces(text: str) -> tuple[Piece, ...]:
    """The text cut at its boxes."""
    found, at = [], 0
    for match in _BOX.finditer(text):
        if match.start() > at:
            found.append(Piece(text[at : match.start()]))
        found.append(Piece(match[0], tuple(map(int, match[0].split()))))
        at = match.end()
    return (*found, Piece(text[at:])) if at < len(text) else tuple(found)


def told(rationale: Rationale | None) -> Told | None:
    """A rationale with its boxes and what supports each sentence; text that no citation spans counts as unsupported."""
    if rationale is None:
        return None
    spans, at = [], 0
    for citation in sorted(rationale.citations, key=lambda one: one.start):
        start, end = max(citation.start, at), min(citation.end, len(rationale.text))
        if end <= start:
            continue
        if rationale.text[at:start].strip():
            spans.append((at, start, False))
        spans.append((start, end, bool(citation.events)))
        at = end
    if rationale.text[at:].strip():
        spans.append((at, len(rationale.text), not rationale.citations))
    sentences = tuple(Sentence(pieces(rationale.text[a:b].strip()), supported) for a, b, supported in spans)
    return Told(sentences, rationale.issues, f"{rationale.writer.name} {rationale.writer.version}")


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
        facts += [counted(run.trace.steps, "step"), counted(run.trace.tool_calls, "tool call")]
        facts.append(duration(run.trace.seconds))
    return " · ".join(facts)


def groups(view: TaskView) -> list[Group]:
    """Programs by answer: the kept one's group first, then by size; what failed comes last."""
    keyed: dict[tuple[str, str], list[Run]] = {}
    for run in view.runs:
        state = run_state(run)
        answer = run.trace.answer if run.trace is not None and run.trace.ok else None
        key = "" if answer is None else compare.canonical(answer, view.task)
        keyed.setdefault((state if answer is None else "answer", key), []).append(run)
    chosen = view.chosen

    def order(runs: list[Run]) -> tuple[bool, bool, int]:
        return chosen not in runs, runs[0].trace is None or not runs[0].trace.ok, -len(runs)

    return [_group(runs, chosen) for runs in sorted(keyed.values(), key=order)]


def _group(runs: Sequence[Run], chosen: Run | None) -> Group:
    state = run_state(runs[0])
    trace = runs[0].trace
    label = {"failed": "failed", "none": "not run"}.get(state, "") if trace is None or not trace.ok else trace.answer
    return Group(
        label=label or "an empty answer",
        state=state,
        members=tuple(
            Member(
                number=run.program.index + 1,
                trace_id=run.trace.id if run.trace is not None else None,
                kept=run is chosen,
                facts=facts_of(run),
                problem=problem_of(run),
                reason=run.verdict.reason if run.verdict is not None and run is chosen else "",
                code=highlight(run.program.source),
            )
            for run in runs
        ),
    )
