"""The first gate: it refuses, with name and line, what a program's source may not contain.

This gate is not the border that keeps a program in; the sandbox is.  It makes refusals early, cheap
and clear, keeps hidden names out of reach, and refuses whatever Monty would run differently from
Python.
"""

from __future__ import annotations

import ast
import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.api import Api
from workbench.execute.language.header import MAIN, given_arguments
from workbench.execute.language.refused import RefusedProgram
from workbench.execute.language.scopes import mark, scope_of
from workbench.execute.language.tables import (
    ALL_BUILTINS,
    BUILTIN_METHODS,
    BUILTINS,
    DROPPED_IMPORTS,
    DUNDERS,
    MATCH_ATTRIBUTES,
    METHODS,
    MODULES,
    OF_THE_PRELUDE,
    REFUSED,
)
from workbench.limits import Limits
from workbench.parsing import parse


@dataclass(slots=True)
class CheckedSource:
    """A program that passed the gate."""

    tree: ast.Module
    """The program's syntax tree; the rewriting changes it in place."""
    bound: frozenset[str]
    """Every name that the program binds anywhere; `is_free` tells of one name in one place."""
    attributes: frozenset[str]
    """Methods and fields of the program's own classes."""
    modules: Mapping[str, str]
    """Modules by the names under which the program imported them."""
    wrapped: bool
    """True for a bare body, around which `execute_command` was put."""
    nodes: Sequence[ast.AST]
    """Every node of `tree` as it was checked, breadth first."""
    arguments: Sequence[str] = ("__picture__",)
    """What `execute_command` is called with, as the sandbox writes it."""
    rare: bool = False
    """True if the program needs the part of the prelude that few need; the rewriting sets it."""
    set_flags: int | None = None
    """What is known of its sets, as in `Survey.flags`; None for a program without sets."""
    library: bool = False
    """True if it needs those with the standard library."""

    def is_free(self, node: ast.Name) -> bool:
        """Whether a name means the builtin, module or API of that name, not the program's own."""
        scope = scope_of(node)
        return node.id not in self.bound if scope is None else scope == "builtin"


def check(source: str, api: Api, limits: Limits) -> CheckedSource:
    """Parse a program and check all of it.

    Args:
        source: The program's text, as a model wrote it.
        api: The tools that the program may call.
        limits: How long, how large and how deeply nested the source may be.

    Raises:
        RefusedProgram: the program does not pass; its kind is `syntax`, `unsupported` or `source`.
    """
    tree, wrapped, arguments = _whole(_parse(source, limits))
    nodes = _measure(tree, limits)
    bound: set[str] = set()
    attributes: set[str] = set()
    modules: dict[str, str] = {}
    for node in nodes:
        if what := REFUSED.get(type(node)):
            raise _unsupported(f"the sandbox does not have {what}", node)
        _check_identifiers(node)
        bound.update(_bindings(node))
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules.update(_check_import(node, api))
        elif isinstance(node, ast.ClassDef):
            attributes.update(_check_class(node))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            attributes.add(node.attr)
        elif check_node := _CHECKS.get(type(node)):
            check_node(node)
    if not bound.isdisjoint(ALL_BUILTINS | api.names | modules.keys()):
        mark(tree, _bindings)
    _check_uses(nodes, bound, attributes, modules)
    return CheckedSource(
        tree, frozenset(bound), frozenset(attributes), modules, wrapped, nodes, arguments
    )


def _line(node: ast.AST) -> int | None:
    return getattr(node, "lineno", None)


def _unsupported(message: str, node: ast.AST) -> RefusedProgram:
    return RefusedProgram("unsupported", message, _line(node))


