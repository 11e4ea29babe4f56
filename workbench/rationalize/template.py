"""The deterministic writer: a trace told in prose in the paper's form, without a language model.

Source: Hu et al. 2024 (VPD), section 4: "There are 3 buses in the image.  The bus at 469 124 726
351 is not yellow. ... Thus, there is 1 bus that is not yellow."

The text says what the trace and the program support (`follow`), leaves out what cannot be followed,
and ends in a conclusion that holds the answer word for word.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.rationalize.check.faithful import check
from workbench.rationalize.claims.clauses import capital, one_line
from workbench.rationalize.follow.follow import follow
from workbench.rationalize.follow.reading import FollowedRun, read
from workbench.rationalize.say.conclude import conclusion
from workbench.rationalize.say.tell import Sentence, Teller
from workbench.records import Citation, PartRef, Program, Rationale, Task, Trace, content_key

MAX_PRINTED = 3
"""Most printed lines that are told, where there is nothing else to tell."""


class TemplateWriter:
    """Tells traces by rule; the same trace always gives the same text."""

    def __init__(self) -> None:
        self.ref = PartRef("writer", "template", "2")

    def write(self, rows: Sequence[tuple[Task, Program, Trace]]) -> list[Rationale]:
        """One rationale for each row, in the same order, with its issues (`faithful.check`)."""
        return [self._one(task, program, trace) for task, program, trace in rows]

    def _one(self, task: Task, program: Program, trace: Trace) -> Rationale:
        text, citations = join(tell(task, program, trace))
        checked = check(text, task, program, trace)
        return Rationale(
            id=content_key("rationale", trace.id, task.question, self.ref),
            trace_id=trace.id,
            task_id=task.id,
            text=text,
            answer=trace.answer or "",
            citations=citations,
            issues=checked.issues,
            writer=self.ref,
            bare=checked.bare,
            unchecked=checked.unchecked,
        )


def tell(task: Task, program: Program, trace: Trace) -> list[Sentence]:
    """The sentences of a rationale, the conclusion last.  Never raises.

    Args:
        task: the question.
        program: the program.
        trace: its run.
    """
    run = read(trace, len(task.images))
    followed = follow(program.source, run, task.choices)
    everything = trace.failure is not None or (followed.lost and followed.answer.about is None)
    entries = followed.story.relevant(followed.answer.rests, everything)
    teller = Teller(entries, followed.answer.about, followed.nouns)
    sentences = teller.sentences() or _printed(run)
    last = sentences[-1] if sentences else Sentence("", ())
    events = followed.events
    earlier = [sentence.text for sentence in sentences[:-1]]
    text = conclusion(task, trace, followed, teller, last.text, earlier)
    short = conclusion(task, trace, followed, teller, "", earlier)
    if len(sentences) > 2 and short != text:
        # The last sentence says what the conclusion says: once is enough.
        sentences, events, text = sentences[:-1], tuple(sorted({*last.events, *events})), short
    return [*sentences, Sentence(capital(text), events)]


def _printed(run: FollowedRun) -> list[Sentence]:
    """Lines that the program printed, which are all there is to tell where nothing was followed."""
    lines = [(seq, one_line(text)) for seq, text in run.printed[:MAX_PRINTED]]
    return [
        Sentence(capital(line), (seq,)) for seq, line in lines if any(c.isalpha() for c in line)
    ]


def join(sentences: Sequence[Sentence]) -> tuple[str, tuple[Citation, ...]]:
    """Sentences as one text, and where each stands with its events."""
    text, citations = "", []
    for sentence in sentences:
        start = len(text) + bool(text)
        text = f"{text} {sentence.text}" if text else sentence.text
        citations.append(Citation(start, len(text), sentence.events))
    return text, tuple(citations)
