"""Objectives and teachers in whole runs: resumed, divided among processes, refused in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from small_job import cut_off_at, job_folder, picture, run_in_two_processes
from tiny_vlms import make, save
from torch import Tensor

from workbench.errors import InputError, ProfileError
from workbench.images import ImageFolder
from workbench.models.second_head import MixedHead
from workbench.models.vlm import Vlm
from workbench.recipes.teaching import LANGUAGE, Classroom, Need, Outputs, Targets, Term, language
from workbench.records import Lesson, PartRef
from workbench.train.examples import Adapter
from workbench.train.forward import outputs_of
from workbench.train.job import job_of, read_job, write_job
from workbench.train.loss import StudentLoss, check_teacher
from workbench.train.plan import CrossEntropy, plan_of
from workbench.train.run import execute
from workbench.train.status_files import read_json, read_lines
from workbench.train.teachers import CheckpointTeacher, EnsembleTeacher, ProgramsTeacher, fit_words

LESSONS = [
    Lesson("label", "How many?", "2", example="a"),
    Lesson("rationale", "Why?", "There are 2 dogs. So, 2.", 0.5, example="a"),
    Lesson("label", "Is it red?", "yes", example="b"),
]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def figures(folder: Path) -> list[dict[str, Any]]:
    return [row for row in read_lines(folder / "metrics.jsonl") if "loss" in row]


def run_job(folder: Path, family: str, name: str, **settings: Any) -> Path:
    """Run a job whose teacher is another model of the same family."""
    teacher = folder / "teacher"
    if not teacher.exists():
        save(family, teacher, seed=1)
    if settings.pop("taught", True):
        settings["teacher"] = {"part": "checkpoint", "path": str(teacher), "cache": True}
    made = job_folder(folder, family, name=name, **settings)
    assert execute(made) == 0, read_json(made / "status.json")
    return made


def folder_of(root: Path, pictures: int = 2) -> tuple[ImageFolder, list[str]]:
    images = ImageFolder(root)
    return images, [images.add(picture(root / "drawn", at)) for at in range(pictures)]


def rows_of(names: list[str]) -> list[tuple[str, Lesson]]:
    return [(names[0], LESSONS[0]), (names[0], LESSONS[1]), (names[1], LESSONS[2])]


def room_of(adapter: Adapter, model: Any, images: ImageFolder, folder: Path) -> Classroom:
    return Classroom(
        images=images,
        vocabulary=adapter.tokenizer.get_vocab(),
        words=len(model.get_output_embeddings().weight),
        tokens=lambda image, prompt, answer: adapter.answer(adapter.prompt(prompt), answer),
        tasks={"a": "task a", "b": "task b"},
        device=torch.device("cpu"),
        folder=folder,
    )


# the ports


@pytest.mark.parametrize("family", ["region", "pointer", "smolvlm"])
@pytest.mark.parametrize("together", [False, True])
def test_the_plain_loss_is_what_it_was(tmp_path: Path, family: str, together: bool) -> None:
    """The loss of `vpd` and `instruct` from before there were objectives, in its own lines."""
    model, processor = make(family)
    images, names = folder_of(tmp_path)
    loss = StudentLoss(Adapter(processor), images, torch.device("cpu"))
    rows = rows_of(names)
    with torch.no_grad():
        share = loss(model, rows, examples=2, together=together)
        batch = loss.encode(rows, 0)
        logits = model(**batch.inputs).logits[:, :-1].float()
        by_hand = []
        for row in range(3):
            at = batch.targets[row, 1:] >= 0
            wanted = batch.targets[row, 1:][at]
            by_hand.append(torch.nn.functional.cross_entropy(logits[row][at], wanted))
    expected = (by_hand[0] + 0.5 * by_hand[1] + by_hand[2]) / 2
    assert float(share.share) == pytest.approx(float(expected), rel=1e-5)
    assert share.lessons.tolist() == pytest.approx([float(one) for one in by_hand], rel=1e-5)


def test_hidden_states_of_layers_stand_where_targets_are_written_from(tmp_path: Path) -> None:
    model, processor = make("region")
    adapter = Adapter(processor)
    batch = adapter.encode([(Image.new("RGB", (64, 64), "red"), LESSONS[0])])
    needs: frozenset[Need] = frozenset({"logits", "hidden", "image"})
    with torch.no_grad():
        outputs = outputs_of(model, batch, needs, (-1, 0), adapter.picture_token)
        again = model.get_output_embeddings()(outputs.states(-1))
    torch.testing.assert_close(again, outputs.logits)
    assert outputs.hidden[0].shape == (*batch.targets.shape, 16)
    assert int(outputs.image.sum()) == int(
        (batch.inputs["input_ids"] == adapter.picture_token).sum()
    )
    with pytest.raises(InputError, match=r"no layer 7; its layers are 0 .* to 1"):
        outputs_of(model, batch, needs, (7,))


class Halves:
    """A stranger's objective in a few lines: language, and half of it once more."""

    needs: frozenset[Need] = frozenset({"logits"})
    terms: Mapping[str, Term] = {LANGUAGE: Term(0.5), "again": Term(0.5)}
    layers: tuple[int, ...] = ()

    def __init__(self) -> None:
        self.ref = PartRef("objective", "halves")

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        return {name: language(student, targets) for name in self.terms}


