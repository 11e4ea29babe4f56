"""Right for the wrong reason: signs that a program's answer fits by chance, each a sentence for a
curator.

A check scores from 0 (nothing found) to 1; it flags, a person decides.

    untooled     no tool was asked
    independent  tools were asked, and whatever they say the answer stays
    idle         the answer does not depend on some of the calls
    order        the answer depends on the order in which a tool lists what it found
    side         the answer changes in the mirrored picture though the question names no side, or stays though it does
    unasked      the question names a thing that the program never looks for, or has a word that other programs use
    foreign      the program looks for a thing that the question does not name
    concept      the question is about places, sizes, distances or numbers, and the program is not, or the reverse
    apart        the question's other programs answer otherwise
    unfaithful   the rationale says what is not in the trace

How often each of them is right is measured (`measure_reasons`); `suspicion` puts them together.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from workbench.evaluate.wrong_reasons.counterfactual import Shaken
from workbench.evaluate.wrong_reasons.perturb import Axis, Called
from workbench.rationalize.check.stop_words import STOCK
from workbench.rationalize.check.support import WORD, stem
from workbench.records import Program, Task, Trace
from workbench.tools.coco_names import classes_of
from workbench.verify.answers import canonical

CHECKS: Mapping[str, str] = {
    "untooled": "no tool asked", "independent": "does not depend on tools", "idle": "idle call",
    "order": "depends on order", "side": "mirrored picture", "unasked": "never looked for",
    "foreign": "not in the question", "concept": "another kind of question", "apart": "other programs disagree",
    "unfaithful": "rationale not supported",
}  # fmt: skip
"""Names of the checks, with a short title for people."""

WEIGHTS: Mapping[str, float] = {
    "untooled": 0.9, "independent": 0.9, "idle": 0.8, "order": 0.6, "side": 0.6, "unasked": 0.5, "foreign": 0.8,
    "concept": 0.6, "apart": 0.3, "unfaithful": 0.5,
}  # fmt: skip
"""How far each check alone raises suspicion: more where it saw what the program does, less where it
read words.
"""

FLAGGED = 0.5
"""From this suspicion on a run counts as flagged."""
ALONE = 0.3
"""Weight times score from which a check speaks against a run by itself."""

VERSION = "1"
"""Changes whenever a check's results may."""

LONGEST = 120
"""Characters of a call that are quoted."""
LONGEST_TEXT = 4000
"""Characters of a question that are searched for names of things."""

_ALL = 60
"""A word for so many of a detector's classes names nothing."""
_NONE = (None,) * _ALL
_PLAIN = frozenset(
    ("object", "objects", "thing", "things", "item", "items", "viewer", "kind", "sort", "option")
)
"""Words of questions that name nothing, besides `STOCK`."""


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """What one check found."""

    check: str
    """One of `CHECKS`."""
    score: float
    """Above 0, at most 1."""
    text: str
    """One sentence for people; quotes questions and programs, which are hostile."""

    @property
    def flag(self) -> bool:
        """Whether it speaks against the run by itself."""
        return WEIGHTS[self.check] * self.score >= ALONE


@dataclass(frozen=True, slots=True)
class Case:
    """A run to check, with what stands beside it."""

    task: Task
    program: Program
    trace: Trace
    """Ended with an answer."""
    siblings: tuple[tuple[Program, Trace], ...] = ()
    """The other programs of its question, failed ones too."""
    issues: tuple[str, ...] = ()
    """Of its rationale."""


def findings(case: Case, shaken: Shaken) -> tuple[CheckFinding, ...]:
    """Everything found about a run, the gravest first.

    Args:
        shaken: its changed worlds.
    """
    found = [*_dependence(shaken), *_order(shaken), *_sides(case, shaken)]
    found += [
        *_words(case, shaken.calls),
        *_strange(case, shaken.calls),
        *_concepts(case),
        *_apart(case),
    ]
    if case.issues:
        found.append(CheckFinding("unfaithful", 1.0, f"The rationale: {case.issues[0]}"))
    return tuple(sorted(found, key=lambda one: (-one.score, list(CHECKS).index(one.check))))


