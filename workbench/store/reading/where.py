"""A query as SQL over the table `outcome`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, get_args

from workbench.made_pictures import PICTURE_STEPS
from workbench.records import AnswerType, Task
from workbench.store.kernel.database import Database
from workbench.store.reading import own_columns
from workbench.store.reading.phrases import phrase_tasks
from workbench.store.reading.search import META, Comparison, Query, bounds, cut, word_condition
from workbench.store.records import rows as shape
from workbench.store.records.pending import VISITOR
from workbench.store.records.scope import Scope
from workbench.verify.answers import choice
from workbench.verify.normalise import normalise

BUCKETS: Mapping[str, tuple[str, ...]] = {
    "steps": ("0-5", "6-10", "11-20", "21-50", "51-100", "101-"),
    "seconds": ("0-0.1", "0.1-0.5", "0.5-1", "1-5", "5-30", "30-"),
}
"""Ranges that can be chosen: of steps with both ends, of seconds without the upper end."""

COLUMNS = {
    "status": "status", "source": "source", "split": "split", "family": "family",
    "type": "answer_type", "match": "match", "student": "student", "tool": "tools",
    "kind": "kinds", "steps": "steps", "seconds": "seconds", "evidence": "evidence",
}  # fmt: skip

_PLACES = tuple(f"option {number} of 26" for number in range(1, 27))
"""Options that only a letter names, to learn which place a text such as `(b)` means."""

NOBODY = "none"
"""`reviewer:none` finds the questions that nobody has decided on."""


class Where:
    """A query as SQL over `outcome`, with its parameters."""

    def __init__(self, database: Database, query: Query, scope: Scope) -> None:
        self.database, self.query, self.scope = database, query, scope
        self.values: dict[str, Any] = {}
        """Values of the parameters, by name."""
        self.words = " AND ".join(self._free(query))
        """The conditions of the free words and phrases; empty where there are none."""
        self.others = [
            *(self._comparison(one) for one in query.compared),
            *self._none_of(query.excluded),
        ]
        self.choices = {name: self._any(name, query) for name in dict(query.picked)}
        without = query.excluded or Query()
        self.refusals = {
            name: f"({self._any(name, without)}) IS NOT TRUE" for name in dict(without.picked)
        }

    def sql(self) -> str:
        """All conditions, joined by AND."""
        return f"{self.words} AND {self.rest()}" if self.words else self.rest()

    def rest(self, but: str | None = None) -> str:
        """The conditions without those of the free words and without those of the facet `but`."""
        conditions = [
            *self.others,
            *(condition for name, condition in self.choices.items() if name != but),
            *(condition for name, condition in self.refusals.items() if name != but),
        ]
        return " AND ".join(conditions) or "true"

    def _free(self, query: Query) -> list[str]:
        """Conditions of words and phrases: where each of them stands."""
        words = [cut(self.database, word) for word in query.words]
        conditions = [self._with_all([one for group in words for one in group])] if words else []
        return [*conditions, *map(self._with_phrase, query.phrases)]

    def _none_of(self, query: Query | None) -> list[str]:
        """Conditions that refuse comparisons, words and phrases; choices have their own."""
        if query is None:
            return []
        # a piece such as kettle_0 is two words, which nobody means apart from each other
        pieces = [(word, cut(self.database, word)) for word in query.words]
        refusals = [
            *map(self._comparison, query.compared),
            *(
                self._with_all(group, last_begins=False)
                if len(group) == 1
                else self._with_phrase(word)
                for word, group in pieces
            ),
            *map(self._with_phrase, query.phrases),
        ]
        return [f"({condition}) IS NOT TRUE" for condition in refusals]

    def _with_all(self, words: list[str], *, last_begins: bool = True) -> str:
        """Where all these words stand in the question's texts."""
        scope = self.scope
        self.values.update(sampler=scope.sampler, executor=scope.executor, writer=scope.writer)
        return f"seq IN ({word_condition(self.database, words, last_begins=last_begins)})"

    def _with_phrase(self, phrase: str) -> str:
        mark = self._mark(json.dumps(phrase_tasks(self.database, phrase, self.scope)))
        return f"""seq IN (SELECT unnest(from_json({mark}, '["BIGINT"]')))"""

    def _comparison(self, one: Comparison) -> str:
        if not one.name.startswith(META):
            return f"{one.column} {one.operator} {one.number!r}"
        pointer = self._mark(own_columns.pointer(one.name.removeprefix(META)))
        return own_columns.compared(pointer, one.operator, one.number)

    def _mark(self, value: Any) -> str:
        """A new parameter with this value, as SQL names it."""
        mark = f"$p{len(self.values)}_"
        self.values[mark[1:]] = value
        return mark

    def parameters(self, sql: str) -> dict[str, Any]:
        """The parameters that a statement uses."""
        return {name: value for name, value in self.values.items() if f"${name}" in sql}

    def _any(self, name: str, query: Query) -> str:
        return "(" + " OR ".join(self._one(name, value) for value in query.values(name)) + ")"

    def _one(self, name: str, value: str) -> str:
        if name in BUCKETS:
            low, high = bounds(value)
            ends = f"{COLUMNS[name]} >= {low!r}"
            if high != float("inf"):
                sign = "<=" if name == "steps" or low == high else "<"
                ends += f" AND {COLUMNS[name]} {sign} {high!r}"
            return f"({ends})"
        mark = self._mark(value)
        if name.startswith(META):
            pointer = self._mark(own_columns.pointer(name.removeprefix(META)))
            return own_columns.equal(pointer, mark)
        if name in COLUMNS:
            return self._column(name, mark)
        if name == "answer":
            return self._answer(mark, value)
        return _OTHER[name](mark, value)

    def _answer(self, mark: str, value: str) -> str:
        """The questions whose answer means this value, each by the rule of its own type."""
        self.values[mark[1:]] = json.dumps(_naming(self.database, value))
        conditions = [f"""seq IN (SELECT unnest(from_json({mark}, '["BIGINT"]')))"""]
        for answer_type in get_args(AnswerType):
            if answer_type != "choice":
                form = f"{mark}{answer_type}"
                task = Task("", "", "", "", "", answer_type=answer_type)
                self.values[form[1:]] = shape.form_of(value, task)
                conditions.append(f"(answer_type = '{answer_type}' AND said_form = {form})")
        return "(" + " OR ".join(conditions) + ")"

    def _column(self, name: str, mark: str) -> str:
        if name in ("tool", "kind"):
            return f"contains({COLUMNS[name]}, '|' || {mark} || '|')"
        return f"{COLUMNS[name]} = {mark}"


