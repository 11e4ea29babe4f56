"""Models of real size with random weights, and rows to teach them: what `train_gpu` measures with.

Nothing is fetched.  Weights come from the families' own configuration classes, so that every shape
is that of the published checkpoint; the tokenizer is a byte-level BPE that is trained here on the
questions and rationales that are taught, while the head keeps the family's number of words, so that
it costs what it costs.  Pictures, questions and answers are those of the bundled collages; a
rationale names what the scene holds and where.  With `tiny` everything is a few thousand weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
    BertTokenizer,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoProcessor,
    Idefics3Processor,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3VLConfig,
    Qwen3VLProcessor,
    SmolVLMConfig,
    SwinConfig,
)
from transformers.models.grounding_dino.image_processing_pil_grounding_dino import (
    GroundingDinoImageProcessorPil,
)
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from workbench.images import digest_of
from workbench.models.language import quiet
from workbench.snapshot import Example, Snapshot, write
from workbench.tasks.bundled import Collages
from workbench.tasks.collage.scene import Scene

WORDS = 8192
"""Words of the tokenizer that is trained here."""
_ENDS = ("<|endoftext|>", "<|im_end|>")
"""What fills a row, and what ends a turn."""
_QWEN = ("<|im_start|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
_CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% for content in message['content'] %}{% if content['type'] == 'image' %}"
    "PICTURE{% elif 'text' in content %}{{ content['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_QWEN_PICTURE = "<|vision_start|><|image_pad|><|vision_end|>"


class PicturesProcessor(Qwen3VLProcessor):  # type: ignore[misc, unused-ignore]
    """The family's processor without its slot for films, whose class needs torchvision."""

    @classmethod
    def get_attributes(cls) -> list[str]:
        """The parts that are saved and loaded."""
        return ["image_processor", "tokenizer"]


def register() -> None:
    """Make the Auto classes know the processor that is saved here."""
    AutoProcessor.register(Qwen3VLConfig, PicturesProcessor, exist_ok=True)


def trained_tokenizer(texts: Iterable[str], special: Sequence[str]) -> PreTrainedTokenizerFast:
    """A byte-level BPE of some texts.

    Args:
        texts: what it is trained on.
        special: its special tokens; those that end a turn and fill a row are always there.
    """
    names = [*_ENDS, *special]
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS,
        special_tokens=names,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        additional_special_tokens=list(special),
        **dict(zip(("pad_token", "eos_token"), _ENDS, strict=True)),
    )


def _qwen3_vl(texts: Iterable[str], tiny: bool) -> tuple[Any, Any]:
    """Qwen3-VL-2B: its configuration and its processor."""
    tokenizer = trained_tokenizer(texts, _QWEN)
    text: dict[str, Any] = {
        "hidden_size": 2048,
        "intermediate_size": 6144,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 151_936,
        "rope_parameters": {
            "rope_type": "default",
            "mrope_section": [24, 20, 20],
            "rope_theta": 5_000_000.0,
        },
    }
    vision: dict[str, Any] = {
        "depth": 24,
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "out_hidden_size": 2048,
        "num_heads": 16,
        "num_position_embeddings": 2304,
        "deepstack_visual_indexes": [5, 11, 17],
    }
    if tiny:
        rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10_000.0}
        text |= {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
        text |= {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8}
        text |= {"vocab_size": len(tokenizer), "rope_parameters": rope}
        vision |= {"depth": 2, "hidden_size": 16, "intermediate_size": 24, "out_hidden_size": 16}
        vision |= {"num_heads": 2, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]}
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    config = Qwen3VLConfig(
        text_config={**text, **ends},
        vision_config=vision,
        tie_word_embeddings=True,
        **{
            f"{name}_token_id": tokenizer.convert_tokens_to_ids(f"<|{mark}|>")
            for name, mark in (
                ("image", "image_pad"),
                ("video", "video_pad"),
                ("vision_start", "vision_start"),
                ("vision_end", "vision_end"),
            )
        },
    )
    largest = 4 * 32**2 if tiny else 16_777_216
    pictures = Qwen2VLImageProcessorPil(
        patch_size=16,
        merge_size=2,
        size={"shortest_edge": 4 * 32**2 if tiny else 65_536, "longest_edge": largest},
    )
    chat = _CHAT.replace("PICTURE", _QWEN_PICTURE)
    return config, PicturesProcessor(pictures, tokenizer, None, chat_template=chat)


