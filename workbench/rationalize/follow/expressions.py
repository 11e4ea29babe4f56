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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench.rationalize.claims import relations
from workbench.rationalize.claims.claims import (
    UNKNOWN,
    Count,
    CountComparison,
    Difference,
    Ground,
    Group,
    Holds,
    HowMany,
    Meaning,
    Measure,
    NamedPatch,
    Patch,
    ToolText,
    Truth,
    Untellable,
    Val,
)
from workbench.rationalize.claims.clauses import Predicate, article
from workbench.rationalize.follow.builtin_calls import NUMBERS, boolean
from workbench.rationalize.follow.calls import MAX_TEXT, Calls
from workbench.rationalize.follow.narrowing import compare, exchange_sides, items_of, narrow


class Evaluator(Calls):
    """Evaluates the expressions of one statement; its arguments are those of `calls.Calls`."""

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
                if about is None and isinstance(val.about, ToolText):
                    about = val.about
                parts.append(str(val.value))
            elif isinstance(piece, ast.Constant):
                parts.append(str(piece.value))
        return Val("".join(parts)[:MAX_TEXT], _part_of(about), frozenset(rests))

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
        one = self.thing(base)
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
            return self._slice(base, node.slice)
        index = self.value(node.slice).value
        if not isinstance(index, int) or not -len(base.value) <= index < len(base.value):
            raise Untellable("index")
        group = base.about
        end = index in (0, -1, len(base.value) - 1)
        if not isinstance(group, Group) or not end:
            return self._element(base, index)
        if group.order is None:
            if index in (0, -1) and len(base.value) > 1:
                return self.picked(base.value[index], index, group, base.rests)
            return self._element(base, index)
        # The first or the last of a sorted list is the leftmost, largest, ... of its group.
        most = group.falling if index == 0 else not group.falling
        plain = replace(group, order=None, falling=False)
        items = base.value
        second = 1 if index == 0 else -2
        after = items[second] if len(items) > 1 else None
        return self.stands_out(
            items[index], group.noun, plain, group.order, most, base.rests, after
        )

    def _slice(self, base: Val, node: ast.Slice) -> Val:
        start, end = (b if b is None else self.value(b).value for b in (node.lower, node.upper))
        if node.step is not None or not all(b is None or isinstance(b, int) for b in (start, end)):
            raise Untellable("slice")
        return Val(list(base.value[start:end]), None, base.rests)

    # --- logic ---

    def _IfExp(self, node: ast.IfExp) -> Val:
        truth, test = self.test(node.test)
        val = self.value(node.body if truth else node.orelse)
        about = val.about
        if about is None and val.value in ("yes", "no") and isinstance(test.about, Truth):
            about = test.about
        return Val(val.value, about, val.rests | test.rests)

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
            about = None
            if isinstance(val.about, Measure):
                about = replace(val.about, kind=f"-{val.about.kind}")
            return Val(-val.value, about, val.rests)
        raise Untellable("unary")

    def _BinOp(self, node: ast.BinOp) -> Val:
        left, right = self.value(node.left), self.value(node.right)
        if (
            isinstance(node.op, ast.Add)
            and isinstance(left.value, str)
            and isinstance(right.value, str)
        ):
            about = left.about if isinstance(left.about, ToolText) else right.about
            text = (left.value + right.value)[:MAX_TEXT]
            about = _part_of(about) if isinstance(about, ToolText) else None
            return Val(text, about, left.rests | right.rests)
        if not (isinstance(left.value, NUMBERS) and isinstance(right.value, NUMBERS)):
            raise Untellable("arithmetic")
        value = _arithmetic(node.op, left.value, right.value)
        if (
            isinstance(node.op, ast.Sub)
            and isinstance(left.about, Count)
            and isinstance(right.about, Count)
        ):
            about = Difference(left.about.group, right.about.group)
            return Val(value, about, left.rests | right.rests)
        measure = relations.combine(left.about, node.op, right.about, right.value)
        return Val(value, measure, left.rests | right.rests)

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
        grounds = self._meaning(left, node.ops[0], right, value)
        return Val(value, Truth(grounds), left.rests | right.rests)

    def _meaning(self, left: Val, op: ast.cmpop, right: Val, value: bool) -> tuple[Ground, ...]:
        """What a comparison says: of places and sizes, of counts, of things or of tools' texts."""
        if (difference := _difference(left, op, right, value)) is not None:
            return difference
        if self._is_turned(left.about, right.about):
            left, right, op = right, left, exchange_sides(op)
        a, b = left.about, right.about
        if isinstance(op, _ORDERS):
            if isinstance(a, Measure):
                return _relation(a, op, b if isinstance(b, Measure) else right.value, value)
        elif (things := _two_things(a, op, b)) is not None:
            return self._identity(things[0], op, things[1], value)
        counts = [about for about in (a, b) if isinstance(about, Count)]
        if counts:
            groups = [count.group for count in counts]
            claim = CountComparison(*groups) if len(groups) == 2 else HowMany(groups[0])
            return (Ground(claim, value, None, None),)
        if isinstance(a, ToolText):
            return _words(a, op, right.value, value)
        return _words(b, op, left.value, value) if isinstance(b, ToolText) else ()

    def _is_turned(self, a: Meaning | None, b: Meaning | None) -> bool:
        """Whether a comparison is about its right side, as `bus.left > dog.left` of each dog."""
        if not isinstance(b, Measure) or isinstance(a, Count):
            return False
        if not isinstance(a, Measure) or a.one.patch.whole:
            return True
        return b.one.patch in self.focus and a.one.patch not in self.focus

    def _identity(
        self, a: NamedPatch, op: ast.cmpop, b: NamedPatch, value: bool
    ) -> tuple[Ground, ...]:
        if b.patch in self.focus and a.patch not in self.focus:
            a, b = b, a
        other = value == isinstance(op, ast.NotEq | ast.IsNot)
        return (Ground(None, other, relations.other_than(b), a.patch),)

    # --- collections ---

    def _comprehension(
        self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp
    ) -> tuple[list[Val], Group | None, set[int]]:
        """Values of a comprehension, the group that they stand for, and what they rest on."""
        if len(node.generators) != 1 or node.generators[0].is_async:
            raise Untellable("nested comprehension")
        part = node.generators[0]
        base = self.value(part.iter)
        results = []
        conditions: list[tuple[Patch, bool, list[Ground]]] = []
        rests = set(base.rests)
        for _, element in self._each(base, part.target):
            holds, items, numbers = self._all_hold(part.ifs)
            rests |= numbers
            if isinstance(element.value, Patch):
                conditions.append((element.value, holds, items))
            if holds:
                results.append(self.value(node.elt))
            self.focus.pop()
        group = base.about if isinstance(base.about, Group) else None
        if group is not None and part.ifs:
            group = narrow(group, conditions)
        return results, group, rests

    def _all_hold(self, tests: Sequence[ast.expr]) -> tuple[bool, list[Ground], set[int]]:
        """Whether all conditions hold, up to the first that does not, and what that rests on."""
        items: list[Ground] = []
        rests: set[int] = set()
        for test in tests:
            holds, val = self.test(test)
            rests |= val.rests
            items += items_of(val)
            if not holds:
                return False, items, rests
        return True, items, rests

    def _ListComp(self, node: ast.ListComp | ast.GeneratorExp) -> Val:
        results, group, rests = self._comprehension(node)
        for result in results:
            rests |= result.rests
        values = [result.value for result in results]
        # `[dog for dog in dogs if ...]` is a group, and `[1 for dog in dogs if ...]` counts one.
        target = node.generators[0].target
        same = isinstance(node.elt, ast.Name) and node.elt.id == getattr(target, "id", None)
        about = group if same or isinstance(node.elt, ast.Constant) else None
        return Val(values, about, frozenset(rests))

    _GeneratorExp = _SetComp = _ListComp


_ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}


def _arithmetic(op: ast.operator, left: float, right: float) -> Any:
    function = _ARITHMETIC.get(type(op))
    # A hostile program must not make this process compute for long.
    huge = max(abs(left), abs(right)) > 1e12
    steep = isinstance(op, ast.Pow) and right not in (0.5, 1, 2)
    if function is None or huge or steep:
        raise Untellable("arithmetic")
    try:
        return function(left, right)
    except (ZeroDivisionError, OverflowError) as error:
        raise Untellable("arithmetic") from error


def _difference(left: Val, op: ast.cmpop, right: Val, value: bool) -> tuple[Ground, ...] | None:
    """What the difference of two counts, held against a number, says; None without a difference.

    Against nought, or one more or less, it says of which there are more; against any other number
    it rests on both counts.
    """
    if isinstance(right.about, Difference):
        left, right, op = right, left, exchange_sides(op)
    difference, number = left.about, right.value
    if not isinstance(difference, Difference) or not isinstance(number, NUMBERS):
        return None
    first, second = difference.first, difference.second
    more = (isinstance(op, ast.GtE) and number == 1) or (isinstance(op, ast.LtE) and number == -1)
    if number == 0 or more:
        return (Ground(CountComparison(first, second), value, None, None),)
    return tuple(Ground(HowMany(group), value, None, None) for group in (first, second))


