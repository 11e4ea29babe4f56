"""`vpd study`: trains students with and without rationales over seeds, and compares all systems."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.cli.bars import Bars
from workbench.cli.results import Cells, show, show_cells, with_range
from workbench.cli.text import console, open_project, safe
from workbench.cli.train import put, teacher_of
from workbench.errors import InputError
from workbench.store import Project, Selection
from workbench.study.by_recipe import with_recipes
from workbench.study.choosing import ChosenSettings, choose, read_choice
from workbench.study.differences import ArmDifference
from workbench.study.distillation import StudyReport, TrainedArm
from workbench.study.distillation import study as run_study
from workbench.study.plan import StudyPlan, merged, read_plan
from workbench.study.variants import with_labels, with_noise


def main(
    project: Path | None,
    test: Path | None,
    plan_file: Path | None,
    snapshot: str,
    seeds: int | None,
    at_once: int | None,
    student: str | None,
    settings: Sequence[str],
    steps: int | None,
    equal_compute: bool,
    choose_to: Path | None,
    val: Path | None,
    chosen: Path | None,
    labels: str,
    noise: str,
    recipes: str,
    teacher: str,
    k: int,
    benchmark: str | None,
    split: str | None,
    limit: int | None,
    timed: int,
    markdown: bool,
    as_json: bool,
) -> None:
    """Run the study and print its tables, or choose settings for it.

    Args:
        project: folder of the project; None takes the one around the current folder.
        test: project with the test questions.
        plan_file: plan in TOML.
        snapshot: name or hash of a snapshot; empty takes the plan's, or the newest.
        seeds: number of jobs for each arm; None takes the plan's.
        at_once: number of jobs side by side; None takes the plan's.
        student: the model to train.
        settings: settings of the jobs, each as KEY=VALUE.
        steps: training steps of each job, instead of epochs.
        equal_compute: add the arm that has as much processor time as the rationales take.
        choose_to: file for the choice of settings; then nothing is tested.
        val: project with the validation questions.
        chosen: file of chosen settings.
        labels: numbers of labels, with commas between them; then arms learn from so few.
        noise: percents of wrong rationales, with commas between them; then arms learn from those.
        recipes: names of methods or grades, with commas between them; then each is an arm.
        teacher: who teaches where a method needs it; empty is nobody.
        k: number of programs per question.
        benchmark: take only the questions of this source.
        split: take only the questions of this split.
        limit: take only this many questions.
        timed: number of questions to time one at a time.
        markdown: print Markdown instead of tables for a terminal.
        as_json: print JSON instead of tables.
    """
    _check(test, choose_to, chosen, {"--labels": labels, "--noise": noise, "--recipes": recipes})
    if teacher and not recipes:
        raise InputError("--teacher is for the methods of --recipes; name them, or leave it out")
    changes: dict[str, Any] = {"student": student} if student else {}
    if steps is not None:
        changes["steps"] = steps
    for change in settings:
        put(changes, change)
    # with recipes, each method has a control of its own that takes as long
    plan = _plan(plan_file, snapshot, seeds, changes, equal_compute and not recipes)
    if at_once is not None:
        plan = replace(plan, at_once=at_once)
    if choose_to is not None:
        return _choose(project, val, plan, choose_to, markdown)
    if chosen is not None:
        plan = replace(plan, chosen=read_choice(chosen, plan))
    assert test is not None, "`_check` asks for it"
    with (
        open_project(project, read_only=False) as opened,
        open_project(test, read_only=False) as test_project,
        Bars() as bars,
    ):
        plan = _varied(opened, plan, labels, noise, recipes, teacher, equal_compute)
        selection = Selection(split, limit, benchmark)
        report = run_study(opened, test_project, plan, k, selection, timed, bars)
    if as_json:
        print(json.dumps(report.to_json(), indent=1))
    else:
        _show(report, markdown)


def _varied(
    project: Project,
    plan: StudyPlan,
    labels: str,
    noise: str,
    recipes: str,
    teacher: str,
    equal_compute: bool,
) -> StudyPlan:
    """The plan of a study of few labels, of noise or of recipes; else the plan itself.

    Args:
        project: has the snapshots.
        plan: says what is taught otherwise.
        labels: as `main` takes it.
        noise: as `main` takes it.
        recipes: as `main` takes it.
        teacher: as `main` takes it.
        equal_compute: as `main` takes it.
    """
    if labels:
        return with_labels(project, plan, [int(n) for n in _numbers("--labels", labels)])
    if noise:
        return with_noise(project, plan, [n / 100 for n in _numbers("--noise", noise)])
    if recipes:
        names = [name.strip() for name in recipes.split(",") if name.strip()]
        who = teacher_of(project.path, teacher) if teacher else None
        return with_recipes(project, plan, names, who, equal_compute)
    return plan


def _check(
    test: Path | None, choose_to: Path | None, chosen: Path | None, studies: dict[str, str]
) -> None:
    """Refuse options that do not go together.

    Args:
        test: as `main` takes it.
        choose_to: as `main` takes it.
        chosen: as `main` takes it.
        studies: what the options say of which each makes a study of its own.
    """
    named = [option for option, value in studies.items() if value]
    if choose_to is None and test is None:
        raise InputError(
            "a study needs --test DIR, the project with the test questions; or --choose FILE, "
            "which asks none of them"
        )
    if choose_to is not None and (chosen is not None or named):
        raise InputError(
            f"--choose tries settings and ends; --chosen, {', '.join(studies)} do not go with it; "
            "choose first, then test"
        )
    if len(named) > 1:
        raise InputError(f"{' and '.join(named)} are studies of their own; take one of them")


def _choose(
    project: Path | None, val: Path | None, plan: StudyPlan, file: Path, markdown: bool
) -> None:
    """Choose settings and write them.

    Args:
        project: folder of the project.
        val: project with the validation questions; the same one when None.
        plan: says what is tried.
        file: where the choice is written.
        markdown: print Markdown.
    """
    with ExitStack() as stack:
        opened = stack.enter_context(open_project(project, read_only=False))
        other = stack.enter_context(open_project(val, read_only=False)) if val else None
        bars = stack.enter_context(Bars())
        choice = choose(opened, plan, other, bars)
    choice.save(file)
    _show_choice(choice, file, markdown)


def _numbers(option: str, text: str) -> list[float]:
    """The numbers of an option, for example `30,100,300`.

    Raises:
        InputError: a part of the text is no whole number.
    """
    parts = [part.strip() for part in text.split(",")]
    if wrong := [part for part in parts if not (part.isascii() and part.isdigit())]:
        raise InputError(
            f"{option} takes whole numbers with commas between them, found {wrong[0]!r:.40}"
        )
    return [float(part) for part in dict.fromkeys(parts)]


def _plan(
    file: Path | None,
    snapshot: str,
    seeds: int | None,
    changes: dict[str, Any],
    equal_compute: bool,
) -> StudyPlan:
    """The plan of a file, with what the options change.

    Args:
        file: the plan; the standard one when None.
        snapshot: in place of the plan's, unless empty.
        seeds: in place of the plan's, unless None.
        changes: settings of the jobs.
        equal_compute: whether to add the arm of equal compute.
    """
    plan = read_plan(file) if file is not None else StudyPlan()
    plan = replace(
        plan,
        snapshot=snapshot or plan.snapshot,
        seeds=plan.seeds if seeds is None else seeds,
        settings=merged(plan.settings or {}, changes),
    )
    return plan.with_equal_compute() if equal_compute else plan


def _show_choice(choice: ChosenSettings, path: Path, markdown: bool) -> None:
    chosen = choice.chosen
    cells: list[Cells] = [["arm", "settings", "accuracy, %", "n", "steps", "seconds", ""]]
    for trial in choice.trials:
        cells.append(
            [
                trial.arm,
                ", ".join(f"{key} {value}" for key, value in trial.settings.items()),
                with_range(trial.accuracy, trial.low, trial.high),
                str(trial.questions),
                str(trial.steps),
                f"{trial.seconds:.1f}",
                "chosen" if chosen[trial.arm] is trial.settings else "",
            ]
        )
    show_cells(cells, markdown)
    console().print(
        f"Chosen on the split {safe(choice.split)} by the accuracy of direct answers, and written "
        f"to {safe(path)}; no test question was asked. Use it with: vpd study --chosen "
        f"{safe(path)} --test DIR"
    )


def _show(report: StudyReport, markdown: bool) -> None:
    """Print the table of systems, then differences, learning curves and what training took."""
    show(report.results, markdown)
    for cells in (
        _differences(report.differences),
        _by_family(report.differences),
        _curves(report.arms),
        _costs(report.arms),
    ):
        if len(cells) > 1:
            show_cells(cells, markdown)
    console().print(
        "Differences: paired, in points, with 95 % intervals that keep a picture's questions "
        "together and draw seeds again; p is of each alone. Learning curves: accuracy on the "
        "snapshot's held-out side, %, the mean over seeds." + "\n" * markdown
    )
    for arm in report.arms:
        if arm.note:
            console().print(f"{safe(arm.name)}: {safe(arm.note)}." + "\n" * markdown)


def _differences(rows: Sequence[ArmDifference]) -> list[Cells]:
    cells: list[Cells] = [["system", "less", "points", "p", "n", "seconds", "less's"]]
    for row in rows:
        if not row.family:
            p = "< 0.001" if row.p < 0.001 else f"{row.p:.3f}"
            points = with_range(row.difference, row.low, row.high, "+")
            times = [_seconds(row.seconds), _seconds(row.other_seconds)]
            cells.append([row.system, row.other, points, p, str(row.of), *times])
    return cells


def _by_family(rows: Sequence[ArmDifference]) -> list[Cells]:
    cells: list[Cells] = [["system", "less", "family", "points", "n"]]
    for row in rows:
        if row.family:
            points = with_range(row.difference, row.low, row.high, "+")
            cells.append([row.system, row.other, row.family, points, str(row.of)])
    return cells


def _curves(arms: Sequence[TrainedArm]) -> list[Cells]:
    """Accuracy by step: one row for a mark, one column for an arm."""
    curves = {arm.name: arm.curve() for arm in arms}
    marks = sorted({mark for curve in curves.values() for mark in curve})
    head = ["step", *curves]
    return [
        head,
        *(
            [str(mark), *(with_range(curve.get(mark), None, None) for curve in curves.values())]
            for mark in marks
        ),
    ]


def _costs(arms: Sequence[TrainedArm]) -> list[Cells]:
    head = ["arm", "objective", "snapshot", "jobs", "steps", "seconds of each job"]
    return [
        head,
        *(
            [
                arm.name,
                arm.objective,
                arm.snapshot[:12],
                str(len(arm.folders)),
                str(arm.steps),
                ", ".join(f"{one:.1f}" for one in arm.seconds),
            ]
            for arm in arms
        ),
    ]


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
