"""Plurals, articles and number words: tables of our own first, inflect for every other noun.

>>> plural("bus"), plural("teddy bear"), plural("scissors")
('buses', 'teddy bears', 'pairs of scissors')
>>> singular("quizzes"), singular("cactus"), is_plural("people"), is_plural("sheep")
('quiz', 'cactus', True, False)
>>> a("apple"), the("scissors")
('an apple', 'the pair of scissors')
>>> join(["a dog", "a cat", "two cups"])
'a dog, a cat and two cups'
"""

from __future__ import annotations

import importlib
import re
import threading
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import inflect

NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen", "twenty",
)  # fmt: skip
"""Number words by value, 0 to 20."""

SENTENCE_END = re.compile(r'(?<=[.!?])"?\s+(?=["“]?[A-Z0-9])')
"""What stands between two sentences of a rationale; quoted text may hold it too."""

_PAIRS = (
    "binoculars", "eyeglasses", "goggles", "jeans", "leggings", "overalls", "pajamas", "pants",
    "pliers", "pyjamas", "scissors", "shears", "shorts", "sunglasses", "tights", "tongs",
    "trousers", "tweezers",
)  # fmt: skip
_PIECES = ("bread", "broccoli", "luggage")
_UNITS = {**dict.fromkeys(_PAIRS, "pair"), **dict.fromkeys(_PIECES, "piece")}
"""Nouns without a singular or a plural of their own, and the unit that they are counted in."""

# The tables from here to `_ADDS_S` mend what inflect does not know.
_ONE_FORM = frozenset((
    "barracks", "bellows", "bison", "cattle", "chess", "clothes", "clothing", "crossroads", "dice",
    "food", "hay", "means", "police", "rice", "skis", "squid", "swine", "tennis", "traffic",
))  # fmt: skip
_PLURALS = {
    **dict.fromkeys(("waltz", "quartz", "thermos", "christmas"), "es"),
    **dict.fromkeys(("german", "human", "monarch", "roman", "ottoman", "shaman", "talisman"), "s"),
}
"""Ending of the plural by singular."""
_IRREGULAR = {
    "thief": "thieves", "hoof": "hooves", "grandchild": "grandchildren", "larva": "larvae",
    "passer-by": "passers-by", "runner-up": "runners-up",
}  # fmt: skip
_ADDS_ES = frozenset((
    "buffalo", "cargo", "dingo", "domino", "echo", "hero", "mango", "mosquito", "potato", "tomato",
    "tornado", "torpedo", "volcano",
))  # fmt: skip
"""Nouns in -o with a plural in -oes; inflect makes `burritoes` and `discoes` as well."""
_SINGULARS = {
    **{many: one for one, many in _IRREGULAR.items()},
    **{one + ending: one for one, ending in _PLURALS.items()},
    "cacti": "cactus",
    "octopi": "octopus",
    "fungi": "fungus",
    "hippopotami": "hippopotamus",
    "busses": "bus",
    "matrices": "matrix",
    "vertices": "vertex",
    "indices": "index",
    "appendices": "appendix",
}
_NO_PLURALS = _ONE_FORM | frozenset((
    "abdomen", "agenda", "always", "as", "besides", "data", "does", "has", "hers", "his", "is",
    "its", "mathematics", "metadata", "omen", "ours", "ourselves", "perhaps", "physics", "politics",
    "ramen", "regimen", "specimen", "stamen", "theirs", "themselves", "they", "this", "thus",
    "towards", "us", "was", "we", "yes", "yours", "yourselves",
))  # fmt: skip
"""Words that inflect takes for plurals: `is` of `i`, `this` of `thi`, `ramen` of `raman`."""
_ADDS_S = frozenset((
    "alibi", "beanie", "bikini", "bureau", "caribou", "chateau", "chili", "corgi", "deli", "die",
    "emoji", "emu", "gnu", "guru", "haiku", "hoodie", "jacuzzi", "kiwi", "martini", "menu",
    "onesie", "plateau", "rabbi", "safari", "salami", "selfie", "ski", "smoothie", "tableau",
    "talkie", "taxi", "tsunami", "tutu", "walkie-talkie", "yeti", "zucchini",
))  # fmt: skip
"""Nouns whose plural looks like a singular or like another noun's: `taxis`, `menus`, `hoodies`."""
_PREPOSITIONS = frozenset((
    "at", "behind", "by", "for", "from", "in", "near", "of", "on", "under", "with", "without",
))  # fmt: skip
"""What follows one of these is not counted: `slices of pizza`, `men in black`."""
_OPEN = re.compile("[a-z][a-z-]*[a-z]")
"""What inflect is asked for, in lower case; it misreads signs and digits."""
_LONGEST = 40
"""Letters of a word; a longer one is not an English noun and stays as it is."""


