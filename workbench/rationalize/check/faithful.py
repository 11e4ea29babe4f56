"""The faithfulness check: every number, name and box of a rationale occurs in its trace, and it
ends in the answer.

Used on every writer's text; it reads the text and the trace alone, so that no writer grades itself.
What it does not see: a wrong relation between two things that both occur ("left" for "right"), or a
true sentence that proves nothing.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from workbench.boxes import GRID
from workbench.boxes_in_text import boxes_in
from workbench.english import SENTENCE_END, plural, singular, value
from workbench.rationalize.check.stop_words import STOCK
from workbench.rationalize.check.support import NUMBER, WORD, Support, stem, support
from workbench.records import Citation, Program, Task, Trace

MAX_TEXT = 4000
"""Characters; a longer rationale is not read."""
MAX_ISSUES = 12

_ROW = re.compile(r"(?<![\w.,-])\d+(?: \d+){3,}(?!\w|[.,]\d)")
"""Four numbers or more in a row: a box, or a fault.  Each box of `boxes_in` is such a row."""
_QUOTED = re.compile(r'"([^"]{1,400})"|“([^”]{1,400})”')
_THE_ANSWER = re.compile(
    r"\bthe answer is:?\s+(?P<answer>.+?)\s*[.!]?\s*$", re.IGNORECASE | re.DOTALL
)
_COUNT_WORDS = {"both": 2, "neither": 2}


def check(
    text: str, task: Task, program: Program, trace: Trace
) -> tuple[tuple[str, ...], tuple[Citation, ...]]:
    """What is wrong with a rationale, and which events each of its sentences rests on.

    Args:
        text: the rationale; hostile.
        task: its question and options may be repeated in the conclusion.
        program: texts in its source count as known.
        trace: what happened.

    Returns: Issues as sentences that quote the offending words (none: faithful), and one citation
        per sentence.
    """
    if len(text) > MAX_TEXT:
        return (f"The rationale has {len(text)} characters; at most {MAX_TEXT} are read.",), ()
    if not text.strip():
        return ("The rationale is empty.",), ()
    known = support(task, program, trace)
    question = {stem(word) for word in WORD.findall(task.question)}
    numbers = set(NUMBER.findall(task.question)) | {
        str(number) for word in WORD.findall(task.question) if (number := value(word)) is not None
    }
    issues: list[str] = []
    citations: list[Citation] = []
    if odd := next((c for c in text if not c.isprintable() and c != "\n"), None):
        issues.append(f"The rationale holds the unprintable character U+{ord(odd):04X}.")
    spans = _sentences(text)
    for start, end in spans:
        sentence = text[start:end]
        last = end == spans[-1][1]
        checked = _Sentence(
            sentence, known, question if last else set(), numbers if last else set()
        )
        issues += checked.issues()
        events = set(checked.events) | (set(known.closing) if last else set())
        citations.append(Citation(start, end, tuple(sorted(events))))
    issues += _conclusion(text, task, trace)
    return tuple(dict.fromkeys(issues))[:MAX_ISSUES], tuple(citations)


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


class _Sentence:
    """One sentence against what the trace supports."""

    def __init__(self, text: str, known: Support, extra: set[str], numbers: set[str]) -> None:
        self.text = text
        self.known = known
        self.extra = extra
        self.extra_numbers = numbers
        self.events: set[int] = set()
        self.boxes = boxes_in(text)

    def issues(self) -> list[str]:
        found = [*self._boxes(), *self._quotes()]
        bare = _QUOTED.sub('""', _ROW.sub("@", self.text))
        return [
            *found,
            *self._numbers(bare),
            *self._words(bare),
            *self._counts(bare),
            *self._named_boxes(),
            *self._polarity(),
        ]

    def _boxes(self) -> list[str]:
        found = []
        spans = {(box.start, box.end) for box in self.boxes}
        for match in _ROW.finditer(self.text):
            if match.span() not in spans:
                found.append(
                    f'"{match[0][:80]}" is not a box: a box is four integers from 0 to {GRID}.'
                )
            elif match[0] not in self.known.boxes:
                found.append(f'The box "{match[0]}" is not in the trace.')
            else:
                self.events.add(min(self.known.box_events[match[0]]))
        return found

    def _quotes(self) -> list[str]:
        found = []
        for match in _QUOTED.finditer(self.text):
            words = " ".join((match[1] or match[2]).split())
            events = self.known.says(words)
            if events:
                self.events |= {events[0]} - {-1}
            else:
                found.append(f'The text "{words[:80]}" is quoted but is not in the trace.')
        return found

    def _numbers(self, bare: str) -> list[str]:
        allowed = (
            self.known.numbers
            | self.extra_numbers
            | {str(n) for n in range(1, len(self.boxes) + 1)}
        )
        found = []
        for match in NUMBER.finditer(bare):
            number = match[0].replace(",", "")
            if number not in allowed:
                found.append(f'The number "{match[0]}" is not in the trace.')
        for match in WORD.finditer(bare):
            word = match[0].lower()
            number_ = _COUNT_WORDS.get(word, value(word) if word != "one" else None)
            if number_ is not None and str(number_) not in allowed:
                found.append(f'The number "{match[0]}" is not in the trace.')
        return found

    def _words(self, bare: str) -> list[str]:
        found = []
        for match in WORD.finditer(bare):
            word = match[0].lower()
            parts = [word, *re.split(r"[-'’]", word)]
            known = (
                any(part in STOCK for part in (word, word.removesuffix("n't")))
                or value(word) is not None
            )
            if known or any(stem(part) in self.known.stems | self.extra for part in parts if part):
                continue
            found.append(f'The word "{match[0][:40]}" occurs nowhere in the trace.')
        low = self.text.lower()
        for seq, text in self.known.texts:
            if seq < 0 or len(text) < 3 or text.lower() not in low:
                continue
            if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", self.text, re.IGNORECASE):
                self.events.add(seq)
        return found

    def _counts(self, bare: str) -> list[str]:
        """`There are 3 dogs in the image` says how many were found; `2 dogs` may be some of them."""
        found = []
        for noun, counts in self.known.counts.items():
            names = "|".join(
                re.escape(name) for name in {noun, singular(noun), plural(noun)} if name
            )
            if not names:
                continue
            for match in re.finditer(
                rf"\b(?P<n>\w+) (?:{names})\b(?P<after>\s+in the (?:image|picture))?",
                bare,
                re.IGNORECASE,
            ):
                number = _count(match["n"])
                if number is None or not counts:
                    continue
                plain = match["after"] is not None and re.match(
                    r"there (?:is|are) ", bare[: match.start("n")].lower()[-10:]
                )
                wrong = number not in counts if plain else number > max(counts)
                if wrong and str(number) not in self.extra_numbers:
                    seen = " or ".join(str(n) for n in sorted(counts))
                    found.append(f'"{match[0]}" is wrong: the trace found {seen}.')
        for match in re.finditer(
            r"\bthere is no (?P<noun>[\w -]{1,40}?)(?=\s+in the (?:image|picture)|\s*[,.]|\s+and no\b)",
            bare,
            re.IGNORECASE,
        ):
            noun = singular(match["noun"].lower())
            if (
                self.known.counts.get(noun)
                and 0 not in self.known.counts[noun]
                and noun not in self.known.absent
            ):
                found.append(
                    f'"{match[0]}" is wrong: the trace found {max(self.known.counts[noun])}.'
                )
        return found

    def _named_boxes(self) -> list[str]:
        """`the bus at 469 124 726 351`: the thing in that box is called so in the trace."""
        found = []
        names = {name for known in self.known.boxes.values() for name in known} | set(
            self.known.counts
        )
        for box in self.boxes:
            noun = next((n for n in (box.label, box.label.rpartition(" ")[2]) if n in names), None)
            known = self.known.boxes.get(box.text)
            if noun is not None and known and noun not in known:
                found.append(
                    f'"{noun} at {box.text}" is wrong: the trace calls it {" or ".join(sorted(known))}.'
                )
        return found

    def _polarity(self) -> list[str]:
        """`The bus at B is not yellow` agrees with what was answered about that box."""
        found = []
        for clause in re.split(r";|, (?:and|but|while) (?=the\b)", self.text):
            boxes = {box.text for box in boxes_in(clause)}
            stems = {stem(word) for word in WORD.findall(_ROW.sub(" ", clause))}
            denied = bool(
                re.search(r"\b(?:not|no|cannot|none|neither|never)\b|n't\b", clause, re.IGNORECASE)
            )
            for seen in self.known.seen:
                if seen.box in boxes and seen.words and seen.words <= stems:
                    self.events.add(seen.event)
                    if denied == seen.truth:
                        asked = "yes" if seen.truth else "no"
                        found.append(
                            f'"{clause.strip()[:120]}" is wrong: the trace answers {asked}.'
                        )
        return found


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
    shown = answer[:199].rstrip()
    stated = _THE_ANSWER.search(last)
    if stated is not None:
        said = stated["answer"].strip(' "“”').rstrip("…").rstrip()
        same = said.lower() == answer.lower() or (
            len(answer) > 199 and answer.lower().startswith(said.lower()) and bool(said)
        )
        return (
            []
            if same
            else [f'The conclusion gives "{said[:80]}", the run answered "{shown[:80]}".']
        )
    bare = _ROW.sub("@", last)
    if answer.lower() in ("yes", "no"):
        words = {word.lower() for word in WORD.findall(bare)} & {"yes", "no"}
        return (
            []
            if words == {answer.lower()}
            else [f'The conclusion does not say that the answer is "{answer}".']
        )
    if re.search(rf"(?<!\w){re.escape(shown)}(?!\w)", bare, re.IGNORECASE) is None:
        return [f'The conclusion does not hold the answer "{shown[:80]}".']
    return _rivals(bare, answer, task.choices)


def _rivals(bare: str, answer: str, choices: Sequence[str]) -> list[str]:
    """The conclusion names one number, one option: not two."""
    if answer.isdecimal():
        others = {n for n in NUMBER.findall(bare) if n != answer}
        if others:
            return [f'The conclusion holds "{min(others)}" beside the answer "{answer}".']
    for option in choices:
        same = option.lower() in answer.lower() or not option.strip()
        if not same and re.search(rf"(?<!\w){re.escape(option)}(?!\w)", bare, re.IGNORECASE):
            return [
                f'The conclusion names the option "{option[:60]}" beside the answer "{answer[:60]}".'
            ]
    return []
