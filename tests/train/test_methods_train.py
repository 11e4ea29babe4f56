"""Every published loss and teacher in a whole run of a tiny student: it trains, and it answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from small_job import cut_off_at, job_folder
from tiny_vlms import save

from workbench import registry
from workbench.catalogue import recipes
from workbench.models.vlm import Vlm
from workbench.recipes.features import linear_layers
from workbench.train import run
from workbench.train.run import execute
from workbench.train.status_files import read_json, read_lines

CARDS = {one.card.name: one.card for one in recipes() if one.card.port in ("objective", "teacher")}
IN_OTHER_TESTS = ("aux_embed", "dual_head", "lelp", "switch_kd")
"""Methods whose runs stand in test_teaching.py."""
ARGUMENTS: dict[str, dict[str, Any]] = {
    "vl_align_topk": {"most": 8, "every": True},
    "prototype_kd": {"prototypes": 4, "rounds": 2},
}
TEACHERS: dict[str, tuple[dict[str, Any], str]] = {
    "analytic_teacher": ({}, "label anchor"),
    "continual_pair": ({"first": "TEACHER", "last": "STUDENT"}, "rationale anchor"),
    "ema_branch": ({"path": "TEACHER"}, "rationale anchor"),
    "label_privileged": ({"path": "TEACHER"}, "rationale anchor"),
    "routed_teachers": ({"paths": ["TEACHER", "STUDENT"]}, "label anchor"),
    "ta_residual": ({"path": "TEACHER", "via": "STUDENT"}, "rationale anchor"),
    "task_experts": ({"count": "TEACHER"}, "label anchor"),
}
"""The arguments of each teacher, and a term that it has to give."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tmp_path_factory.mktemp("methods")


def trained(folder: Path, name: str, family: str, **settings: Any) -> Path:
    """A run of two steps whose teacher is another model of the family."""
    place = folder / family
    place.mkdir(exist_ok=True)
    if not (place / "teacher").exists():
        save(family, place / "teacher", seed=1)
    paths = {"TEACHER": str(place / "teacher"), "STUDENT": str(place / "student")}

    def with_paths(value: Any) -> Any:
        if isinstance(value, list):
            return [with_paths(one) for one in value]
        if isinstance(value, dict):
            return {key: with_paths(one) for key, one in value.items()}
        return paths.get(value, value) if isinstance(value, str) else value

    made = job_folder(place, family, name=name, steps=2, **with_paths(settings))
    assert execute(made) == 0, read_json(made / "status.json")
    return made


def figures(folder: Path) -> list[dict[str, Any]]:
    return [row for row in read_lines(folder / "metrics.jsonl") if "loss" in row]


@pytest.mark.parametrize(
    "name", [name for name, card in CARDS.items() if card.port == "objective"
             and name not in IN_OTHER_TESTS
             and hasattr(registry.load("objective", name), "needs")],
)  # fmt: skip
def test_every_loss_trains_a_student_that_answers(folder: Path, name: str) -> None:
    part = registry.build("objective", name)
    arguments = dict(ARGUMENTS.get(name, {}))
    settings: dict[str, Any] = {"objective": name, "arguments": arguments}
    if name == "aspect_bce":
        arguments["tool"] = "TEACHER"
    elif "teacher" in CARDS[name].needs:
        settings["teacher"] = {"part": "checkpoint", "path": "TEACHER", "cache": True}
    # the pictures of these tests hold nothing that the embedded detector would see
    made = trained(folder, name, "llava" if "image" in part.needs else "region", **settings)
    rows = figures(made)
    for term in set(part.terms) - {"language"}:
        values = [row[key] for row in rows for key in row if key.endswith(f" {term}")]
        assert [value for value in values if value > 0], term
    assert read_json(made / "result.json")["objective"]["name"] == name
    assert Vlm.load(str(made / "model"), "cpu").model is not None
    if hasattr(part, "peer"):
        told = read_json(made / "model" / "peers.json")
        assert told["of"] == 2
        assert told["better"] == min(told["nats"], key=lambda one: told["nats"][one])
        first, second = (
            Vlm.load(str(made / one), "cpu").model.state_dict() for one in ("model", "peer")
        )
        assert any(not torch.equal(first[key], second[key]) for key in first)


def test_two_students_that_would_stay_alike_are_refused(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "region").mkdir(exist_ok=True)
    made = job_folder(
        folder / "region", "region", name="alike", objective="mutual_dml", method="full"
    )
    assert execute(made) == 2
    assert "would begin alike and stay alike" in capfd.readouterr().err


