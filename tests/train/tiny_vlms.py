"""Very small real vision-language models, one of each family: random weights from the family's own
configuration class, its own processor, a byte-level tokenizer with its special tokens, and the chat
template that it ships with.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoModelForImageTextToText,
    CLIPVisionConfig,
    GemmaConfig,
    Idefics3Config,
    Idefics3Processor,
    LlamaConfig,
    LlavaConfig,
    LlavaProcessor,
    PaliGemmaConfig,
    PaliGemmaProcessor,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLProcessor,
    Qwen2VLConfig,
    Qwen2VLProcessor,
    Qwen3VLConfig,
    Qwen3VLProcessor,
    SiglipVisionConfig,
    SmolVLMConfig,
    SmolVLMProcessor,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.smolvlm import processing_smolvlm
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

from workbench.models.bundled import PointerShape, fresh_pointer_student
from workbench.models.region_vlm import (
    IMAGE_TOKEN,
    RegionVlmConfig,
    RegionVlmForConditionalGeneration,
    RegionVlmProcessor,
)

Made = tuple[Any, Any]
"""A model and its processor."""

IDEFICS_CHAT = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
QWEN_CHAT = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system\n"
    "You are a helpful assistant.<|im_end|>\n{% endif %}<|im_start|>{{ message['role'] }}\n"
    "{% for content in message['content'] %}{% if content['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% elif 'text' in content %}{{ content['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAVA_CHAT = (
    "{% for message in messages %}{{ message['role'].upper() + ': '}}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] + ' '}}"
    "{% endfor %}{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)


def tokenizer_of(
    *special: str, eos: str, pad: str = "<pad>", bos: str | None = None
) -> PreTrainedTokenizerFast:
    """One token a byte, and the special ones in front."""
    names = list(dict.fromkeys(name for name in (pad, eos, bos, *special) if name))
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(
        models.BPE(vocab={name: i for i, name in enumerate([*names, *alphabet])}, merges=[])
    )
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    raw.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token=eos,
        pad_token=pad,
        bos_token=bos,
        additional_special_tokens=list(special),
    )


def _text(tokenizer: Any, **more: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 4096,
        "initializer_range": 0.2,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        **more,
    }


def region() -> Made:
    tokenizer = tokenizer_of(IMAGE_TOKEN, "<|im_end|>", eos="<|im_end|>", pad="<|endoftext|>")
    text = LlamaConfig(**_text(tokenizer))
    config = RegionVlmConfig(
        text,
        projector_width=8,
        image_token_id=tokenizer.convert_tokens_to_ids(IMAGE_TOKEN),
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return RegionVlmForConditionalGeneration(config), RegionVlmProcessor(tokenizer)


def pointer() -> Made:
    """Reads questions by one layer of the bundled language model."""
    shape = PointerShape(hidden=16, layers=1, heads=2, reader_layers=1)
    words = [".", ",", "at", "are", "dogs"]  # an answer is spelled, so that it can be begun
    return fresh_pointer_student(words, ["dog", "red thing", "nothing"], shape)


def pictures_only(processor: type) -> Any:
    """The family's processor without its slot for films, which takes a class that needs
    torchvision.
    """

    class PicturesOnly(processor):  # type: ignore[misc, valid-type]
        @classmethod
        def get_attributes(cls) -> list[str]:
            return ["image_processor", "tokenizer"]

    return PicturesOnly


def _idefics(config: type, processor: type, pictures: type, **more: Any) -> Made:
    special = (
        "<image>",
        "<fake_token_around_image>",
        "<global-img>",
        "<end_of_utterance>",
        "<row_1_col_1>",
    )
    tokenizer = tokenizer_of(*special, eos="<end_of_utterance>", bos="<|im_start|>")
    vision = {
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    }
    made = config(
        text_config={"model_type": "llama", **_text(tokenizer)},
        vision_config=vision,
        scale_factor=2,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=tokenizer.pad_token_id,
    )
    sizes = {
        "size": {"longest_edge": 32},
        "max_image_size": {"longest_edge": 32},
        "do_image_splitting": False,
    }
    return AutoModelForImageTextToText.from_config(made), processor(
        pictures(**sizes), tokenizer, image_seq_len=4, chat_template=IDEFICS_CHAT, **more
    )


def idefics3() -> Made:
    return _idefics(Idefics3Config, Idefics3Processor, Idefics3ImageProcessorPil)


def smolvlm() -> Made:
    """The first SmolVLM ships with the processor of Idefics3."""
    return _idefics(SmolVLMConfig, Idefics3Processor, Idefics3ImageProcessorPil)


def smolvlm2() -> Made:
    """Its processor spells numbers, through a package, for films; no film is shown here."""
    processing_smolvlm.num2words = processing_smolvlm.num2words or str
    model, processor = _idefics(
        SmolVLMConfig,
        pictures_only(SmolVLMProcessor),
        SmolVLMImageProcessorPil,
        video_processor=None,
    )
    processor.video_processor = SimpleNamespace(num_frames=1, fps=1, size={}, video_sampling={})
    return model, processor


def _qwen(config: type, processor: type, vision: dict[str, Any], patch: int = 14) -> Made:
    special = (
        "<|im_start|>",
        "<|vision_start|>",
        "<|vision_end|>",
        "<|image_pad|>",
        "<|video_pad|>",
        "<|endoftext|>",
    )
    tokenizer = tokenizer_of(*special, eos="<|im_end|>", pad="<|endoftext|>")
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
    ids = {
        name: tokenizer.convert_tokens_to_ids(f"<|{name.removesuffix('_token_id')}|>")
        for name in ("vision_start_token_id", "vision_end_token_id")
    }
    made = config(
        text_config=_text(tokenizer, rope_parameters=rope, head_dim=8),
        vision_config=vision,
        image_token_id=tokenizer.convert_tokens_to_ids("<|image_pad|>"),
        video_token_id=tokenizer.convert_tokens_to_ids("<|video_pad|>"),
        **ids,
    )
    pictures = Qwen2VLImageProcessorPil(
        patch_size=patch,
        merge_size=2,
        size={"shortest_edge": (2 * patch) ** 2, "longest_edge": (4 * patch) ** 2},
    )
    return AutoModelForImageTextToText.from_config(made), pictures_only(processor)(
        pictures, tokenizer, None, chat_template=QWEN_CHAT
    )


def qwen2_vl() -> Made:
    return _qwen(
        Qwen2VLConfig,
        Qwen2VLProcessor,
        {"depth": 1, "embed_dim": 16, "hidden_size": 16, "num_heads": 2, "mlp_ratio": 1},
    )


def qwen25_vl() -> Made:
    vision = {
        "depth": 1,
        "hidden_size": 16,
        "out_hidden_size": 16,
        "num_heads": 2,
        "intermediate_size": 24,
        "fullatt_block_indexes": [0],
    }
    return _qwen(Qwen2_5_VLConfig, Qwen2_5_VLProcessor, vision)


def qwen3_vl() -> Made:
    vision = {
        "depth": 1,
        "hidden_size": 16,
        "out_hidden_size": 16,
        "num_heads": 2,
        "intermediate_size": 24,
        "num_position_embeddings": 16,
        "deepstack_visual_indexes": [0],
    }
    return _qwen(Qwen3VLConfig, Qwen3VLProcessor, vision, patch=16)


def llava() -> Made:
    tokenizer = tokenizer_of("<image>", eos="</s>", bos="<s>")
    vision = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
    )
    config = LlavaConfig(
        vision_config=vision,
        text_config=LlamaConfig(**_text(tokenizer)),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )
    pictures = CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    processor = LlavaProcessor(
        pictures,
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        chat_template=LLAVA_CHAT,
        num_additional_image_tokens=1,
    )
    return AutoModelForImageTextToText.from_config(config), processor


def paligemma() -> Made:
    """Ships no chat template."""
    tokenizer = tokenizer_of(eos="<eos>", bos="<bos>")
    pictures = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    pictures.image_seq_length = 16
    processor = PaliGemmaProcessor(pictures, tokenizer)
    vision = SiglipVisionConfig(
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
        projection_dim=16,
        vision_use_head=False,
    )
    text = GemmaConfig(**_text(tokenizer), head_dim=8)
    config = PaliGemmaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=processor.image_token_id,
        projection_dim=16,
    )
    return AutoModelForImageTextToText.from_config(config), processor


FAMILIES: dict[str, Callable[[], Made]] = {
    made.__name__: made
    for made in (
        region,
        pointer,
        idefics3,
        smolvlm,
        smolvlm2,
        qwen2_vl,
        qwen25_vl,
        qwen3_vl,
        llava,
        paligemma,
    )
}


def make(family: str, seed: int = 0) -> Made:
    """A model, in float32, and its processor."""
    torch.manual_seed(seed)
    model, processor = FAMILIES[family]()
    return model.float().eval(), processor


def save(family: str, folder: Path, seed: int = 0) -> Path:
    """Write both as a checkpoint that the Auto classes load."""
    model, processor = make(family, seed)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
