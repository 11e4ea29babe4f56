"""A little English: plurals there and back, articles, lists."""

from __future__ import annotations

import subprocess
import sys

import pytest

from workbench.english import (
    a,
    count_phrase,
    is_plural,
    join,
    number,
    one,
    plural,
    singular,
    the,
    value,
)
from workbench.tasks.collage.catalogue import CATEGORIES

PLURALS = {
    "bus": "buses", "sheep": "sheep", "person": "people", "knife": "knives", "strawberry": "strawberries", "toy": "toys",
    "scissors": "pairs of scissors", "broccoli": "pieces of broccoli", "sports ball": "sports balls", "box": "boxes",
    "wine glass": "wine glasses", "tomato": "tomatoes", "teddy bear": "teddy bears", "couch": "couches",
}  # fmt: skip


@pytest.mark.parametrize(("noun", "many"), PLURALS.items())
def test_plurals(noun: str, many: str) -> None:
    assert plural(noun) == many
    assert singular(many) == noun
    assert singular(noun) == noun


OPEN = """
    quiz quizzes, crisis crises, series series, species species, elf elves, fez fezzes, salmon salmon, cactus cactuses,
    spacecraft spacecraft, octopus octopuses, gas gases, lens lenses, canvas canvases, atlas atlases, iris irises,
    virus viruses, walrus walruses, minibus minibuses, compass compasses, mattress mattresses, waitress waitresses,
    house houses, blouse blouses, purse purses, horse horses, vase vases, suitcase suitcases, cheese cheeses,
    watch watches, stomach stomachs, toothbrush toothbrushes, mailbox mailboxes, sphinx sphinxes, waltz waltzes,
    goldfish goldfish, hovercraft hovercraft, moose moose, deer deer, bison bison, squid squid, cattle cattle,
    bookshelf bookshelves, wolf wolves, scarf scarves, hoof hooves, thief thieves, roof roofs, chef chefs, cliff cliffs,
    penknife penknives, giraffe giraffes, handkerchief handkerchiefs, snowman snowmen, policewoman policewomen,
    human humans, German Germans, grandchild grandchildren, goose geese, mongoose mongooses, tooth teeth, ox oxen,
    tomato tomatoes, volcano volcanoes, piano pianos, avocado avocados, burrito burritos, kangaroo kangaroos,
    cookie cookies, movie movies, hoodie hoodies, tie ties, pie pies, shoe shoes, canoe canoes, axle axles,
    lady ladies, butterfly butterflies, monkey monkeys, buoy buoys, menu menus, emu emus, taxi taxis, kiwi kiwis,
    pizza pizzas, camera cameras, panda pandas, bacterium bacteria, museum museums, furniture furniture, news news,
    ramen ramens, specimen specimens, T-shirt T-shirts, x-ray x-rays, mother-in-law mothers-in-law,
    passer-by passers-by, TV TVs, DVD DVDs, Mouse Mice, MOUSE MICE, café cafés
"""
NOUNS = [tuple(pair.split()) for pair in OPEN.split(",")]


@pytest.mark.parametrize(("noun", "many"), NOUNS)
def test_nouns_of_no_table_go_there_and_back(noun: str, many: str) -> None:
    assert plural(noun) == many
    assert singular(many) == noun
    assert singular(noun) == noun
    assert plural(many) == many
    assert is_plural(many) == (noun != many)


@pytest.mark.parametrize(
    ("phrase", "many"),
    [
        ("traffic light", "traffic lights"),
        ("men's room", "men's rooms"),
        ("slice of pizza", "slices of pizza"),
        ("man in black", "men in black"),
        ("lady with an umbrella", "ladies with an umbrella"),
        ("chess piece", "chess pieces"),
    ],
)
def test_of_a_phrase_its_head_is_counted(phrase: str, many: str) -> None:
    assert plural(phrase) == many
    assert singular(many) == phrase


