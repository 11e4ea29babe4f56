"""Chat rows with tool calls: a model learns to look by itself, turn by turn, as a program did.

The calls of the program that an example's rationale tells become turns: the model names a tool and
its arguments, the tool answers.  A call on a part of the picture names the part's box, and the
answer shows it, so that each turn has one picture at most.

tagged (`train.jsonl`)
    Roles `tool_call` and `tool_response`, declarations in the column `tools`.  For ms-swift (its
    agent format) and LLaMA-Factory (function and observation tags of `dataset_info.json`).
typed (`train.typed.jsonl`)
    `prompt` and `completion`, one row for each turn of the model, so that nothing else counts in
    the loss.  TRL hands its collator no declarations and fills no picture into a turn of a tool:
    the first turn declares the tools, and a turn of the user shows the part.  Arguments are JSON
    text, since a column of objects would give every call the arguments of all others, as nulls.
`train.parquet`
    The tagged turns for verl, calls as `<tool_call>` text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.api import STANDARD
from workbench.boxes import Box, grid_text, to_grid
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX, question_text
from workbench.records import JSON, Region, TraceEvent
from workbench.snapshot.example import SPLITS, Example
from workbench.snapshot.exports.chat import verl_rows, without_tags
from workbench.snapshot.exports.common import Writer, json_file, json_lines, pictures
from workbench.snapshot.exports.trainers import (
    TOOLS,
    llama_factory_entry,
    usage,
    write_configurations,
)
from workbench.snapshot.folder import Snapshot

REGION = "region"
"""The argument that names the part of the picture which a call looks at."""

_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_REGION_WORDS = "Part of the picture, as ymin xmin ymax xmax from 0 to 999; all of it when absent."


@dataclass(frozen=True, slots=True)
class ToolTurn:
    """One call of a program with its answer, in the words of a chat."""

    tool: str
    arguments: Mapping[str, JSON]
    result: str
    part: Box | None
    """What the call looked at, in pixels; None where that is the whole picture, or nothing."""


def tool_turns(events: Sequence[TraceEvent], width: int, height: int) -> list[ToolTurn]:
    """The calls of a trace in their order; one that has no answer is left out.

    Args:
        events: of the trace.
        width: of the picture, in pixels.
        height: of the picture, in pixels.
    """
    answers = {
        event.payload.get("call"): event.payload for event in events if event.kind == "tool_result"
    }
    out = []
    for event in events:
        if event.kind != "tool" or event.payload.get("call") not in answers:
            continue
        words = _Words(width, height)
        receiver = event.payload.get("receiver")
        part = words.part(receiver)
        arguments = {key: words.value(v) for key, v in event.payload["arguments"].items()}
        if part is not None:
            arguments[REGION] = grid_text(part, width, height)
        answer = answers[event.payload["call"]]
        out.append(ToolTurn(event.payload["tool"], arguments, words.answer(answer), part))
    return out


class _Words:
    """Values of a trace in the words of a chat: boxes on the grid of a picture of this size."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)

    def part(self, receiver: Any) -> Box | None:
        """The box of a call's receiver, unless it is the whole picture."""
        if not isinstance(receiver, dict) or receiver.get("type") != "patch":
            return None
        box = Box(*receiver["box"])
        return None if to_grid(box, *self._size) == (0, 0, 999, 999) else box

    def value(self, value: Any) -> JSON:
        """A value as JSON that a model can write and read."""
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        kind = value.get("type")
        if kind == "patch":
            label = {"label": value["label"]} if value.get("label") else {}
            return {"box": grid_text(Box(*value["box"]), *self._size), **label}
        if kind == "str":
            return str(value.get("text", ""))
        if kind == "dict":
            pairs = value.get("items") or []
            return {str(self.value(key)): self.value(item) for key, item in pairs}
        return self.value(value.get("items") or [])

    def answer(self, payload: Mapping[str, Any]) -> str:
        """The text of a tool's answer, or of the error in its place."""
        if not payload.get("ok", True):
            return f"error: {payload.get('error', 'the tool failed')}"
        result = self.value(payload.get("result"))
        return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)


