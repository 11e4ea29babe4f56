"""Signs that a right answer has a wrong reason, each a sentence for a curator.

Every check gives a score from 0 (no sign) to 1.  A check only flags a run; a person decides.

    untooled     The program calls no tool.
    independent  Tools are called, but the answer stays the same whatever they say.
    idle         The answer does not depend on some of the calls.
    order        The answer depends on the order in which a tool lists its results.
    side         The answer changes when the picture is mirrored although the question mentions no
                 side, or does not change although it does.
    unasked      The question names a thing that the program never looks for, or has a word that
                 other programs of the question use and this one does not.
    foreign      The program looks for a thing that the question does not name.
    concept      The question is about places, sizes, distances or numbers and the program is not,
                 or the reverse.
    apart        Other programs of the question give another answer.
    unfaithful   The rationale says something that the trace does not support.

`suspicion` puts the checks together; `measure_checks` measures how often each of them is right.
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
    "untooled": "no tool asked",
    "independent": "does not depend on tools",
    "idle": "idle call",
    "order": "depends on order",
    "side": "mirrored picture",
    "unasked": "never looked for",
    "foreign": "not in the question",
    "concept": "another kind of question",
    "apart": "other programs disagree",
    "unfaithful": "rationale not supported",
}
"""Names of the checks, with a short title for people."""

WEIGHTS: Mapping[str, float] = {
    "untooled": 0.9,
    "independent": 0.9,
    "idle": 0.8,
    "order": 0.6,
    "side": 0.6,
    "unasked": 0.5,
    "foreign": 0.8,
    "concept": 0.6,
    "apart": 0.3,
    "unfaithful": 0.5,
}
"""How far each check alone raises suspicion.

Checks that observe what the program does weigh more than checks that compare words.
"""

ALONE = 0.3
"""Weight times score from which a check speaks against a run by itself."""

VERSION = "1"
"""Changes whenever a check's results may."""

LONGEST = 120
"""Most characters of a call that are quoted."""
LONGEST_TEXT = 4000
"""Number of characters of a question that are searched for names of things."""

_ALL = 60
"""From so many detector classes on, a word is too wide to name a thing."""
_NONE = (None,) * _ALL
_PLAIN = frozenset(
    ("object", "objects", "thing", "things", "item", "items", "viewer", "kind", "sort", "option")
)
"""Words of questions that name no particular thing, besides those in `STOCK`."""


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """One sign that a check sees in a run."""

    check: str
    """One of `CHECKS`."""
    score: float
    """Above 0, at most 1."""
    text: str
    """One sentence for people; quotes questions and programs, which are hostile."""

    @property
    def flag(self) -> bool:
        """Whether this sign alone speaks against the run."""
        return WEIGHTS[self.check] * self.score >= ALONE


@dataclass(frozen=True, slots=True)
class Case:
    """A run to check, with the other runs of its question and the issues of its rationale."""

    task: Task
    program: Program
    trace: Trace
    """The program's trace; it ended with an answer."""
    siblings: tuple[tuple[Program, Trace], ...] = ()
    """The other programs of its question, failed ones too."""
    issues: tuple[str, ...] = ()
    """What is wrong with its rationale, one sentence each."""


def findings(case: Case, shaken: Shaken) -> tuple[CheckFinding, ...]:
    """The signs of all checks about a run, the gravest first.

    Args:
        case: the run, with what stands beside it.
        shaken: what its changed worlds show.
    """
    signs = [*_dependence(shaken), *_order(shaken), *_sides(case, shaken)]
    signs += [
        *_unasked(case, shaken.calls),
        *_strange(case, shaken.calls),
        *_concepts(case),
        *_apart(case),
    ]
    if case.issues:
        signs.append(CheckFinding("unfaithful", 1.0, f"The rationale: {case.issues[0]}"))
    return tuple(sorted(signs, key=lambda one: (-one.score, list(CHECKS).index(one.check))))


def suspicion(signs: Iterable[CheckFinding]) -> float:
    """All checks together, from 0 to 1, as if each were an independent chance of being right.

    The rule is fixed.  A logistic regression over the scores, fitted on other pictures, does not
    tell sampled wrong programs from right ones any better (`vpd check --measure` prints both).
    """
    innocent = 1.0
    for sign in signs:
        innocent *= 1 - WEIGHTS[sign.check] * sign.score
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
            r"\b(?:left(?! over)\w*|rightmost"
            r"|right(?:[- ]hand| of| than| edge| side)|(?:further|the|far) right)\b"
        ),
    ),
    (
        "down",
        "above and below",
        re.compile(r"\b(?:above|below|high\w*|low\w*|top\w*|bottom\w*|upper|under|beneath)\b"),
    ),
)
"""Each axis with its name and the words of a question about it."""


