"""The figure of every bench: its row, its JSON, and what it says where nothing was measured."""

from __future__ import annotations

import json
import math

import pytest

from workbench.bench.figure import Figure, percentile_figure, print_figures, share_figure
from workbench.shares import Share


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "0.12"), (3, "3"), (99.5, "99.50"), (12345.6, "12,346")]
)
def test_a_row_gives_small_values_with_decimals_and_large_ones_without(value, text):
    row = Figure("commit", value, "ms", "< 5 ms", "n 3").line()
    assert row.split() == ["commit", text, "ms", "aim", "<", "5", "ms", "n", "3"]


def test_a_figure_that_was_not_measured_is_null_in_json(capsys):
    print_figures([Figure("commit", math.nan, note="no message")], as_json=True)
    line = json.loads(capsys.readouterr().out)
    assert line == {"name": "commit", "value": None, "unit": "", "aim": "", "note": "no message"}


def test_rows_stand_in_the_same_columns(capsys):
    print_figures([Figure("one", 1, "ms"), Figure("another", 20_000, "ms")], as_json=False)
    first, second = capsys.readouterr().out.splitlines()
    assert first.index("ms") == second.index("ms")


def test_a_share_keeps_its_denominator():
    figure = share_figure("recall", Share(3, 4))
    assert (figure.value, figure.unit) == (75, "%")
    assert figure.note.startswith("of 4 (")
    assert math.isnan(share_figure("recall", Share(0, 0)).value)


def test_the_percentile_is_a_duration_that_was_measured():
    figure = percentile_figure("page", [float(ms) for ms in range(100, 0, -1)], "< 100 ms", "cold")
    assert (figure.value, figure.aim) == (96.0, "< 100 ms")
    assert figure.note == "p50 50.5 ms, cold, n 100"
