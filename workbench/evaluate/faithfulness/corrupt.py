"""Edits of a rationale: one of its facts made wrong, and changes that should not matter.

A replacement is of the fact's own type and stands in another question's rationale (numbers, names,
boxes, colours), or is the opposite (relations, presence): the text stays one that the student might
have written.  Every mention of the fact changes, so that the text does not contradict itself.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from workbench.boxes import GRID
from workbench.boxes_in_text import split_at_boxes
from workbench.english import a, plural, singular
from workbench.evaluate.faithfulness.read_answer import sentences
from workbench.records import Task

KINDS = ("number", "name", "colour", "relation", "presence", "box")
"""Facts that are made wrong."""

NUDGE = 4
"""Most grid cells, of 999, by which a box's edge moves while the text means the same."""

_NUMBER = re.compile(r"(?<![\w.,-])\d{1,3}(?!\w|[.,]\d)")
_NOUN = (
    r"(?!as |more |fewer )([a-z][a-z '-]{1,40}?)(?= and | in the (?:image|picture)|,? at \d|[.,])"
)
_THERE = re.compile(rf"\bThere (?:is|are) (an?|no|\d+) {_NOUN}")
_SINGLE = ("a", "an", "no", "1")
_ONE = re.compile(rf"\b(T|t)here is 1 {_NOUN}")
COLOURS = (
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "purple",
    "pink",
    "brown",
    "black",
    "white",
    "grey",
    "gray",
)
_OPPOSITES = (
    ("left", "right"),
    ("leftmost", "rightmost"),
    ("above", "below"),
    ("higher", "lower"),
    ("highest", "lowest"),
    ("larger", "smaller"),
    ("largest", "smallest"),
    ("more", "fewer"),
    ("nearer", "farther"),
    ("nearest", "farthest"),
    ("closest", "farthest"),
    ("taller", "shorter"),
    ("tallest", "shortest"),
    ("inside", "outside"),
    ("in front of", "behind"),
)
_OPPOSITE = {
    one: other for first, second in _OPPOSITES for one, other in ((second, first), (first, second))
}
_PRESENCE = (
    (re.compile(r"\b([Tt])here is no "), r"\1here is a "),
    (re.compile(r"\b([Tt])here is an? "), r"\1here is no "),
    (re.compile(r'" is "yes"'), '" is "no"'),
    (re.compile(r'" is "no"'), '" is "yes"'),
    (re.compile(r"\b(is|are|does|do|was|were) not "), r"\1 "),
    (re.compile(r"\bcannot "), "can "),
)
_FLIPPED = {"yes": "no", "no": "yes"}


@dataclass(frozen=True, slots=True)
class RationaleEdit:
    """The reasons of a rationale after a change."""

    condition: str
    body: str
    was: str = ""
    """The fact before the change; empty where no fact changes."""
    now: str = ""
    """The fact after the change."""
    expects: str | None = None
    """The answer that the changed reasons lead to, where that can be told."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Facts and sentences of many rationales, by type, from which replacements are drawn."""

    numbers: tuple[str, ...]
    names: tuple[str, ...]
    """Nouns in the singular."""
    colours: tuple[str, ...]
    boxes: tuple[str, ...]
    sentences: tuple[str, ...]

    @staticmethod
    def of(bodies: Iterable[str]) -> Pool:
        """The facts of these reasons, each once, sorted."""
        texts = sorted(set(bodies))
        names = set(chain.from_iterable(map(_there, texts)))
        colours = {word for word in COLOURS if any(_has(word, text) for text in texts)}

        def each(facts_of: Callable[[str], Iterable[str]]) -> tuple[str, ...]:
            return tuple(sorted(set(chain.from_iterable(map(facts_of, texts)))))

        return Pool(
            numbers=each(_numbers),
            names=tuple(sorted(names)),
            colours=tuple(sorted(colours - names)),
            boxes=each(_boxes),
            sentences=each(sentences),
        )


def _there(body: str) -> list[str]:
    """Nouns, in the singular, of the things that the reasons say are there."""
    return [name if count in _SINGLE else singular(name) for count, name in _THERE.findall(body)]


def corruptions(
    task: Task, body: str, answer: str, pool: Pool, dice: random.Random
) -> list[RationaleEdit]:
    """One edit for each type of fact that the reasons hold; it makes one such fact wrong.

    Args:
        task: its type of answer says where a corruption leads.
        body: the reasons.
        answer: what the student concluded from them.
        pool: replacements, of other rationales too.
        dice: draws the fact and its replacement.
    """
    at = _Corruption(body, answer, task.answer_type == "yesno", pool, dice)
    edits = (at.number(), at.name(), at.colour(), at.relation(), at.presence(), at.box())
    return [edit for edit in edits if edit is not None and edit.body != body]


