"""Records at the end of a cell: IPython is told how to show them, in the kernel that imports this
package.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from workbench.errors import WorkbenchError
from workbench.records import Prediction, Program, Rationale, Task, Trace, Verdict
from workbench.store import Project
from workbench.widgets import pictures, plain
from workbench.widgets.current import current_or_none
from workbench.widgets.trace import TracePlayer

Record = Task | Program | Trace | Verdict | Rationale | Prediction

_PLAIN: dict[type, Callable[[Any], str]] = {
    Program: plain.program, Trace: plain.trace, Verdict: plain.verdict, Rationale: plain.rationale,
    Prediction: plain.prediction,
}  # fmt: skip


class Html:
    """Something that a cell shows as HTML."""

    def __init__(self, text: str) -> None:
        self._text = text

    def _repr_html_(self) -> str:
        return self._text


def show(record: Record, project: Project | None = None) -> TracePlayer | Html:
    """What a record looks like: a player for a trace whose picture the project has, else plain
    HTML.
    """
    project = current_or_none(project)
    if isinstance(record, Trace) and project is not None:
        player = TracePlayer(record, project=project)
        if player.picture:
            return player
        player.close()
    if isinstance(record, Task):
        return Html(plain.task(record, pictures.inline_all(project, record)))
    return Html(_plainly(record))


def _plainly(record: Record) -> str:
    return next(write for kind, write in _PLAIN.items() if isinstance(record, kind))(record)


def register() -> None:
    """Teach the kernel that imports this package, where there is one."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        load_ipython_extension(shell)


def load_ipython_extension(shell: Any) -> None:
    """Teach a kernel to show records: `%load_ext workbench.widgets` calls this."""
    for kind in (Task, *_PLAIN):
        shell.display_formatter.mimebundle_formatter.for_type(kind, _bundle)


def _bundle(record: Record, include: object = None, exclude: object = None) -> Any:
    try:
        view = show(record)
    except WorkbenchError:  # a record is shown even where its project has gone
        view = Html(plain.task(record) if isinstance(record, Task) else _plainly(record))
    if isinstance(view, Html):
        return {"text/html": view._repr_html_()}
    return view._repr_mimebundle_()