def plural(noun: str) -> str:
    """The plural of a noun or a phrase: `teddy bears`, `men in black`, `pairs of scissors`.

    A plural stays as it is.
    """
    unit = _unit(noun)
    return f"{unit}s of {noun}" if unit else _with_head(noun, _plural)


def singular(noun: str) -> str:
    """The inverse of `plural` and `one`: `teddy bear`, `man in black`, `scissors`.

    A singular stays as it is, and so does a word that may be one.
    """
    for unit in set(_UNITS.values()):
        for start in (f"{unit}s of ", f"{unit} of "):
            if noun.startswith(start):
                return noun.removeprefix(start)
    return _with_head(noun, _singular)


def is_plural(noun: str) -> bool:
    """Whether a noun is certainly a plural; one form for both (`sheep`, `scissors`) is not."""
    return singular(noun) != noun


def _with_head(noun: str, form: Callable[[str], str]) -> str:
    """The phrase with its head in another form: the word before a preposition, else the last."""
    words = noun.split(" ")
    end = next((at for at, word in enumerate(words) if at and word in _PREPOSITIONS), len(words))
    if len(words[end - 1]) <= _LONGEST:
        words[end - 1] = form(words[end - 1])
    return " ".join(words)


@lru_cache(maxsize=20_000)
def _plural(word: str) -> str:
    low = word.lower()
    if not word or low in _ONE_FORM or _singular(word) != word:
        return word
    if low in _IRREGULAR:
        return _in_case_of(word, _IRREGULAR[low])
    if low in _PLURALS:
        return word + _PLURALS[low]
    if low.endswith("o"):
        return word + ("es" if low in _ADDS_ES else "s")
    if _OPEN.fullmatch(low):
        return _in_case_of(word, _engine().plural_noun(low))
    return word + ("es" if low.endswith(("s", "x", "z", "ch", "sh")) else "s")


@lru_cache(maxsize=20_000)
def _singular(word: str) -> str:
    low = word.lower()
    if low in _SINGULARS:
        return _in_case_of(word, _SINGULARS[low])
    if low.endswith("s") and low[:-1] in _ADDS_S and low not in _ONE_FORM:
        return word[:-1]
    if low in _NO_PLURALS or low in _UNITS or low in _PLURALS or low.endswith(("is", "us", "ss")):
        return word
    if not _OPEN.fullmatch(low):
        return word[:-1] if len(low) > 1 and low.endswith("s") and low[-2].isalnum() else word
    return _open_singular(word)


def _open_singular(word: str) -> str:
    """The singular of a word that no table of ours holds."""
    low = word.lower()
    single = _engine().singular_noun(low)
    if not single:
        return word
    if low.endswith("s"):
        # inflect finds a singular for every word in -s.  Of a word that is one already (`gas`,
        # `lens`) it knows the plural as well (`gases`); of a plural it makes no word (`dogss`).
        certain = _engine().plural_noun(low) == low + "s"
    else:
        certain = _engine().plural_noun(single) == low
    return _in_case_of(word, single) if certain else word


def _in_case_of(word: str, form: str) -> str:
    """Another form of a word, with its capitals: `Mouse`, `Mice`; `TV`, `TVs`; `MAN`, `MEN`."""
    pairs = enumerate(zip(word.lower(), form))
    shared = next((at for at, (old, new) in pairs if old != new), min(len(word), len(form)))
    rest = form[shared:]
    return word[:shared] + (rest.upper() if word.isupper() and shared < len(word) else rest)


_LOADING = threading.Lock()