def test_a_loss_of_ones_own_is_used_by_its_path_and_logged_by_its_terms(tmp_path: Path) -> None:
    plain = job_folder(tmp_path, "region", name="plain")
    own = job_folder(tmp_path, "region", name="own", objective=f"{Path(__file__)}:Halves")
    assert (execute(plain), execute(own)) == (0, 0)
    for one, other in zip(figures(plain), figures(own), strict=True):
        assert other["loss"] == pytest.approx(one["loss"], rel=1e-6)
        assert other["label again"] == pytest.approx(one["label"], rel=1e-6)


def test_the_objective_of_the_docs_trains(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "training.md").read_text()
    code = page.partition("```python\n# softened.py")[2].partition("```")[0]
    (tmp_path / "softened.py").write_text(code)
    part = f"{tmp_path / 'softened.py'}:Softened"
    folder = run_job(tmp_path, "region", "job", objective=part, arguments={"temperature": 3.0})
    assert all(row["label softened"] > 0 for row in figures(folder))


def test_a_job_writes_parts_in_one_way_and_keeps_its_key() -> None:
    short = job_of({"snapshot": "s", "objective": {"part": "switch_kd", "most": 8}, "teacher": "x"})
    assert (short.objective, short.arguments) == ("switch_kd", {"most": 8})
    assert short.teacher == {"part": "x"}
    assert job_of({"snapshot": "s", "teacher": ""}).key == job_of({"snapshot": "s"}).key
    assert short.key != job_of({"snapshot": "s", "objective": "switch_kd"}).key


def test_what_a_plan_cannot_be_is_told() -> None:
    def plan(**settings: Any) -> Any:
        return plan_of(job_of({"snapshot": "s", **settings}))

    both = plan(objective="switch_kd", curriculum="instruct", teacher={"part": "programs"})
    assert both.curriculum.ref.name == "instruct"
    with pytest.raises(ProfileError, match="asks its own questions; take the curriculum out"):
        plan(objective="vpd", curriculum="instruct")
    with pytest.raises(ProfileError, match="the table of the teacher names no part"):
        plan(teacher={"path": "x"})
    with pytest.raises(
        ProfileError, match="no teacher is called 'nobody'; registered are: analytic"
    ):
        plan(teacher="nobody")
    with pytest.raises(ProfileError, match="needs a teacher, and the job names none"):
        check_teacher(plan(objective="switch_kd").objective, None)
    with pytest.raises(ProfileError, match="'cross_entropy' asks no teacher"):
        check_teacher(CrossEntropy(), ProgramsTeacher())
    with pytest.raises(
        ProfileError, match=r"reads hidden of its teacher, and 'ensemble' gives log"
    ):
        check_teacher(plan(objective="lelp").objective, EnsembleTeacher(["x"]))


# teachers


def test_a_teacher_that_is_the_student_leaves_nothing_to_learn(tmp_path: Path) -> None:
    save("region", tmp_path / "model")
    images, names = folder_of(tmp_path / "pictures")
    model, processor = make("region")
    adapter = Adapter(processor)
    teacher = CheckpointTeacher(str(tmp_path / "model"))
    teacher.enter(room_of(adapter, model, images, tmp_path))
    objective = plan_of(job_of({"snapshot": "s", "objective": "switch_kd"})).objective
    loss = StudentLoss(adapter, images, torch.device("cpu"), objective, teacher)
    apart = loss(model, rows_of(names), 2)
    together = loss(model, rows_of(names), 2, together=True)
    for share in (apart, together):
        assert share.terms["dbild"].tolist() == pytest.approx([0, 0, 0], abs=1e-2)
    assert together.tokens < apart.tokens, "lessons share a row, and the teacher still finds them"
    assert float(together.share) == pytest.approx(float(apart.share), rel=1e-3)
    share = together.share
    share.backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is None for parameter in teacher.model.parameters())


