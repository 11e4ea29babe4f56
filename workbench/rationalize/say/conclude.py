"""The last sentence: what the answer means, as far as that is certain, and the answer word for
word.

In order of preference: what the returned value means in the picture ("there is 1 bus that is not
yellow"); the question turned into a statement, where its subject is certain; "the answer is ...".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.boxes_in_text import without_boxes
from workbench.rationalize.claims.claims import (
    Count,
    GeneralKnowledge,
    Ground,
    Group,
    Holds,
    ToolText,
    Truth,
)
from workbench.rationalize.claims.clauses import one_line
from workbench.rationalize.claims.statements import about_picture, about_thing, countable, statement
from workbench.rationalize.follow.follow import Followed
from workbench.rationalize.follow.tool_calls import yes
from workbench.rationalize.say.naming import plural
from workbench.rationalize.say.tell import Teller
from workbench.records import Task, Trace

MAX_ANSWER = 200
"""Characters of an answer that are repeated."""

_EXISTENCE = re.compile(r"There is (?:no|an?) ")
_COUNT = re.compile(r" \(\d+(?: each)?\)")


def conclusion(task: Task, trace: Trace, followed: Followed, teller: Teller, before: str) -> str:
    """The conclusion, beginning with "Thus," where there is an answer.

    Args:
        task: for its question and options.
        trace: for its answer or its failure.
        followed: what the answer means.
        teller: has named things in the sentences before.
        before: the sentence before, so that it is not said twice.
    """
    if trace.failure is not None or trace.answer is None:
        if trace.failure is None:
            return "no answer was reached"
        where = f" in line {trace.failure.line}" if trace.failure.line is not None else ""
        return f'no answer was reached: the program failed{where} with "{one_line(trace.failure.message)}"'
    answer = one_line(trace.answer, MAX_ANSWER)
    plain = f"Thus, the answer is {answer}"
    candidates = _candidates(task, answer, followed, teller, before)
    counted = answer.isdecimal()  # "there are 3 dogs" may be said again: it is the answer
    meant = next((text for text in candidates if text and (counted or not says(text, before))), "")
    if not meant:
        return plain
    truth = yes(answer)
    if truth is not None and answer.lower() in ("yes", "no"):
        return f"Thus, {meant}, and the answer is {answer}"
    return f"Thus, {meant}" if _holds(answer, meant) else plain


def _candidates(
    task: Task, answer: str, followed: Followed, teller: Teller, before: str
) -> list[str]:
    meant, asked = _meant(answer, followed, teller), _asked(task, answer, followed.nouns)
    if (meant and not asked.startswith(("all ", "not all "))) or _EXISTENCE.match(before):
        return [meant]  # the question in other words would say it again
    return [meant, asked]


def _holds(answer: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text) is not None


def says(meant: str, before: str) -> bool:
    """The sentence before says the same in the same words, boxes and counts in brackets aside."""

    def bare(text: str) -> str:
        return _COUNT.sub("", without_boxes(text.lower())).rstrip(".").removesuffix(" in the image")

    return bare(meant) == bare(before)


def _meant(answer: str, followed: Followed, teller: Teller) -> str:
    about, value = followed.answer.about, followed.answer.value
    if isinstance(about, Count) and answer == str(len(about.group.patches)):
        return teller.names.counted(about.group)
    if isinstance(about, Truth) and yes(answer) is not None:
        return _truth(about.items, teller)
    if isinstance(about, ToolText) and about.one is not None and isinstance(value, str):
        if about.item is not None and yes(answer) is not None:
            return _truth((about.item,), teller)
        if answer == one_line(value):
            said = (
                f"is {countable(answer)}"
                if about.label
                else about_thing(about.question, answer, about.one.noun)
            )
            return f"{teller.names.the(about.one, box=False)} {said}" if said else ""
    if (
        isinstance(about, ToolText)
        and about.one is None
        and about.item is None
        and answer == one_line(value)
    ):
        return about_picture(about.question, answer, followed.nouns)
    return ""


def _truth(items: Sequence[Ground], teller: Teller) -> str:
    claims = list(dict.fromkeys(item.claim for item in items if item.claim is not None))
    if any(isinstance(claim, GeneralKnowledge) for claim in claims):
        return ""  # "a bus has wheels" is a reason, not what the picture shows
    if len(claims) == 1:
        return teller.statement(claims[0])
    holds = [claim for claim in claims if isinstance(claim, Holds)]
    same = (
        len(holds) == len(claims) > 1
        and len({(claim.one.noun, claim.predicate) for claim in holds}) == 1
    )
    if not same:
        return ""
    group = Group(holds[0].one.noun, tuple(claim.one.patch for claim in holds))
    right, number = sum(claim.truth for claim in holds), len(holds)
    if number != teller.names.all_of(group.noun) and right in (0, number):
        return ""
    many = plural(group.noun)
    if right == 0:
        return f"none of the {many} {teller.names.predicate(holds[0].predicate, False, True)}"
    if right == number:
        return f"all the {many} {teller.names.predicate(holds[0].predicate, True, True)}"
    return f"{right} of the {many} {teller.names.predicate(holds[0].predicate, right > 1, True)}"


def _asked(task: Task, answer: str, nouns: Sequence[str]) -> str:
    """The question as a statement; '' where that is not safe."""
    question = " ".join(task.question.split())
    truth = yes(answer)
    if truth is not None and answer.lower() in ("yes", "no"):
        said = statement(question, nouns)
        return said.say(truth) if said is not None else ""
    return (
        about_picture(question, answer, nouns)
        if answer in question or _certain(task, answer)
        else ""
    )


def _certain(task: Task, answer: str) -> bool:
    """Numbers fit into every question's words; a name only where it is no option to be picked
    ("none", "B").
    """
    return answer.isdecimal() or not (
        task.choices or answer.lower() in ("none", "unknown", "nothing")
    )
