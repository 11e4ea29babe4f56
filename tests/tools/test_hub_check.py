"""What a model takes is told before anything is downloaded, with the hub and without it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tiny_hub
from huggingface_hub import constants

from workbench.cli.model_check import main, models_of
from workbench.errors import InputError
from workbench.models.hub_catalogue import KNOWN
from workbench.models.hub_check import HubAnswer, ask_the_hub, check_model, memory_of
from workbench.settings import find_profile, read_profile


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(tiny_hub.llava(tmp_path_factory.mktemp("llava")))


def nobody(model: str) -> HubAnswer:
    return HubAnswer(problem="not asked")


@pytest.mark.parametrize(("name", "memory"), [("hub-8gb", 8), ("hub", 24), ("hub-80gb", 80)])
def test_the_profiles_of_the_hub_fit_their_cards_and_any_use(name: str, memory: int) -> None:
    models = models_of(read_profile(find_profile(name)))
    checks = [check_model(model, roles, nobody) for model, roles in models.items()]
    assert all(one.permissive and one.gated is False for one in checks)
    needs = memory_of(checks)
    assert needs is not None
    assert memory * 2**30 / 1e9 * 0.5 < needs <= memory * 2**30 / 1e9


def test_only_models_that_are_loaded_here_are_looked_at() -> None:
    assert models_of(read_profile(find_profile("endpoint"))) == {}
    assert set(models_of(read_profile(find_profile("embedded")))) == {"bundled", "distilled"}
    student = models_of(read_profile(find_profile("hub")))["Qwen/Qwen3-VL-2B-Instruct"]
    assert student[0] == "student"


def test_a_folder_is_whole_or_says_what_is_missing(tiny: Path, tmp_path: Path) -> None:
    whole = check_model(str(tiny), ("student",), nobody)
    assert (whole.complete, whole.advice, whole.download) == (True, "", 0.0)
    assert whole.size == (tiny / "model.safetensors").stat().st_size / 1e9
    copy = tmp_path / "copy"
    shutil.copytree(tiny, copy)
    (copy / "model.safetensors").unlink()
    (copy / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\nA card.")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    (copy / "model-1.safetensors").write_bytes(b"1234")
    part = check_model(str(copy), ("student",), nobody)
    assert [one.name for one in part.files if not one.present] == ["model-2.safetensors"]
    assert (part.complete, part.permissive, part.licence) == (False, False, "cc-by-nc-4.0")
    assert "put the missing files into" in part.advice
    assert memory_of([part]) is None, "a size is not known"


def test_the_cache_of_the_hub_is_looked_into(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    root = tmp_path / "models--someone--tiny"
    shutil.copytree(tiny, root / "snapshots" / "abc")
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text("abc")
    here = check_model("someone/tiny", ("student",), nobody)
    assert (here.complete, here.licence, here.permissive, here.gated) == (True, "", None, None)
    assert here.size == pytest.approx((tiny / "model.safetensors").stat().st_size / 1e9)

    def hub(model: str) -> HubAnswer:
        files = {"config.json": 9, "model.safetensors": 99, "extra.safetensors": 2_000_000_000}
        return HubAnswer({**files, "onnx/model.onnx": 5}, "gemma", True)

    more = check_model("someone/tiny", ("student",), hub)
    assert [(one.name, one.present) for one in more.files] == [
        ("config.json", True),
        ("extra.safetensors", False),
        ("model.safetensors", True),
    ]
    assert (more.download, more.gated, more.permissive) == (2.0, True, False)
    assert more.advice.startswith("accept its terms at https://huggingface.co/someone/tiny")


def test_the_command_tells_how_to_get_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    main(None, "hub", None, True, False)
    text = capsys.readouterr().out
    assert "Qwen/Qwen3-VL-2B-Instruct  (student, visual_question_answering" in text
    assert "licence   apache-2.0 (any use)" in text
    assert "--local-dir FOLDER on another machine" in text
    assert "8 GiB no, 24 GiB yes, 80 GiB yes" in text
    main(None, "hub", 8.0, True, True)
    values = json.loads(capsys.readouterr().out)
    assert values["fits"] == {"8": False}
    assert {one["model"] for one in values["models"]} <= set(KNOWN)
    with pytest.raises(InputError, match="--memory is the memory of a card"):
        main(None, "hub", 0.0, True, False)


def test_a_model_under_a_restricted_licence_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    text = find_profile("hub").read_text()
    path.write_text(text.replace("Qwen/Qwen3-VL-2B-Instruct", "Qwen/Qwen2.5-VL-3B-Instruct"))
    main(None, str(path), None, True, False)
    assert "qwen-research (RESTRICTED: read it before" in capsys.readouterr().out


def test_a_hub_that_is_out_of_reach_is_a_note() -> None:
    assert "not reached" in ask_the_hub("someone/tiny").problem
