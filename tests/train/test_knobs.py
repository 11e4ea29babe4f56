"""Settings of a job that decide what the student sees, and who hears of the figures."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from small_job import job_folder
from tiny_vlms import FAMILIES, make, save
from transformers import AutoConfig, AutoModelForImageTextToText, MllamaConfig

from app.train_form import form
from workbench.errors import InputError, MissingPart
from workbench.models.picture_budget import PictureBudget
from workbench.models.student import TransformersStudent
from workbench.models.vlm import TEMPLATE, Vlm
from workbench.records import Lesson
from workbench.train.examples import Adapter
from workbench.train.job import Job, read_job
from workbench.train.load import adapter_of, check_family, load_student
from workbench.train.model_card import _pictures
from workbench.train.run import execute
from workbench.train.schedule import evaluation_plan
from workbench.train.status_files import METRICS, STATUS, read_json, read_lines
from workbench.train.trackers import TRACKERS, Tracker

PHOTO = Image.new("RGB", (160, 120), (10, 120, 40))


def positions(adapter: Adapter) -> int:
    batch = adapter.encode([(PHOTO, Lesson("label", "Is it red?", "no"))])
    mark = adapter.processor.image_token_id
    return int((batch.inputs["input_ids"] == mark).sum())


@pytest.mark.parametrize("family", ["smolvlm", "idefics3", "smolvlm2"])
def test_without_tiles_a_picture_is_seen_once(family: str) -> None:
    _, processor = make(family)
    processor.image_processor.do_image_splitting = True
    processor.image_processor.size = {"longest_edge": 64}
    many = positions(Adapter(processor))
    PictureBudget(tiles=False).apply(processor)
    assert positions(Adapter(processor)) < many


@pytest.mark.parametrize("family", ["qwen2_vl", "qwen25_vl", "qwen3_vl"])
def test_soft_tokens_bound_the_positions_of_a_picture(family: str) -> None:
    _, processor = make(family)
    assert positions(Adapter(processor)) > 1
    PictureBudget(soft_tokens=1).apply(processor)
    assert positions(Adapter(processor)) == 1


def test_a_family_with_one_size_of_picture_has_no_such_setting() -> None:
    _, processor = make("llava")
    with pytest.raises(InputError, match=r"always take as many positions \(CLIPImageProcessor"):
        PictureBudget(soft_tokens=3).apply(processor)


def test_other_families_names_are_known() -> None:
    pictures = SimpleNamespace(
        max_soft_tokens=280, crop_to_patches=True, image_grid_pinpoints=[[336, 672], [672, 336]]
    )
    processor = SimpleNamespace(image_processor=pictures)
    PictureBudget(tiles=False, soft_tokens=70).apply(processor)
    assert pictures == SimpleNamespace(
        max_soft_tokens=70, crop_to_patches=False, image_grid_pinpoints=[[336, 336]]
    )


def tiled_student(folder: Path) -> Path:
    """A student whose processor cuts pictures into tiles."""
    model, processor = make("smolvlm")
    processor.image_processor.do_image_splitting = True
    processor.image_processor.size = {"longest_edge": 64}
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def test_a_budget_is_trained_with_saved_and_asked_with(tmp_path: Path) -> None:
    """The finished model's own files say it, so that evaluation and pages need no word of it."""
    tiled_student(tmp_path / "student")
    folder = job_folder(tmp_path, steps=1, eval_every=1, max_val=1, tiles=False, max_pixels=900)
    assert execute(folder) == 0
    vlm = Vlm.load(str(folder / "model"), "cpu")
    assert vlm.processor.image_processor.do_image_splitting is False
    assert vlm.conversation.max_pixels == 900
    card = (folder / "model" / "README.md").read_text()
    assert "Pictures: at most 900 pixels, one tile; chat template: " in card
    assert "enable_thinking = False" in card


def test_a_profile_bounds_pictures_and_its_students_reference_says_so(tmp_path: Path) -> None:
    path = str(tiled_student(tmp_path / "student"))
    plain = TransformersStudent(path, device="cpu")
    bound = TransformersStudent(path, device="cpu", max_pixels=900, tiles=False)
    assert dict(bound.ref.arguments) == {
        **plain.ref.arguments,
        "max_pixels": 900,
        "tiles": False,
    }
    assert bound._vlm.conversation.max_pixels == 900
    assert plain._vlm is not bound._vlm
    pictures = [one._vlm.processor.image_processor for one in (plain, bound)]
    assert [one.do_image_splitting for one in pictures] == [True, False]


SWITCH = "{% if enable_thinking is defined and enable_thinking %}<think>{% endif %}"