def declarations(turns: Sequence[ToolTurn]) -> list[dict[str, Any]]:
    """What a model is told of the tools that its turns call, as OpenAI's interface spells it."""
    names = sorted({turn.tool for turn in turns})
    out = []
    for name in names:
        spec = STANDARD.get(name)
        arguments = sorted({key for turn in turns if turn.tool == name for key in turn.arguments})
        properties: dict[str, Any] = {key: {"type": "string"} for key in arguments}
        if spec is not None:
            properties |= {p.name: _schema(p.type) for p in spec.parameters}
        if spec is None or spec.method:
            properties[REGION] = {"type": "string", "description": _REGION_WORDS}
        function = {
            "name": name,
            "description": spec.doc.split("\n>>>")[0].strip() if spec else f"The tool {name}.",
            "parameters": {
                "type": "object",
                "properties": properties,
                "required": [p.name for p in spec.parameters if p.required] if spec else [],
            },
        }
        out.append({"type": "function", "function": function})
    return out


def _schema(kind: str) -> dict[str, Any]:
    plain = kind.removesuffix(" | None")
    if plain.startswith("list["):
        return {"type": "array", "items": _schema(plain[5:-1])}
    return {"type": _TYPES.get(plain, "string")}


def writer(events_of: Mapping[str, Sequence[TraceEvent]]) -> Writer:
    """The writer of this format.

    Args:
        events_of: the events of traces, by the trace's id; examples without one are left out.
    """

    def write(snapshot: Snapshot, folder: Path) -> tuple[int, str]:
        export = _Export(snapshot, folder, events_of)
        rows = {split: list(export.rows(snapshot.examples(split))) for split in SPLITS}
        for split, dialogues in rows.items():
            json_lines(folder / f"{split}.jsonl", (d.tagged() for d in dialogues))
            typed = (row for d in dialogues for row in d.typed())
            json_lines(folder / f"{split}.typed.jsonl", typed)
            verl_rows(folder / f"{split}.parquet", [d.verl() for d in dialogues])
        sides = [split for split in SPLITS if rows[split]]
        entries = {f"vpd_{split}": _entry(f"{split}.jsonl") for split in sides}
        json_file(folder / "dataset_info.json", entries)
        write_configurations(folder, has_val="val" in sides)
        return sum(map(len, rows.values())), usage(TOOLS, "val" in sides) + export.left_out()

    return write


def _entry(file: str) -> dict[str, Any]:
    entry = llama_factory_entry(file)
    entry["columns"]["tools"] = "tools"
    entry["tags"] |= {"function_tag": "tool_call", "observation_tag": "tool_response"}
    return entry


class _Export:
    """Turns examples into dialogues, writes the parts of pictures, and counts what stays out."""

    def __init__(
        self, snapshot: Snapshot, folder: Path, events_of: Mapping[str, Sequence[TraceEvent]]
    ) -> None:
        self._images, self._folder, self._events_of = snapshot.images, folder, events_of
        self._path_of = pictures(snapshot, folder)
        self._reasons: dict[str, int] = {}

    def rows(self, examples: Sequence[Example]) -> Iterator[_Dialogue]:
        """The dialogues of the examples whose calls are known."""
        for example in examples:
            events = self._events_of.get(example.trace_id or "", ())
            turns = tool_turns(events, example.width, example.height)
            reason = _why_not(example, events, turns)
            if reason:
                self._reasons[reason] = self._reasons.get(reason, 0) + 1
                continue
            parts = [self._part(example, turn) for turn in turns]
            yield _Dialogue(example, turns, self._path_of[example.image], parts)

    def _part(self, example: Example, turn: ToolTurn) -> str | None:
        """The file of the part that a call looks at, relative to the folder."""
        if turn.part is None:
            return None
        cells = "-".join(map(str, to_grid(turn.part, example.width, example.height)))
        path = f"parts/{example.image[:2]}/{example.image}-{cells}.png"
        if not (self._folder / path).exists():
            (self._folder / path).parent.mkdir(parents=True, exist_ok=True)
            region = Region(example.image, example.width, example.height, turn.part)
            self._images.crop(region).save(self._folder / path)
        return path

    def left_out(self) -> str:
        """What stayed out and why, for people; empty where nothing did."""
        lines = [f"{count} examples are left out: {why}" for why, count in self._reasons.items()]
        return "".join(f"\n\n{line}." for line in lines)


