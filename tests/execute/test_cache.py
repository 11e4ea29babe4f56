"""The cache of results: what goes in comes out, from several processes, and broken entries are
computed again.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path

import pytest
from tools_for_tests import OnePicture, a_program, a_task, all_tools

from workbench.boxes import Box
from workbench.errors import InputError
from workbench.execute import Executor, ResultCache
from workbench.records import Region, Value

PATCH = Region("a" * 64, 64, 48, Box(1, 2, 3, 4), "cup", 0.5)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        2.5,
        "text é",
        [PATCH, PATCH],
        [],
        {"a": [1, PATCH]},
        (1, "b"),
        [[1], {"x": None}],
    ],
)
def test_values_come_back_as_they_were(tmp_path: Path, value: Value) -> None:
    path = tmp_path / "cache" / "results.sqlite"
    ResultCache(path).put("find", [("key", value)])
    known, found = ResultCache(path).get("key")
    assert known
    assert found == value
    assert type(found) is type(value)


def test_what_is_not_there_is_not_there(tmp_path: Path) -> None:
    assert ResultCache(tmp_path / "r.sqlite").get("key") == (False, None)


def test_none_is_a_result() -> None:
    cache = ResultCache()
    cache.put("t", [("key", None)])
    assert cache.get("key") == (True, None)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE results SET value = x'00'",
        "UPDATE results SET value = x'5B5D'",
        "UPDATE results SET sum = 'x'",
    ],
)
def test_a_damaged_entry_is_computed_again(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "r.sqlite"
    ResultCache(path).put("t", [("key", "value")])
    with sqlite3.connect(path) as connection:
        connection.execute(damage)
    connection.close()
    cache = ResultCache(path)
    assert cache.get("key") == (False, None)
    assert cache.broken == 1
    cache.put("t", [("key", "again")])
    assert ResultCache(path).get("key") == (True, "again")


def test_a_file_that_is_no_cache_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    path.write_bytes(b"something else, and long enough to be looked at" * 20)
    with pytest.raises(InputError, match="cannot be used as a cache of results"):
        ResultCache(path)


def test_memory_keeps_the_latest_only() -> None:
    cache = ResultCache(keep=2)
    for key in ("a", "b", "c"):
        cache.put("t", [(key, key)])
    assert [cache.get(key)[0] for key in ("a", "b", "c")] == [False, True, True]


def _write(path: Path, number: int) -> None:
    cache = ResultCache(path)
    for i in range(100):
        cache.put("t", [(f"{number}-{i}", [i, number]), ("shared", "same")])


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(path, n)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [w.exitcode for w in writers] == [0, 0, 0]
    cache = ResultCache(path)
    assert all(cache.get(f"{n}-{i}") == (True, [i, n]) for n in range(3) for i in range(100))
    assert cache.get("shared") == (True, "same")


ASKING = """
def execute_command(image):
    p = ImagePatch(image)
    return f"{len(p.find('cup'))} {p.exists('cup')}"
"""


@pytest.mark.parametrize(
    "poison",
    [
        "of another kind",
        [Region("b" * 64, 64, 48, Box(1, 2, 3, 4))],
        [3],
        {"a": "b"},
        [[[[[[[[[[1]]]]]]]]]],
        10**30,
    ],
)
def test_a_poisoned_entry_is_not_believed(poison: Value) -> None:
    """The sum over an entry tells who wrote it nothing: its value must be one of the tool's."""
    first = ResultCache()
    with Executor(all_tools(), OnePicture(), cache=first) as executor:
        good = next(executor.run([(a_task(), a_program(ASKING))]))
        calls = [e for e in good.events if e.kind == "tool"]
        assert len(calls) == 2
        for key in list(first._memory):
            first.put("find", [(key, poison)])
        again = next(executor.run([(a_task(), a_program(ASKING))]))
    assert (again.answer, again.failure) == (good.answer, None)
    assert [e.payload["cached"] for e in again.events if e.kind == "tool_result"] == [False, False]
