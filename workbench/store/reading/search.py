"""The language of the search box, and the words by which a task is found.

    tool:find status:wrong steps>6 answer:"two dogs" cup on the ta

Free words must all occur in the task's texts: question, programs' source, what they printed, text
of tool results, answers, messages of failures, rationales; of the parts in force.  The last word is
taken as a beginning.  Names with a colon choose values of a facet: the same name again means
either, another name means both.  Numbers are compared.  A quote inside quotes is written twice;
`family:""` finds the questions that have no family.

Words are letters and digits in lower case without accents; a Han character is a word of its own.
One table, `posting`, holds for each word the tasks whose texts have it.  DuckDB cuts texts and
queries with the same expression.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from workbench.errors import InputError
from workbench.evidence import EVIDENCE
from workbench.records import AnswerType
from workbench.store.kernel.database import IDS, Database, id_list
from workbench.store.reading.outcome import MATCHES, STATUSES, STUDENTS

WORDS = (
    "regexp_extract_all(strip_accents(lower({})), "
    r"'\p{{Han}}|(?:[^\P{{L}}\p{{Han}}]|\p{{N}}|\p{{M}})+')"
)
"""SQL for the words of a text, which stands in the place of `{}`."""

BEGINNING = 3
"""Letters that the last word needs to be taken as a beginning."""

FACETS: Mapping[str, str] = {
    "status": "Status", "source": "Source", "split": "Split", "family": "Family",
    "type": "Answer type", "tool": "Tool used", "kind": "Failure", "match": "Right runs",
    "evidence": "Evidence", "steps": "Steps", "seconds": "Seconds", "student": "Student",
    "review": "Review", "reviewer": "Reviewer",
}  # fmt: skip
"""What can be chosen in the list beside the search box, with its title."""

NUMBERS = {
    "steps": "steps", "seconds": "seconds", "right": "correct", "programs": "programs",
    "executed": "executed", "siblings": "siblings", "apart": "apart",
}  # fmt: skip
"""Names that can be compared with a number, each with its column."""

CLOSED: Mapping[str, tuple[str, ...]] = {
    "status": STATUSES,
    "match": MATCHES,
    "student": STUDENTS,
    "type": get_args(AnswerType),
    "evidence": EVIDENCE,
    "rationale": ("faithful", "unfaithful", "unchecked", "bare", "none"),
    "origin": ("imported", "visitor"),
    "review": ("pending", "accepted", "rejected", "skipped", "disputed", "adjudicated"),
}
"""Names whose values are a closed list."""

NAMES = (*FACETS, "answer", "gold", "origin", "id", "flag", "rationale", "tag")
"""Everything before a colon; `flag:` is a check that speaks against the kept run, or `any`,
`rationale:` what is known of its rationale, `origin:` tells the questions of visitors from the
project's own, and `tag:` is a word that people gave a question.
"""
EMPTY = ("source", "split", "family")
"""Names whose value may be empty, as in `family:""`: a question need not have it."""
_OPERATORS = (">=", "<=", ">", "<", "=")
_PIECE = re.compile(r'(?:"[^"]*"?|[^\s"])+')


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison with a number, such as `steps>6`."""

    name: str
    operator: str
    number: float

    @property
    def column(self) -> str:
        return NUMBERS[self.name]

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{self.number:g}"


@dataclass(frozen=True, slots=True)
class Query:
    """What a text in the search box asks for."""

    words: tuple[str, ...] = ()
    """Free words as they were typed; a quoted piece is one of them."""
    picked: tuple[tuple[str, str], ...] = ()
    """Pairs of a name and a value, each pair once."""
    compared: tuple[Comparison, ...] = ()

    @property
    def tokens(self) -> tuple[str, ...]:
        """Choices and comparisons in their plain spelling, without the free words."""
        return (*(token(name, value) for name, value in self.picked), *map(str, self.compared))

    def __str__(self) -> str:
        return " ".join((*self.tokens, *map(_quoted, self.words)))

    def with_token(self, text: str) -> str:
        """The search text with one more token."""
        return str(parse_query(f"{text} {self}"))

    def without_token(self, text: str) -> str:
        """The search text without this token."""
        tokens = parse_query(text).tokens
        return " ".join((*(t for t in self.tokens if t not in tokens), *map(_quoted, self.words)))

    def values(self, name: str) -> list[str]:
        """The values that are picked under a name."""
        return [value for key, value in self.picked if key == name]


def token(name: str, value: str) -> str:
    """How a choice is written in the search box."""
    return f"{name}:{_quoted(value)}"


def _quoted(value: str) -> str:
    plain = value and not re.search(r'[\s":<>=]', value)
    return value if plain else '"' + value.replace('"', '""') + '"'


