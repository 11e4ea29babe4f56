"""Python values as SQL text, for statements that run in another process.

`bound` binds parameters in the server's own parser (PREPARE, EXECUTE), so that no placeholder is
ever looked for in SQL text; only values are written out here.  The tests compare each kind with
DuckDB's own binding.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from workbench.errors import StoreError

CHUNK = 4_000_000
"""Characters of one statement that carries rows; more rows go in several statements."""


def bound(sql: str, parameters: Mapping[str, Any] | Sequence[Any] | None) -> str:
    """One request that runs `sql` with these parameters.

    Raises StoreError for a value of a kind that has no literal here.
    """
    if not parameters:
        return sql
    if isinstance(parameters, Mapping):
        values = ", ".join(f'"{name}" := {literal(value)}' for name, value in parameters.items())
    else:
        values = ", ".join(literal(value) for value in parameters)
    # The line break ends a comment that the statement may end with.
    return f"PREPARE statement AS {sql.strip().rstrip(';')}\n;EXECUTE statement({values})"


def literal(value: Any) -> str:
    """SQL text of None, bool, int, float, str, bytes, datetime, date, or a list of these."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            # As text: DuckDB reads 1.5 as a decimal, and has no number for nan.
            return f"'{value!r}'::DOUBLE" if math.isfinite(value) else f"'{value}'::DOUBLE"
        case str():
            return text(value)
        case bytes() | bytearray() | memoryview():
            return f"from_base64('{b64encode(value).decode()}')"
        case datetime():
            kind = "TIMESTAMP" if value.tzinfo is None else "TIMESTAMPTZ"
            return f"{kind} '{value.isoformat(sep=' ')}'"
        case date():
            return f"DATE '{value.isoformat()}'"
        case list() | tuple():
            return f"[{', '.join(literal(one) for one in value)}]"
    raise StoreError(
        f"a {type(value).__name__} cannot be a parameter of a query; "
        "give text, numbers, dates or lists"
    )


def text(value: str) -> str:
    """A string literal; NUL, which ends SQL text, is put in by chr(0)."""
    quoted = "'" + value.replace("'", "''") + "'"
    return quoted if "\0" not in value else "(" + quoted.replace("\0", "' || chr(0) || '") + ")"


def sources(table: pa.Table) -> Iterator[str]:
    """An Arrow table as derived tables `(SELECT ...)`, each of at most about CHUNK characters.

    The rows go as one JSON text, which DuckDB reads far faster than as many literals; numbers that
    JSON has not, instants and bytes travel as text and are cast.
    """
    names = table.column_names
    fields = json.dumps([{name: _kind(field.type) for name, field in zip(names, table.schema)}])
    columns_sql = ", ".join(
        f'from_base64(r."{name}") AS "{name}"'
        if _is_bytes(field.type)
        else f'r."{name}" AS "{name}"'
        for name, field in zip(names, table.schema)
    )
    columns = [_plain(table.column(at)) for at in range(len(names))]
    batch: list[str] = []
    size = 0
    for row in zip(*columns):
        line = json.dumps(dict(zip(names, row)), ensure_ascii=False)
        if batch and size + len(line) > CHUNK:
            yield _source(columns_sql, batch, fields)
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield _source(columns_sql, batch, fields)


def _source(columns: str, rows: list[str], fields: str) -> str:
    values = text("[" + ",".join(rows) + "]")
    return f"(SELECT {columns} FROM (SELECT unnest(from_json({values}, {text(fields)})) AS r))"


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _kind(kind: pa.DataType) -> Any:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [_kind(kind.value_type)]
    if pa.types.is_struct(kind):
        return {field.name: _kind(field.type) for field in kind}
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    if pa.types.is_integer(kind):
        return "UBIGINT" if kind == pa.uint64() else "BIGINT"
    if pa.types.is_floating(kind):
        return "DOUBLE"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP" if kind.tz is None else "TIMESTAMPTZ"
    return "VARCHAR"


def _plain(column: pa.ChunkedArray) -> list[Any]:
    values: list[Any] = column.to_pylist()
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind):
        return values
    return [_jsonable(value) for value in values]


def _jsonable(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case bytes():
            return b64encode(value).decode()
        case datetime() | date():
            return value.isoformat()
        case list():
            return [_jsonable(one) for one in value]
        case dict():
            return {name: _jsonable(one) for name, one in value.items()}
    return value
