"""Every recipe's card is true of its file, its part and its command."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest
from test_docs import options_of, shell_words

from workbench import registry
from workbench.catalogue import Recipe, read_card, recipe, recipes
from workbench.errors import InputError

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = [one for one in recipes() if one.point.module.startswith("workbench.")]


def test_every_file_of_the_wing_is_a_registered_recipe() -> None:
    files = {
        path for path in (ROOT / "workbench" / "recipes").glob("*/*.py") if path.stem[0] != "_"
    }
    named = {ROOT.joinpath(*one.point.module.split(".")).with_suffix(".py") for one in OURS}
    assert files <= named


@pytest.mark.parametrize("one", OURS, ids=lambda one: one.card.name)
def test_a_card_is_true_of_its_part(one: Recipe) -> None:
    card = one.card
    module = importlib.import_module(one.point.module)
    assert card == module.CARD, "what is read from the text is what the module holds"
    assert one.point.module == f"workbench.recipes.{card.port}.{card.name}"
    part = registry.load(card.port, card.name)
    parameters = inspect.signature(part).parameters
    defaults = {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not parameter.empty
    }
    assert dict(card.defaults) == defaults
    assert set(card.sources) <= set(defaults)
    assert (module.__doc__ or "").strip()
    file = ROOT.joinpath(*one.point.module.split(".")).with_suffix(".py")
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 270


@pytest.mark.parametrize("one", OURS, ids=lambda one: one.card.name)
def test_a_card_shows_a_command_that_exists(one: Recipe) -> None:
    for call in one.card.command.split(" && "):
        words = shell_words(call)
        command, options = options_of(words)
        given = {word.split("=")[0] for word in words if word.startswith("--")}
        assert given <= options, f"{command} has no {given - options}"


def test_a_name_that_is_no_recipe_lists_those_there_are() -> None:
    with pytest.raises(InputError, match=r"no recipe is called 'parity'; there are: .*parity_gap"):
        recipe("parity")


def test_a_part_without_a_card_is_no_recipe() -> None:
    assert read_card(registry.parts("objective")["vpd"]) is None


def test_a_card_that_computes_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "card_that_computes.py").write_text("CARD = Card(name='a', year=1000 + len('b'))\n")
    monkeypatch.syspath_prepend(tmp_path)
    point = type(registry.parts("objective")["vpd"])("a", "card_that_computes:A", "workbench.tool")
    with pytest.raises(InputError, match=r"card_that_computes\.py cannot be read .* plain values"):
        read_card(point)
