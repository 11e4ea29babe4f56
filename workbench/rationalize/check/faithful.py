"""The faithfulness check: everything that a rationale says occurs in its trace.

That is every number, name and box; and the rationale ends in the answer of the run.
Used on every writer's text; it reads the text and the trace alone, so that no writer grades itself.
Sides, sizes, comparisons and negations are held against the program as it was followed through the
trace (`turned`), and what the answer rests on has to be told (`left_out`).  What no fact speaks of
is unchecked, not faithful.  What it does not see: a true sentence that proves nothing.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbench.boxes import GRID
from workbench.boxes_in_text import boxes_in, split_at_boxes
from workbench.english import ORDINALS, SENTENCE_END, plural, singular, value
from workbench.rationalize.check.bare import is_bare
from workbench.rationalize.check.facts import TraceFacts, facts_of
from workbench.rationalize.check.left_out import left_out
from workbench.rationalize.check.stop_words import STOCK
from workbench.rationalize.check.support import NUMBER, WORD, Support, stem, support
from workbench.rationalize.check.turned import CheckedClause, ClauseCheck, turned_pairs
from workbench.rationalize.check.which_picture import pictures_named, wrong_pictures
from workbench.rationalize.follow.evidence import strongest
from workbench.rationalize.follow.follow import follow
from workbench.rationalize.follow.reading import read
from workbench.records import Citation, Program, Task, Trace

MAX_TEXT = 4000
"""Characters of a rationale; a longer one is not read."""
MAX_ISSUES = 12
"""Most issues of one rationale that are reported."""

_ROW = re.compile(r"(?<![\w.,-])\d+(?: \d+){3,}(?!\w|[.,]\d)")
"""Four numbers or more in a row: a box, or a fault.  Each box of `boxes_in` is such a row."""
_QUOTED = re.compile(r'"([^"]{1,400})"|“([^”]{1,400})”')
_THE_ANSWER = re.compile(
    r"\bthe answer is:?\s+(?P<answer>.+?)\s*[.!]?\s*$", re.IGNORECASE | re.DOTALL
)
_IN_PICTURE = rf"\s+in the (?:(?:{'|'.join(ORDINALS)}) )?(?:image|picture)"
_ORDINAL = re.compile(rf"\bthe (?:{'|'.join(ORDINALS)}) (?=picture\b)")
_NONE = re.compile(
    rf"\bthere is no (?P<noun>[\w -]{{1,40}}?)(?={_IN_PICTURE}|\s*[,.]|\s+and no\b)",
    re.IGNORECASE,
)
_NEGATION = re.compile(r"\b(?:not|no|cannot|none|neither|never)\b|n't\b", re.IGNORECASE)
_CLAUSE_END = re.compile(r";\s|, (?:but|while|whereas|and) (?=the(?:re)?\b|an?\b|it\b)")
"""What stands between two clauses that say something of their own."""
_COUNT_WORDS = {"both": 2, "neither": 2}


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check of a rationale gives."""

    issues: tuple[str, ...]
    """What is wrong, one sentence each; quotes the wrong words."""
    citations: tuple[Citation, ...] = ()
    """One for each sentence."""
    unchecked: tuple[str, ...] = ()
    """Sentences with a claim that the trace neither supports nor contradicts."""
    bare: bool = False
    """Whether the text says no more than the answer."""


