"""The wordings of questions, in two disjoint sets.

`train` wordings are plain and short; `test` wordings open differently, embed clauses and turn the
order round, so that a model that learnt templates instead of meaning is found out.  Slots are
filled by `questions`; every key has at least six train and four test wordings.
"""

from __future__ import annotations

PHRASINGS = ("train", "test")

RELATIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "left": ("to the left of", "left of"),
        "right": ("to the right of", "right of"),
        "above": ("above",),
        "below": ("below",),
    },
    "test": {
        "left": ("further left than", "on the left-hand side of"),
        "right": ("further right than", "on the right-hand side of"),
        "above": ("higher up than", "higher in the picture than"),
        "below": ("lower down than", "lower in the picture than"),
    },
}
"""Words for a relation; `the <noun>` follows them."""

SUPERLATIVES: dict[str, dict[str, tuple[str, str]]] = {
    "train": {
        "leftmost": ("leftmost {noun}", "furthest to the left"),
        "rightmost": ("rightmost {noun}", "furthest to the right"),
        "topmost": ("topmost {noun}", "highest in the picture"),
        "bottommost": ("bottommost {noun}", "lowest in the picture"),
        "largest": ("largest {noun}", "the largest"),
        "smallest": ("smallest {noun}", "the smallest"),
        "nearest": ("{noun} nearest to {the_b}", "nearest to {the_b}"),
        "farthest": ("{noun} farthest from {the_b}", "farthest from {the_b}"),
    },
    "test": {
        "leftmost": ("{noun} closest to the left edge", "closest to the left edge"),
        "rightmost": ("{noun} closest to the right edge", "closest to the right edge"),
        "topmost": ("{noun} that sits highest up", "sitting highest up"),
        "bottommost": ("{noun} that sits lowest down", "sitting lowest down"),
        "largest": ("{noun} that takes up the most room", "taking up the most room"),
        "smallest": ("{noun} that takes up the least room", "taking up the least room"),
        "nearest": (
            "{noun} at the shortest distance from {the_b}",
            "at the shortest distance from {the_b}",
        ),
        "farthest": (
            "{noun} at the greatest distance from {the_b}",
            "at the greatest distance from {the_b}",
        ),
    },
}
"""Words for an extreme, as they follow `the` and as they follow `is`."""

OBJECT = {"train": "object", "test": "item"}
"""The word for anything at all."""

