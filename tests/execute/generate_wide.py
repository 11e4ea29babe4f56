"""Random programs over the corners of the language: keys of many types, sets, formats, slices,
order of evaluation.

`t(x)` asks a tool and gives x back, so that the log of calls shows the order in which Python
evaluates.
"""

from __future__ import annotations

from random import Random

TEXTS = [
    "''",
    "'abc'",
    "'Hello World'",
    "' a  b '",
    "'a,b,,c'",
    "'été ß'",
    "'👍🏽x'",
    "'12'",
    "'-7 '",
    "'1_0'",
    "'it\\'s'",
]
INTS = ["0", "1", "-1", "2", "3", "7", "-7", "10", "255", "10**20", "True", "False"]
FLOATS = ["0.0", "-0.0", "0.5", "2.5", "-2.5", "1e16", "1.5e-7", "1/3", "2.675", "2.0", "1.0"]
LISTS = [
    "[]",
    "[1, 2, 3]",
    "['b', 'a', 'B']",
    "[True, 0, 2.0]",
    "[[1], []]",
    "[3, 1, 2, 1]",
    "list(range(7))",
]
KEYS = [
    "1",
    "True",
    "1.0",
    "0",
    "False",
    "0.0",
    "2",
    "2.0",
    "'a'",
    "'b'",
    "None",
    "(1, 2)",
    "(True, 2.0)",
    "'1'",
    "p",
]

HEAD = """
from collections import Counter, defaultdict
import math
import re
class Box:
    made = 0
    def __init__(self, n):
        self.n = n
        self.d = {}
        Box.made += 1
    def put(self, k, v):
        self.d[k] = v
        return self
    def __repr__(self):
        return f"Box({self.n!r:>3}, {self.d})"
def execute_command(image):
    p = ImagePatch(image)
    def t(x):
        p.exists(str(x))
        return x
    d, xs, n, s = {}, [5, 1, 4], 0, 'text'
"""

STRING_METHODS = {
    "upper": "", "lower": "", "title": "", "capitalize": "", "swapcase": "", "isalpha": "", "isdigit": "", "istitle": "",
    "split": "w", "rsplit": "w", "partition": "w", "strip": "w", "replace": "ww", "find": "w", "count": "w",
    "startswith": "w", "endswith": "w", "index": "w", "center": "i", "ljust": "i", "zfill": "i", "removeprefix": "w",
    "splitlines": "", "join": "l", "casefold": "",
}  # fmt: skip


