"""The last sentence: what the answer means, where that is certain, and the answer word for word.

In order of preference: what the returned value means in the picture ("there is 1 bus that is not
yellow"); the question turned into a statement, where its subject is certain; "the answer is ...".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.boxes_in_text import without_box_lists
from workbench.rationalize.claims.claims import (
    Count,
    GeneralKnowledge,
    Ground,
    Holds,
    NamedPatch,
    ToolText,
    Truth,
)
from workbench.rationalize.claims.clauses import one_line
from workbench.rationalize.claims.grammar import plural
from workbench.rationalize.claims.statements import about_picture, about_thing, countable, statement
from workbench.rationalize.follow.follow import Followed
from workbench.rationalize.follow.tool_calls import yes
from workbench.rationalize.say.tell import Teller
from workbench.records import Task, Trace

MAX_ANSWER = 200
"""Characters of an answer that are repeated."""

_EXISTENCE = re.compile(r"There is (?:no|an?) ")
_COUNT = re.compile(r" \(\d+(?: each)?\)")


def conclusion(
    task: Task,
    trace: Trace,
    followed: Followed,
    teller: Teller,
    before: str,
    earlier: Sequence[str] = (),
) -> str:
    """The conclusion, beginning with "Thus," where there is an answer.

    Args:
        task: its question and options.
        trace: its answer or its failure.
        followed: what the answer means.
        teller: knows which things the sentences before have named.
        before: the sentence before, which is not said twice.
        earlier: the sentences before that one, which are not repeated word for word.
    """
    if trace.failure is not None or trace.answer is None:
        if trace.failure is None:
            return "no answer was reached"
        where = f" in line {trace.failure.line}" if trace.failure.line is not None else ""
        message = one_line(trace.failure.message)
        return f'no answer was reached: the program failed{where} with "{message}"'
    answer = one_line(trace.answer, MAX_ANSWER)
    plain = f"Thus, the answer is {answer}"
    candidates = _candidates(task, answer, followed, teller, before)
    repeated = {sentence.lower().rstrip(".") for sentence in earlier}
    clause = next(
        (
            text
            for text in candidates
            if text and not says(text, before) and text.lower() not in repeated
        ),
        "",
    )
    if not clause:
        return plain
    if answer.lower() in ("yes", "no"):
        return f"Thus, {clause}, and the answer is {answer}"
    return f"Thus, {clause}" if _holds(answer, clause) else plain


def _candidates(
    task: Task, answer: str, followed: Followed, teller: Teller, before: str
) -> list[str]:
    meaning, question = _meaning(answer, followed, teller), _restated(task, answer, followed.nouns)
    if (meaning and not question.startswith(("all ", "not all "))) or _EXISTENCE.match(before):
        return [meaning]  # the question in other words would say it again
    return [meaning, question]


def _holds(answer: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text) is not None


def says(clause: str, before: str) -> bool:
    """Whether the sentence before says a clause in the same words.

    Boxes and counts in brackets may differ.
    """

    def bare(text: str) -> str:
        plain = without_box_lists(text.lower())
        return _COUNT.sub("", plain).rstrip(".").removesuffix(" in the image")

    return bare(clause) == bare(before)


def _meaning(answer: str, followed: Followed, teller: Teller) -> str:
    """What the returned value means in the picture, as a clause; '' where that is not known."""
    about, value = followed.answer.about, followed.answer.value
    if isinstance(about, Count) and answer == str(len(about.group.patches)):
        return teller.names.count_clause(about.group)
    if isinstance(about, Truth) and yes(answer) is not None:
        return _truth(about.items, teller)
    if not isinstance(about, ToolText):
        return ""
    if about.one is not None:
        return _about_thing(about, about.one, answer, value, teller)
    if about.item is None and answer == one_line(value):
        return about_picture(about.question, answer, followed.nouns)
    return ""


def _about_thing(
    about: ToolText, thing: NamedPatch, answer: str, value: object, teller: Teller
) -> str:
    """What a tool's text says of the thing that the tool looked at."""
    if not isinstance(value, str):
        return ""
    if about.item is not None and yes(answer) is not None:
        return _truth((about.item,), teller)
    if answer != one_line(value):
        return ""
    if about.label:
        predicate = f"is {countable(answer)}"
    else:
        predicate = about_thing(about.question, answer, thing.noun)
    return f"{teller.names.the(thing, box=False)} {predicate}" if predicate else ""


def _truth(items: Sequence[Ground], teller: Teller) -> str:
    """What a bool rests on, as a clause: one claim, or the same claim of several things."""
    claims = list(dict.fromkeys(item.claim for item in items if item.claim is not None))
    if any(isinstance(claim, GeneralKnowledge) for claim in claims):
        return ""  # "a bus has wheels" is a reason, not what the picture shows
    if len(claims) == 1:
        return teller.statement(claims[0])
    holds = [claim for claim in claims if isinstance(claim, Holds)]
    kinds = {(claim.one.noun, claim.predicate) for claim in holds}
    if len(holds) != len(claims) or len(kinds) != 1:
        return ""
    return _share(holds, teller)


def _share(holds: Sequence[Holds], teller: Teller) -> str:
    """For how many of the things a predicate holds: `all the dogs are red`."""
    noun, predicate = holds[0].one.noun, holds[0].predicate
    right, number = sum(claim.truth for claim in holds), len(holds)
    if right in (0, number) and number != teller.names.all_of(noun):
        return ""  # the program looked at some of them only
    many = plural(noun)
    if right == 0:
        return f"none of the {many} {teller.names.predicate(predicate, False, True)}"
    if right == number:
        return f"all the {many} {teller.names.predicate(predicate, True, True)}"
    return f"{right} of the {many} {teller.names.predicate(predicate, right > 1, True)}"


def _restated(task: Task, answer: str, nouns: Sequence[str]) -> str:
    """The question as a statement; '' where that is not safe."""
    question = " ".join(task.question.split())
    truth = yes(answer)
    if truth is not None and answer.lower() in ("yes", "no"):
        sentence = statement(question, nouns)
        return sentence.say(truth) if sentence is not None else ""
    if answer in question or _certain(task, answer):
        return about_picture(question, answer, nouns)
    return ""


def _certain(task: Task, answer: str) -> bool:
    """Whether an answer fits into the question's words.

    A number does; a name does where it is not one of several options ("B") or an empty one.
    """
    if answer.isdecimal():
        return True
    return not task.choices and answer.lower() not in ("none", "unknown", "nothing")