@cache
def _engine() -> inflect.engine:
    """The engine of inflect, loaded with the first word that our tables do not hold.

    inflect has its arguments checked by typeguard, which parses the 4,000 lines of inflect again
    for each of 24 functions: 3 s at every start.  Here typeguard leaves the functions as they are,
    as it does under `python -O`.
    """
    with _LOADING:
        typeguard: Any = importlib.import_module("typeguard")
        decorator, typeguard.typechecked = typeguard.typechecked, lambda function: function
        try:
            engine: inflect.engine = importlib.import_module("inflect").engine()
        finally:
            typeguard.typechecked = decorator
    return engine


def _unit(noun: str) -> str:
    """The unit that a noun is counted in, or '' where it needs none."""
    return "" if " of " in noun else _UNITS.get(noun.rpartition(" ")[2].lower(), "")


def one(noun: str) -> str:
    """The noun as one countable thing: `scissors` becomes `pair of scissors`, most stay."""
    unit = _unit(noun)
    return f"{unit} of {noun}" if unit else noun


_ARTICLES = {"suv": "an", "led": "an", "uk": "a"}
"""Abbreviations that inflect reads as words."""
_EIGHT = re.compile(r"8|1[18](?!\d)")
"""Numerals whose name begins with a vowel: 8, 11, 18, 80, 11,000."""


def a(noun: str) -> str:
    """The noun with its indefinite article, by its sound: `an apple`, `a unicorn`, `an SUV`."""
    noun = one(noun)
    return f"{_article(noun.partition(' ')[0][:_LONGEST])} {noun}"


@lru_cache(maxsize=20_000)
def _article(word: str) -> str:
    letters = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
    start = re.search(r"[A-Za-z0-9][A-Za-z0-9'-]*", letters)
    if start is None:
        return "a"
    letters, low = start[0], start[0].lower()
    if low[0].isdigit():
        return "an" if _EIGHT.match(low) else "a"
    if low in _ARTICLES:
        return _ARTICLES[low]
    if low[0] in "fhlmnrsx" and not set(low) & set("aeiouy"):
        return "an"  # spelt letter by letter: `an LCD`
    if letters.isupper() and len(letters) > 4:
        letters = low  # a word in capitals, which inflect takes for an abbreviation
    return str(_engine().a(letters)).partition(" ")[0]


def the(noun: str) -> str:
    """The noun with its definite article."""
    return f"the {one(noun)}"


def number(value: int) -> str:
    """A number word from zero to twenty, digits beyond."""
    return NUMBERS[value] if 0 <= value < len(NUMBERS) else str(value)


def count_phrase(value: int, noun: str) -> str:
    """A count with its noun: `no dogs`, `one dog`, `two dogs`."""
    if value == 0:
        return f"no {plural(noun)}"
    return f"{number(value)} {one(noun) if value == 1 else plural(noun)}"


def join(words: Sequence[str], last: str = "and", oxford: bool = False) -> str:
    """A list in prose: `x`, `x and y`, `x, y and z`; an empty one gives ''.

    Args:
        words: the members of the list.
        last: the word before the last member.
        oxford: whether a comma stands before that word, where there are three members or more.
    """
    if len(words) < 2:
        return "".join(words)
    comma = "," if oxford and len(words) > 2 else ""
    return f"{', '.join(words[:-1])}{comma} {last} {words[-1]}"


_TENS = {
    word: 10 * tens
    for tens, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2
    )
}
_VALUES = {word: value for value, word in enumerate(NUMBERS)} | _TENS


def value(word: str) -> int | None:
    """The value of a number word, zero to ninety-nine; None for any other word.

    >>> value("Three"), value("twenty-one"), value("dogs")
    (3, 21, None)
    """
    low = word.lower()
    if low in _VALUES:
        return _VALUES[low]
    tens, _, unit = low.partition("-")
    if tens in _TENS and 1 <= _VALUES.get(unit, 0) <= 9:
        return _TENS[tens] + _VALUES[unit]
    return None


ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
    *("tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth"),
)


def ordinal(number: int) -> str:
    """The ordinal of a number from 1 on: a word up to 16, else digits.

    >>> ordinal(2), ordinal(21), ordinal(113)
    ('second', '21st', '113th')
    """
    if number <= len(ORDINALS):
        return ORDINALS[number - 1]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10)
    return f"{number}{ending or 'th'}"
