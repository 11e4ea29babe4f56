"""The figures of a program writer, from programs whose worth is known."""

import json
from dataclasses import replace

import pytest

from workbench.making import measure_writer
from workbench.making.measure_writer import evenly, figures, hands_over, main, measure
from workbench.records import PartRef, Program, Task
from workbench.tasks.bundled import Collages

HEADER = "def execute_command(image):\n    patch = ImagePatch(image)\n"
LOOKS = HEADER + '    return formatting_answer(len(patch.find("{0}")))\n'
NAMED = HEADER + '    things = patch.find("{0}")\n    return formatting_answer(len(things))\n'
RENAMED = NAMED.replace("things", "others")
ASKS = HEADER + '    return formatting_answer(patch.visual_question_answering("How many?"))\n'
BROKEN = HEADER + "    return formatting_answer(\n"


class Canned:
    """Gives the same five programs to each question, about the question's own thing."""

    def warm(self):
        pass

    def sample(self, tasks, k, seed):
        for task in tasks:
            for index, text in enumerate((LOOKS, NAMED, RENAMED, ASKS, BROKEN)[:k]):
                source = text.replace("{0}", task.meta["form"]["a"])
                yield Program(
                    f"{task.id}/{index}", task.id, index, source, -0.1, 9, 0,
                    PartRef("sampler", "canned"), draws=1 + index,
                )  # fmt: skip


@pytest.fixture(scope="module")
def counts():
    tasks = [task for task in Collages().tasks("val") if task.family == "count"][:4]
    return [replace(task, image=task.meta["scene"]) for task in tasks]


def test_programs_are_tried_with_tools_that_are_always_right(counts):
    tries = [tried for _, tried in measure(Canned().sample(counts, 5, 0), counts, 5)]
    assert [[one.right for one in tried] for tried in tries] == [[1, 1, 1, 0, 0]] * 4
    assert [one.whole for one in tries[0]] == [False, False, False, True, False]
    assert [one.fails for one in tries[0]] == [False, False, False, False, True]
    assert figures(tries) == {
        "questions": 4, "first": 1.0, "likeliest": 1.0, "pass@1": 0.6, "pass@5": 1.0, "whole": 0.2, "fails": 0.2, "all whole": 0.0,
        "distinct": 4.0, "all equal": 0.0, "draws": 15.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        ('return formatting_answer(patch.visual_question_answering("How many dogs?"))', True),
        ('return formatting_answer(patch.best_text_match(["a", "b"]))', True),
        ('return formatting_answer(llm_query("How many?"))', True),
        ('return formatting_answer(patch.exists("dog"))', False),
        ('return formatting_answer(patch.find("dog")[0].visual_question_answering("?"))', False),
        (
            'for o in ["a"]:\n        if patch.visual_question_answering(o) == "yes":\n            return o',
            False,
        ),
        ('return formatting_answer("3")', False),
        ("return formatting_answer(", False),
    ],
)
def test_a_program_hands_the_question_over_where_it_only_asks(body, whole):
    assert hands_over(f"{HEADER}    {body}\n") is whole


def test_questions_are_taken_evenly_from_all_families():
    tasks = [Task(f"t/{n}", "s", "val", "", "?", family=f"f{n % 4}") for n in range(40)]
    taken = evenly(tasks, 8)
    assert [task.family for task in taken] == ["f0", "f0", "f1", "f1", "f2", "f2", "f3", "f3"]
    assert len(evenly(tasks, 100)) == 40


def test_the_command_prints_the_figures_of_all_families(counts, monkeypatch, capsys):
    monkeypatch.setattr(measure_writer, "TransformersSampler", lambda *_, **__: Canned())
    monkeypatch.setattr(measure_writer, "evenly", lambda tasks, number: counts[:number])
    main(["--questions", "2", "--k", "1"])
    table = json.loads(capsys.readouterr().out)
    assert table["all"] == table["all but knowledge"] == table["count"]
    assert table["count"]["questions"] == 2
    assert table["count"]["pass@1"] == 1.0
    assert table["processor seconds"] >= 0
