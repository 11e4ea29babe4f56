"""What the checks say against a run is told where the verifier's verdict is: after one has decided."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from finished_project import finished_project

from workbench.records import Decision, Role
from workbench.screen.review import Items
from workbench.screen.views import PictureView
from workbench.store import Project
from workbench.store.reading import checks
from workbench.store.reading.checks import CheckRow


@dataclass(frozen=True)
class Curator:
    name: str = "ann"
    role: Role = "curator"


def test_flags_come_after_the_decision_and_only_those_that_speak_against_it(tmp_path: Path) -> None:
    with Project.open(finished_project(tmp_path)) as project:
        kept = next(outcome for outcome in project.outcomes() if outcome.status == "kept")
        findings = (("idle", 1.0, "It does not depend on find()."), ("apart", 0.1, "One differs."))
        row = CheckRow("x", str(kept.chosen), kept.task_id, 0.8, ("idle",), findings)
        checks.add(project.database, [row])
        items = Items(project, lambda digest: PictureView(digest, "", 96, 96))

        def flags() -> list[list[str]]:
            return [
                list(one.flags)
                for one in items.item(Curator(), kept.task_id).candidates
                if one.flags
            ]

        assert flags() == []
        told = project.task_view(kept.task_id).rationales[0].id
        accept = Decision(
            "accept-0001",
            "accept",
            "ann",
            "curator",
            kept.task_id,
            trace_id=kept.chosen,
            rationale_id=told,
        )
        project.curation.decide([accept])
        assert flags() == [["It does not depend on find()."]]
