"""Exact tools on drawn scenes: a program's run with tools that are always right.

Never a part of a pipeline, for measuring alone.  A call that exact tools cannot answer (a free
question, a name that is none) fails, and leaves its run undecided; such runs are counted, never
guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from PIL import Image

from workbench.english import singular
from workbench.errors import ToolFailure
from workbench.evaluate.wrong_reasons.new_scenes import answer
from workbench.execute import Executor
from workbench.ports import Tool
from workbench.records import PartRef, Program, Region, Task, ToolCall, Trace, Value
from workbench.tasks.collage.catalogue import CATEGORIES, KINDS, of_kind
from workbench.tasks.collage.knowledge import FACTS
from workbench.tasks.collage.scene import SPLITS, Scene, make_scene
from workbench.tools import oracle
from workbench.tools.arguments import LONGEST_QUESTION, patch, text
from workbench.tools.coco_names import classes_of
from workbench.verify.answers import score


def collage_record(scenes: Mapping[str, Scene]) -> dict[str, Any]:
    """`scenes`, `kinds` and `facts` as `tools.oracle` takes them (arguments, or a JSON file for
    `record`).

    `scenes` is keyed by the digest of each scene's picture.  A fact stands under both of its
    wordings.
    """
    facts: dict[str, list[str]] = {}
    for fact in FACTS.values():
        for wording in (fact.train[0], fact.test[0]):
            facts[wording] = sorted(fact.yes)
    return {
        "scenes": {
            digest: [
                {"category": thing.category, "box": list(thing.box.as_tuple())}
                for thing in scene.objects
            ]
            for digest, scene in scenes.items()
        },
        "kinds": {kind: list(of_kind(kind)) for kind in KINDS},
        "facts": facts,
    }


@lru_cache(maxsize=512)
def _drawn(split: str, number: int) -> Scene:
    return make_scene(split, number)


def scene_of(task: Task) -> Scene | None:
    """The scene that a collage's picture was drawn from; None for any other task."""
    split, _, number = str(task.meta.get("scene", "")).rpartition("-")
    if (
        task.source != "collages"
        or split not in SPLITS
        or not (number.isascii() and number.isdigit() and len(number) < 9)
    ):
        return None
    return _drawn(split, int(number))


# --- questions about a whole scene

_RELATIONS = {
    "left": r"(?:to the )?left of",
    "right": r"(?:to the )?right of",
    "above": "above",
    "below": "below",
}
_REL = "|".join(f"(?P<{name}>{words})" for name, words in _RELATIONS.items())
_BY = "leftmost|rightmost|topmost|bottommost|largest|smallest"
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (op, re.compile(pattern))
    for op, pattern in (
        ("compare", r"are there (?P<cmp>more|fewer|as many) (?P<a>.+) (?:than|as) (?P<b>.+)"),
        ("relation", rf"is the (?P<a>.+?) (?:{_REL}) the (?P<b>.+)"),
        ("count_relation", rf"how many (?P<a>.+?) are (?:{_REL}) the (?P<b>.+)"),
        ("extreme", rf"what is the (?P<by>{_BY}) (?P<among>.+)"),
        (
            "extreme",
            r"what (?:is the )?(?P<among>.+?) (?:is )?(?P<by>nearest|farthest) (?:to|from) the (?P<b>.+)",
        ),
        ("category_of", rf"(?:what|which) (?P<among>.+?) is (?:{_REL}) the (?P<b>.+)"),
    )
)

_ASKS = ("exists", "count", "which")
_KNOWLEDGE = re.compile(
    r"(?:is|are) there (?:an? |any |some )?(?P<exists>.+) that|how many (?P<count>.+)|which (?P<which>.+)"
)
_WORDINGS = {words: name for name, fact in FACTS.items() for words in (*fact.train, *fact.test)}
_THERE = re.compile(
    r"(?:(?:is|are) there|how many) (?P<noun>.+?)(?: are there| in (?:the|this) (?:picture|image|photo)|\?|$)"
)


def read_question(question: str) -> dict[str, str] | None:
    """The logical form of a plain question about a picture, as reference programs ask them; None
    for any other.
    """
    asked = question.lower().partition(" options:")[0].strip(" ?.")
    for wording, fact in _WORDINGS.items():
        if asked.endswith(f" {wording}"):
            match = _KNOWLEDGE.fullmatch(asked.removesuffix(f" {wording}"))
            return (
                _checked({"op": "knowledge", "ask": match.lastgroup or "", "fact": fact}, match)
                if match
                else None
            )
    for op, pattern in _FORMS:
        match = pattern.fullmatch(asked)
        if match is not None:
            return _checked({"op": op}, match)
    return None