def _sides(case: Case, shaken: Shaken) -> Iterator[CheckFinding]:
    question = case.task.question.lower()
    call_words = " ".join(text.lower() for call in shaken.calls for text in _texts(call))
    for axis, name, words in _SIDES:
        moved = shaken.mirrored(axis)
        if moved is None or not shaken.repeats or words.search(call_words):
            continue
        names_side = words.search(question)
        if moved == "answer" and not names_side:
            yield CheckFinding(
                "side",
                1.0,
                f"Mirrored, the picture gives another answer; the question is not about {name}.",
            )
        elif moved == "same" and names_side:
            score = 1.0 if case.task.answer_type == "yesno" else 0.5
            yield CheckFinding(
                "side",
                score,
                f"The question is about {name}; mirrored, the picture gives the same answer.",
            )


def _unasked(case: Case, calls: Sequence[Called]) -> Iterator[CheckFinding]:
    """A thing of the question that the program never looks for, or a word that siblings have."""
    if not calls:
        return
    here = _stems(
        [*(text for call in calls for text in _texts(call)), *_strings(case.program.source)]
    )
    for name in _nouns(case.task.question):
        if not _stems([name]) & here:
            yield CheckFinding(
                "unasked",
                1.0,
                f"The question names {_quoted(name)}; the program never looks for it.",
            )
            return
    missing = _words_of_siblings(case, here)
    if missing:
        (times, word), of = max(missing), len(case.siblings)
        text = (
            f"{times} of {of} other programs have the question's word {_quoted(word)}, "
            "this one not."
        )
        yield CheckFinding("unasked", times / of, text)


def _words_of_siblings(case: Case, here: set[str]) -> list[tuple[int, str]]:
    """Words of the question that other programs have and this one lacks, with how many have them.

    Args:
        case: the run.
        here: stems of the words of its program and its calls.
    """
    question = _stems([case.task.question])
    counts = Counter(
        word
        for other, _ in case.siblings
        for word in {w for text in _strings(other.source) for w in _lower(text)}
    )
    return [
        (times, word)
        for word, times in counts.items()
        if word not in STOCK | _PLAIN and stem(word) in question and stem(word) not in here
    ]


def _strange(case: Case, calls: Sequence[Called]) -> Iterator[CheckFinding]:
    texts = [
        case.task.question,
        *case.task.choices,
        *(call.result for call in calls if isinstance(call.result, str)),
    ]
    stems = _stems([*texts, *_PLAIN, *STOCK])
    for name in _looked_for(calls):
        if (own := _stems([name])) and not own & stems:
            yield CheckFinding(
                "foreign",
                1.0,
                f"The program looks for {_quoted(name)}, which the question does not name.",
            )
            return


def _looked_for(calls: Sequence[Called]) -> Iterator[str]:
    """Names of things that tools look for, and nouns of the questions that tools answer."""
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
    (
        "distance",
        r"\b(nearest|farthest|distance|furthest(?! to the))\b",
        r"distance|near|far|clos|\*\* ?2",
    ),
    (
        "equal numbers",
        r"\b(as many|same number|equal|equally|balance|equals?)\b",
        r"==|as many|same|equal",
    ),
)
"""What a question may be about, a pattern of its words for it, and one of a program's."""

_EQUAL = re.compile(r"as many|same number", re.IGNORECASE)


def _concepts(case: Case) -> Iterator[CheckFinding]:
    question, source = case.task.question.lower(), case.program.source
    for name, in_question, in_program in _CONCEPTS:
        if re.search(in_question, question) and not re.search(in_program, source, re.IGNORECASE):
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
    """The string literals of a program."""
    return [match[1] or match[2] for match in _TEXT.finditer(source)]


def _nouns(text: str) -> list[str]:
    """Words and pairs of words that name a thing a detector knows; too wide words are left out."""
    words = [word.lower() for word in WORD.findall(text[:LONGEST_TEXT])]
    nouns: list[str] = []
    at = 0
    while at < len(words):
        for size in (2, 1):
            name = words[at : at + size]
            if (
                len(name) == size
                and not {*name} & (STOCK | _PLAIN)
                and len(classes_of(" ".join(name)) or _NONE) < _ALL
            ):
                nouns.append(" ".join(name))
                at += size - 1
                break
        at += 1
    return nouns


def _quoted(text: str) -> str:
    short = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return short if short.endswith(")") else f'"{short}"'