def suspicion(found: Iterable[CheckFinding]) -> float:
    """From 0 to 1: the checks together, as if each were an independent chance of being right.

    A fixed rule: a logistic regression over the scores, fitted on other pictures, does not tell
    wrong programs that were sampled from right ones better (`vpd check --measure` prints both).
    """
    innocent = 1.0
    for finding in found:
        innocent *= 1 - WEIGHTS[finding.check] * finding.score
    return round(1 - innocent, 4)


def _dependence(shaken: Shaken) -> Iterator[CheckFinding]:
    if not shaken.calls:
        yield CheckFinding("untooled", 1.0, "No tool was asked before the answer was given.")
        return
    idle = shaken.idle() if shaken.repeats else []
    sites = len({call.site for call in shaken.calls})
    if len(idle) == sites:
        yield CheckFinding("independent", 1.0, "Whatever the tools say, the answer stays the same.")
    elif idle:
        named = " or ".join(dict.fromkeys(_quoted(call.words) for call in idle[:3]))
        yield CheckFinding(
            "idle", len(idle) / sites, f"The answer does not depend on what came of {named}."
        )


def _order(shaken: Shaken) -> Iterator[CheckFinding]:
    turned = [e for e in shaken.effects if e.change.name == "reversed" and e.moved == "answer"]
    if turned and shaken.repeats:
        site = next(iter(turned[0].change.sites))
        words = next(call.words for call in shaken.calls if call.site == site)
        yield CheckFinding(
            "order",
            1.0,
            f"The answer depends on the order in which {_quoted(words)} lists what it found.",
        )


_SIDES: tuple[tuple[Axis, str, re.Pattern[str]], ...] = (
    (
        "across",
        "left and right",
        re.compile(
            r"\b(?:left(?! over)\w*|rightmost|right(?:[- ]hand| of| than| edge| side)|(?:further|the|far) right)\b"
        ),
    ),
    (
        "down",
        "above and below",
        re.compile(r"\b(?:above|below|high\w*|low\w*|top\w*|bottom\w*|upper|under|beneath)\b"),
    ),
)
"""What an axis is called, and the words of a question about it."""


def _sides(case: Case, shaken: Shaken) -> Iterator[CheckFinding]:
    question = case.task.question.lower()
    told = " ".join(text.lower() for call in shaken.calls for text in _texts(call))
    for axis, name, words in _SIDES:
        moved = shaken.mirrored(axis)
        if moved is None or not shaken.repeats or words.search(told):
            continue
        asked = words.search(question)
        if moved == "answer" and not asked:
            yield CheckFinding(
                "side",
                1.0,
                f"Mirrored, the picture gives another answer; the question is not about {name}.",
            )
        elif moved == "same" and asked:
            score = 1.0 if case.task.answer_type == "yesno" else 0.5
            yield CheckFinding(
                "side",
                score,
                f"The question is about {name}; mirrored, the picture gives the same answer.",
            )


def _words(case: Case, calls: Sequence[Called]) -> Iterator[CheckFinding]:
    question = _stems([case.task.question])
    here = _stems(
        [*(text for call in calls for text in _texts(call)), *_strings(case.program.source)]
    )
    for name in _nouns(case.task.question):
        if calls and not _stems([name]) & here:
            yield CheckFinding(
                "unasked",
                1.0,
                f"The question names {_quoted(name)}; the program never looks for it.",
            )
            return
    elsewhere = Counter(
        word
        for other, _ in case.siblings
        for word in {w for text in _strings(other.source) for w in _lower(text)}
    )
    missed = [
        (times, word)
        for word, times in elsewhere.items()
        if word not in STOCK | _PLAIN and stem(word) in question and stem(word) not in here
    ]
    if missed and calls:
        (times, word), of = max(missed), len(case.siblings)
        text = f"{times} of {of} other programs have the question's word {_quoted(word)}, this one not."
        yield CheckFinding("unasked", times / of, text)