def _why_not(example: Example, events: Sequence[TraceEvent], turns: Sequence[ToolTurn]) -> str:
    if example.trace_id is None:
        return "they teach a label alone, without a program"
    if not events:
        return "the trace of their program is not in the project"
    if any(event.kind == "truncated" for event in events):
        return "the events of their trace were cut off"
    return "" if turns else "their program calls no tool"


@dataclass(frozen=True, slots=True)
class _Dialogue:
    """One example as a conversation with tools."""

    example: Example
    turns: Sequence[ToolTurn]
    picture: str
    parts: Sequence[str | None]
    """The file that each turn's answer shows."""

    @property
    def _question(self) -> str:
        suffix = LABEL_SUFFIX if self.example.rationale is None else RATIONALE_SUFFIX
        return question_text(self.example) + suffix

    @property
    def _answer(self) -> str:
        return self.example.answer if self.example.rationale is None else self.example.rationale

    def _common(self, pictures: Sequence[str | None]) -> dict[str, Any]:
        images = [self.picture, *(path for path in pictures if path)]
        return {"images": images, "id": self.example.id, "task": self.example.task_id}

    def tagged(self) -> dict[str, Any]:
        """The conversation for ms-swift and LLaMA-Factory."""
        messages = [{"role": "user", "content": "<image>" + without_tags(self._question)}]
        for turn, part in zip(self.turns, self.parts, strict=True):
            call = json.dumps({"name": turn.tool, "arguments": turn.arguments}, ensure_ascii=False)
            mark = "<image>" if part else ""
            messages += [
                {"role": "tool_call", "content": without_tags(call)},
                {"role": "tool_response", "content": mark + without_tags(turn.result)},
            ]
        messages.append({"role": "assistant", "content": without_tags(self._answer)})
        tools = json.dumps(declarations(self.turns))
        return {"messages": messages, "tools": tools, **self._common(self.parts)}

    def verl(self) -> dict[str, Any]:
        """The conversation for verl, whose templates get text alone."""
        roles = {"tool_call": "assistant", "tool_response": "tool"}
        row = self.tagged()
        messages = [{"role": "system", "content": self._declared()}]
        for message in row["messages"]:
            text = message["content"]
            if message["role"] == "tool_call":
                text = f"<tool_call>\n{text}\n</tool_call>"
            messages.append({"role": roles.get(message["role"], message["role"]), "content": text})
        return {"messages": messages, "images": row["images"]}

    def _declared(self) -> str:
        lines = (json.dumps(tool, ensure_ascii=False) for tool in declarations(self.turns))
        return without_tags("You may call these tools:\n" + "\n".join(lines))

    def typed(self) -> Iterator[dict[str, Any]]:
        """One row for each turn of the model: what came before it, and the turn."""
        history = [
            _turn("system", _text(self._declared())),
            _turn("user", {"type": "image"}, _text(self._question)),
        ]
        for at, turn in enumerate(self.turns):
            call = {
                "type": "function",
                "function": {
                    "name": turn.tool,
                    "arguments": json.dumps(turn.arguments, ensure_ascii=False),
                },
            }
            speech = {**_turn("assistant", _text("")), "tool_calls": [call]}
            yield self._row(history, speech, at)
            history += [speech, _turn("tool", _text(turn.result))]
            if self.parts[at]:
                history.append(_turn("user", {"type": "image"}))
        yield self._row(history, _turn("assistant", _text(self._answer)), len(self.turns))

    def _row(self, history: Sequence[Any], speech: Mapping[str, Any], at: int) -> dict[str, Any]:
        common = self._common(self.parts[:at])
        return {
            "prompt": list(history),
            "completion": [speech],
            "chat_template_kwargs": {"enable_thinking": False},
            **common,
            "id": f"{common['id']}-{at}",
        }


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _turn(role: str, *content: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": role, "content": list(content)}
