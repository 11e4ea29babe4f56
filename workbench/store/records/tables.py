"""Rows as Arrow tables, in which they reach the store: columns and their kinds.

A lone surrogate in a text cannot be written as UTF-8 and becomes '?'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from workbench.records import storable_json

_TEXTS = pa.list_(pa.string())
_TIME = pa.timestamp("us")

_KINDS = {
    "text": pa.string(),
    "texts": _TEXTS,
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "bytes": pa.binary(),
    "time": _TIME,
}

_COLUMNS = {
    "part": "key role name version arguments",
    "bad_row": "source file line:long reason",
    "task": "id seq:long source split image question answers:texts answer_type choices:texts "
    "family meta content more_images:texts",
    "program": "id task_id sampler base_seed:long index:int source score:float tokens:long "
    "seed:long seconds:float parent problem thinking draws:int repeats:bool",
    "trace": "id program_id task_id executor answer failure_kind failure_message failure_line:int "
    "steps:long tool_calls:long seconds:float events:bytes tools form evidence work:float",
    "verdict": "id trace_id program_id task_id verifier runs:int score:float correct:bool "
    "chosen:bool method reason",
    "rationale": "id trace_id task_id writer text answer citations issues:texts "
    "bare:bool unchecked:texts",
    "prediction": "id task_id model answer rationale score:float seconds:float form problem",
}
"""Columns of each table; a kind stands behind the colon, and a column without one is text."""


def _schema(columns: str) -> pa.Schema:
    pairs = (column.partition(":") for column in [*columns.split(), "created_at:time"])
    return pa.schema([(name, _KINDS[kind or "text"]) for name, _, kind in pairs])


SCHEMAS: Mapping[str, pa.Schema] = {
    **{name: _schema(columns) for name, columns in _COLUMNS.items()},
    "touched": pa.schema({name: pa.string() for name in ("task_id", "part", "text")}),
}
"""The Arrow schema of each table that is written in batches."""


def arrow_table(name: str, rows: Sequence[Mapping[str, Any]], created_at: datetime) -> pa.Table:
    """Rows of one table as Arrow.

    Args:
        name: the table.
        rows: each by column name; columns that the table lacks are left out.
        created_at: the time (UTC) that all rows get.
    """
    schema = SCHEMAS[name]
    columns = [
        pa.repeat(pa.scalar(created_at, _TIME), len(rows))
        if column.name == "created_at"
        else _column([row[column.name] for row in rows], column.type)
        for column in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:
        return pa.array([storable_json(value) for value in values], kind)