TEMPLATES: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "count": (
            "How many {many_a} are there?",
            "How many {many_a} are in the picture?",
            "How many {many_a} do you see?",
            "Count the {many_a}.",
            "What is the number of {many_a}?",
            "How many {many_a} are shown here?",
            "Give the number of {many_a} in the image.",
        ),
        "exists": (
            "Is there {a_a} in the picture?",
            "Is there {a_a}?",
            "Are there any {many_a}?",
            "Do you see {a_a}?",
            "Can you see any {many_a} in the image?",
            "Does the picture show {a_a}?",
            "Is {a_a} visible?",
        ),
        "relation": (
            "Is {the_a} {rel} {the_b}?",
            "Is {the_a} in the picture {rel} {the_b}?",
            "Do you see {the_a} {rel} {the_b}?",
            "Can {the_a} be found {rel} {the_b}?",
            "Is it true that {the_a} is {rel} {the_b}?",
            "Does {the_a} stand {rel} {the_b}?",
        ),
        "compare/more": (
            "Are there more {many_a} than {many_b}?",
            "Do you see more {many_a} than {many_b}?",
            "Does the picture show more {many_a} than {many_b}?",
            "Is the number of {many_a} greater than the number of {many_b}?",
            "Are more {many_a} than {many_b} in the picture?",
            "Is it true that there are more {many_a} than {many_b}?",
        ),
        "compare/fewer": (
            "Are there fewer {many_a} than {many_b}?",
            "Do you see fewer {many_a} than {many_b}?",
            "Does the picture show fewer {many_a} than {many_b}?",
            "Is the number of {many_a} smaller than the number of {many_b}?",
            "Are fewer {many_a} than {many_b} in the picture?",
            "Is it true that there are fewer {many_a} than {many_b}?",
        ),
        "compare/same": (
            "Are there as many {many_a} as {many_b}?",
            "Is the number of {many_a} the same as the number of {many_b}?",
            "Are there equally many {many_a} and {many_b}?",
            "Do you see as many {many_a} as {many_b}?",
            "Does the picture show the same number of {many_a} and {many_b}?",
            "Is it true that there are as many {many_a} as {many_b}?",
        ),
        "superlative": (
            "What is the {np}?",
            "What is the {np} in this picture?",
            "Name the {np}.",
            "Which {noun} is {pred}?",
            "What kind of {noun} is {pred}?",
            "Tell me what the {np} is.",
            "What do you call the {np}?",
        ),
        "category_of": (
            "What {noun} is {rel} {the_b}?",
            "Which {noun} is {rel} {the_b}?",
            "Name the {noun} {rel} {the_b}.",
            "What is the {noun} {rel} {the_b}?",
            "What kind of {noun} is {rel} {the_b}?",
            "Tell me which {noun} is {rel} {the_b}.",
        ),
        "count_relation": (
            "How many {many_a} are {rel} {the_b}?",
            "How many {many_a} are there {rel} {the_b}?",
            "Count the {many_a} {rel} {the_b}.",
            "What is the number of {many_a} {rel} {the_b}?",
            "How many {many_a} do you see {rel} {the_b}?",
            "Give the number of {many_a} {rel} {the_b}.",
        ),
        "knowledge/count": (
            "How many of the {nouns} here {can}?",
            "How many {nouns} in the picture {can}?",
            "How many {nouns} {can}?",
            "Count the {nouns} that {can}.",
            "What is the number of {nouns} that {can}?",
            "How many {nouns} do you see that {can}?",
        ),
        "knowledge/exists": (
            "Is there {a_noun} here that {does}?",
            "Is there {a_noun} that {does}?",
            "Do you see {a_noun} that {does}?",
            "Are there any {nouns} that {can}?",
            "Does the picture show {a_noun} that {does}?",
            "Can you see any {nouns} that {can}?",
        ),
        "knowledge/which": (
            "Which {noun} here {does}?",
            "Which {noun} {does}?",
            "What is the {noun} that {does}?",
            "Name the {noun} that {does}.",
            "What kind of {noun} in the picture {does}?",
            "Tell me which {noun} {does}.",
        ),
        "choice/present": (
            "Which of these is in the picture?",
            "Which of these do you see?",
            "Which of these is shown here?",
            "What is in the picture?",
            "Which one can be seen?",
            "Which one does the picture show?",
        ),
        "choice/absent": (
            "Which of these is not in the picture?",
            "Which of these do you not see?",
            "Which of these is not shown here?",
            "What is missing from the picture?",
            "Which one cannot be seen?",
            "Which one does the picture not show?",
        ),
    },
    "test": {
        "count": (
            "Looking over the whole scene, what total do you get for {many_a}?",
            (
                "If you went through the picture and ticked off all {many_a}, how many ticks "
                "would you make?"
            ),
            "Suppose someone asked for the {many_a} in this photo: how many are there to be had?",
            "As for {many_a}, how often does one appear here?",
        ),
        "exists": (
            "Somewhere in this scene, would a viewer come across {a_a}?",
            "Among everything that is pictured, can at least one {a} be made out?",
            "Would it be right to say that {a_a} appears here?",
            "Looking for {a_a}: does this photo have one?",
        ),
        "relation": (
            "Comparing where they are placed, would you say that {the_a} is {rel} {the_b}?",
            "Taking {the_b} as the point of reference, is {the_a} {rel} it?",
            "Someone claims {the_a} was put {rel} {the_b}; are they right?",
            "With regard to {the_b}, is the position of {the_a} one that is {rel} it?",
        ),
        "compare/more": (
            "If you counted both, would {many_a} outnumber {many_b}?",
            "Comparing {many_a} with {many_b}, is the first group the bigger one?",
            "Someone says {many_a} are in the majority against {many_b} here; are they right?",
            (
                "Putting one of the {many_b} beside each of the {many_a}, would some {many_a} be "
                "left over?"
            ),
        ),
        "compare/fewer": (
            "If you counted both, would {many_a} be outnumbered by {many_b}?",
            "Comparing {many_a} with {many_b}, is the first group the smaller one?",
            "Someone says {many_a} are in the minority against {many_b} here; are they right?",
            (
                "Putting one of the {many_a} beside each of the {many_b}, would some {many_b} be "
                "left over?"
            ),
        ),
        "compare/same": (
            "If you counted both, would {many_a} and {many_b} come out equal?",
            "Comparing {many_a} with {many_b}, are the two groups of one size?",
            "Someone says {many_a} and {many_b} balance each other in number here; are they right?",
            "Could all {many_a} and all {many_b} be paired off, one to one, with none left over?",
        ),
        "superlative": (
            "Of all the {nouns} shown, which one is {pred}?",
            "If you had to point at the {np}, what would you be pointing at?",
            "The {np} in this scene: what sort of thing is that?",
            "Looking at the {np}, what would you call it?",
        ),
        "category_of": (
            "Being {rel} {the_b}, which {noun} comes into question?",
            "There is {a_noun} {rel} {the_b}; what sort is it?",
            "Starting from {the_b}, a viewer finds {a_noun} {rel} it: which one?",
            "If {the_b} is the point of reference, what do you call the {noun} {rel} it?",
        ),
        "count_relation": (
            "Taking {the_b} as the point of reference, how many {many_a} are {rel} it?",
            "Of the {many_a} in this scene, what number can be found {rel} {the_b}?",
            "If only {many_a} {rel} {the_b} were counted, what would the total be?",
            "As for {many_a} {rel} {the_b}, how many can be made out?",
        ),
        "knowledge/count": (
            "Thinking of what each one is, how many of these {nouns} {can}?",
            "Of all the {nouns} shown, what number {can}?",
            "If only {nouns} that {can} were counted, what would the total be?",
            "As for {nouns} that {can}, how many can be made out?",
        ),
        "knowledge/exists": (
            (
                "Thinking of what each one is, would you say that at least one {noun} shown here "
                "{does}?"
            ),
            "Somewhere in this scene, would a viewer come across {a_noun} that {does}?",
            "Among the {nouns} that are pictured, is there one that {does}?",
            "Would it be right to say that some {noun} in this photo {does}?",
        ),
        "knowledge/which": (
            "Thinking of what each one is, which of these {nouns} {does}?",
            "Of all the {nouns} shown, only one {does}: which one is it?",
            "If you had to point at {a_noun} that {does}, what would you be pointing at?",
            "There is {a_noun} in this photo that {does}; what sort is it?",
        ),
        "choice/present": (
            "Looking over the whole scene, which option does appear in it?",
            "Only one option names something a viewer would come across here; which one?",
            "Going through the options, which can be made out in this photo?",
            "Which option would belong in a list of what is pictured?",
        ),
        "choice/absent": (
            "Looking over the whole scene, which option does not appear in it?",
            "Only one option names something a viewer would not come across here; which one?",
            "Going through the options, which cannot be made out in this photo?",
            "Which option would not belong in a list of what is pictured?",
        ),
    },
}
"""Wordings by phrasing and key."""