def _strange(case: Case, calls: Sequence[Called]) -> Iterator[CheckFinding]:
    known = [
        case.task.question,
        *case.task.choices,
        *(call.result for call in calls if isinstance(call.result, str)),
    ]
    stems = _stems([*known, *_PLAIN, *STOCK])
    for name in _looked_for(calls):
        if (own := _stems([name])) and not own & stems:
            yield CheckFinding(
                "foreign",
                1.0,
                f"The program looks for {_quoted(name)}, which the question does not name.",
            )
            return


def _looked_for(calls: Sequence[Called]) -> Iterator[str]:
    """Names that tools were asked for, and nouns of the questions that they were asked."""
    for call in calls:
        for name, value in call.arguments.items():
            if not isinstance(value, str):
                continue
            if name == "object_name":
                yield value
            elif name == "question":
                yield from _nouns(value)


_CONCEPTS: tuple[tuple[str, str, str], ...] = (
    (_SIDES[0][1], _SIDES[0][2].pattern, r"left|right|horizontal"),
    (_SIDES[1][1], _SIDES[1][2].pattern, r"vertical|lower|upper|above|below|top|bottom|high|low"),
    ("size", r"\b(largest|smallest|biggest)\b", r"width|height|larg|small|big|size"),
    ("distance", r"\b(nearest|farthest|distance|furthest(?! to the))\b", r"distance|near|far|clos|\*\* ?2"),
    ("equal numbers", r"\b(as many|same number|equal|equally|balance|equals?)\b", r"==|as many|same|equal"),
)  # fmt: skip
"""What a question may be about, its words there, and what then stands in a program."""

_EQUAL = re.compile(r"as many|same number", re.IGNORECASE)


def _concepts(case: Case) -> Iterator[CheckFinding]:
    question, source = case.task.question.lower(), case.program.source
    for name, asked, used in _CONCEPTS:
        if re.search(asked, question) and not re.search(used, source, re.IGNORECASE):
            yield CheckFinding(
                "concept", 1.0, f"The question is about {name}; nothing in the program is."
            )
            return
    if _EQUAL.search(source) and not re.search(_CONCEPTS[-1][1], question):
        yield CheckFinding(
            "concept", 1.0, "The program asks whether numbers are equal; the question does not."
        )


def _apart(case: Case) -> Iterator[CheckFinding]:
    answers = [
        canonical(trace.answer, case.task)
        for _, trace in case.siblings
        if trace.ok and trace.answer is not None
    ]
    mine = canonical(case.trace.answer or "", case.task)
    other = sum(answer != mine for answer in answers)
    if other:
        text = f"{other} of {len(answers)} other programs of this question answer otherwise."
        yield CheckFinding("apart", other / len(answers), text)


# --- words


def _lower(text: str) -> set[str]:
    return {word.lower() for word in WORD.findall(text)}


def _stems(texts: Iterable[str]) -> set[str]:
    return {stem(word) for text in texts for word in WORD.findall(text)}


def _texts(call: Called) -> list[str]:
    return [value for value in call.arguments.values() if isinstance(value, str)]


_TEXT = re.compile(r"""\"([^"\\\n]{1,200})"|'([^'\\\n]{1,200})'""")


def _strings(source: str) -> list[str]:
    """Texts in a program."""
    return [match[1] or match[2] for match in _TEXT.finditer(source)]


def _nouns(text: str) -> list[str]:
    """Words and pairs of words that name a thing a detector knows; wide words that name everything
    left out.
    """
    words = [word.lower() for word in WORD.findall(text[:LONGEST_TEXT])]
    found: list[str] = []
    at = 0
    while at < len(words):
        for size in (2, 1):
            name = words[at : at + size]
            if (
                len(name) == size
                and not {*name} & (STOCK | _PLAIN)
                and len(classes_of(" ".join(name)) or _NONE) < _ALL
            ):
                found.append(" ".join(name))
                at += size - 1
                break
        at += 1
    return found


def _quoted(text: str) -> str:
    short = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return short if short.endswith(")") else f'"{short}"'
