"""From one tool call and its result to a claim: what the tool said, before any reasoning."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.rationalize.claims.claims import (
    UNKNOWN,
    Claim,
    Cut,
    Exists,
    Fits,
    Found,
    GeneralKnowledge,
    Ground,
    Group,
    Holds,
    Measure,
    NamedPatch,
    Patch,
    Reported,
    ToolText,
    Truth,
    Val,
    VisualAnswer,
)
from workbench.rationalize.claims.clauses import Predicate, one_line, predicate_of
from workbench.rationalize.claims.statements import statement

ALIASES = {"simple_query": "visual_question_answering", "language_question_answering": "llm_query"}
_ORDER = re.compile(
    r"\s*(?:please\s+)?(?:answer|reply|respond|say)\b[^.?!]*[.!]?\s*$", re.IGNORECASE
)
"""`Answer yes or no.` at the end of a question to a model: not part of what is asked."""

_OPTIONS = re.compile(r"\s*\bOptions?:.*$", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class AnsweredCall:
    """A tool call with its answer, as the trace shows them."""

    name: str
    receiver: Patch | None
    arguments: Mapping[str, Any]
    result: Any
    """Patches as `Patch`."""
    events: frozenset[int]
    """`seq` of the call and of its answer."""


def yes(text: Any) -> bool | None:
    """True or False for a yes/no answer, None for any other."""
    if isinstance(text, bool):
        return text
    word = re.match(r"\W*(yes|no|true|false)\b", str(text), re.IGNORECASE)
    return None if word is None else word[1].lower() in ("yes", "true")


def question_of(text: str) -> str:
    """A question to a model without its closing order (`Answer yes or no.`) and list of options."""
    asked = text.strip()
    cut = _ORDER.sub("", _OPTIONS.sub("", asked))
    return one_line(cut if cut else asked)


def claim_of(
    asked: AnsweredCall, one: NamedPatch | None, nouns: Sequence[str]
) -> tuple[Claim, Val]:
    """What a tool call says, and the value it gave with its meaning (without the claim's number).

    Args:
        asked: the call.
        one: its receiver as a thing; None for the whole picture or a plain function.
        nouns: known names of things, to find a question's subject.
    """
    name = ALIASES.get(asked.name, asked.name)
    words = {key: value for key, value in asked.arguments.items() if isinstance(value, str)}
    first = one_line(next(iter(words.values()), ""))
    patches = _patches(asked.result)
    if name == "find" and patches is not None:
        if isinstance(asked.result, Cut):
            return Found(first, patches, one, asked.result.length), Val(UNKNOWN)
        return Found(first, patches, one, len(patches)), Val(
            list(patches), Group(first, patches, (), patches, within=one)
        )
    if name == "exists" and isinstance(asked.result, bool):
        claim: Claim = Exists(first, asked.result, one)
        return claim, Val(asked.result, Truth((Ground(claim, asked.result, None, None),)))
    if name == "verify_property" and isinstance(asked.result, bool) and len(words) > 1:
        what = one or NamedPatch(asked.receiver, first) if asked.receiver is not None else None
        if what is not None:
            predicate = predicate_of(one_line(list(words.values())[1]))
            return _held(NamedPatch(what.patch, first), predicate, asked.result, asked.result)
    if name == "visual_question_answering" and isinstance(asked.result, str):
        return _seen(asked.result, question_of(first) or "What is this?", asked, one, nouns)
    if name == "llm_query" and isinstance(asked.result, str):
        return _known(asked.result, question_of(first), nouns)
    if name == "best_text_match" and isinstance(asked.result, str):
        options = next((v for v in asked.arguments.values() if isinstance(v, list)), [])
        claim = Fits(
            one,
            one_line(asked.result),
            tuple(one_line(o, 40) for o in options[:12] if isinstance(o, str)),
        )
        return claim, Val(asked.result, ToolText(one, "", None))
    if name == "compute_depth" and one is not None and isinstance(asked.result, int | float):
        depth = Measure("depth", one)
        return Reported(name, f"{asked.result:.3g}", one), Val(asked.result, depth)
    if patches is not None and len(patches) == 1 and not isinstance(asked.result, list):
        return Reported(name, "", NamedPatch(patches[0], "patch")), Val(
            patches[0], NamedPatch(patches[0], "patch")
        )
    said = ToolText(one, "", None) if isinstance(asked.result, str) else None
    return Reported(name, one_line(_shown(asked.result)), one), Val(asked.result, said)


def _patches(result: Any) -> tuple[Patch, ...] | None:
    if isinstance(result, Patch):
        return (result,)
    if isinstance(result, list) and all(isinstance(item, Patch) for item in result):
        return tuple(result)
    return None


def _held(one: NamedPatch, predicate: Predicate, truth: bool, value: Any) -> tuple[Claim, Val]:
    claim = Holds(one, predicate, truth)
    item = Ground(claim, truth, predicate, one.patch)
    if isinstance(value, bool):
        return claim, Val(value, Truth((item,)))
    return claim, Val(value, ToolText(one, "", item))


def _seen(
    answer: str, question: str, asked: AnsweredCall, one: NamedPatch | None, nouns: Sequence[str]
) -> tuple[Claim, Val]:
    truth = yes(answer)
    if truth is not None and asked.receiver is not None:
        there = statement(question, nouns)
        if there is not None and there.subject == "there" and one is None:
            noun = re.sub(r"^(an?|any)\s+", "", there.predicate.rest)
            claim: Claim = Exists(noun, truth, None)
            return claim, Val(answer, ToolText(one, question, Ground(claim, truth, None, None)))
        itself = re.fullmatch(
            r"(?:is|are)\s+(?:it|this|that|they|these)\s+([^?;:,]+)\??", question, re.IGNORECASE
        )
        if itself and one is not None:
            return _held(one, Predicate("be", itself[1].strip()), truth, answer)
        if there is not None and there.subject != "there" and not there.many:
            return _held(NamedPatch(asked.receiver, there.noun), there.predicate, truth, answer)
    claim = VisualAnswer(question, one_line(answer), one)
    return claim, Val(answer, ToolText(one, question, None))


def _known(answer: str, question: str, nouns: Sequence[str]) -> tuple[Claim, Val]:
    truth = yes(answer)
    said = statement(question, nouns) if truth is not None else None
    if said is None or truth is None:
        claim: Claim = GeneralKnowledge(question, one_line(answer), None)
        item = Ground(claim, truth, None, None) if truth is not None else None
        return claim, Val(answer, ToolText(None, question, item))
    claim = GeneralKnowledge(question, one_line(answer), said, truth)
    return claim, Val(answer, ToolText(None, question, Ground(claim, truth, said.predicate, None)))


def _shown(value: Any) -> str:
    if isinstance(value, Patch):
        return value.grid
    if isinstance(value, list | tuple):
        return ", ".join(_shown(item) for item in value[:12])
    return str(value)
