"""Label Studio: tasks with boxes and rationale as predictions, and their labelling interface.

Formats: https://labelstud.io/guide/task_format and /guide/predictions.  Boxes are in percent of the
picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from workbench.snapshot.example import Example
from workbench.snapshot.exports.common import json_file, pictures
from workbench.snapshot.exports.questions import DECISIONS, REASON_TITLES
from workbench.snapshot.folder import Snapshot

UNNAMED = "box"
"""Label of a box that the rationale does not name."""

USAGE = """1. Start Label Studio so that it serves this folder's pictures:
     export LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true
     export LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT=THIS_FOLDER
     label-studio
   and add THIS_FOLDER/images as local storage of the project (Settings, Cloud Storage, Local
   files; no need to sync).
2. Make a project with config.xml as its labelling interface and import tasks.json.
3. When people have decided: export as JSON, then
     vpd import-decisions export.json --from label-studio"""


def write(snapshot: Snapshot, folder: Path) -> tuple[int, str]:
    """`tasks.json`, `config.xml` and the pictures."""
    path_of = pictures(snapshot, folder)
    examples = snapshot.examples()
    labels = sorted({box.label or UNNAMED for example in examples for box in example.boxes}) or [
        UNNAMED
    ]
    (folder / "config.xml").write_text(config(labels), encoding="utf-8")
    json_file(
        folder / "tasks.json", [task(example, path_of[example.image]) for example in examples]
    )
    return len(examples), USAGE


def config(labels: Sequence[str]) -> str:
    """The labelling interface: what a person sees and edits, and what is to be decided."""
    view = ElementTree.Element("View")

    def add(under: ElementTree.Element, tag: str, **attributes: str) -> ElementTree.Element:
        return ElementTree.SubElement(under, tag, attributes)

    add(view, "Text", name="question", value="$question")
    add(view, "Text", name="answer", value="$answer")
    add(view, "Image", name="image", value="$image", zoom="true")
    # no way back reads boxes that were moved, so they are for looking alone
    add(view, "Header", value="Boxes as the rationale has them: to move one, mend its four numbers")
    boxes = add(view, "RectangleLabels", name="boxes", toName="image")
    for label in labels:
        add(boxes, "Label", value=label)
    add(view, "Header", value="Rationale: mend it where it is wrong")
    add(
        view,
        "TextArea",
        name="rationale",
        toName="image",
        editable="true",
        maxSubmissions="1",
        rows="5",
    )
    decision = add(
        view,
        "Choices",
        name="decision",
        toName="image",
        choice="single",
        required="true",
        showInline="true",
    )
    for kind in DECISIONS:
        add(decision, "Choice", value=kind)
    reason = add(
        view,
        "Choices",
        name="reason",
        toName="image",
        choice="single",
        showInline="true",
        visibleWhen="choice-selected",
        whenTagName="decision",
        whenChoiceValue="reject",
    )
    for name, title in REASON_TITLES.items():
        add(reason, "Choice", value=title, alias=name)
    add(
        view,
        "TextArea",
        name="note",
        toName="image",
        editable="true",
        maxSubmissions="1",
        placeholder="Note",
    )
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def task(example: Example, picture: str) -> dict[str, Any]:
    """A task whose data name what the decision is about."""
    about = {
        "example_id": example.id,
        "task_id": example.task_id,
        "trace_id": example.trace_id,
        "rationale_id": example.rationale_id,
    }
    return {
        "data": {
            "image": f"/data/local-files/?d={quote(picture)}",
            "question": example.question,
            "answer": example.answer,
            "choices": list(example.choices),
            "program": example.program or "",
            "told": example.rationale or "",
            "split": example.split,
            **about,
        },
        "predictions": [{"model_version": "workbench", "result": _result(example)}],
    }


def _result(example: Example) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    for at, named in enumerate(example.boxes):
        box = named.pixels(example.width, example.height)
        results.append(
            {
                "id": f"{example.id}-{at}",
                "from_name": "boxes",
                "to_name": "image",
                "type": "rectanglelabels",
                "original_width": example.width,
                "original_height": example.height,
                "image_rotation": 0,
                "readonly": True,
                "value": {
                    "x": 100 * box.x0 / example.width,
                    "y": 100 * box.y0 / example.height,
                    "width": 100 * box.width / example.width,
                    "height": 100 * box.height / example.height,
                    "rotation": 0,
                    "rectanglelabels": [named.label or UNNAMED],
                },
            }
        )
    if example.rationale is not None:
        results.append(
            {
                "id": f"{example.id}-told",
                "from_name": "rationale",
                "to_name": "image",
                "type": "textarea",
                "value": {"text": [example.rationale]},
            }
        )
    return results
