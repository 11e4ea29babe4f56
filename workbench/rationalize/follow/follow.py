"""Following a trace through its program: every claim that the run supports, and what its answer
means.

The trace says what happened (which line, which branch, which tool answered what); the program says
why.  Where the two readings differ, the trace is believed and the meaning dropped, so nothing is
claimed that the run contradicts.  A program that cannot be followed still gives its tool answers.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.rationalize.claims.claims import (
    UNKNOWN,
    Cut,
    Found,
    Group,
    NamedPatch,
    Patch,
    Story,
    Truth,
    Val,
)
from workbench.rationalize.follow.expressions import Evaluator
from workbench.rationalize.follow.frames import Frame, Loop, adds_one, gather, missed
from workbench.rationalize.follow.narrowing import items_of
from workbench.rationalize.follow.reading import FollowedRun, FollowedStep, agree
from workbench.rationalize.follow.source import Source
from workbench.rationalize.follow.tool_calls import ALIASES, AnsweredCall, claim_of


@dataclass(slots=True)
class Followed:
    """What a run supports."""

    story: Story
    answer: Val
    """The returned value; `about` is None where its meaning is not known."""
    nouns: tuple[str, ...]
    """Names of things that occur in the run, in order."""
    lost: bool
    """Some statement that the answer may rest on could not be followed."""
    events: tuple[int, ...]
    """`seq` of the events that hold the answer."""


class Follower:
    """Follows one run; use `follow`."""

    def __init__(self, source: str, run: FollowedRun, nouns: Sequence[str] = ()) -> None:
        self.run = run
        self.story = Story()
        self.nouns: dict[str, None] = dict.fromkeys(nouns)
        self.called: dict[Any, str] = {}
        """The noun under which each patch was found last, by box."""
        self.frames: dict[int, Frame] = {}
        self.stack: list[int] = []
        self.lost = False
        self.program = Source(source)

    def follow(self) -> Followed:
        for step in self.run.steps:
            try:
                getattr(self, f"_on_{step.kind}", self._on_other)(step)
            except (
                Exception
            ):  # the program and its trace are hostile: what cannot be followed is not told
                self._lose(step)
        frame = self.frames.get(0)
        answer = frame.result if frame is not None else Val(UNKNOWN)
        return Followed(self.story, answer, tuple(self.nouns), self.lost, self.run.closing)

    # --- events ---

    def _frame(self, number: int) -> Frame:
        if number not in self.frames:
            self.frames[number] = Frame(
                {"image": Val(self.run.picture)} if self.run.picture else {}
            )
        return self.frames[number]

    def _on_other(self, step: FollowedStep) -> None:
        pass

    def _on_tool(self, step: FollowedStep) -> None:
        frame = self._frame(step.frame)
        asked = step.call
        if asked is None:
            return
        one = self._thing(asked.receiver)
        self._learn(asked)
        claim, val = claim_of(asked, one, tuple(self.nouns))
        if isinstance(claim, Found):
            for patch in claim.patches:
                self.called[patch.box] = claim.noun
        before = len(self.story.entries)
        number = self.story.add(claim, set(asked.events))
        if number == before:
            frame.claims.append(number)
        frame.events |= asked.events
        frame.feed.append(
            (ALIASES.get(asked.name, asked.name), replace(val, rests=frozenset({number})))
        )
        frame.lines.append(step.line)

    def _learn(self, asked: AnsweredCall) -> None:
        results = asked.result if isinstance(asked.result, list) else [asked.result]
        words = [*asked.arguments.values(), *results]
        words += [patch.label for patch in results if isinstance(patch, Patch)]
        for word in words:
            if (
                isinstance(word, str)
                and 1 < len(word) <= 40
                and len(word.split()) <= 3
                and word.replace(" ", "").isalpha()
            ):
                self.nouns.setdefault(word.lower())

    def _on_call(self, step: FollowedStep) -> None:
        names = {name: self._shown(value) for name, value in step.values.items()}
        if (
            self.program.function_at(step.line) == "execute_command"
            and self.run.picture is not None
        ):
            names = dict.fromkeys(names, Val(self.run.picture))
        self.frames[step.frame] = Frame(names, function=self.program.function_at(step.line))
        self.stack.append(step.frame)

    def _on_return(self, step: FollowedStep) -> None:
        frame = self._frame(step.frame)
        node = self.program.statement(step.line, ast.Return)
        self._stale(frame, node)
        val = Val(step.value)
        if isinstance(node, ast.Return) and node.value is not None:
            val = self._evaluated(step, node.value) or val
            val = self._conclusion(frame, node, val)
        if node is None:
            self._lose(step)
        if val.value is UNKNOWN:
            val = replace(val, value=step.value)
        elif step.value is not UNKNOWN and not agree(val.value, step.value):
            val = self._shown(step.value)
        frame.result = val
        if step.frame != 0:
            parent = self._frame(step.parent)
            parent.returned.append((frame.function, val))
            parent.claims += frame.claims
            parent.events |= frame.events
        self._done(frame)

    def _conclusion(self, frame: Frame, node: ast.stmt, val: Val) -> Val:
        """A constant that is returned means what the tests around it rested on."""
        if val.about is None and val.value in (True, False, "yes", "no"):
            return replace(val, about=self._around(frame, node))
        if isinstance(val.about, Truth) and not val.about.items:
            return replace(val, about=None)
        return val

    def _around(self, frame: Frame, node: ast.stmt) -> Truth | None:
        for parent in self.program.inside(node):
            if isinstance(parent, ast.If) and parent in frame.tests:
                return Truth(tuple(frame.tests[parent]))
        return None

    def _on_branch(self, step: FollowedStep) -> None:
        frame = self._frame(step.frame)
        node = self.program.statement(step.line, ast.If, ast.While)
        self._stale(frame, node)
        if not isinstance(node, ast.If | ast.While):
            return self._lose(step)
        evaluator = self._evaluator(frame, step)
        try:
            taken, told = evaluator.test(node.test)
        except Exception:
            self._unclear(frame, node)
            return self._lose(step)
        if taken != step.value:
            self._unclear(frame, node)
            return self._lose(step)
        for number in told.rests:
            self.story.entries[number].kept = True
        items = items_of(told)
        frame.tests[node] = items
        loop = self._loop_of(frame, node)
        if loop is not None:
            loop.path += items
            if not taken:
                missed(frame, self.program.filled_by(node), loop, items)
        self._done(frame)

    def _unclear(self, frame: Frame, node: ast.stmt) -> None:
        loop = self._loop_of(frame, node)
        if loop is not None:
            loop.clear = False

    def _on_line(self, step: FollowedStep) -> None:
        frame = self._frame(step.frame)
        node = self.program.statement(step.line)
        self._stale(frame, node)
        if isinstance(node, ast.For):
            self._iterate(frame, node, step)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr):
            self._simple(frame, node, step)
        else:
            if node is None:
                self._lose(step)
            self._adopt(frame, step)
        self._done(frame)

    # --- statements ---

    def _simple(self, frame: Frame, node: ast.stmt, step: FollowedStep) -> None:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            single = not isinstance(node, ast.Assign) or len(node.targets) == 1
            if isinstance(target, ast.Name) and single:
                val = self._evaluated(step, node.value)
                if val is not None:
                    gathers = isinstance(node.value, ast.BinOp) and adds_one(node.value, target.id)
                    if isinstance(node.value, ast.Constant) and isinstance(val.value, bool | str):
                        val = self._conclusion(frame, node, val)
                    self._adopt(frame, step, {target.id: val})
                    frame.gathered.pop(target.id, None) if not gathers else gather(
                        frame, self._loop_of(frame, node), target.id
                    )
                    return
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            one = (
                isinstance(node.op, ast.Add)
                and isinstance(node.value, ast.Constant)
                and node.value.value == 1
            )
            self._adopt(frame, step)
            if one:
                gather(frame, self._loop_of(frame, node), node.target.id)
            else:
                frame.gathered.pop(node.target.id, None)
            return
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self._called(frame, node, node.value, step)
            return
        self._lose(step)
        self._adopt(frame, step)

    def _called(self, frame: Frame, node: ast.Expr, call: ast.Call, step: FollowedStep) -> None:
        func = call.func
        if (
            isinstance(func, ast.Attribute)
            and isinstance(func.value, ast.Name)
            and func.value.id in frame.names
        ):
            name = func.value.id
            if func.attr == "append" and len(call.args) == 1:
                self._evaluated(step, call.args[0])
                self._adopt(frame, step)
                gather(frame, self._loop_of(frame, node), name)
                return
            key = next((k.value for k in call.keywords if k.arg == "key"), None)
            if func.attr == "sort" and isinstance(key, ast.Lambda):
                ordered = ast.Call(ast.Name("sorted"), [func.value], call.keywords)
                val = self._evaluated(step, ordered)
                self._adopt(frame, step, {name: val} if val is not None else {})
                return
        if isinstance(func, ast.Name) and func.id == "print":
            for arg in call.args:
                self._evaluated(step, arg, quiet=not frame.feed)
            self._adopt(frame, step)
            return
        if self._evaluated(step, call) is None:
            self._lose(step)
        self._adopt(frame, step)

    def _iterate(self, frame: Frame, node: ast.For, step: FollowedStep) -> None:
        loop = frame.loops.get(node)
        if loop is None:
            base = self._evaluated(step, node.iter) or Val(UNKNOWN)
            loop = frame.loops[node] = Loop(base)
        for inner in ast.walk(node):
            if inner is not node and isinstance(inner, ast.For):
                frame.loops.pop(inner, None)
        element = Val(UNKNOWN)
        target = node.target
        values = loop.base.value
        if isinstance(values, list | tuple) and loop.next < len(values):
            value = values[loop.next]
            noun = loop.base.about.noun if isinstance(loop.base.about, Group) else None
            element = Val(
                value,
                self._thing(value, noun) if isinstance(value, Patch) else None,
                loop.base.rests,
            )
        loop.next += 1
        loop.path, loop.clear = [], True
        self._adopt(frame, step, {target.id: element} if isinstance(target, ast.Name) else {})
        bound = frame.names.get(target.id) if isinstance(target, ast.Name) else None
        loop.patch = bound.value if bound is not None and isinstance(bound.value, Patch) else None
        if isinstance(values, list | tuple) and loop.next >= len(values):
            frame.loops[node] = loop  # the next event of this line starts a new pass
            loop.base = replace(loop.base, value=UNKNOWN) if loop.next > len(values) else loop.base

    # --- loops that fill a variable ---

    def _loop_of(self, frame: Frame, node: ast.stmt) -> Loop | None:
        for parent in self.program.inside(node):
            if isinstance(parent, ast.For):
                return frame.loops.get(parent)
        return None

    # --- values ---

    def _evaluator(self, frame: Frame, step: FollowedStep) -> Evaluator:
        evaluator = Evaluator(
            frame.names,
            frame.feed,
            frame.returned,
            self.story,
            frame.events | {step.seq},
            self._noun,
            frame.claims,
        )
        evaluator.focus = [loop.patch for loop in frame.loops.values() if loop.patch is not None]
        return evaluator

    def _evaluated(self, step: FollowedStep, node: ast.expr, quiet: bool = False) -> Val | None:
        frame = self._frame(step.frame)
        names = dict(frame.names)
        evaluator = self._evaluator(frame, step)
        evaluator.names = names
        try:
            return evaluator.value(node)
        except (
            Exception
        ):  # Lost, or anything a hostile program provokes: the trace's own values stay
            if not quiet:
                self._lose(step)
            for number in frame.claims:
                self.story.touch(
                    number
                )  # as they were asked: what was worked out so far does not hold
            return None

    def _adopt(
        self, frame: Frame, step: FollowedStep, computed: Mapping[str, Val] | None = None
    ) -> None:
        """Bind what the statement changed: computed values where they agree with the trace, else
        the trace's.
        """
        computed = computed or {}
        for name, value in step.values.items():
            mine = computed.get(name)
            if mine is not None and agree(mine.value, value):
                frame.names[name] = mine
            else:
                frame.names[name] = self._shown(value)
        for name, val in computed.items():
            if name not in step.values and val.value is not UNKNOWN:
                frame.names[name] = val

    def _shown(self, value: Any) -> Val:
        """A value as the trace shows it, with what its patches were called."""
        if isinstance(value, Patch):
            return Val(value, self._thing(value))
        if isinstance(value, Cut):
            return Val(UNKNOWN)
        if isinstance(value, list) and value and all(isinstance(item, Patch) for item in value):
            number = next(
                (
                    n
                    for n, e in enumerate(self.story.entries)
                    if isinstance(e.claim, Found) and set(e.claim.patches) == set(value)
                ),
                None,
            )
            if number is not None:
                claim = self.story.entries[number].claim
                assert isinstance(claim, Found)
                return Val(
                    value, Group(claim.noun, tuple(value), (), claim.patches), frozenset({number})
                )
        return Val(value)

    def _noun(self, patch: Patch) -> str:
        return self.called.get(patch.box) or patch.label or ""

    def _thing(self, patch: Patch | None, noun: str | None = None) -> NamedPatch | None:
        if patch is None or patch.whole:
            return None
        return NamedPatch(patch, noun or self._noun(patch))

    def _stale(self, frame: Frame, node: ast.stmt | None) -> None:
        """Calls of an earlier statement that reported nothing: a loop over an empty list.  It
        decided the way.
        """
        if node is None:
            return
        body = getattr(node, "body", None)
        last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
        while frame.lines and not node.lineno <= frame.lines[0] <= max(last, node.lineno):
            frame.lines.popleft()
            for number in frame.feed.popleft()[1].rests:
                self.story.entries[number].kept = True

    def _done(self, frame: Frame) -> None:
        frame.feed.clear()
        frame.lines.clear()
        frame.returned.clear()
        frame.events.clear()
        frame.claims.clear()

    def _lose(self, step: FollowedStep) -> None:
        frame = self._frame(step.frame)
        for number in frame.claims:
            self.story.entries[number].kept = True
        self.lost = True


def follow(source: str, run: FollowedRun, nouns: Sequence[str] = ()) -> Followed:
    """Follow a run through its program.

    Args:
        source: the program.
        run: its trace, read by `reading.read`.
        nouns: names of things known beforehand (the task's choices).
    """
    return Follower(source, run, nouns).follow()
