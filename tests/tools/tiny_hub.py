"""Tiny random checkpoints of the very classes that the hub tools load, saved with their processors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    BertTokenizer,
    CLIPConfig,
    CLIPModel,
    CLIPProcessor,
    CLIPTokenizer,
    CLIPVisionConfig,
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoProcessor,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    MMGroundingDinoConfig,
    MMGroundingDinoForObjectDetection,
    Owlv2Config,
    Owlv2ForObjectDetection,
    Owlv2Processor,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipModel,
    SiglipProcessor,
    SwinConfig,
    YolosConfig,
    YolosForObjectDetection,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil
from transformers.models.grounding_dino.image_processing_pil_grounding_dino import (
    GroundingDinoImageProcessorPil,
)
from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.yolos.image_processing_pil_yolos import YolosImageProcessorPil

LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TEXT = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}


def clip_tokenizer(folder: Path, length: int = 32) -> CLIPTokenizer:
    words = [*LETTERS, *(f"{c}</w>" for c in LETTERS), "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=length
    )


def bert_tokenizer(folder: Path) -> BertTokenizer:
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        ".",
        "?",
        *LETTERS,
        *(f"##{c}" for c in LETTERS),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(words))
    return BertTokenizer(str(folder / "vocab.txt"))


def _save(folder: Path, model: Any, processor: Any) -> str:
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return str(folder)


def owlv2(folder: Path) -> str:
    torch.manual_seed(0)
    text = {
        **_TEXT,
        "vocab_size": 64,
        "max_position_embeddings": 32,
        "bos_token_id": 52,
        "eos_token_id": 53,
    }
    vision = {**_TEXT, "image_size": 64, "patch_size": 16}
    model = Owlv2ForObjectDetection(
        Owlv2Config(text_config=text, vision_config=vision, projection_dim=16)
    )
    size = {"height": 64, "width": 64}
    return _save(
        folder, model, Owlv2Processor(Owlv2ImageProcessorPil(size=size), clip_tokenizer(folder, 32))
    )


def grounding_dino(folder: Path) -> str:
    return _dino(folder, GroundingDinoConfig, GroundingDinoForObjectDetection)


def mm_grounding_dino(folder: Path) -> str:
    """The class of LLMDet."""
    return _dino(folder, MMGroundingDinoConfig, MMGroundingDinoForObjectDetection)


def _dino(folder: Path, config_class: Any, model_class: Any) -> str:
    torch.manual_seed(0)
    tokenizer = bert_tokenizer(folder)
    config = config_class(
        backbone_config=SwinConfig(
            image_size=64,
            embed_dim=8,
            depths=[1, 1, 1, 1],
            num_heads=[1, 1, 2, 2],
            window_size=2,
            out_features=["stage2", "stage3", "stage4"],
        ),
        text_config={
            **_TEXT,
            "model_type": "bert",
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 64,
        },
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        num_queries=10,
        max_text_len=64,
    )
    processor = GroundingDinoProcessor(
        GroundingDinoImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96}), tokenizer
    )
    return _save(folder, model_class(config), processor)


def yolos(folder: Path) -> str:
    torch.manual_seed(0)
    config = YolosConfig(
        **_TEXT,
        image_size=[64, 64],
        patch_size=16,
        num_detection_tokens=8,
        id2label={0: "cat", 1: "traffic light", 2: "tennis ball"},
    )
    return _save(
        folder,
        YolosForObjectDetection(config),
        YolosImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96}),
    )


def depth_anything(folder: Path, kind: str = "relative") -> str:
    torch.manual_seed(0)
    backbone = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        mlp_ratio=2,
        image_size=56,
        patch_size=14,
        out_features=["stage1", "stage2", "stage3", "stage4"],
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        patch_size=14,
        reassemble_hidden_size=16,
        neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=8,
        head_hidden_size=8,
        depth_estimation_type=kind,
        max_depth=20,
    )
    processor = DPTImageProcessorPil(
        size={"height": 56, "width": 56},
        keep_aspect_ratio=True,
        ensure_multiple_of=14,
        do_pad=False,
    )
    return _save(folder, DepthAnythingForDepthEstimation(config), processor)


def clip(folder: Path) -> str:
    torch.manual_seed(0)
    text = {
        **_TEXT,
        "vocab_size": 64,
        "max_position_embeddings": 32,
        "bos_token_id": 52,
        "eos_token_id": 53,
    }
    vision = {**_TEXT, "image_size": 32, "patch_size": 16}
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16))
    images = CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    return _save(folder, model, CLIPProcessor(images, clip_tokenizer(folder, 32)))


LLAVA_CHAT = (
    "{% for m in messages %}{% for c in m['content'] %}{% if c['type'] == 'image' %}<image>{% else %}{{ c['text'] }}"
    "{% endif %}{% endfor %}{% endfor %}{% if add_generation_prompt %}\n{% endif %}"
)


def llava(folder: Path) -> str:
    """A vision-language model of the hub's most common build: CLIP, a projector, Llama."""
    torch.manual_seed(0)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<pad>": 0, "<s>": 1, "</s>": 2, "<image>": 3} | {
        c: i + 4 for i, c in enumerate(alphabet)
    }
    raw = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    raw.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        additional_special_tokens=["<image>"],
    )
    vision = CLIPVisionConfig(**_TEXT, image_size=32, patch_size=16)
    text = LlamaConfig(
        **_TEXT,
        vocab_size=len(tokenizer),
        max_position_embeddings=2048,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    model = LlavaForConditionalGeneration(
        LlavaConfig(
            vision_config=vision, text_config=text, image_token_index=3, vision_feature_layer=-1
        )
    )
    processor = LlavaProcessor(
        CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
        tokenizer,
        patch_size=16,
        vision_feature_select_strategy="default",
        chat_template=LLAVA_CHAT,
        num_additional_image_tokens=1,
    )
    return _save(folder, model, processor)


def siglip(folder: Path) -> str:
    torch.manual_seed(0)
    text = {**_TEXT, "vocab_size": 64, "max_position_embeddings": 32}
    vision = {**_TEXT, "image_size": 32, "patch_size": 16}
    model = SiglipModel(SiglipConfig(text_config=text, vision_config=vision))
    images = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    return _save(folder, model, SiglipProcessor(images, clip_tokenizer(folder, 32)))
