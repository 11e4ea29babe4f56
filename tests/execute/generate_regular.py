"""Random calls of regular expressions: patterns, replacements and texts as people write them, and
such as only look like it.
"""

from __future__ import annotations

from random import Random

_PLAIN = [
    "a", "b", "1", "x", "é", " ", r"\d", r"\w", r"\s", r"\b", r"\D", r"\W", r"\S", ".", "^", "$",
    r"\A", r"\Z", "[ab]", "[^ab]", "[a-z]", r"[^0-9.\-]", r"[\w-]", r"\.", r"\-", r"\n", r"\t",
]  # fmt: skip
_ODD = [
    r"\B", "[]a]", "[^]a]", "[a[b]", "[a&&b]", "[a--b]", "[a~~b]", "[a||b]", r"\x61", r"\u0061",
    r"\141", r"\0", r"\z", r"\h", r"\K", r"\R", r"\p{L}", r"\G", r"\/", r"\#", r"\_", r"\Q", "&",
    "#", "{", "}", "{a", "a{,2}", "a{b}", "[[:alpha:]]", r"[\s\S]", r"\<", r"\>", r"[\b]",
    r"[a-\d]", r"[\d-z]", r"\1", "(?P=n)", "ß", "İ", "ı", "ſ", "\u212a", r"\"", r"\%", r"\e",
    r"\x{61}", "[é-ü]", r"\N{BULLET}", "(?i)", "(?x) a # b",
]  # fmt: skip
_TIMES = ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{,2}", "{2,}", "{2}?", "*+", "++"]
_TWICE = ["{2}{2}", "**", "+*", "{1,2}?{2}", "?*"]
_GROUPS = ["(", "(", "(?:", "(?P<n>", "(?=", "(?!", "(?<=", "(?<!", "(?i:", "(?>", "(?s:"]
_WRONG_GROUPS = ["(?<n>", "(?#", "(?-i:", "(?P>", "(?'n'"]
_TEXT = ["a", "b", "1", "x", "é", " ", "-", ".", "A", "B", "\\n"]
_ODD_TEXT = ["ß", "_", "É", "[", "&", "٣", "²", "\\x1c", "\\u2028", "\\r", "İ", "ſ", "\\u212a"]
_PARTS = ["a", "-", "é", r"\1", r"\2", r"\1px", r"\g<1>", r"\g<0>", r"\g<n>", r"\n", r"\t", r"\\"]
_ODD_PARTS = [r"\a", r"\d", r"\0", r"\10", r"\141", r"\400", r"\g<x>", r"\g<", r"\g", r"\.", "$1"]
_FLAGS = ["", "", "", ", flags=re.I", ", flags=re.M", ", flags=re.S", ", flags=re.I | re.M"]


class _Calls:
    def __init__(self, random: Random, odd: float) -> None:
        self.random = random
        self.odd = odd

    def of(self, usual: list[str], odd: list[str]) -> str:
        return self.random.choice(odd if self.random.random() < self.odd else usual)

    def pattern(self, depth: int = 2) -> str:
        text = ""
        for _ in range(self.random.randint(1, 3)):
            if depth and self.random.random() < 0.3:
                text += self.of(_GROUPS, _WRONG_GROUPS) + self.pattern(depth - 1) + ")"
            else:
                text += self.of(_PLAIN, _ODD)
            if self.random.random() < 0.35:
                text += self.of(_TIMES, _TWICE)
        if self.random.random() < 0.15:
            text += "|" + self.pattern(0)
        return text

    def text(self) -> str:
        letters = (self.of(_TEXT, _ODD_TEXT) for _ in range(self.random.randint(0, 9)))
        return "'" + "".join(letters) + "'"

    def replacement(self) -> str:
        parts = (self.of(_PARTS, _ODD_PARTS) for _ in range(self.random.randint(1, 3)))
        return repr("".join(parts))

    def call(self) -> str:
        pattern, text, flags = repr(self.pattern()), self.text(), self.random.choice(_FLAGS)
        kind = self.random.randint(0, 7)
        if kind == 0:
            return f"show(re.search({pattern}, {text}{flags}))"
        if kind == 1:
            return f"show(re.match({pattern}, {text}{flags})), show(re.fullmatch({pattern}, {text}{flags}))"
        if kind == 2:
            return f"re.findall({pattern}, {text}{flags})"
        if kind == 3:
            return f"re.split({pattern}, {text}, maxsplit={self.random.randint(0, 2)}{flags})"
        if kind == 4:
            return f"re.sub({pattern}, {self.replacement()}, {text}, count={self.random.randint(0, 2)}{flags})"
        if kind == 5:
            return f"re.sub({pattern}, lambda m: m.group().upper() + '!', {text}{flags})"
        if kind == 6:
            return f"re.compile({pattern}{flags}).subn({self.replacement()}, {text}), re.escape({text})"
        return f"[show(m) for m in re.compile({pattern}{flags}).finditer({text})]"


def regular_program(random: Random, odd: float = 0.15) -> str:
    """A program that prints what some call of a regular expression gives."""
    call = _Calls(random, odd).call()
    return (
        "import re\n"
        "def show(m):\n"
        "    return m and (m.span(), m.group(), m.groups(), m.groups('none'), m.groupdict(), str(m), m[0])\n"
        "def execute_command(image):\n"
        "    try:\n"
        f"        print({call})\n"
        "    except IndexError:\n"
        "        print('no such group')\n"
        "    except re.error:\n"
        "        print('error')\n"
        "    return 'end'\n"
    )
