"""Sets of numbers: walked in Python's order, or refused."""

from __future__ import annotations

import contextlib
import io
from random import Random

import pytest
from test_same_as_python import printed, run

from workbench.execute import Executor

BODIES = [
    "s = {5, 100}\nprint(s, list(s), [*s])\nfor v in {(1, 2), (0, 1)}:\n    print(v)",
    "print(set([30, 8, 16, 24, 5]), set([8, 16, 0]), set([16, 8, 0]), {-1, -2}, {-2, -1}, set([-5, 3, -9]))",
    "print(list(set([3.5, 0.25, -7.0, 1e300, 2**61])), set([float('inf'), 314159]), {True, 8}, {9, 0.0})",
    "print(tuple(set((11, 12, 14, 13)) & set((17, 15, 14, 13))), set.intersection(*map(set, [[12, 18, 23, 25, 45], [7, 12, 18, 24, 28], [18, 12]])))",
    "print({1, 2} & {True, 2.0}, {True, 2.0} & {1, 2}, {1, 2, 3} & {True}, frozenset({1}) & {1.0}, {1}.intersection({1.0}))",
    "s = {1, 2, 3}\ns &= {1.0, 3, 4, 9}\nprint(s)\nf = frozenset([1, 9])\nf &= {9, 7}\nprint(f)\nn = 12\nn &= 10\nn ^= 3\nn -= 1\nprint(n)",
    "s = set(range(0, 4000, 37))\nprint(len(s), list(s)[:20], sum(s), {x * x for x in range(-9, 9)})",
    "s = set([100, 50, 70, 1000, 4]) - {4}\nprint(s, set([9, 90, 900]).difference({90}), {1, 20, 303} - {5})",
    "s = set()\nfor v in [64, 0, 128, 32, 7]:\n    s.add(v)\n    print(s, v in s)\nprint(list(s), sorted(s), list(s))",
    "d = {}\nfor k, v in [('a', 70), ('b', 3), ('a', 6), ('a', 71)]:\n    d.setdefault(k, set()).add(v)\nprint(d)",
    "xs = [4, 44, 444]\nxs.remove(44)\nxs.pop()\nn = 3\nn -= 1\nprint(set(xs + [50, 60]), n)",
    "print(set([(1, 'a'), (2, 'b')]) == {(2, 'b'), (1, 'a')}, set([(1, 2), (3, 4), (5, 6)]) & {(a, a + 1) for a in (3, 5, 7)})",
]  # fmt: skip


def in_python(body: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(body, {})
    return out.getvalue()


@pytest.mark.parametrize("body", BODIES)
def test_a_set_of_numbers_has_pythons_order(executor: Executor, body: str) -> None:
    assert printed(run(executor, body)) == in_python(body)


WALKED_INSIDE = [
    "import itertools\ns = {2, 9, 40}\nprint(list(itertools.chain.from_iterable([s, 'hello'])))",
    "print(list(zip(*[{8, 16, 0}, {5, 3, 100}])))",
    "print(list(zip([1, 2, 3], *[{8, 16, 0}])))",
    "print(list(enumerate(*[{8, 16, 0}])), list(*[{8, 16, 0}]))",
    "print(list(map(lambda a, b: (a, b), *[{8, 16, 0}, {5, 3, 100}])))",
    "xs = []\nxs.extend(*[{8, 16, 0}])\nprint(xs)",
    "import itertools\nprint(list(itertools.product(*[{8, 16, 0}, {5, 3}])))",
    "import itertools\nprint(list(itertools.zip_longest(*[{8, 16, 0}, {5, 3}])))",
    "import itertools\nprint(list(itertools.starmap(zip, [({8, 16, 0}, {100, 5, 3})])))",
    "import itertools\nprint(list(itertools.chain(*[{8, 16, 0}, {100, 5, 3}])))",
    "import itertools\nprint(list(itertools.accumulate(*[{8, 16, 0}])), list(itertools.islice(*[{8, 16, 0}, 2])))",
    "print(sorted([{8, 16, 0}, {1}], key=list), list(map(list, [{8, 16, 0, 24}])))",
    "import functools\nprint(functools.reduce(lambda a, b: a + list(b), [{8, 16, 0}, {100, 5, 3}], []))",
    "print(list(map(list, {'a': {8, 16, 0}}.values())), [*map(tuple, [{8, 16, 0}])])",
]  # fmt: skip
"""Bodies in which a function that is no part of the program walks a set inside another value."""


@pytest.mark.parametrize("body", WALKED_INSIDE)
def test_a_set_inside_what_is_walked_has_pythons_order_or_is_refused(
    executor: Executor, body: str
) -> None:
    trace = run(executor, body)
    refused = trace.failure is not None and trace.failure.kind == "unsupported"
    assert refused or printed(trace) == in_python(body)


class Sets:
    """Writes programs that make, change and walk two sets of numbers."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def number(self) -> str:
        r = self.random
        plain = str(r.randint(-40, 90))
        float_ = str(r.choice([0.5, -2.75, 1e22, 8.0]))
        pair = f"({r.randint(0, 9)}, {r.randint(0, 9)})"
        return str(r.choice([plain, plain, plain, str(r.randint(-(10**9), 10**9)), float_, pair]))

    def numbers(self) -> str:
        return ", ".join(self.number() for _ in range(self.random.randint(1, 9)))

    def statement(self) -> str:
        one, other = self.random.sample("st", 2)
        number, numbers = self.number(), self.numbers()
        return str(
            self.random.choice(
                [
                    f"{one} = set([{numbers}])",
                    f"{one} = {{{numbers}}}",
                    f"{one} = {{x for x in [{numbers}] if x}}",
                    *[f"{one}.add({number})"] * 4,
                    f"{one}.update([{numbers}])",
                    f"{one} = {one} & {other}",
                    f"{one} = {one} - {{{number}, {number}}}",
                    f"{one} &= {other}",
                    self.random.choice([f"{one} |= {other}", f"{one} = {one} | {other}"]),
                    f"{one} = set({other})",
                    self.random.choice([f"{one}.discard({number})", f"{one} ^= {other}"]),
                    f"{one} = {one}.union([{numbers}], {other})",
                    f"{one} = {one}.intersection([{numbers}])",
                    f"{one} = {{*[{numbers}], *{other}}}",
                    *[f"print({one}, len({other}))"] * 3,
                    f"print([x for x in {one}], sorted({other}, key=str))",
                ]
            )
        )

    def program(self) -> str:
        lines = ["s, t = set(), set()"]
        lines += [self.statement() for _ in range(self.random.randint(2, 9))]
        return "\n".join([*lines, "print(s, t)"])


def sets_program(random: Random) -> str:
    """One random program."""
    lines = Sets(random).program().splitlines()
    return "\n    ".join(["def execute_command(image):", *lines, "return 'end'"]) + "\n"


def compare(executor: Executor, body: str) -> bool:
    """Whether a program was run, in which case what it printed is compared with CPython's."""
    trace = run(executor, body)
    if trace.failure is not None and trace.failure.kind == "unsupported":
        assert "order of a set of numbers" in trace.failure.message
        return False
    assert printed(trace) == in_python(body), body
    return True


@pytest.mark.parametrize("first", range(0, 150, 30))
def test_random_sets_are_walked_as_python_walks_them(executor: Executor, first: int) -> None:
    ran = [compare(executor, Sets(Random(seed)).program()) for seed in range(first, first + 30)]
    assert sum(ran) >= 10