def check(text: str, task: Task, program: Program, trace: Trace) -> Checked:
    """What is wrong with a rationale, and which events each of its sentences rests on.

    Args:
        text: the rationale; hostile.
        task: its question and options may be repeated in the conclusion.
        program: texts in its source may be named.
        trace: what happened.
    """
    if len(text) > MAX_TEXT:
        return Checked((f"The rationale has {len(text)} characters; at most {MAX_TEXT} are read.",))
    if not text.strip():
        return Checked(("The rationale is empty.",))
    facts = support(task, program, trace)
    followed = follow(program.source, read(trace, len(task.images)), task.choices)
    turned = _TurnedCheck(facts_of(followed), task.question, trace.answer or "")
    question = {stem(word) for word in WORD.findall(task.question)}
    numbers = set(NUMBER.findall(task.question)) | {
        str(number) for word in WORD.findall(task.question) if (number := value(word)) is not None
    }
    issues = list(_unprintable(text))
    citations: list[Citation] = []
    spans = _sentences(text)
    for start, end in spans:
        # The conclusion may repeat words and numbers of the question.
        last = end == spans[-1][1]
        sentence = _SentenceCheck(
            text[start:end], facts, question if last else set(), numbers if last else set()
        )
        issues += [*sentence.issues(), *turned.issues(sentence, last)]
        events = sentence.events | (set(facts.closing) if last else set())
        citations.append(Citation(start, end, tuple(sorted(events))))
    issues += [*_conclusion(text, task, trace), *left_out(text, followed)]
    return Checked(
        tuple(dict.fromkeys(issues))[:MAX_ISSUES],
        tuple(citations),
        tuple(dict.fromkeys(turned.unchecked)),
        is_bare(text, task.question, trace.answer or "", strongest(followed)),
    )


def _unprintable(text: str) -> Iterator[str]:
    odd = next((c for c in text if not c.isprintable() and c != "\n"), None)
    if odd:
        yield f"The rationale holds the unprintable character U+{ord(odd):04X}."


class _TurnedCheck:
    """Finds what is turned round in sentences, and gathers what could not be checked."""

    def __init__(self, facts: TraceFacts, question: str, answer: str) -> None:
        self.facts = facts
        self.clauses = ClauseCheck(facts, question, answer)
        self.unchecked: list[str] = []

    def issues(self, sentence: _SentenceCheck, last: bool) -> list[str]:
        """What is turned round in a sentence.

        Args:
            sentence: the sentence.
            last: whether it is the conclusion.
        """
        judged = list(turned_pairs(sentence.text, self.facts))
        for clause in sentence.clauses(last):
            judged += self.clauses.judge(clause)
        self.unchecked += [sentence.text for one in judged if one.holds is None]
        return [_turned(one.what, sentence.text) for one in judged if one.holds is False]


def _turned(what: str, sentence: str) -> str:
    words = what if len(what) <= 40 and "§" not in what else sentence[:120]
    return f'"{words}" is not what happened in the run: the program found otherwise.'


