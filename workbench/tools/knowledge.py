"""General knowledge from a language model: `llm_query`.

A small model says the same to nearly every yes/no question (SmolLM2-135M asked outright: half
right, that is chance), yet it knows much: asked to *name something that can fly* it prefers a
parrot to a spoon.  So yes/no questions are put to it as comparisons whose prior is subtracted, in
the manner of PMI-DC (Holtzman et al. 2021, arXiv 2104.08315):

* naming: does the predicate raise the subject's odds against each of a few everyday things?
* telling: does the subject raise the predicate's odds, against a neutral one, more than everyday
  things do?

`vpd bench tools` measures it: SmolLM2-135M then answers 92 % of 104 facts about the collages'
categories, half of them true.  Some of these facts were used to choose the method, so expect less.

Only `LanguageModel.choose` is used, so any model behind the port will do.  Models that answer
outright reliably are asked outright.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from workbench import registry
from workbench.api import STANDARD
from workbench.cut_text import UnendedText, cut_reason, first_line
from workbench.errors import ToolFailure
from workbench.ports import Forgetful, Images, LanguageModel
from workbench.records import PartRef, ToolCall, Value
from workbench.tools.arguments import LONGEST_QUESTION, answer_batch, text
from workbench.tools.yesno import YesNo, is_yes_no, parse
from workbench.usage import Usage, total

Method = Literal["contrast", "outright"]

THINGS = ("a stone", "a dog", "a spoon", "a car", "an apple", "a shirt", "a chair", "a bird")
"""Everyday things that a subject is compared with when something is to be named."""
PLAIN_THINGS = ("a stone", "a shirt", "a spoon")
"""Everyday things about which there is little to tell."""
NEUTRAL = "was there."
"""A predicate that fits anything."""
MOST = 2000
"""Number of predicates, and of subjects, that are remembered."""

_ANYWAY = "exists"
_NAMING = (
    "Name one thing that {p}. Answer with its name only. "
    "For example: something that has leaves: a tree. Something that swims: a fish. "
    "Something that {p}:"
)
_TELLING = "Complete the sentence: {s}"
_OUTRIGHT = "Answer with yes or no.\nCan a fish swim? yes\nIs a hat a kind of weather? no\n{q}"


class LanguageKnowledge:
    """`llm_query` on a language model, which compares things to answer yes/no questions.

    Args:
        model: What the language part takes: `bundled`, a folder, or a hub id.
        language: The registered language part, `transformers` or `openai`.
        method: How yes/no questions are answered: `contrast` for small models, `outright` for able
            ones; None takes `contrast` for the bundled model.
        max_tokens: Longest other answer, in tokens; four times as many where the program asks for a
            long one.
        batch_size: Questions at once.
        arguments: Further arguments of the language part.
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
            f"2+{self._language.ref.version}",  # an answer that was cut is a failure
            {
                # what the language part says of itself: where its endpoint is, how it is asked
                **self._language.ref.arguments,
                "model": model,
                "language": language,
                "method": self._method,
                "max_tokens": max_tokens,
            },
        )

    @property
    def usage(self) -> Usage:
        """What the language model's endpoint was asked; nothing for a model in this process."""
        return total([self._language])

    def forget(self) -> None:
        """Forget what was asked; what predicates do to everyday things is no answer, and stays."""
        if isinstance(self._language, Forgetful):
            self._language.forget()

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(calls, self._parse, self._answer)

    @staticmethod
    def _parse(call: ToolCall) -> tuple[str, bool]:
        return text(call, "question", LONGEST_QUESTION), call.arguments.get("long_answer") is True

    def _answer(self, requests: list[tuple[str, bool]]) -> list[Value | ToolFailure]:
        """The answer to each (question, whether a long answer is wanted)."""
        questions = [question for question, _ in requests]
        yes_or_no = self._yes_or_no(questions)
        out: list[Value | ToolFailure] = [yes_or_no.get(i, "") for i in range(len(requests))]
        for long in (False, True):
            rows = [
                i
                for i, (_, wants_long) in enumerate(requests)
                if i not in yes_or_no and wants_long == long
            ]
            answers = self._complete([questions[i] for i in rows], long)
            for i, answer in zip(rows, answers, strict=True):
                out[i] = answer
        return out

    def _yes_or_no(self, questions: Sequence[str]) -> dict[int, str]:
        """The answers to the yes/no questions among some questions, by number."""
        facts = {i: parse(question) for i, question in enumerate(questions) if is_yes_no(question)}
        contrast = self._method == "contrast"
        by_contrast = {i: fact for i, fact in facts.items() if fact is not None and contrast}
        outright = [i for i in facts if i not in by_contrast]
        margins = self.margins(list(by_contrast.values()))
        margins += self._outright([questions[i] for i in outright])
        return {
            i: "yes" if margin > 0 else "no"
            for i, margin in zip((*by_contrast, *outright), margins, strict=True)
        }

    def _complete(self, questions: list[str], long: bool) -> list[Value | ToolFailure]:
        if not questions:
            return []
        tokens = self._max_tokens * (4 if long else 1)
        hint = "" if long else " Answer in a few words."
        answers = self._language.complete([question + hint for question in questions], tokens)
        return [_tidy(answer, long, tokens) for answer in answers]

    def _outright(self, questions: list[str]) -> list[float]:
        """For each question, the log-odds of yes when it is asked outright, in nats."""
        if not questions:
            return []
        prompts = [_OUTRIGHT.format(q=q) for q in questions]
        return [
            _odds(row) for row in self._language.choose(prompts, [("yes", "no")] * len(prompts))
        ]

    def margins(self, facts: Sequence[YesNo]) -> list[float]:
        """How clearly each statement holds, in nats; above 0 is yes.

        Raises:
            EngineError: the language model breaks.
        """
        if not facts:
            return []
        self._prepare([fact.predicate for fact in facts])
        reference, *_ = THINGS
        subjects = list(
            dict.fromkeys(f.noun_phrase for f in facts if f.noun_phrase not in self._anyway)
        )
        requests = [(_NAMING.format(p=_ANYWAY), (subject, reference)) for subject in subjects]
        for fact in facts:
            thing, predicate = fact.noun_phrase, fact.predicate
            requests.append((_NAMING.format(p=predicate), (thing, reference)))
            requests.append((_TELLING.format(s=_capital(thing)), (f"{predicate}.", NEUTRAL)))
        prompts, options = [prompt for prompt, _ in requests], [pair for _, pair in requests]
        odds = [_odds(row) for row in self._language.choose(prompts, options)]
        self._anyway.update(zip(subjects, odds[: len(subjects)]))
        pairs = zip(odds[len(subjects) :: 2], odds[len(subjects) + 1 :: 2], strict=True)
        return [
            self._margin(fact, naming, telling)
            for fact, (naming, telling) in zip(facts, pairs, strict=True)
        ]

    def _margin(self, fact: YesNo, naming: float, telling: float) -> float:
        """A statement's odds by naming and by telling, less those of the everyday things."""
        best_naming, best_telling = self._things[fact.predicate]
        anyway = self._anyway[fact.noun_phrase]
        return (naming - anyway - best_naming) + (telling - best_telling)

    def _prepare(self, predicates: Sequence[str]) -> None:
        """Measure what each predicate does to the everyday things, once per predicate."""
        if len(self._things) > MOST or len(self._anyway) > MOST:
            self._things.clear()
            self._anyway.clear()
        fresh = [p for p in dict.fromkeys(predicates) if p not in self._things]
        if fresh:
            naming = self._best_naming(fresh)
            self._things.update(zip(fresh, zip(naming, self._best_telling(fresh)), strict=True))

    def _best_naming(self, predicates: Sequence[str]) -> list[float]:
        """For each predicate, the most by which it raises an everyday thing's odds, in nats."""
        rows = self._language.choose(
            [_NAMING.format(p=p) for p in (*predicates, _ANYWAY)],
            [THINGS] * (len(predicates) + 1),
        )
        *odds, anyway = [[_log(share) - _log(row[0]) for share in row] for row in rows]
        return [max(x - y for x, y in zip(row, anyway, strict=True)) for row in odds]

    def _best_telling(self, predicates: Sequence[str]) -> list[float]:
        """For each predicate, its best log-odds against the neutral one behind a plain thing."""
        count = len(PLAIN_THINGS)
        prompts = [_TELLING.format(s=_capital(thing)) for _ in predicates for thing in PLAIN_THINGS]
        options = [(f"{p}.", NEUTRAL) for p in predicates for _ in PLAIN_THINGS]
        odds = [_odds(row) for row in self._language.choose(prompts, options)]
        return [max(odds[i * count : (i + 1) * count]) for i in range(len(predicates))]


def _log(share: float) -> float:
    return math.log(max(share, 1e-30))


def _odds(row: Sequence[float]) -> float:
    return _log(row[0]) - _log(row[1])


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _tidy(answer: str, long: bool, tokens: int) -> str | ToolFailure:
    """An answer on one line, its first line or all of it; a failure where it lacks its end.

    Args:
        answer: of the language model.
        long: whether a long one was asked for.
        tokens: most tokens that it was allowed.
    """
    line = answer if long else first_line(answer)
    if isinstance(line, UnendedText):
        return ToolFailure(cut_reason(tokens))
    line = " ".join(line.split()) if long else line.removesuffix(".")
    return line or ToolFailure("the language model gave no answer")