def test_outputs_on_disk_are_those_that_were_computed(tmp_path: Path) -> None:
    save("region", tmp_path / "model")
    images, names = folder_of(tmp_path / "pictures")
    model, processor = make("region", seed=4)
    adapter = Adapter(processor)
    keeping = CheckpointTeacher(str(tmp_path / "model"), cache=True)
    keeping.enter(room_of(adapter, model, images, tmp_path / "jobs" / "one"))
    reader = StudentLoss(adapter, images, torch.device("cpu"))
    needs: frozenset[Need] = frozenset({"logits", "hidden", "image"})

    def ask(teacher: CheckpointTeacher, rows: list[tuple[str, Lesson]]) -> Outputs:
        targets = reader.targets(reader.encode(rows, 0), rows)
        with torch.no_grad():
            return teacher(targets, needs, (-1,))

    rows = rows_of(names)
    ask(keeping, rows[1:])  # the first one is new in the batch below, the others are kept
    mixed = ask(keeping, rows)
    plain = CheckpointTeacher(str(tmp_path / "model"))
    plain.enter(room_of(adapter, model, images, tmp_path / "jobs" / "one"))
    direct = ask(plain, rows)
    torch.testing.assert_close(mixed.logits, direct.logits, rtol=2e-2, atol=2e-2)
    torch.testing.assert_close(mixed.states(-1), direct.states(-1), rtol=2e-2, atol=2e-2)
    assert torch.equal(mixed.places, direct.places)
    assert torch.equal(mixed.mask, direct.mask)
    assert len(list((tmp_path / "jobs" / ".teachers").glob("*/*.safetensors"))) == 3


def test_an_ensemble_is_the_mean_of_its_members(tmp_path: Path) -> None:
    paths = [str(save("region", tmp_path / f"seed {seed}", seed)) for seed in (1, 2)]
    images, names = folder_of(tmp_path / "pictures")
    model, processor = make("region")
    adapter = Adapter(processor)
    room = room_of(adapter, model, images, tmp_path)
    reader = StudentLoss(adapter, images, torch.device("cpu"))
    targets = reader.targets(reader.encode(rows_of(names), 0), rows_of(names))

    def chances(teacher: Any) -> Tensor:
        teacher.enter(room)
        with torch.no_grad():
            outputs: Outputs = teacher(targets, frozenset({"logits"}), ())
        return outputs.logits.float().softmax(-1)

    one, two = (chances(CheckpointTeacher(path)) for path in paths)
    torch.testing.assert_close(chances(EnsembleTeacher(paths)), (one + two) / 2)
    torch.testing.assert_close(chances(EnsembleTeacher(paths[:1])), one)
    with pytest.raises(ProfileError, match="a list of one or more, found 'x'"):
        EnsembleTeacher("x")


def test_programs_say_the_next_word_as_often_as_they_go_on_so(tmp_path: Path) -> None:
    images, names = folder_of(tmp_path / "pictures")
    model, processor = make("region")
    adapter = Adapter(processor)
    answers = {"task a": {"2": 0.6, "21": 0.2, "3": 0.2}, "task of another": {"no": 1.0}}
    (tmp_path / "answers.json").write_text(json.dumps(answers))
    teacher = ProgramsTeacher("answers.json", smoothing=0.1)
    teacher.enter(room_of(adapter, model, images, tmp_path))
    reader = StudentLoss(adapter, images, torch.device("cpu"))
    targets = reader.targets(reader.encode(rows_of(names), 0), rows_of(names))
    outputs = teacher(targets, frozenset({"logits"}), ())
    assert outputs.speaks is not None
    own = (targets.owners == 0).nonzero().squeeze(1)
    assert outputs.speaks.tolist() == [at in own for at in range(len(targets.tokens))]
    words = outputs.logits.shape[1]
    two, end = (adapter.answer(adapter.prompt("How many?"), "2")[at] for at in (-2, -1))
    one = adapter.answer(adapter.prompt("How many?"), "21")[-2]
    begin, behind = outputs.logits[own[-2]].exp(), outputs.logits[own[-1]].exp()
    assert float(begin[two]) == pytest.approx(0.9 * 0.8 + 0.1 / words, abs=1e-6)
    assert float(behind[end]) == pytest.approx(0.9 * 0.75 + 0.1 / words, abs=1e-6)
    assert float(behind[one]) == pytest.approx(0.9 * 0.25 + 0.1 / words, abs=1e-6)
    assert float(begin.sum()) == pytest.approx(1, abs=1e-5)


