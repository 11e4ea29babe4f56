"""What is known of models of the hub without asking it: sizes and licences, as of late 2026.

Sizes are of the weights in 16 bits, as they are loaded on a card, in gigabytes (10^9 bytes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PERMISSIVE = ("apache-2.0", "mit", "bsd-3-clause", "bsd-2-clause", "cc0-1.0", "cc-by-4.0")
"""Licences that allow any use, as the hub's cards write them."""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model of the hub."""

    size: float
    """Of its weights in 16 bits, gigabytes."""
    licence: str
    """As its card writes it."""
    gated: bool = False
    """Whether one has to accept its terms before it can be downloaded."""


KNOWN: Mapping[str, KnownModel] = {
    "Qwen/Qwen2.5-Coder-0.5B-Instruct": KnownModel(1.0, "apache-2.0"),
    "Qwen/Qwen2.5-Coder-1.5B-Instruct": KnownModel(3.1, "apache-2.0"),
    "Qwen/Qwen2.5-Coder-3B-Instruct": KnownModel(6.2, "qwen-research"),
    "Qwen/Qwen2.5-Coder-7B-Instruct": KnownModel(15.2, "apache-2.0"),
    "Qwen/Qwen2.5-Coder-14B-Instruct": KnownModel(29.5, "apache-2.0"),
    "Qwen/Qwen2.5-Coder-32B-Instruct": KnownModel(65.5, "apache-2.0"),
    "Qwen/Qwen2.5-7B-Instruct": KnownModel(15.2, "apache-2.0"),
    "Qwen/Qwen3-Coder-30B-A3B-Instruct": KnownModel(61.0, "apache-2.0"),
    "Qwen/Qwen2.5-VL-3B-Instruct": KnownModel(7.5, "qwen-research"),
    "Qwen/Qwen2.5-VL-7B-Instruct": KnownModel(16.6, "apache-2.0"),
    "Qwen/Qwen3-VL-2B-Instruct": KnownModel(4.3, "apache-2.0"),
    "Qwen/Qwen3-VL-4B-Instruct": KnownModel(8.9, "apache-2.0"),
    "Qwen/Qwen3-VL-8B-Instruct": KnownModel(17.5, "apache-2.0"),
    "HuggingFaceTB/SmolVLM2-500M-Video-Instruct": KnownModel(1.0, "apache-2.0"),
    "HuggingFaceTB/SmolVLM2-2.2B-Instruct": KnownModel(4.5, "apache-2.0"),
    "google/gemma-3-4b-it": KnownModel(8.6, "gemma", gated=True),
    "google/owlv2-base-patch16-ensemble": KnownModel(0.3, "apache-2.0"),
    "iSEE-Laboratory/llmdet_tiny": KnownModel(0.4, "apache-2.0"),
    "iSEE-Laboratory/llmdet_base": KnownModel(0.5, "apache-2.0"),
    "iSEE-Laboratory/llmdet_large": KnownModel(0.9, "apache-2.0"),
    "facebook/sam3": KnownModel(1.7, "other", gated=True),
    "depth-anything/Depth-Anything-V2-Small-hf": KnownModel(0.1, "apache-2.0"),
    "depth-anything/Depth-Anything-V2-Base-hf": KnownModel(0.2, "cc-by-nc-4.0"),
    "depth-anything/Depth-Anything-V2-Large-hf": KnownModel(0.7, "cc-by-nc-4.0"),
    "google/siglip2-base-patch16-224": KnownModel(0.8, "apache-2.0"),
    "google/siglip2-so400m-patch14-384": KnownModel(2.3, "apache-2.0"),
}
