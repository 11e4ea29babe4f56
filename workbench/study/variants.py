"""Plans whose arms learn from snapshots made for the study: noisy rationales, a few labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from workbench.errors import InputError
from workbench.local_files import real_path
from workbench.pipeline.snapshotting import folder_of
from workbench.snapshot import Snapshot
from workbench.snapshot.manifest import NAME as MANIFEST
from workbench.store import Project
from workbench.store.reading import snapshots
from workbench.study.limited import limited
from workbench.study.noise import corrupt
from workbench.study.plan import LABELS_ALONE, Arm, StudyPlan, merged


def with_noise(project: Project, plan: StudyPlan, shares: Sequence[float]) -> StudyPlan:
    """A plan that teaches rationales of which a share is wrong, one arm for each share.

    The arms without rationales stay, since others are compared with them.

    Args:
        project: has the snapshots, and keeps the noisy ones.
        plan: says what is taught otherwise.
        shares: 0 to below 1.

    Raises:
        InputError: as `corrupt`; or the plan teaches no rationales.
    """
    model = plan.first(explains=True)
    source = Snapshot.open(snapshot_folder(project, plan, model))
    arms = [arm for arm in plan.arm if plan.objective(arm) == LABELS_ALONE and not arm.as_long_as]
    for share in shares:
        noisy = corrupt(project, source, share)
        arms.append(
            _copy(plan, model, f"{model.name}, {100 * share:g} % wrong", noisy, _wrong_words(noisy))
        )
    return replace(plan, arm=tuple(arms))


def _wrong_words(snapshot: Snapshot) -> str:
    mark = snapshot.manifest.content.filter.get("study")
    if not isinstance(mark, dict) or "corrupted" not in mark:
        return ""
    return f"{mark['corrupted']} of {mark['of_rationales']} rationales are wrong on purpose"


def with_labels(
    project: Project, plan: StudyPlan, numbers: Sequence[int], critic: str = "trained_critic"
) -> StudyPlan:
    """A plan that teaches n labels: alone, with the programs' answers, and with rationales too.

    Each arm is compared with what differs in one thing: answers that win their vote with the labels
    alone; the rationales of their runs with these answers; a stricter rule with taking them all.

    Args:
        project: has the runs and the snapshot, and keeps the new ones.
        plan: says what is taught otherwise.
        numbers: numbers of labels.
        critic: name of the critic.

    Raises:
        InputError: as `limited`; or the plan lacks an arm of either kind.
    """
    control, model = plan.first(explains=False), plan.first(explains=True)
    source = Snapshot.open(snapshot_folder(project, plan, model))
    arms = []
    for number in numbers:
        group = f"{number} labels"
        alone = f"{control.name}, {group}"
        by_vote = f"{model.name}, {group} and vote"
        for rule, one in limited(project, source, number, critic=critic).items():
            ways: list[tuple[Arm, str, tuple[str, ...]]] = []
            if rule is None:
                ways.append((control, alone, ()))
            elif rule == "vote":
                ways += [(control, f"{alone} and vote", (alone,)), (model, by_vote, ())]
            else:
                ways.append((model, f"{model.name}, {group} and {rule}", (by_vote,)))
            for base, name, beside in ways:
                arm = _copy(plan, base, name, one.snapshot, one.note)
                arms.append(replace(arm, group=group, beside=beside))
    return replace(plan, arm=tuple(arms))


def snapshot_folder(project: Project, plan: StudyPlan, arm: Arm) -> Path:
    """The folder of the snapshot that an arm learns from; the newest where nothing names one.

    Args:
        project: has the snapshots.
        plan: of the study.
        arm: one of its arms.

    Raises:
        InputError: there is none.
    """
    which = plan.snapshot_of(arm)
    if which and (Path(which) / MANIFEST).is_file():
        return real_path(Path(which))
    if not which:
        rows = snapshots.snapshot_rows(project.database)
        if not rows:
            raise InputError(
                "no snapshot was taken yet; take one with: vpd snapshot --automatic --labels"
            )
        which = rows[0].hash
    return real_path(folder_of(project, which))


def _copy(plan: StudyPlan, model: Arm, name: str, snapshot: Snapshot, note: str) -> Arm:
    """An arm like another, on a snapshot of its own.

    Args:
        plan: has what was chosen.
        model: the other arm.
        name: of the new one.
        snapshot: what it learns from.
        note: about the snapshot.
    """
    settings = merged(model.settings, plan.chosen.get(model.name, {}))
    return Arm(name, plan.objective(model), str(snapshot.path), settings, note=note)
