"""Worked examples for the full prompt, and the choice among them for a question.

Each is a question and a program in the API of `workbench.api`; none is about the bundled pictures.
Retrieval is by the words that a question shares with them (BM25), which finds the kind of question
better than its subject: words that stand in many examples weigh little.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkedExample:
    """A question, with its options if it has any, and a program that answers it."""

    question: str
    program: str


def _example(question: str, *lines: str) -> WorkedExample:
    body = ("image_patch = ImagePatch(image)", *lines)
    return WorkedExample(question, "\n    ".join(("def execute_command(image):", *body)))


EXAMPLES: tuple[WorkedExample, ...] = (
    _example(
        "How many muffins can each kid have for it to be fair?",
        'muffins = image_patch.find("muffin")',
        'kids = image_patch.find("kid")',
        'print(f"There are {len(muffins)} muffins and {len(kids)} kids.")',
        "return formatting_answer(len(muffins) // len(kids))",
    ),
    _example(
        "How many chairs are there that are not wooden?",
        'chairs = image_patch.find("chair")',
        'others = [chair for chair in chairs if not chair.verify_property("chair", "wooden")]',
        'print(f"{len(others)} of {len(chairs)} chairs are not wooden.")',
        "return formatting_answer(len(others))",
    ),
    _example(
        "Is there a backpack to the right of the man?",
        'man = image_patch.find("man")[0]',
        'for backpack in image_patch.find("backpack"):',
        "    if backpack.horizontal_center > man.horizontal_center:",
        '        print("A backpack is right of the man.")',
        '        return formatting_answer("yes")',
        'return formatting_answer("no")',
    ),
    _example(
        "Are there both lamps and curtains?",
        'lamps = image_patch.exists("lamp")',
        'curtains = image_patch.exists("curtain")',
        'print(f"lamps: {lamps}, curtains: {curtains}")',
        "return formatting_answer(lamps and curtains)",
    ),
    _example(
        "Are there more boats than buoys?",
        'boats = image_patch.find("boat")',
        'buoys = image_patch.find("buoy")',
        'print(f"{len(boats)} boats and {len(buoys)} buoys")',
        "return formatting_answer(len(boats) > len(buoys))",
    ),
    _example(
        "What is the person on the far left holding?",
        'people = image_patch.find("person")',
        "leftmost = min(people, key=lambda person: person.horizontal_center)",
        "answer = leftmost.expand_patch_with_surrounding()"
        '.visual_question_answering("What is the person holding?")',
        'print(f"The leftmost person is holding {answer}.")',
        "return formatting_answer(answer)",
    ),
    _example(
        "What is the piece of furniture above the rug?",
        'rug = image_patch.find("rug")[0]',
        'for furniture in image_patch.find("furniture"):',
        "    if furniture.vertical_center > rug.vertical_center:",
        "        return formatting_answer("
        'furniture.visual_question_answering("What piece of furniture is this?"))',
        'return formatting_answer("none")',
    ),
    _example(
        "Which vehicle is closest to the fire hydrant?",
        'hydrant = image_patch.find("fire hydrant")[0]',
        'vehicles = image_patch.find("vehicle")',
        "closest = min(vehicles, key=lambda vehicle: distance(vehicle, hydrant))",
        "return formatting_answer("
        'closest.visual_question_answering("What kind of vehicle is this?"))',
    ),
    _example(
        "What color is the largest umbrella?",
        'umbrellas = image_patch.find("umbrella")',
        "largest = max(umbrellas, key=lambda umbrella: umbrella.width * umbrella.height)",
        'color = largest.visual_question_answering("What color is this umbrella?")',
        'print(f"The largest umbrella is {color}.")',
        "return formatting_answer(color)",
    ),
    _example(
        "In what year was the company that made this car founded?",
        'car = image_patch.find("car")[0]',
        'company = car.visual_question_answering("Which company made this car?")',
        'print(f"The car was made by {company}.")',
        "return formatting_answer("
        'llm_query(f"In what year was {company} founded? Answer with the year."))',
    ),
    _example(
        "How many of the fruits here contain vitamin C?",
        "count = 0",
        'for fruit in image_patch.find("fruit"):',
        '    name = fruit.visual_question_answering("What fruit is this?")',
        '    answer = llm_query(f"Does a {name} contain vitamin C? Answer yes or no.")',
        '    print(f"{name}: {answer}")',
        '    if "yes" in answer.lower():',
        "        count += 1",
        "return formatting_answer(count)",
    ),
    _example(
        "Is the shirt of the woman striped or plain? Options: striped, plain.",
        'woman = image_patch.find("woman")[0]',
        'return formatting_answer(woman.best_text_match(["striped", "plain"], prefix="shirt"))',
    ),
    _example(
        "What is this animal most likely looking for? Options: food, shelter, its owner, water.",
        'animal = image_patch.visual_question_answering("What animal is this?")',
        'scene = image_patch.visual_question_answering("What is the animal doing?")',
        'print(f"The {animal} is {scene}.")',
        'options = "food, shelter, its owner, water"',
        "return formatting_answer("
        'llm_query(f"A {animal} is {scene}. Is it looking for {options}?"))',
    ),
    _example(
        "Which bench is nearer to the camera, the red one or the green one?",
        'benches = image_patch.find("bench")',
        "nearest = min(benches, key=lambda bench: bench.compute_depth())",
        'return formatting_answer(nearest.best_text_match(["red", "green"], prefix="bench"))',
    ),
    _example(
        "What is written on the sign?",
        'sign = image_patch.find("sign")[0]',
        "return formatting_answer(sign.read_text())",
    ),
    _example(
        "What season is it?",
        'return formatting_answer(image_patch.visual_question_answering("What season is it?"))',
    ),
)


def _pair(question: str, *lines: str) -> WorkedExample:
    body = ("image_patches = [ImagePatch(image) for image in images]", *lines)
    return WorkedExample(question, "\n    ".join(("def execute_command(images):", *body)))


SEVERAL_EXAMPLES: tuple[WorkedExample, ...] = (
    _pair(
        "Are there more than five kettles in the two pictures together?",
        'kettles = [patch.find("kettle") for patch in image_patches]',
        'print(f"{len(kettles[0])} in the first picture, {len(kettles[1])} in the second.")',
        "return formatting_answer(len(kettles[0]) + len(kettles[1]) > 5)",
    ),
    _pair(
        "Is this true of the two pictures? The right image shows an open door.",
        'doors = image_patches[1].find("door")',
        'is_open = [door for door in doors if door.verify_property("door", "open")]',
        "return formatting_answer(len(is_open) > 0)",
    ),
)
"""Examples for questions about several pictures, which only these are shown."""
"""The shipped library."""

_WORD = re.compile(r"[a-z0-9]+")
_SATURATION, _LENGTH = 1.2, 0.5
"""BM25's constants k1 and b."""


