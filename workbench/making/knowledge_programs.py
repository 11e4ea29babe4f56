"""Reference programs for questions that need knowledge: which things can fly, what is edible."""

from __future__ import annotations

import numpy as np

from workbench.english import a as with_article
from workbench.english import one, plural
from workbench.making.predicates import plural_predicate, questions_of
from workbench.making.program_habits import Form, Habits, variable
from workbench.tasks.collage.answerable import pick


class KnowledgePrograms(Habits):
    """Writes the programs of one knowledge question."""

    def _knowledge(self, form: Form, predicate: str) -> None:
        noun, ask = form["among"], form["ask"]
        each = "thing" if noun == "object" else variable(noun)
        asks = (
            self._asks
            if noun == "object" or self._rng.random() < 0.6
            else f"What {one(noun)} is this?"
        )
        name = f'    name = {each}.visual_question_answering("{asks}")'
        query = (
            f'llm_query(f"{pick(questions_of(predicate), self._rng, (3, 1))} Answer yes or no.")'
        )
        loop = f"for {each} in {self._find(noun)}:"
        say = self._say(f"{{name}}: {{answer}}").replace("print", "    print")  # noqa: F541
        test = 'if "yes" in answer.lower():'
        checks = (
            (2.5, (name, f"    answer = {query}", say, f"    {test}")),
            (1.0, (name, f'    if {query} == "yes":')),
            (
                0.8,
                (f'    if {each}.verify_property("{noun}", "{predicate}"):',),
            ),
        )
        for weight, check in checks:
            if ask == "count":
                self._add(
                    weight,
                    "count = 0",
                    loop,
                    *check,
                    "        count += 1",
                    "return formatting_answer(count)",
                )
            elif ask == "exists":
                self._add(
                    weight,
                    loop,
                    *check,
                    '        return formatting_answer("yes")',
                    'return formatting_answer("no")',
                )
            elif "name =" in check[0]:
                self._add(
                    weight,
                    loop,
                    *check,
                    "        return formatting_answer(name)",
                    _fallback(self._rng),
                )
            else:
                tail = (
                    f'        return formatting_answer({each}.visual_question_answering("{asks}"))'
                )
                self._add(weight, loop, *check, tail, _fallback(self._rng))
        kind = {"eaten": "food", "passengers": "vehicle"}.get(form["fact"])
        if kind and noun == "object":
            all_things = self._find(kind)
            if ask == "count":
                self._add(1.5, f"return formatting_answer(len({all_things}))")
            elif ask == "exists":
                self._add(1.5, f"return formatting_answer(len({all_things}) > 0)")
            else:
                self._add(
                    1.5,
                    f"{kind} = {all_things}[0]",
                    f'return formatting_answer({kind}.visual_question_answering("{self._asks}"))',
                )
        nouns = plural(noun)
        whole = {
            "count": f"How many {nouns} {plural_predicate(predicate)}?",
            "exists": f"Is there {with_article(noun)} that {predicate}?",
            "which": f"Which {one(noun)} {predicate}?",
        }[ask]
        self._add(0.2, f"return formatting_answer({self._ask(whole)})", exact=False)


def _fallback(rng: np.random.Generator) -> str:
    return pick(('return formatting_answer("none")', ""), rng, (2, 1))
