"""English held against rules that know nothing of the generator: no code or table of it is used.

The rules are those of a proof-reader: article by sound, number of noun and verb, one negation, a
base form behind a helping verb, no sentence said twice, nothing said of itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_VOWEL = re.compile(r"(?:[aeio]|u(?!ni|se|ten|kulele))", re.IGNORECASE)
_SAME = {"sheep", "fish", "deer", "scissors", "broccoli", "bread", "skis", "glasses"}
_IRREGULAR = {"people", "men", "women", "children", "mice", "knives", "geese", "teeth", "feet"}
_S_SINGULAR = {"bus", "glass", "tennis", "walrus", "octopus", "cactus", "dress", "lens", "canvas"}
_HELP = r"(?:do|does|did|can|cannot|could|will|would|may)(?: not)?"
_WRONG = (
    (re.compile(r"\b(\w+) \1\b(?! \1)"), "a word stands twice"),
    (re.compile(r"\ban? (?:more|fewer|as many|some|any|many)\b"), "an article before a number"),
    (re.compile(r"\bno (?:more|fewer|as many|some|any|an?|the|one)\b"), "`no` before a number"),
    (re.compile(rf"\b{_HELP} (?:has|is|does|goes|lays|hatches|flies|rolls|lives)\b"), "base form"),
    (
        re.compile(r"\b(?:not|no|none|neither|cannot)\b[^,.;]*\b(?:not|cannot)\b", re.IGNORECASE),
        "two negations",
    ),
    (re.compile(r"[a-z]\s+[,.;]|\s\s|\.\."), "spaces or stops"),
    (re.compile(r"\{\d\}"), "a gap in the sentence"),
    (re.compile(r"\b(?:pairs?|pieces?) of an?\b|\bpairs of (?:piece|pair)"), "pairs"),
)


def faults(text: str) -> Iterator[str]:
    """What a proof-reader would mark in a rationale."""
    quoted = re.sub(r'"[^"]*"', '"it"', text)
    plain = re.sub(r"\d+ \d+ \d+ \d+", "B", quoted)
    for pattern, why in _WRONG:
        if match := pattern.search(plain):
            yield f"{why}: {match[0]!r}"
    yield from _articles(plain)
    yield from _numbers(plain)
    yield from _sentences(plain)


def _articles(text: str) -> Iterator[str]:
    for match in re.finditer(r"\b([Aa]n?) ([A-Za-z-]+)", text):
        if (match[1].lower() == "an") != (_VOWEL.match(match[2]) is not None):
            yield f"article: {match[0]!r}"


def _is_plural(noun: str) -> bool:
    return noun in _IRREGULAR or (noun.endswith("s") and noun not in _S_SINGULAR)


def _numbers(text: str) -> Iterator[str]:
    """`There is 1 dog`, `there are 3 dogs`; the head of `pairs of scissors` is `pairs`."""
    phrase = r"(\d+) ((?:[a-z-]+ ){0,2}?)([a-z-]+)(?= of | in | at|,|;|\.| that| left| right"
    phrase += r"| above| below| other| is\b| are\b| do| does| can| has| have|$)"
    for match in re.finditer(rf"\b[Tt]here (is|are) {phrase}", text):
        verb, number, noun = match[1], match[2], match[4]
        if (verb == "is") != (number == "1"):
            yield f"verb and number: {match[0]!r}"
        if noun not in _SAME and _is_plural(noun) != (number != "1"):
            yield f"noun and number: {match[0]!r}"
    for match in re.finditer(r"\bis no (?:[a-z-]+ )*?([a-z-]+)(?= in the image|[.,;]| that)", text):
        if _is_plural(match[1]) and match[1] not in _SAME and " of " not in match[0]:
            yield f"`is no` before a plural: {match[0]!r}"
    for match in re.finditer(r"\b[Tt]he ([a-z]+s) at B(?: and B|, B)[^.;]*? (is|has|does)\b", text):
        yield f"verb of a plural: {match[0]!r}"
    for match in re.finditer(r"\b(?:[Nn]one|[Nn]either) of the \d+ ([a-z-]+)\b", text):
        ended = text[match.end() :].lstrip()[:1] in ",.;"
        if ended and match[1] not in _SAME and not _is_plural(match[1]):
            yield f"plural: {match[0]!r}"


def _sentences(text: str) -> Iterator[str]:
    """Each sentence begins with a capital and ends with a stop; none is said twice."""
    parts = re.split(r"(?<=[.!?])\s+", text.strip())
    seen = set()
    for part in parts:
        if not part[:1].isupper() and not part[:1].isdigit() and part[:1] != '"':
            yield f"capital: {part[:30]!r}"
        if not part.endswith((".", "!", "?")):
            yield f"stop: {part[-30:]!r}"
        bare = re.sub(r"^thus, |, and the answer is .*|,? at b(?:, b)*(?: and b)?|[.]$", "",
                      part.lower())  # fmt: skip
        bare = bare.replace(" in the image", "").rstrip(".")
        if bare in seen:
            yield f"said twice: {part!r}"
        seen.add(bare)
    for match in re.finditer(r"\b[Tt]he \w+ that ([^,.]{3,}?) \1\b", text):
        yield f"said of itself: {match[0]!r}"
