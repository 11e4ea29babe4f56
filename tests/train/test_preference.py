"""DPO and KTO against the published formulas, and a tiny student that learns from pairs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from small_job import picture, snapshot
from tiny_vlms import save

from workbench import registry
from workbench.cli.train import _take_method
from workbench.errors import InputError, ProfileError, SnapshotError
from workbench.images import digest_of
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX
from workbench.recipes.teaching import Objective, Outputs, Targets
from workbench.records import Lesson
from workbench.snapshot import Pair, Snapshot, write
from workbench.train.job import Job, Lora, write_job
from workbench.train.plan import BringsRows, plan_of
from workbench.train.preference import CHOSEN, ELSEWHERE, REJECTED, Dpo, Kto, Pairs
from workbench.train.run import execute
from workbench.train.status_files import METRICS, RESULT, read_json, read_lines
from workbench.train.teachers import CheckpointTeacher

BETA = 0.3
WORDS = 5


def outputs(rows: list[list[float]]) -> Outputs:
    """Logits of one model for as many target tokens."""
    count = len(rows)
    places = torch.stack([torch.arange(count), torch.zeros(count, dtype=torch.long)], 1)
    blank = torch.zeros(count, 1, dtype=torch.bool)
    return Outputs(torch.tensor(rows, requires_grad=True), places, ~blank, blank)


def case(names: list[str], lengths: list[int]) -> tuple[Outputs, Outputs, Targets, list[float]]:
    """Two models' outputs for lessons, and by hand how much more the first likes each text."""
    dice = torch.Generator().manual_seed(len(names) + sum(lengths))
    owners = [number for number, length in enumerate(lengths) for _ in range(length)]
    tokens = torch.randint(WORDS, (len(owners),), generator=dice).tolist()
    student, reference = (
        (torch.randn(len(owners), WORDS, generator=dice) * 2).tolist() for _ in range(2)
    )
    ratios = [0.0] * len(names)
    for owner, token, new, old in zip(owners, tokens, student, reference, strict=True):
        for sign, row in ((1, new), (-1, old)):
            total = sum(math.exp(value) for value in row)
            ratios[owner] += sign * math.log(math.exp(row[token]) / total)
    targets = Targets(
        torch.tensor(tokens),
        torch.tensor(owners),
        [Lesson(name, "Why?", "text") for name in names],
        ["p"] * len(names),
        torch.zeros(len(names), dtype=torch.bool),
    )
    return outputs(student), outputs(reference), targets, ratios


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_dpo_is_the_published_loss() -> None:
    names = [CHOSEN, REJECTED, "label", CHOSEN, REJECTED]
    student, reference, targets, ratios = case(names, [3, 2, 1, 4, 2])
    terms = Dpo(BETA)(student, reference, targets)
    expected = [-math.log(sigmoid(BETA * (ratios[a] - ratios[b]))) for a, b in ((0, 1), (3, 4))]
    loss = terms["preference"]
    assert loss.tolist() == pytest.approx(
        [expected[0] / 2, expected[0] / 2, 0.0, expected[1] / 2, expected[1] / 2], abs=1e-5
    )
    assert terms["reward"].tolist() == pytest.approx([BETA * r for r in ratios], abs=1e-5)
    margins = [BETA * (ratios[a] - ratios[b]) for a, b in ((0, 1), (3, 4))]
    assert terms["margin"].tolist() == pytest.approx([margins[0], 0, 0, margins[1], 0], abs=1e-5)
    loss.sum().backward()
    # the label's token is none of its business
    gradient = student.logits.grad
    assert gradient is not None
    assert gradient[5].abs().max() == 0
    assert gradient[:5].abs().min() > 0