def test_a_teacher_that_cannot_teach_is_refused_in_words(tmp_path: Path) -> None:
    images, _ = folder_of(tmp_path / "pictures")
    model, processor = make("region")
    room = room_of(Adapter(processor), model, images, tmp_path)
    save("smolvlm", tmp_path / "other")
    programs = plan_of(job_of({"snapshot": "s", "objective": "dual_head", "teacher": "programs"}))
    check_teacher(programs.objective, programs.teacher)  # hidden states are the student's alone
    with pytest.raises(InputError, match="has another vocabulary than the student"):
        CheckpointTeacher("other").enter(room)
    with pytest.raises(InputError, match="no model folder at"):
        CheckpointTeacher("./nowhere").enter(room)
    with pytest.raises(InputError, match="has no file of answers"):
        ProgramsTeacher().enter(room)
    (tmp_path / "broken.json").write_text("[1]")
    with pytest.raises(InputError, match="cannot be read as answers of programs"):
        ProgramsTeacher("broken.json").enter(room)
    (tmp_path / "strange.json").write_text('{"z": {"1": 1.0}}')
    with pytest.raises(InputError, match="no answer of a program to any of the 2"):
        ProgramsTeacher("strange.json").enter(room)


def test_rows_of_no_word_are_cut_off_or_filled() -> None:
    blank = torch.zeros(1, 1, dtype=torch.bool)
    places = torch.zeros(2, 2, dtype=torch.long)
    outputs = Outputs(torch.tensor([[1.0, -2.0, 3.0], [0.0, 4.0, 5.0]]), places, ~blank, blank)
    assert fit_words(outputs, 2).logits.tolist() == [[1, -2], [0, 4]]
    assert fit_words(outputs, 4).logits.tolist() == [[1, -2, 3, -2], [0, 4, 5, 0]]


# whole runs


@pytest.mark.parametrize(
    ("family", "method", "objective", "arguments", "term"),
    [
        ("region", "lora", "switch_kd", {"most": 8}, "label dbild"),
        ("pointer", "full", "switch_kd", {"most": 8}, "rationale dbild"),
        ("smolvlm", "lora", "switch_kd", {"visual": 1.0}, "label switch"),
        ("pointer", "full", "aux_embed", {"tool": "detector"}, "label contrast"),
        ("llava", "lora", "aux_embed", {"layers": [0, -1]}, "rationale distance"),
        ("region", "lora", "lelp", {"subclasses": 2}, "label subclasses"),
    ],
)
def test_every_method_trains_a_student_that_answers(
    tmp_path: Path, family: str, method: str, objective: str, arguments: Any, term: str
) -> None:
    taught = objective != "aux_embed"
    settings = {"objective": objective, "arguments": arguments, "method": method}
    folder = run_job(tmp_path, family, "job", taught=taught, **settings)
    rows = figures(folder)
    assert len(rows) == 4
    assert all(row[term] > 0 for row in rows if term in row)
    assert [row for row in rows if term in row]
    assert read_json(folder / "result.json")["objective"]["name"] == objective
    assert Vlm.load(str(folder / "model"), "cpu").model is not None


def test_a_run_with_layers_and_a_teacher_resumes_exactly_and_leaves_a_mixture(
    tmp_path: Path,
) -> None:
    settings = {"objective": "dual_head", "arguments": {"accepted": "all"}, "steps": 4}
    whole = run_job(tmp_path, "region", "whole", **settings)
    teacher = read_job(whole / "job.toml").teacher
    broken = job_folder(tmp_path, "region", name="broken", teacher=teacher, **settings)
    with cut_off_at(3):
        assert execute(broken) == 1
    assert execute(broken) == 0
    for one, other in zip(figures(whole), figures(broken), strict=True):
        assert other["loss"] == pytest.approx(one["loss"], rel=1e-5)
        assert other["label second"] == pytest.approx(one["label second"], rel=1e-5)
    mixture = read_json(whole / "model" / "second_head.json")
    assert mixture["of"] == 2
    assert mixture["right"] >= max(mixture["first_alone"], mixture["second_alone"])
    asked = Vlm.load(str(whole / "model"), "cpu")
    head = asked.model.get_output_embeddings()
    assert isinstance(head, MixedHead)
    states = torch.randn(3, 16)
    first = head.first(states.to(head.first.weight.dtype)).float().softmax(-1)
    second = (states @ head.second.float().T / head.temperature).softmax(-1)
    by_hand = head.share * first + (1 - head.share) * second
    spoken = head(states.to(head.first.weight.dtype)).exp()
    torch.testing.assert_close(spoken, by_hand, rtol=2e-2, atol=1e-3)


