"""More wordings to learn from, because the bundled ones alone teach a writer to read little else.

Everything here belongs to the train side; none of it is a test wording of `tasks.phrasings`
(tested).  Since a program needs no answer to be learnt, forms are also made about things and facts
that no collage knows, so that names and predicates are copied from the question instead of
remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.english import a, one, plural, the
from workbench.making.wordings import framed
from workbench.tasks.collage.answerable import pick
from workbench.tasks.collage.knowledge import FACTS

THINGS = (
    "chair", "tree", "window", "door", "ball", "book", "plant", "house", "bridge", "ladder",
    "basket", "table", "candle", "glove", "helmet", "mirror", "monkey", "fox", "goose", "squirrel",
    "whale", "turtle", "tractor", "van", "ship", "kite", "spoon", "fork", "bowl", "vase",
    "sandwich", "pear", "grape", "onion", "potato", "piano", "flute", "ruler", "pencil", "suitcase",
    "child", "woman", "man", "street sign", "fire hydrant", "swimming pool", "palm tree",
    "coffee mug", "paper bag",
)  # fmt: skip
"""Names that no collage has."""

PREDICATES: dict[str, tuple[tuple[str, str], ...]] = {
    "fly": (
        ("flies", "fly"), ("has wings", "have wings"),
        ("can get off the ground", "can get off the ground"),
    ),
    "eaten": (("is edible", "are edible"), ("is good to eat", "are good to eat")),
    "wheels": (("is fitted with wheels", "are fitted with wheels"), ("has tyres", "have tyres")),
    "water": (
        ("has its home in water", "have their home in water"), ("swims all day", "swim all day"),
    ),
    "legs": (
        ("has exactly four legs", "have exactly four legs"), ("is four-legged", "are four-legged"),
    ),
    "cut": (
        ("can cut paper or wood", "can cut paper or wood"),
        ("is a cutting tool", "are cutting tools"),
    ),
    "music": (
        ("is played in concerts", "are played in concerts"),
        ("can play a tune", "can play a tune"),
    ),
    "electricity": (
        ("runs on electricity", "run on electricity"), ("has a battery", "have a battery"),
    ),
    "passengers": (
        ("carries people around", "carry people around"), ("can take us home", "can take us home"),
    ),
    "eggs": (("produces eggs", "produce eggs"), ("builds nests", "build nests")),
    "sport": (
        ("is sports equipment", "are sports equipment"),
        ("is used for playing", "are used for playing"),
    ),
    "tree": (
        ("comes from a tree", "come from a tree"),
        ("is found in an orchard", "are found in an orchard"),
    ),
    "drink": (
        ("can be filled with water", "can be filled with water"),
        ("holds liquids", "hold liquids"),
    ),
    "": (
        ("has fur", "have fur"), ("lives on a farm", "live on a farm"),
        ("is made of metal", "are made of metal"),
        ("is heavier than a person", "are heavier than a person"), ("can bite", "can bite"),
        ("has a tail", "have a tail"),
        ("is sold in a bakery", "are sold in a bakery"),
        ("would float on water", "would float on water"),
        ("belongs in a kitchen", "belong in a kitchen"), ("is kept as a pet", "are kept as pets"),
        ("needs petrol", "need petrol"), ("grows in a garden", "grow in a garden"),
        ("is loud", "are loud"),
        ("keeps off the rain", "keep off the rain"), ("sleeps in winter", "sleep in winter"),
        ("is sour", "are sour"), ("can climb trees", "can climb trees"),
        ("eats grass", "eat grass"),
        ("is found in an office", "are found in an office"),
        ("was invented long ago", "were invented long ago"),
        ("gives milk", "give milk"), ("has a handle", "have a handle"),
        ("is afraid of cats", "are afraid of cats"),
        ("travels on rails", "travel on rails"),
        ("would break if it fell", "would break if they fell"),
    ),
}  # fmt: skip
"""Predicates, singular and plural, by fact; those under the empty name belong to no fact."""

RELATIONS = {
    "left": (
        "on the left of",
        "to the left of",
        "left of",
        "on the left side of",
        "more to the left than",
        "to the left side of",
        "nearer to the left border than",
    ),
    "right": (
        "on the right of",
        "to the right of",
        "right of",
        "on the right side of",
        "more to the right than",
        "to the right side of",
        "nearer to the right border than",
    ),
    "above": (
        "above",
        "over",
        "higher than",
        "at a higher place than",
        "nearer to the top than",
        "at a greater height than",
        "nearer to the upper border than",
    ),
    "below": (
        "below",
        "under",
        "beneath",
        "lower than",
        "at a lower place than",
        "nearer to the bottom than",
        "at a smaller height than",
        "underneath",
        "nearer to the lower border than",
    ),
}

SUPERLATIVES = {
    "leftmost": (
        ("leftmost {noun}", "most to the left"), ("{noun} on the far left", "on the far left"),
        ("{noun} at the left border", "nearest to the left border"),
        ("first {noun} from the left", "first from the left"),
        ("{noun} at the left end", "at the left end"),
        ("{noun} with nothing to its left", "with nothing to its left"),
    ),
    "rightmost": (
        ("rightmost {noun}", "most to the right"), ("{noun} on the far right", "on the far right"),
        ("{noun} at the right border", "nearest to the right border"),
        ("last {noun} from the left", "last from the left"),
        ("{noun} at the right end", "at the right end"),
        ("{noun} with nothing to its right", "with nothing to its right"),
    ),
    "topmost": (
        ("uppermost {noun}", "at the very top"), ("highest {noun}", "highest"),
        ("{noun} at the upper border", "nearest to the upper border"),
        ("{noun} above all others", "above all others"),
        ("{noun} that is nearest to the top", "nearest to the top"),
        ("{noun} that has been placed highest", "at the greatest height"),
        ("{noun} with nothing above it", "with nothing above it"),
    ),
    "bottommost": (
        ("lowest {noun}", "at the very bottom"), ("bottom {noun}", "lowest"),
        ("{noun} at the lower border", "nearest to the lower border"),
        ("{noun} below all others", "below all others"),
        ("{noun} that is nearest to the bottom", "nearest to the bottom"),
        ("{noun} that has been placed lowest", "at the smallest height"),
        ("{noun} with nothing below it", "with nothing below it"),
    ),
    "largest": (
        ("biggest {noun}", "biggest"), ("{noun} with the greatest size", "of the greatest size"),
        ("{noun} covering the largest area", "covering the largest area"),
        ("{noun} that fills most", "filling most"),
        ("bulkiest {noun}", "bulkiest"),
        ("{noun} that needs the most space", "in need of the most space"),
        ("{noun} occupying the greatest part of the image", "occupying the greatest part"),
        ("{noun} of the largest extent", "of the largest extent"),
    ),
    "smallest": (
        ("tiniest {noun}", "tiniest"), ("{noun} with the least size", "of the least size"),
        ("{noun} covering the smallest area", "covering the smallest area"),
        ("{noun} that fills least", "filling least"),
        ("most minute {noun}", "most minute"),
        ("{noun} that needs the least space", "in need of the least space"),
        ("{noun} occupying the least part of the image", "occupying the least part"),
        ("{noun} of the smallest extent", "of the smallest extent"),
    ),
    "nearest": (
        ("{noun} closest to {the_b}", "closest to {the_b}"),
        ("{noun} next to {the_b}", "least far from {the_b}"),
        ("{noun} with the smallest gap to {the_b}", "with the smallest gap to {the_b}"),
        ("{noun} whose distance from {the_b} is smallest", "in the smallest distance from {the_b}"),
        ("{noun} least far away from {the_b}", "least far away from {the_b}"),
        ("{noun} that is nearer to {the_b} than any other", "nearer to {the_b} than any other"),
    ),
    "farthest": (
        ("{noun} furthest away from {the_b}", "furthest away from {the_b}"),
        ("{noun} most distant from {the_b}", "most distant from {the_b}"),
        ("{noun} with the largest gap to {the_b}", "with the largest gap to {the_b}"),
        ("{noun} whose distance from {the_b} is largest", "in the largest distance from {the_b}"),
        ("{noun} least near to {the_b}", "least near to {the_b}"),
        ("{noun} that is farthest off {the_b}", "farther from {the_b} than any other"),
    ),
}  # fmt: skip

TEMPLATES: dict[str, tuple[str, ...]] = {
    "count": (
        "Please tell me how many {many_a} you can find.",
        "I want to know how many {many_a} the image contains.",
        "{many_a}: how many?",
        "Number of {many_a}?",
        "Can you count the {many_a} for me?",
        "There are many things here. How many of them are {many_a}?",
        "A child points at every {a}. How many times does the child point?",
        "What would be the right number if we count {many_a}?",
        "Find all {many_a} and say how many you found.",
        "Going by this photograph, how big is the group of {many_a}?",
        "When every {a} gets a sticker, how many stickers do we use up?",
        "I have to write down a figure for {many_a}. Which one?",
        "Say how many times {a_a} can be seen.",
        "To how many {many_a} does the picture give a place?",
    ),
    "exists": (
        "Please check whether there is {a_a}.",
        "I am looking for {a_a}. Is one here?",
        "{a_a} in this image, yes or no?",
        "Did the photographer catch {a_a}?",
        "Is it possible to find {a_a} anywhere?",
        "My friend says there is {a_a}. True?",
        "Has this picture got any {many_a}?",
        "Could I see {a_a} if I looked closely?",
        "Going by this photograph, does {a_a} exist in it?",
        "Would a search for {many_a} have success here?",
        "I bet that {a_a} is in here. Do I win?",
        "Tell me if at least {a_a} is present.",
        "Does {a_a} belong to what the camera saw?",
    ),
    "relation": (
        "Please check whether {the_a} is {rel} {the_b}.",
        "Look at {the_b}. Is {the_a} {rel} it?",
        "My friend says {the_a} is {rel} {the_b}. True?",
        "{the_a}, is it {rel} {the_b}?",
        "Find {the_a} and {the_b}. Is the first one {rel} the second one?",
        "Seen from {the_b}, is {the_a} {rel} it?",
        "Has {the_a} been placed {rel} {the_b}?",
        "If I look {rel} {the_b}, will I find {the_a}?",
        "Going by this photograph, does {the_a} lie {rel} {the_b}?",
        "I bet that {the_a} is {rel} {the_b}. Do I win?",
        "When you compare {the_a} with {the_b}, is it {rel} it?",
        "As to {the_b}: does {the_a} have its place {rel} it?",
        "With {the_b} in mind, would you look for {the_a} {rel} it?",
        "Tell me if the place of {the_a} is one {rel} {the_b}.",
    ),
    "compare/more": (
        "Count {many_a} and {many_b}. Is the first number larger?",
        "My friend says there are more {many_a} than {many_b}. True?",
        "{many_a} or {many_b}: are the {many_a} more numerous?",
        "Do {many_a} occur more often than {many_b}?",
        "Is there a larger amount of {many_a} than of {many_b}?",
        "Have we got more {many_a} here than {many_b}?",
        "I bet that {many_a} beat {many_b} in number. Do I win?",
        "If each {b} took one {a}, would some {many_a} remain?",
        "Next to {many_a}, are {many_b} the smaller group?",
        "Going by this photograph, is the group of {many_a} bigger than that of {many_b}?",
        "Are {many_b} behind {many_a} in number?",
    ),
    "compare/fewer": (
        "Count {many_a} and {many_b}. Is the first number smaller?",
        "My friend says there are fewer {many_a} than {many_b}. True?",
        "{many_a} or {many_b}: are the {many_a} less numerous?",
        "Do {many_a} occur less often than {many_b}?",
        "Is there a smaller amount of {many_a} than of {many_b}?",
        "Have we got fewer {many_a} here than {many_b}?",
        "I bet that {many_b} beat {many_a} in number. Do I win?",
        "If each {a} took one {b}, would some {many_b} remain?",
        "Next to {many_b}, are {many_a} the smaller group?",
        "Going by this photograph, is the group of {many_a} less big than that of {many_b}?",
        "Are {many_a} behind {many_b} in number?",
    ),
    "compare/same": (
        "Count {many_a} and {many_b}. Are the two numbers identical?",
        "My friend says there are just as many {many_a} as {many_b}. True?",
        "{many_a} and {many_b}: is it the same number?",
        "Do {many_a} occur as often as {many_b}?",
        "Is the amount of {many_a} equal to that of {many_b}?",
        "Does every {a} have one {b} for itself, without any left?",
        "I bet that neither {many_a} nor {many_b} win in number. Am I correct?",
        "If each {a} took one {b}, would nothing remain of either?",
        "Going by this photograph, is the group of {many_a} as big as that of {many_b}?",
        "Is there no difference between the number of {many_a} and that of {many_b}?",
    ),
    "superlative": (
        "Please name the {np}.",
        "I wonder what the {np} is.",
        "Look for the {np}. What is it?",
        "Find the {noun} {pred} and say what it is.",
        "One {noun} is {pred}. What is it?",
        "Could you identify the {np}?",
        "Of these {nouns}, name the one {pred}.",
        "The {np}, what is it called?",
        "Going by this photograph, what is the {np}?",
        "My finger is on the {np}. What is under my finger?",
        "When you compare the {nouns}, which one is {pred}?",
        "As to the {np}: give its name.",
        "Among these {nouns} there is one {pred}. Its name?",
        "How would a child name the {np}?",
    ),
    "category_of": (
        "Please name the {noun} {rel} {the_b}.",
        "Look {rel} {the_b}. Which {noun} is there?",
        "One {noun} is {rel} {the_b}. What is it?",
        "I see {the_b}. Which {noun} do I find {rel} it?",
        "Could you identify the {noun} {rel} {the_b}?",
        "The {noun} {rel} {the_b}, what is it called?",
        "{rel} {the_b} is {a_noun}. What is its name?",
        "Going by this photograph, which {noun} is {rel} {the_b}?",
        "With {the_b} in mind, which {noun} lies {rel} it?",
        "My finger is on {a_noun} {rel} {the_b}. What is under my finger?",
        "As to {the_b}: what {noun} has its place {rel} it?",
        "Tell me the name of the {noun} that lies {rel} {the_b}.",
    ),
    "count_relation": (
        "Please tell me how many {many_a} are {rel} {the_b}.",
        "Look {rel} {the_b}. How many {many_a} are there?",
        "Find {the_b}. How many {many_a} lie {rel} it?",
        "Number of {many_a} {rel} {the_b}?",
        "{rel} {the_b}, how many {many_a} do you find?",
        "Some {many_a} may be {rel} {the_b}. How many?",
        "Can you count only those {many_a} that are {rel} {the_b}?",
        "Going by this photograph, how many {many_a} lie {rel} {the_b}?",
        "With {the_b} in mind, how many {many_a} lie {rel} it?",
        "As to {the_b}: how many {many_a} have their place {rel} it?",
        "I have to write down how many {many_a} are {rel} {the_b}. Which figure?",
        "Of all {many_a}, count the ones {rel} {the_b}.",
    ),
    "knowledge/count": (
        "Please tell me how many {nouns} {can}.",
        "Number of {nouns} that {can}?",
        "Look at the {nouns}. How many of them {can}?",
        "Some {nouns} {can}. How many do?",
        "Can you count only those {nouns} that {can}?",
        "I need the {nouns} that {can}. How many are here?",
        "Going by this photograph, to how many {nouns} does it apply that they {can}?",
        "I have to write down how many {nouns} {can}. Which figure?",
        "When every {noun} that {does} gets a sticker, how many stickers do we use up?",
        "Of all {nouns}, count the ones that {can}.",
    ),
    "knowledge/exists": (
        "Please check whether any {noun} {does}.",
        "I am looking for {a_noun} that {does}. Is one here?",
        "My friend says there is {a_noun} that {does}. True?",
        "Look at the {nouns}. Is it so that one of them {does}?",
        "Has this picture got {a_noun} that {does}?",
        "Could I find {a_noun} here that {does}?",
        "I bet that one {noun} here {does}. Do I win?",
        "Going by this photograph, is there any {noun} that {does}?",
        "Would a search for {a_noun} that {does} have success here?",
    ),
    "knowledge/which": (
        "Please name the {noun} that {does}.",
        "One {noun} {does}. What is it?",
        "Look at the {nouns}. Which one of them {does}?",
        "Could you identify the {noun} that {does}?",
        "I need {a_noun} that {does}. Which is it?",
        "Find the {noun} that {does} and say what it is.",
        "Going by this photograph, which {noun} {does}?",
        "My finger is on {a_noun} that {does}. What is under my finger?",
        "Among these {nouns} there is one that {does}. Its name?",
    ),
    "choice/present": (
        "Please pick the one that is in the image.",
        "One of these can be found here. Which one?",
        "Which of the following is here?",
        "Which of the names fits something in this image?",
        "What do we have here?",
        "Three of these are not here. Which one is?",
        "Going by this photograph, which of the names is true?",
        "Tell me the one that the camera saw.",
    ),
    "choice/absent": (
        "Please pick the one that is not in the image.",
        "One of these cannot be found here. Which one?",
        "Which of the following is not here?",
        "Which of the names fits nothing in this image?",
        "What do we not have here?",
        "Three of these are here. Which one is not?",
        "Going by this photograph, which of the names is wrong?",
        "Tell me the one that the camera did not see.",
    ),
}
"""Wordings by the keys of `tasks.phrasings`."""

_OPENINGS = (
    "",
    "",
    "",
    "",
    "",
    "Hello! ",
    "In this image: ",
    "Look carefully. ",
    "Question: ",
    "If I may ask: ",
)
_ENDINGS = (
    "",
    "",
    "",
    "",
    "",
    " Thanks.",
    " Be careful.",
    " Just answer.",
    " Explain what you find.",
)


def other_things(form: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """A form about something that no collage has.

    Forms without a name of a category stay as they are.
    """
    changed = dict(form)
    if changed["op"] in ("count", "exists", "relation", "compare", "count_relation"):
        names = [THINGS[int(i)] for i in rng.permutation(len(THINGS))[:2]]
        for slot, name in zip(("a", "b"), names, strict=True):
            if slot in changed and rng.random() < 0.8:
                changed[slot] = name
    return changed


def paraphrase(
    form: Mapping[str, Any], rng: np.random.Generator, same: bool = False
) -> tuple[str, str]:
    """A question that says a form in other words, and its predicate.

    The predicate is empty but for knowledge forms.

    Args:
        form: what the question asks.
        rng: decides the words.
        same: keep the predicate of the form's fact, so that the answer stays the same; a writer
            needs no answer, and reads more if its predicates belong to no fact at times.
    """
    inner = form["of"] if form["op"] == "choice" else form
    key = _template_key(inner)
    slots: dict[str, str] = {}
    for slot in ("a", "b"):
        if slot in inner:
            noun = {"object": "thing", "food": "food item"}.get(inner[slot], inner[slot])
            slots |= {
                slot: one(noun),
                f"a_{slot}": a(noun),
                f"the_{slot}": the(noun),
                f"many_{slot}": plural(noun),
            }
    if "among" in inner:
        noun = {"object": pick(("object", "thing", "entity"), rng), "food": "food item"}.get(
            inner["among"], inner["among"]
        )
        slots |= {"noun": noun, "a_noun": a(noun), "nouns": plural(noun)}
    if "rel" in inner:
        slots["rel"] = pick(RELATIONS[inner["rel"]], rng)
    predicate = ""
    if "fact" in inner:
        own = FACTS[inner["fact"]].train
        kind = inner["fact"] if rng.random() < 0.6 else ""
        predicate, slots["can"] = own if same else pick((*PREDICATES[kind], own), rng)
        slots["does"] = predicate
    if "by" in inner:
        phrase, complement = pick(SUPERLATIVES[inner["by"]], rng)
        slots |= {"np": phrase.format(**slots), "pred": complement.format(**slots)}
    wording = framed(key, rng) if rng.random() < 0.5 else ""
    text = (wording or pick(TEMPLATES[key], rng)).format(**slots)
    text = pick(_OPENINGS, rng) + text[0].upper() + text[1:] + pick(_ENDINGS, rng)
    return careless(text, rng), predicate


def _template_key(form: Mapping[str, Any]) -> str:
    """The key of a form's wordings in `TEMPLATES`."""
    op = str(form["op"])
    if op in ("present", "absent"):
        return f"choice/{op}"
    if "by" in form:
        return "superlative"
    if op == "compare":
        return f"compare/{form['cmp']}"
    return f"knowledge/{form['ask']}" if op == "knowledge" else op


def careless(text: str, rng: np.random.Generator) -> str:
    """A text as people type it: now and then in small letters, or without the closing mark."""
    if rng.random() < 0.08:
        text = text.lower()
    return text.rstrip("?.") if rng.random() < 0.08 else text