def _parse(source: str, limits: Limits) -> ast.Module:
    if len(source) > limits.source:
        raise RefusedProgram(
            "source",
            f"the source has {len(source)} characters; at most {limits.source} are taken",
            None,
        )
    if "\0" in source:
        raise RefusedProgram(
            "syntax",
            "the source contains a null character",
            source.count("\n", 0, source.index("\0")) + 1,
        )
    if source[:1] in (" ", "\t"):
        source = textwrap.dedent(source)
    try:
        source.encode()
        return parse(source)
    except SyntaxError as error:
        raise RefusedProgram("syntax", error.msg or "invalid syntax", error.lineno) from None
    except (RecursionError, MemoryError):
        raise RefusedProgram(
            "source", "the source is nested too deeply to be parsed", None
        ) from None
    except ValueError as error:  # lone surrogates, integers of too many digits
        raise RefusedProgram("syntax", str(error)[:200], None) from None


def _measure(tree: ast.Module, limits: Limits) -> list[ast.AST]:
    """Every node, breadth first; refuses too many of them and too deep a nesting."""
    nodes: list[ast.AST] = []
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        if depth > limits.nesting:
            raise RefusedProgram(
                "source", f"the source is nested more than {limits.nesting} deep", _line(level[0])
            )
        below: list[ast.AST] = []
        for node in level:  # which grows: what follows in a chain is on the same level
            following = _next_in_chain(node)
            if following is not None:
                level.append(following)
            below.extend(child for child in _parts(node) if child is not following)
        nodes += level
        if len(nodes) > limits.nodes:
            raise RefusedProgram(
                "source", f"the source has more than {limits.nodes} syntax nodes", None
            )
        level = below
        depth += 1
    return nodes


def _next_in_chain(node: ast.AST) -> ast.AST | None:
    """What people read as a row and Python as a nest: `elif`, `a + b + c`, `s.strip().lower()`."""
    if isinstance(node, ast.If) and len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        return node.orelse[0]
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.BinOp):
        return node.left
    if isinstance(node, ast.Call):
        return node.func
    inner = node.value if isinstance(node, ast.Attribute | ast.Subscript) else None
    return inner if isinstance(inner, ast.Call | ast.Attribute | ast.Subscript) else None


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes directly below a node, operators and contexts left out."""
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            yield from (v for v in value if isinstance(v, ast.AST))
        elif isinstance(value, ast.AST) and not isinstance(
            value, ast.expr_context | ast.operator | ast.cmpop
        ):
            yield value


def _whole(tree: ast.Module) -> tuple[ast.Module, bool, Sequence[str]]:
    """A program with `execute_command`, whether that was put around a bare body, its arguments."""
    mains = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == MAIN]
    if mains:
        arguments = given_arguments(mains[-1])
        tree.body = [node for node in tree.body if not _is_call_of_main(node)]
        return tree, False, arguments
    if any(isinstance(node, ast.Return) for top in tree.body for node in _outside_functions(top)):
        return _with_main(tree), True, ("__picture__",)
    raise RefusedProgram("source", f"the program has no function {MAIN}(image)", None)


def _with_main(tree: ast.Module) -> ast.Module:
    """A bare body inside `execute_command`, with its imports in front."""
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    body = [node for node in tree.body if node not in imports]
    image = ast.arg("image", lineno=1, col_offset=0)
    arguments = ast.arguments([], [image], None, [], [], None, [])
    function = ast.FunctionDef(MAIN, arguments, body, [], lineno=body[0].lineno, col_offset=0)
    return ast.Module([*imports, function], [])


def _is_call_of_main(node: ast.stmt) -> bool:
    """Whether a statement opens a picture or calls `execute_command`, as published files end.

    The executor does both, so such statements are left out.
    """
    if isinstance(node, ast.Assign | ast.Expr):
        names = {
            n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
        }
        return MAIN in names or "Image" in names
    if isinstance(node, ast.If):
        return any(isinstance(n, ast.Name) and n.id == "__name__" for n in ast.walk(node.test))
    return False


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it that are not inside a function or class of their own."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        for child in ast.iter_child_nodes(node):
            yield from _outside_functions(child)


def _check_identifiers(node: ast.AST) -> None:
    """Refuse names that begin with two underscores: the prelude's own begin so."""
    for name in _identifiers(node):
        if name.startswith("__") and not _dunder_allowed(node, name):
            raise RefusedProgram(
                "source",
                f"names that begin with two underscores cannot be used: '{name[:40]}'",
                _line(node),
            )


