"""Detection by name with the student's own eyes.

The bundled detector makes proposals and the student's projector names them.  The projector draws
each region towards the embedding of what it shows (`making/base_student.py`, stage one), so the
nearest name is a detection: open-vocabulary detection in the manner of OWL-ViT (Minderer et al.,
ECCV 2022), over the names that the student was taught.  COCO's other classes come from the detector
itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from PIL import Image

from workbench.boxes import from_grid, non_maximum_suppression
from workbench.errors import InputError
from workbench.models.coco import CLASSES
from workbench.models.detector import Detection, SSDLite, bundled_detector
from workbench.models.region_vlm import IMAGE_TOKEN
from workbench.models.vlm import Vlm
from workbench.settings import data_dir

NOTHING = "nothing"
TEMPERATURE = 0.05
"""Temperature of the softmax over cosines, with which the projector was trained."""


def vocabulary(path: Path | None = None) -> dict[str, tuple[str, ...]]:
    """The names that the student was taught, each with the wider words it falls under.

    Raises:
        InputError: the file is missing or is not such a table.
    """
    path = path or data_dir() / "models" / "base-student" / "names.json"
    try:
        return {
            str(name): tuple(map(str, kinds))
            for name, kinds in json.loads(path.read_text(encoding="utf-8")).items()
        }
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InputError(
            f"no table of names at {path} ({error}); run `vpd make-models base-student`"
        ) from error


class RegionNamer:
    """A detector of the student's names and of COCO's other classes.

    The score of one of the student's names is the softmax over the names.
    """

    def __init__(self, vlm: Vlm, names: Sequence[str], detector: SSDLite) -> None:
        self._vlm, self._detector = vlm, detector
        self._names = [*names, NOTHING]
        self._others = [name for name in CLASSES if name not in names]
        table = vlm.model.get_input_embeddings().weight
        tokens = [
            vlm.tokenizer(f" {name}", add_special_tokens=False)["input_ids"] for name in self._names
        ]
        with torch.inference_mode():
            means = torch.stack([table[t].float().mean(0) for t in tokens])
            self._embeddings = torch.nn.functional.normalize(means, dim=-1)

    @torch.inference_mode()
    def detect(
        self, images: Sequence[Image.Image], threshold: float = 0.3, iou: float = 0.5
    ) -> list[list[Detection]]:
        """The detections in each picture, best score first.

        Args:
            images: Pictures.
            threshold: Lowest score, 0 to 1.
            iou: Overlap above which the weaker of two boxes of one name is dropped.
        """
        if not images:
            return []
        features, texts = self._vlm.processor.features(images)
        projector = self._vlm.model.projector
        out = []
        for picture, vectors, text, others in zip(
            images,
            features,
            texts,
            self._detector.detect(images, threshold, iou, self._others),
            strict=True,
        ):
            cells = [[int(cell) for cell in box.split()] for box in text.split(IMAGE_TOKEN)[2:]]
            boxes = [from_grid(c, picture.width, picture.height) for c in cells]
            rows = torch.from_numpy(vectors[1 : 1 + len(boxes)]).to(
                projector.size.device, projector.size.dtype
            )
            units = torch.nn.functional.normalize(projector(rows).float(), dim=-1)
            best, which = ((units @ self._embeddings.T) / TEMPERATURE).softmax(-1).max(-1)
            detections = list(others)
            for number, name in enumerate(self._names[:-1]):
                mine = [
                    i
                    for i in range(len(boxes))
                    if int(which[i]) == number and float(best[i]) >= threshold
                ]
                kept = non_maximum_suppression(
                    [boxes[i] for i in mine], [float(best[i]) for i in mine], iou
                )
                detections += [Detection(name, float(best[mine[i]]), boxes[mine[i]]) for i in kept]
            out.append(sorted(detections, key=lambda d: (-d.score, d.label, d.box)))
        return out


@lru_cache(maxsize=2)
def bundled_namer(threads: int = 1) -> RegionNamer:
    """The bundled student's namer, loaded once per process."""
    return RegionNamer(Vlm.load("bundled"), list(vocabulary()), bundled_detector(threads))
