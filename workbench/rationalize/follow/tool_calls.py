"""From one tool call and its result to a claim: what the tool said, before any reasoning."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.made_pictures import PICTURE_STEPS
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
    Pictured,
    Reported,
    ToolText,
    Truth,
    Val,
    VisualAnswer,
)
from workbench.rationalize.claims.clauses import Predicate, one_line, predicate_of
from workbench.rationalize.claims.statements import compares_numbers, statement

ALIASES = {"simple_query": "visual_question_answering", "language_question_answering": "llm_query"}
"""Tools that programs may call under an older name too."""
_ORDER = re.compile(
    r"\s*(?:please\s+)?(?:answer|reply|respond|say)\b[^.?!]*[.!]?\s*$", re.IGNORECASE
)
"""`Answer yes or no.` at the end of a question to a model: not part of the question."""
_OPTIONS = re.compile(r"\s*\bOptions?:.*$", re.IGNORECASE | re.DOTALL)
_ITSELF = re.compile(
    r"(?:is|are)\s+(?:it|this|that|they|these)\s+(?P<what>[^?;:,]+)\??", re.IGNORECASE
)
"""`Is it red?`: a question about the thing that a tool looks at."""


@dataclass(frozen=True, slots=True)
class AnsweredCall:
    """A tool call with its answer, as the trace shows them."""

    name: str
    receiver: Patch | None
    arguments: Mapping[str, Any]
    result: Any
    """The answer, its patches as `Patch`."""
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
    text = text.strip()
    question = _ORDER.sub("", _OPTIONS.sub("", text))
    return one_line(question or text)


def claim_of(call: AnsweredCall, one: NamedPatch | None, nouns: Sequence[str]) -> tuple[Claim, Val]:
    """What a tool call says, and the value that it gave with its meaning.

    The value does not rest on the claim yet: the claim has no number before it is in a story.

    Args:
        call: the call.
        one: its receiver as a thing; None for the whole picture or a plain function.
        nouns: names of things, of which one is a question's subject.
    """
    claim = _CLAIMS.get(ALIASES.get(call.name, call.name), _no_claim)
    return claim(call, one, nouns) or _report(call, one)


def _no_claim(
    call: AnsweredCall, one: NamedPatch | None, nouns: Sequence[str]
) -> tuple[Claim, Val] | None:
    """Nothing is known beforehand of what a tool of somebody's own says."""
    return None


def _texts(call: AnsweredCall) -> list[str]:
    """Arguments of a call that are texts, each on one line."""
    return [one_line(text) for text in call.arguments.values() if isinstance(text, str)]


def _first_text(call: AnsweredCall) -> str:
    return next(iter(_texts(call)), "")


def _find(
    call: AnsweredCall, one: NamedPatch | None, nouns: Sequence[str]
) -> tuple[Claim, Val] | None:
    patches = _patches(call.result)
    if patches is None:
        return None
    noun = _first_text(call)
    if isinstance(call.result, Cut):
        return Found(noun, patches, one, call.result.length), Val(UNKNOWN)
    group = Group(noun, patches, (), patches, within=one)
    return Found(noun, patches, one, len(patches)), Val(list(patches), group)


def _exists(
    call: AnsweredCall, one: NamedPatch | None, nouns: Sequence[str]
) -> tuple[Claim, Val] | None:
    if not isinstance(call.result, bool):
        return None
    claim = Exists(_first_text(call), call.result, one)
    return claim, Val(call.result, Truth((Ground(claim, call.result, None, None),)))


def _verify_property(
    call: AnsweredCall, one: NamedPatch | None, nouns: Sequence[str]
) -> tuple[Claim, Val] | None:
    texts = _texts(call)
    if call.receiver is None or not isinstance(call.result, bool) or len(texts) < 2:
        return None
    patch = one.patch if one is not None else call.receiver
    return _property(NamedPatch(patch, texts[0]), predicate_of(texts[1]), call.result, call.result)


def _property(one: NamedPatch, predicate: Predicate, truth: bool, value: Any) -> tuple[Claim, Val]:
    claim = Holds(one, predicate, truth)
    item = Ground(claim, truth, predicate, one.patch)
    if isinstance(value, bool):
        return claim, Val(value, Truth((item,)))
    return claim, Val(value, ToolText(one, "", item))


def _visual_answer(
    call: AnsweredCall, one: NamedPatch | None, nouns: Sequence[str]
) -> tuple[Claim, Val] | None:
    answer = call.result
    if not isinstance(answer, str):
        return None
    question = question_of(_first_text(call)) or "What is this?"
    truth = yes(answer)
    if truth is not None and call.receiver is not None:
        claim = _yes_or_no(question, answer, truth, one, call.receiver, nouns)
        if claim is not None:
            return claim
    return VisualAnswer(question, one_line(answer), one), Val(answer, ToolText(one, question, None))