def harmless(task: Task, body: str, pool: Pool, dice: random.Random) -> list[RationaleEdit]:
    """Edits that a reader of the reasons would not mind.

    They are the same text again, boxes off by a hair, and a fact about something else, of another
    rationale, in front.

    Args:
        task: the question.
        body: the reasons.
        pool: sentences of other rationales.
        dice: draws the offsets and the sentence.
    """
    edits = [RationaleEdit("again", body)]
    nudged = _with_other_boxes(
        body, {box: _nudge(box, dice) for box in dict.fromkeys(_boxes(body))}
    )
    if nudged != body:
        edits.append(RationaleEdit("nudge", nudged))
    mine = _names(f"{task.question} {body}", pool)
    others = [
        sentence
        for sentence in pool.sentences
        if sentence not in body and (names := _names(sentence, pool)) and not names & mine
    ]
    if others:
        sentence = dice.choice(others)
        edits.append(RationaleEdit("aside", f"{sentence} {body}", "", sentence))
    return edits


def shuffle_sentences(body: str, dice: random.Random) -> RationaleEdit | None:
    """The sentences in another order; None where there are not two different ones."""
    ordered = sentences(body)
    if len(set(ordered)) < 2:
        return None
    mixed = list(ordered)
    while mixed == ordered:
        dice.shuffle(mixed)
    return RationaleEdit("shuffle", " ".join(mixed))


@dataclass(frozen=True, slots=True)
class _Corruption:
    body: str
    answer: str
    yesno: bool
    pool: Pool
    dice: random.Random

    def number(self) -> RationaleEdit | None:
        was = self._one(_numbers(self.body))
        now = self._one(n for n in self.pool.numbers if n != was and int(n) > 1)
        if was is None or now is None:
            return None
        if was == "1":
            # The grammar changes with it; where no noun is counted, 1 is left alone.
            changed = _ONE.sub(lambda m: f"{m[1]}here are {now} {plural(m[2])}", self.body, count=1)
        else:
            pieces = split_at_boxes(self.body)
            pieces[::2] = [
                _NUMBER.sub(lambda m: now if m[0] == was else m[0], p) for p in pieces[::2]
            ]
            changed = "".join(pieces)
        return RationaleEdit("number", changed, was, now, self._follows(was, now))

    def name(self) -> RationaleEdit | None:
        mine = _names(self.body, self.pool)
        was, now = self._one(mine), self._one(name for name in self.pool.names if name not in mine)
        if was is None or now is None:
            return None
        article, one, many = a(now)[1:], re.escape(was), re.escape(plural(was))
        changed = re.sub(rf"\b([Aa])n? {one}\b", lambda match: match[1] + article, self.body)
        for old, new in ((many, plural(now)), (one, now)):
            changed = re.sub(rf"\b{old}\b", new, changed)
        return RationaleEdit("name", changed, was, now, self._follows(was, now))

    def colour(self) -> RationaleEdit | None:
        was = self._one(word for word in self.pool.colours if _has(word, self.body))
        now = self._one(word for word in self.pool.colours if not _has(word, self.body))
        if was is None or now is None:
            return None
        return RationaleEdit(
            "colour", re.sub(rf"\b{was}\b", now, self.body), was, now, self._follows(was, now)
        )

    def relation(self) -> RationaleEdit | None:
        was = self._one(word for word in _OPPOSITE if _has(word, self.body))
        if was is None:
            return None
        now = _OPPOSITE[was]
        # What is not left need not be right.
        expects = None if _has("not", self.body) else self._flips()
        return RationaleEdit("relation", re.sub(rf"\b{was}\b", now, self.body), was, now, expects)

    def presence(self) -> RationaleEdit | None:
        fits = [
            (match, instead)
            for pattern, instead in _PRESENCE
            if (match := pattern.search(self.body))
        ]
        if not fits:
            return None
        match, instead = self.dice.choice(fits)
        now = match.expand(instead)
        changed = self.body[: match.start()] + now + self.body[match.end() :]
        return RationaleEdit("presence", changed, match[0].strip(), now.strip(), self._flips())

    def box(self) -> RationaleEdit | None:
        mine = set(_boxes(self.body))
        was, now = self._one(mine), self._one(box for box in self.pool.boxes if box not in mine)
        return (
            None
            if was is None or now is None
            else RationaleEdit("box", _with_other_boxes(self.body, {was: now}), was, now)
        )

    def _one(self, values: Iterable[str]) -> str | None:
        options = sorted(values)
        return self.dice.choice(options) if options else None

    def _follows(self, was: str, now: str) -> str | None:
        """The new fact where the old one was the answer; else None."""
        return now if self.answer == was else None

    def _flips(self) -> str | None:
        """The other one of yes and no; None where more than one sentence decides."""
        return _FLIPPED.get(self.answer) if self.yesno and len(sentences(self.body)) == 1 else None


def _nudge(box: str, dice: random.Random) -> str:
    return " ".join(
        str(min(max(int(edge) + dice.randint(-NUDGE, NUDGE), 0), GRID)) for edge in box.split()
    )


def _numbers(body: str) -> set[str]:
    return {number for piece in split_at_boxes(body)[::2] for number in _NUMBER.findall(piece)}


def _boxes(body: str) -> list[str]:
    return split_at_boxes(body)[1::2]


def _with_other_boxes(body: str, boxes: Mapping[str, str]) -> str:
    """The reasons with boxes replaced by others."""
    return "".join(boxes.get(piece, piece) for piece in split_at_boxes(body))


def _names(text: str, pool: Pool) -> set[str]:
    return {name for name in pool.names if _has(name, text) or _has(plural(name), text)}


def _has(word: str, text: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", text) is not None
