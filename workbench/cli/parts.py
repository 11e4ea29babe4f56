"""`vpd parts`: lists the registered parts."""

from __future__ import annotations

import ast
import copy
import inspect
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, requires, version
from typing import Any

from workbench import registry
from workbench.cli.text import console, safe
from workbench.errors import MissingPart, WorkbenchError
from workbench.parsing import parse
from workbench.settings import PACKAGE


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
                about = _read(point) or _load(role, name)
                row["doc"], row["arguments"] = about.doc, about.arguments
            except WorkbenchError as error:
                row["missing"] = str(error)
            except Exception as error:  # a stranger's part may raise anything when it is imported
                row["missing"] = f"{type(error).__name__}: {error}"
            rows.append(row)
    return rows


@dataclass(frozen=True, slots=True)
class PartText:
    """What is printed of a part."""

    doc: str
    arguments: str


def _load(role: str, name: str) -> PartText:
    part = registry.load(role, name)
    return PartText(
        (inspect.getdoc(part) or "").split("\n")[0],
        ", ".join(
            str(parameter.replace(annotation=parameter.empty))
            for parameter in inspect.signature(part).parameters.values()
        ),
    )


def _read(point: EntryPoint) -> PartText | None:
    """What the source says of one of our own parts; None where it has to be loaded.

    Nothing is imported: torch alone would take ten seconds, numpy and the web client half a second.
    Parts whose decorator gives them the settings of a record name these only once they are loaded,
    and need no torch.

    Raises:
        MissingPart: a package of the extra is not installed.
    """
    if point.module.partition(".")[0] != "workbench":
        return None
    if extra := next(iter(point.extras), ""):
        _check_extra(point, extra)
    node = _definition(point.module, point.attr)
    maker = _maker(point.module, node) if isinstance(node, ast.ClassDef) else node
    if node is None or maker is None or node.decorator_list:
        return None
    doc = (ast.get_docstring(node) or "").split("\n")[0]
    first = 1 if isinstance(node, ast.ClassDef) else 0  # behind self
    return PartText(doc, _arguments(point.module, maker, first))


def _check_extra(point: EntryPoint, extra: str) -> None:
    if package := _missing_package(extra):
        raise MissingPart(
            f"'{point.name}' needs a package that is not installed ({package}); "
            f"pip install 'vpd-workbench[{extra}]'"
        )


@cache
def _missing_package(extra: str) -> str:
    """The first package of an extra that is not installed; empty where all are."""
    ends = f"extra == '{extra}'", f'extra == "{extra}"'
    for line in requires("vpd-workbench") or ():
        if line.rstrip().endswith(ends):
            package = re.split(r"[^\w.-]", line, maxsplit=1)[0]
            try:
                version(package)
            except PackageNotFoundError:
                return package
    return ""


@cache
def _tree(module: str) -> ast.Module:
    path = PACKAGE.parent.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return parse(file.read_text(encoding="utf-8"))


def _definition(module: str, name: str) -> ast.ClassDef | ast.FunctionDef | None:
    """A class or a function of a file, by its name."""
    for node in _tree(module).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return node
    return None


def _maker(module: str, node: ast.ClassDef) -> ast.FunctionDef | None:
    """The `__init__` of a class, or the one that it inherits from a class of the same file."""
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and one.name == "__init__":
            return one
    for base in node.bases:
        parent = _definition(module, base.id) if isinstance(base, ast.Name) else None
        if isinstance(parent, ast.ClassDef):
            return _maker(module, parent)
    return None


def _value(module: str, node: ast.expr) -> ast.expr:
    """A default; the value of a constant of our own code in place of its name."""
    if not isinstance(node, ast.Name):
        return node
    for one in _tree(module).body:
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == node.id:
            return one.value
        if isinstance(one, ast.ImportFrom) and (one.module or "").startswith("workbench."):
            origins = [alias.name for alias in one.names if (alias.asname or alias.name) == node.id]
            if origins:
                return _value(str(one.module), ast.Name(origins[0]))
    return node


def _arguments(module: str, maker: ast.FunctionDef, first: int) -> str:
    """The arguments as a call writes them, with their defaults and without types.

    Args:
        module: where the maker stands.
        maker: a function, or the `__init__` of a class.
        first: number of parameters in front that a call does not write.
    """
    bare = copy.deepcopy(maker.args)
    bare.args = bare.args[first:]
    for one in [*bare.posonlyargs, *bare.args, *bare.kwonlyargs, bare.vararg, bare.kwarg]:
        if one is not None:
            one.annotation = None
    bare.defaults = [_value(module, one) for one in bare.defaults]
    bare.kw_defaults = [one and _value(module, one) for one in bare.kw_defaults]
    return ast.unparse(bare)


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
