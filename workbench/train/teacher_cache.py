"""Outputs of a teacher on disk, by what they were made from: a lesson is computed once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from workbench.models.weights import folder_digest
from workbench.recipes.teaching import Need, Outputs, Targets
from workbench.records import Lesson, PartRef, content_key

Run = Callable[[Targets, frozenset[Need], Sequence[int]], Outputs]
Part = dict[str, Tensor]
"""The outputs of one lesson."""


class OutputCache:
    """The outputs of one teacher.

    Args:
        root: folder of all teachers.
        checkpoint: the teacher's folder, or its hub id.
        ref: of the teacher.
    """

    def __init__(self, root: Path, checkpoint: str, ref: PartRef) -> None:
        self.root = root
        folder = Path(checkpoint)
        self._state = folder_digest(folder) if folder.is_dir() else checkpoint

    def outputs(
        self, targets: Targets, needs: frozenset[Need], layers: Sequence[int], run: Run
    ) -> Outputs:
        """The outputs of a batch; those that are not kept yet are computed together.

        Args:
            targets: lessons, and their tokens in the order of the lessons.
            needs: what is read.
            layers: whose hidden states are read.
            run: computes outputs.
        """
        paths = [
            self._path(image, lesson, needs, layers)
            for image, lesson in zip(targets.images, targets.lessons, strict=True)
        ]
        parts = [_read(path) for path in paths]
        absent = [at for at, part in enumerate(parts) if part is None]
        if absent:
            new = _parts(run(_some(targets, absent), needs, layers), len(absent))
            for at, part in zip(absent, new, strict=True):
                parts[at] = part
                _write(paths[at], part)
        whole = [part for part in parts if part is not None]
        return _joined(whole, layers if "hidden" in needs else (), targets.tokens.device)

    def _path(
        self, image: str, lesson: Lesson, needs: frozenset[Need], layers: Sequence[int]
    ) -> Path:
        texts = [image, lesson.prompt, lesson.target]
        key = content_key(self._state, texts, sorted(needs), list(layers))
        return self.root / key[:2] / f"{key}.safetensors"


def _some(targets: Targets, numbers: Sequence[int]) -> Targets:
    """Some of the lessons, in their order."""
    kept = torch.tensor(numbers, device=targets.owners.device)
    matches = targets.owners[:, None] == kept
    rows = matches.any(1)
    return Targets(
        targets.tokens[rows],
        matches[rows].int().argmax(1),
        [targets.lessons[at] for at in numbers],
        [targets.images[at] for at in numbers],
        targets.by_person[kept],
    )


def _parts(outputs: Outputs, lessons: int) -> list[Part]:
    """The outputs of each lesson, one of which stands in each row, padded at the right."""
    out = []
    for row in range(lessons):
        own, length = outputs.places[:, 0] == row, int(outputs.mask[row].sum())
        states = {f"hidden {layer}": value[row, :length] for layer, value in outputs.hidden.items()}
        part = {
            "logits": outputs.logits[own],
            "at": outputs.places[own, 1],
            "image": outputs.image[row, :length],
            **states,
        }
        out.append({name: value.detach().cpu().contiguous() for name, value in part.items()})
    return out


def _joined(parts: Sequence[Part], layers: Sequence[int], device: torch.device) -> Outputs:
    rows = torch.cat([torch.full_like(part["at"], at) for at, part in enumerate(parts)])
    places = torch.stack([rows, torch.cat([part["at"] for part in parts])], 1)
    masks = [torch.ones_like(part["image"]) for part in parts]
    return Outputs(
        logits=torch.cat([part["logits"] for part in parts]).to(device),
        places=places.to(device),
        mask=pad_sequence(masks, batch_first=True).to(device),
        image=pad_sequence([part["image"] for part in parts], batch_first=True).to(device),
        hidden={
            layer: pad_sequence([part[f"hidden {layer}"] for part in parts], True).to(device)
            for layer in layers
        },
    )


def _read(path: Path) -> Part | None:
    try:
        part: Part = load_file(path)
    except (OSError, SafetensorError):  # absent, or cut off while it was written: made again
        return None
    return part


def _write(path: Path, part: Part) -> None:
    """Write a file whole or not at all: several processes may write the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    save_file(part, beside)
    beside.replace(path)
