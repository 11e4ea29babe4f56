"""Tools that answer exactly, from a scene's record, for tests and to find whose an error is.

With them a program's mistakes are its own; an experiment that puts the oracle in place of one real
tool shows what that tool costs.  Scenes and facts are plain mappings, so any source with boxes can
be used:

    scenes  picture digest -> [{"category": "dog", "box": [x0, y0, x1, y1]}, ...]
            boxes in pixels, top-left origin
    kinds   wider word -> categories, for example {"animal": ["dog", "cat"]}
    facts   predicate -> categories for which it holds, for example {"can fly": ["bird"]};
            one fact may stand under several wordings
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.api import STANDARD
from workbench.boxes import Box, intersection
from workbench.english import a, singular
from workbench.errors import InputError, ToolFailure
from workbench.ports import Images
from workbench.records import PartRef, Region, ToolCall, Value, content_key
from workbench.tools.arguments import LONGEST_QUESTION, answer_batch, patch, text, texts
from workbench.tools.coco_names import classes_of
from workbench.tools.yesno import parse

_EVERYTHING = ("object", "thing", "item")
_IS_THERE = re.compile(
    r"^(?:is|are) there (?:an? |any |some )?(.+?)(?: in (?:the|this) (?:picture|image|photo))?$"
)
_HOW_MANY = re.compile(
    r"^how many (.+?)(?: are| is)?(?: there)?"
    r"(?: in (?:the|this) (?:picture|image|photo))?(?: are there)?$"
)
_IS_THIS = re.compile(r"^(?:is|are) (?:this|it|that|these|the object) (?:an? )?(.+)$")
_WHAT = re.compile(
    r"^(?:what is (?:this|it|that|the object|shown|in (?:the|this) (?:picture|image|photo))"
    r"|what (?:kind of |type of )?(?P<kind>[a-z ]+?) is (?:this|it|that|shown)(?: .*)?"
    r"|name the (?P<name>[a-z ]+))$"
)


@dataclass(frozen=True, slots=True)
class _Thing:
    category: str
    box: Box


class Record:
    """What is known about pictures and categories.

    Args:
        scenes: The things in each picture, by digest; see the top of the file.
        kinds: The categories of each wider word.
        facts: The categories for which each predicate holds.

    Raises:
        InputError: a scene is malformed.
    """

    def __init__(
        self,
        scenes: Mapping[str, Sequence[Mapping[str, Any]]],
        kinds: Mapping[str, Sequence[str]] | None = None,
        facts: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        try:
            self._scenes = {
                digest: [
                    _Thing(str(o["category"]), Box(*(float(v) for v in o["box"]))) for o in objects
                ]
                for digest, objects in scenes.items()
            }
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"a scene is malformed ({error!r}); expected a list of "
                '{"category": ..., "box": [x0, y0, x1, y1]}'
            ) from error
        self._kinds = {kind: frozenset(names) for kind, names in (kinds or {}).items()}
        self._facts = {
            _plain(predicate): frozenset(names) for predicate, names in (facts or {}).items()
        }
        self.key = content_key(
            {k: [[t.category, *t.box.as_tuple()] for t in v] for k, v in self._scenes.items()},
            {k: sorted(v) for k, v in self._kinds.items()},
            {k: sorted(v) for k, v in self._facts.items()},
        )

    @classmethod
    def read(cls, path: Path) -> Record:
        """The record in a JSON file with the keys `scenes`, `kinds` and `facts`.

        Raises:
            InputError: the file cannot be read, or is not such a record.
        """
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            return cls(raw["scenes"], raw.get("kinds"), raw.get("facts"))
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            raise InputError(
                f"{path} is not a record for oracle tools ({error}); it needs the key 'scenes'"
            ) from error

    def inside(self, region: Region) -> list[_Thing]:
        """The things whose centre lies in a region, the largest first."""
        if region.image not in self._scenes:
            raise ToolFailure("the oracle has no record of this picture")
        box = region.box
        here = [
            thing
            for thing in self._scenes[region.image]
            if box.x0 <= thing.box.center[0] <= box.x1 and box.y0 <= thing.box.center[1] <= box.y1
        ]
        return sorted(here, key=lambda t: (-t.box.area, t.box))

    def by_name(self, things: Sequence[_Thing], name: str) -> list[_Thing]:
        """The things that a name stands for: a category, a kind, a synonym, or `object`."""
        word = singular(
            " ".join(w for w in name.lower().split() if w not in ("a", "an", "the", "any", "some"))
        )
        if word in _EVERYTHING:
            return list(things)
        if word in self._kinds:
            return [thing for thing in things if thing.category in self._kinds[word]]
        exact = [thing for thing in things if thing.category == word]
        classes = classes_of(word) or ()
        return exact or [
            thing for thing in things if len(classes) < 80 and thing.category in classes
        ]

    def main(self, region: Region) -> _Thing:
        """The thing that a patch shows: the one that overlaps it best."""
        here = self.inside(region)
        if not here:
            raise ToolFailure("the oracle sees nothing in this patch")

        def fit(thing: _Thing) -> float:
            shared = intersection(thing.box, region.box)
            return shared / (thing.box.area + region.box.area - shared)

        return max(here, key=lambda t: (fit(t), t.box))

    def holds(self, category: str, predicate: str) -> bool:
        """Whether a predicate such as `can fly` or `is a fruit` holds for a category.

        Raises:
            ToolFailure: there is no record of the predicate.
        """
        plain = _plain(predicate)
        if plain in self._facts:
            return category in self._facts[plain]
        kind = singular(plain.removeprefix("is "))
        if kind in self._kinds:
            return category in self._kinds[kind]
        if kind == category:
            return True
        raise ToolFailure(f"the oracle has no record of what '{predicate}'")


def _plain(predicate: str) -> str:
    words = predicate.lower().strip(" .?").split()
    return " ".join(word for word in words if word not in ("a", "an", "the"))


class _OracleTool:
    name: str
    batch_size = 256
    _answer: Callable[[ToolCall], Value]
    """Gives the answer to one call or raises ToolFailure; each tool has its own."""

    def __init__(
        self,
        scenes: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        kinds: Mapping[str, Sequence[str]] | None = None,
        facts: Mapping[str, Sequence[str]] | None = None,
        record: str | None = None,
    ) -> None:
        """`record` is the path of a JSON file with the three mappings, in place of them."""
        self._record = (
            Record.read(Path(record)) if record is not None else Record(scenes or {}, kinds, facts)
        )
        self.ref = PartRef("tool", self.name, "1", {"record": self._record.key})

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(calls, self._answer, list)


class OracleFind(_OracleTool):
    """`find`: the record's boxes of a name whose centres lie in the patch.

    They stand from left to right and all have the score 1.
    """

    name, spec = "oracle-find", STANDARD["find"]

    def _answer(self, call: ToolCall) -> Value:
        region, word = patch(call), text(call, "object_name")
        things = self._record.by_name(self._record.inside(region), word)
        return [
            Region(region.image, region.width, region.height, thing.box, thing.category, 1.0)
            for thing in sorted(things, key=lambda t: (t.box.center, t.category))
        ]


class OracleExists(_OracleTool):
    """`exists`: whether `OracleFind` finds anything."""

    name, spec = "oracle-exists", STANDARD["exists"]

    def _answer(self, call: ToolCall) -> Value:
        return bool(
            self._record.by_name(self._record.inside(patch(call)), text(call, "object_name"))
        )


class OracleProperty(_OracleTool):
    """`verify_property`: kinds and facts of the thing in the patch; other attributes fail."""

    name, spec = "oracle-property", STANDARD["verify_property"]

    def _answer(self, call: ToolCall) -> Value:
        region, word, attribute = patch(call), text(call, "object_name"), text(call, "attribute")
        matches = self._record.by_name(self._record.inside(region), word)
        thing = self._record.main(region)
        if matches and thing not in matches:
            thing = matches[0]
        return self._record.holds(thing.category, attribute)


class OracleQuestions(_OracleTool):
    """`visual_question_answering`: what is this, is there, how many, is this; others fail."""

    name, spec = "oracle-vqa", STANDARD["visual_question_answering"]

    def _answer(self, call: ToolCall) -> Value:
        region = patch(call)
        question = text(call, "question", LONGEST_QUESTION)
        words = question.lower().strip(" ?.")
        here = self._record.inside(region)
        if match := _IS_THERE.match(words):
            return "yes" if self._record.by_name(here, match[1]) else "no"
        if match := _HOW_MANY.match(words):
            return str(len(self._record.by_name(here, match[1])))
        if match := _IS_THIS.match(words):
            return "yes" if self._record.by_name([self._record.main(region)], match[1]) else "no"
        if match := _WHAT.match(words):
            kind = match["kind"] or match["name"]
            main = self._record.main(region)
            matches = self._record.by_name(here, kind) if kind else []
            return main.category if not matches or main in matches else matches[0].category
        raise ToolFailure(
            f"the oracle cannot answer '{question}'; it knows what is this, is there, how many, is "
            "this"
        )


class OracleTextMatch(_OracleTool):
    """`best_text_match`: the option that names the thing in the patch, else anything in it."""

    name, spec = "oracle-text-match", STANDARD["best_text_match"]

    def _answer(self, call: ToolCall) -> Value:
        region, options = patch(call), texts(call, "options")
        for things in ([self._record.main(region)], self._record.inside(region)):
            for option in options:
                if self._record.by_name(things, option):
                    return option
        raise ToolFailure("the oracle sees none of the options in this patch")


class OracleCaption(_OracleTool):
    """`image_caption`: the things in the patch from left to right."""

    name, spec = "oracle-caption", STANDARD["image_caption"]

    def _answer(self, call: ToolCall) -> Value:
        here = sorted(self._record.inside(patch(call)), key=lambda t: (t.box.center, t.category))
        return ", ".join(a(thing.category) for thing in here) or "nothing"


class OracleKnowledge(_OracleTool):
    """`llm_query`: yes/no questions whose predicate is in the record; others fail."""

    name, spec = "oracle-knowledge", STANDARD["llm_query"]

    def _answer(self, call: ToolCall) -> Value:
        question = text(call, "question", LONGEST_QUESTION)
        fact = parse(question)
        if fact is None:
            raise ToolFailure(
                f"the oracle answers yes/no questions of its record only, not '{question}'"
            )
        return "yes" if self._record.holds(singular(fact.subject), fact.predicate) else "no"
