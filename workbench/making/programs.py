"""Reference programs: several natural ways to answer each logical form of the question generator.

They are what the embedded program writer learns from.  A form is described in `tasks.questions`; a
program uses the paper's and ViperGPT's API (`workbench.api`), and only the tools it is allowed.
With tools that are always right an *exact* program gives the form's exact answer; the others take a
short cut that a person might take too (ask about the whole picture, measure from edge to edge).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.english import a as with_article
from workbench.english import one, plural, the
from workbench.making.knowledge_programs import KnowledgePrograms
from workbench.making.program_habits import ASKING, Form, Reference, variable
from workbench.tasks.collage.answerable import pick

_RELATION = {
    "left": ("horizontal_center", "<", "left of"),
    "right": ("horizontal_center", ">", "right of"),
    "above": ("vertical_center", ">", "above"),
    "below": ("vertical_center", "<", "below"),
}
_EXTREME = {
    "leftmost": ("min", "{0}.horizontal_center"),
    "rightmost": ("max", "{0}.horizontal_center"),
    "topmost": ("max", "{0}.vertical_center"),
    "bottommost": ("min", "{0}.vertical_center"),
    "largest": ("max", "{0}.width * {0}.height"),
    "smallest": ("min", "{0}.width * {0}.height"),
    "nearest": ("min", "distance({0}, {1})"),
    "farthest": ("max", "distance({0}, {1})"),
}
_CENTRES = (
    "({0}.horizontal_center - {1}.horizontal_center) ** 2 + "
    "({0}.vertical_center - {1}.vertical_center) ** 2"
)
_COMPARE = {"more": (">", "more"), "fewer": ("<", "fewer"), "same": ("==", "as many")}


def references(
    form: Form, predicate: str, choices: Sequence[str], rng: np.random.Generator
) -> list[Reference]:
    """Every way to answer a form.

    Args:
        form: a logical form of the question generator.
        predicate: of knowledge forms, in the singular as in the question: `can fly`, `has wheels`.
        choices: the options of a multiple-choice question.
        rng: draws the small choices: names, prints, wording.
    """
    return _Maker(rng).make(form, predicate, choices)


def usable(ways: Sequence[Reference], tools: Sequence[str]) -> list[Reference]:
    """The references that call no tool but these."""
    return [reference for reference in ways if reference.tools <= set(tools)]


class _Maker(KnowledgePrograms):
    """Writes the programs of one question with one person's habits."""

    def make(self, form: Form, predicate: str, choices: Sequence[str]) -> list[Reference]:
        """Every way to answer a form.

        Args:
            form: as `references`.
            predicate: as `references`.
            choices: as `references`.
        """
        inner = form["of"] if form["op"] == "choice" else form
        if inner["op"] == "knowledge":
            self._knowledge(inner, predicate)
        else:
            {
                "count": self._count,
                "exists": self._exists,
                "relation": self._relation,
                "compare": self._compare,
                "count_relation": self._count_relation,
                "extreme": self._described,
                "category_of": self._described,
                "present": self._present,
                "absent": self._present,
            }[inner["op"]](inner, choices)
        return self._references

    def _count(self, form: Form, choices: Sequence[str]) -> None:
        noun, many = form["a"], variable(form["a"], many=True)
        self._add(
            2,
            f"{many} = {self._find(noun)}",
            self._say(f"I found {{len({many})}} {plural(noun)}"),
            f"return formatting_answer(len({many}))",
        )
        self._add(1.5, f"return formatting_answer(len({self._find(noun)}))")
        self._add(1.5, f"number = len({self._find(noun)})", "return formatting_answer(number)")
        self._add(
            1.5,
            "count = 0",
            f"for {variable(noun)} in {self._find(noun)}:",
            "    count += 1",
            "return formatting_answer(count)",
        )
        self._add(1, f"return formatting_answer(sum(1 for _ in {self._find(noun)}))")
        question = f"How many {plural('food item' if noun == 'food' else noun)} are there?"
        self._add(ASKING, f"return formatting_answer({self._ask(question)})", exact=False)
        if choices:
            self._add(
                0.5,
                f"count = len({self._find(noun)})",
                f"options = {_numbers(choices)}",
                "return formatting_answer(min(options, key=lambda n: abs(n - count)))",
            )

    def _exists(self, form: Form, choices: Sequence[str]) -> None:
        noun, many = form["a"], variable(form["a"], many=True)
        self._add(2, f'return formatting_answer({self._whole}.exists("{noun}"))')
        self._add(
            2,
            f"{many} = {self._find(noun)}",
            self._say(f"There are {{len({many})}} {plural(noun)}"),
            self._yes(f"len({many}) > 0"),
        )
        self._add(1, self._yes(f"len({self._find(noun)}) > 0"))
        self._add(1, f"number = len({self._find(noun)})", self._yes("number >= 1"))
        self._add(
            1.5,
            f'if {self._whole}.exists("{noun}"):',
            '    return formatting_answer("yes")',
            'return formatting_answer("no")',
        )
        question = f"Is there {with_article(noun)}?"
        self._add(ASKING, f"return formatting_answer({self._ask(question)})", exact=False)

    def _relation(self, form: Form, choices: Sequence[str]) -> None:
        first, second = variable(form["a"]), variable(form["b"])
        side, sign, words = _RELATION[form["rel"]]
        say = self._say(
            f"{the(form['a'])} is at {{{first}.{side}}} and {the(form['b'])} at {{{second}.{side}}}"
        )
        truth = self._yes(f"{first}.{side} {sign} {second}.{side}")
        self._add(
            2.5,
            f"{first} = {self._find(form['a'])}[0]",
            f"{second} = {self._find(form['b'])}[0]",
            say,
            truth,
        )
        firsts, seconds = variable(form["a"], many=True), variable(form["b"], many=True)
        self._add(
            1.5,
            f"{firsts} = {self._find(form['a'])}",
            f"{seconds} = {self._find(form['b'])}",
            f"if len({firsts}) == 0 or len({seconds}) == 0:",
            '    return formatting_answer("no")',
            f"return formatting_answer({firsts}[0].{side} {sign} {seconds}[0].{side})",
        )
        self._add(
            1.5,
            f"place_a = {self._find(form['a'])}[0].{side}",
            f"place_b = {self._find(form['b'])}[0].{side}",
            self._yes(f"place_a {sign} place_b"),
        )
        self._add(
            1.5,
            f"{first} = {self._find(form['a'])}[0]",
            f"{second} = {self._find(form['b'])}[0]",
            f"if {first}.{side} {sign} {second}.{side}:",
            '    return formatting_answer("yes")',
            'return formatting_answer("no")',
        )
        self._add(
            1,
            f"{second} = {self._find(form['b'])}[0]",
            f"{firsts} = [a for a in {self._find(form['a'])} if a.{side} {sign} {second}.{side}]",
            f"return formatting_answer(len({firsts}) > 0)",
        )
        words = {
            "left of": pick(("left of", "to the left of"), self._rng),
            "right of": "to the right of",
        }.get(words, words)
        question = f"Is {the(form['a'])} {words} {the(form['b'])}?"
        self._add(ASKING, f"return formatting_answer({self._ask(question)})", exact=False)

    def _compare(self, form: Form, choices: Sequence[str]) -> None:
        first, second = variable(form["a"], many=True), variable(form["b"], many=True)
        sign, words = _COMPARE[form["cmp"]]
        self._add(
            2.5,
            f"{first} = {self._find(form['a'])}",
            f"{second} = {self._find(form['b'])}",
            self._say(
                f"{{len({first})}} {plural(form['a'])} and {{len({second})}} {plural(form['b'])}"
            ),
            self._yes(f"len({first}) {sign} len({second})"),
        )
        self._add(
            1.5,
            f"count_a = len({self._find(form['a'])})",
            f"count_b = len({self._find(form['b'])})",
            self._yes(f"count_a {sign} count_b"),
        )
        self._add(
            1.5,
            f"{first} = {self._find(form['a'])}",
            f"{second} = {self._find(form['b'])}",
            f"if len({first}) {sign} len({second}):",
            '    return formatting_answer("yes")',
            'return formatting_answer("no")',
        )
        self._add(
            1,
            f"return formatting_answer(len({self._find(form['a'])}) {sign} "
            f"len({self._find(form['b'])}))",
        )
        tail = f"as {plural(form['b'])}" if form["cmp"] == "same" else f"than {plural(form['b'])}"
        question = f"Are there {words} {plural(form['a'])} {tail}?"
        self._add(ASKING, f"return formatting_answer({self._ask(question)})", exact=False)

    def _count_relation(self, form: Form, choices: Sequence[str]) -> None:
        noun, other = form["a"], variable(form["b"])
        side, sign, words = _RELATION[form["rel"]]
        one_of, many = variable(noun), variable(noun, many=True)
        if one_of == other:
            other = f"{other}_b"
        condition = f"{one_of}.{side} {sign} {other}.{side}"
        self._add(
            2,
            f"{other} = {self._find(form['b'])}[0]",
            f"{many} = [{one_of} for {one_of} in {self._find(noun)} if {condition}]",
            self._say(f"{{len({many})}} {plural(noun)} are {words} {the(form['b'])}"),
            f"return formatting_answer(len({many}))",
        )
        self._add(
            1.5,
            f"{other} = {self._find(form['b'])}[0]",
            "count = 0",
            f"for {one_of} in {self._find(noun)}:",
            f"    if {condition}:",
            "        count += 1",
            self._say(f"{{count}} {plural(noun)} {words} {the(form['b'])}"),
            "return formatting_answer(count)",
        )
        self._add(
            1.5,
            f"limit = {self._find(form['b'])}[0].{side}",
            f"{many} = [a for a in {self._find(noun)} if a.{side} {sign} limit]",
            f"return formatting_answer(len({many}))",
        )
        self._add(
            1.5,
            f"{other} = {self._find(form['b'])}[0]",
            f"{many} = {self._find(noun)}",
            f"{many} = [{one_of} for {one_of} in {many} if {condition}]",
            f"count = len({many})",
            "return formatting_answer(count)",
        )
        question = f"How many {plural(noun)} are {words} {the(form['b'])}?"
        self._add(ASKING, f"return formatting_answer({self._ask(question)})", exact=False)

    def _described(self, form: Form, choices: Sequence[str]) -> None:
        """The forms `extreme` and `category_of`: find the object, then ask what it is."""
        noun = form["among"]
        each = "thing" if noun == "object" else variable(noun)
        many = "objects" if noun == "object" else variable(noun, many=True)
        asks = (
            self._asks
            if noun == "object" or self._rng.random() < 0.6
            else f"What {one(noun)} is this?"
        )
        options = "[" + ", ".join(f'"{option}"' for option in choices) + "]"
        name = f"best_text_match({options})" if choices else f'visual_question_answering("{asks}")'
        other = variable(form["b"]) if "b" in form else ""
        start = f"{other} = {self._find(form['b'])}[0]" if other else ""
        if "rel" in form:
            side, sign, _ = _RELATION[form["rel"]]
            self._related(noun, each, many, name, start, f"{each}.{side} {sign} {other}.{side}")
            question = f"What {one(noun)} is {_RELATION[form['rel']][2]} {the(form['b'])}?"
        else:
            self._superlative(form["by"], noun, each, many, name, start, other)
            question = f"What is the {_superlative_words(form, noun)}?"
        if choices:
            question += f" Options: {', '.join(choices)}."
        self._add(ASKING, f"return formatting_answer({self._ask(question)})", exact=False)

    def _related(
        self, noun: str, each: str, many: str, name: str, start: str, condition: str
    ) -> None:
        self._add(
            1.5,
            start,
            f"{many} = [{each} for {each} in {self._find(noun)} if {condition}]",
            f"return formatting_answer({many}[0].{name})",
        )
        self._add(
            1.5,
            start,
            f"{many} = {self._find(noun)}",
            f"{many} = [{each} for {each} in {many} if {condition}]",
            f"name = {many}[0].{name}",
            "return formatting_answer(name)",
        )
        self._add(
            1.5,
            start,
            f"names = [{each}.{name} for {each} in {self._find(noun)} if {condition}]",
            "return formatting_answer(names[0])",
        )
        self._add(
            1.5,
            start,
            f"for {each} in {self._find(noun)}:",
            f"    if {condition}:",
            f"        return formatting_answer({each}.{name})",
            pick(
                (
                    'return formatting_answer("none")',
                    f"return formatting_answer({self._ask(self._asks)})",
                ),
                self._rng,
            ),
        )

    def _superlative(
        self, by: str, noun: str, each: str, many: str, name: str, start: str, other: str
    ) -> None:
        function, measure = _EXTREME[by]
        key = measure.format(each, other)
        finds = self._find(noun)
        others = f"[{each} for {each} in {finds} if {each}.left != {other}.left]"
        all_things, away = f"{many} = {finds}", f"{many} = {others}"
        best = pick((by if by.isidentifier() else "best", "best"), self._rng)
        say = self._say(f"the {by} {one(noun)} is at {{{best}.left}}")
        ends = f"return formatting_answer({best}.{name})"
        if other:
            centres = _CENTRES.format(each, other)
            near = by == "nearest"
            self._add(
                2,
                start,
                away,
                f"{best} = {function}({many}, key=lambda {each}: {key})",
                ends,
                exact=False,
            )
            self._add(
                1,
                start,
                away if near else all_things,
                f"{best} = {function}({many}, key=lambda {each}: {centres})",
                ends,
            )
            self._add(
                1,
                start,
                f"{many} = sorted({others if near else finds}, key=lambda {each}: {centres})",
                f"name = {many}[{0 if near else -1}].{name}",
                "return formatting_answer(name)",
            )
            return
        self._add(
            2, all_things, f"{best} = {function}({many}, key=lambda {each}: {key})", say, ends
        )
        reverse = ", reverse=True" if function == "max" else ""
        self._add(
            1.5,
            all_things,
            f"{many} = sorted({many}, key=lambda {each}: {key}{reverse})",
            f"return formatting_answer({many}[0].{name})",
        )
        self._add(
            1.5,
            f"{best} = {function}({finds}, key=lambda {each}: {key})",
            say,
            f"name = {best}.{name}",
            "return formatting_answer(name)",
        )
        last = 0 if function == "min" else -1
        self._add(
            1.5,
            f"{best} = sorted({finds}, key=lambda {each}: {key})[{last}]",
            ends,
        )
        sign = "<" if function == "min" else ">"
        self._add(
            1,
            all_things,
            f"{best} = {many}[0]",
            f"for {each} in {many}:",
            f"    if {key} {sign} {measure.format(best, other)}:",
            f"        {best} = {each}",
            ends,
        )

    def _present(self, form: Form, choices: Sequence[str]) -> None:
        absent = form["op"] == "absent"
        options = "[" + ", ".join(f'"{option}"' for option in (choices or form["options"])) + "]"
        no = "not " if absent else ""
        last = f"return formatting_answer({self._whole}.best_text_match({options}))"
        end = pick(("", 'return formatting_answer("none")'), self._rng)
        self._add(
            2,
            f"for option in {options}:",
            f"    if {no}{self._whole}.exists(option):",
            "        return formatting_answer(option)",
            end,
        )
        compared = "== 0" if absent else "> 0"
        self._add(
            1,
            f"for option in {options}:",
            f"    found = {self._whole}.find(option)",
            self._say("{option}: {len(found)}").replace("print", "    print"),
            f"    if len(found) {compared}:",
            "        return formatting_answer(option)",
        )
        self._add(
            1.5,
            f"options = {options}",
            f"seen = [option for option in options if {no}{self._whole}.exists(option)]",
            "return formatting_answer(seen[0])",
        )
        self._add(
            1.5,
            f"for option in {options}:",
            f"    if len({self._whole}.find(option)) {compared}:",
            "        return formatting_answer(option)",
            end,
        )
        word = "no" if absent else "yes"
        self._add(
            0.4,
            f"for option in {options}:",
            f'    answer = {self._whole}.visual_question_answering(f"Is there a {{option}}?")',
            f'    if answer == "{word}":',
            "        return formatting_answer(option)",
        )
        if not absent:
            self._add(ASKING, last, exact=False)


def _numbers(choices: Sequence[str]) -> str:
    return "[" + ", ".join(str(int(choice)) for choice in choices if choice.isdigit()) + "]"


def _superlative_words(form: Form, noun: str) -> str:
    words = {"nearest": "nearest to", "farthest": "farthest from"}
    return f"{noun} {words[form['by']]} {the(form['b'])}" if "b" in form else f"{form['by']} {noun}"
