"""Kernel of MACIL-SD: a teacher whose weights follow the student's, slowly, and then not at all.

The paper feeds a model of sound and picture from its branch that sees alone.  What carries over:
the student is the branch, and teaches by its past.  After every step those of the teacher's weights
that have the name and the shape of one of the student's move a little towards it; all others stay.

    m = 1 - (1 - momentum) (1 + cos(pi step / steps)) / 2, from momentum to 1
    theta_t <- m theta_t + (1 - m) theta_s

With momentum = 1 the teacher stays as it is.  The teacher of the best checkpoint is left as a
checkpoint of its own, `fused` in the job's folder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from workbench.errors import InputError, ProfileError
from workbench.recipes.arguments import numbers_from
from workbench.recipes.card import Card
from workbench.recipes.mixtures import members
from workbench.recipes.teaching import Classroom, HasWeights, Need, Outputs, Targets
from workbench.records import PartRef

CARD = Card(
    name="ema_branch",
    port="teacher",
    paper="Kernel of MACIL-SD: weights of a single branch flow into a fused model",
    year=2022,
    grade="C",
    level="V2",
    needs=("objective",),
    provenance="C",
    link="https://github.com/JustinYuu/MACIL_SD",
    idea="A teacher takes up the student's weights wherever it has one of the same name, less and "
    "less of them as the training goes on, and teaches the student with what it has become.",
    formula="theta_t <- m theta_t + (1 - m) theta_s by name, m = 1 - (1 - momentum)(1 + cos(pi "
    "step / steps)) / 2",
    command="vpd train --student bundled --objective anchor_kl --teacher ema_branch --set "
    "teacher.path=bundled",
    expect="The objective's own curves, and the teacher at the end, in the job's folder as fused; "
    "accuracy was not measured yet.",
    defaults={"path": "bundled", "momentum": 0.91, "only": ""},
    sources={
        "path": "ours: to be set to the fused model",
        "momentum": "the released code: 0.91, rising to 1 as a cosine",
        "only": "ours: every weight that fits",
    },
    traps=(
        "A name that fits with a shape that does not is passed over: models of two families share "
        "nothing, and the run ends in words.",
        "A teacher in half precision would not move: 1 - m is below what it can add.",
    ),
    not_reproduced=(
        "Sound, and the contrast between snippets: the objective beside it is the user's choice.",
        "The paper's fused model is trained itself; here it is moved by the student alone.",
    ),
)
FILE = "teacher.safetensors"


class EmaBranch:
    """A checkpoint that follows the student.

    Args:
        path: checkpoint of the fused model.
        momentum: m at the first step, 0 to 1.
        only: beginning of the names of the weights that follow; empty for all that fit.
    """

    gives: frozenset[Need] = frozenset({"logits", "hidden", "image"})

    def __init__(self, path: str = "bundled", momentum: float = 0.91, only: str = "") -> None:
        numbers_from("ema_branch", 0, momentum=momentum)
        if momentum > 1:
            raise ProfileError(f"ema_branch takes momentum from 0 to 1, found {momentum!r}")
        if not isinstance(only, str):
            raise ProfileError(f"ema_branch takes only as text, found {only!r:.40}")
        self._path, self._momentum, self._only = path, momentum, only
        arguments = {"path": path, "momentum": momentum, "only": only}
        self.ref = PartRef("teacher", "ema_branch", arguments=arguments)

    def enter(self, room: Classroom) -> None:
        """Load the fused model.

        Raises:
            InputError: it cannot teach this student.
        """
        (self.member,) = members("ema_branch", room, [self._path])
        if not isinstance(self.member, HasWeights):
            raise ProfileError("ema_branch changes weights, and this loop lends none to change")
        # whole precision: what is added in a step is below that of half a number
        self.whole = {
            name: weight.detach().clone().float()
            for name, weight in self.member.weights().items()
            if name.startswith(self._only)
        }

    def follow(self, weights: Mapping[str, Tensor], step: int, total: int) -> None:
        """Move towards the student's weights.

        Args:
            weights: of the student by name.
            step: the one that has ended, counted from 0.
            total: number of steps.

        Raises:
            InputError: none of them fits.
        """
        assert isinstance(self.member, HasWeights), "`enter` has seen to it"
        fits = [
            name
            for name, own in self.whole.items()
            if name in weights and weights[name].shape == own.shape
        ]
        if not fits:
            raise InputError(
                f"no weight of the student has the name and the shape of one of '{self._path}'"
                + (f" that begins with {self._only!r}" if self._only else "")
                + ": nothing of the teacher can follow; take a teacher of the student's family"
            )
        keep = momentum_at(self._momentum, step, total)
        theirs = self.member.weights()
        with torch.no_grad():
            for name in fits:
                own = self.whole[name]
                own.mul_(keep).add_(weights[name].detach().to(own), alpha=1 - keep)
                theirs[name].copy_(own)

    def keep(self, folder: Path) -> None:
        """Write the weights beside a checkpoint."""
        tensors = {name: own.cpu().contiguous() for name, own in self.whole.items()}
        save_file(tensors, folder / FILE)

    def recall(self, folder: Path) -> None:
        """Be what it was at a checkpoint.

        Raises:
            InputError: its weights are not there, or are damaged.
        """
        assert isinstance(self.member, HasWeights), "`enter` has seen to it"
        try:
            tensors = load_file(folder / FILE)
        except (OSError, SafetensorError) as error:
            raise InputError(
                f"the teacher's weights {folder / FILE} cannot be read ({error}); delete "
                f"{folder.name} to go on without it"
            ) from error
        theirs = self.member.weights()
        with torch.no_grad():
            for name, own in self.whole.items():
                own.copy_(tensors[name])
                theirs[name].copy_(own)

    def leave(self, folder: Path) -> None:
        """Write the fused model as a checkpoint."""
        assert isinstance(self.member, HasWeights), "`enter` has seen to it"
        self.member.write(folder)

    def __call__(self, targets: Targets, needs: frozenset[Need], layers: Sequence[int]) -> Outputs:
        """What the fused model says.

        Args:
            targets: lessons, and their tokens in the order of the lessons.
            needs: what is read.
            layers: whose hidden states are read.
        """
        return self.member(targets, needs, layers)


def momentum_at(momentum: float, step: int, total: int) -> float:
    """m of a step: it rises from `momentum` to 1, slowly at both ends.

    Args:
        momentum: at the first step.
        step: counted from 0.
        total: number of steps.
    """
    return 1 - (1 - momentum) * (1 + math.cos(math.pi * step / max(total, 1))) / 2
