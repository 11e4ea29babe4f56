"""The first gate: what a program's source may contain, refused with name and line.

Nothing here is the border that keeps a program in (the sandbox is).  It makes refusals early, cheap
and clear, keeps hidden names out of reach, and refuses whatever Monty would run differently from
Python.
"""

from __future__ import annotations

import ast
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbench.api import Api
from workbench.execute.language.tables import (
    ALL_BUILTINS,
    BUILTIN_METHODS,
    BUILTINS,
    DROPPED_IMPORTS,
    DUNDERS,
    METHODS,
    MODULES,
    REFUSED,
)
from workbench.limits import Limits
from workbench.parsing import parse
from workbench.records import ErrorKind

MAIN = "execute_command"


class RefusedProgram(Exception):
    """A program that does not pass; becomes a `Failure` row."""

    def __init__(self, kind: ErrorKind, message: str, line: int | None) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.message = message
        self.line = line


@dataclass(slots=True)
class CheckedSource:
    """A program that passed."""

    tree: ast.Module
    bound: frozenset[str]
    """Every name that the program binds anywhere."""
    attributes: frozenset[str]
    """Methods and fields of the program's own classes."""
    modules: frozenset[str]
    """Names under which it imported modules."""
    wrapped: bool
    """A bare body: `execute_command` was put around it."""
    nodes: Sequence[ast.AST]
    """All of `tree`, as it was checked."""
    rare: bool = False
    """Set by the rewriting: needs the part of the prelude that few programs need."""


def check(source: str, api: Api, limits: Limits) -> CheckedSource:
    """Parse and check a program.  Raises Refused with kind `syntax`, `unsupported` or `source`."""
    tree, wrapped = _whole(_parse(source, limits))
    nodes = _measure(tree, limits)
    bound: set[str] = set()
    attributes: set[str] = set()
    modules: dict[str, str] = {}
    for node in nodes:
        if what := REFUSED.get(type(node)):
            raise _unsupported(f"the sandbox does not have {what}", node)
        for name in _identifiers(node):
            if name.startswith("__") and not _dunder_allowed(node, name):
                raise RefusedProgram(
                    "source",
                    f"names that begin with two underscores cannot be used: '{name[:40]}'",
                    _line(node),
                )
        bound.update(_bindings(node))
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules.update(_check_import(node, api))
        elif isinstance(node, ast.ClassDef):
            attributes.update(_check_class(node))
        elif isinstance(node, ast.FunctionDef) and node.decorator_list:
            raise _unsupported(f"decorators are not available (on {node.name})", node)
        elif isinstance(node, ast.arguments) and node.posonlyargs and node.kwarg:
            raise RefusedProgram(
                "unsupported",
                "positional-only parameters beside ** are not available",
                node.kwarg.lineno,
            )
        elif isinstance(node, ast.Constant):
            _check_constant(node)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                if not isinstance(target, ast.Subscript) or isinstance(target.slice, ast.Slice):
                    raise _unsupported("del is available for one item of a list or dict only", node)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            attributes.add(node.attr)
    _check_uses(nodes, bound, attributes, modules)
    return CheckedSource(
        tree, frozenset(bound), frozenset(attributes), frozenset(modules), wrapped, nodes
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
    """Every node, breadth first; raises when there are too many or the nesting is too deep."""
    nodes: list[ast.AST] = []
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        nodes += level
        if len(nodes) > limits.nodes:
            raise RefusedProgram(
                "source", f"the source has more than {limits.nodes} syntax nodes", None
            )
        if depth > limits.nesting:
            raise RefusedProgram(
                "source", f"the source is nested more than {limits.nesting} deep", _line(level[0])
            )
        below: list[ast.AST] = []
        for node in level:
            for name in node._fields:
                value = getattr(node, name, None)
                if isinstance(value, list):
                    below.extend(v for v in value if isinstance(v, ast.AST))
                elif isinstance(value, ast.AST) and not isinstance(
                    value, ast.expr_context | ast.operator | ast.cmpop
                ):
                    below.append(value)
        level = below
        depth += 1
    return nodes


def _whole(tree: ast.Module) -> tuple[ast.Module, bool]:
    """A program with `execute_command`; a bare body that ends in `return` is wrapped."""
    mains = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == MAIN]
    if mains:
        a = mains[-1].args
        plain = a.posonlyargs + a.args
        needed = len(plain) - len(a.defaults)
        if needed > 1 or not (plain or a.vararg) or any(d is None for d in a.kw_defaults):
            raise RefusedProgram(
                "source", f"{MAIN} takes one argument, the image", mains[-1].lineno
            )
        tree.body = [node for node in tree.body if not _is_call_of_main(node)]
        return tree, False
    if any(isinstance(node, ast.Return) for top in tree.body for node in _outside_functions(top)):
        imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        body = [node for node in tree.body if node not in imports]
        arguments = ast.arguments(
            [], [ast.arg("image", lineno=1, col_offset=0)], None, [], [], None, []
        )
        function = ast.FunctionDef(MAIN, arguments, body, [], lineno=body[0].lineno, col_offset=0)
        return ast.Module([*imports, function], []), True
    raise RefusedProgram("source", f"the program has no function {MAIN}(image)", None)


