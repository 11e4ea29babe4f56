"""Writes docs/papers.md from the cards of our own recipes: `make docs`.

tests/test_docs.py holds the file equal to `page()`.  Recipes of other packages are not in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from workbench.catalogue import recipes
from workbench.recipes.card import (
    LEVEL_WORDS,
    PORT_WORDS,
    PROVENANCE_WORDS,
    Card,
)

PATH = Path(__file__).resolve().parent.parent / "docs" / "papers.md"

HEAD = """# Papers

The published methods that can be chosen by name. `make docs` writes this page from the card in each
recipe's file; `vpd recipes show NAME` prints the same card. A method is offered when it *computes* (V1)
and *behaves* (V2); only V3 says anything about whether it helps here, and a null result is named as one.
"""


def page() -> str:
    """The whole page: what the words mean, a table, then an entry for each recipe."""
    cards = [one.card for one in recipes() if one.point.module.startswith("workbench.")]
    lines = [HEAD, "| level | it |", "|---|---|"]
    lines += [f"| {level} | {words} |" for level, words in LEVEL_WORDS.items()]
    lines += ["", "| provenance | how the formula is known |", "|---|---|"]
    lines += [f"| {tag} | {words} |" for tag, words in PROVENANCE_WORDS.items()]
    lines += ["", "| recipe | enters as | grade | level | provenance |", "|---|---|---|---|---|"]
    lines += [
        f"| [{card.name}](#{card.name}) | {card.port} | {card.grade} | {card.level} "
        f"| {card.provenance} |"
        for card in cards
    ]
    for port, some in groupby(cards, key=lambda card: card.port):
        words = PORT_WORDS[port]
        lines += ["", f"## {port.capitalize()}", "", f"{words[0].upper()}{words[1:]}."]
        for card in some:
            lines += ["", *_entry(card)]
    return "\n".join(lines) + "\n"


def _entry(card: Card) -> Iterator[str]:
    yield f"### {card.name}\n"
    paper = f"[{card.paper}]({card.link})" if card.link else card.paper
    yield f"{paper}, {card.year}. Grade {card.grade}, level {card.level}, provenance {card.provenance}.\n"
    yield f"{card.idea}\n"
    yield f"```text\n{card.formula}\n```\n"
    if card.defaults:
        yield "| setting | default | from |\n|---|---|---|"
        for key, value in card.defaults.items():
            yield f"| `{key}` | `{json.dumps(value)}` | {card.sources.get(key, 'ours')} |"
        yield ""
    for title, rows in (("Trap", card.traps), ("Not reproduced", card.not_reproduced)):
        yield from (f"- {title}: {row}" for row in rows)
    yield f"- Expect: {card.expect}\n"
    yield f"```sh\n{card.command}\n```"


if __name__ == "__main__":
    PATH.write_text(page(), encoding="utf-8")
