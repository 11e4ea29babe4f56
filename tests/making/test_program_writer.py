"""What the writer learns from, and that its loop saves an adapter that the sampler loads."""

import json
import os

import numpy as np
import pytest
import torch
from tiny_language import save_tiny_language

from workbench.api import STANDARD
from workbench.making import program_writer
from workbench.making.program_writer import (
    USUAL,
    WriterRecipe,
    WriterTraining,
    api_text,
    examples,
    token_lessons,
    tool_list,
)
from workbench.models import language
from workbench.records import Task
from workbench.sample.local import TransformersSampler
from workbench.sample.prompt import HEADER


def test_a_row_is_the_same_whenever_it_is_made():
    assert examples("train", 3, WriterRecipe()) == examples("train", 3, WriterRecipe())
    assert examples("train", 3, WriterRecipe()) != examples("val", 3, WriterRecipe())


def test_programs_call_only_tools_of_their_row():
    for number in range(40):
        tools, pairs = examples("train", number, WriterRecipe())
        for question, body in pairs:
            compile(HEADER + body, "program", "exec")
            assert question.endswith(HEADER)
            assert not [name for name in STANDARD if name not in tools and f"{name}(" in body]


def test_tool_lists_vary_and_each_can_answer():
    rng = np.random.default_rng(0)
    lists = [tuple(tool_list(rng)) for _ in range(100)]
    assert len(set(lists)) > 20
    assert lists.count(USUAL) > 30
    for tools in lists:
        assert "find" in tools or "visual_question_answering" in tools
        assert api_text(tools).count("\n") == len(tools) + 2


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    folder = os.fspath(save_tiny_language(tmp_path / "tiny"))
    monkeypatch.setattr(program_writer, "language_path", lambda model: folder)
    for module in (program_writer, language):
        monkeypatch.setattr(module, "preferred_dtype", lambda device: torch.float32)
    return folder


def test_a_packed_row_costs_what_its_pairs_cost_one_by_one(tiny, tmp_path):
    recipe = WriterRecipe(rows=1, questions=3)
    trainer = WriterTraining(recipe, tmp_path)
    tools, pairs = examples("train", 0, recipe)
    total, count = 0.0, 0
    trainer.model.requires_grad_(False)
    for lesson in token_lessons(trainer.tokenizer, tools, pairs, trainer.end):
        ids = torch.tensor([[*lesson.prompt, *lesson.target]])
        logp = trainer.model(input_ids=ids).logits[0].log_softmax(-1)
        at = len(lesson.prompt)
        total -= sum(float(logp[at - 1 + i, token]) for i, token in enumerate(lesson.target))
        count += len(lesson.target)
    assert float(trainer.loss("train", 0)) == pytest.approx(total / count, rel=1e-4)


def test_training_lowers_the_loss_and_the_sampler_loads_what_it_saves(tiny, tmp_path):
    out = tmp_path / "writer"
    out.mkdir()
    WriterTraining(WriterRecipe(rows=12, questions=2, rate=5e-3, warmup=1, rank=4), out).run(
        every=2
    )
    made = json.loads((out / "training.json").read_text())
    losses = [row["loss"] for row in made["history"]]
    assert losses[-1] < losses[0]
    assert (
        json.loads((out / "adapter_config.json").read_text())["base_model_name_or_path"]
        == program_writer.BASE
    )
    task = Task("t/0", "test", "test", "0" * 64, "Is there a dog?")
    sampler = TransformersSampler([STANDARD["find"]], tiny, adapter=os.fspath(out), max_tokens=8)
    plain = TransformersSampler([STANDARD["find"]], tiny, adapter="none", max_tokens=8)
    assert (
        next(iter(sampler.sample([task], 1, 0))).score
        != next(iter(plain.sample([task], 1, 0))).score
    )


def test_training_goes_on_from_an_adapter(tiny, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    WriterTraining(WriterRecipe(rows=4, questions=2, rate=5e-3, warmup=1), first).run()
    before = WriterTraining(WriterRecipe(rows=2, questions=2), second)
    after = WriterTraining(WriterRecipe(rows=2, questions=2, start=os.fspath(first)), second)
    assert float(after.loss("train", 0)) < float(before.loss("train", 0))
    after.run()
    assert json.loads((second / "training.json").read_text())["recipe"]["start"] == "first"
