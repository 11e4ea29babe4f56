"""The language of the search box, and the words by which a task is found.

    tool:find status:wrong steps>6 answer:"two dogs" -family:count "on the table" -cat cup on the ta

Free words must all occur in the task's texts: question, programs' source, what they printed, text
of tool results, answers, messages of failures, rationales; of the parts in force.  The last word is
taken as a beginning.  Words in quotes are a phrase: they must stand side by side in one text.
Names with a colon choose values of a facet: the same name again means either, another name means
both.  Numbers are compared.  A minus before any of these finds the tasks to which it does not
apply.  `meta.KEY:VALUE` and `meta.KEY>3` ask for what a table says of its questions in a column of
its own.  A quote inside quotes is written twice; `family:""` finds the questions that have no
family.

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
    "evidence": "Evidence", "pictures": "Pictures", "steps": "Steps", "seconds": "Seconds",
    "student": "Student", "review": "Review", "reviewer": "Reviewer",
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
    "pictures": ("made",),
    "rationale": ("faithful", "unfaithful", "unchecked", "bare", "none"),
    "origin": ("imported", "visitor"),
    "review": ("pending", "accepted", "rejected", "skipped", "disputed", "adjudicated"),
}
"""Names whose values are a closed list."""

NAMES = (*FACETS, "answer", "gold", "origin", "id", "flag", "rationale", "tag")
"""Everything before a colon; `flag:` is a check that speaks against the kept run, or `any`,
`rationale:` what is known of its rationale, `origin:` tells the questions of visitors from the
project's own, and `tag:` is a word that people gave a question.  `pictures:made` finds questions
with runs whose steps made pictures.
"""
EMPTY = ("source", "split", "family")
"""Names whose value may be empty, as in `family:""`: a question need not have it."""
_OPERATORS = (">=", "<=", ">", "<", "=")
_PIECE = re.compile(r'(?:"[^"]*"?|[^\s"])+')
_NAMED = re.compile(
    r'(meta\.(?:"(?:[^"]|"")*"|[^\s":<>=]+)|\w+)(:|>=|<=|>|<|=)(.*)', re.DOTALL | re.IGNORECASE
)

META = "meta."
"""What a name begins with that asks for a column of a table's own."""


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
        return f"{_spelling(self.name)}{self.operator}{_digits(self.number)}"


@dataclass(frozen=True, slots=True)
class Query:
    """What a text in the search box asks for."""

    words: tuple[str, ...] = ()
    """Free words as they were typed."""
    picked: tuple[tuple[str, str], ...] = ()
    """Pairs of a name and a value, each pair once."""
    compared: tuple[Comparison, ...] = ()
    phrases: tuple[str, ...] = ()
    """Texts of quoted pieces, each once."""
    excluded: Query | None = None
    """What a minus stands before: nothing of it may hold; None where there is none."""

    @property
    def tokens(self) -> tuple[str, ...]:
        """Choices, comparisons and whatever is excluded in their plain spelling, without the free
        words.
        """
        without = self.excluded.pieces if self.excluded is not None else ()
        return (*self._named, *(f"-{piece}" for piece in without))

    @property
    def _named(self) -> tuple[str, ...]:
        return (*(token(name, value) for name, value in self.picked), *map(str, self.compared))

    @property
    def pieces(self) -> tuple[str, ...]:
        """Everything that is asked for, piece by piece, in its plain spelling."""
        return (*self.tokens, *map(_in_quotes, self.phrases), *self.words)

    def __str__(self) -> str:
        return " ".join(self.pieces)

    def with_token(self, text: str) -> str:
        """The search text with one more token."""
        return str(parse_query(f"{text} {self}"))

    def without_token(self, text: str) -> str:
        """The search text without this token."""
        tokens = parse_query(text).tokens
        return " ".join(piece for piece in self.pieces if piece not in tokens)

    def values(self, name: str) -> list[str]:
        """The values that are picked under a name."""
        return [value for key, value in self.picked if key == name]

    def excluded_values(self, name: str) -> list[str]:
        """The values that a minus stands before, under a name."""
        return self.excluded.values(name) if self.excluded is not None else []


def token(name: str, value: str) -> str:
    """How a choice is written in the search box."""
    return f"{_spelling(name)}:{_quoted(value)}"


def _digits(number: float) -> str:
    """A number in full, so that it is read back as it was."""
    return repr(number).removesuffix(".0")


def _spelling(name: str) -> str:
    return META + _quoted(name.removeprefix(META)) if name.startswith(META) else name


def _quoted(value: str) -> str:
    plain = value and not re.search(r'[\s":<>=]', value)
    return value if plain else _in_quotes(value)


