"""The small student's classifiers: which words of a question name what."""

import pytest
import torch

from workbench.making import small_classifiers
from workbench.making.base_student import NAMES
from workbench.making.small_classifiers import train_words
from workbench.models.pointer_vlm import Matching
from workbench.models.text_tower import text_tower


class _Student:
    def __init__(self, width: int) -> None:
        self.matching = Matching(len(NAMES), width, 8, 12)


def test_words_name_things_in_questions_of_another_form(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {name: small_classifiers.CATEGORIES[name] for name in ("bear", "bird", "banana")}
    monkeypatch.setattr(small_classifiers, "CATEGORIES", few)
    monkeypatch.setattr(small_classifiers, "KINDS", ("animal",))
    torch.manual_seed(0)
    read = text_tower("bundled", 4)
    student = _Student(read.width)
    assert train_words(student, read, epochs=60) > 0.9
    last = student.matching.word_shares(torch.from_numpy(read("Show the animals"))[-1])
    assert {NAMES[n] for n in (last > 0.5).nonzero().flatten().tolist()} == {"bear", "bird"}
