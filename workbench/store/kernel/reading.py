"""Which queries of a person's only read: DuckDB's own parse, and lists of what is allowed.

A query is parsed by a database of its own, in memory, that has no extension, no file and no
network.  Its tree may hold tables and views of the store, functions that this bare database knows
too, and a few functions that give rows.  So a function that starts a server, runs text as a query,
or is new in a later DuckDB, is refused because nobody has allowed it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

import duckdb

from workbench.errors import StoreError

TABLES = "SELECT name FROM (SELECT table_name AS name FROM duckdb_tables() WHERE NOT internal \
UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal)"
"""The tables and views of a store."""

_ROWS = frozenset({"unnest", "range", "generate_series", "json_each", "json_tree"})
"""Functions that give rows and read nothing but their arguments."""

_WINDOWS = frozenset(
    {
        "row_number", "rank", "dense_rank", "rank_dense", "percent_rank", "cume_dist", "ntile",
        "lag", "lead", "first_value", "last_value", "nth_value",
    }
)  # fmt: skip
"""Functions over a window that are no aggregates."""

_NOT_PLAIN = frozenset(
    {
        "nextval", "currval", "setseed", "write_log", "getenv", "getvariable", "current_setting",
        "current_query", "json_serialize_plan",
    }
)  # fmt: skip
"""Functions of one value that change something, or tell of more than the tables."""

_SCHEMAS = frozenset({"", "main", "information_schema"})


def check_reads(sql: str, tables: Collection[str]) -> None:
    """Refuse a query that may do more than read the store's tables.

    Args:
        sql: the query, as a person wrote it.
        tables: names of the store's tables and views.

    Raises:
        StoreError: it is not one statement that reads; the text names what is not allowed.
    """
    inner = re.sub(r"^\s*explain\s+", "", sql, flags=re.IGNORECASE)
    if len(_statements(sql)) != 1 or (tree := _tree(inner)) is None:
        raise StoreError(
            "the store refused a query (only one SELECT, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN is "
            "run here)"
        )
    names = {name.lower() for name in tables} | {name.lower() for name in _named_inside(tree)}
    for node in _nodes(tree):
        if "function_name" in node:
            _check_function(node)
        elif node.get("type") == "BASE_TABLE":
            _check_table(node, names)
    for node in _nodes(tree):
        if node.get("type") == "TABLE_FUNCTION":
            name = str((node.get("function") or {}).get("function_name", "")).lower()
            if name not in _ROWS:
                raise _refused(name)


def _statements(sql: str) -> list[Any]:
    try:
        return list(duckdb.extract_statements(sql))
    except duckdb.Error as error:
        line = str(error).strip().splitlines()[0][:300]
        raise StoreError(f"the store refused a query ({line})") from error


def _tree(sql: str) -> Any:
    """DuckDB's parse of one SELECT; None for anything else."""
    cursor = _bare().cursor()
    try:
        row = cursor.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    except duckdb.Error:
        return None
    finally:
        cursor.close()
    parsed = json.loads(row[0]) if row else {"error": True}
    return None if parsed.get("error") else parsed["statements"]


@cache
def _bare() -> duckdb.DuckDBPyConnection:
    """A database in memory that can reach nothing, for parsing."""
    connection = duckdb.connect(
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    )
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")
    return connection


@cache
def _plain_functions() -> frozenset[str]:
    cursor = _bare().cursor()
    rows = cursor.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() "
        "WHERE function_type IN ('scalar', 'aggregate', 'macro')"
    ).fetchall()
    cursor.close()
    return frozenset(str(name).lower() for (name,) in rows) - _NOT_PLAIN


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of a parse."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _named_inside(tree: Any) -> Iterator[str]:
    """The names that WITH gives inside a query."""
    for node in _nodes(tree):
        for pair in (node.get("cte_map") or {}).get("map", ()):
            yield str(pair["key"])


def _check_function(node: dict[str, Any]) -> None:
    name = str(node["function_name"]).lower()
    allowed = name in _plain_functions() or name in _ROWS or name in _WINDOWS
    if not allowed or node.get("catalog") or node.get("schema") not in ("", "main", None):
        raise _refused(name)


def _check_table(node: dict[str, Any], names: Collection[str]) -> None:
    name, schema = str(node.get("table_name", "")), str(node.get("schema_name", ""))
    if schema == "information_schema" and not node.get("catalog_name"):
        return
    if node.get("catalog_name") or schema not in _SCHEMAS or name.lower() not in names:
        raise StoreError(
            f"the store refused a query ({name} is no table of the store; "
            'vpd sql "SHOW TABLES" lists them)'
        )


def _refused(name: str) -> StoreError:
    return StoreError(
        f"the store refused a query (the function {name} is not among those that only read the "
        "tables)"
    )
