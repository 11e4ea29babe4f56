"""What a trace supports: every box, number, name and text in it, each with the events that hold it.

Reads the events alone and knows nothing of how a rationale was written.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.boxes import grid_text
from workbench.english import ORDINALS, singular, value
from workbench.parsing import parse
from workbench.rationalize.claims.claims import Patch
from workbench.rationalize.claims.clauses import one_line
from workbench.rationalize.follow.reading import patches_in, read
from workbench.rationalize.follow.tool_calls import AnsweredCall
from workbench.records import Program, Task, Trace, TraceEvent

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?![\w])")
_ENDINGS = ("ies", "es", "s", "ing", "ed", "er", "est", "ly")


def stem(word: str) -> str:
    """A word without its usual endings, so that `holds`, `holding` and `hold` meet."""
    low = singular(word.lower().replace("’", "'").removesuffix("'s"))
    for ending in _ENDINGS:
        if low.endswith(ending) and len(low) - len(ending) >= 3:
            low = low.removesuffix(ending)
            break
    return low.rstrip("ey")


@dataclass(frozen=True, slots=True)
class AnsweredProperty:
    """An answered question of the run: a property of a thing, or a yes/no answer about it."""

    event: int
    """`seq` of the tool call."""
    box: str
    """Box of the thing on the grid; '' for the whole picture."""
    words: frozenset[str]
    """Stems of the words of the property."""
    truth: bool


@dataclass(slots=True)
class Support:
    """Everything in a trace that a rationale may rest on."""

    boxes: dict[str, set[str]] = field(default_factory=dict)
    """Names of the thing in each box, by the box's text on the grid."""
    pictures: dict[str, set[int]] = field(default_factory=dict)
    """Numbers of the pictures, from 0, in which each box lies; by the box's text on the grid."""
    box_events: dict[str, set[int]] = field(default_factory=dict)
    """`seq` of the events that hold each box."""
    numbers: set[str] = field(default_factory=set)
    """Every number of the run, in each way in which it may be written."""
    stems: set[str] = field(default_factory=set)
    """Stems of every word of the run."""
    texts: list[tuple[int, str]] = field(default_factory=list)
    """Every text of the run on one line, after the `seq` of its event; -1 for other sources."""
    counts: dict[str, set[int]] = field(default_factory=dict)
    """For each name in the singular, how many the tools counted in a whole picture."""
    counts_in: dict[tuple[str, int], set[int]] = field(default_factory=dict)
    """The same by name and by the number of the picture, where there are several."""
    absent: set[str] = field(default_factory=set)
    """Names of things that a tool did not see where it looked."""
    properties: list[AnsweredProperty] = field(default_factory=list)
    """Every answered question about a property."""
    closing: tuple[int, ...] = ()
    """`seq` of the events that hold the answer."""
    number: int = 1
    """How many pictures the question has."""
    presence: dict[tuple[str, int], set[bool]] = field(default_factory=dict)
    """Whether tools saw things of a name in a whole picture, by name and number of the picture."""
    seen_in: dict[int, set[int]] = field(default_factory=dict)
    """Numbers of the pictures that each call of a tool looked at, by the `seq` of its answer."""

    def says(self, text: str) -> list[int]:
        """Events that hold a text word for word, or go on where it ends in an ellipsis."""
        beginning = text.removesuffix("…").strip()
        return [seq for seq, line in self.texts if beginning in line]


def support(task: Task, program: Program, trace: Trace) -> Support:
    """Read what a trace supports.  Never raises.

    Args:
        task: its options may be named.
        program: texts in its source may be named.
        trace: its events, of any form, and its answer.
    """
    run = read(trace, len(task.images))
    facts = Support(closing=run.closing, number=len(task.images))
    size = (run.picture.width, run.picture.height) if run.picture is not None else None
    for event in trace.events:
        if isinstance(event.payload, Mapping):
            _add_event(facts, event, size)
    times: Counter[str] = Counter()
    for step in run.steps:
        if step.call is not None:
            _add_call(facts, step.call, step.seq)
            _add_picture(facts, step.call)
            times[repr((step.call.name, step.call.arguments, step.call.result))] += 1
    # "9 of the cars are red": nine calls with equal answers.
    facts.numbers |= {str(number) for number in times.values()}
    if facts.number > 1:
        facts.stems |= {stem(word) for word in ORDINALS[: facts.number]}
    for text in (trace.answer or "", *_constants(program.source), *task.choices):
        _add_text(facts, -1, text)
    return facts


def _add_event(facts: Support, event: TraceEvent, size: tuple[int, int] | None) -> None:
    for patch in patches_in(event.payload):
        own, label = patch.size if patch.picture else size, patch.label
        names = {singular(label.lower())} if label else set[str]()
        if own is not None:
            grid = grid_text(patch.box, *own)
            _add_box(facts, grid, names, event.seq)
            facts.pictures.setdefault(grid, set()).add(patch.picture)
        if label:
            _add_text(facts, event.seq, label)
    for text in _strings(_content(event)):
        _add_text(facts, event.seq, text)
    facts.numbers |= set(_numbers(_content(event)))


