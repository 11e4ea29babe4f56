"""Calls in a followed program: tools (their answers come from the trace), builtins, and the API's
own functions.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from workbench.boxes import clip, from_lower_left
from workbench.rationalize.claims import relations
from workbench.rationalize.claims.claims import (
    UNKNOWN,
    Count,
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
from workbench.rationalize.follow.narrowing import items_of
from workbench.rationalize.follow.tool_calls import ALIASES

MAX_ITEMS = 1000
"""Longest sequence followed."""
MAX_TEXT = 10_000
"""Longest text built, characters."""
NUMBERS = (int, float)
_TEXT_METHODS = frozenset({"lower", "strip", "upper", "rstrip", "lstrip", "title", "capitalize"})


def boolean(value: Any) -> bool:
    """The truth of a known value; raises Lost for an unknown one."""
    if value is UNKNOWN:
        raise Untellable("unknown value")
    return bool(value)


class Calls:
    """The state of one statement's evaluation, and how calls in it are followed; see
    `evaluate.Evaluator`.

    Args: names: the frame's variables. feed: answers of the tool calls that this statement made, in
        order: name (aliases resolved) and value. returned: values of the program's own functions
        that this statement called, in order. story: where claims go that decide something. events:
        `seq` numbers to cite for them. noun: what a patch was called last. fresh: claims that the
        statement's own tool calls brought.
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
        """The things being gone through, innermost last: a comparison is about one of them."""

    # --- entry points ---

    def value(self, node: ast.expr) -> Val:
        """The value of an expression.  Raises Lost."""
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            raise Untellable(type(node).__name__)
        result: Val = method(node)
        return result

    def test(self, node: ast.expr) -> tuple[bool, Val]:
        """The truth of a condition; what it rests on is told."""
        val = self.value(node)
        return boolean(val.value), self.tell(val)

    def tell(self, val: Val) -> Val:
        """Put what a bool (or a count, or a list taken as a condition) rests on into the story."""
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
        if (
            not isinstance(base.value, list | tuple)
            or len(base.value) > MAX_ITEMS
            or not isinstance(target, ast.Name)
        ):
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
        if (
            name in ("any", "all")
            and len(node.args) == 1
            and isinstance(node.args[0], ast.GeneratorExp | ast.ListComp)
        ):
            return self._quantified(name, node.args[0])
        if name in ("min", "max", "sorted"):
            return self._ordered(name, node)
        args = [self.value(arg) for arg in node.args]
        args += [self.value(keyword.value) for keyword in node.keywords]
        rests = frozenset().union(*(arg.rests for arg in args))
        if self.feed and self.feed[0][0] == ALIASES.get(name, name):
            return self._from_feed(rests, args)
        if self.returned and self.returned[0][0] == name:
            val = self.returned.popleft()[1]
            return replace(val, rests=val.rests | rests)
        return self._builtin(name, args, rests)

    def _from_feed(self, rests: frozenset[int], args: Sequence[Val]) -> Val:
        val = self.feed.popleft()[1]
        subject = next(
            (
                a.about.one
                for a in args
                if isinstance(a.about, ToolText) and a.about.one is not None
            ),
            None,
        )
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
            value = getattr(base.value, name)(words[0])
            items = (
                (base.about.item,) if isinstance(base.about, ToolText) and base.about.item else ()
            )
            return Val(value, Truth(items), rests)
        if name == "replace" and len(words) == 2 and all(isinstance(word, str) for word in words):
            return Val(base.value.replace(*words)[:MAX_TEXT], base.about, rests)
        raise Untellable(name)

    def _geometry(self, name: str, base: Val, args: Sequence[Val], rests: frozenset[int]) -> Val:
        patch: Patch = base.value
        one = (
            base.about
            if isinstance(base.about, NamedPatch)
            else NamedPatch(patch, self.noun(patch))
        )
        other = args[0].value if args else None
        if name == "overlaps" and isinstance(other, Patch):
            a, b = patch.box, other.box
            value = a.x0 <= b.x1 and b.x0 <= a.x1 and a.y0 <= b.y1 and b.y0 <= a.y1
            about = (
                args[0].about
                if isinstance(args[0].about, NamedPatch)
                else NamedPatch(other, self.noun(other))
            )
            predicate = Predicate("overlap", "{0}", (about,))
            claim = Holds(one, predicate, value)
            return Val(value, Truth((Ground(claim, value, predicate, patch),)), rests)
        corners = [arg.value for arg in args]
        if name == "crop" and len(corners) == 4 and all(isinstance(v, NUMBERS) for v in corners):
            try:
                left, lower, right, upper = (float(v) for v in corners)
                box = from_lower_left(left, lower, right, upper, patch.box.height)
            except ValueError as error:
                raise Untellable(name) from error
            box = clip(box, patch.box.width, patch.box.height)
            x, y = patch.box.x0, patch.box.y0
            moved = replace(patch, box=type(box)(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y))
            return Val(moved, NamedPatch(moved, one.noun), rests)
        raise Untellable(name)

    def _builtin(self, name: str, args: Sequence[Val], rests: frozenset[int]) -> Val:
        first = args[0] if args else Val(UNKNOWN)
        value = first.value
        if name == "ImagePatch" and len(args) == 1:
            return first
        if isinstance(value, CutText):
            raise Untellable("a text that the trace does not show in full")
        if name == "len" and isinstance(value, list | str | tuple):
            return Val(
                len(value), Count(first.about) if isinstance(first.about, Group) else None, rests
            )
        if (
            name in ("formatting_answer", "str")
            and len(args) == 1
            and isinstance(value, bool | int | float | str)
        ):
            return replace(
                first, value=format_answer(value) if name == "formatting_answer" else str(value)
            )
        if (
            name in ("formatting_answer", "coerce_to_numeric", "process_guesses")
            and value is not UNKNOWN
        ):
            return replace(
                first, value=UNKNOWN
            )  # the trace shows the text; its meaning is the argument's
        if name == "bool_to_yesno":
            return Val("yes" if boolean(value) else "no", Truth(tuple(items_of(first))), rests)
        if name == "bool":
            return Val(boolean(value), Truth(tuple(items_of(first))), rests)
        if name in ("list", "tuple", "set") and isinstance(value, list | tuple):
            return first
        if name == "abs" and isinstance(value, NUMBERS):
            return Val(abs(value), None, rests)
        if name == "int" and isinstance(value, NUMBERS):
            return Val(int(value), first.about, rests)
        if (
            name == "sum"
            and isinstance(value, list)
            and all(isinstance(item, NUMBERS) for item in value)
        ):
            counted = isinstance(first.about, Group) and sum(value) == len(first.about.patches)
            return Val(
                sum(value),
                Count(first.about) if counted and isinstance(first.about, Group) else None,
                rests,
            )
        if name in ("any", "all") and isinstance(value, list):
            return Val((any if name == "any" else all)(map(boolean, value)), None, rests)
        if (
            name == "distance"
            and len(args) == 2
            and all(isinstance(arg.value, Patch) for arg in args)
        ):
            ones = [
                arg.about
                if isinstance(arg.about, NamedPatch)
                else NamedPatch(arg.value, self.noun(arg.value))
                for arg in args
            ]
            if ones[1].patch in self.focus and ones[0].patch not in self.focus:
                ones.reverse()
            return Val(
                relations.distance(args[0].value, args[1].value),
                Measure("distance", ones[0], ones[1]),
                rests,
            )
        raise Untellable(name)

    def _quantified(self, name: str, node: ast.GeneratorExp | ast.ListComp) -> Val:
        part = node.generators[0]
        if len(node.generators) != 1 or part.ifs:
            raise Untellable(name)
        base = self.value(part.iter)
        eager = isinstance(node, ast.ListComp)
        result, rests, seen = name == "all", set(base.rests), []
        for _, _element in self._each(base, part.target):
            truth, told = self.test(node.elt)
            rests |= told.rests
            seen += items_of(told)
            self.focus.pop()
            if truth != (name == "all"):
                result = truth
                if not eager:
                    break
        return Val(result, Truth(tuple(seen)), frozenset(rests))

    def _ordered(self, name: str, node: ast.Call) -> Val:
        key = next((k.value for k in node.keywords if k.arg == "key"), None)
        turned = next((k.value for k in node.keywords if k.arg == "reverse"), None)
        if len(node.args) != 1 or not isinstance(key, ast.Lambda) or len(key.args.args) != 1:
            if key is None and len(node.args) > 1 and name != "sorted":
                vals = [self.value(arg) for arg in node.args]
                if all(isinstance(val.value, NUMBERS) for val in vals):
                    return Val((min if name == "min" else max)(val.value for val in vals))
            raise Untellable(name)
        base = self.value(node.args[0])
        ranked, rests = self.ranked(base, key)
        reverse = turned is not None and boolean(self.value(turned).value)
        return self.pick(name, base, ranked, rests, reverse)

    def ranked(self, base: Val, key: ast.Lambda) -> tuple[list[tuple[Any, Val]], frozenset[int]]:
        """The keys of a list's items, computed in order."""
        keys: list[tuple[Any, Val]] = []
        rests = set(base.rests)
        for _, element in self._each(base, ast.Name(key.args.args[0].arg)):
            measured = self.value(key.body)
            self.focus.pop()
            if not isinstance(measured.value, (*NUMBERS, str)):
                raise Untellable("key")
            rests |= measured.rests
            keys.append((element.value, measured))
        return keys, frozenset(rests)

    def pick(
        self,
        name: str,
        base: Val,
        keys: Sequence[tuple[Any, Val]],
        rests: frozenset[int],
        reverse: bool,
    ) -> Val:
        """The result of min, max or sorted."""
        try:
            if name == "sorted":
                order = sorted(keys, key=lambda pair: pair[1].value, reverse=reverse)
                group: Any = base.about
                if isinstance(group, Group):
                    first = keys[0][1].about if keys else None
                    patches = tuple(value for value, _ in order)
                    measure = first if isinstance(first, Measure) else None
                    group = replace(group, patches=patches, order=measure, falling=reverse)
                return Val([value for value, _ in order], group, rests)
            best, measured = (min if name == "min" else max)(keys, key=lambda pair: pair[1].value)
        except (TypeError, ValueError) as error:
            raise Untellable(name) from error
        noun = (
            base.about.noun
            if isinstance(base.about, Group)
            else self.noun(best)
            if isinstance(best, Patch)
            else ""
        )
        return self.stands_out(best, noun, base.about, measured.about, name == "max", rests)

    def stands_out(
        self, best: Any, noun: str, group: Any, measure: Any, most: bool, rests: frozenset[int]
    ) -> Val:
        """One item as the leftmost, largest, nearest ... of a group; told where there is a word for
        it.
        """
        if not isinstance(best, Patch):
            return Val(best, None, rests)
        one = NamedPatch(best, noun)
        if isinstance(measure, Measure) and isinstance(group, Group):
            kind, most = (
                (measure.kind[1:], not most)
                if measure.kind.startswith("-")
                else (measure.kind, most)
            )
            word = relations.superlative(kind, most)
            if word is not None and len(group.patches) > 1:
                number = self.story.add(
                    Extreme(one, word, measure.towards, group), self.events, rests
                )
                rests = frozenset({number})
        return Val(best, one, rests)


def format_answer(value: bool | int | float | str) -> str:
    """An answer as `formatting_answer` writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()
