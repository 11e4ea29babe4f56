"""Expressions of a followed program: their values, and what they mean in the picture.

A second reading of the program beside the sandbox's: tool answers come from the trace, the rest is
computed over plain values.  Nothing here can act: there are no names but the program's own
variables and a closed list of functions.  An expression outside the known forms raises
`Untellable`, and its statement is not told; whatever is computed is compared with what the trace
shows before it is believed (`follow`).
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workbench.rationalize.claims import relations
from workbench.rationalize.claims.claims import (
    UNKNOWN,
    Count,
    CountComparison,
    Ground,
    Group,
    Holds,
    HowMany,
    Measure,
    NamedPatch,
    Patch,
    ToolText,
    Truth,
    Untellable,
    Val,
)
from workbench.rationalize.claims.clauses import Predicate, article
from workbench.rationalize.follow.calls import MAX_TEXT, NUMBERS, Calls, boolean
from workbench.rationalize.follow.narrowing import compare, exchange_sides, items_of, narrow


class Evaluator(Calls):
    """Evaluates the expressions of one statement; see `calls.Calls` for its arguments."""

    # --- leaves ---

    def _Constant(self, node: ast.Constant) -> Val:
        return Val(node.value)

    def _Name(self, node: ast.Name) -> Val:
        if node.id in self.names:
            return self.names[node.id]
        raise Untellable(node.id)

    def _JoinedStr(self, node: ast.JoinedStr) -> Val:
        parts: list[str] = []
        rests: set[int] = set()
        about: ToolText | None = None
        for piece in node.values:
            if isinstance(piece, ast.FormattedValue):
                val = self.value(piece.value)
                if val.value is UNKNOWN or isinstance(val.value, list | Patch):
                    raise Untellable("value in text")
                rests |= val.rests
                about = about or (val.about if isinstance(val.about, ToolText) else None)
                parts.append(str(val.value))
            elif isinstance(piece, ast.Constant):
                parts.append(str(piece.value))
        return Val(
            "".join(parts)[:MAX_TEXT],
            about and replace(about, item=None, label=False),
            frozenset(rests),
        )

    def _List(self, node: ast.List | ast.Tuple | ast.Set) -> Val:
        vals = [self.value(item) for item in node.elts]
        rests = frozenset().union(*(val.rests for val in vals))
        ones = [val.about for val in vals if isinstance(val.about, NamedPatch)]
        if vals and len(ones) == len(vals):
            patches = tuple(one.patch for one in ones)
            noun = ones[0].noun if len({one.noun for one in ones}) == 1 else "object"
            return Val([val.value for val in vals], Group(noun, patches, (), patches), rests)
        return Val([val.value for val in vals], None, rests)

    _Tuple = _Set = _List

    def _Lambda(self, node: ast.Lambda) -> Val:
        return Val(node)

    def _NamedExpr(self, node: ast.NamedExpr) -> Val:
        val = self.value(node.value)
        self.names[node.target.id] = val
        return val

    # --- access ---

    def _Attribute(self, node: ast.Attribute) -> Val:
        base = self.value(node.value)
        if not isinstance(base.value, Patch):
            raise Untellable(node.attr)
        one = (
            base.about
            if isinstance(base.about, NamedPatch)
            else NamedPatch(base.value, self.noun(base.value))
        )
        if node.attr == "label":
            return Val(base.value.label, ToolText(one, "", None, label=True), base.rests)
        number = relations.field(base.value, node.attr)
        if number is None:
            raise Untellable(node.attr)
        return Val(number, Measure(relations.KINDS[node.attr], one), base.rests)

    def _Subscript(self, node: ast.Subscript) -> Val:
        base = self.value(node.value)
        if not isinstance(base.value, list | tuple):
            raise Untellable("subscript")
        if isinstance(node.slice, ast.Slice):
            bounds = [
                None if b is None else self.value(b).value
                for b in (node.slice.lower, node.slice.upper)
            ]
            if node.slice.step is not None or not all(
                b is None or isinstance(b, int) for b in bounds
            ):
                raise Untellable("slice")
            return Val(list(base.value[bounds[0] : bounds[1]]), None, base.rests)
        index = self.value(node.slice).value
        if not isinstance(index, int) or not -len(base.value) <= index < len(base.value):
            raise Untellable("index")
        group = base.about
        if (
            isinstance(group, Group)
            and group.order is not None
            and index in (0, -1, len(base.value) - 1)
        ):
            most = group.falling if index == 0 else not group.falling
            plain = replace(group, order=None, falling=False)
            return self.stands_out(
                base.value[index], group.noun, plain, group.order, most, base.rests
            )
        return self._element(base, index)

    # --- logic ---

    def _IfExp(self, node: ast.IfExp) -> Val:
        truth, told = self.test(node.test)
        val = self.value(node.body if truth else node.orelse)
        about = val.about
        if about is None and val.value in ("yes", "no") and isinstance(told.about, Truth):
            about = told.about
        return Val(val.value, about, val.rests | told.rests)

    def _BoolOp(self, node: ast.BoolOp) -> Val:
        items: list[Ground] = []
        rests: set[int] = set()
        val = Val(UNKNOWN)
        for part in node.values:
            val = self.value(part)
            truth = boolean(val.value)
            rests |= val.rests
            items += items_of(val)
            if truth != isinstance(node.op, ast.And):
                break
        return Val(val.value, Truth(tuple(items)), frozenset(rests))

    def _UnaryOp(self, node: ast.UnaryOp) -> Val:
        val = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return Val(not boolean(val.value), Truth(tuple(items_of(val))), val.rests)
        if isinstance(node.op, ast.USub) and isinstance(val.value, NUMBERS):
            about = (
                replace(val.about, kind=f"-{val.about.kind}")
                if isinstance(val.about, Measure)
                else None
            )
            return Val(-val.value, about, val.rests)
        raise Untellable("unary")

    def _BinOp(self, node: ast.BinOp) -> Val:
        left, right = self.value(node.left), self.value(node.right)
        rests = left.rests | right.rests
        if (
            isinstance(node.op, ast.Add)
            and isinstance(left.value, str)
            and isinstance(right.value, str)
        ):
            said = next(
                (val.about for val in (left, right) if isinstance(val.about, ToolText)), None
            )
            return Val(
                (left.value + right.value)[:MAX_TEXT],
                said and replace(said, item=None, label=False),
                rests,
            )
        if not (isinstance(left.value, NUMBERS) and isinstance(right.value, NUMBERS)):
            raise Untellable("arithmetic")
        functions: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
            ast.Add: operator.add,
            ast.Sub: operator.sub,
            ast.Mult: operator.mul,
            ast.Div: operator.truediv,
            ast.FloorDiv: operator.floordiv,
            ast.Pow: operator.pow,
        }
        function = functions.get(type(node.op))
        huge = max(abs(left.value), abs(right.value)) > 1e12
        if (
            function is None
            or huge
            or (isinstance(node.op, ast.Pow) and right.value not in (0.5, 1, 2))
        ):
            raise Untellable("arithmetic")
        try:
            value = function(left.value, right.value)
        except (ZeroDivisionError, OverflowError) as error:
            raise Untellable("arithmetic") from error
        return Val(value, relations.combine(left.about, node.op, right.about, right.value), rests)

    def _Compare(self, node: ast.Compare) -> Val:
        if len(node.ops) != 1:
            vals = [self.value(part) for part in (node.left, *node.comparators)]
            value = all(
                compare(op, a.value, b.value)
                for op, a, b in zip(node.ops, vals, vals[1:], strict=False)
            )
            return Val(value, Truth(()), frozenset().union(*(val.rests for val in vals)))
        left, right = self.value(node.left), self.value(node.comparators[0])
        value = compare(node.ops[0], left.value, right.value)
        return Val(
            value, Truth(self._meaning(left, node.ops[0], right, value)), left.rests | right.rests
        )

    def _meaning(self, left: Val, op: ast.cmpop, right: Val, value: bool) -> tuple[Ground, ...]:
        if (
            isinstance(right.about, Measure)
            and not isinstance(left.about, Count)
            and (
                not isinstance(left.about, Measure)
                or left.about.one.patch.whole
                or (right.about.one.patch in self.focus and left.about.one.patch not in self.focus)
            )
        ):
            left, right, op = right, left, exchange_sides(op)
        a, b = left.about, right.about
        field = isinstance(a, Measure) and isinstance(b, Measure) and a.kind == b.kind in ("x", "y")
        if (
            field
            and isinstance(op, ast.Eq | ast.NotEq)
            and isinstance(a, Measure)
            and isinstance(b, Measure)
        ):
            a, b = (
                a.one,
                b.one,
            )  # `thing.left != bus.left`: how programs say that it is another thing
        if isinstance(a, Measure) and isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            said = relations.relation(
                a, isinstance(op, ast.Lt | ast.LtE), b if isinstance(b, Measure) else right.value
            )
            if said is None:
                return ()
            return (Ground(Holds(a.one, said, value), value, said, a.one.patch),)
        if isinstance(a, Count) and isinstance(b, Count):
            claim_: Any = CountComparison(a.group, b.group)
            return (Ground(claim_, value, None, None),)
        if (
            isinstance(a, NamedPatch)
            and isinstance(b, NamedPatch)
            and not isinstance(op, ast.Lt | ast.Gt | ast.LtE | ast.GtE)
        ):
            if b.patch in self.focus and a.patch not in self.focus:
                a, b = b, a
            apart = value == isinstance(op, ast.NotEq | ast.IsNot)
            return (Ground(None, apart, relations.other_than(b), a.patch),)
        for count in (a, b):
            if isinstance(count, Count):
                return (Ground(HowMany(count.group), value, None, None),)
        for said_, other in ((a, right), (b, left)):
            if isinstance(said_, ToolText):
                return self._words(said_, op, other.value, value)
        return ()

    def _words(self, said: ToolText, op: ast.cmpop, other: Any, value: bool) -> tuple[Ground, ...]:
        if said.item is not None:
            return (said.item,)
        negated = isinstance(op, ast.NotEq | ast.NotIn | ast.IsNot)
        if said.one is None:
            return ()
        names = (
            [other]
            if isinstance(other, str)
            else list(other)
            if isinstance(other, list | tuple)
            else []
        )
        if any(
            isinstance(name, str) and name.lower() in ("yes", "no", "true", "false")
            for name in names
        ):
            return ()  # the tool gave no yes or no, so nothing is affirmed
        if (
            not names
            or len(names) > 12
            or not all(isinstance(name, str) and len(name) < 60 for name in names)
        ):
            return ()
        known = (
            [said.one.noun, *names] if said.label or "color" not in said.question.lower() else []
        )
        rest = " or ".join(article(name, known) for name in names)
        holds = value != negated
        predicate = Predicate("be", rest)
        claim = Holds(said.one, predicate, holds)
        return (Ground(claim, holds, predicate, said.one.patch),)

    # --- collections ---

    def _comprehension(
        self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp
    ) -> tuple[list[Val], Group | None, set[int]]:
        if len(node.generators) != 1 or node.generators[0].is_async:
            raise Untellable("nested comprehension")
        part = node.generators[0]
        base = self.value(part.iter)
        kept, results, conditions = [], [], []
        rests = set(base.rests)
        for index, element in self._each(base, part.target):
            passed, items = True, []
            for test in part.ifs:
                passed, told = self.test(test)
                rests |= told.rests
                items += items_of(told)
                if not passed:
                    break
            conditions.append((element, passed, items))
            if passed:
                kept.append(index)
                results.append(self.value(node.elt))
            self.focus.pop()
        group = None
        if isinstance(base.about, Group):
            narrowed = narrow(
                base.about,
                [(e.value, p, i) for e, p, i in conditions if isinstance(e.value, Patch)],
            )
            group = narrowed if part.ifs else base.about
        return results, group, rests

    def _ListComp(self, node: ast.ListComp | ast.GeneratorExp) -> Val:
        results, group, rests = self._comprehension(node)
        same = isinstance(node.elt, ast.Name) and node.elt.id == getattr(
            node.generators[0].target, "id", None
        )
        for result in results:
            rests |= result.rests
        values = [result.value for result in results]
        if not same:
            counted = isinstance(node.elt, ast.Constant) and group is not None
            return Val(values, group if counted else None, frozenset(rests))
        return Val(values, group, frozenset(rests))

    _GeneratorExp = _SetComp = _ListComp
