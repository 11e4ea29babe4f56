"""Follows a trace through its program: what the run supports, and what its answer means.

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
from workbench.rationalize.follow.frames import Frame, Loop, adds_one, gather, leave_empty
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
    """Whether a statement on which the answer may rest could not be followed."""
    events: tuple[int, ...]
    """`seq` of the events that hold the answer."""


class Follower:
    """Follows one run; use `follow`."""

    def __init__(self, source: str, run: FollowedRun, nouns: Sequence[str] = ()) -> None:
        self.run = run
        self.story = Story()
        self.nouns: dict[str, None] = dict.fromkeys(nouns)
        self.called: dict[Any, str] = {}
        """The noun under which a detector gave each patch last, by its place."""
        self.frames: dict[int, Frame] = {}
        self.stack: list[int] = []
        self.lost = False
        self.program = Source(source)

    def follow(self) -> Followed:
        """Follow every step of the run."""
        for step in self.run.steps:
            try:
                getattr(self, f"_on_{step.kind}", self._on_other)(step)
            except Exception:  # program and trace are hostile: what is not followed is not told
                self._lose(step)
        frame = self.frames.get(0)
        answer = frame.result if frame is not None else Val(UNKNOWN)
        return Followed(self.story, answer, tuple(self.nouns), self.lost, self.run.closing)

    # --- events ---

    def _frame(self, number: int) -> Frame:
        if number not in self.frames:
            names = {"image": self._argument()} if self.run.picture else {}
            self.frames[number] = Frame(names)
        return self.frames[number]

    def _argument(self) -> Val:
        """What the program is called with: the picture, or the list of the pictures."""
        pictures = self.run.pictures
        if not pictures:
            return Val(self.run.picture)
        whole = [one.picture for one in pictures] == [*range(len(pictures))]
        return Val([*pictures] if whole and len(pictures) == self.run.number else UNKNOWN)

    def _on_other(self, step: FollowedStep) -> None:
        pass

    def _on_tool(self, step: FollowedStep) -> None:
        frame = self._frame(step.frame)
        call = step.call
        if call is None:
            return
        one = self._thing(call.receiver)
        self._learn(call)
        claim, val = claim_of(call, one, tuple(self.nouns))
        if isinstance(claim, Found):
            for patch in claim.patches:
                self.called[patch.place] = claim.noun
        before = len(self.story.entries)
        number = self.story.add(claim, set(call.events))
        if number == before:
            frame.claims.append(number)
        frame.events |= call.events
        answer = replace(val, rests=frozenset({number}))
        frame.feed.append((ALIASES.get(call.name, call.name), answer))
        frame.lines.append(step.line)

    def _learn(self, call: AnsweredCall) -> None:
        """Remember every text of a call that may be the name of a thing."""
        results = call.result if isinstance(call.result, list) else [call.result]
        words = [*call.arguments.values(), *results]
        words += [patch.label for patch in results if isinstance(patch, Patch)]
        for word in words:
            if isinstance(word, str) and _may_be_name(word):
                self.nouns.setdefault(word.lower())

    def _on_call(self, step: FollowedStep) -> None:
        names = {name: self._traced(value) for name, value in step.values.items()}
        if (
            self.program.function_at(step.line) == "execute_command"
            and self.run.picture is not None
        ):
            names = dict.fromkeys(names, self._argument())
        self.frames[step.frame] = Frame(names, function=self.program.function_at(step.line))
        self.stack.append(step.frame)

    def _on_return(self, step: FollowedStep) -> None:
        frame = self._frame(step.frame)
        node = self.program.statement(step.line, ast.Return)
        self._stale(frame, node)
        val = Val(step.value)
        if isinstance(node, ast.Return) and node.value is not None:
            val = self._evaluate(step, node.value) or val
            val = self._conclusion(frame, node, val)
        if node is None:
            self._lose(step)
        if val.value is UNKNOWN:
            val = replace(val, value=step.value)
        elif step.value is not UNKNOWN and not agree(val.value, step.value):
            val = self._traced(step.value)
        frame.result = val
        if step.frame != 0:
            parent = self._frame(step.parent)
            parent.returned.append((frame.function, val))
            parent.claims += frame.claims
            parent.events |= frame.events
        self._done(frame)

    def _conclusion(self, frame: Frame, node: ast.stmt, val: Val) -> Val:
        """A constant that is returned means what the tests around it rest on."""
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
            truth, val = evaluator.test(node.test)
        except Exception:
            self._unclear(frame, node)
            return self._lose(step)
        if truth != step.value:
            self._unclear(frame, node)
            return self._lose(step)
        for number in val.rests:
            self.story.entries[number].kept = True
        items = items_of(val)
        frame.tests[node] = items
        loop = self._loop_of(frame, node)
        if loop is not None:
            loop.path += items
            if not truth:
                leave_empty(frame, self.program.variables_of(node), loop, items)
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
        match node:
            case ast.Assign([ast.Name(name)], value) | ast.AnnAssign(
                ast.Name(name), _, ast.expr() as value
            ):
                followed = self._assign(frame, node, step, name, value)
            case ast.AugAssign(ast.Name(name)):
                followed = True
                self._add_to(frame, node, step, name)
                one = isinstance(node.value, ast.Constant) and node.value.value == 1
                self._fill(frame, node, name, isinstance(node.op, ast.Add) and one)
            case ast.Expr(ast.Call() as call):
                followed = True
                self._call_statement(frame, node, call, step)
            case _:
                followed = False
        if not followed:
            self._lose(step)
            self._adopt(frame, step)

    def _assign(
        self, frame: Frame, node: ast.stmt, step: FollowedStep, name: str, value: ast.expr
    ) -> bool:
        """Follow `name = value`; False where the value could not be followed."""
        val = self._evaluate(step, value)
        if val is None:
            return False
        if isinstance(value, ast.Constant) and isinstance(val.value, bool | str):
            val = self._conclusion(frame, node, val)
        self._adopt(frame, step, {name: val})
        self._fill(frame, node, name, isinstance(value, ast.BinOp) and adds_one(value, name))
        return True

    def _add_to(self, frame: Frame, node: ast.AugAssign, step: FollowedStep, name: str) -> None:
        """Follow `name += value`, which keeps the meaning of neither.

        A sum over several pictures rests on what was found in each; the texts about one picture
        stay as they were told.
        """
        before, val = frame.names.get(name), None
        if self.run.pictures:
            val = self._evaluate(step, node.value, quiet=True)
        self._adopt(frame, step)
        if val is not None and name in frame.names:
            rests = val.rests | (before.rests if before is not None else frozenset())
            frame.names[name] = replace(frame.names[name], rests=rests)

    def _fill(self, frame: Frame, node: ast.stmt, name: str, adds: bool) -> None:
        """A statement added one to a variable, or gave it another value."""
        if adds:
            gather(frame, self._loop_of(frame, node), name)
        else:
            frame.gathered.pop(name, None)

    def _call_statement(
        self, frame: Frame, node: ast.Expr, call: ast.Call, step: FollowedStep
    ) -> None:
        func = call.func
        if (
            isinstance(func, ast.Attribute)
            and isinstance(func.value, ast.Name)
            and func.value.id in frame.names
        ):
            name = func.value.id
            if func.attr == "append" and len(call.args) == 1:
                self._evaluate(step, call.args[0])
                self._adopt(frame, step)
                gather(frame, self._loop_of(frame, node), name)
                return
            key = next((k.value for k in call.keywords if k.arg == "key"), None)
            if func.attr == "sort" and isinstance(key, ast.Lambda):
                ordered = ast.Call(ast.Name("sorted"), [func.value], call.keywords)
                val = self._evaluate(step, ordered)
                self._adopt(frame, step, {name: val} if val is not None else {})
                return
        if isinstance(func, ast.Name) and func.id == "print":
            for arg in call.args:
                self._evaluate(step, arg, quiet=not frame.feed)
            self._adopt(frame, step)
            return
        if self._evaluate(step, call) is None:
            self._lose(step)
        self._adopt(frame, step)

    def _iterate(self, frame: Frame, node: ast.For, step: FollowedStep) -> None:
        loop = frame.loops.get(node)
        if loop is None:
            base = self._evaluate(step, node.iter) or Val(UNKNOWN)
            loop = frame.loops[node] = Loop(base)
        for inner in ast.walk(node):
            if inner is not node and isinstance(inner, ast.For):
                frame.loops.pop(inner, None)
        element = self._item_of(loop)
        loop.next += 1
        loop.path, loop.clear, loop.patch = [], True, None
        if isinstance(node.target, ast.Name):
            self._adopt(frame, step, {node.target.id: element})
            item = frame.names.get(node.target.id)
            if item is not None and isinstance(item.value, Patch):
                loop.patch = item.value
        else:
            self._adopt(frame, step)
        values = loop.base.value
        if isinstance(values, list | tuple) and loop.next > len(values):
            # More rounds than items: the list was another one.
            loop.base = replace(loop.base, value=UNKNOWN)

    def _item_of(self, loop: Loop) -> Val:
        """The next item of a loop, as far as it is known."""
        values, group = loop.base.value, loop.base.about
        if not isinstance(values, list | tuple) or loop.next >= len(values):
            return Val(UNKNOWN)
        value = values[loop.next]
        noun = group.noun if isinstance(group, Group) else None
        thing = self._thing(value, noun) if isinstance(value, Patch) else None
        return Val(value, thing, loop.base.rests)

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

    def _evaluate(self, step: FollowedStep, node: ast.expr, quiet: bool = False) -> Val | None:
        frame = self._frame(step.frame)
        names = dict(frame.names)
        evaluator = self._evaluator(frame, step)
        evaluator.names = names
        try:
            return evaluator.value(node)
        except Exception:  # Untellable, or anything that a hostile program provokes
            if not quiet:
                self._lose(step)
            # The claims stand in the order of the calls again: no reasoning came between them.
            for number in frame.claims:
                self.story.touch(number)
            return None

    def _adopt(
        self, frame: Frame, step: FollowedStep, computed: Mapping[str, Val] | None = None
    ) -> None:
        """Bind what a statement changed.

        A computed value is bound where it agrees with the trace; elsewhere the trace's is.
        """
        computed = computed or {}
        for name, value in step.values.items():
            mine = computed.get(name)
            if mine is not None and agree(mine.value, value):
                frame.names[name] = mine
            else:
                frame.names[name] = self._traced(value)
        for name, val in computed.items():
            if name not in step.values and val.value is not UNKNOWN:
                frame.names[name] = val

    def _traced(self, value: Any) -> Val:
        """A value of the trace, its patches with the nouns that they were called."""
        if isinstance(value, Patch):
            return Val(value, self._thing(value))
        if isinstance(value, Cut):
            return Val(UNKNOWN)
        if not isinstance(value, list) or not all(isinstance(item, Patch) for item in value):
            return Val(value)
        for number, entry in enumerate(self.story.entries if value else ()):
            claim = entry.claim
            if isinstance(claim, Found) and set(claim.patches) == set(value):
                group = Group(claim.noun, tuple(value), (), claim.patches)
                return Val(value, group, frozenset({number}))
        return Val(value)

    def _noun(self, patch: Patch) -> str:
        return self.called.get(patch.place) or patch.label or ""

    def _thing(self, patch: Patch | None, noun: str | None = None) -> NamedPatch | None:
        if patch is None or (patch.whole and patch.picture is None):
            return None
        if patch.whole:  # of several pictures, one is named
            return NamedPatch(patch, "")
        return NamedPatch(patch, noun or self._noun(patch))

    def _stale(self, frame: Frame, node: ast.stmt | None) -> None:
        """Drop the calls of an earlier statement that reported nothing: a loop over an empty list.

        Their claims decided which way the program went.
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


def _may_be_name(text: str) -> bool:
    """Whether a text is one to three short words."""
    return 1 < len(text) <= 40 and len(text.split()) <= 3 and text.replace(" ", "").isalpha()


def follow(source: str, run: FollowedRun, nouns: Sequence[str] = ()) -> Followed:
    """Follow a run through its program.  Never raises.

    Args:
        source: the program.
        run: its trace, as `reading.read` gives it.
        nouns: names of things beside those in the run: the options of the question.
    """
    return Follower(source, run, nouns).follow()
