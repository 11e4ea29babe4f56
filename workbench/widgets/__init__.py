"""The workbench in a notebook: one step player, one store, the keys of the pages.

    from workbench import widgets

    project = widgets.use("my-project")
    widgets.ReviewQueue()

In a kernel the import also teaches it to show records: a `Trace` at the end of a cell is a player.
Needs the packages of the extra `lab`; nothing else imports this.

Files:
    base.py      what the widgets share: code, styles, requests to the kernel, saved notebooks
    current.py   the project that a notebook works on
    display.py   records at the end of a cell
    monitor.py   JobMonitor: a training job while it runs
    pictures.py  pictures as bytes, sized to what is shown
    plain.py     records as HTML that needs no script: what a saved notebook shows
    playing.py   a widget around the step player: its model, step, first wrong step
    queue.py     ReviewQueue: deciding in a cell
    side.py      SideBySide: program and student answer at the same time
    static/      one ES module a widget, and their styles
    table.py     ProgramTable: the programs of a question
    trace.py     TracePlayer: one run
"""

from workbench.widgets.current import use
from workbench.widgets.display import load_ipython_extension, register, show
from workbench.widgets.monitor import JobMonitor
from workbench.widgets.queue import ReviewQueue
from workbench.widgets.side import SideBySide
from workbench.widgets.table import ProgramTable
from workbench.widgets.trace import TracePlayer

__all__ = [
    "JobMonitor",
    "ProgramTable",
    "ReviewQueue",
    "SideBySide",
    "TracePlayer",
    "load_ipython_extension",
    "show",
    "use",
]

register()
