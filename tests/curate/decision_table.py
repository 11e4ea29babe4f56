"""Events made by hand, and the facts that make them lawful."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from workbench.curate import apply
from workbench.curate.fold import History
from workbench.curate.rules import Facts
from workbench.records import Decision, Form, Rating

NOON = datetime(2026, 3, 3, 12)

FACTS = Facts(
    task=True,
    trace_task="t1",
    trace_program="p1",
    trace_events=5,
    trace_ok=True,
    program_task="t1",
    rationale_trace="r1-trace",
    models=frozenset({"model-a", "model-b"}),
)

RATING = Rating("model-a", "model-b", Form(True, True, True, False), Form(False, False), "left")


class Table:
    """Where people say things: each event is checked and gets its place, an hour after the one
    before.
    """

    def __init__(self) -> None:
        self.history = History()
        self.n = 0

    def say(
        self, kind: Any, author: str = "ann", role: Any = "curator", task: str = "t1", **more: Any
    ) -> Decision:
        self.n += 1
        place: dict[str, Any] = {"seq": self.n, "created_at": NOON + timedelta(hours=self.n)}
        event = Decision(f"event-{self.n:04d}", kind, author, role, task, **more, **place)
        facts = replace(FACTS, trace_task=event.task_id, rationale_trace=event.trace_id)
        return apply(self.history, [event], [facts], 1)[0][0]

    def accept(self, author: str = "ann", trace: str = "trace-1", **more: Any) -> Decision:
        return self.say("accept", author, trace_id=trace, **more)

    def reject(self, author: str = "ann", **more: Any) -> Decision:
        return self.say("reject", author, reason="ambiguous", **more)

    def undo(self, event: Decision) -> Decision:
        return self.say("undo", event.author, event.role, event.task_id, target=event.id)

    def state(self, overlap: int = 1) -> str:
        return self.history.item("t1", overlap).state