class Wide:
    """Writes one program; `random` decides everything."""

    def __init__(self, random: Random) -> None:
        self.r = random
        self.lines = HEAD.strip().splitlines()

    def of(self, *options: str) -> str:
        return self.r.choice(options)

    def text(self) -> str:
        return self.of(*TEXTS, "s")

    def number(self) -> str:
        return self.of(*INTS, *FLOATS, "n", "len(xs)", f"t({self.of(*INTS)})")

    def small(self) -> str:
        return self.of("0", "1", "2", "-1", "3", "-3", "100", "None", "t(1)")

    def items(self) -> str:
        return self.of(*LISTS, "xs", f"t({self.of(*LISTS)})")

    def key(self) -> str:
        return self.of(*KEYS, f"t({self.of(*KEYS)})")

    def spec(self) -> str:
        fill = self.of("", "<", ">", "^", "*^", "0", "+", " ")
        return (
            fill
            + self.of("", "6", "{n}", "{2 + 3}")
            + self.of("", ",")
            + self.of("", ".2", ".{1}")
            + self.of("", "f", "d", "s", "e", "g", "%", "x")
        )

    def value(self) -> str:
        r = self.r.randrange(22)
        if r == 0:
            return f"({self.number()} {self.of('+', '-', '*', '/', '//', '%', '<', '==', 'and', 'or', '&', '|', '^')} {self.number()})"
        if r == 1:
            return f'f"{{{self.of(self.number(), self.text(), self.items())}{self.of("", "!r", "!s")}:{self.spec()}}}"'
        if r == 2:
            return f"'%{self.of('', '-', '0', '+')}{self.of('', '6')}{self.of('', '.2')}{self.of(*'dsrfgex')}|%s' % ({self.number()}, {self.text()})"
        if r == 3:
            name = self.r.choice(list(STRING_METHODS))
            given = [
                {
                    "w": self.of("' '", "'a'", "','", "''", "'l'"),
                    "i": self.small(),
                    "l": self.items(),
                }[a]
                for a in STRING_METHODS[name]
            ]
            return f"{self.text()}.{name}({', '.join(given)})"
        if r == 4:
            return f"{self.of(self.items(), self.text())}[{self.small()}:{self.small()}:{self.of('1', '2', '-1', '-2', 't(1)', 'None')}]"
        if r == 5:
            return f"{self.of(self.items(), self.text())}[{self.small()}]"
        if r == 6:
            return f"round({self.number()}, {self.of('0', '1', '2', '-1', 'None')})"
        if r == 7:
            return f"({self.number()} {self.of('<', '<=', '==', '!=', '>')} {self.number()} {self.of('<', '>=', '==')} {self.number()})"
        if r == 8:
            return f"sorted({self.items()}, key={self.of('str', 'lambda v: t(v)', 'lambda v: str(v).lower()', 'bool')}, reverse={self.of('True', 'False')})"
        if r == 9:
            return f"{self.of('any', 'all', 'sum', 'list', 'tuple', 'max', 'min', 'sorted')}(t(v) for v in {self.items()} if {self.of('v', 't(v)', 'True', 'v != 1')})"
        if r == 10:
            return f"next((t(v) for v in {self.items()} if {self.of('v', 't(v) == 1', 'not v')}), {self.small()})"
        if r == 11:
            return (
                "{"
                + ", ".join(
                    self.of(
                        f"{self.key()}: {self.number()}", f"{self.key()}: t({self.text()})", "**d"
                    )
                    for _ in range(3)
                )
                + "}"
            )
        if r == 12:
            return f"{{{self.of('v', 't(v)', 'str(v)', 'v == 1')}: i for i, v in enumerate({self.items()}{self.of('', ', 1', ', start=-1')})}}"
        if r == 13:
            return f"{self.of('dict', 'list')}(zip([{self.key()}, {self.key()}, {self.key()}], {self.items()}{self.of('', ', strict=True')}))"
        if r == 14:
            return f"Counter([{self.key()}, {self.key()}, {self.key()}, 'a'])"
        if r == 15:
            small = [
                self.of("0", "1", "2", "3", "True", "5", "7") for _ in range(self.r.randint(1, 4))
            ]
            return (
                self.of("list", "sorted", "str", "len", "sum", "tuple")
                + "("
                + self.of(
                    f"{{{', '.join(small)}}}",
                    f"set([{', '.join(small)}])",
                    f"{{v % 3 for v in [{', '.join(small)}]}}",
                )
                + ")"
            )
        if r == 16:
            return f"(lambda a, b={self.number()}, *c, k={self.number()}, **e: (a, b, c, k, e))({self.number()}, *{self.items()}, {self.of('k=t(1)', 'z=2', '**{chr(122): t(3)}')})"
        if r == 17:
            return f"{self.of('int', 'float', 'bool', 'str', 'abs', 'len', 'type', 'repr')}({self.of(self.number(), self.text(), self.items())})"
        if r == 18:
            return f"({self.of('d', 'defaultdict(int)')} | {{{self.key()}: {self.number()}}})"
        if r == 19:
            return f"Box({self.number()}).put({self.key()}, {self.number()}).put({self.key()}, t({self.number()}))"
        if r == 20:
            return f"({self.of('n', 's', 'None', 'p', 'True')} {self.of('is', 'is not')} {self.of('None', 'True', '3', 's', 'p')})"
        return f"({self.number()} if {self.value() if self.r.random() < 0.3 else self.number()} else t({self.text()}))"

    def statement(self) -> str:
        r = self.r.randrange(16)
        if r == 0:
            return f"d[{self.key()}] {self.of('=', '=', '+=', '|=')} {self.number()}"
        if r == 1:
            return f"xs[t({self.small()})] {self.of('=', '+=', '*=')} t({self.number()})"
        if r == 2:
            return f"xs[{self.small()}:{self.small()}] = {self.items()}"
        if r == 3:
            return f"d.update({{{self.key()}: {self.number()}}}{self.of('', ', a=t(1)')})"
        if r == 4:
            return f"d |= dict([({self.key()}, t(1)), ({self.key()}, t(2))])"
        if r == 5:
            return f"n, d[t({self.key()})], *rest = t({self.items()}); print(n, rest)"
        if r == 6:
            return "fs = [lambda m=i: (i, m, n) for i in range(2)]; print([f() for f in fs], fs[t(0)](t(9)))"
        if r == 7:
            return f"for i, v in enumerate({self.items()}, {self.of('1', '-1')}):\n    if t(v) == {self.number()}: {self.of('break', 'continue')}\n    print(i, v)\nelse:\n    print('else')"
        if r == 8:
            return f"while (n := n + 1) < {self.of('2', '3')} and t({self.number()}): print(n)"
        if r == 9:
            return f"try:\n    t({self.value()})\nexcept {self.of('ValueError', '(TypeError, KeyError)', 'ArithmeticError', 'LookupError')} as e:\n    print(type(e).__name__, type(e) is ValueError, {self.of('e', 'str(e)', 'repr(e)', '1')})\nelse:\n    print('else')\nfinally:\n    print('finally', n)"
        if r == 10:
            return f"def f(a, k=t({self.number()}), *r):\n    try:\n        return t(a)\n    finally:\n        print('leaving', k, r)\nprint(f({self.number()}), f(1, *{self.items()}))"
        if r == 11:
            return f"def g():\n    nonlocal n, s\n    n = {self.number()}\n    s += {self.text()}\n    return [v for v in {self.items()} if v]\nprint(g(), n, s)"
        if r == 12:
            return f"print(re.sub({self.of(repr('[a-c]'), repr('l+'), repr(' '))}, lambda m: t(m.group().upper()), {self.text()}), re.findall('[ab]', {self.text()}))"
        if r == 13:
            return f"c = Counter({self.text()}); c[{self.key()}] += 1; c.update([{self.key()}]); print(c, sorted(c.values()))"
        if r == 14:
            return f"match t({self.of(self.number(), self.text(), self.items())}):\n    case 1 | 2 | 'abc': print('one')\n    case [a, *b] if t(a): print(a, b)\n    case str() as q: print(q)\n    case int(m): print(m)\n    case _: print('other')"
        return f"print({self.value()}, sep='/')"

    def program(self) -> str:
        for _ in range(self.r.randint(3, 7)):
            part = self.of(self.statement(), f"print({self.value()})", f"print({self.value()})")
            guarded = self.r.random() < 0.7
            if guarded:
                self.lines.append("    try:")
            self.lines += [("        " if guarded else "    ") + line for line in part.splitlines()]
            if guarded:
                text = self.of("type(e).__name__", "type(e).__name__", "e", "repr(e)")
                self.lines += ["    except Exception as e:", f"        print({text})"]
        self.lines += ["    print(d, xs, n, s, Box.made)", "    return len(d)"]
        return "\n".join(self.lines) + "\n"


def wide_program(random: Random) -> str:
    """One random program."""
    return Wide(random).program()