def _sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence; quoted text is never cut."""
    hidden = _QUOTED.sub(lambda match: '"' + "x" * (len(match[0]) - 2) + '"', text)
    cuts = [0, *(match.end() for match in SENTENCE_END.finditer(hidden)), len(text)]
    spans = []
    for start, end in itertools.pairwise(cuts):
        part = text[start:end]
        if part.strip():
            spans.append(
                (start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip()))
            )
    return spans


class _SentenceCheck:
    """Compares one sentence with what the trace supports."""

    def __init__(self, text: str, facts: Support, extra: set[str], numbers: set[str]) -> None:
        self.text = text
        self.facts = facts
        self.extra = extra
        self.extra_numbers = numbers
        self.events: set[int] = set()
        self.boxes = boxes_in(text)

    def issues(self) -> list[str]:
        """What is wrong with the sentence; `events` then holds what it rests on."""
        bare = _QUOTED.sub('""', _ROW.sub("@", self.text))
        return [
            *self._boxes(),
            *wrong_pictures(self.text, self.facts),
            *self._quotes(),
            *self._numbers(bare),
            *self._words(bare),
            *self._counts(bare),
            *self._denials(bare),
            *self._names_of_boxes(),
            *self._polarity(),
        ]

    def clauses(self, last: bool) -> Iterator[CheckedClause]:
        """The sentence in pieces, each of which says one thing.

        Args:
            last: whether it is the conclusion.
        """
        pieces = split_at_boxes(self.text)
        boxes = tuple(pieces[1::2])
        pieces[1::2] = [f"§{place}" for place in range(len(boxes))]
        plain = _QUOTED.sub('""', "".join(pieces)).lower()
        if self.facts.number > 1:  # which picture it is, `wrong_pictures` holds
            plain = _ORDINAL.sub("the ", plain)
        for part in _CLAUSE_END.split(plain):
            if part.strip():
                yield CheckedClause(part.strip(), boxes, last)

    def _boxes(self) -> Iterator[str]:
        spans = {(box.start, box.end) for box in self.boxes}
        for match in _ROW.finditer(self.text):
            if match.span() not in spans:
                yield f'"{match[0][:80]}" is not a box: a box is four integers from 0 to {GRID}.'
            elif match[0] not in self.facts.boxes:
                yield f'The box "{match[0]}" is not in the trace.'
            else:
                self.events.add(min(self.facts.box_events[match[0]]))

    def _quotes(self) -> Iterator[str]:
        for match in _QUOTED.finditer(self.text):
            words = " ".join((match[1] or match[2]).split())
            events = self.facts.says(words)
            if events:
                self.events |= {events[0]} - {-1}
            else:
                yield f'The text "{words[:80]}" is quoted but is not in the trace.'

    def _numbers(self, bare: str) -> Iterator[str]:
        # A sentence may count its own boxes.
        own = {str(number) for number in range(1, len(self.boxes) + 1)}
        numbers = self.facts.numbers | self.extra_numbers | own
        for match in NUMBER.finditer(bare):
            if match[0].replace(",", "") not in numbers:
                yield f'The number "{match[0]}" is not in the trace.'
        for match in WORD.finditer(bare):
            word = match[0].lower()
            number = _COUNT_WORDS.get(word, value(word) if word != "one" else None)
            if number is not None and str(number) not in numbers:
                yield f'The number "{match[0]}" is not in the trace.'

    def _words(self, bare: str) -> Iterator[str]:
        stems = self.facts.stems | self.extra
        for match in WORD.finditer(bare):
            word = match[0].lower()
            if word in STOCK or word.removesuffix("n't") in STOCK or value(word) is not None:
                continue
            parts = [word, *re.split(r"[-'’]", word)]
            if not any(stem(part) in stems for part in parts if part):
                yield f'The word "{match[0][:40]}" occurs nowhere in the trace.'
        low = self.text.lower()
        for seq, text in self.facts.texts:
            # `in` is much faster than the expression, and nearly always enough.
            if seq < 0 or len(text) < 3 or text.lower() not in low:
                continue
            if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", self.text, re.IGNORECASE):
                self.events.add(seq)

    def _counts(self, bare: str) -> Iterator[str]:
        """`There are 3 dogs in the image` says how many there are; `2 dogs` may be some of them."""
        for noun, counts in self.facts.counts.items():
            forms = {noun, singular(noun), plural(noun)} - {""}
            if not forms or not counts:
                continue
            names = "|".join(map(re.escape, forms))
            pattern = rf"\b(?P<n>\w+) (?:{names})\b(?P<after>{_IN_PICTURE})?"
            for match in re.finditer(pattern, bare, re.IGNORECASE):
                number = _count(match["n"])
                if number is None or str(number) in self.extra_numbers:
                    continue
                own = self._counted(noun, match["after"] or "") or counts
                wrong = number not in own if _is_total(match, bare) else number > max(own)
                if wrong:
                    numbers = " or ".join(str(n) for n in sorted(own))
                    yield f'"{match[0]}" is wrong: the trace found {numbers}.'

    def _counted(self, noun: str, where: str) -> set[int]:
        """How many things of a noun were counted in the picture that is named; empty for none."""
        named = pictures_named(where)
        return self.facts.counts_in.get((noun, named[0][1]), set()) if named else set()

    def _denials(self, bare: str) -> Iterator[str]:
        """`There is no dog` is wrong where every count of dogs that a tool made is above zero."""
        for match in _NONE.finditer(bare):
            noun = singular(match["noun"].lower())
            after = re.match(_IN_PICTURE, bare[match.end() :], re.IGNORECASE)
            own = self._counted(noun, after[0] if after else "")
            counts = own or self.facts.counts.get(noun)
            if counts and 0 not in counts and (own or noun not in self.facts.absent):
                yield f'"{match[0]}" is wrong: the trace found {max(counts)}.'

    def _names_of_boxes(self) -> Iterator[str]:
        """`the bus at 469 124 726 351`: the thing in that box is called so in the trace."""
        names = set(self.facts.counts).union(*self.facts.boxes.values())
        for box in self.boxes:
            noun = next((n for n in (box.label, box.label.rpartition(" ")[2]) if n in names), None)
            own = self.facts.boxes.get(box.text)
            if noun is not None and own and noun not in own:
                words = " or ".join(sorted(own))
                yield f'"{noun} at {box.text}" is wrong: the trace calls it {words}.'

    def _polarity(self) -> Iterator[str]:
        """`The bus at B is not yellow` agrees with what a tool answered about that box."""
        for clause in re.split(r";|, (?:and|but|while) (?=the\b)", self.text):
            boxes = {box.text for box in boxes_in(clause)}
            stems = {stem(word) for word in WORD.findall(_ROW.sub(" ", clause))}
            denies = _NEGATION.search(clause) is not None
            for answer in self.facts.properties:
                if answer.box in boxes and answer.words and answer.words <= stems:
                    self.events.add(answer.event)
                    if denies == answer.truth:
                        word = "yes" if answer.truth else "no"
                        yield f'"{clause.strip()[:120]}" is wrong: the trace answers {word}.'


def _is_total(match: re.Match[str], text: str) -> bool:
    """Whether a number of things stands in `there are ... in the image`."""
    if match["after"] is None:
        return False
    return re.match(r"there (?:is|are) ", text[: match.start("n")].lower()[-10:]) is not None


def _count(word: str) -> int | None:
    if word.isdecimal() and len(word) < 7:
        return int(word)
    return value(word)


def _conclusion(text: str, task: Task, trace: Trace) -> list[str]:
    if trace.failure is not None or trace.answer is None:
        return ["The run gave no answer, so there is nothing to conclude."]
    at = text.rfind("Thus,")
    if at < 0:
        return ['The rationale does not end in a conclusion ("Thus, ...").']
    last = text[at:]
    answer = " ".join(trace.answer.split())
    beginning = answer[:199].rstrip()
    literal = _THE_ANSWER.search(last)
    if literal is not None:
        words = literal["answer"].strip(' "“”').rstrip("…").rstrip()
        if _is_answer(words, answer):
            return []
        return [f'The conclusion gives "{words[:80]}", the run answered "{beginning[:80]}".']
    bare = _ROW.sub("@", last)
    if answer.lower() in ("yes", "no"):
        if {word.lower() for word in WORD.findall(bare)} & {"yes", "no"} == {answer.lower()}:
            return []
        return [f'The conclusion does not say that the answer is "{answer}".']
    if re.search(rf"(?<!\w){re.escape(beginning)}(?!\w)", bare, re.IGNORECASE) is None:
        return [f'The conclusion does not hold the answer "{beginning[:80]}".']
    return _rivals(bare, answer, task.choices)


def _is_answer(words: str, answer: str) -> bool:
    """Whether words are the answer; of a long answer, its beginning is enough."""
    if words.lower() == answer.lower():
        return True
    return len(answer) > 199 and bool(words) and answer.lower().startswith(words.lower())


def _rivals(bare: str, answer: str, choices: Sequence[str]) -> list[str]:
    """A conclusion that names a second number or a second option beside the answer."""
    if answer.isdecimal():
        others = {n for n in NUMBER.findall(bare) if n != answer}
        if others:
            return [f'The conclusion holds "{min(others)}" beside the answer "{answer}".']
    for option in choices:
        same = option.lower() in answer.lower() or not option.strip()
        if not same and re.search(rf"(?<!\w){re.escape(option)}(?!\w)", bare, re.IGNORECASE):
            names = f'the option "{option[:60]}" beside the answer "{answer[:60]}"'
            return [f"The conclusion names {names}."]
    return []