def _in_quotes(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _unquoted(text: str) -> str:
    """What `_quoted` was given; a text that is not quoted as a whole loses its quotes."""
    whole = re.fullmatch(r'"((?:[^"]|"")*)"', text)
    return whole[1].replace('""', '"') if whole else text.replace('"', "").strip()


class _QueryReader:
    """Takes the pieces of a search one by one."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.phrases: dict[str, None] = {}
        self.picked: dict[tuple[str, str], None] = {}
        self.compared: dict[Comparison, None] = {}

    def take(self, piece: str) -> None:
        """Add one piece, without the minus before it."""
        match = None if piece.startswith('"') else _NAMED.match(piece)
        if match is None or not self._take_named(piece, *match.groups()):
            self._take_free(piece)

    def _take_named(self, piece: str, name: str, sign: str, text: str) -> bool:
        own = name.lower().startswith(META)
        name = META + _unquoted(name[len(META) :]) if own else name.lower()
        value = _unquoted(text)
        if sign == ":":
            self.picked[name, _value(piece, name, value, text)] = None
        elif own or name in NUMBERS:
            self.compared[Comparison(name, sign, _number(piece, value))] = None
        elif name in NAMES:
            raise InputError(f"'{piece}': {name} is not a number; write {name}:{value or 'VALUE'}")
        else:
            return False  # text of a program, such as x=3
        return True

    def _take_free(self, piece: str) -> None:
        if '"' not in piece:
            self.words.append(piece)
        elif phrase := _unquoted(piece).strip():
            self.phrases[phrase] = None

    def query(self, excluded: Query | None = None) -> Query:
        """What was taken; `excluded` is what stood behind a minus."""
        parts = tuple(self.words), tuple(self.picked), tuple(self.compared), tuple(self.phrases)
        return Query(*parts, excluded)


def parse_query(text: str) -> Query:
    """Read the search box.

    Raises:
        InputError: a name, value or number cannot be understood; the message lists the right ones.
    """
    reader, refusals = _QueryReader(), _QueryReader()
    for piece in _PIECE.findall(text):
        if len(piece) > 1 and piece.startswith("-"):
            refusals.take(piece[1:])
        else:
            reader.take(piece)
    excluded = refusals.query()
    return reader.query(excluded if excluded.pieces else None)


def _value(piece: str, name: str, value: str, text: str) -> str:
    """The value of a choice as it is kept.

    Args:
        piece: of the search, for messages.
        name: before the colon.
        value: behind the colon, without quotes.
        text: behind the colon, as it was typed.
    """
    own = name.startswith(META)
    if name not in NAMES and not own:
        raise InputError(
            f"nothing is called '{name}:'; there are {', '.join(f'{one}:' for one in NAMES)} and, "
            f"compared with a number, {', '.join(NUMBERS)} (steps>6), and meta.KEY: for columns of "
            "your own; put text with a colon in quotes"
        )
    if not value.strip() and not ((own or name in EMPTY) and text.startswith('"')):
        raise InputError(f"'{piece}' lacks its value; write for example {name}:{_example(name)}")
    if name in CLOSED and value.lower() not in CLOSED[name]:
        raise InputError(f"no {name} is called '{value}'; there are: {', '.join(CLOSED[name])}")
    if name in ("steps", "seconds"):
        low, high = bounds(value, piece)
        return f"{_digits(low)}-" if math.isinf(high) else f"{_digits(low)}-{_digits(high)}"
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


def cut(database: Database, text: str) -> list[str]:
    """The words of a text, in order."""
    (row,) = database.rows(f"SELECT {WORDS.format('$text')} AS words", {"text": text})
    return list(row["words"])


def word_condition(database: Database, words: Sequence[str], *, last_begins: bool = True) -> str:
    """SQL for the numbers of the questions in whose texts all of these words stand.

    The rarest word is looked up first, so that each further list is only compared with what is
    left.  The SQL has the parameters `sampler`, `executor` and `writer`.

    Args:
        database: the store.
        words: from `cut`.
        last_begins: whether the last one may be the beginning of a word.
    """
    distinct = list(dict.fromkeys(words))
    if not distinct:
        return "SELECT NULL"
    last = distinct[-1]
    begun = last if last_begins and len(last) >= BEGINNING else None
    counts = database.rows(
        f"SELECT word, sum(n) AS n FROM posting WHERE word IN {IDS} "
        "OR starts_with(word, $begun) GROUP BY word",
        {"ids": id_list(distinct), "begun": begun},
    )
    sizes = {row["word"]: row["n"] for row in counts}
    lists = [[word] if word in sizes else [] for word in distinct[:-1]]
    lists.append([word for word in sizes if word == last or (begun and word.startswith(begun))])
    sql = ""
    for among in sorted(lists, key=lambda among: sum(sizes[word] for word in among)):
        mine = posting_sql(among, "('', $sampler, $executor, $writer)")
        sql = f"SELECT seq FROM ({mine}) WHERE seq IN ({sql})" if sql else mine
    return sql


def posting_sql(words: Sequence[str], parts: str) -> str:
    """SQL for the numbers of the questions in which one of these words stands.

    The index is asked for literals (letters and digits, see `WORDS`) and for no second condition:
    lists are long to read, and without it every word's would be.

    Args:
        words: from `cut`.
        parts: SQL for the keys of the parts whose texts count.
    """
    among = ", ".join(f"'{word}'" for word in words) or "NULL"
    return f"""
    SELECT unnest(tasks) AS seq FROM (
        WITH held AS MATERIALIZED (SELECT part, tasks FROM posting WHERE word IN ({among}))
        SELECT tasks FROM held WHERE part IN {parts}
    )"""
