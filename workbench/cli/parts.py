"""`vpd parts`: lists the registered parts."""

from __future__ import annotations

import inspect
import json
from typing import Any

from workbench import registry
from workbench.cli.text import console, safe
from workbench.errors import WorkbenchError


def part_rows() -> list[dict[str, Any]]:
    """Every registered part with role, name, first line of its docstring and arguments.

    A part that cannot be loaded has the reason under `missing`.
    """
    rows = []
    for role in registry.ROLES:
        for name, point in registry.parts(role).items():
            row = {
                "role": role,
                "name": name,
                "from": point.value,
                "doc": "",
                "arguments": "",
                "missing": None,
            }
            try:
                part = registry.load(role, name)
                row["doc"] = (inspect.getdoc(part) or "").split("\n")[0]
                row["arguments"] = ", ".join(
                    str(parameter.replace(annotation=parameter.empty))
                    for parameter in inspect.signature(part).parameters.values()
                )
            except WorkbenchError as error:
                row["missing"] = str(error)
            except Exception as error:  # a stranger's part may raise anything when it is imported
                row["missing"] = f"{type(error).__name__}: {error}"
            rows.append(row)
    return rows


def main(as_json: bool) -> None:
    """Print the parts, by role."""
    rows = part_rows()
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    out = console()
    for role in registry.ROLES:
        out.print(role)
        for row in rows:
            if row["role"] == role:
                text = (
                    safe(row["doc"])
                    if row["missing"] is None
                    else f"cannot be loaded: {safe(row['missing'])}"
                )
                out.print(f"  {safe(row['name']):<22} {text}")
                if row["arguments"]:
                    out.print(f"  {'':<22} ({safe(row['arguments'])})")