def _is_call_of_main(node: ast.stmt) -> bool:
    """Published files end by opening a picture and calling `execute_command`; here the executor
    does both.
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
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        for child in ast.iter_child_nodes(node):
            yield from _outside_functions(child)


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
        return name in DUNDERS  # only inside a class: see _check_class
    if isinstance(node, ast.Attribute):
        return name == "__name__" and isinstance(node.ctx, ast.Load)
    return isinstance(node, ast.alias) and name == "__future__"


def _bindings(node: ast.AST) -> tuple[str, ...]:
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


def _check_constant(node: ast.Constant) -> None:
    value = node.value
    if isinstance(value, complex | bytes):
        raise _unsupported(f"{type(value).__name__} values are not available", node)
    if isinstance(value, int) and value.bit_length() > 4096:
        raise RefusedProgram("source", "an integer of more than 4096 bits", node.lineno)
    if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
        raise _unsupported("a text with a lone surrogate", node)


def _check_import(node: ast.Import | ast.ImportFrom, api: Api) -> Iterator[tuple[str, str]]:
    """Names bound to modules, with the module; imports of names are checked and bound in `desugar`."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name not in MODULES and alias.name not in DROPPED_IMPORTS:
                raise _unsupported(f"import {alias.name}: {_modules()}", node)
            yield alias.asname or alias.name, alias.name
        return
    module = node.module or "."
    for alias in node.names:
        given = module == "image_patch" and (alias.name in api.names or alias.name == "*")
        if given or module in ("__future__", "PIL"):
            continue
        if module == "re" and alias.name in ("findall", "split", "sub"):
            raise _unsupported(
                f"from re import {alias.name}: write `import re` and re.{alias.name}(...)", node
            )
        if node.level or alias.name not in MODULES.get(module, ()):
            raise _unsupported(f"from {module} import {alias.name}: {_modules()}", node)


def _modules() -> str:
    return f"only these can be imported, in part: {', '.join(sorted(MODULES))}"


def _check_class(node: ast.ClassDef) -> Iterator[str]:
    """The attributes of a class; raises for what Monty's classes do not have."""
    if [b for b in node.bases if not (isinstance(b, ast.Name) and b.id == "object")]:
        raise _unsupported(f"classes cannot inherit (class {node.name})", node)
    if node.keywords or node.decorator_list:
        raise _unsupported(
            f"decorators and metaclasses are not available (class {node.name})", node
        )
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            yield item.name
        elif isinstance(item, ast.Assign) and all(isinstance(t, ast.Name) for t in item.targets):
            yield from (t.id for t in item.targets if isinstance(t, ast.Name))
        elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            yield item.target.id
        elif not isinstance(item, ast.Pass) and not (
            isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)
        ):
            raise _unsupported("a class body may hold methods and plain values only", item)


def _check_uses(
    nodes: list[ast.AST], bound: set[str], attributes: set[str], modules: dict[str, str]
) -> None:
    """Builtins and methods that are Python's but not the sandbox's are refused; unknown ones fail
    when reached.
    """
    for node in nodes:
        if isinstance(node, ast.Name):
            name = node.id
            if name in ALL_BUILTINS and name not in BUILTINS and name not in bound:
                raise _unsupported(f"'{name}' is not available in the sandbox", node)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            if (
                isinstance(node.value, ast.Name)
                and node.value.id in modules
                and node.value.id not in bound
            ):
                if node.attr not in MODULES.get(modules[node.value.id], ()):
                    raise _unsupported(
                        f"{modules[node.value.id]}.{node.attr} is not available in the sandbox",
                        node,
                    )
            elif (
                node.attr in BUILTIN_METHODS
                and node.attr not in METHODS
                and node.attr not in attributes
            ):
                raise _unsupported(
                    f"the method {BUILTIN_METHODS[node.attr]} is not available in the sandbox", node
                )
