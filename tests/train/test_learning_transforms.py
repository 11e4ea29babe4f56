"""Transforms that learn when the student is finished, in whole runs of a tiny student."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small_job import example, picture
from tiny_vlms import save

from workbench.boxes_in_text import NamedBox
from workbench.images import digest_of
from workbench.models.eyes import projector_of
from workbench.models.vlm import Vlm
from workbench.snapshot import write
from workbench.train.job import Job, Lora, write_job
from workbench.train.run import execute
from workbench.train.status_files import read_json

FACTS = "dog\tWhat does it cost?\t20\ncup\tWhat does it cost?\t5\nwhale\tWhat does it cost?\t90\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot about dogs and cups of two sources, and a student of the family llava."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("learning")
    pictures = {digest_of(path): path for path in (picture(root / "drawn", at) for at in range(8))}
    examples = [
        example(
            at,
            image,
            split="val" if at > 4 else "train",
            source="zoo" if at % 2 else "made",
            family="animals" if at % 2 else "count",
            kind="person" if at == 0 else "automatic",
            boxes=(NamedBox("Dog" if at % 2 else "cup", 1, 1, 5, 5, 0, 4),),
        )
        for at, image in enumerate(pictures)
    ]
    taken = write(root / "snapshots", examples, pictures, filter={"accepted": "automatic"})
    (root / "snapshot.txt").write_text(str(taken.path))
    (root / "facts.tsv").write_text(FACTS)
    save("llava", root / "student")
    return root


def run_with(folder: Path, name: str, transform: dict[str, Any], code: int = 0) -> Path:
    job = Job(
        snapshot=(folder / "snapshot.txt").read_text(),
        student=str(folder / "student"),
        lr=1e-2, batch=4, micro_batch=2, steps=1, precision="fp32", max_tokens=3,
        lora=Lora(r=2, alpha=4), transform=transform,
    )  # fmt: skip
    target = folder / name
    target.mkdir()
    write_job(job, target)
    assert execute(target) == code, read_json(target / "status.json")
    return target


def weights(place: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = Vlm.load(str(place), "cpu").model.state_dict()
    return state


def test_an_adapter_of_a_domain_is_added_in_and_told(folder: Path) -> None:
    plain = run_with(folder, "plain", {})
    settings = {"part": "domain_adapter", "domain": "zoo", "steps": 3, "rate": 0.05, "samples": 2}
    made = run_with(folder, "zoo", settings)
    told = read_json(made / "model" / "domain_adapter.json")
    assert (told["domain"], told["samples"]) == ("zoo", 2)
    assert told["lessons"] >= 2
    for side in ("before", "after"):
        assert (told[side]["domain"]["of"], told[side]["general"]["of"]) == (2, 1)
    thin = load_file(made / "model" / "domain_adapter.safetensors")
    assert sum(one.numel() for one in thin.values()) == told["parameters"]
    before, after = weights(plain / "model"), weights(made / "model")
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    for name in changed:
        layer = name.removesuffix(".weight")
        b, a = (thin[f"{layer}.{side}"] for side in ("b", "a"))
        torch.testing.assert_close(after[name], before[name] + b @ a, atol=1e-6, rtol=1e-5)


def test_a_domain_that_is_absent_is_told(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = run_with(folder, "nowhere", {"part": "domain_adapter", "domain": "sea"}, 2)
    assert not (made / "metrics.jsonl").exists(), "before anything was trained"
    assert (
        "no training example is of the domain 'sea'; there are: animals" in capfd.readouterr().err
    )


def test_facts_are_learnt_beside_a_student_that_stays_as_it_was(folder: Path) -> None:
    facts = {"part": "knowledge_prefix", "facts": str(folder / "facts.tsv"), "steps": 5}
    made = run_with(folder, "facts", {**facts, "rate": 0.1})
    told = read_json(made / "model" / "knowledge.json")
    assert told["facts"] == 2
    assert [one["thing"] for one in told["left_out"]] == ["whale"]
    assert told["pictures"] == 5
    assert told["before"]["learnt"]["of"] == told["after"]["learnt"]["of"] == 5
    assert told["after"]["held_out"]["of"] == 3
    plain = folder / "plain" / "model"
    if plain.exists():
        before, after = weights(plain), weights(made / "model")
        assert all(torch.equal(before[name], after[name]) for name in before)
    tensors = load_file(made / "model" / "knowledge_prefix.safetensors")
    assert tensors["values"].abs().sum() > 0
    # whoever loads the student sees through the memory
    model = Vlm.load(str(made / "model"), "cpu").model
    eyes = projector_of(model)
    view = torch.randn(1, 4, next(eyes.parameters()).shape[1])
    with torch.no_grad():
        through = eyes(view)
        bare = eyes.forward(view)
        asked = torch.nn.functional.layer_norm(bare, bare.shape[-1:]) @ tensors["query.weight"].T
        looked = (asked @ tensors["keys"].T).softmax(-1) @ tensors["values"]
    torch.testing.assert_close(through, bare + looked, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot be read as facts"),
        ("dog is 20\n", "line 1 of .* is no fact: expected thing, question and answer"),
        ("# nothing\n\n", "holds no fact"),
        ("whale\tWhat?\t9\n", "no training picture shows a thing of the 1 facts; .* cup, dog"),
    ],
)
def test_facts_that_cannot_be_learnt_are_told(
    folder: Path, text: str | None, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    name = f"facts {reason[:12]}"
    file = folder / f"{name}.tsv"
    if text is not None:
        file.write_text(text)
    run_with(folder, name, {"part": "knowledge_prefix", "facts": str(file)}, 2)
    assert re.search(reason, capfd.readouterr().err)