def words(text: str) -> list[str]:
    """The words of a text in lower case, without plural endings."""
    return [
        word[:-1] if len(word) > 3 and word.endswith("s") else word
        for word in _WORD.findall(text.lower())
    ]


def retrieve(
    question: str, number: int, library: Sequence[WorkedExample] = EXAMPLES
) -> list[WorkedExample]:
    """The examples closest to a question, the closest last, next to the question.

    Args:
        question: The question.
        number: Number of examples.
        library: The examples to choose from.
    """
    documents = [Counter(words(example.question)) for example in library]
    average = sum(sum(document.values()) for document in documents) / max(len(documents), 1)
    frequency = Counter(word for document in documents for word in document)
    question_words = set(words(question))

    def score(document: Counter[str]) -> float:
        length = 1 - _LENGTH + _LENGTH * sum(document.values()) / average
        total = 0.0
        for word in question_words & set(document):
            others = len(documents) - frequency[word]
            rarity = math.log(1 + (others + 0.5) / (frequency[word] + 0.5))
            count = document[word]
            total += rarity * count * (_SATURATION + 1) / (count + _SATURATION * length)
        return total

    order = sorted(range(len(library)), key=lambda i: (-score(documents[i]), i))[:number]
    return [library[i] for i in reversed(order)]


def callable_with(library: Iterable[WorkedExample], missing: Iterable[str]) -> list[WorkedExample]:
    """The examples that call none of the missing tools."""
    names = sorted(missing)
    if not names:
        return list(library)
    call = re.compile(rf"\b({'|'.join(map(re.escape, names))})\(")
    return [example for example in library if not call.search(example.program)]