_normal = lru_cache(maxsize=100_000)(normalise)


def _naming(database: Database, value: str) -> list[int]:
    """Numbers of the multiple-choice questions whose answer a text names: by the option's words,
    or by its letter, which stands for another option in each question.
    """
    words = f" {normalise(value)} "
    sql = "SELECT DISTINCT said_form AS form FROM outcome WHERE answer_type = 'choice'"
    forms = [row["form"] for row in database.rows(f"{sql} AND said_form <> ''")]
    forms = [form for form in forms if f" {_normal(form)} " in words]
    letter = choice(value, _PLACES)
    rows = database.rows(
        """
        SELECT seq, said_form, task.* FROM outcome JOIN task USING (seq)
        WHERE outcome.answer_type = 'choice' AND (
            list_contains(from_json($forms, '["VARCHAR"]'), said_form)
            OR said_form = task.choices[$letter])
        """,
        {"forms": json.dumps(forms), "letter": 0 if letter is None else letter + 1},
    )
    return [r["seq"] for r in rows if shape.form_of(value, shape.to_task(r)) == r["said_form"]]


def _flag(mark: str, value: str) -> str:
    fits = f"flags <> '' AND ({mark} = 'any' OR contains(flags, '|' || {mark} || '|'))"
    return f"chosen IN (SELECT trace_id FROM trace_check WHERE {fits})"


def _rationale(mark: str, value: str) -> str:
    condition = {
        "faithful": "faithful",
        "unfaithful": "NOT faithful",
        "none": "chosen IS NOT NULL AND faithful IS NULL",
    }.get(value, value)
    return f"({mark} <> '' AND coalesce({condition}, false))"


def _review(mark: str, value: str) -> str:
    # A question without a row in `curated` is pending as well.
    sign, among = ("<>", "NOT IN") if value == "pending" else ("=", "IN")
    return f"id {among} (SELECT task_id FROM curated WHERE state {sign} {mark})"


def _reviewer(mark: str, value: str) -> str:
    # A decision that was taken back stands as kind 'none', so that it does not count.
    among = "NOT IN" if value == NOBODY else "IN"
    fits = f"kind <> 'none' AND {mark} IN ('{NOBODY}', author)"
    return f"id {among} (SELECT task_id FROM standing WHERE {fits})"


def _id(mark: str) -> str:
    # An id in full means itself alone, though it may begin another one.
    exact = f"(id = {mark} OR chosen = {mark})"
    begun = f"(starts_with(id, {mark}) OR starts_with(chosen, {mark}))"
    return f"({exact} OR {begun} AND NOT EXISTS (FROM outcome WHERE {exact}))"


def _tag(mark: str, value: str) -> str:
    fits = f"kind = 'tag' AND lower(text) = {mark}"
    return f"id IN (SELECT task_id FROM active_decision WHERE {fits})"


PICTURES: Mapping[str, str] = {
    "made": rf"regexp_matches(tools, '\|({'|'.join(PICTURE_STEPS)})\|')",
}
"""The condition of each value of `pictures:`."""

_OTHER: Mapping[str, Callable[[str, str], str]] = {
    "gold": lambda mark, value: f"contains(gold, chr(10) || {mark} || chr(10))",
    "id": lambda mark, value: _id(mark),
    "flag": _flag,
    "rationale": _rationale,
    "pictures": lambda mark, value: f"({mark} <> '' AND coalesce({PICTURES[value]}, false))",
    "origin": lambda mark, value: f"({VISITOR} = ({mark} = 'visitor'))",
    "review": _review,
    "reviewer": _reviewer,
    "tag": _tag,
}
"""The condition of each name that has no column of its own, from the parameter and its value."""
