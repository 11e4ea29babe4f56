"""Random programs that fail: errors pass `try`, `finally`, bare `raise`, helpers and lambdas."""

from __future__ import annotations

from random import Random

_FAULTS = (
    "x = [][3]",
    "x = {}['a']",
    "x = 1 / 0",
    "x = 'a' < 1.0",
    "x = missing",
    "x = int('x')",
    "x = (1).wrong",
    "a, b = [1]",
    "raise ValueError('made')",
    "raise KeyError('made')",
    "assert x == 99, 'no'",
    "x = p.find(3)",
    "x = [1 / v for v in [1, 0]]",
    "x = sum(1 / v for v in [1, 0])",
    "x = sorted([1, 0], key=lambda v: 1 / v)",
    "x = [1, 2].index(7)",
)
_CALMS = ("x = x + 1", "y = [x, x]", "print('calm', x)", "x = len('abc')", "pass")
_HANDLERS = (
    "ValueError",
    "KeyError",
    "(IndexError, TypeError)",
    "ZeroDivisionError",
    "Exception",
    "kinds[0]",
    "pick(NameError)",
)


class _Maker:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.helpers = random.randint(0, 3)
        self.lines: list[str] = []

    def make(self) -> str:
        self.lines = [
            "kinds = [AttributeError, ValueError]",
            "def pick(kind):",
            "    print('pick')",
            "    return kind",
        ]
        for i in range(self.helpers):
            self.lines.append(f"def helper{i}(x):")
            self._put(1, "p = ImagePatch(whole[0]) if whole else None")
            self._block(1, 2, i)
            self._put(1, "return x")
        self.lines.append("whole = []")
        self.lines.append("def execute_command(image):")
        self._put(1, "whole.append(image)")
        self._put(1, "p = ImagePatch(image)")
        self._put(1, "x = 0")
        for _ in range(self.random.randint(1, 3)):
            self._block(1, 3, self.helpers)
        self._put(1, "return 'end'")
        return "\n".join(self.lines) + "\n"

    def _put(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def _block(self, indent: int, depth: int, helpers: int, inside: str = "") -> None:
        for _ in range(self.random.randint(1, 3)):
            self._statement(indent, depth, helpers, inside)

    def _statement(self, indent: int, depth: int, helpers: int, inside: str) -> None:
        roll = self.random.random()
        if depth and roll < 0.35:
            self._try(indent, depth - 1, helpers, inside)
        elif depth and roll < 0.45:
            self._loop(indent, depth - 1, helpers, inside)
        elif depth and roll < 0.52:
            self._put(indent, f"if x > {self.random.randint(0, 3)}:")
            self._block(indent + 1, depth - 1, helpers, inside)
            self._put(indent, f"elif {self.random.choice(['1 / x > 9', 'x == 1', 'x[0]'])}:")
            self._block(indent + 1, depth - 1, helpers, inside)
        elif helpers and roll < 0.68:
            name = f"helper{self.random.randrange(helpers)}"
            self._put(indent, self.random.choice([f"x = {name}(x)", f"x = {name}(x) + 'a'"]))
        elif roll < 0.74:
            self._put(indent, f"f = lambda v: {self.random.choice(['v[0]', 'v + 1', '1 / v'])}")
            self._put(indent, "print('made')")
            self._put(indent, "x = f(x)")
        elif roll < 0.86:
            self._put(indent, self.random.choice(_CALMS))
        elif inside and roll < 0.92:
            self._put(indent, self.random.choice(["raise", f"raise {inside}"]))
        else:
            self._put(indent, self.random.choice(_FAULTS))

    def _loop(self, indent: int, depth: int, helpers: int, inside: str) -> None:
        lazy = "for v in map(lambda u: 1 / (u - 1), [3, 1]):"
        head = self.random.choice(["for v in [0, 1, 2]:", lazy, "for a, b in [(1, 2), (3,)]:"])
        self._put(indent, head)
        self._block(indent + 1, depth, helpers, inside)
        if self.random.random() < 0.3:
            self._put(indent + 1, self.random.choice(["continue", "break"]))

    def _try(self, indent: int, depth: int, helpers: int, inside: str) -> None:
        self._put(indent, "try:")
        self._block(indent + 1, depth, helpers, inside)
        handlers = self.random.randint(0, 2)
        for i in range(handlers):
            name = f"e{len(self.lines)}"
            kind = self.random.choice(_HANDLERS)
            self._put(indent, f"except {kind} as {name}:")
            self._block(indent + 1, depth, helpers, name)
            if self.random.random() < 0.3:
                self._put(indent + 1, self.random.choice(["raise", f"raise {name}"]))
            if i == 1 and self.random.random() < 0.4:
                self._put(indent, "else:")
                self._block(indent + 1, depth, helpers, inside)
        if not handlers or self.random.random() < 0.4:
            self._put(indent, "finally:")
            self._block(indent + 1, depth, helpers, "")


def failing_program(random: Random) -> str:
    """A program that most often ends in an error."""
    return _Maker(random).make()
