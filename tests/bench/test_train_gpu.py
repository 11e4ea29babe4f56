"""The script for a GPU, with tiny models on a processor."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from workbench.bench.train_gpu import BLOCKS, ResultLines, measure, summary

TRAINERS = ("build qwen3_vl", "qwen3_vl: ours as it is", "qwen3_vl: transformers")


def run(
    folder: Path, *wanted: str, budget: float = 480.0
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """The lines of a run with tiny models, and those by block."""
    results = ResultLines(folder / "results.jsonl", io.StringIO())
    measure(results, True, budget, wanted)
    lines = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    assert lines == results.lines
    return lines, {str(line["block"]): line for line in lines}


def test_trainers_begin_alike_and_learn_the_same(tmp_path: Path) -> None:
    lines, blocks = run(tmp_path, *TRAINERS)
    ours, theirs = blocks[TRAINERS[1]], blocks[TRAINERS[2]]
    assert [line["block"] for line in lines[:2]] == ["begin", "card"]
    assert ours["loss_before"] == pytest.approx(theirs["loss_before"], rel=1e-6)
    assert ours["loss_after"] == pytest.approx(theirs["loss_after"], rel=1e-6)
    assert ours["loss_after"] < ours["loss_before"]
    for block in (ours, theirs):
        assert block["state"] == "done"
        assert block["mfu"] * blocks["card"]["operations_per_s"] == pytest.approx(
            block["operations_of_a_step"] / block["step_s"]
        )
    ratio = blocks["summary"]["qwen3_vl_times_transformers"]
    assert ratio == pytest.approx(ours["lessons_per_s"] / theirs["lessons_per_s"])


def test_programs_and_boxes_are_counted(tmp_path: Path) -> None:
    _, blocks = run(tmp_path, "sampling", "detector")
    sampling, detector = blocks["sampling"], blocks["detector"]
    assert (sampling["state"], sampling["programs"]) == ("done", 2)
    assert (detector["state"], detector["crops"]) == ("done", 2)
    assert sampling["times_naive"] == blocks["summary"]["sampling_times_naive"]


def test_a_block_that_fails_is_a_line_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    wanted = ("qwen3_vl: ours as it is", "build smolvlm2", "smolvlm2: trl")
    _, blocks = run(tmp_path, *wanted)
    assert [blocks[name]["state"] for name in wanted] == ["failed", "done", "left out"]
    assert "the block 'build qwen3_vl' did not end well" in blocks[wanted[0]]["reason"]
    assert "datasets is not installed" in blocks[wanted[2]]["reason"]
    goals = blocks["summary"]["goals"]
    assert {name: goal["met"] for name, goal in goals.items()} == dict.fromkeys(goals)


def test_without_time_a_block_is_not_begun(tmp_path: Path) -> None:
    lines, _ = run(tmp_path, budget=0.0)
    skipped = [line for line in lines if line.get("state") == "skipped"]
    assert len(skipped) == len(BLOCKS)
    assert "0 s are left" in skipped[0]["reason"]


def test_goals_are_held_to_the_worst_family(tmp_path: Path) -> None:
    results = ResultLines(tmp_path / "results.jsonl", io.StringIO())
    for family, ours in (("qwen3_vl", 120.0), ("smolvlm2", 105.0)):
        results.add({"block": f"{family}: ours with workers", "lessons_per_s": ours, "mfu": 0.5})
        results.add({"block": f"{family}: trl", "lessons_per_s": 100.0})
    figures = summary(results)
    assert (figures["qwen3_vl_times_trl"], figures["smolvlm2_times_trl"]) == (1.2, 1.05)
    goals: Any = figures["goals"]
    assert [goals[name]["met"] for name in ("times_trl", "mfu")] == [False, True]
