"""Runs programs that a model wrote: checked, sandboxed, batched, traced.

with Executor(tools, images, Limits(), ResultCache(path)) as executor:
    for trace in executor.run((task, program) for ...):
        ...
"""

from workbench.execute.cache import ResultCache
from workbench.execute.executor import Executor
from workbench.execute.limits import Limits
from workbench.execute.trace import decode_events, diff_traces, encode_events, final_locals

__all__ = ["Executor", "Limits", "ResultCache", "decode_events", "diff_traces", "encode_events", "final_locals"]
