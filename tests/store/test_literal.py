"""Values as SQL text come back as DuckDB's own binding gives them."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import StoreError
from workbench.store.kernel import literal

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    [
        "'",
        "\0",
        "''\0'",
        "$$ ; -- /* */ ?",
        "\\x00\\'",
        "{'a': 1}",
        "NaN",
        "é😀\u2028",
        "a;DROP TABLE t",
    ]
)
instants = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | texts
    | st.binary(max_size=40)
    | instants
    | st.dates(date(1, 1, 1))
)
# DuckDB's binding makes NULL of nan inside a list; here it stays what it was.
some = st.floats(allow_nan=False)
lists = st.one_of(
    *(st.lists(st.none() | kind, max_size=5) for kind in (texts, st.integers(0, 9), some, instants))
)
values = scalars | lists | st.lists(st.lists(texts, max_size=3), max_size=3)


@pytest.fixture(scope="module")
def memory() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)


@settings(max_examples=300, deadline=None)
@given(st.lists(values, min_size=1, max_size=4))
def test_positional(memory: duckdb.DuckDBPyConnection, given_values: list[Any]) -> None:
    sql = f"SELECT {', '.join('?' for _ in given_values)} -- a comment"
    bound = memory.execute(sql, given_values).fetchone()
    assert same(memory.execute(literal.bound(sql, given_values)).fetchone(), bound)


@settings(max_examples=100, deadline=None)
@given(values, values)
def test_named(memory: duckdb.DuckDBPyConnection, one: Any, other: Any) -> None:
    sql = "SELECT $b, $a, $b, '$a' -- $c"
    bound = memory.execute(sql, {"a": one, "b": other}).fetchone()
    assert same(memory.execute(literal.bound(sql, {"a": one, "b": other})).fetchone(), bound)


@pytest.mark.parametrize(
    "value",
    [
        0,
        2**31,
        2**62,
        1.5,
        math.inf,
        -0.0,
        5e-324,
        "a",
        b"a",
        True,
        datetime(2020, 1, 1),
        date(2020, 1, 1),
    ],
)
def test_the_kind_is_the_same(memory: duckdb.DuckDBPyConnection, value: Any) -> None:
    sql = "SELECT typeof(?)"
    bound = memory.execute(sql, [value]).fetchone()
    assert memory.execute(literal.bound(sql, [value])).fetchone() == bound


def test_an_instant_with_a_zone(memory: duckdb.DuckDBPyConnection) -> None:
    value = datetime(2020, 1, 2, 3, 4, 5, 6, UTC)
    sql = "SELECT epoch_us(?::TIMESTAMPTZ)"
    assert (
        memory.execute(literal.bound(sql, [value])).fetchone()
        == memory.execute(sql, [value]).fetchone()
    )


def test_a_value_without_a_literal_is_refused() -> None:
    with pytest.raises(
        StoreError,
        match="a set cannot be a parameter of a query; give text, numbers, dates or lists",
    ):
        literal.bound("SELECT ?", [{1}])


SCHEMA = pa.schema(
    {
        "t": pa.string(),
        "i": pa.int64(),
        "f": pa.float64(),
        "b": pa.binary(),
        "k": pa.bool_(),
        "at": pa.timestamp("us"),
        "l": pa.list_(pa.string()),
        "n": pa.int32(),
        "s": pa.struct({"x": pa.float64(), "y": pa.list_(pa.int64())}),
    }
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "t": st.none() | texts,
            "i": st.none() | st.integers(-(2**63), 2**63 - 1),
            "f": st.none() | st.floats(),
            "b": st.none() | st.binary(max_size=20),
            "k": st.none() | st.booleans(),
            "at": st.none() | instants,
            "l": st.none() | st.lists(st.none() | texts, max_size=3),
            "n": st.none() | st.integers(-(2**31), 2**31 - 1),
            "s": st.none()
            | st.fixed_dictionaries(
                {"x": st.floats(), "y": st.none() | st.lists(st.integers(0, 9), max_size=2)}
            ),
        }
    ),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(rows)
def test_rows(memory: duckdb.DuckDBPyConnection, held: list[dict[str, Any]]) -> None:
    batch = pa.Table.from_pylist(held, SCHEMA)
    memory.register("batch", batch)
    straight = memory.execute("SELECT * FROM batch").fetchall()
    through = [
        row
        for source in literal.sources(batch)
        for row in memory.execute(f"SELECT * FROM {source}").fetchall()
    ]
    assert same(through, straight)


def test_many_rows_go_in_several_statements(
    memory: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(literal, "CHUNK", 200)
    batch = pa.table({"t": [f"row {n}" for n in range(50)]})
    sources = list(literal.sources(batch))
    assert 3 < len(sources) < 20
    found = [
        row[0] for source in sources for row in memory.execute(f"SELECT * FROM {source}").fetchall()
    ]
    assert found == batch["t"].to_pylist()