def _identifiers(node: ast.AST) -> list[str]:
    """Names in a node, after NFKC (which Python's parser applies too; nothing here rests on it)."""
    names: list[str | None]
    kind = type(node)
    if kind is ast.Name:
        names = [node.id]  # type: ignore[attr-defined]
    elif kind is ast.Attribute:
        names = [node.attr]  # type: ignore[attr-defined]
    elif isinstance(node, ast.arg | ast.keyword):
        names = [node.arg]
    elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler):
        names = [node.name]
    elif isinstance(node, ast.alias):
        names = [*node.name.split("."), node.asname]
    elif isinstance(node, ast.Global | ast.Nonlocal):
        names = list(node.names)
    elif isinstance(node, ast.pattern):
        names = [
            getattr(node, "name", None),
            getattr(node, "rest", None),
            *getattr(node, "kwd_attrs", ()),
        ]
    else:
        return []
    return [n if n.isascii() else unicodedata.normalize("NFKC", n) for n in names if n]


def _dunder_allowed(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.FunctionDef):
        return name in DUNDERS
    if isinstance(node, ast.Attribute):
        return name == "__name__" and isinstance(node.ctx, ast.Load)
    return isinstance(node, ast.alias) and name == "__future__"


def _bindings(node: ast.AST) -> tuple[str, ...]:
    """The names that a node itself binds, declares global or takes as a parameter."""
    if isinstance(node, ast.Name):
        return () if isinstance(node.ctx, ast.Load) else (node.id,)
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return (node.name,)
    if isinstance(node, ast.arg):
        return (node.arg,)
    if isinstance(node, ast.ExceptHandler) and node.name:
        return (node.name,)
    if isinstance(node, ast.Global | ast.Nonlocal):
        return tuple(node.names)
    if isinstance(node, ast.pattern):
        return tuple(
            name for name in (getattr(node, "name", None), getattr(node, "rest", None)) if name
        )
    if isinstance(node, ast.ImportFrom) and node.module not in DROPPED_IMPORTS:
        return tuple(alias.asname or alias.name for alias in node.names)
    return ()


def _check_function(node: ast.FunctionDef) -> None:
    if node.decorator_list:
        raise _unsupported(f"decorators are not available (on {node.name})", node)


def _check_arguments(node: ast.arguments) -> None:
    if node.posonlyargs and node.kwarg:
        raise RefusedProgram(
            "unsupported",
            "positional-only parameters beside ** are not available",
            node.kwarg.lineno,
        )


def _check_constant(node: ast.Constant) -> None:
    value = node.value
    if isinstance(value, complex | bytes):
        raise _unsupported(f"{type(value).__name__} values are not available", node)
    if isinstance(value, int) and value.bit_length() > 4096:
        raise RefusedProgram("source", "an integer of more than 4096 bits", node.lineno)
    if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
        raise _unsupported("a text with a lone surrogate", node)


def _check_delete(node: ast.Delete) -> None:
    for target in node.targets:
        if not isinstance(target, ast.Subscript):
            raise _unsupported("del is available for items of a list or dict only", node)


_CHECKS: Mapping[type[ast.AST], Callable[[Any], None]] = {
    ast.FunctionDef: _check_function,
    ast.arguments: _check_arguments,
    ast.Constant: _check_constant,
    ast.Delete: _check_delete,
}
"""The check of a node by its type; imports, classes and attributes also give names."""