def test_two_students_go_on_where_they_were(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"objective": "mutual_dml", "eval_every": 1}
    whole = trained(folder, "whole", "region", **settings)
    broken = job_folder(folder / "region", "region", name="broken", steps=2, **settings)
    take = run.TrainingRun.step

    def cut_off(self: run.TrainingRun, step: int) -> Any:
        if step == 1:
            raise RuntimeError("killed here")
        return take(self, step)

    with monkeypatch.context() as patched:
        patched.setattr(run.TrainingRun, "step", cut_off)
        assert execute(broken) == 1
    assert execute(broken) == 0
    for one, other in zip(figures(whole), figures(broken), strict=True):
        for name in ("loss", "label peer", "label mutual"):
            assert other.get(name, 0) == pytest.approx(one.get(name, 0), rel=1e-5, abs=1e-9)


def test_formats_are_curves_of_their_own(folder: Path) -> None:
    made = trained(folder, "formats", "region", objective="multi_format_rationale")
    assert {"label", "rationale"} <= set().union(*figures(made))


def test_a_student_of_few_bits_is_finished_and_told(folder: Path) -> None:
    transform = {"part": "quant_bits", "bits": 3, "group": 8}
    made = trained(folder, "bits", "region", transform=transform)
    told = read_json(made / "model" / "quantised.json")
    packed = made / "model" / "quantised.safetensors"
    assert told["bytes_on_disk"] == packed.stat().st_size
    errors = [one["error"] for one in told["curve"]]
    assert errors == sorted(errors, reverse=True)
    model = Vlm.load(str(made / "model"), "cpu").model
    name, layer = next(iter(linear_layers(model)))
    with safe_open(packed, "pt") as stored:
        scales = stored.get_tensor(f"{name}.scales").float()
    rows = layer.weight.float()
    groups = torch.nn.functional.pad(rows, (0, -rows.shape[1] % 8)).reshape(-1, 8)
    assert (groups.abs().max(1).values <= 3.02 * scales).all()
    assert max(len(row.unique()) for row in groups) <= 7


@pytest.mark.parametrize("name", [name for name, card in CARDS.items() if card.port == "teacher"])
def test_every_teacher_teaches_a_student_that_answers(folder: Path, name: str) -> None:
    arguments, term = TEACHERS[name]
    made = trained(
        folder, name, "region", objective="anchor_kl", teacher={"part": name, **arguments}
    )
    assert [row[term] for row in figures(made) if row.get(term, 0) > 0]
    assert Vlm.load(str(made / "model"), "cpu").model is not None
    if name == "ema_branch":
        fused, before = (
            Vlm.load(str(place), "cpu").model.state_dict()
            for place in (made / "fused", folder / "region" / "teacher")
        )
        assert fused.keys() == before.keys()
        assert any(not torch.equal(fused[key], before[key]) for key in fused)
    if name == "routed_teachers":
        routes = read_json(made / "routes.json")
        assert len(routes["teachers"]) == 2
        assert sum(sum(one["lessons"].values()) for one in routes["teachers"]) >= 2 * 4


@pytest.mark.parametrize("name", ["ema_branch", "match_then_align", "masked_feature", "crop_bag"])
def test_what_changes_with_the_steps_goes_on_where_it_was(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = {"part": "ema_branch" if name == "ema_branch" else "checkpoint", "path": "TEACHER"}
    settings: dict[str, Any] = {
        "objective": "anchor_kl" if name == "ema_branch" else name,
        "eval_every": 1,
        **({"teacher": teacher} if name != "crop_bag" else {}),
    }
    family = "region" if name == "ema_branch" else "llava"
    whole = trained(folder, f"whole {name}", family, **settings)
    if "teacher" in settings:
        settings["teacher"] = {**teacher, "path": str(folder / family / "teacher")}
    broken = job_folder(folder / family, family, name=f"broken {name}", steps=2, **settings)
    with cut_off_at(1):
        assert execute(broken) == 1
    assert execute(broken) == 0
    for one, other in zip(figures(whole), figures(broken), strict=True):
        names = [key for key in one if key.startswith(("loss", "label", "rationale"))]
        assert len(names) > 2
        for key in names:
            assert other[key] == pytest.approx(one[key], rel=1e-5, abs=1e-9), key
    if name == "match_then_align":
        told = read_json(whole / "model" / "aligned.json")
        assert told["of"] == 2
        assert told["picture_to_sentence"]["among_5"] == 1


def test_an_expert_that_is_absent_is_told_in_words(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = job_folder(
        folder / "region",
        "region",
        name="nobody",
        objective="anchor_kl",
        teacher={"part": "continual_pair", "first": "./nowhere"},
    )
    assert execute(made) == 2
    assert "no model folder at" in capfd.readouterr().err
