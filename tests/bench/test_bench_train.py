"""Trainers side by side: the same lessons, and figures that say whether they learnt alike."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from workbench.bench import train
from workbench.bench.train import STUDENTS, bench_train


def test_ours_and_transformers_learn_the_same_and_trl_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "PICTURES", 4)
    monkeypatch.setattr(train, "BATCH", 2)
    monkeypatch.setattr(train.importlib.util, "find_spec", lambda name: None)
    ours, theirs, trl = bench_train(1, tmp_path, STUDENTS[1:])
    losses = [re.search(r"loss (\S+) to (\S+)", one.note) for one in (ours, theirs)]
    assert losses[0]
    assert losses[1]
    assert losses[0].groups() == losses[1].groups()
    assert f"ours is {ours.value / theirs.value:.2f} times as quick" in theirs.note
    assert math.isnan(trl.value)
    assert "pip install 'trl>=1.16'" in trl.note


def test_no_steps_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train.main(["--steps", "0"])
    assert "must be at least 1" in capsys.readouterr().err
