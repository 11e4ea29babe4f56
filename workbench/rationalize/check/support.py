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

from workbench.boxes import Box, grid_text
from workbench.english import singular, value
from workbench.parsing import parse
from workbench.rationalize.claims.clauses import one_line
from workbench.rationalize.follow.reading import patches_in, read
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
    """One answered question of the run: a property or a yes/no answer about a thing."""

    event: int
    box: str
    """Its box on the grid; '' for the whole picture."""
    words: frozenset[str]
    """Stems of what was asked, the thing's own names left out."""
    truth: bool


@dataclass(slots=True)
class Support:
    """Everything in a trace that a rationale may rest on."""

    boxes: dict[str, set[str]] = field(default_factory=dict)
    """Names of the thing in each box, by grid text."""
    box_events: dict[str, set[int]] = field(default_factory=dict)
    numbers: set[str] = field(default_factory=set)
    stems: set[str] = field(default_factory=set)
    texts: list[tuple[int, str]] = field(default_factory=list)
    """Every text of the run, on one line, with its event."""
    counts: dict[str, set[int]] = field(default_factory=dict)
    """How many of each name were found in the whole picture, in the singular."""
    absent: set[str] = field(default_factory=set)
    """Names that were looked for somewhere and not found."""
    seen: list[AnsweredProperty] = field(default_factory=list)
    closing: tuple[int, ...] = ()

    def says(self, text: str) -> list[int]:
        """Events that hold a text word for word; a text that ends in an ellipsis may be a
        beginning.
        """
        wanted = text.removesuffix("…").strip()
        return [seq for seq, known in self.texts if wanted in known]


def support(task: Task, program: Program, trace: Trace) -> Support:
    """Read a trace.  Never raises."""
    run = read(trace)
    found = Support(closing=run.closing)
    size = (run.picture.width, run.picture.height) if run.picture is not None else None
    for event in trace.events:
        if not isinstance(event.payload, Mapping):
            continue
        for box, label in patches_in(event.payload):
            names = {singular(label.lower())} if label else set()
            _add_box(found, box, size, names, event.seq)
            if label:
                _add_text(found, event.seq, label)
        for text in _strings(_content(event)):
            _add_text(found, event.seq, text)
        for number in _numbers(_content(event)):
            found.numbers.add(number)
    same: Counter[str] = Counter()
    for step in run.steps:
        if step.asked is not None:
            _asked(found, step.asked, step.seq, size)
            same[repr((step.asked.name, step.asked.arguments, step.asked.result))] += 1
    found.numbers |= {
        str(times) for times in same.values()
    }  # "9 of the cars are red": nine equal answers
    for text in (trace.answer or "", *_constants(program.source)):
        _add_text(found, -1, text)
    for choice in task.choices:
        _add_text(found, -1, choice)
    return found


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
    spelt = {str(number), f"{number:.3g}", f"{number:.2f}", f"{number:.1f}"}
    return spelt | ({str(int(number))} if number == int(number) else set())


def _add_box(
    found: Support, box: Box, size: tuple[int, int] | None, names: set[str], seq: int
) -> None:
    if size is not None:
        grid = grid_text(box, *size)
        found.boxes.setdefault(grid, set()).update(names)
        found.box_events.setdefault(grid, set()).add(seq)


def _add_text(found: Support, seq: int, text: str) -> None:
    line = one_line(text, 2000)
    found.texts.append((seq, line))
    found.texts.append((seq, one_line(text)))
    for word in WORD.findall(line):
        found.stems.add(stem(word))
        for part in re.split(r"[-'’]", word):
            found.stems.add(stem(part))
        number = value(word)
        if number is not None:
            found.numbers.add(str(number))
    found.numbers |= {match.replace(",", "") for match in NUMBER.findall(line)}


def _asked(found: Support, asked: Any, seq: int, size: tuple[int, int] | None) -> None:
    texts = [text for text in asked.arguments.values() if isinstance(text, str)]
    noun = singular(texts[0].lower()) if texts else ""
    whole = asked.receiver is None or asked.receiver.whole
    box = "" if whole or size is None else grid_text(asked.receiver.box, *size)
    if asked.name == "find" and isinstance(asked.result, list):
        for patch in asked.result:
            if hasattr(patch, "box"):
                _add_box(found, patch.box, size, {noun}, seq)
        length = getattr(asked.result, "length", len(asked.result))
        if whole:
            found.counts.setdefault(noun, set()).add(length)
        found.numbers.add(str(length))
        if length == 0:
            found.absent.add(noun)
    elif asked.name == "exists" and asked.result is False:
        found.absent.add(noun)
    truth = _truth(asked.result)
    if truth is None or not texts:
        return
    if asked.name == "verify_property" and len(texts) > 1:
        found.seen.append(
            AnsweredProperty(seq, box, frozenset(map(stem, WORD.findall(texts[1]))), truth)
        )
    elif asked.name != "exists" and not truth:
        found.absent |= {singular(word.lower()) for word in WORD.findall(texts[0])}


def _truth(result: Any) -> bool | None:
    if isinstance(result, bool):
        return result
    if isinstance(result, str) and (word := re.match(r"\W*(yes|no)\b", result, re.IGNORECASE)):
        return word[1].lower() == "yes"
    return None


def _constants(source: str) -> list[str]:
    """Texts in the program itself: names that it compares with and never asks about."""
    try:
        tree = parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [
        n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    ][:200]
