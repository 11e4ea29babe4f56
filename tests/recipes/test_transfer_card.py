"""Stored evaluations side by side: figures by hand, and a project that has none."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from model_rows import evaluation
from store_rows import profile_file

from workbench.cli import probe as command
from workbench.errors import InputError, ProfileError
from workbench.recipes.ports import AnswerProbe, SystemAnswers
from workbench.recipes.probe.transfer_card import TransferCard
from workbench.shares import wilson
from workbench.store import Project
from workbench.store.reading import evaluations
from workbench.study.transfer import compare_systems

BASE = SystemAnswers("base", "zero-shot", {"a": 0.0, "b": 1.0, "c": 0.0, "d": 1.0, "x": 1.0})
JOB = SystemAnswers("job", "distilled", {"a": 1.0, "b": 1.0, "c": 1.0, "d": 0.0, "y": 1.0})
ALL = SystemAnswers("programs", "programs", {"a": 1.0, "b": 1.0, "c": 0.0, "d": 1.0})


def test_only_common_questions_count_and_differences_are_paired() -> None:
    report = TransferCard().compare([JOB, ALL, BASE])
    assert [row.name for row in report.rows] == ["base", "job", "programs"]
    assert [(row.share.hits, row.share.of) for row in report.rows] == [(2, 4), (3, 4), (3, 4)]
    assert (report.base, report.left_out) == ("base", 2)
    assert [row.difference for row in report.rows] == [None, 0.25, 0.25]
    assert report.rows[0].share.interval == wilson(2, 4)
    # programs are better on a alone: a mean of four draws of (1, 0, 0, 0)
    dice = np.random.default_rng(0)
    means = [np.array([1.0, 0, 0, 0])[dice.integers(4, size=4)].mean() for _ in range(2000)]
    assert (report.rows[2].low, report.rows[2].high) == tuple(np.percentile(means, [2.5, 97.5]))
    assert isinstance(TransferCard(), AnswerProbe)


def test_the_same_scores_in_any_order_give_the_same_figures() -> None:
    assert TransferCard().compare([JOB, ALL, BASE]) == TransferCard().compare([BASE, ALL, JOB])
    assert TransferCard(seed=3).compare([BASE, JOB]) == TransferCard(seed=3).compare([JOB, BASE])


def test_without_a_base_or_a_common_question_there_is_no_difference() -> None:
    report = TransferCard().compare([JOB, ALL])
    assert (report.base, [row.difference for row in report.rows]) == ("", [None, None])
    apart = SystemAnswers("other", "distilled", {"z": 1.0})
    report = TransferCard().compare([BASE, apart])
    assert [(row.share.of, row.difference) for row in report.rows] == [(0, None), (0, None)]
    assert report.left_out == 6
    with pytest.raises(ProfileError, match="draws as a whole number from 100 on"):
        TransferCard(draws=5)


def test_a_project_is_told_what_training_has_bought(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Project.create(tmp_path / "p", str(profile_file(tmp_path))) as project:
        with pytest.raises(InputError, match="no two systems were evaluated"):
            compare_systems(project, TransferCard())
        tasks = [f"q{at}" for at in range(10)]
        for system, share, more in (
            ("bundled", 0.4, {}),
            ("taught", 0.7, {"job": "j"}),
            ("distilled", 0.6, {}),
            ("programs", 0.9, {"kind": "pipeline", "mode": "vote"}),
            ("programs", 1.0, {"kind": "pipeline", "mode": "any", "job": "label"}),
        ):
            row = evaluation(system, tasks, share, datetime(2026, 1, 1), **more)
            scores = {task: ("x", float(at < share * 10)) for at, task in enumerate(tasks)}
            evaluations.put(project.database, [row], {row.id: scores})
        ((place, report),) = compare_systems(project, TransferCard()).items()
        assert place == ("collages", "train")
        assert [(row.kind, row.share.hits) for row in report.rows] == [
            ("zero-shot", 4),
            ("distilled", 6),
            ("distilled", 7),
            ("programs", 9),
        ]
    command.ratings(tmp_path / "p", "transfer_card", False)
    text = capsys.readouterr().out
    assert "+30.0 points" in text
    assert "the base is bundled, direct; 0 questions" in text