def _content(event: TraceEvent) -> Any:
    keys = ("arguments", "result", "changed", "text", "value", "answer", "error", "message")
    return [event.payload[key] for key in keys if key in event.payload]


def _strings(value: Any, depth: int = 8) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, Mapping):
        inner = [v for k, v in value.items() if k not in ("type", "box", "score")]
        for item in inner:
            yield from _strings(item, depth - 1)
    elif depth and isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item, depth - 1)


def _numbers(value: Any, depth: int = 8) -> Iterable[str]:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        yield from _spellings(value)
    elif depth and isinstance(value, Mapping):
        if isinstance(value.get("length"), int):
            yield str(value["length"])
        for key, item in value.items():
            if key not in ("box", "score"):
                yield from _numbers(item, depth - 1)
    elif depth and isinstance(value, list | tuple):
        for item in value:
            yield from _numbers(item, depth - 1)


def _spellings(number: int | float) -> set[str]:
    if isinstance(number, float) and (number != number or abs(number) > 1e15):
        return set()
    if isinstance(number, int) and abs(number) > 10**15:
        return set()
    number = abs(number)  # "turned by 90 degrees clockwise": the sign is told in words
    spelt = {str(number), f"{number:.3g}", f"{number:.2f}", f"{number:.1f}"}
    return spelt | ({str(int(number))} if number == int(number) else set())


def _add_box(facts: Support, grid: str, names: set[str], seq: int) -> None:
    facts.boxes.setdefault(grid, set()).update(names)
    facts.box_events.setdefault(grid, set()).add(seq)


def _add_text(facts: Support, seq: int, text: str) -> None:
    line = one_line(text, 2000)
    facts.texts.append((seq, line))
    facts.texts.append((seq, one_line(text)))
    for word in WORD.findall(line):
        facts.stems.add(stem(word))
        for part in re.split(r"[-'’]", word):
            facts.stems.add(stem(part))
        number = value(word)
        if number is not None:
            facts.numbers.add(str(number))
    facts.numbers |= {match.replace(",", "") for match in NUMBER.findall(line)}


def _add_call(facts: Support, call: AnsweredCall, seq: int) -> None:
    texts = [text for text in call.arguments.values() if isinstance(text, str)]
    noun = singular(texts[0].lower()) if texts else ""
    if call.name == "find" and isinstance(call.result, list):
        _add_things(facts, call, noun, seq)
    elif call.name == "exists" and call.result is False:
        facts.absent.add(noun)
    truth = _truth(call.result)
    if truth is None or not texts:
        return
    if call.name == "verify_property" and len(texts) > 1:
        stems = frozenset(map(stem, WORD.findall(texts[1])))
        facts.properties.append(AnsweredProperty(seq, _box_text(call), stems, truth))
    elif call.name != "exists" and not truth:
        facts.absent |= {singular(word.lower()) for word in WORD.findall(texts[0])}


def _add_picture(facts: Support, call: AnsweredCall) -> None:
    """Add which of several pictures a call looked at, and what it saw or missed there."""
    picture = call.receiver.picture if call.receiver is not None else None
    if picture is None:
        return
    facts.seen_in.update({key: {picture} for key in call.events})
    noun = next((text for text in call.arguments.values() if isinstance(text, str)), "")
    if call.name in ("exists", "find") and _of_whole(call):
        is_there = bool(call.result)
        facts.presence.setdefault((singular(noun.lower()), picture), set()).add(is_there)


def _add_things(facts: Support, call: AnsweredCall, noun: str, seq: int) -> None:
    """Add what a detector answered: boxes, how many they are, or that there is none."""
    for patch in call.result:
        if isinstance(patch, Patch) and patch.grid:
            _add_box(facts, patch.grid, {noun}, seq)
    number = getattr(call.result, "length", len(call.result))
    if _of_whole(call):
        facts.counts.setdefault(noun, set()).add(number)
        if call.receiver is not None and call.receiver.picture is not None:
            where = noun, call.receiver.picture
            facts.counts_in.setdefault(where, set()).add(number)
    facts.numbers.add(str(number))
    if number == 0:
        facts.absent.add(noun)


def _of_whole(call: AnsweredCall) -> bool:
    """Whether a call looked at the whole picture, or at none."""
    return call.receiver is None or call.receiver.whole


def _box_text(call: AnsweredCall) -> str:
    """The box that a call looked at, on the grid; '' for the whole picture."""
    return "" if call.receiver is None or call.receiver.whole else call.receiver.grid


def _truth(result: Any) -> bool | None:
    if isinstance(result, bool):
        return result
    if isinstance(result, str) and (word := re.match(r"\W*(yes|no)\b", result, re.IGNORECASE)):
        return word[1].lower() == "yes"
    return None


def _constants(source: str) -> list[str]:
    """Texts in the program's source: names that it compares with and never asks about."""
    try:
        tree = parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [text for text in constants if isinstance(text, str)][:200]