def test_kto_is_the_published_loss() -> None:
    names = [CHOSEN, REJECTED, ELSEWHERE, CHOSEN, REJECTED, ELSEWHERE]
    student, reference, targets, ratios = case(names, [3, 2, 2, 1, 2, 3])
    terms = Kto(BETA, good=1.5, bad=0.5)(student, reference, targets)
    point = max(0.0, (ratios[2] + ratios[5]) / 2)
    expected = [
        1.5 * (1 - sigmoid(BETA * (ratio - point)))
        if name == CHOSEN
        else 0.5 * (1 - sigmoid(BETA * (point - ratio)))
        if name == REJECTED
        else 0.0
        for name, ratio in zip(names, ratios, strict=True)
    ]
    assert terms["preference"].tolist() == pytest.approx(expected, abs=1e-5)
    terms["preference"].sum().backward()
    gradient = student.logits.grad
    assert gradient is not None
    elsewhere = (targets.owners == 2) | (targets.owners == 5)
    assert gradient[elsewhere].abs().max() == 0  # the point has no gradient
    assert gradient[~elsewhere].abs().max() > 0


def test_a_student_that_is_its_reference_pays_what_chance_pays() -> None:
    student, _, targets, _ = case([CHOSEN, REJECTED, ELSEWHERE], [2, 2, 2])
    terms = Dpo(BETA)(student, student, targets)
    assert float(terms["preference"].sum().detach()) == pytest.approx(math.log(2))
    assert Kto(BETA)(student, student, targets)["preference"].tolist() == [0.5, 0.5, 0.0]
    alone, reference, labels, _ = case(["label"], [2])
    assert float(Dpo(BETA)(alone, reference, labels)["preference"].sum().detach()) == 0
    assert float(Kto(BETA)(alone, reference, labels)["preference"].sum().detach()) == 0


@pytest.mark.parametrize("value", [0, -1, True, "much", float("nan")])
def test_a_strange_setting_is_told(value: Any) -> None:
    with pytest.raises(ProfileError, match="beta must be a number above 0"):
        Dpo(beta=value)
    with pytest.raises(ProfileError, match="good must be a number above 0"):
        Kto(good=value)


def pair(number: int, image: str, **changes: Any) -> Pair:
    return Pair(
        **{
            "task_id": f"made/{number:04d}",
            "source": "made",
            "task_split": "train",
            "split": "train",
            "family": "count",
            "question": f"How many of kind {number}?",
            "choices": (),
            "answer": "1",
            "image": image,
            "width": 48,
            "height": 48,
            "kind": "rationale",
            "prompt": "",
            "chosen": f"There is one thing of kind {number}. So, 1.",
            "rejected": "Nothing is here.",
            "origin": "verdict",
            "why": "the label's answer; against: another answer",
            "chosen_id": f"r{number}",
            "rejected_id": f"s{number}",
            "chosen_trace": None,
            "rejected_trace": None,
            "reviewers": (),
            **changes,
        }
    )


def paired(folder: Path, **changes: Any) -> Snapshot:
    """Seven questions, two of them held out, each with a pair."""
    plain = snapshot(folder)
    files = {digest_of(path): path for path in (picture(folder / "drawn", at) for at in range(7))}
    pairs = [
        pair(int(one.task_id[-4:]), one.image, split=one.split, **changes)
        for one in plain.examples()
    ]
    return write(folder / "snapshots", plain.examples(), files, filter={"pairs": 1}, pairs=pairs)


def test_the_curriculum_asks_about_pairs_and_of_held_out_questions_the_label_first(
    tmp_path: Path,
) -> None:
    taken = paired(tmp_path)
    curriculum = Pairs(unrelated=True)
    assert isinstance(curriculum, BringsRows)
    rows = curriculum.rows(taken)
    assert len(rows) == 5
    chosen, rejected, elsewhere = curriculum.lessons(rows[0])
    assert (chosen.name, rejected.name, elsewhere.name) == (CHOSEN, REJECTED, ELSEWHERE)
    assert chosen.prompt == rows[0].question + RATIONALE_SUFFIX
    assert (chosen.target, rejected.target) == (rows[0].chosen, rows[0].rejected)
    assert elsewhere.target == rows[1].chosen
    assert elsewhere.weight == 0
    (val, _) = taken.examples("val")
    label, *others = curriculum.lessons(val)
    assert (label.prompt, label.target) == (val.question + LABEL_SUFFIX, val.answer)
    assert [one.name for one in others] == [CHOSEN, REJECTED, ELSEWHERE]
    assert [one.name for one in Pairs().lessons(rows[0])] == [CHOSEN, REJECTED]


