"""Entries of large files: each with its line and number, in bounded memory, whatever stands in the
file.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from official_files import gqa_row, picture

from workbench.errors import DatasetError
from workbench.tasks import json_stream
from workbench.tasks.json_stream import JsonEntry, Meter, json_entries, json_lines


def read(root: Path, text: str | bytes, under: str | None = None) -> list[JsonEntry]:
    path = root / "file.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    meter = Meter()
    found = list(json_entries(path, meter, under))
    assert meter.read <= path.stat().st_size
    return found


def test_an_array_gives_its_entries_with_line_and_number(tmp_path: Path) -> None:
    found = read(tmp_path, '\ufeff[\n {"a": 1},\n\n 2, "x" ]\n')
    assert found == [
        JsonEntry(2, 1, None, {"a": 1}),
        JsonEntry(4, 2, None, 2),
        JsonEntry(4, 3, None, "x"),
    ]
    assert read(tmp_path, " [ ] ") == []


def test_an_object_gives_its_keys_and_repeated_ones_too(tmp_path: Path) -> None:
    found = read(tmp_path, '{"b": [1], "b": null}')
    assert [(entry.key, entry.value) for entry in found] == [("b", [1]), ("b", None)]


def test_entries_under_a_key_come_wherever_it_stands(tmp_path: Path) -> None:
    text = '{"info": {"rows": [{"x": "]"}]}, "n": 12, "rows": [1, 2], "more": 3}'
    assert [entry.value for entry in read(tmp_path, text, "rows")] == [1, 2]


def test_nan_and_endless_numbers_are_values_like_any_other(tmp_path: Path) -> None:
    first, second, third = read(
        tmp_path, '[{"a": NaN}, {"a": %s, "b": 7}, {"a": 1}]' % ("9" * 6000)
    )
    assert first.value["a"] != first.value["a"]
    assert second.value == {"a": float("inf"), "b": 7}
    assert third.value == {"a": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[1, {"a": ]',
            r"this is not JSON \(Expecting value\); the file is of no use from here, after 1 entries",
        ),
        (
            '[1\n 2, 3, 4, "and more that follows"]',
            "found '2' where , was expected; the file is of no use",
        ),
        (
            '[1, {"a": "un',
            "the file ends too early; the file is of no use from here, after 1 entries",
        ),
        ("[1, 2", "the file ends too early"),
        ("[1, " + "[" * 100_000, "the file ends too early"),
    ],
)
def test_where_a_file_stops_being_json_the_last_entry_says_so(
    text: str, said: str, tmp_path: Path
) -> None:
    *good, last = read(tmp_path, text + (" " * 40 if "ends" not in said else ""))
    assert good[0].value == 1
    assert isinstance(last.value, ValueError)
    with pytest.raises(ValueError, match=said):
        raise last.value


@pytest.mark.parametrize(
    ("text", "under", "said"),
    [
        ("", None, "the file ends too early; expected an array or object"),
        ("<html>", None, r"found '<' where \[ or { was expected"),
        ("[" + '"x', None, "the file ends too early"),
        (
            '{"info": 1}',
            "rows",
            r"found '}' where , was expected; expected an object with an array under \"rows\"",
        ),
        ('{"rows": 7}', "rows", r"found '7' where \[ or { was expected"),
    ],
)
def test_a_file_without_entries_cannot_be_read(
    text: str, under: str | None, said: str, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match=said):
        read(tmp_path, text, under)


def test_a_missing_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone\.json cannot be read: No such file"):
        list(json_entries(tmp_path / "gone.json", Meter()))
    with pytest.raises(DatasetError, match=r"gone\.json cannot be read: No such file"):
        list(json_lines(tmp_path / "gone.json", Meter()))


def test_an_entry_larger_than_allowed_ends_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_stream, "LARGEST", 3 << 20)
    last = read(tmp_path, "[1, " + json.dumps("x" * (9 << 20)) + ", 2]")[-1]
    with pytest.raises(ValueError, match="an entry has more than 3 million characters"):
        raise last.value
    (tmp_path / "long").write_bytes(b"x" * (4 << 20))
    with pytest.raises(DatasetError, match="a line of more than 3 MB; expected a text file"):
        list(json_lines(tmp_path / "long", Meter()))


def test_a_bad_line_is_an_entry_and_blank_ones_are_none(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(b'\xef\xbb\xbf{"a": 1}\n\n{"a"\n"\xff"\n2')
    found = list(json_lines(tmp_path / "lines", Meter()))
    assert [
        (entry.line, entry.value) for entry in found if not isinstance(entry.value, ValueError)
    ] == [
        (1, {"a": 1}),
        (5, 2),
    ]
    assert [str(entry.value)[:20] for entry in found[1:3]] == [
        "the line is not JSON",
        "the line is not UTF-",
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(VALUES, max_size=6) | st.dictionaries(st.text(max_size=5), VALUES, max_size=5),
    st.integers(1, 9),
)
def test_any_json_comes_whole_however_the_window_falls(
    tmp_path: Path, value: Any, chunk: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "CHUNK", chunk)
        found = read(
            tmp_path, json.dumps(value, ensure_ascii=False, indent=chunk % 3 or None).encode()
        )
    if isinstance(value, dict):
        assert {entry.key: entry.value for entry in found} == value
    else:
        assert [entry.value for entry in found] == value


PEAK = """
import json, sys
from pathlib import Path
import psutil
from workbench import registry

