"""Settings of a study's arms, chosen on validation questions before any test question is asked.

Each arm tries the same list, and its own beside it, with as many seeds as the plan says.  The
highest accuracy of its direct answers wins, the mean over the seeds, and of equal ones the first.
What was tried stays in the file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from workbench.errors import InputError
from workbench.evaluate.statistics.over_seeds import mean
from workbench.pipeline.progress import Watch
from workbench.schema import read_toml
from workbench.store import Project, Selection
from workbench.store.reading import evaluations
from workbench.store.reading.evaluations import Evaluation
from workbench.study.distillation import jobs_of, train_jobs
from workbench.study.evaluate import evaluate, questions
from workbench.study.plan import Arm, StudyPlan, combinations, merged


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting that was tried."""

    arm: str
    settings: dict[str, Any]
    accuracy: float
    """Of direct answers to the validation questions, the mean over seeds."""
    low: float
    """Lower end of the 95 % interval."""
    high: float
    """Upper end of the 95 % interval."""
    questions: int
    steps: int
    seconds: float
    """What training took, of the processors (on a GPU, on the clock), the mean over seeds."""
    jobs: tuple[str, ...]
    each: tuple[float, ...]
    """Accuracy of each seed."""


@dataclass(frozen=True, slots=True)
class ChosenSettings:
    """What was tried for the arms of a plan, and what was chosen."""

    split: str
    trials: tuple[Trial, ...]

    @property
    def chosen(self) -> dict[str, dict[str, Any]]:
        """By arm, the settings with the highest accuracy; the first of equal ones."""
        best: dict[str, Trial] = {}
        for trial in self.trials:
            if trial.arm not in best or trial.accuracy > best[trial.arm].accuracy:
                best[trial.arm] = trial
        return {name: trial.settings for name, trial in best.items()}

    def save(self, path: Path) -> None:
        """Write the file that `read_choice` reads."""
        rows = [
            {name: getattr(trial, name) for name in Trial.__dataclass_fields__}
            for trial in self.trials
        ]
        text = tomli_w.dumps(
            {
                "rule": f"highest accuracy of direct answers on the split {self.split}, "
                "the mean over seeds, the first of equal ones",
                "chosen": self.chosen,
                "tried": rows,
            }
        )
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.write_text(text, encoding="utf-8")
        part.replace(path)


def read_choice(path: Path, plan: StudyPlan) -> dict[str, dict[str, Any]]:
    """The chosen settings of a file, by arm.

    Args:
        path: as `ChosenSettings.save` wrote it.
        plan: whose arms they are for.

    Raises:
        ProfileError: the file is absent or not TOML.
        InputError: it has no choice for an arm of the plan, or one for an arm that is not there.
    """
    raw = read_toml(path, "file of chosen settings", "vpd study --choose FILE writes one")
    chosen = raw.get("chosen")
    if not isinstance(chosen, dict) or not all(isinstance(one, dict) for one in chosen.values()):
        raise InputError(f"{path} has no table [chosen]; vpd study --choose {path} writes it")
    tried = {arm.name for arm in arms_that_try(plan)}
    if lacking := sorted(tried - set(chosen)):
        raise InputError(
            f"{path} has no settings for the arm '{lacking[0]}'; it has: "
            f"{', '.join(chosen) or 'none'}; choose again: vpd study --choose {path}"
        )
    if strange := sorted(set(chosen) - {arm.name for arm in plan.arm}):
        raise InputError(
            f"{path} has settings for the arm '{strange[0]}', which the plan has not; there are: "
            f"{', '.join(arm.name for arm in plan.arm)}"
        )
    return chosen


def arms_that_try(plan: StudyPlan) -> list[Arm]:
    """The arms with settings of their own; one that is like another takes what that one chose."""
    return [arm for arm in plan.arm if not arm.like]


def choose(
    project: Project,
    plan: StudyPlan,
    val: Project | None = None,
    watch: Watch | None = None,
) -> ChosenSettings:
    """Try the settings of a plan's grid for each of its arms.

    Jobs and answers are found again, so that a choice that was stopped goes on.

    Args:
        project: has the snapshots and the jobs.
        plan: says what is tried, on which split.
        val: has the validation questions; the same project when None.
        watch: called as the work goes on.

    Raises:
        InputError: the plan has nothing to try, or there are no validation questions.
        ProfileError: a setting is wrong.
        EngineError: a job failed.
    """
    wish = plan.choose
    tries = {
        f"{arm.name} {at}": (arm, settings)
        for arm in arms_that_try(plan)
        for at, settings in enumerate(combinations(wish.grid, arm.grid))
    }
    if len(tries) == len(arms_that_try(plan)):
        raise InputError(
            "the plan has one setting to try for each arm, so there is nothing to choose; write "
            "[choose.grid] with lists of values, for example lr = [3e-4, 1e-3]"
        )
    selection = Selection(split=wish.split, limit=wish.limit or None)
    questions(val or project, selection)  # before hours are spent
    jobs = {
        name: jobs_of(project, plan, arm, merged(wish.settings, settings), wish.seeds, chosen=False)
        for name, (arm, settings) in tries.items()
    }
    trained = train_jobs(project, jobs, watch, at_once=plan.at_once)
    trials = []
    for name, (arm, settings) in tries.items():
        one = trained[name]
        rows = [
            evaluate(val or project, str(folder), selection, False, 0, watch)
            for folder in one.folders
        ]
        value, low, high = mean_over_seeds(val or project, rows, wish.split)
        trials.append(
            Trial(
                arm.name,
                settings,
                value,
                low,
                high,
                rows[0].questions,
                one.steps,
                sum(one.seconds) / len(one.seconds),
                tuple(folder.name for folder in one.folders),
                tuple(row.value or 0.0 for row in rows),
            )
        )
    return ChosenSettings(wish.split, tuple(trials))


def mean_over_seeds(
    val: Project, rows: Sequence[Evaluation], split: str
) -> tuple[float, float, float]:
    """The mean accuracy with the ends of its interval.

    Args:
        val: has the questions and the evaluations.
        rows: one evaluation for each seed.
        split: of the questions.

    Raises:
        InputError: no question has a label.
    """
    row = rows[0]
    if row.value is None or row.low is None or row.high is None:
        raise InputError(
            f"no question of the split {split} has a label, so nothing can be chosen by them; name "
            "another split in [choose]"
        )
    if len(rows) == 1:
        return row.value, row.low, row.high
    scores = [val.evaluation_scores(one.id) for one in rows]
    about = evaluations.about(val.database, sorted(scores[0]))
    interval = mean(scores, {task: picture for task, (picture, _) in about.items()})
    return interval.value, interval.low, interval.high
