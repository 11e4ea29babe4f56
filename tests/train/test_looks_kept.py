"""What one job saw and read, the next one finds; what is broken is looked at again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_job import job_folder
from tiny_vlms import save

from workbench.models.checkpoint import load_processor
from workbench.models.detector import SSDLite
from workbench.models.kept_arrays import KeptArrays
from workbench.models.region_vlm import RegionView
from workbench.models.text_tower import text_tower
from workbench.train.classroom import LOOKS
from workbench.train.run import execute
from workbench.train.status_files import read_lines


def test_the_next_job_neither_detects_nor_reads_and_learns_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (
        job_folder(tmp_path, "pointer", method="full", name=name) for name in ("first", "second")
    )
    text_tower.cache_clear()  # as in a process of its own
    assert execute(first) == 0
    assert list((tmp_path / LOOKS).rglob("*.npz"))

    def work(*_: object, **__: object) -> None:
        raise AssertionError("this was seen or read before")

    text_tower.cache_clear()
    monkeypatch.setattr(SSDLite, "_run", work)
    monkeypatch.setattr(KeptArrays, "put", work)  # called for each question that is read
    assert execute(second) == 0
    curves = [
        [row["loss"] for row in read_lines(folder / "metrics.jsonl") if "loss" in row]
        for folder in (first, second)
    ]
    assert curves[0] == curves[1] != []


def test_what_cannot_be_a_look_is_looked_at_again(tmp_path: Path) -> None:
    save("pointer", tmp_path / "student", 0)
    picture = Image.new("RGB", (60, 40), "red")

    def look() -> RegionView:
        processor = load_processor(str(tmp_path / "student"))
        processor.keep_in(tmp_path / "looks")
        view: RegionView = processor.look([picture])[0]
        return view

    def same(one: RegionView, two: RegionView) -> bool:
        return np.array_equal(one.vectors, two.vectors) and (
            (one.stand_in, one.width, one.height) == (two.stand_in, two.width, two.height)
        )

    view = look()
    (file,) = (tmp_path / "looks").rglob("*.npz")
    whole = file.read_bytes()
    for broken in (whole, b"", whole[:200], b"not an archive"):
        file.write_bytes(broken)
        assert same(look(), view)
        assert file.read_bytes() == whole
    for vectors, size in ((view.vectors[1:], [1, 1]), (view.vectors, [1, 1, 1])):
        np.savez(file, vectors=vectors, stand_in=np.array("x"), size=np.array(size))
        assert same(look(), view)