def test_a_snapshot_without_pairs_of_rationales_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=r"has no preference pair.*vpd snapshot --pairs"):
        Pairs().rows(snapshot(tmp_path))
    programs = paired(tmp_path, kind="program", prompt="Write it.\n")
    with pytest.raises(SnapshotError, match=r"7 pairs in all; those of programs teach a program"):
        Pairs().rows(programs)


@pytest.mark.parametrize(("name", "first"), [("Dpo", math.log(2)), ("Kto", 1.0)])
def test_a_student_learns_to_prefer(tmp_path: Path, name: str, first: float) -> None:
    taken = paired(tmp_path)
    student = tmp_path / "student"
    save("smolvlm", student)
    unrelated = {"unrelated": True} if name == "Kto" else {}
    job = Job(
        snapshot=str(taken.path),
        student=str(student),
        objective=f"workbench.train.preference:{name}",
        curriculum={"part": "workbench.train.preference:Pairs", **unrelated},
        teacher={"part": "workbench.train.teachers:CheckpointTeacher", "path": str(student)},
        lr=1e-2,
        batch=5,
        micro_batch=5,
        steps=8,
        eval_every=4,
        precision="fp32",
        max_tokens=3,
        lora=Lora(r=2, alpha=4),
    )
    folder = tmp_path / "job"
    folder.mkdir()
    write_job(job, folder)
    assert execute(folder) == 0
    rows = [row for row in read_lines(folder / METRICS) if "loss" in row]
    assert rows[0]["loss"] == pytest.approx(first, abs=1e-4)
    assert rows[-1]["loss"] < 0.9 * first
    ahead = rows[-1]["chosen reward"] - rows[-1]["rejected reward"]
    assert ahead > 0
    assert "chosen reward" not in rows[0]  # exactly none before the first step
    if name == "Dpo":
        assert rows[-1]["chosen margin"] == pytest.approx(ahead, abs=1e-6)
    evaluations = [row["eval_loss"] for row in read_lines(folder / METRICS) if "eval_loss" in row]
    assert evaluations[0] == pytest.approx(first, abs=1e-4)
    assert evaluations[-1] < evaluations[0]
    result = read_json(folder / RESULT)
    assert result["rows"] == 5
    assert result["of"] == 2
    assert (folder / "model" / "config.json").is_file()
    assert json.loads((folder / "result.json").read_text())["objective"]["name"] == name.lower()


def test_both_are_objectives_of_the_house() -> None:
    for part in (Dpo(), Kto()):
        assert isinstance(part, Objective)
        assert part.terms["preference"].weight == 1.0


def test_the_method_makes_a_job_of_it() -> None:
    table: dict[str, Any] = {"student": "bundled"}
    _take_method(table, "kto", None)
    assert table == {"student": "bundled", "objective": "kto"}
    weights: dict[str, Any] = {"student": "bundled"}
    _take_method(weights, "full", "instruct")
    assert weights == {"student": "bundled", "method": "full"}
    with pytest.raises(InputError, match="--method must be one of dpo, kto, lora, qlora, full"):
        _take_method({"student": "bundled"}, "ppo", None)
    with pytest.raises(InputError, match="leave out --objective instruct"):
        _take_method({"student": "bundled"}, "dpo", "instruct")


def test_the_reference_and_the_pairs_follow_from_the_objective(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built: list[tuple[str, str, dict[str, Any]]] = []

    def build(role: str, name: str, **arguments: Any) -> Any:
        built.append((role, name, arguments))
        return {"kto": Kto, "pairs": Pairs, "checkpoint": CheckpointTeacher}[name](**arguments)

    monkeypatch.setattr(registry, "build", build)
    plan = plan_of(Job(snapshot="s", student="small", objective="kto", arguments={"beta": 0.2}))
    assert plan.ref.arguments["beta"] == 0.2
    assert built[1:] == [
        ("curriculum", "pairs", {"unrelated": True}),
        ("teacher", "checkpoint", {"path": "small"}),
    ]
