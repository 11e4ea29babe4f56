"""Wordings that are put together: a frame around a clause, so that few lines give many questions.

A template is learnt by heart; frames and clauses that meet in ever new pairs have to be read.  As
everything of the train side, no wording here shares four words in a row with a test wording of
`tasks.phrasings` (tested).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.tasks.collage.answerable import pick

_YES_OR_NO = (
    "Is it so that {clause}?",
    "Would you agree that {clause}?",
    "Could one conclude that {clause}?",
    "A visitor insists that {clause}. Is the visitor correct?",
    "Somebody wrote that {clause}; is this true?",
    "True or false: {clause}.",
    "Judge this sentence: {clause}.",
    "Do you believe that {clause}?",
    "Verify for me whether {clause}.",
    "I suppose that {clause}. Yes or no?",
    "Does the image prove that {clause}?",
    "After a careful look, must one admit that {clause}?",
    "Knowing what the camera caught, is it correct that {clause}?",
    "The title of this photo is: {clause}. Is the title right?",
)
_HOW_MANY = (
    "Could you find out {clause}?",
    "I wonder {clause}.",
    "Someone needs to know {clause}.",
    "It would be nice to hear {clause}.",
    "After a careful look, tell us {clause}.",
    "Work out {clause}.",
    "Do you know {clause}?",
    "For my notes: {clause}?",
    "Let me know {clause}.",
)
_NUMBER = (
    "What do you get as the {clause}?",
    "State the {clause}.",
    "How large is the {clause}?",
    "The {clause}, what is it?",
    "After a careful look, what would you write down as the {clause}?",
    "I would like to learn the {clause}.",
    "Does anyone know the {clause}?",
    "In this photo the {clause} is ...?",
)
_WHICH = (
    "What do you see as the {clause}?",
    "Put a name to the {clause}.",
    "How is the {clause} called?",
    "Somebody touches the {clause}. What does he touch?",
    "If the {clause} were taken away, what would be gone?",
    "An arrow leads to the {clause}. Where does it lead?",
    "To which kind does the {clause} belong?",
    "Which word fits the {clause}?",
    "The {clause}: its name, please.",
    "Let me know what the {clause} is.",
    "Having looked for the {clause}, what have you got?",
    "Describe in one word the {clause}.",
    "Someone asks me about the {clause}. What do I say it is?",
)

FRAMES: Mapping[str, tuple[str, ...]] = {
    "that": _YES_OR_NO,
    "how many": _HOW_MANY,
    "number": _NUMBER,
    "which": _WHICH,
}
"""Frames by the kind of their clause."""

CLAUSES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "count": (
        ("how many", "how many {many_a} there are"),
        ("how many", "how many {many_a} the camera caught"),
        ("how many", "how often {a_a} can be seen"),
        ("number", "number of {many_a}"),
        ("number", "total of {many_a}"),
        ("number", "quantity of {many_a}"),
        ("number", "sum of all {many_a}"),
    ),
    "exists": (
        ("that", "there is {a_a}"),
        ("that", "{a_a} is among these things"),
        ("that", "the picture includes {a_a}"),
        ("that", "one or more {many_a} are here"),
        ("that", "{a_a} can be spotted"),
        ("that", "the camera caught {a_a}"),
    ),
    "relation": (
        ("that", "{the_a} is {rel} {the_b}"),
        ("that", "{the_a} lies {rel} {the_b}"),
        ("that", "{rel} {the_b} you see {the_a}"),
        ("that", "{the_a} has a place {rel} {the_b}"),
        ("that", "what is {rel} {the_b} is {the_a}"),
        ("that", "if you start at {the_b}, {the_a} comes {rel} it"),
    ),
    "compare/more": (
        ("that", "there are more {many_a} than {many_b}"),
        ("that", "{many_a} are more numerous than {many_b}"),
        ("that", "the {many_a} exceed the {many_b} in number"),
        ("that", "the total of {many_a} is above the total of {many_b}"),
        ("that", "the {many_b} are fewer than the {many_a}"),
        ("that", "in two rows, the row of {many_a} is longer than the row of {many_b}"),
        ("that", "{many_a} are the larger group and {many_b} the smaller one"),
        ("that", "handing one {b} to each {a} leaves {many_a} without"),
        ("that", "taking {many_b} from {many_a} gives more than zero"),
        ("that", "most of the {many_a} and {many_b} taken together are {many_a}"),
        ("that", "there is a surplus of {many_a} over {many_b}"),
    ),
    "compare/fewer": (
        ("that", "there are fewer {many_a} than {many_b}"),
        ("that", "{many_a} are less numerous than {many_b}"),
        ("that", "the {many_a} fall short of the {many_b} in number"),
        ("that", "the total of {many_a} is below the total of {many_b}"),
        ("that", "the {many_b} are more than the {many_a}"),
        ("that", "in two rows, the row of {many_a} is shorter than the row of {many_b}"),
        ("that", "{many_a} are the smaller group and {many_b} the larger one"),
        ("that", "handing one {a} to each {b} leaves {many_b} without"),
        ("that", "taking {many_b} from {many_a} gives less than zero"),
        ("that", "most of the {many_a} and {many_b} taken together are {many_b}"),
        ("that", "there is a lack of {many_a} beside {many_b}"),
    ),
    "compare/same": (
        ("that", "there are as many {many_a} as {many_b}"),
        ("that", "{many_a} and {many_b} are equally numerous"),
        ("that", "the {many_a} match the {many_b} in number"),
        ("that", "the total of {many_a} equals the total of {many_b}"),
        ("that", "the {many_b} are neither more nor fewer than the {many_a}"),
        ("that", "in two rows, the row of {many_a} is as long as the row of {many_b}"),
        ("that", "{many_a} and {many_b} are groups of equal size"),
        ("that", "handing one {a} to each {b} uses up both exactly"),
        ("that", "taking {many_b} from {many_a} gives zero"),
        ("that", "pairs of one {a} and one {b} leave nothing alone"),
    ),
    "superlative": (
        ("which", "{np}"),
        ("which", "{np}"),
        ("which", "{noun} which is {pred}"),
        ("which", "one among the {nouns} that is {pred}"),
    ),
    "category_of": (
        ("which", "{noun} {rel} {the_b}"),
        ("which", "{noun} that is {rel} {the_b}"),
        ("which", "{noun} which you see {rel} {the_b}"),
        ("which", "one among the {nouns} that lies {rel} {the_b}"),
    ),
    "count_relation": (
        ("how many", "how many {many_a} there are {rel} {the_b}"),
        ("how many", "how many {many_a} lie {rel} {the_b}"),
        ("how many", "how many of the {many_a} are {rel} {the_b}"),
        ("how many", "{rel} {the_b}, how many {many_a} there are"),
        ("number", "number of {many_a} {rel} {the_b}"),
        ("number", "total of {many_a} that are {rel} {the_b}"),
        ("number", "quantity of {many_a} lying {rel} {the_b}"),
    ),
}
"""Clauses by the keys of `tasks.phrasings`, each with the kind of frame that it fits."""


def framed(key: str, rng: np.random.Generator) -> str:
    """A wording with slots, put together from a clause and a frame; empty where there is none.

    Knowledge and choices have no clauses.
    """
    if key not in CLAUSES:
        return ""
    kind, clause = pick(CLAUSES[key], rng)
    return pick(FRAMES[kind], rng).replace("{clause}", clause)