def _unquoted(text: str) -> str:
    """What `_quoted` was given; a text that is not quoted as a whole loses its quotes."""
    whole = re.fullmatch(r'"((?:[^"]|"")*)"', text)
    return whole[1].replace('""', '"') if whole else text.replace('"', "").strip()


def parse_query(text: str) -> Query:
    """Read the search box.

    Raises:
        InputError: a name, value or number cannot be understood; the message lists the right ones.
    """
    words: list[str] = []
    picked: dict[tuple[str, str], None] = {}
    compared: dict[Comparison, None] = {}
    for piece in _PIECE.findall(text):
        match = re.match(r"(\w+)(:|>=|<=|>|<|=)(.*)", piece, re.DOTALL)
        if match is None or piece.startswith('"'):
            words.append(piece.replace('"', " ").strip())
            continue
        name, sign, value = match[1].lower(), match[2], _unquoted(match[3])
        if sign == ":":
            picked[name, _value(piece, name, value)] = None
        elif name in NUMBERS:
            compared[Comparison(name, sign, _number(piece, value))] = None
        elif name in NAMES:
            raise InputError(f"'{piece}': {name} is not a number; write {name}:{value or 'VALUE'}")
        else:
            words.append(piece.replace('"', " ").strip())  # text of a program, such as x=3
    return Query(tuple(word for word in words if word), tuple(picked), tuple(compared))


def _value(piece: str, name: str, value: str) -> str:
    if name not in NAMES:
        raise InputError(
            f"nothing is called '{name}:'; there are {', '.join(f'{one}:' for one in NAMES)} and, "
            f"compared with a number, {', '.join(NUMBERS)} (steps>6); put text with a colon in "
            "quotes"
        )
    if not value.strip() and not (name in EMPTY and '"' in piece):
        raise InputError(f"'{piece}' lacks its value; write for example {name}:{_example(name)}")
    if name in CLOSED and value.lower() not in CLOSED[name]:
        raise InputError(f"no {name} is called '{value}'; there are: {', '.join(CLOSED[name])}")
    if name in ("steps", "seconds"):
        low, high = bounds(value, piece)
        return f"{low:g}-" if math.isinf(high) else f"{low:g}-{high:g}"
    return value.lower() if name in CLOSED or name in ("answer", "gold", "tag") else value


def _example(name: str) -> str:
    return (
        CLOSED[name][0]
        if name in CLOSED
        else {"steps": "6-10", "seconds": "0.5-1"}.get(name, "NAME")
    )


def _number(piece: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"'{piece}' needs a number, as in steps>6 or seconds<=0.5")
    return value


def bounds(value: str, piece: str = "") -> tuple[float, float]:
    """The ends of `6-10` or `101-`; a single number is both."""
    low, dash, high = value.partition("-")
    first = _number(piece or value, low)
    if not dash:
        return first, first
    return first, _number(piece or value, high) if high else math.inf


# --- words


def word_condition(database: Database, pieces: Sequence[str]) -> str:
    """SQL for the numbers of the questions in whose texts all words of these pieces stand.

    The rarest word is looked up first, so that each further list is only compared with what is
    left.  The SQL has the parameters `sampler`, `executor` and `writer`.
    """
    (row,) = database.rows(f"SELECT {WORDS.format('$text')} AS words", {"text": " ".join(pieces)})
    cut = list(dict.fromkeys(row["words"]))
    if not cut:
        return "SELECT NULL"
    begun = cut[-1] if len(cut[-1]) >= BEGINNING else None
    counts = database.rows(
        f"SELECT word, sum(n) AS n FROM posting WHERE word IN {IDS} "
        "OR starts_with(word, $begun) GROUP BY word",
        {"ids": id_list(cut), "begun": begun},
    )
    sizes = {row["word"]: row["n"] for row in counts}
    lists = [[word] if word in sizes else [] for word in cut[:-1]]
    lists.append([word for word in sizes if word == cut[-1] or (begun and word.startswith(begun))])
    sql = ""
    for words in sorted(lists, key=lambda words: sum(sizes[word] for word in words)):
        # The index is asked for literals (letters and digits, see `WORDS`) and for no second
        # condition: lists are long to read, and without it every word's would be.
        among = ", ".join(f"'{word}'" for word in words) or "NULL"
        mine = f"""
        SELECT unnest(tasks) AS seq FROM (
            WITH held AS MATERIALIZED (SELECT part, tasks FROM posting WHERE word IN ({among}))
            SELECT tasks FROM held WHERE part IN ('', $sampler, $executor, $writer)
        )"""
        sql = f"SELECT seq FROM ({mine}) WHERE seq IN ({sql})" if sql else mine
    return sql