def _check_import(node: ast.Import | ast.ImportFrom, api: Api) -> Iterator[tuple[str, str]]:
    """Names bound to modules, each with its module.

    Imports of names are checked here as well, and bound in `desugar`.
    """
    if isinstance(node, ast.ImportFrom):
        _check_names_of_module(node, api)
        return
    for alias in node.names:
        if alias.name not in MODULES and alias.name not in DROPPED_IMPORTS:
            raise _unsupported(f"import {alias.name}: {_modules()}", node)
        yield alias.asname or alias.name, alias.name


def _check_names_of_module(node: ast.ImportFrom, api: Api) -> None:
    module = node.module or "."
    for alias in node.names:
        name = alias.name
        of_the_api = module == "image_patch" and (name in api.names or name == "*")
        if of_the_api or module in ("__future__", "PIL"):
            continue
        if node.level or name not in MODULES.get(module, ()):
            raise _unsupported(f"from {module} import {name}: {_modules()}", node)


def _modules() -> str:
    return f"only these can be imported, in part: {', '.join(sorted(MODULES))}"


def _check_class(node: ast.ClassDef) -> Iterator[str]:
    """The attributes of a class; refuses what Monty's classes do not have."""
    if [b for b in node.bases if not (isinstance(b, ast.Name) and b.id == "object")]:
        raise _unsupported(f"classes cannot inherit (class {node.name})", node)
    if node.keywords or node.decorator_list:
        raise _unsupported(
            f"decorators and metaclasses are not available (class {node.name})", node
        )
    for item in node.body:
        yield from _attributes_of(item)


def _attributes_of(item: ast.stmt) -> list[str]:
    """The attributes that one statement of a class body defines."""
    if isinstance(item, ast.FunctionDef):
        return [item.name]
    if isinstance(item, ast.Assign):
        names = [target.id for target in item.targets if isinstance(target, ast.Name)]
        if len(names) == len(item.targets):
            return names
    if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
        return [item.target.id]
    documents = isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)
    if isinstance(item, ast.Pass) or documents:
        return []
    raise _unsupported("a class body may hold methods and plain values only", item)


def _check_uses(
    nodes: list[ast.AST], bound: set[str], attributes: set[str], modules: dict[str, str]
) -> None:
    """Refuse builtins and methods that Python has and the sandbox has not.

    Names that Python does not have either are let through: they fail when they are reached.
    """
    if not OF_THE_PRELUDE.keys().isdisjoint(modules.values()):
        _check_modules(nodes, bound, modules)
    for node in nodes:
        if isinstance(node, ast.Name):
            name = node.id
            own = name in bound and scope_of(node) != "builtin"
            if name in ALL_BUILTINS and name not in BUILTINS and not own:
                raise _unsupported(f"'{name}' is not available in the sandbox", node)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if owner in modules and owner not in bound:
                _check_name_of_module(node, modules[owner])
            elif node.attr not in attributes:
                _check_method(node)


def _check_modules(nodes: list[ast.AST], bound: set[str], modules: Mapping[str, str]) -> None:
    """Refuse a module as a value: its functions are the prelude's only where they are named."""
    owners = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        if not isinstance(node, ast.Name) or id(node) in owners:
            continue
        own = node.id in bound and scope_of(node) != "builtin"
        if not own and modules.get(node.id) in OF_THE_PRELUDE:
            raise _unsupported(f"the module {node.id} as a value; name its functions", node)


def _check_name_of_module(node: ast.Attribute, module: str) -> None:
    if node.attr not in MODULES.get(module, ()):
        raise _unsupported(f"{module}.{node.attr} is not available in the sandbox", node)


def _check_method(node: ast.Attribute) -> None:
    if node.attr in MATCH_ATTRIBUTES:
        raise _unsupported(f"the attribute {node.attr} of a match is not available", node)
    if node.attr in BUILTIN_METHODS and node.attr not in METHODS:
        method = BUILTIN_METHODS[node.attr]
        raise _unsupported(f"the method {method} is not available in the sandbox", node)
