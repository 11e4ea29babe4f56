"""The second student of an objective of two: loaded beside the first, and finished like it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workbench.errors import ProfileError
from workbench.recipes.teaching import HasPeer, Outputs, Targets, language
from workbench.train.job import Job
from workbench.train.load import LoadedStudent, finish, load_student
from workbench.train.teachers import check_vocabularies

PEER = "peer"
"""Name of the second student: of its weights in a checkpoint, and of its folder in the job."""
PEERS = "peers.json"
"""File of the finished student that tells both apart."""


def load_peer(objective: HasPeer, job: Job, student: LoadedStudent, device: torch.device) -> Any:
    """The second student, with what is trained of it.

    Args:
        objective: of both.
        job: of the first one.
        student: the first one.
        device: where the run is.

    Raises:
        ProfileError: both begin alike and would stay so, or the run is divided.
        InputError: there is no such student, or it has other words.
    """
    if job.sharded:
        raise ProfileError(
            f"the objective '{job.objective}' has a second student, which is not divided among "
            "processes; set sharded = false"
        )
    if job.method == "full" and objective.peer in ("", job.student):
        raise ProfileError(
            f"the objective '{job.objective}' trains two students, and with method = 'full' both "
            "would begin alike and stay alike: set arguments.peer to another checkpoint, or method "
            "= 'lora'"
        )
    peer = load_student(_job_of(objective, job), device)
    words, others = (one.adapter.tokenizer.get_vocab() for one in (student, peer))
    check_vocabularies(words, others, objective.peer or job.student)
    return peer.model


def finish_peer(objective: HasPeer, job: Job, weights: Mapping[str, Tensor], folder: Path) -> Path:
    """Write the finished second student; returns its folder.

    Args:
        objective: of both.
        job: of the first one.
        weights: of the layers beside the first one.
        folder: of the second one.
    """
    own = {name.removeprefix(f"{PEER}."): weight for name, weight in weights.items()}
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was cut off here
    return finish(_job_of(objective, job), own, folder)


def _job_of(objective: HasPeer, job: Job) -> Job:
    """The job as the second student's own: other adapters, since their seed is another."""
    return replace(job, student=objective.peer or job.student, seed=job.seed + 1)


def compare_peers(outputs: Mapping[str, Iterable[tuple[Outputs, Targets]]], file: Path) -> None:
    """Write how likely each of both finds the held-out answers, in nats per token.

    Args:
        outputs: of each finished student by its name, for the held-out labels.
        file: is written.
    """
    nats = {name: _nats(batches) for name, batches in outputs.items()}
    figures: dict[str, Any] = {"of": min(len(one) for one in nats.values())}
    if figures["of"]:
        figures["nats"] = {name: round(float(one.double().mean()), 6) for name, one in nats.items()}
        figures["better"] = min(figures["nats"], key=figures["nats"].__getitem__)
    file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _nats(batches: Iterable[tuple[Outputs, Targets]]) -> Tensor:
    each = [language(own, targets).cpu() for own, targets in batches]
    return torch.cat(each) if each else torch.zeros(0)
