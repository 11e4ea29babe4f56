"""Random programs in the subset that sampled programs use, for the comparison with CPython."""

from __future__ import annotations

from random import Random
from typing import Any

NAMES = ["cup", "dog", "red car", "no cat"]
WORDS = ["red", "blue", "Yes", "two dogs", "a, b", ""]


CLASS = """
class Box:
    made = 0
    def __init__(self, size, patch=None):
        self.size = size
        self.patch = patch
        self.notes = {}
        Box.made += 1
    def add(self, n):
        self.size += n
        self.notes[str(n)] = self.notes.get(str(n), 0) + self.size
        return self
    def area(self, name):
        return self.patch.width * self.size if self.patch.exists(name) else -self.size
    def __repr__(self):
        return f"Box({self.size}, {sorted(self.notes)})"
"""


class Writer:
    """Writes one program; `random` decides everything."""

    def __init__(self, random: Random) -> None:
        self.r = random
        self.lines: list[str] = []
        self.variables: dict[str, list[str]] = {
            "int": [],
            "str": [],
            "patch": ["p"],
            "patches": [],
            "ints": [],
            "bool": [],
        }
        self.count = 0
        self.functions: list[str] = []
        self.in_loop = 0

    def pick(self, *options: Any) -> Any:
        made = self.r.choice(options)
        return made() if callable(made) else made

    def name(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def variable(self, kind: str, otherwise: Any) -> str:
        known = self.variables[kind]
        return self.r.choice(known) if known and self.r.random() < 0.8 else otherwise()

    # -- expressions by type; `d` bounds the depth

    def int_(self, d: int = 2) -> str:
        if d <= 0:
            return self.variable("int", lambda: str(self.r.randint(-3, 12)))
        return str(
            self.pick(
                lambda: self.variable("int", lambda: str(self.r.randint(-3, 12))),
                lambda: f"len({self.any_list(d - 1)})",
                lambda: (
                    f"({self.int_(d - 1)} {self.r.choice(['+', '-', '*', '//', '%'])} {self.int_(d - 1)})"
                ),
                lambda: (
                    f"{self.patch(d - 1)}.{self.r.choice(['left', 'lower', 'right', 'upper', 'width', 'height'])}"
                ),
                lambda: (
                    f"sum({self.int_(0)} for {(x := self.name())} in {self.patches(d - 1)} if {x}.exists({self.word()}))"
                ),
                lambda: f"max({self.int_(d - 1)}, {self.int_(d - 1)})",
                lambda: f"min({self.ints(d - 1)}, default={self.int_(0)})",
                lambda: f"int({self.patch(d - 1)}.compute_depth())",
                lambda: (
                    f"round({self.int_(d - 1)} / 7, {self.r.randint(0, 3)})"
                    if self.r.random() < 0.3
                    else f"abs({self.int_(d - 1)})"
                ),
                lambda: f"({self.int_(d - 1)} if {self.bool_(d - 1)} else {self.int_(d - 1)})",
                lambda: (
                    f"int({self.str_(d - 1)})"
                    if self.r.random() < 0.2
                    else f"{self.str_(d - 1)}.find('e')"
                ),
                lambda: f"sum({self.ints(d - 1)})",
                lambda: (
                    f"next(({(x := self.name())}.left for {x} in {self.patches(d - 1)} if {x}.verify_property('cup', {self.word()})), {self.int_(0)})"
                ),
                lambda: (
                    f"{self.r.choice(self.functions)}({self.int_(0)})"
                    if self.functions
                    else self.int_(0)
                ),
            )
        )

    def bool_(self, d: int = 2) -> str:
        if d <= 0:
            return self.variable("bool", lambda: str(self.r.choice(["True", "False"])))
        return str(
            self.pick(
                lambda: (
                    f"({self.int_(d - 1)} {self.r.choice(['<', '>', '==', '!=', '<=', '>='])} {self.int_(d - 1)})"
                ),
                lambda: f"({self.bool_(d - 1)} {self.r.choice(['and', 'or'])} {self.bool_(d - 1)})",
                lambda: f"(not {self.bool_(d - 1)})",
                lambda: (
                    f"{self.r.choice(['any', 'all'])}({(x := self.name())}.verify_property('cup', {self.word()}) for {x} in {self.patches(d - 1)})"
                ),
                lambda: (
                    f"{self.r.choice(['any', 'all'])}([{(x := self.name())}.exists({self.word()}) for {x} in {self.patches(d - 1)}])"
                ),
                lambda: f"{self.patch(d - 1)}.exists({self.word()})",
                lambda: f"{self.patch(d - 1)}.overlaps({self.patch(d - 1)})",
                lambda: f"({self.patch(d - 1)} in {self.patches(d - 1)})",
                lambda: (
                    f"({self.int_(d - 1)} in ({(x := self.name())}.left for {x} in {self.patches(d - 1)} if {x}.exists('a')))"
                ),
                lambda: (
                    f"any(map(lambda {(x := self.name())}: {x}.exists({self.word()}), {self.patches(d - 1)}))"
                ),
                lambda: f"({self.str_(d - 1)}).startswith('a')",
                lambda: f"isinstance({self.int_(d - 1)}, (str, int))",
                lambda: f"({self.int_(0)} < {self.int_(d - 1)} <= {self.int_(0)})",
                lambda: f"bool({self.any_list(d - 1)})",
            )
        )

    def str_(self, d: int = 2) -> str:
        if d <= 0:
            return self.variable("str", self.word)
        return str(
            self.pick(
                self.word,
                lambda: f"{self.patch(d - 1)}.simple_query({self.str_(d - 1)})",
                lambda: f"str({self.int_(d - 1)})",
                lambda: f"f{chr(34)}{{{self.int_(0)}:>4}}|{{{self.str_(0)}!r}}{chr(34)}",
                lambda: (
                    f"({self.str_(d - 1)}).{self.r.choice(['upper', 'lower', 'strip', 'title', 'capitalize'])}()"
                ),
                lambda: f"({self.str_(d - 1)}).replace('e', {self.word()})",
                lambda: f"', '.join(str({(x := self.name())}) for {x} in {self.ints(d - 1)})",
                lambda: (
                    f"'-'.join({(x := self.name())}.simple_query('q') for {x} in {self.patches(d - 1)})"
                ),
                lambda: f"{self.patch(d - 1)}.best_text_match(['red', 'blue', {self.word()}])",
                lambda: f"({self.str_(d - 1)})[{self.r.randint(-2, 3)}:]",
                lambda: (
                    f"({self.str_(d - 1)})[{self.r.randint(-1, 2)}]"
                    if self.r.random() < 0.2
                    else f"({self.str_(d - 1)})[:2]"
                ),
                lambda: f"bool_to_yesno({self.bool_(d - 1)})",
                lambda: f"formatting_answer({self.int_(d - 1)} / 2)",
                lambda: f"llm_query({self.str_(d - 1)})",
                lambda: f"str(sorted([{self.str_(0)}, {self.str_(0)}], key=str.lower))",
            )
        )

    def patch(self, d: int = 2) -> str:
        if d <= 0:
            return self.variable("patch", lambda: "p")
        return str(
            self.pick(
                lambda: self.variable("patch", lambda: "p"),
                lambda: self.variable("patch", lambda: "p"),
                lambda: (
                    f"{self.patches(d - 1)}[{self.r.choice([0, 0, 1, -1])}]"
                    if self.r.random() < 0.4
                    else "p"
                ),
                lambda: (
                    f"p.crop({self.r.randint(0, 200)}, {self.r.randint(0, 200)}, {self.r.randint(250, 700)}, {self.r.randint(250, 700)})"
                ),
                lambda: (
                    f"next(({(x := self.name())} for {x} in {self.patches(d - 1)} if {x}.exists('b')), p)"
                ),
                lambda: (
                    f"min({self.patches(d - 1)}, key=lambda {(x := self.name())}: {x}.compute_depth(), default=p)"
                ),
                lambda: (
                    f"max({self.patches(d - 1)} + [p], key=lambda {(x := self.name())}: {x}.width)"
                ),
                lambda: f"{self.patch(d - 1)}.expand_patch_with_surrounding()",
            )
        )

    def patches(self, d: int = 2) -> str:
        if d <= 0:
            return self.variable("patches", lambda: f"p.find('{self.r.choice(NAMES)}')")
        return str(
            self.pick(
                lambda: self.variable("patches", lambda: f"p.find('{self.r.choice(NAMES)}')"),
                lambda: f"{self.patch(d - 1)}.find('{self.r.choice(NAMES)}')",
                lambda: (
                    f"[{(x := self.name())} for {x} in {self.patches(d - 1)} if {x}.verify_property('cup', 'red')]"
                ),
                lambda: (
                    f"sorted({self.patches(d - 1)}, key=lambda {(x := self.name())}: ({x}.compute_depth(), {x}.left), reverse={self.r.choice(['True', 'False'])})"
                ),
                lambda: (
                    f"list(filter(lambda {(x := self.name())}: {x}.exists({self.word()}), {self.patches(d - 1)}))"
                ),
                lambda: f"{self.patches(d - 1)}[:{self.r.randint(0, 3)}]",
                lambda: f"({self.patches(d - 1)} + {self.patches(d - 1)})",
                lambda: f"list(reversed({self.patches(d - 1)}))",
                lambda: (
                    f"[{(x := self.name())} for {(y := self.name())} in {self.patches(d - 1)} for {x} in {y}.find('cup')]"
                ),
            )
        )

    def ints(self, d: int = 2) -> str:
        if d <= 0:
            return self.variable("ints", lambda: f"[{self.int_(0)}, {self.int_(0)}]")
        return str(
            self.pick(
                lambda: self.variable("ints", lambda: f"[{self.int_(0)}]"),
                lambda: f"[{self.int_(d - 1)}, {self.int_(d - 1)}]",
                lambda: f"list(range({self.int_(0)}))",
                lambda: f"[{(x := self.name())}.left for {x} in {self.patches(d - 1)}]",
                lambda: (
                    f"list(map(lambda {(x := self.name())}: {x}.lower + {self.int_(0)}, {self.patches(d - 1)}))"
                ),
                lambda: f"sorted({self.ints(d - 1)}, reverse=True)",
                lambda: (
                    f"[{(x := self.name())} * 2 for {x} in {self.ints(d - 1)} if {x} > {self.int_(0)}]"
                ),
                lambda: (
                    f"[{(x := self.name())} + {(y := self.name())}.left for {x}, {y} in zip({self.ints(d - 1)}, {self.patches(d - 1)})]"
                ),
                lambda: f"sorted(set({self.ints(d - 1)}))",
                lambda: (
                    f"[{(x := self.name())} for {x}, {(y := self.name())} in enumerate(map(lambda z: z.exists('m'), {self.patches(d - 1)})) if {y}]"
                ),
            )
        )

    def any_list(self, d: int) -> str:
        return str(self.pick(lambda: self.patches(d), lambda: self.ints(d), lambda: self.str_(d)))

    def word(self) -> str:
        return repr(self.r.choice(WORDS))

    # -- statements

    def put(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def block(self, indent: int, size: int) -> None:
        kept = {k: list(v) for k, v in self.variables.items()}
        for _ in range(self.r.randint(1, max(size, 1))):
            self.statement(indent, size - 1)
        self.variables = kept

    def assign(self, indent: int) -> None:
        kind = self.r.choice(list(self.variables))
        made = {
            "int": self.int_,
            "str": self.str_,
            "patch": self.patch,
            "patches": self.patches,
            "ints": self.ints,
            "bool": self.bool_,
        }[kind]()
        known = self.variables[kind]
        name = (
            self.r.choice(known)
            if known and self.r.random() < 0.4 and known != ["p"]
            else self.name()
        )
        if name == "p":
            name = self.name()
        self.put(indent, f"{name} = {made}")
        if name not in known:
            known.append(name)

    def statement(self, indent: int, size: int) -> None:
        simple = [
            lambda: self.put(
                indent,
                f"{(a := self.name())}, *{(b := self.name())} = {self.ints(1)} + [0]; print({a}, {b})",
            ),
            lambda: self.put(
                indent, f"log += {self.r.choice([self.ints, self.patches, self.str_])(1)}"
            ),
            lambda: self.put(indent, f"log[{self.r.randint(0, 1)}:] = {self.ints(1)}"),
            lambda: self.put(
                indent,
                f"seen.update({{{self.word()}: {self.int_(1)}, {self.str_(1)}: {self.int_(0)}}})",
            ),
            lambda: (
                self.put(indent, f"del seen[{self.word()}]")
                if self.r.random() < 0.3
                else self.put(indent, "log[5:] = []")
            ),
            lambda: self.put(
                indent,
                f"print(sorted(seen.items()), {{x: len(x) for x in seen}}, {self.word()} in seen)",
            ),
            lambda: self.put(
                indent,
                f"print({self.str_(1)}.split(), {self.str_(1)} * 2, '%s|%5.1f' % ({self.str_(0)}, {self.int_(0)}))",
            ),
            lambda: self.put(
                indent,
                f"print(*({(x := self.name())}.simple_query('s') for {x} in {self.patches(1)}), sep='/')",
            ),
            lambda: self.put(
                indent,
                f"print(list(zip(map(str, {self.ints(1)}), ({(x := self.name())}.left for {x} in {self.patches(1)}))))",
            ),
            lambda: self.put(
                indent,
                f"later = filter(lambda {(x := self.name())}: {x}.exists({self.word()}), {self.patches(1)}); print(next(later, None), len(list(later)))",
            ),
            lambda: self.put(
                indent,
                f"box = Box({self.int_(1)}, {self.patch(1)}); box.add({self.int_(0)}); print(box, box.area({self.word()}))",
            ),
            lambda: self.put(indent, f"if (w := {self.int_(1)}) > {self.int_(0)}: print(w)"),
            lambda: self.put(
                indent,
                f"add = lambda n, m={self.int_(0)}: n + m + total; print(add({self.int_(0)}), add(1, m=2))",
            ),
            lambda: self.assign(indent),
            lambda: self.assign(indent),
            lambda: self.put(
                indent,
                f"print({self.str_()}, {self.int_()}, {self.variable('ints', lambda: '[]')})",
            ),
            lambda: self.put(
                indent, f"{self.variable('ints', lambda: 'log')}.append({self.int_()})"
            ),
            lambda: self.put(
                indent,
                f"{self.variable('patches', lambda: 'log')}.sort(key=lambda q: q.left if hasattr(q, 'left') else 0)",
            ),
            lambda: self.put(
                indent, f"log.extend({self.int_(1)} for {self.name()} in {self.patches(1)})"
            ),
            lambda: self.put(indent, f"seen[{self.str_(1)}] = {self.int_(1)}"),
            lambda: self.put(indent, f"seen[{self.word()}] = seen.get({self.word()}, 0) + 1"),
            lambda: self.put(
                indent,
                f"{self.variable('int', lambda: 'total')} {self.r.choice(['+=', '-=', '*='])} {self.int_(1)}",
            ),
            lambda: (
                self.put(indent, f"log.pop({self.r.choice(['', '0'])})")
                if self.r.random() < 0.3
                else self.put(indent, "print(log)")
            ),
            lambda: (
                self.put(indent, f"assert {self.bool_(1)}, 'no'")
                if self.r.random() < 0.15
                else self.put(indent, "print(seen, total)")
            ),
            lambda: (
                self.put(indent, f"if {self.bool_(1)}: return {self.int_(1)}")
                if self.r.random() < 0.2
                else self.put(indent, "total += 1")
            ),
            lambda: (
                self.put(indent, f"raise ValueError({self.word()})")
                if self.r.random() < 0.05
                else self.put(indent, f"print({self.patch(1)})")
            ),
        ]
        if size <= 0 or len(self.lines) > 55:
            self.r.choice(simple)()
            return
        self.r.choice(
            [
                *simple,
                *(
                    lambda f=f: f(indent, size)
                    for f in (self.if_, self.for_, self.for_, self.while_, self.try_, self.def_)
                ),
            ]
        )()

    def if_(self, indent: int, size: int) -> None:
        self.put(indent, f"if {self.bool_()}:")
        self.block(indent + 1, size)
        if self.r.random() < 0.4:
            self.put(indent, f"elif {self.bool_()}:")
            self.block(indent + 1, size)
        if self.r.random() < 0.5:
            self.put(indent, "else:")
            self.block(indent + 1, size)

    def for_(self, indent: int, size: int) -> None:
        x, y = self.name(), self.name()
        kept = {k: list(v) for k, v in self.variables.items()}
        form = self.r.randrange(7)
        if form == 0:
            self.put(indent, f"for {x} in range({self.r.randint(0, 4)}):")
            self.variables["int"].append(x)
        elif form == 1:
            self.put(indent, f"for {x}, {y} in enumerate({self.patches(1)}):")
            self.variables["int"].append(x)
            self.variables["patch"].append(y)
        elif form == 2:
            self.put(indent, f"for {x}, {y} in zip({self.patches(1)}, {self.ints(1)}):")
            self.variables["patch"].append(x)
            self.variables["int"].append(y)
        elif form == 3:
            self.put(
                indent,
                f"for {x} in map(lambda q: q.simple_query({self.word()}), {self.patches(1)}):",
            )
            self.variables["str"].append(x)
        elif form == 4:
            self.put(
                indent,
                f"for {x} in (q.left for q in {self.patches(1)} if q.exists({self.word()})):",
            )
            self.variables["int"].append(x)
        else:
            self.put(indent, f"for {x} in {self.patches(1)}:")
            self.variables["patch"].append(x)
        self.in_loop += 1
        self.block(indent + 1, size)
        if self.r.random() < 0.4:
            self.put(indent + 1, f"if {self.bool_(1)}: {self.r.choice(['break', 'continue'])}")
            self.put(indent + 1, "total += 1")
        self.in_loop -= 1
        self.variables = kept
        if self.r.random() < 0.2:
            self.put(indent, "else:")
            self.block(indent + 1, size)

    def while_(self, indent: int, size: int) -> None:
        n = self.name()
        self.put(indent, f"{n} = 0")
        self.put(indent, f"while {n} < {self.r.randint(1, 3)} and {self.bool_(1)}:")
        self.put(indent + 1, f"{n} += 1")
        self.block(indent + 1, size)

    def try_(self, indent: int, size: int) -> None:
        self.put(indent, "try:")
        self.block(indent + 1, size)
        error = self.r.choice(
            [
                "ValueError",
                "(IndexError, ZeroDivisionError)",
                "Exception",
                "KeyError",
                "RuntimeError",
            ]
        )
        self.put(indent, f"except {error} as e:")
        self.put(indent + 1, "print(type(e).__name__)")
        self.block(indent + 1, size)
        if self.r.random() < 0.3:
            self.put(indent, "finally:")
            self.block(indent + 1, 1)

    def def_(self, indent: int, size: int) -> None:
        f, a = self.name(), self.name()
        self.put(indent, f"def {f}({a}, k={self.int_(0)}):")
        kept, functions = {k: list(v) for k, v in self.variables.items()}, self.functions
        self.variables = {
            "int": [a, "k"],
            "str": [],
            "patch": ["p"],
            "patches": [],
            "ints": [],
            "bool": [],
        }
        self.functions = []
        self.put(indent + 1, "nonlocal total")
        self.block(indent + 1, size)
        self.put(indent + 1, f"return {self.int_(1)}")
        self.variables, self.functions = kept, [f] if indent == 1 else functions

    def program(self) -> str:
        self.lines.extend(CLASS.strip().splitlines())
        self.put(0, "def execute_command(image):")
        for line in ("p = ImagePatch(image)", "log, seen, total = [], {}, 0"):
            self.put(1, line)
        for _ in range(self.r.randint(2, 7)):
            self.statement(1, 2)
        self.put(1, f"return [total, len(log), {self.int_(1)}, {self.str_(1)}]")
        return "\n".join(self.lines) + "\n"


def program(random: Random) -> str:
    """One random program."""
    return Writer(random).program()