@pytest.mark.slow
def test_two_processes_with_layers_give_the_curve_of_one(tmp_path: Path) -> None:
    """Two processes without layers: `test_run.py`."""
    settings: dict[str, Any] = {"objective": "aux_embed", "batch": 5, "eval_every": 4}
    one, two = (job_folder(tmp_path, "region", name=name, **settings) for name in ("one", "two"))
    assert execute(one) == 0
    run_in_two_processes(two)
    for first, second in zip(figures(one), figures(two), strict=True):
        for name in ("loss", "label distance"):
            assert second[name] == pytest.approx(first[name], rel=1e-3)


def test_eyes_that_do_not_learn_refuse_the_switch(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    teacher = {"part": "checkpoint", "path": str(save("region", tmp_path / "teacher", 1))}
    folder = job_folder(
        tmp_path, "region", objective="switch_kd", arguments={"visual": 1.0}, teacher=teacher
    )
    assert execute(folder) == 2
    assert "the embedded students' detector is frozen; set visual = 0" in capfd.readouterr().err
    job = read_job(folder / "job.toml")
    write_job(replace(job, teacher={}, arguments={}), folder)
    assert execute(folder) == 2
    assert "needs a teacher, and the job names none" in capfd.readouterr().err


# training by reward


def test_a_run_by_reward_learns_from_its_own_judged_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A toy: an answer is right if its first letter has an even number."""
    from workbench.train import reward

    seen: list[str] = []

    def even(task: Any, text: str) -> Any:
        seen.append(text)
        return type("Judged", (), {"score": float(bool(text) and ord(text[0]) % 2 == 0)})()

    monkeypatch.setattr(reward, "score", even)
    policy = {"part": "kepo", "answers": 4, "distil": 0.0}
    settings = {"policy": policy, "steps": 6, "eval_every": 6, "method": "full", "lr": 3e-2}
    folder = run_job(tmp_path, "region", "job", **settings)
    rows = figures(folder)
    assert all(0 <= row["reward"] <= 1 for row in rows)
    assert 0 < sum(row["reward"] for row in rows) < len(rows)
    assert {"answer", "reward", "hints"} <= set(rows[0])
    assert len(seen) >= 6 * 4
    assert read_json(folder / "result.json")["objective"]["name"] == "kepo"


def test_a_question_without_a_right_answer_is_asked_again_with_a_hint(tmp_path: Path) -> None:
    from small_job import example

    from workbench.recipes.policy.kepo import ANSWER, Kepo
    from workbench.train.reward import HINT, Rollouts

    model, processor = make("region")
    images, names = folder_of(tmp_path)
    policy = Kepo(answers=2, hinted=1, tries=1)
    loss = StudentLoss(Adapter(processor), images, torch.device("cpu"))
    asks = Rollouts(model, loss, policy, lambda _: [LESSONS[0]], 3)
    prompts: list[str] = []

    def answer(regions: Any, texts: list[str], *_: Any) -> list[str]:
        prompts.extend(texts)
        return ["0" if text.startswith(HINT) else "9" for text in texts]

    asks._vlm.sample = answer  # type: ignore[method-assign, assignment]
    one = example(0, names[0])
    (lessons,) = asks([one])
    assert sum(text.startswith(HINT) for text in prompts) == 2
    assert sorted(lesson.target for lesson in lessons if lesson.name == ANSWER) == ["0", "9"]
    assert {lesson.prompt for lesson in lessons} == {LESSONS[0].prompt}, "no hint is stored"
    assert (asks.rewards, asks.hints) == ([0, 0], [1])
    prompts.clear()
    asks([replace(one, answer="9", answers=("9",))])
    assert not [text for text in prompts if text.startswith(HINT)]
    asks([replace(one, rationale=None)])
    assert asks.hints == [0], "without a rationale there is nothing to hint at"