def used():
    return psutil.Process().memory_info().rss >> 20

source = registry.build("source", "gqa", root=sys.argv[1], subset="all")
before = most = used()
for rows, task in enumerate(source.tasks(), 1):
    if rows % 500 == 0:
        most = max(most, used())
whole = json.loads((Path(sys.argv[1]) / "val_all_questions.json").read_text())
print(rows, len(source.bad), most - before, used() - before)
"""


def test_a_large_file_is_read_in_little_memory(tmp_path: Path) -> None:
    """60 MB of JSON: read entry by entry it needs the window and the ids' pages, read whole at
    least the text.
    """
    picture(tmp_path / "n1.jpg")
    row = json.dumps(gqa_row(semanticStr="select: dog->" * 75))
    with (tmp_path / "val_all_questions.json").open("w") as file:
        file.write("{" + ", ".join(f'"{n:08d}": {row}' for n in range(40_000)) + "}")
    assert (tmp_path / "val_all_questions.json").stat().st_size > 55_000_000
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=250,
    )
    rows, bad, grown, whole = map(int, done.stdout.split())
    assert (rows, bad) == (40_000, 0)
    assert grown < 40 < whole, f"{grown} MB in entries, {whole} MB whole"


@pytest.mark.parametrize(
    "deep", [101, 5_000, 100_000, pytest.param(2_000_000, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"]": ', "}")])
def test_an_entry_nested_too_deep_costs_itself_only(
    tmp_path: Path, deep: int, opened: str, closed: str
) -> None:
    value = opened * deep + '"[{\\"["' + closed * deep
    for entries in (
        read(tmp_path, f'[{{"a": 1}}, {{"a": {value}}}, {{"a": 3}}]'),
        read(tmp_path, f'{{"x": {value}, "rows": [{{"a": 1}}, {value}, {{"a": 3}}]}}', "rows"),
    ):
        first, bad, last = entries
        assert (first.value, last.value) == ({"a": 1}, {"a": 3})
        assert isinstance(bad.value, ValueError)
        assert "more than 100 deep" in str(bad.value)
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"a": 1}}\n{{"a": {value}}}\n{{"a": 3}}\n')
    first, bad, last = json_lines(path, Meter())
    assert (first.value, last.value) == ({"a": 1}, {"a": 3})
    assert "more than 100 deep" in str(bad.value)


def test_a_file_that_breaks_off_in_a_deep_entry_says_so(tmp_path: Path) -> None:
    first, broken = read(tmp_path, "[1, " + "[" * 50_000)
    assert first.value == 1
    assert "ends too early" in str(broken.value)