def _smolvlm(texts: Iterable[str], tiny: bool) -> tuple[Any, Any]:
    """SmolVLM2-2.2B: its configuration, and the processor of Idefics3, which needs no torchvision.

    Pictures are enlarged and cut into tiles, as the published processor does.
    """
    rows = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    special = ("<|im_start|>", "<image>", "<fake_token_around_image>", "<global-img>", *rows)
    tokenizer = trained_tokenizer(texts, special)
    text: dict[str, Any] = {
        "model_type": "llama",
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 24,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "vocab_size": 49_280,
        "rope_parameters": {"rope_type": "default", "rope_theta": 130_000.0},
    }
    vision: dict[str, Any] = {
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
        "image_size": 384,
        "patch_size": 14,
    }
    tile, scale, positions = 384, 3, 81
    if tiny:
        tile, scale, positions = 32, 2, 4
        text |= {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
        text |= {"num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": len(tokenizer)}
        vision |= {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
        vision |= {"num_attention_heads": 2, "image_size": 32, "patch_size": 8}
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    config = SmolVLMConfig(
        text_config={**text, **ends},
        vision_config=vision,
        scale_factor=scale,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    pictures = Idefics3ImageProcessorPil(
        size={"longest_edge": tile if tiny else 4 * tile},
        max_image_size={"longest_edge": tile},
        do_image_splitting=not tiny,
    )
    chat = _CHAT.replace("PICTURE", "<image>")
    return config, Idefics3Processor(
        pictures, tokenizer, image_seq_len=positions, chat_template=chat
    )


FAMILIES: Mapping[str, Callable[[Iterable[str], bool], tuple[Any, Any]]] = {
    "qwen3_vl": _qwen3_vl,
    "smolvlm2": _smolvlm,
}
"""Students by name: Qwen3-VL-2B and SmolVLM2-2.2B."""


def make_student(family: str, folder: Path, texts: Iterable[str], tiny: bool) -> str:
    """Write a student with random weights as a checkpoint; returns its folder.

    Args:
        family: of `FAMILIES`.
        folder: of the checkpoint.
        texts: what its tokenizer is trained on.
        tiny: whether it is a few thousand weights.
    """
    register()
    config, processor = FAMILIES[family](texts, tiny)
    _save(AutoModelForImageTextToText, config, folder)
    processor.save_pretrained(folder)
    return str(folder)


def make_writer(folder: Path, texts: Iterable[str], tiny: bool) -> str:
    """Write a program writer of the size of Qwen2.5-Coder-1.5B as a checkpoint; gives its folder.

    Args:
        folder: of the checkpoint.
        texts: what its tokenizer is trained on.
        tiny: whether it is a few thousand weights.
    """
    tokenizer = trained_tokenizer(texts, ("<|im_start|>",))
    tokenizer.chat_template = _CHAT.replace(
        "{% for content in message['content'] %}{% if content['type'] == 'image' %}"
        "PICTURE{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}",
        "{{ message['content'] }}",
    )
    size: dict[str, Any] = {
        "hidden_size": 1536,
        "intermediate_size": 8960,
        "num_hidden_layers": 28,
        "num_attention_heads": 12,
        "num_key_value_heads": 2,
        "vocab_size": 151_936,
    }
    if tiny:
        size |= {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
        size |= {"num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": len(tokenizer)}
    config = Qwen2Config(
        **size,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    _save(AutoModelForCausalLM, config, folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def make_detector(folder: Path, tiny: bool) -> str:
    """Write a detector of the size of Grounding DINO tiny as a checkpoint; gives its folder.

    Args:
        folder: of the checkpoint.
        tiny: whether it is a few thousand weights.
    """
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", *letters]
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join([*words, *(f"##{one}" for one in letters)]), encoding="utf-8")
    swin: dict[str, Any] = {"embed_dim": 96, "depths": [2, 2, 6, 2], "num_heads": [3, 6, 12, 24]}
    swin |= {"window_size": 7, "image_size": 224}
    more: dict[str, Any] = {}
    text: dict[str, Any] = {"model_type": "bert"}
    sides = {"shortest_edge": 800, "longest_edge": 1333}
    if tiny:
        swin = {"embed_dim": 8, "depths": [1, 1, 1, 1], "num_heads": [1, 1, 2, 2]}
        swin |= {"window_size": 2, "image_size": 64}
        text |= {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
        text |= {"num_attention_heads": 2}
        more = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 2, "num_queries": 10}
        more |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
        more |= {"encoder_ffn_dim": 32, "decoder_ffn_dim": 32}
        sides = {"shortest_edge": 64, "longest_edge": 96}
    config = GroundingDinoConfig(
        backbone_config=SwinConfig(**swin, out_features=["stage2", "stage3", "stage4"]),
        text_config=text,
        **more,
    )
    torch.manual_seed(0)
    with quiet():
        GroundingDinoForObjectDetection(config).save_pretrained(folder)
        GroundingDinoProcessor(
            GroundingDinoImageProcessorPil(size=sides), BertTokenizer(str(vocabulary))
        ).save_pretrained(folder)
    return str(folder)


def _save(auto: Any, config: Any, folder: Path) -> None:
    """Write random weights in 16 bits, drawn on the GPU where there is one."""
    torch.manual_seed(0)
    place = "cuda" if torch.cuda.is_available() else "cpu"
    with quiet(), torch.device(place):
        model = auto.from_config(config, dtype=torch.bfloat16)
        model.save_pretrained(folder)


def _rationale(scene: Scene, answer: str) -> str:
    things = [
        f"a {one.category} at {[round(side) for side in one.box.as_tuple()]}"
        for one in scene.objects
    ]
    return f"The picture shows {', '.join(things)}. So, the answer is {answer}."


def examples_of(pictures: int, questions: int = 1) -> Iterator[tuple[Example, Path]]:
    """Questions about bundled collages with rationales, and the file of the picture of each.

    Args:
        pictures: how many.
        questions: about each picture, at most.
    """
    source = Collages()
    scenes = {scene.id: scene for scene in source.scenes("train")}
    numbers: dict[str, int] = {}
    for task in source.tasks("train"):
        scene = scenes[str(task.meta["scene"])]
        if scene.id not in numbers and len(numbers) == pictures:
            continue
        number = numbers.setdefault(scene.id, 0)
        if number == questions:
            continue
        numbers[scene.id] += 1
        path = source.image_path(task)
        yield (
            Example(
                task_id=task.id,
                source=task.source,
                task_split=task.split,
                split="train",
                family=str(task.family),
                question=task.question,
                choices=(),
                answer=task.answers[0],
                answers=task.answers,
                answer_type=task.answer_type,
                rationale=_rationale(scene, task.answers[0]),
                boxes=(),
                program=None,
                image=digest_of(path),
                width=scene.width,
                height=scene.height,
                kind="automatic",
                trace_id=f"trace {task.id}",
                program_id=f"program {task.id}",
                rationale_id=f"rationale {task.id}",
                edited=False,
                reviewers=(),
                guideline=None,
            ),
            path,
        )


def make_snapshot(folder: Path, pictures: int, questions: int = 1) -> Snapshot:
    """Write a snapshot of `examples_of` into a folder.

    Args:
        folder: where snapshots lie.
        pictures: how many.
        questions: about each picture, at most.
    """
    rows = list(examples_of(pictures, questions))
    files = {example.image: path for example, path in rows}
    return write(folder, [example for example, _ in rows], files, filter={"bench": "train"})


def texts_of(snapshot: Snapshot) -> list[str]:
    """What a tokenizer is trained on: all texts of a snapshot."""
    return [
        text
        for example in snapshot.examples("train")
        for text in (example.question, example.answer, example.rationale or "")
    ]
