"""Preference pairs for TRL (DPO and KTO) and LLaMA-Factory (ranking and KTO).

Pairs of rationales and pairs of programs teach two models, so that each kind has files of its own:
`rationale` about a picture, for a student; `program` about the sampler's prompt, for the model that
writes programs.  For each kind and side:

KIND.SIDE.dpo.jsonl       TRL: `prompt`, `chosen`, `rejected` as turns of typed parts, `images`
KIND.SIDE.kto.jsonl       TRL: `prompt`, `completion`, `label`: each text of a pair once
KIND.SIDE.ranking.jsonl   LLaMA-Factory: sharegpt with role and content, `chosen`, `rejected`
KIND.SIDE.ktotag.jsonl    LLaMA-Factory: the same with an answer and `kto_tag`

Every row names its question, the two records, whose preference it is and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from workbench.errors import InputError
from workbench.prompts import RATIONALE_SUFFIX, question_text
from workbench.snapshot.example import SPLITS
from workbench.snapshot.exports.chat import without_tags
from workbench.snapshot.exports.common import json_file, json_lines, pictures
from workbench.snapshot.folder import Snapshot
from workbench.snapshot.pair import PAIR_KINDS, Pair

USAGE = """Preference pairs: rationales for a student, programs for the model that writes programs.
Paths of pictures are relative: run in this folder.

TRL             from datasets import Image, List, load_dataset
                data = load_dataset("json", data_files={"train": "rationale.train.dpo.jsonl"})
                data = data.cast_column("images", List(Image()))   # DPOTrainer takes it as it is
                ...kto.jsonl likewise for KTOTrainer; programs have no pictures: no cast
LLaMA-Factory   dataset_dir: .   dataset: %(name)s   stage: dpo
                or dataset: %(name)s_kto   stage: kto

Each row names whose preference it is (origin, reviewers) and why."""

_TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
}


def prompt_of(pair: Pair) -> str:
    """What the model is asked: a pair of rationales has the student's own prompt."""
    return pair.prompt or question_text(pair) + RATIONALE_SUFFIX


def write(snapshot: Snapshot, folder: Path) -> tuple[int, str]:
    """Write every kind and side of which there are pairs, `dataset_info.json` and the pictures.

    Raises:
        InputError: the snapshot has no pairs.
    """
    every = snapshot.pairs()
    if not every:
        raise InputError(
            f"the snapshot {snapshot.hash} has no preference pairs; take one that has: "
            "vpd snapshot --pairs"
        )
    path_of = pictures(snapshot, folder)
    information: dict[str, Any] = {}
    for kind in PAIR_KINDS:
        for side in SPLITS:
            pairs = [one for one in every if (one.kind, one.split) == (kind, side)]
            if pairs:
                information |= _side(folder, f"{kind}.{side}", pairs, path_of)
    json_file(folder / "dataset_info.json", information)
    return len(every), USAGE % {"name": next(iter(information))}


def _side(
    folder: Path, stem: str, pairs: Sequence[Pair], path_of: dict[str, str]
) -> dict[str, Any]:
    """Write the files of one kind and side; returns LLaMA-Factory's entries for them.

    Args:
        folder: of the export.
        stem: beginning of the files' names.
        pairs: at least one.
        path_of: the picture's path in the folder, by digest.
    """
    json_lines(folder / f"{stem}.dpo.jsonl", (_dpo(one, path_of) for one in pairs))
    json_lines(folder / f"{stem}.kto.jsonl", _kto(pairs, path_of))
    json_lines(folder / f"{stem}.ranking.jsonl", (_ranking(one, path_of) for one in pairs))
    json_lines(folder / f"{stem}.ktotag.jsonl", _tagged(pairs, path_of))
    name = f"vpd_{stem.replace('.', '_')}"
    images = {"images": "images"} if not pairs[0].prompt else {}
    return {
        name: {
            "file_name": f"{stem}.ranking.jsonl",
            "formatting": "sharegpt",
            "ranking": True,
            "columns": {
                "messages": "messages",
                "chosen": "chosen",
                "rejected": "rejected",
                **images,
            },
            "tags": _TAGS,
        },
        f"{name}_kto": {
            "file_name": f"{stem}.ktotag.jsonl",
            "formatting": "sharegpt",
            "columns": {"messages": "messages", "kto_tag": "kto_tag", **images},
            "tags": _TAGS,
        },
    }


def _common(pair: Pair, path_of: dict[str, str]) -> dict[str, Any]:
    """What every row says of its pair; programs are written without seeing the picture."""
    images = {} if pair.prompt else {"images": [path_of[pair.image]]}
    return {
        **images,
        "id": pair.id,
        "task": pair.task_id,
        "origin": pair.origin,
        "why": pair.why,
        "reviewers": list(pair.reviewers),
    }


def _typed(role: str, text: str, picture: bool = False) -> list[dict[str, Any]]:
    """A turn for TRL."""
    parts = [{"type": "image"}] if picture else []
    return [{"role": role, "content": [*parts, {"type": "text", "text": text}]}]


def _question(pair: Pair) -> list[dict[str, Any]]:
    return _typed("user", prompt_of(pair), picture=not pair.prompt)


def _dpo(pair: Pair, path_of: dict[str, str]) -> dict[str, Any]:
    return {
        "prompt": _question(pair),
        "chosen": _typed("assistant", pair.chosen),
        "rejected": _typed("assistant", pair.rejected),
        **_common(pair, path_of),
    }


def _kto(pairs: Iterable[Pair], path_of: dict[str, str]) -> Iterator[dict[str, Any]]:
    for pair, text, good in texts_of(pairs):
        answer = _typed("assistant", text)
        yield {
            "prompt": _question(pair),
            "completion": answer,
            "label": good,
            **_common(pair, path_of),
        }


def texts_of(pairs: Iterable[Pair]) -> Iterator[tuple[Pair, str, bool]]:
    """Each text of some pairs once, with a pair that it stands in, and whether it is the good one.

    A text that is preferred in one pair and refused in another is told both ways.
    """
    earlier: set[tuple[str, str, bool]] = set()
    for pair in pairs:
        for text, good in ((pair.chosen, True), (pair.rejected, False)):
            key = (pair.task_id, text, good)
            if key not in earlier:
                earlier.add(key)
                yield pair, text, good


def _turns(pair: Pair) -> list[dict[str, str]]:
    """The question for LLaMA-Factory, which counts the tags of pictures."""
    tag = "" if pair.prompt else "<image>"
    return [{"role": "user", "content": tag + without_tags(prompt_of(pair))}]


def _answer(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": without_tags(text)}


def _ranking(pair: Pair, path_of: dict[str, str]) -> dict[str, Any]:
    return {
        "messages": _turns(pair),
        "chosen": _answer(pair.chosen),
        "rejected": _answer(pair.rejected),
        **_common(pair, path_of),
    }


def _tagged(pairs: Iterable[Pair], path_of: dict[str, str]) -> Iterator[dict[str, Any]]:
    for pair, text, good in texts_of(pairs):
        turns = [*_turns(pair), _answer(text)]
        yield {"messages": turns, "kto_tag": good, **_common(pair, path_of)}
