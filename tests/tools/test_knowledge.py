"""`llm_query`: taking questions apart, and asking a language model for what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from gallery import Gallery
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_language import save_tiny_language

from workbench.errors import ProfileError, ToolFailure
from workbench.records import ToolCall
from workbench.tools.knowledge import LanguageKnowledge
from workbench.tools.yesno import YesNo, is_yes_no, parse

READER = '''
"""A second language model: it has read a few sentences and prefers what it has read; it always leans to `no`."""
from workbench.records import PartRef

READ = ["a parrot can fly", "a plane can fly", "a banana is a fruit", "a bird can fly", "a car has wheels"]


class Reader:
    def __init__(self, model="none"):
        self.ref = PartRef("language", "reader", "1", {"model": model})

    def complete(self, prompts, max_tokens):
        return [f"I read: {prompt.split()[0]}.\\nAnd more." for prompt in prompts]

    def choose(self, prompts, options):
        out = []
        for prompt, choices in zip(prompts, options):
            weights = []
            for choice in choices:
                weight = 5.0 if choice == "no" else 1.0
                for sentence in READ:
                    subject, predicate = " ".join(sentence.split()[:2]), " ".join(sentence.split()[2:])
                    named = choice == subject and prompt.endswith(f"Something that {predicate}:")
                    told = choice == predicate + "." and prompt.lower().endswith(subject)
                    weight *= 20.0 if named or told else 1.0
                weights.append(weight)
            out.append([w / sum(weights) for w in weights])
        return out
'''


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("reader") / "reader.py"
    path.write_text(READER)
    return f"{path}:Reader"


def query(
    tool: LanguageKnowledge, gallery: Gallery, *questions: Any, long: bool = False
) -> list[Any]:
    calls = [ToolCall("llm_query", {"question": q, "long_answer": long}) for q in questions]
    return list(tool(calls, gallery.images))


@pytest.mark.parametrize(
    ("question", "subject", "predicate"),
    [
        ("Can a parrot fly?", "parrot", "can fly"),
        ("Can a elephant fly? Answer yes or no.", "elephant", "can fly"),
        ("Is a banana a fruit?", "banana", "is a fruit"),
        ("Are bananas fruits?", "banana", "is a fruit"),
        ("Do penguins lay eggs?", "penguin", "lays eggs"),
        ("Does a cell phone need electricity to work?", "cell phone", "needs electricity to work"),
        ("does a sports ball usually have wheels", "sports ball", "has wheels"),
        (
            "Is a saw used for cutting? Please answer with yes or no only.",
            "saw",
            "is used for cutting",
        ),
        (
            "Is it true that a traffic light stops working without electric power?",
            "traffic light",
            "stops working without electric power",
        ),
        ("Is it true that an apple would be served as food?", "apple", "would be served as food"),
        ("Has a horse got hooves?", "horse", "has hooves"),
        ("Is a piece of broccoli a vegetable?", "piece of broccoli", "is a vegetable"),
    ],
)
def test_yes_no_questions_are_taken_apart(question: str, subject: str, predicate: str) -> None:
    assert parse(question) == YesNo(subject, predicate)


@pytest.mark.parametrize(
    "question", ["What is a dog?", "", "Can a?", "Is it?", "yes or no", "Why can birds fly?"]
)
def test_other_questions_are_left_alone(question: str) -> None:
    assert parse(question) is None


@given(st.text(max_size=80), st.sampled_from(["", "Can a ", "Is the ", "Do ", "Is it true that "]))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_the_parser(text: str, start: str) -> None:
    fact = parse(start + text)
    assert fact is None or (fact.subject and fact.predicate)
    is_yes_no(start + text)


def test_comparison_undoes_a_lean_that_asking_outright_shows(gallery: Gallery, reader: str) -> None:
    questions = [
        "Can a parrot fly?",
        "Can a spoon fly?",
        "Is a banana a fruit?",
        "Is a stone a fruit?",
    ]
    outright = LanguageKnowledge(language=reader, method="outright")
    assert query(outright, gallery, *questions) == ["no"] * 4
    contrast = LanguageKnowledge(language=reader, method="contrast")
    assert query(contrast, gallery, *questions) == ["yes", "no", "yes", "no"]


def test_an_answer_does_not_depend_on_what_was_asked_before(gallery: Gallery, reader: str) -> None:
    questions = [
        "Can a plane fly?",
        "Does a car have wheels?",
        "Can a car fly?",
        "Is a parrot a fruit?",
    ]
    tool = LanguageKnowledge(language=reader, method="contrast")
    forwards = [query(tool, gallery, q)[0] for q in questions]
    backwards = [query(tool, gallery, q)[0] for q in reversed(questions)]
    fresh = query(LanguageKnowledge(language=reader, method="contrast"), gallery, *questions)
    assert forwards == backwards[::-1] == fresh == ["yes", "yes", "no", "no"]


def test_other_questions_are_completed_first_line_only_unless_long(
    gallery: Gallery, reader: str
) -> None:
    tool = LanguageKnowledge(language=reader)
    assert query(tool, gallery, "Name the capital of France.") == ["I read: Name"]
    assert query(tool, gallery, "Name the capital of France.", long=True) == [
        "I read: Name. And more."
    ]


@pytest.mark.parametrize("question", [None, 4, "", "\u0000\n", ["a"], "x" * 501, {"q": 1}])
def test_hostile_questions_fail_their_own_call(
    gallery: Gallery, reader: str, question: Any
) -> None:
    tool = LanguageKnowledge(language=reader)
    bad, good = query(tool, gallery, question, "Can a parrot fly?")
    assert isinstance(bad, ToolFailure)
    assert good in ("yes", "no")


def test_a_real_checkpoint_answers_every_kind_of_question(gallery: Gallery, tmp_path: Path) -> None:
    folder = str(save_tiny_language(tmp_path))
    for method in ("contrast", "outright"):
        tool = LanguageKnowledge(
            model=folder, method=method, max_tokens=4, arguments={"device": "cpu"}
        )
        answers: Sequence[Any] = query(
            tool, gallery, "Can a dog fly?", "Is the sky blue today?", "Who?"
        )
        assert answers[0] in ("yes", "no")
        assert answers[1] in ("yes", "no")
        assert isinstance(answers[2], str | ToolFailure)


def test_an_unknown_language_part_lists_the_known_ones() -> None:
    with pytest.raises(ProfileError, match="transformers"):
        LanguageKnowledge(language="telepathy")


@pytest.mark.slow
def test_the_bundled_model_knows_most_everyday_facts(gallery: Gallery) -> None:
    facts = {
        "Can a parrot fly?": "yes",
        "Can a spoon fly?": "no",
        "Is a mango a fruit?": "yes",
        "Is a shoe a fruit?": "no",
        "Does a tractor have wheels?": "yes",
        "Does a pillow have wheels?": "no",
        "Is an axe used for cutting?": "yes",
        "Is a blanket used for cutting?": "no",
        "Does a flute make music?": "yes",
        "Does a carpet make music?": "no",
        "Does a shark live in water?": "yes",
        "Does a monkey live in water?": "no",
    }
    answers = query(LanguageKnowledge(), gallery, *facts)
    assert sum(a == b for a, b in zip(answers, facts.values(), strict=True)) >= 10
