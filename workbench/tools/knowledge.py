"""General knowledge asked of a language model: `llm_query`.

A small model says the same to nearly every yes/no question (SmolLM2-135M asked outright: half
right, that is chance), yet it knows much: asked to *name something that can fly* it prefers a
parrot to a spoon.  So yes/no questions are put to it as comparisons whose prior is subtracted, in
the manner of PMI-DC (Holtzman et al. 2021, arXiv 2104.08315):

* naming: does the predicate raise the subject's odds against each of a few everyday things?
* telling: does the subject raise the predicate's odds, against a neutral one, more than everyday
things do?

`vpd bench tools` measures it: SmolLM2-135M then answers 92 % of 104 facts about the collages'
categories (half yes, half no), some of which the method was chosen on.

Only `LanguageModel.choose` is used, so any model behind the port can be asked; models that answer
outright reliably are asked outright.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from workbench import registry
from workbench.api import STANDARD
from workbench.errors import ToolFailure
from workbench.ports import Images, LanguageModel
from workbench.records import PartRef, ToolCall, Value
from workbench.tools.arguments import LONGEST_QUESTION, answer_batch, text
from workbench.tools.yesno import YesNo, is_yes_no, parse

Method = Literal["contrast", "outright"]

THINGS = ("a stone", "a dog", "a spoon", "a car", "an apple", "a shirt", "a chair", "a bird")
"""Everyday things that a subject is compared with when something is to be named."""
PLAIN_THINGS = ("a stone", "a shirt", "a spoon")
"""Things about which little can be told."""
NEUTRAL = "was there."
"""A predicate that fits anything."""
MOST = 2000
"""Predicates, and subjects, remembered."""

_ANYWAY = "exists"
_NAMING = (
    "Name one thing that {p}. Answer with its name only. For example: something that has leaves: a tree. "
    "Something that swims: a fish. Something that {p}:"
)
_TELLING = "Complete the sentence: {s}"
_OUTRIGHT = "Answer with yes or no.\nCan a fish swim? yes\nIs a hat a kind of weather? no\n{q}"


class LanguageKnowledge:
    """`llm_query` on a language model part: yes/no questions by comparison or outright, others by
    completion.

    Args: model: `bundled`, a folder, or a hub id; what the language part takes. language: the
        registered language part, `transformers` or `openai`. method: how yes/no questions are
        asked: `contrast` for small models, `outright` for able ones; None takes
            `contrast` for the bundled model.
        max_tokens: longest other answer, in tokens; four times as many where the program asks for a
        long one. batch_size: questions at once. arguments: further arguments of the language part.
    """

    spec = STANDARD["llm_query"]

    def __init__(
        self,
        model: str = "bundled",
        language: str = "transformers",
        method: Method | None = None,
        max_tokens: int = 24,
        batch_size: int = 16,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self._language: LanguageModel = registry.build(
            "language", language, model=model, **(arguments or {})
        )
        self._method = method or ("contrast" if model == "bundled" else "outright")
        self._max_tokens = max_tokens
        self.batch_size = batch_size
        self._things: dict[str, tuple[float, float]] = {}
        self._anyway: dict[str, float] = {}
        self.ref = PartRef(
            "tool",
            "language-knowledge",
            "1",
            {
                "model": model,
                "language": language,
                "method": self._method,
                "max_tokens": max_tokens,
            },
        )

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(calls, self._parse, self._answer)

    @staticmethod
    def _parse(call: ToolCall) -> tuple[str, bool]:
        return text(call, "question", LONGEST_QUESTION), call.arguments.get("long_answer") is True

    def _answer(self, asked: list[tuple[str, bool]]) -> list[Value | ToolFailure]:
        out: list[Value | ToolFailure] = [""] * len(asked)
        facts = {i: parse(question) for i, (question, _) in enumerate(asked) if is_yes_no(question)}
        compared = {
            i: fact for i, fact in facts.items() if fact is not None and self._method == "contrast"
        }
        outright = [i for i in facts if i not in compared]
        for i, margin in zip(compared, self.margins(list(compared.values())), strict=True):
            out[i] = "yes" if margin > 0 else "no"
        for i, margin in zip(
            outright, self._outright([asked[i][0] for i in outright]), strict=True
        ):
            out[i] = "yes" if margin > 0 else "no"
        for long in (False, True):
            rows = [
                i
                for i, (_, wants_long) in enumerate(asked)
                if i not in facts and wants_long == long
            ]
            for i, said in zip(
                rows, self._complete([asked[i][0] for i in rows], long), strict=True
            ):
                out[i] = said
        return out

    def _complete(self, questions: list[str], long: bool) -> list[Value | ToolFailure]:
        if not questions:
            return []
        tokens = self._max_tokens * (4 if long else 1)
        hint = "" if long else " Answer in a few words."
        said = self._language.complete([question + hint for question in questions], tokens)
        return [
            _trimmed(answer, long) or ToolFailure("the language model gave no answer")
            for answer in said
        ]

    def _outright(self, questions: list[str]) -> list[float]:
        """Log-odds of yes, asked outright."""
        if not questions:
            return []
        prompts = [_OUTRIGHT.format(q=q) for q in questions]
        return [
            _odds(row) for row in self._language.choose(prompts, [("yes", "no")] * len(prompts))
        ]

    def margins(self, facts: Sequence[YesNo]) -> list[float]:
        """How clearly each statement holds, in nats; above 0 is yes.  Raises EngineError."""
        if not facts:
            return []
        self._prepare([fact.predicate for fact in facts])
        reference, *_ = THINGS
        subjects = list(
            dict.fromkeys(f.noun_phrase for f in facts if f.noun_phrase not in self._anyway)
        )
        asked = [(_NAMING.format(p=_ANYWAY), (subject, reference)) for subject in subjects]
        for fact in facts:
            asked.append((_NAMING.format(p=fact.predicate), (fact.noun_phrase, reference)))
            asked.append(
                (_TELLING.format(s=_capital(fact.noun_phrase)), (f"{fact.predicate}.", NEUTRAL))
            )
        odds = [_odds(row) for row in self._language.choose(*map(list, zip(*asked, strict=True)))]
        self._anyway.update(zip(subjects, odds[: len(subjects)]))
        out = []
        for fact, named, told in zip(
            facts, odds[len(subjects) :: 2], odds[len(subjects) + 1 :: 2], strict=True
        ):
            best_named, best_told = self._things[fact.predicate]
            out.append((named - self._anyway[fact.noun_phrase] - best_named) + (told - best_told))
        return out

    def _prepare(self, predicates: Sequence[str]) -> None:
        """What each predicate does to the everyday things; asked once per predicate."""
        if len(self._things) > MOST or len(self._anyway) > MOST:
            self._things.clear()
            self._anyway.clear()
        fresh = [p for p in dict.fromkeys(predicates) if p not in self._things]
        if not fresh:
            return
        rows = self._language.choose(
            [_NAMING.format(p=p) for p in (*fresh, _ANYWAY)], [THINGS] * (len(fresh) + 1)
        )
        *named, anyway = [[_log(share) - _log(row[0]) for share in row] for row in rows]
        prompts = [_TELLING.format(s=_capital(thing)) for _ in fresh for thing in PLAIN_THINGS]
        told = self._language.choose(
            prompts, [(f"{p}.", NEUTRAL) for p in fresh for _ in PLAIN_THINGS]
        )
        for i, p in enumerate(fresh):
            gains = [x - y for x, y in zip(named[i], anyway, strict=True)]
            plain = [
                _odds(row) for row in told[i * len(PLAIN_THINGS) : (i + 1) * len(PLAIN_THINGS)]
            ]
            self._things[p] = max(gains), max(plain)


def _log(share: float) -> float:
    return math.log(max(share, 1e-30))


def _odds(row: Sequence[float]) -> float:
    return _log(row[0]) - _log(row[1])


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _trimmed(answer: str, long: bool) -> str:
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    return " ".join(lines)[:2000] if long else (lines[0][:300].removesuffix(".") if lines else "")
