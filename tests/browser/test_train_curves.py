"""Curves read off a run's file: appended, thinned without losing a peak, begun anew where a run
went back.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.train_curves import MOST, CurveNews, Curves, thin


def step(number: int, **more: Any) -> dict[str, Any]:
    return {
        "step": number,
        "epoch": 0.1,
        "loss": 1.0 / number,
        "lr": 0.1,
        "examples": 4 * number,
        "seconds": 2.0,
        **more,
    }


def write(folder: Path, *rows: dict[str, Any], cut: str = "") -> None:
    with (folder / "metrics.jsonl").open("a") as out:
        out.write("".join(json.dumps(row) + "\n" for row in rows) + cut)


def test_a_later_look_brings_only_what_is_new(tmp_path: Path) -> None:
    curves = Curves()
    write(tmp_path, step(1), step(2))
    first = curves.since(tmp_path)
    assert first.anew
    assert first.series["loss"] == [(1, 4, 2.0, 1.0), (2, 8, 4.0, 0.5)]
    write(
        tmp_path,
        step(3),
        {"step": 3, "accuracy": 0.5, "right": 1, "of": 2, "eval_loss": 1.5, "eval_seconds": 3.0},
    )
    later = curves.since(tmp_path, first.cursor)
    assert not later.anew
    assert later.series["loss"] == [(3, 12, 6.0, 1 / 3)]
    assert [(row.at, row.right) for row in later.evals] == [((3, 12, 9.0), 1)]
    assert curves.since(tmp_path, later.cursor).series == {}


def test_another_server_understands_the_cursor(tmp_path: Path) -> None:
    write(tmp_path, step(1), step(2))
    cursor = Curves().since(tmp_path).cursor
    write(tmp_path, step(3))
    assert [point[0] for point in Curves().since(tmp_path, cursor).series["loss"]] == [3]


def test_a_line_that_is_cut_off_comes_when_it_is_whole(tmp_path: Path) -> None:
    curves, text = Curves(), json.dumps(step(2))
    write(tmp_path, step(1), cut=text[:20])
    first = curves.since(tmp_path)
    assert [point[0] for point in first.series["loss"]] == [1]
    write(tmp_path, cut=text[20:] + "\n")
    assert [point[0] for point in curves.since(tmp_path, first.cursor).series["loss"]] == [2]


def test_a_run_that_went_back_is_shown_anew(tmp_path: Path) -> None:
    curves = Curves()
    write(tmp_path, *map(step, range(1, 6)))
    cursor = curves.since(tmp_path).cursor
    part = tmp_path / "part"
    part.write_text("".join(json.dumps(step(number)) + "\n" for number in (1, 2)))
    part.replace(tmp_path / "metrics.jsonl")
    found = curves.since(tmp_path, cursor)
    assert found.anew
    assert [point[0] for point in found.series["loss"]] == [1, 2]


def test_broken_lines_and_numbers_that_are_none_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, step(1, norm=float("nan")), cut="nonsense\n[1]\n")
    write(tmp_path, step(2, norm=1.5))
    found = Curves().since(tmp_path).series
    assert [point[3] for point in found["norm"]] == [1.5]
    assert len(found["loss"]) == 2


def test_a_long_run_is_thinned_and_keeps_its_peaks(tmp_path: Path) -> None:
    rows = [step(number, loss=100.0 if number == 7777 else 1.0) for number in range(1, 20_001)]
    write(tmp_path, *rows)
    points = Curves().since(tmp_path).series["loss"]
    assert len(points) <= MOST
    assert max(points, key=lambda point: point[3])[:1] == (7777,)
    assert [point[0] for point in points] == sorted(point[0] for point in points)


def test_few_points_stay_as_they_are() -> None:
    points = [(at, at, 0.0, 1.0) for at in range(10)]
    assert thin(points) == points


def test_a_run_without_figures_has_no_curves(tmp_path: Path) -> None:
    assert Curves().since(tmp_path, "7.3") == CurveNews("0.0", True, {}, [])