@pytest.mark.parametrize(
    "word",
    [
        "as",
        "is",
        "was",
        "has",
        "does",
        "this",
        "us",
        "its",
        "his",
        "yes",
        "always",
        "perhaps",
        "they",
        "we",
        "themselves",
        "data",
        "agenda",
        "scissors",
        "glass",
        "bus",
        "dog's",
    ],
)
def test_what_only_looks_like_a_plural_is_none(word: str) -> None:
    assert singular(word) == word
    assert not is_plural(word)


@pytest.mark.parametrize("many", ["cacti", "octopi", "fungi"])
def test_latin_plurals_are_read(many: str) -> None:
    assert plural(singular(many)) in ("cactuses", "octopuses", "funguses")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "dog ",
        " dogs",
        "-",
        "'",
        "s",
        "3",
        "1980s",
        "狗",
        "\ud800s",
        "<b>dogs</b>",
        "{x}",
        "x[0]s",
        "(dogs)",
        "%s",
        "\n",
        "dogs\ncats",
        "of",
        " of x",
        "I",
        "x" * 100_000,
        "a'" * 50_000,
        " ".join("s" * 50_000),
    ],
)
def test_what_is_no_noun_is_only_added_to(text: str) -> None:
    """Nothing raises, and what a person typed is not rewritten."""
    assert plural(text).startswith(text.rstrip("s"))
    assert text.startswith(singular(text).rstrip("s"))
    assert a(text) in (f"a {text}", f"an {text}")
    assert the(text) == f"the {text}"


@pytest.mark.parametrize("noun", CATEGORIES)
def test_every_category_comes_back_from_its_plural(noun: str) -> None:
    assert singular(plural(noun)) == noun
    assert singular(one(noun)) == noun


def test_articles() -> None:
    assert [a(noun) for noun in ("apple", "umbrella", "unicorn", "hour", "dog", "scissors")] == [
        "an apple",
        "an umbrella",
        "a unicorn",
        "an hour",
        "a dog",
        "a pair of scissors",
    ]
    assert the("scissors") == "the pair of scissors"
    assert the("dog") == "the dog"


@pytest.mark.parametrize("article", ["a", "an"])
def test_articles_go_by_the_sound(article: str) -> None:
    words = {
        "a": "university utensil European ukulele one-way once UFO UK uk 100 1980s 180 yacht hot-dog USAGE",
        "an": "heir honest uninteresting urn MRI SUV suv LED lcd x-ray 8 8-ball 11 18 80 UNKNOWN Éclair (apple)",
    }
    assert [a(word) for word in words[article].split()] == [
        f"{article} {word}" for word in words[article].split()
    ]


def test_inflect_is_loaded_with_the_first_word_and_typeguard_left_as_it_was() -> None:
    code = (
        "import sys, workbench.english as e; assert e.count_phrase(2, 'food') == 'two food'; assert 'inflect' not in sys.modules;"
        "import typeguard; checked = typeguard.typechecked; assert e.plural('quiz') == 'quizzes';"
        "assert 'inflect' in sys.modules; assert typeguard.typechecked is checked"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_counts_and_lists() -> None:
    assert [count_phrase(n, "dog") for n in (0, 1, 3)] == ["no dogs", "one dog", "three dogs"]
    assert number(20) == "twenty"
    assert number(21) == "21"
    assert join([]) == ""
    assert join(["x"]) == "x"
    assert join(["x", "y"]) == "x and y"
    assert join(["x", "y", "z"]) == "x, y and z"
    assert join(["x", "y", "z"], "or", oxford=True) == "x, y, or z"


@pytest.mark.parametrize(
    ("word", "amount"),
    [
        ("zero", 0),
        ("Three", 3),
        ("twenty", 20),
        ("ninety-nine", 99),
        ("twenty-one", 21),
        ("dogs", None),
        ("", None),
        ("twenty-ten", None),
        ("twenty-", None),
        ("forty", 40),
        ("-one", None),
        ("none", None),
    ],
)
def test_number_words_are_read_back(word: str, amount: int | None) -> None:
    assert value(word) == amount


@pytest.mark.parametrize("amount", range(21))
def test_every_number_word_has_its_value(amount: int) -> None:
    assert value(number(amount)) == amount
