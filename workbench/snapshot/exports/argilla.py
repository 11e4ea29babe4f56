"""Argilla 2: a folder for `rg.Dataset.from_disk`, to decide there and bring the decisions back.

The layout is that of `argilla.datasets._io._disk`: `.argilla/dataset.json`,
`.argilla/settings.json`, `records.json`.  Fields are shown as plain text, so that nothing in them
is interpreted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from workbench.snapshot.example import Example
from workbench.snapshot.exports.common import json_file, pictures
from workbench.snapshot.exports.questions import DECISIONS, REASON_TITLES
from workbench.snapshot.folder import Snapshot

_TEXTS = {
    "question": "Question", "answer": "Answer", "program": "Program", "choices": "Options",
}  # fmt: skip

USAGE = """Paths of pictures are relative: run in this folder.

import argilla as rg
client = rg.Argilla(api_url=..., api_key=...)
dataset = rg.Dataset.from_disk(".", name="vpd", workspace=..., client=client)

When people have decided (to_json would leave out which answers were submitted):

import json
rows = dataset.records.to_list(flatten=True)
for row in rows:
    row.pop("image", None)
with open("decided.json", "w") as file:
    json.dump(rows, file, default=str)

vpd import-decisions decided.json --from argilla"""


def write(snapshot: Snapshot, folder: Path) -> tuple[int, str]:
    """The dataset, its settings and one record per example."""
    path_of = pictures(snapshot, folder)
    examples = snapshot.examples()
    json_file(folder / ".argilla" / "settings.json", settings())
    json_file(
        folder / ".argilla" / "dataset.json",
        {"name": f"vpd-{snapshot.hash}", "status": "draft", "allow_extra_metadata": True},
    )
    json_file(
        folder / "records.json", [record(example, path_of[example.image]) for example in examples]
    )
    return len(examples), USAGE


def settings() -> dict[str, Any]:
    """What `rg.Settings.from_json` reads: fields to look at, questions to answer."""
    text = {"type": "text", "use_markdown": False}
    fields = [_field("image", "Picture", {"type": "image"}, True)]
    fields += [
        _field(name, title, text, name in ("question", "answer")) for name, title in _TEXTS.items()
    ]
    return {
        "guidelines": (
            "Accept an example when its answer is right and every sentence of the rationale is "
            "true."
        ),
        "questions": [
            _question("decision", "Accept it?", True, _labels((name, name) for name in DECISIONS)),
            _question("reason", "Why not?", False, _labels(REASON_TITLES.items())),
            _question("rationale", "Rationale (mend it where it is wrong)", False, text),
            _question("note", "Note", False, text),
        ],
        "fields": fields,
        "vectors": [],
        "metadata": [],
        "allow_extra_metadata": True,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
        "mapping": None,
    }


def _labels(titles: Iterable[tuple[str, str]]) -> dict[str, Any]:
    options = [{"value": value, "text": title, "description": None} for value, title in titles]
    return {"type": "label_selection", "options": options, "visible_options": None}


def _field(name: str, title: str, kind: Mapping[str, Any], required: bool) -> dict[str, Any]:
    return {"id": None, "name": name, "title": title, "required": required, "settings": dict(kind)}


def _question(name: str, title: str, required: bool, kind: Mapping[str, Any]) -> dict[str, Any]:
    return {**_field(name, title, kind, required), "description": None}


def record(example: Example, picture: str) -> dict[str, Any]:
    """A record with the example's id, whose metadata name what the decision is about."""
    texts = {
        "question": example.question,
        "answer": example.answer,
        "program": example.program,
        "choices": "\n".join(example.choices) or None,
    }
    about = {
        "task_id": example.task_id,
        "trace_id": example.trace_id,
        "rationale_id": example.rationale_id,
        "split": example.split,
        "family": example.family,
    }
    suggested = {"value": example.rationale, "score": None, "agent": "workbench"}
    return {
        "id": example.id,
        "fields": {
            "image": picture,
            **{name: text for name, text in texts.items() if text is not None},
        },
        "metadata": {name: value for name, value in about.items() if value is not None},
        "suggestions": {"rationale": suggested} if example.rationale is not None else {},
        "responses": {},
        "vectors": {},
        "status": "pending",
        "_server_id": None,
    }