def _yes_or_no(
    question: str,
    answer: str,
    truth: bool,
    one: NamedPatch | None,
    receiver: Patch,
    nouns: Sequence[str],
) -> tuple[Claim, Val] | None:
    """What a yes or no says of the picture or of a thing; None where that is not certain."""
    sentence = statement(question, nouns)
    if sentence is not None and sentence.subject == "there" and one is None:
        if compares_numbers(sentence.predicate.rest):
            return None
        claim = Exists(re.sub(r"^(an?|any)\s+", "", sentence.predicate.rest), truth, None, True)
        return claim, Val(answer, ToolText(one, question, Ground(claim, truth, None, None)))
    itself = _ITSELF.fullmatch(question)
    if itself and one is not None:
        return _property(one, Predicate("be", itself["what"].strip()), truth, answer)
    if sentence is not None and sentence.subject != "there" and not sentence.many:
        return _property(NamedPatch(receiver, sentence.noun), sentence.predicate, truth, answer)
    return None


def _general_knowledge(
    call: AnsweredCall, one: NamedPatch | None, nouns: Sequence[str]
) -> tuple[Claim, Val] | None:
    answer = call.result
    if not isinstance(answer, str):
        return None
    question = question_of(_first_text(call))
    truth = yes(answer)
    sentence = statement(question, nouns) if truth is not None else None
    if sentence is None or truth is None:
        claim = GeneralKnowledge(question, one_line(answer), None)
        item = Ground(claim, truth, None, None) if truth is not None else None
    else:
        claim = GeneralKnowledge(question, one_line(answer), sentence, truth)
        item = Ground(claim, truth, sentence.predicate, None)
    return claim, Val(answer, ToolText(None, question, item))


def _best_match(
    call: AnsweredCall, one: NamedPatch | None, nouns: Sequence[str]
) -> tuple[Claim, Val] | None:
    if not isinstance(call.result, str):
        return None
    lists = (value for value in call.arguments.values() if isinstance(value, list))
    options = [option for option in next(lists, [])[:12] if isinstance(option, str)]
    claim = Fits(one, one_line(call.result), tuple(one_line(option, 40) for option in options))
    return claim, Val(call.result, ToolText(one, "", None))


def _depth(
    call: AnsweredCall, one: NamedPatch | None, nouns: Sequence[str]
) -> tuple[Claim, Val] | None:
    if one is None or not isinstance(call.result, int | float):
        return None
    claim = Reported("compute_depth", f"{call.result:.3g}", one)
    return claim, Val(call.result, Measure("depth", one))


def _picture_step(
    call: AnsweredCall, one: NamedPatch | None, nouns: Sequence[str]
) -> tuple[Claim, Val] | None:
    """A step whose result is a picture: the patch that it gives shows the thing that it took."""
    if not isinstance(call.result, Patch):
        return None
    values = call.arguments.values()
    listed = [item for value in values if isinstance(value, list) for item in value]
    things = [value for value in (*values, *listed) if isinstance(value, Patch)]
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    claim = Pictured(
        call.name,
        one,
        tuple(NamedPatch(thing, one_line(thing.label or "", 40)) for thing in things),
        _first_text(call),
        float(next(iter(numbers), 0.0)),
    )
    noun = one.noun if one is not None else one_line(call.result.label or "", 40)
    return claim, Val(call.result, NamedPatch(call.result, noun))


_CLAIMS: Mapping[
    str,
    Callable[[AnsweredCall, NamedPatch | None, Sequence[str]], tuple[Claim, Val] | None],
] = {
    "find": _find,
    "exists": _exists,
    "verify_property": _verify_property,
    "visual_question_answering": _visual_answer,
    "llm_query": _general_knowledge,
    "best_text_match": _best_match,
    "compute_depth": _depth,
    **dict.fromkeys(PICTURE_STEPS, _picture_step),
}
"""What the calls of each published tool say; None for an answer that is not of its usual kind."""


def _report(call: AnsweredCall, one: NamedPatch | None) -> tuple[Claim, Val]:
    """What any other tool said, word for word."""
    name = ALIASES.get(call.name, call.name)
    if isinstance(call.result, Patch):
        thing = NamedPatch(call.result, "patch")
        return Reported(name, "", thing), Val(call.result, thing)
    about = ToolText(one, "", None) if isinstance(call.result, str) else None
    return Reported(name, one_line(_plain(call.result)), one), Val(call.result, about)


def _patches(result: Any) -> tuple[Patch, ...] | None:
    if isinstance(result, Patch):
        return (result,)
    if isinstance(result, list) and all(isinstance(item, Patch) for item in result):
        return tuple(result)
    return None


def _plain(value: Any) -> str:
    if isinstance(value, Patch):
        return value.grid
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value[:12])
    return str(value)
