"""Runs programs that a model wrote: checked, sandboxed, batched, traced.

with Executor(tools, images, Limits(), ResultCache(path)) as executor:
    for trace in executor.run((task, program) for ...):
        ...

Files:
    cache.py      results of tools by content, on disk
    executor.py   the executor: tools, pictures and limits in, one trace per program out
    jail.py       a jail around each sandbox worker, where the system offers one; no root needed
    key_errors.py  the text of a KeyError as Python prints it
    language/     the Python that programs may use, and what makes it equal CPython's
    launch.py     becomes Monty inside a jail
    messages.py   what a session says, as steps and failures
    run.py        one program's run, from source to trace
    sandbox.py    sessions of the sandbox: started, resumed, parked as bytes
    scheduler.py  many programs at once: they ask, the scheduler answers
    trace.py      the recorder: what a program reports becomes events
    values.py     what may cross the sandbox's border, and how
    worker_time.py  processor time of a sandbox worker, read and bounded
"""

from workbench.execute.cache import ResultCache
from workbench.execute.executor import Executor
from workbench.limits import Limits  # its home is below: profiles name limits too

__all__ = ["Executor", "Limits", "ResultCache"]
