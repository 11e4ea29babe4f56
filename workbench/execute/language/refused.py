"""The error that a program which may not run is refused with."""

from __future__ import annotations

import ast

from workbench.records import ErrorKind


class RefusedProgram(Exception):
    """The program does not pass the gate; the run ends with this as its `Failure`."""

    def __init__(self, kind: ErrorKind, message: str, line: int | None) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.message = message
        self.line = line


def refuse_in_class(node: ast.ClassDef, kind: type[ast.expr], what: str) -> None:
    """Refuse an expression that stands in a class's body, outside its methods.

    Args:
        node: The class.
        kind: The expression.
        what: What people call it.

    Raises:
        RefusedProgram: there is one.
    """
    for item in node.body:
        if not isinstance(item, ast.FunctionDef) and any(
            isinstance(n, kind) for n in ast.walk(item)
        ):
            message = f"{what} in a class body are not available"
            raise RefusedProgram("unsupported", message, item.lineno)
