"""`vpd recipes`: the table, a card, and a name that there is not."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from workbench.catalogue import recipes
from workbench.cli import app


def vpd(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["recipes", *words])
    return result.exit_code, result.output


def test_the_table_names_every_recipe_with_its_place_in_the_loop() -> None:
    code, text = vpd()
    assert code == 0
    for one in recipes():
        (line,) = [row for row in text.splitlines() if row.strip().startswith(f"{one.card.name} ")]
        assert line.split()[1:4] == [one.card.port, one.card.grade, one.card.level]


def test_a_card_says_all_that_stands_in_the_file() -> None:
    code, text = vpd("show", "parity_gap")
    assert code == 0
    card = next(one.card for one in recipes() if one.card.name == "parity_gap")
    for words in (card.paper, card.formula, card.link, *card.traps, *card.not_reproduced):
        assert words in text
    assert text.endswith(f"run it with: {card.command}\n")
    assert json.loads(vpd("show", "parity_gap", "--json")[1])["formula"] == card.formula


def test_a_wrong_name_is_told_in_words() -> None:
    code, text = vpd("show", "parity")
    assert code != 0
    assert "no recipe is called 'parity'; there are: " in text
