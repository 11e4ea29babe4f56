"""Lambdas that stand in for methods, which Monty cannot give as values."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

OF_THE_PRELUDE = {
    "update": "__update__",
    "format": "__format__",
    "sort": "__sorted_in_place__",
    "union": "__several__",
    "intersection": "__several__",
    "difference": "__several__",
    "symmetric_difference": "__several__",
}
"""Methods that the prelude replaces where they are called, and so where they are values too."""


def parameters(names: Sequence[str], star: bool = False) -> ast.arguments:
    """The parameters of a lambda; `star` adds `*a, **k`."""
    vararg, kwarg = (ast.arg("a"), ast.arg("k")) if star else (None, None)
    return ast.arguments([], [ast.arg(n) for n in names], vararg, [], [], kwarg, [])


def stand_in(
    method: str, names: Sequence[str], of_the_prelude: Mapping[str, str] | None = None
) -> ast.expr:
    """`lambda o, *a, **k: o.method(*a, **k)`; `o` may belong to a lambda around it.

    Args:
        method: Name of the method.
        names: The parameters before `*a`.
        of_the_prelude: Methods in whose place the prelude has a function; it gets `o` first.
    """
    owner: ast.expr = ast.Name("o", ast.Load())
    function: ast.expr = ast.Attribute(owner, method, ast.Load())
    arguments: list[ast.expr] = [ast.Starred(ast.Name("a", ast.Load()), ast.Load())]
    if name := (of_the_prelude or {}).get(method):
        function = ast.Name(name, ast.Load())
        # 9: the survey counts methods as values among what it cannot follow
        first = [ast.Constant(method), ast.Constant(9)] if name == "__several__" else []
        arguments = [*first, owner, *arguments]
    keywords = ast.keyword(None, ast.Name("k", ast.Load()))
    call = ast.Call(function, arguments, [keywords])
    return ast.Lambda(parameters(names, star=True), call)