def _part_of(about: ToolText | None) -> ToolText | None:
    """What a tool's text means inside a longer text: it no longer affirms or denies anything."""
    return about and replace(about, item=None, label=False)


def _two_things(
    a: Meaning | None, op: ast.cmpop, b: Meaning | None
) -> tuple[NamedPatch, NamedPatch] | None:
    """The things that a comparison tells apart; None where it compares something else."""
    if isinstance(a, NamedPatch) and isinstance(b, NamedPatch):
        return a, b
    if not isinstance(a, Measure) or not isinstance(b, Measure):
        return None
    # `thing.left != bus.left`: how programs say that it is another thing.
    same = isinstance(op, ast.Eq | ast.NotEq) and a.kind == b.kind in ("x", "y")
    return (a.one, b.one) if same else None


def _relation(
    first: Measure, op: ast.cmpop, second: Measure | Any, value: bool
) -> tuple[Ground, ...]:
    predicate = relations.relation(first, isinstance(op, ast.Lt | ast.LtE), second)
    if predicate is None:
        return ()
    claim = Holds(first.one, predicate, value)
    return (Ground(claim, value, predicate, first.one.patch),)


def _words(text: ToolText, op: ast.cmpop, other: Any, value: bool) -> tuple[Ground, ...]:
    """What a comparison of a tool's text with names says of the thing: `is a dog or a cat`."""
    if text.item is not None:
        return (text.item,)
    names = [other] if isinstance(other, str) else other
    if text.one is None or not isinstance(names, list | tuple) or not _are_names(names):
        return ()
    # What a thing is called has an article (`is a dog`), its color has none.
    is_name = text.label or "color" not in text.question.lower()
    nouns = [text.one.noun, *names] if is_name else []
    predicate = Predicate("be", " or ".join(article(name, nouns) for name in names))
    holds = value != isinstance(op, ast.NotEq | ast.NotIn | ast.IsNot)
    claim = Holds(text.one, predicate, holds)
    return (Ground(claim, holds, predicate, text.one.patch),)


def _are_names(names: Sequence[Any]) -> bool:
    """Whether values are one to twelve short texts.

    A yes or no is not one: the tool gave no yes or no, so nothing is affirmed.
    """
    if not 0 < len(names) <= 12:
        return False
    if not all(isinstance(name, str) and len(name) < 60 for name in names):
        return False
    return not any(name.lower() in ("yes", "no", "true", "false") for name in names)
