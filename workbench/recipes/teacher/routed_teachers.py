"""MST-Distill's routing: several teachers, and for each lesson those that know its answer.

Teachers of different strengths are asked together, and a lesson goes to the `top` of them that
find its target most likely.  How often each one taught which kind of lesson stands in `routes.json`
of the job.

    g = softmax_e(-CE_e / heat), CE_e: teacher e's mean cross-entropy of the target
    what it says = log of the plain mean of the `top` teachers of highest g
    balance = (1 / E) sum_e u (log u - log mean over lessons of g_e), u = 1 / E
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor

from workbench.errors import ProfileError
from workbench.recipes.arguments import numbers_above, whole_numbers
from workbench.recipes.card import Card
from workbench.recipes.mixtures import ask, log_mixture, members, nats_of
from workbench.recipes.teaching import Classroom, Need, Outputs, Targets, Teacher
from workbench.records import PartRef

CARD = Card(
    name="routed_teachers",
    port="teacher",
    paper="MST-Distill: mixture of specialized teachers for cross-modal knowledge distillation",
    year=2025,
    grade="B",
    level="V2",
    needs=("objective",),
    provenance="X+",
    link="https://github.com/Gray-OREO/MST-Distill",
    idea="Several teachers, none of which knows everything: each lesson is taught by the ones that "
    "find its answer most likely.",
    formula="g = softmax_e(-CE_e / heat); t = log mean of the top teachers by g",
    command="vpd train --student bundled --objective anchor_kl --teacher routed_teachers "
    "--set 'teacher.paths=[\"bundled\"]'",
    expect="routes.json in the job: for each teacher how many lessons of each kind went to it, "
    "those "
    "of evaluations as well, and how evenly.  Accuracy was not measured yet.",
    defaults={"paths": ("bundled",), "top": 1, "heat": 1.0},
    sources={
        "paths": "ours: to be set to two checkpoints or more",
        "top": "the released code: 1",
        "heat": "ours",
    },
    traps=(
        "In the release the choice of the highest gives the gate no gradient from the teachers' "
        "term: the gate learns to be even and nothing else.",
    ),
    not_reproduced=(
        "The learnt gate over the student's logits: here the target itself routes, which exists "
        "in training alone, and only there is a teacher asked.",
        "The masks that adapt each teacher to the student, and the three stages.",
    ),
)
FILE = "routes.json"


class RoutedTeachers:
    """For each lesson the teachers that find its target most likely.

    Args:
        paths: checkpoints, one or more; with one, it is that teacher.
        top: how many of them teach a lesson.
        heat: divides the cross-entropies in the gate.
    """

    gives: frozenset[Need] = frozenset({"logits"})

    def __init__(
        self, paths: Sequence[str] = ("bundled",), top: int = 1, heat: float = 1.0
    ) -> None:
        if isinstance(paths, str) or not paths:
            raise ProfileError(
                f"routed_teachers takes paths as a list of one checkpoint or more, found {paths!r}"
            )
        numbers_above("routed_teachers", 0, heat=heat)
        whole_numbers("routed_teachers", 1, top=top)
        self._paths, self._top, self._heat = list(paths), min(top, len(paths)), heat
        arguments = {"paths": self._paths, "top": top, "heat": heat}
        self.ref = PartRef("teacher", "routed_teachers", arguments=arguments)
        self._routes: Counter[tuple[int, str]] = Counter()
        self._gates: Tensor | None = None

    def enter(self, room: Classroom) -> None:
        """Load every model.

        Raises:
            InputError: one of them cannot teach this student.
        """
        self.teachers: list[Teacher] = members("routed_teachers", room, self._paths)
        self._file = room.folder / FILE

    def __call__(self, targets: Targets, needs: frozenset[Need], layers: Sequence[int]) -> Outputs:
        """The mean of the teachers that each lesson goes to.

        Args:
            targets: lessons, and their tokens in the order of the lessons.
            needs: what is read: logits.
            layers: unused.
        """
        every = ask(self.teachers, targets)
        gate = (torch.stack([-nats_of(one, targets) for one in every]) / self._heat).softmax(0)
        best = gate.topk(self._top, dim=0).indices
        weights = torch.zeros_like(gate).scatter(0, best, 1 / self._top)
        self._note(targets, best, gate)
        return Outputs(
            logits=log_mixture([one.logits for one in every], weights[:, targets.owners]),
            places=every[0].places,
            mask=every[0].mask,
            image=every[0].image,
        )

    def _note(self, targets: Targets, best: Tensor, gate: Tensor) -> None:
        """Keep who taught what, for people."""
        for number, lesson in enumerate(targets.lessons):
            self._routes.update((teacher, lesson.name) for teacher in best[:, number].tolist())
        total = gate.double().sum(1).cpu()
        self._gates = total if self._gates is None else self._gates + total
        rows = [
            {
                "teacher": path,
                "lessons": {
                    name: count for (at, name), count in sorted(self._routes.items()) if at == own
                },
            }
            for own, path in enumerate(self._paths)
        ]
        figures = {"teachers": rows, "balance": float(balance(self._gates / self._gates.sum()))}
        self._file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def balance(gates: Tensor) -> Tensor:
    """How far mean gates, `(E,)`, are from even, as the paper's loss of that name; 0 is even."""
    even = 1 / len(gates)
    return (even * (torch.full_like(gates, even).log() - gates.log())).mean()
