"""Geometry: what one system says, another says back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.boxes import (
    GRID,
    Box,
    clip,
    from_grid,
    from_lower_left,
    grid_text,
    intersection,
    iou,
    non_maximum_suppression,
    to_grid,
    to_lower_left,
)

pixels = st.integers(min_value=-3000, max_value=3000).map(float)


@st.composite
def boxes(draw: st.DrawFn, values: st.SearchStrategy[float] = pixels) -> Box:
    x0, x1 = sorted((draw(values), draw(values)))
    y0, y1 = sorted((draw(values), draw(values)))
    return Box(x0, y0, x1, y1)


sizes = st.integers(min_value=1, max_value=5000)


@pytest.mark.parametrize(
    "sides", [(5, 0, 4, 1), (0, 5, 1, 4), (math.nan, 0, 1, 1), (0, 0, math.inf, 1)]
)
def test_a_box_that_is_none_is_refused(sides: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="a box needs finite x0 <= x1 and y0 <= y1, found"):
        Box(*sides)


def test_sides_area_and_center() -> None:
    box = Box(2, 3, 10, 7)
    assert (box.width, box.height, box.area, box.center) == (8, 4, 32, (6, 5))


@given(boxes(), sizes)
def test_lower_left_and_back(box: Box, height: int) -> None:
    assert from_lower_left(*to_lower_left(box, height), height) == box


def test_lower_left_has_its_origin_at_the_bottom() -> None:
    assert to_lower_left(Box(10, 0, 20, 30), height=100) == (10, 70, 20, 100)


def test_lower_left_refuses_an_upside_down_box() -> None:
    with pytest.raises(ValueError, match="a box needs"):
        from_lower_left(0, 9, 5, 3, height=10)


@given(st.lists(st.integers(0, GRID), min_size=4, max_size=4), sizes, sizes)
def test_grid_cells_survive_pixels_and_back(cells: list[int], width: int, height: int) -> None:
    ymin, ymax = sorted(cells[:2])
    xmin, xmax = sorted(cells[2:])
    assert to_grid(from_grid((ymin, xmin, ymax, xmax), width, height), width, height) == (
        ymin,
        xmin,
        ymax,
        xmax,
    )


@given(boxes(), sizes, sizes)
def test_pixels_survive_the_grid_to_half_a_cell(box: Box, width: int, height: int) -> None:
    inside = clip(box, width, height)
    back = from_grid(to_grid(inside, width, height), width, height)
    for found, wanted, size in zip(
        back.as_tuple(), inside.as_tuple(), (width, height, width, height)
    ):
        assert abs(found - wanted) <= 0.5 * size / GRID + 1e-6


@given(boxes(), sizes, sizes)
def test_grid_cells_stay_on_the_grid(box: Box, width: int, height: int) -> None:
    assert all(0 <= cell <= GRID for cell in to_grid(box, width, height))


def test_grid_text_is_the_papers_order() -> None:
    assert grid_text(Box(0, 50, 200, 100), width=200, height=100) == "500 0 999 999"


@given(boxes(), boxes())
def test_iou_is_symmetric_and_bounded(a: Box, b: Box) -> None:
    assert iou(a, b) == iou(b, a)
    assert 0.0 <= iou(a, b) <= 1.0


@given(boxes())
def test_iou_with_itself(box: Box) -> None:
    assert iou(box, box) == (1.0 if box.area else 0.0)


@given(boxes(), sizes, sizes)
def test_clip_is_what_the_picture_shares(box: Box, width: int, height: int) -> None:
    picture = Box(0, 0, width, height)
    clipped = clip(box, width, height)
    assert clipped.area == intersection(box, picture)
    assert clip(clipped, width, height) == clipped


@given(st.lists(st.tuples(boxes(), st.floats(0, 1)), max_size=12), st.floats(0, 0.99))
def test_suppression_keeps_the_best_and_nothing_that_overlaps(
    rows: list[tuple[Box, float]], threshold: float
) -> None:
    found, scores = [box for box, _ in rows], [score for _, score in rows]
    kept = non_maximum_suppression(found, scores, threshold)
    assert [scores[i] for i in kept] == sorted((scores[i] for i in kept), reverse=True)
    assert all(iou(found[i], found[j]) <= threshold for i in kept for j in kept if i != j)
    for i in set(range(len(rows))) - set(kept):
        assert any(iou(found[i], found[j]) > threshold and scores[j] >= scores[i] for j in kept)
