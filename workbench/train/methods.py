"""Methods of training that are more than an objective: what a job of each is made of.

Commands read this without loading torch.
"""

from __future__ import annotations

from collections.abc import Mapping

METHODS: Mapping[str, Mapping[str, str | bool]] = {
    "dpo": {"part": "pairs"},
    "kto": {"part": "pairs", "unrelated": True},
}
"""The objectives that learn from preference pairs, each with its curriculum."""
