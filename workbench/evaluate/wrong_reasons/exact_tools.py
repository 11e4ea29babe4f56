"""Exact tools on drawn scenes: a program's run with tools that are always right.

They serve measuring alone and are never parts of a pipeline.  A call that exact tools cannot answer
(a free question, a word that is not a name) fails and leaves its run undecided; such runs are
counted, never guessed.
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
    """`scenes`, `kinds` and `facts` as `tools.oracle` takes them, as arguments or as a JSON file.

    Args:
        scenes: by the digest of each scene's picture.

    Returns:
        Plain values; a fact stands under both of its wordings.
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
def _scene(split: str, number: int) -> Scene:
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
    return _scene(split, int(number))


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
            r"what (?:is the )?(?P<among>.+?) (?:is )?(?P<by>nearest|farthest)"
            r" (?:to|from) the (?P<b>.+)",
        ),
        ("category_of", rf"(?:what|which) (?P<among>.+?) is (?:{_REL}) the (?P<b>.+)"),
    )
)

_ASKS = ("exists", "count", "which")
_KNOWLEDGE = re.compile(
    r"(?:is|are) there (?:an? |any |some )?(?P<exists>.+) that"
    r"|how many (?P<count>.+)|which (?P<which>.+)"
)
_WORDINGS = {words: name for name, fact in FACTS.items() for words in (*fact.train, *fact.test)}
_THERE = re.compile(
    r"(?:(?:is|are) there|how many) (?P<noun>.+?)"
    r"(?: are there| in (?:the|this) (?:picture|image|photo)|\?|$)"
)


def read_question(question: str) -> dict[str, str] | None:
    """The logical form of a question in the words of reference programs; None for any other."""
    words = question.lower().partition(" options:")[0].strip(" ?.")
    for wording, fact in _WORDINGS.items():
        if words.endswith(f" {wording}"):
            match = _KNOWLEDGE.fullmatch(words.removesuffix(f" {wording}"))
            return (
                _catalogue_form(
                    {"op": "knowledge", "ask": match.lastgroup or "", "fact": fact}, match
                )
                if match
                else None
            )
    for op, pattern in _FORMS:
        match = pattern.fullmatch(words)
        if match is not None:
            return _catalogue_form({"op": op}, match)
    return None


def _catalogue_form(form: dict[str, str], match: re.Match[str]) -> dict[str, str] | None:
    """The form with what the words name; None where one of them does not name anything."""
    groups = {key: value for key, value in match.groupdict().items() if value}
    for key in ("a", "b", "among", *_ASKS):
        if key in groups:
            form["among" if key in _ASKS else key] = noun = _name(groups[key])
            if not _is_name(noun):
                return None
    for name in _RELATIONS:
        if name in groups:
            form["rel"] = name
    if "by" in groups:
        form["by"] = groups["by"]
    if "cmp" in groups:
        form["cmp"] = groups["cmp"].replace("as many", "same")
    return form


def _name(words: str) -> str:
    noun = singular(words.strip())
    return {"food item": "food", "thing": "object", "item": "object"}.get(noun, noun)


def _is_name(noun: str) -> bool:
    return noun in CATEGORIES or noun in (*KINDS, "object") or classes_of(noun) is not None


def _known_name(words: str) -> None:
    """Refuse a word that is not a name: the record may have the thing under another word.

    Raises:
        ToolFailure: the word is not a name.
    """
    plain = " ".join(
        word for word in words.lower().split() if word not in ("a", "an", "the", "any", "some")
    )
    if not _is_name(_name(plain)):
        raise ToolFailure(f"the oracle does not know what '{words}' is")


class ExactFind(oracle.OracleFind):
    """`find` on drawn scenes; fails for a word that is not a name."""

    def _answer(self, call: ToolCall) -> Value:
        _known_name(text(call, "object_name"))
        return super()._answer(call)


class ExactExists(oracle.OracleExists):
    """`exists` on drawn scenes; fails for a word that is not a name."""

    def _answer(self, call: ToolCall) -> Value:
        _known_name(text(call, "object_name"))
        return super()._answer(call)


class ExactQuestions(oracle.OracleQuestions):
    """`visual_question_answering` on drawn scenes.

    Also answers questions that compare, relate or single out things of a whole scene.
    """

    def __init__(self, scenes: Mapping[str, Scene]) -> None:
        super().__init__(**collage_record(scenes))
        self._scenes = scenes
        self.ref = PartRef("tool", "exact-questions", "1", {"record": self._record.key})

    def _answer(self, call: ToolCall) -> Value:
        region, question = patch(call), text(call, "question", LONGEST_QUESTION)
        form = read_question(question)
        if form is None or region.box.area < region.width * region.height:
            if match := _THERE.match(question.lower()):
                _known_name(match["noun"])
            return super()._answer(call)
        reply = answer(self._scenes[region.image], form)
        if reply is None:
            raise ToolFailure(f"the oracle has no clear answer to '{question}'")
        return reply


def exact_tools(scenes: Mapping[str, Scene]) -> list[Tool]:
    """All tools that exist in an exact version, over scenes by their picture's digest."""
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
    """Blank pictures in the sizes of their scenes."""

    scenes: Mapping[str, Scene]

    def open(self, digest: str) -> Image.Image:
        scene = self.scenes[digest]
        return Image.new("1", (scene.width, scene.height))

    def crop(self, region: Region) -> Image.Image:
        return Image.new("RGB", (1, 1))


def run_exactly(
    rows: Iterable[tuple[Task, Program]], scenes: Mapping[str, Scene]
) -> Iterator[Trace]:
    """One trace per row with exact tools, in the rows' order: its calls and answer, without lines.

    Args:
        rows: tasks with their programs; the `image` of each task is a key of `scenes`.
        scenes: what the tools look at.
    """
    with Executor(exact_tools(scenes), Unpainted(scenes), traced=False) as executor:
        yield from executor.run(rows)


def undecided(trace: Trace) -> bool:
    """Whether the run met a call that exact tools cannot answer."""
    failure = trace.failure
    if failure is None:
        return False
    return failure.kind == "infra" or (
        failure.kind == "tool_error" and "the oracle" in failure.message
    )


def right(task: Task, trace: Trace, gold: str | None = None) -> bool:
    """Whether a run gives the right answer.

    Args:
        task: the question.
        trace: the run.
        gold: the right answer; the task's own when None.
    """
    expected = task if gold is None else replace(task, answers=(gold,))
    return trace.answer is not None and score(expected, trace.answer).score >= 0.5
