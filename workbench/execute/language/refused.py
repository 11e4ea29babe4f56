"""The error that a program which may not run is refused with."""

from __future__ import annotations

from workbench.records import ErrorKind


class RefusedProgram(Exception):
    """The program does not pass the gate; the run ends with this as its `Failure`."""

    def __init__(self, kind: ErrorKind, message: str, line: int | None) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.message = message
        self.line = line
