"""Calls in a followed program: tools, builtins, and the API's own functions.

Answers of tools come from the trace; what the others give is computed.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from workbench.boxes import Box, clip, from_lower_left
from workbench.rationalize.claims import relations
from workbench.rationalize.claims.claims import (
    UNKNOWN,
    CutText,
    Extreme,
    Ground,
    Group,
    Holds,
    Measure,
    NamedPatch,
    Patch,
    Story,
    ToolText,
    Truth,
    Untellable,
    Val,
)
from workbench.rationalize.claims.clauses import Predicate
from workbench.rationalize.follow.builtin_calls import BUILTINS, NUMBERS, TEXTS_OF, boolean
from workbench.rationalize.follow.narrowing import items_of
from workbench.rationalize.follow.tool_calls import ALIASES

MAX_ITEMS = 1000
"""Longest sequence followed."""
MAX_TEXT = 10_000
"""Longest text built, characters."""
_TEXT_METHODS = frozenset({"lower", "strip", "upper", "rstrip", "lstrip", "title", "capitalize"})


class Calls:
    """The state of one statement's evaluation, and how calls in it are followed.

    `expressions.Evaluator` adds every other expression.

    Args:
        names: variables of the frame.
        feed: answers of the tool calls that this statement made, in order, each with the tool's
            name (aliases resolved) and its value.
        returned: values of the program's own functions that this statement called, in order, each
            with the function's name.
        story: takes the claims that decide something.
        events: `seq` numbers to cite for these claims.
        noun: gives the name under which a patch was looked for last.
        fresh: numbers of the claims that the statement's own tool calls brought.
    """

    def __init__(
        self,
        names: dict[str, Val],
        feed: deque[tuple[str, Val]],
        returned: deque[tuple[str, Val]],
        story: Story,
        events: set[int],
        noun: Callable[[Patch], str],
        fresh: Sequence[int] = (),
    ) -> None:
        self.names = names
        self.feed = feed
        self.returned = returned
        self.story = story
        self.events = events
        self.noun = noun
        self.fresh = fresh
        self.focus: list[Patch] = []
        """The items of the running loops, innermost last: a comparison is about one of them."""

    # --- entry points ---

    def value(self, node: ast.expr) -> Val:
        """The value of an expression.

        Raises:
            Untellable: the expression has a form that is not followed.
        """
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            raise Untellable(type(node).__name__)
        result: Val = method(node)
        return result

    def test(self, node: ast.expr) -> tuple[bool, Val]:
        """The truth of a condition, whose grounds go into the story.

        Raises:
            Untellable: the expression has a form that is not followed.
        """
        val = self.value(node)
        return boolean(val.value), self.tell(val)

    def tell(self, val: Val) -> Val:
        """Put the claims that a condition rests on into the story."""
        claims: list[Holds | Any] = []
        if isinstance(val.about, Truth):
            claims = [item.claim for item in val.about.items if item.claim is not None]
        elif isinstance(val.about, ToolText) and val.about.item is not None:
            claims = [val.about.item.claim]
        rests = set(val.rests)
        for claim in claims:
            rests.add(self.story.add(claim, self.events, val.rests))
        return replace(val, rests=frozenset(rests))

    def _element(self, base: Val, index: int) -> Val:
        value = base.value[index]
        if isinstance(value, Patch):
            noun = base.about.noun if isinstance(base.about, Group) else self.noun(value)
            return Val(value, NamedPatch(value, noun), base.rests)
        return Val(value, None, base.rests)

    def _each(self, base: Val, target: ast.expr) -> Any:
        if not isinstance(base.value, list | tuple) or not isinstance(target, ast.Name):
            raise Untellable("loop")
        if len(base.value) > MAX_ITEMS:
            raise Untellable("loop")
        before = self.names.get(target.id)
        for index in range(len(base.value)):
            element = self._element(base, index)
            self.names[target.id] = element
            self.focus.append(element.value)
            yield index, element
        if before is not None:
            self.names[target.id] = before

    def _Call(self, node: ast.Call) -> Val:
        if isinstance(node.func, ast.Attribute):
            return self._method(node, node.func)
        if not isinstance(node.func, ast.Name):
            raise Untellable("call")
        name = node.func.id
        if name in ("any", "all") and len(node.args) == 1:
            items = node.args[0]
            if isinstance(items, ast.GeneratorExp | ast.ListComp):
                return self._any_or_all(name, items)
        if name in ("min", "max", "sorted"):
            return self._extreme_or_order(name, node)
        args = [self.value(_counting(arg) if name == "sum" else arg) for arg in node.args]
        args += [self.value(keyword.value) for keyword in node.keywords]
        rests = frozenset().union(*(arg.rests for arg in args))
        if self.feed and self.feed[0][0] == ALIASES.get(name, name):
            return self._from_feed(rests, args)
        if self.returned and self.returned[0][0] == name:
            val = self.returned.popleft()[1]
            return replace(val, rests=val.rests | rests)
        return self._builtin(name, args, rests)

    def _from_feed(self, rests: frozenset[int], args: Sequence[Val]) -> Val:
        """The answer of a tool, which may be about the thing that an argument's text is about."""
        val = self.feed.popleft()[1]
        texts = [arg.about for arg in args if isinstance(arg.about, ToolText)]
        subject = next((text.one for text in texts if text.one is not None), None)
        for number in val.rests & set(self.fresh):
            self.story.touch(number)
        if isinstance(val.about, ToolText) and val.about.one is None and subject is not None:
            item = val.about.item and replace(val.about.item, patch=subject.patch)
            val = replace(val, about=replace(val.about, one=subject, item=item))
        for number in val.rests:
            self.story.entries[number].rests |= rests - {number}
        return val

    def _method(self, node: ast.Call, func: ast.Attribute) -> Val:
        base = self.value(func.value)
        args = [
            self.value(arg) for arg in (*node.args, *(keyword.value for keyword in node.keywords))
        ]
        rests = base.rests.union(*(arg.rests for arg in args))
        if self.feed and self.feed[0][0] == ALIASES.get(func.attr, func.attr):
            return self._from_feed(rests, args)
        if isinstance(base.value, str):
            return self._text(func.attr, base, args, rests)
        if isinstance(base.value, Patch):
            return self._geometry(func.attr, base, args, rests)
        raise Untellable(func.attr)

    def _text(self, name: str, base: Val, args: Sequence[Val], rests: frozenset[int]) -> Val:
        if name in _TEXT_METHODS and not args:
            return replace(base, value=getattr(base.value, name)())
        words = [arg.value for arg in args]
        if name in ("startswith", "endswith") and len(words) == 1 and isinstance(words[0], str):
            item = base.about.item if isinstance(base.about, ToolText) else None
            about = Truth((item,) if item else ())
            return Val(getattr(base.value, name)(words[0]), about, rests)
        if name == "replace" and len(words) == 2 and all(isinstance(word, str) for word in words):
            return Val(base.value.replace(*words)[:MAX_TEXT], base.about, rests)
        raise Untellable(name)

    def thing(self, val: Val) -> NamedPatch:
        """The thing that a patch means; one without a meaning has the noun that it was called."""
        if isinstance(val.about, NamedPatch):
            return val.about
        return NamedPatch(val.value, self.noun(val.value))

    def _geometry(self, name: str, base: Val, args: Sequence[Val], rests: frozenset[int]) -> Val:
        if name == "overlaps" and args and isinstance(args[0].value, Patch):
            return self._overlaps(base, args[0], rests)
        corners = [arg.value for arg in args]
        if name == "crop" and len(corners) == 4 and all(isinstance(v, NUMBERS) for v in corners):
            return self._crop(base, corners, rests)
        raise Untellable(name)

    def _overlaps(self, base: Val, other: Val, rests: frozenset[int]) -> Val:
        a, b = base.value.box, other.value.box
        value = a.x0 <= b.x1 and b.x0 <= a.x1 and a.y0 <= b.y1 and b.y0 <= a.y1
        predicate = Predicate("overlap", "{0}", (self.thing(other),))
        claim = Holds(self.thing(base), predicate, value)
        return Val(value, Truth((Ground(claim, value, predicate, base.value),)), rests)

    def _crop(self, base: Val, corners: Sequence[float], rests: frozenset[int]) -> Val:
        patch: Patch = base.value
        try:
            left, lower, right, upper = (float(v) for v in corners)
            box = from_lower_left(left, lower, right, upper, patch.box.height)
        except ValueError as error:
            raise Untellable("crop") from error
        box = clip(box, patch.box.width, patch.box.height)
        # The corners count from the patch, its box from the whole picture.
        x, y = patch.box.x0, patch.box.y0
        part = replace(patch, box=Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y))
        return Val(part, NamedPatch(part, self.thing(base).noun), rests)

    def _builtin(self, name: str, args: Sequence[Val], rests: frozenset[int]) -> Val:
        """The value of a builtin or of a function of the API."""
        first = args[0] if args else Val(UNKNOWN)
        if name == "ImagePatch" and len(args) == 1:
            return first
        if isinstance(first.value, CutText):
            raise Untellable("a text that the trace does not show in full")
        if name == "distance" and len(args) == 2:
            return self._distance(args[0], args[1], rests)
        write = TEXTS_OF.get(name)
        if write is not None and len(args) == 1 and isinstance(first.value, (*NUMBERS, str)):
            return replace(first, value=write(first.value))
        function = BUILTINS.get(name)
        val = function(first, rests) if function is not None else None
        if val is None:
            raise Untellable(name)
        return val

    def _distance(self, first: Val, second: Val, rests: frozenset[int]) -> Val:
        if not isinstance(first.value, Patch) or not isinstance(second.value, Patch):
            raise Untellable("distance")
        one, towards = self.thing(first), self.thing(second)
        if towards.patch in self.focus and one.patch not in self.focus:
            one, towards = towards, one
        value = relations.distance(first.value, second.value)
        return Val(value, Measure("distance", one, towards), rests)

    def _any_or_all(self, name: str, node: ast.GeneratorExp | ast.ListComp) -> Val:
        part = node.generators[0]
        if len(node.generators) != 1 or part.ifs:
            raise Untellable(name)
        base = self.value(part.iter)
        # A generator ends with the first item that decides; a list is computed to its end.
        eager = isinstance(node, ast.ListComp)
        result, rests, items = name == "all", set(base.rests), []
        for _, _element in self._each(base, part.target):
            truth, val = self.test(node.elt)
            rests |= val.rests
            items += items_of(val)
            self.focus.pop()
            if truth != (name == "all"):
                result = truth
                if not eager:
                    break
        return Val(result, Truth(tuple(items)), frozenset(rests))

    def _extreme_or_order(self, name: str, node: ast.Call) -> Val:
        """The value of min, max or sorted: of numbers, or of a list by a key."""
        key = _keyword(node, "key")
        if key is None and len(node.args) > 1 and name != "sorted":
            return self._of_numbers(name, node.args)
        if len(node.args) != 1 or not isinstance(key, ast.Lambda) or len(key.args.args) != 1:
            raise Untellable(name)
        base = self.value(node.args[0])
        keys, rests = self.keys_of(base, key)
        order = _keyword(node, "reverse")
        reverse = order is not None and boolean(self.value(order).value)
        if name == "sorted":
            return self._sorted(base, keys, rests, reverse)
        return self._extreme(name, base, keys, rests)

    def _of_numbers(self, name: str, nodes: Sequence[ast.expr]) -> Val:
        values = [self.value(node).value for node in nodes]
        if not all(isinstance(value, NUMBERS) for value in values):
            raise Untellable(name)
        return Val(min(values) if name == "min" else max(values))

    def keys_of(self, base: Val, key: ast.Lambda) -> tuple[list[tuple[Any, Val]], frozenset[int]]:
        """The items of a list, each with its key, and what the keys rest on.

        Raises:
            Untellable: a key is neither a number nor a text.
        """
        keys: list[tuple[Any, Val]] = []
        rests = set(base.rests)
        for _, element in self._each(base, ast.Name(key.args.args[0].arg)):
            val = self.value(key.body)
            self.focus.pop()
            if not isinstance(val.value, (*NUMBERS, str)):
                raise Untellable("key")
            rests |= val.rests
            keys.append((element.value, val))
        return keys, frozenset(rests)

    def _sorted(
        self, base: Val, keys: Sequence[tuple[Any, Val]], rests: frozenset[int], reverse: bool
    ) -> Val:
        try:
            order = sorted(keys, key=lambda pair: pair[1].value, reverse=reverse)
        except TypeError as error:
            raise Untellable("sorted") from error
        group = base.about
        if isinstance(group, Group):
            about = keys[0][1].about if keys else None
            measure = about if isinstance(about, Measure) else None
            patches = tuple(value for value, _ in order)
            group = replace(group, patches=patches, order=measure, falling=reverse)
        return Val([value for value, _ in order], group, rests)

    def _extreme(
        self, name: str, base: Val, keys: Sequence[tuple[Any, Val]], rests: frozenset[int]
    ) -> Val:
        choose = min if name == "min" else max
        try:
            best, val = choose(keys, key=lambda pair: pair[1].value)
        except (TypeError, ValueError) as error:
            raise Untellable(name) from error
        noun = ""
        if isinstance(base.about, Group):
            noun = base.about.noun
        elif isinstance(best, Patch):
            noun = self.noun(best)
        others = [pair for pair in keys if pair[0] != best]
        after = choose(others, key=lambda pair: pair[1].value)[0] if others else None
        most = name == "max"
        return self.stands_out(best, noun, base.about, val.about, most, rests, after)

    def picked(self, one: Any, index: int, group: Group, rests: frozenset[int]) -> Val:
        """The first or the last of several things, in the order in which they were found.

        Args:
            one: the item.
            index: 0 or -1.
            group: meaning of the list.
            rests: numbers of the claims that it rests on.
        """
        if not isinstance(one, Patch):
            return Val(one, None, rests)
        thing = NamedPatch(one, group.noun)
        claim = Extreme(thing, "last" if index else "first", None, group)
        return Val(one, thing, frozenset({self.story.add(claim, self.events, rests)}))

    def stands_out(
        self,
        best: Any,
        noun: str,
        group: Any,
        measure: Any,
        most: bool,
        rests: frozenset[int],
        after: Any = None,
    ) -> Val:
        """One item as the leftmost, largest, nearest ... of a group; it is told where that has a
        word.

        Args:
            best: the item, a patch or any other value.
            noun: what it is called.
            group: meaning of the list that it was picked from.
            measure: meaning of the key.
            most: whether its key is the highest; otherwise it is the lowest.
            rests: numbers of the claims that it rests on.
            after: the item that comes next; None where there is none.
        """
        if not isinstance(best, Patch):
            return Val(best, None, rests)
        one = NamedPatch(best, noun)
        if not isinstance(measure, Measure) or not isinstance(group, Group):
            return Val(best, one, rests)
        kind = measure.kind.removeprefix("-")
        word = relations.superlative(kind, most == (kind == measure.kind))
        if word is None or len(group.patches) < 2:
            return Val(best, one, rests)
        runner_up = NamedPatch(after, noun) if isinstance(after, Patch) else None
        claim = Extreme(one, word, measure.towards, group, runner_up)
        return Val(best, one, frozenset({self.story.add(claim, self.events, rests)}))


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _counting(node: ast.expr) -> ast.expr:
    """`1 for x in xs if x < 3` for `x < 3 for x in xs`, whose sum is the same number of things."""
    if not isinstance(node, ast.GeneratorExp | ast.ListComp) or not _is_test(node.elt):
        return node
    *before, last = node.generators
    tested = ast.comprehension(last.target, last.iter, [*last.ifs, node.elt], last.is_async)
    return type(node)(ast.Constant(1), [*before, tested])


def _is_test(node: ast.expr) -> bool:
    """Whether an expression is certainly a bool: a comparison, a `not`, or several of them."""
    if isinstance(node, ast.BoolOp):
        return all(map(_is_test, node.values))
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not)
    return isinstance(node, ast.Compare)
