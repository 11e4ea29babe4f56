"""What is wrong with a checkpoint is told before its weights are read."""

import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, LlamaConfig, LlamaForCausalLM

from workbench.errors import InputError, MissingPart
from workbench.models import checkpoint
from workbench.models.checkpoint import hub_install, load_processor
from workbench.models.student import TransformersStudent
from workbench.models.vlm import Vlm

sys.path.insert(0, str(Path(__file__).parent.parent / "train"))
from tiny_vlms import make, save, tokenizer_of


def test_a_model_without_pictures_is_told(tmp_path: Path) -> None:
    tokenizer = tokenizer_of(eos="</s>")
    tokenizer.save_pretrained(tmp_path)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
    )
    LlamaForCausalLM(config).save_pretrained(tmp_path)
    for load in (load_processor, Vlm.load, TransformersStudent):
        with pytest.raises(InputError, match=r"no processor for pictures; take a vision-language"):
            load(str(tmp_path))


@pytest.mark.parametrize("left", [0, 100])
def test_weights_that_were_cut_off_are_told(tmp_path: Path, left: int) -> None:
    """As a download leaves them that broke off."""
    folder = save("llava", tmp_path / "model")
    for weights in folder.glob("*.safetensors"):
        weights.write_bytes(weights.read_bytes()[:left])
    with pytest.raises(InputError, match=r"cannot be loaded \(Error while deserializing header"):
        Vlm.load(str(folder))


def test_a_base_without_a_chat_template_answers(tmp_path: Path) -> None:
    folder = save("paligemma", tmp_path / "base")
    assert not (folder / "chat_template.jinja").exists()
    processor = load_processor(str(folder))
    assert processor.chat_template


def test_a_package_that_is_absent_is_told_before_the_weights_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save("llava", tmp_path / "model")

    def absent(*_: object, **__: object) -> None:
        raise ImportError("Qwen2VLVideoProcessor requires the Torchvision library")

    def read(*_: object, **__: object) -> None:
        raise AssertionError("weights were read")

    monkeypatch.setattr(checkpoint.AutoProcessor, "from_pretrained", absent)
    monkeypatch.setattr(AutoModelForImageTextToText, "from_pretrained", read)
    with pytest.raises(MissingPart) as told:
        Vlm.load(str(folder))
    assert hub_install() in str(told.value)


def test_the_advice_keeps_the_torch_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "__version__", "2.13.0+cpu")
    assert hub_install() == (
        "pip install --extra-index-url https://download.pytorch.org/whl/cpu "
        "'vpd-workbench[hub]' torch==2.13.0"
    )
    monkeypatch.setattr(torch, "__version__", "2.13.0")
    assert hub_install() == "pip install 'vpd-workbench[hub]' torch==2.13.0"


@pytest.mark.parametrize("where", ["./nowhere", "/nowhere/at/all", "~/nowhere"])
def test_a_folder_that_is_not_there_is_told(where: str) -> None:
    with pytest.raises(InputError, match="no model folder at"):
        load_processor(where)


def test_a_question_beyond_the_models_positions_is_told() -> None:
    model, processor = make("llava")
    model.config.get_text_config().max_position_embeddings = 40
    vlm = Vlm(model, processor, "tiny")
    with pytest.raises(InputError, match="'tiny' reads at most 40; shorten the question"):
        vlm._inputs([Image.new("RGB", (32, 32))], ["why " * 50], [""])
