"""Words of pages: whether one names something, and which of them a search brings up."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from workbench.recipes.ports import Document


def words_of(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return re.findall(r"\w+", text.casefold())


def names_text(part: str, text: str) -> bool:
    """Whether the words of a part stand in a text, one behind the other."""
    own, whole = words_of(part), words_of(text)
    return bool(own) and any(
        whole[at : at + len(own)] == own for at in range(len(whole) - len(own) + 1)
    )


def found_by(query: str, documents: Sequence[Document], most: int) -> list[str]:
    """The names of the pages that have most of the rare words of a query.

    Args:
        query: words.
        documents: all pages.
        most: how many come up; pages with none of the words never do.
    """
    texts = {one.name: set(words_of(f"{one.title} {one.text}")) for one in documents}
    counts = Counter(word for own in texts.values() for word in own)
    worth = {word: math.log(1 + len(texts) / counts[word]) for word in counts}
    query_words = set(words_of(query))
    scores = {name: sum(worth[word] for word in query_words & own) for name, own in texts.items()}
    best = sorted(scores, key=lambda name: (-scores[name], name))
    return [name for name in best if scores[name] > 0][:most]
