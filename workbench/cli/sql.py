"""`vpd sql`: queries the store in SQL, and never changes it."""

from __future__ import annotations

import json
from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from workbench.cli.text import console, open_project, safe
from workbench.errors import InputError


def main(query: str, project: Path | None, limit: int, as_json: bool) -> None:
    """Print the first rows of a query.

    Args:
        query: a SELECT.
        project: folder of the project; None takes the one around the current folder.
        limit: number of rows to print.
        as_json: print JSON instead of text.

    Raises:
        InputError: the query is empty.
    """
    if not query.strip():
        raise InputError(
            'the query is empty; for example: vpd sql "SELECT split, count(*) '
            'FROM task GROUP BY split"'
        )
    with open_project(project, read_only=True) as opened:
        names, rows = opened.database.table(query, max(limit, 1) + 1)
    printed_rows = rows[: max(limit, 1)]
    if as_json:
        print(json.dumps([dict(zip(names, row)) for row in printed_rows], indent=1, default=_plain))
        return
    table = Table(box=SIMPLE, pad_edge=False)
    for name in names:
        table.add_column(Text(safe(name, 60)), overflow="fold")
    for row in printed_rows:
        table.add_row(*(Text(safe(_plain(value), 300)) for value in row))
    out = console()
    out.print(table)
    if len(rows) > len(printed_rows):
        out.print(f"only the first {len(printed_rows)} rows; give --limit for more")


def _plain(value: object) -> str:
    return f"<{len(value)} bytes>" if isinstance(value, bytes | bytearray) else str(value)