def test_a_template_option_reaches_training_and_the_model(tmp_path: Path) -> None:
    folder = job_folder(tmp_path, template={"enable_thinking": True})
    student = tmp_path / "student"
    (student / "chat_template.jinja").write_text(
        (student / "chat_template.jinja")
        .read_text()
        .replace("{{ 'Assistant:' }}", "{{ 'Assistant:' }}" + SWITCH)
    )
    job = read_job(folder / "job.toml")
    assert adapter_of(job)[1].prompt("Is it?").endswith("Assistant:")  # nobody says the thought
    model = load_student(job).model
    assert getattr(model.config, TEMPLATE) == {"enable_thinking": True}
    plain = adapter_of(replace(job, template={}))[1]
    assert plain._options == {"enable_thinking": False}


def test_a_template_option_that_the_template_does_not_know_is_refused(tmp_path: Path) -> None:
    folder = job_folder(tmp_path, template={"enable_thinkin": True})
    with pytest.raises(InputError, match="chat template knows no enable_thinkin;"):
        adapter_of(read_job(folder / "job.toml"))


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "smolvlm2"])
def test_the_families_of_the_workbench_are_taken(family: str, tmp_path: Path) -> None:
    save(family, tmp_path)
    check_family("mine", str(tmp_path))


def test_a_family_with_cross_attention_is_refused_by_name(tmp_path: Path) -> None:
    MllamaConfig().save_pretrained(tmp_path)
    with pytest.raises(InputError, match="'mine' is of the family mllama, which looks at pictures"):
        check_family("mine", str(tmp_path))


def test_a_family_that_gives_all_logits_is_refused_by_name(tmp_path: Path) -> None:
    config = next(
        kind
        for kind in AutoModelForImageTextToText._model_mapping
        if kind.model_type == "minicpmv4_6"
    )
    config().save_pretrained(tmp_path)
    assert AutoConfig.from_pretrained(tmp_path).model_type == "minicpmv4_6"
    with pytest.raises(InputError, match="minicpmv4_6, which gives logits at every position"):
        check_family("mine", str(tmp_path))


@pytest.mark.parametrize(
    ("device", "total", "plan"),
    [
        ("cuda", 900, (50, 200)),
        ("cpu", 100, (50, 64)),
        ("cpu", 600, (120, 64)),
        ("cpu", 9999, (200, 64)),
    ],
)
def test_a_processor_evaluates_less(device: str, total: int, plan: tuple[int, int]) -> None:
    assert evaluation_plan(Job("s"), total, device) == plan
    assert evaluation_plan(Job("s", eval_every=7, max_val=9), total, device) == (7, 9)


def test_the_card_says_what_was_left_as_it_was() -> None:
    assert _pictures(Job("s", max_pixels=0, tiles=False)).startswith(
        "Pictures: any number of pixels, one tile; chat template: enable_thinking = False."
    )


def test_the_form_shows_the_budget() -> None:
    fields = {field.key: field.kind for field in form()}
    assert (fields["tiles"], fields["soft_tokens"], fields["trackers"]) == ("yes", "whole", "names")
    assert "template" not in fields


class Recorded:
    """A package that keeps what it gets."""

    def __init__(self, fails: bool = False) -> None:
        self.calls: list[tuple[str, Any]] = []
        self._fails = fails

    def init(self, **arguments: Any) -> None:
        self.calls.append(("init", arguments))

    def log(self, figures: dict[str, Any], step: int) -> None:
        if self._fails:
            raise RuntimeError("no network")
        self.calls.append(("log", (step, figures)))

    def finish(self) -> None:
        self.calls.append(("finish", None))


def test_trackers_get_each_figure_that_the_job_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {name: Recorded(fails=name == "wandb") for name in TRACKERS}
    for name, place in places.items():
        monkeypatch.setitem(sys.modules, name, place)
    folder = job_folder(tmp_path, steps=2, eval_every=2, max_val=1, trackers=("trackio", "wandb"))
    assert execute(folder) == 0
    [(_, settings), *figures, last] = places["trackio"].calls
    assert settings["project"] == "vpd"
    assert settings["config"]["steps"] == 2
    assert last == ("finish", None)
    kept = read_lines(folder / METRICS)
    assert [step for _, (step, _) in figures] == [row["step"] for row in kept]
    assert [row["loss"] for _, (_, row) in figures if "loss" in row] == [
        row["loss"] for row in kept if "loss" in row
    ]
    assert [name for name, _ in places["wandb"].calls] == ["init"], "a failure ends it, not the run"
    json.dumps(settings)


@pytest.mark.parametrize(("name", "error"), [("mlflow", InputError), ("trackio", MissingPart)])
def test_a_tracker_that_is_absent_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: type[Exception]
) -> None:
    monkeypatch.setitem(sys.modules, "trackio", None)
    with pytest.raises(error, match=r"trackers take: trackio, wandb|pip install trackio"):
        Tracker(name, Job("s"), tmp_path)
    folder = job_folder(tmp_path, trackers=(name,))
    assert execute(folder) != 0
    assert name in str(read_json(folder / STATUS)["failure"]["text"])