def _checked(form: dict[str, str], match: re.Match[str]) -> dict[str, str] | None:
    """The form with what the words name; None where one of them is no name of the catalogue."""
    found = {key: value for key, value in match.groupdict().items() if value}
    for key in ("a", "b", "among", *_ASKS):
        if key in found:
            form["among" if key in _ASKS else key] = noun = _name(found[key])
            if not _is_name(noun):
                return None
    for name in _RELATIONS:
        if name in found:
            form["rel"] = name
    if "by" in found:
        form["by"] = found["by"]
    if "cmp" in found:
        form["cmp"] = found["cmp"].replace("as many", "same")
    return form


def _name(words: str) -> str:
    noun = singular(words.strip())
    return {"food item": "food", "thing": "object", "item": "object"}.get(noun, noun)


def _is_name(noun: str) -> bool:
    return noun in CATEGORIES or noun in (*KINDS, "object") or classes_of(noun) is not None


def _known_name(words: str) -> None:
    """Raises ToolFailure for what is no name: the record may have it under another one."""
    plain = " ".join(
        word for word in words.lower().split() if word not in ("a", "an", "the", "any", "some")
    )
    if not _is_name(_name(plain)):
        raise ToolFailure(f"the oracle does not know what '{words}' is")


class ExactFind(oracle.OracleFind):
    """`find`; fails for a name that is none."""

    def _answer(self, call: ToolCall) -> Value:
        _known_name(text(call, "object_name"))
        return super()._answer(call)


class ExactExists(oracle.OracleExists):
    """`exists`; fails for a name that is none."""

    def _answer(self, call: ToolCall) -> Value:
        _known_name(text(call, "object_name"))
        return super()._answer(call)


class ExactQuestions(oracle.OracleQuestions):
    """`visual_question_answering`, and questions that compare, relate or single out things of a
    whole scene.
    """

    def __init__(self, scenes: Mapping[str, Scene]) -> None:
        super().__init__(**collage_record(scenes))
        self._drawn = scenes
        self.ref = PartRef("tool", "exact-questions", "1", {"record": self._record.key})

    def _answer(self, call: ToolCall) -> Value:
        region, question = patch(call), text(call, "question", LONGEST_QUESTION)
        form = read_question(question)
        if form is None or region.box.area < region.width * region.height:
            if match := _THERE.match(question.lower()):
                _known_name(match["noun"])
            return super()._answer(call)
        said = answer(self._drawn[region.image], form)
        if said is None:
            raise ToolFailure(f"the oracle has no clear answer to '{question}'")
        return said


def exact_tools(scenes: Mapping[str, Scene]) -> list[Tool]:
    """Every tool that has an exact counterpart, over these scenes (by digest of picture)."""
    record = collage_record(scenes)
    kinds: Sequence[Callable[..., Tool]] = (
        ExactFind,
        ExactExists,
        oracle.OracleProperty,
        oracle.OracleTextMatch,
        oracle.OracleCaption,
        oracle.OracleKnowledge,
    )
    return [*(kind(**record) for kind in kinds), ExactQuestions(scenes)]


@dataclass(frozen=True, slots=True)
class Unpainted:
    """Pictures of scenes that have a size and nothing to see."""

    scenes: Mapping[str, Scene]

    def open(self, digest: str) -> Image.Image:
        scene = self.scenes[digest]
        return Image.new("1", (scene.width, scene.height))

    def crop(self, region: Region) -> Image.Image:
        return Image.new("RGB", (1, 1))


def run_exactly(
    rows: Iterable[tuple[Task, Program]], scenes: Mapping[str, Scene]
) -> Iterator[Trace]:
    """One trace per row with exact tools, in their order: calls and answer, without the lines
    between.

    Args:
        rows: tasks whose `image` is a key of `scenes`.
    """
    with Executor(exact_tools(scenes), Unpainted(scenes), traced=False) as executor:
        yield from executor.run(rows)


def undecided(trace: Trace) -> bool:
    """The run met a call that exact tools cannot answer."""
    failure = trace.failure
    if failure is None:
        return False
    return failure.kind == "infra" or (
        failure.kind == "tool_error" and "the oracle" in failure.message
    )


def right(task: Task, trace: Trace, gold: str | None = None) -> bool:
    """Whether a run gave the task's answer, or `gold` in place of it."""
    expected = task if gold is None else replace(task, answers=(gold,))
    return trace.answer is not None and score(expected, trace.answer).score >= 0.5
