"""FiftyOne: its JSON format on disk (`metadata.json`, `samples.json`, `data/`), with detections.

The type to name is `fo.types.LegacyFiftyOneDataset`: plain JSON, read by every version; the newer
type of the same layout holds a dump of FiftyOne's own database instead.  Boxes are `[left, top,
width, height]`, 0 to 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.snapshot.example import Example
from workbench.snapshot.exports.common import json_file, pictures
from workbench.snapshot.folder import Snapshot

USAGE = """import fiftyone as fo
dataset = fo.Dataset.from_dir(dataset_dir=".", dataset_type=fo.types.LegacyFiftyOneDataset)
fo.launch_app(dataset)

This is for looking: FiftyOne does not keep who decided what, so no decisions come back from it."""


def write(snapshot: Snapshot, folder: Path) -> tuple[int, str]:
    """One sample for each example; two questions about one picture are two samples."""
    path_of = pictures(snapshot, folder, "data")
    examples = snapshot.examples()
    info = {"snapshot": snapshot.hash, "boxes": "as the rationale names them"}
    json_file(
        folder / "metadata.json",
        {"name": f"vpd-{snapshot.hash}", "media_type": "image", "info": info},
    )
    json_file(
        folder / "samples.json",
        {"samples": [sample(example, path_of[example.image]) for example in examples]},
    )
    return len(examples), USAGE


def sample(example: Example, picture: str) -> dict[str, Any]:
    """An example as FiftyOne writes a sample."""
    detections: list[dict[str, Any]] = []
    for named in example.boxes:
        box = named.pixels(example.width, example.height)
        x, y, w, h = (
            box.x0 / example.width,
            box.y0 / example.height,
            box.width / example.width,
            box.height / example.height,
        )
        detections.append(
            {
                "_cls": "Detection",
                "label": named.label or None,
                "bounding_box": [x, y, w, h],
                "tags": [],
                "attributes": {},
            }
        )
    return {
        "filepath": picture,
        "tags": [example.split, example.kind],
        "_media_type": "image",
        "metadata": {"_cls": "ImageMetadata", "width": example.width, "height": example.height},
        "example_id": example.id,
        "task_id": example.task_id,
        "family": example.family,
        "question": example.question,
        "answer": {"_cls": "Classification", "label": example.answer, "tags": []},
        "choices": list(example.choices),
        "rationale": example.rationale,
        "program": example.program,
        "trace_id": example.trace_id,
        "boxes": {"_cls": "Detections", "detections": detections},
    }
