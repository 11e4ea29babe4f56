"""The draft of a model card: base, data, settings, figures with their interval, limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.environment import in_words
from workbench.models.picture_budget import PictureBudget
from workbench.records import JSON
from workbench.snapshot import Manifest
from workbench.train.job import Job


def card(job: Job, manifest: Manifest, result: Mapping[str, Any]) -> str:
    """README.md of a finished model, in Markdown with the front matter that model hubs read.

    Args:
        job: what was trained.
        manifest: of the snapshot that it was trained on.
        result: what the run writes to result.json.
    """
    counts = manifest.content.counts
    reviewers: Mapping[str, JSON] = counts["reviewers"]
    base = job.student if "/" not in job.student[:1] else job.student.rstrip("/").rpartition("/")[2]
    how = {"full": "all weights"}.get(
        job.method, f"{job.method}, r = {job.lora.r}, alpha = {job.lora.alpha}, {job.lora.where}"
    )
    lines = [
        "---",
        "library_name: transformers",
        "pipeline_tag: image-text-to-text",
        "tags: [visual-program-distillation]",
        "---",
        "",
        f"# {_line(job.name) or 'A distilled student'}",
        "",
        f"Made from `{_line(base)}` by {_method(job, result)} (Visual Program Distillation, Hu et "
        "al., CVPR 2024).",
        "",
        "## Data",
        "",
        f"Snapshot `{manifest.hash}`: {result['rows']} questions to train on, "
        f"{counts['rationales']} of all {counts['rows']} with a rationale, {counts['edited']} "
        f"edited, about {counts['pictures']} pictures.",
        _review(reviewers),
        "",
        "## Training",
        "",
        f"{result['steps']} steps of {job.batch} examples, {how}; learning rate {job.lr:g}, "
        f"{job.schedule}, warm-up {job.warmup:g}; AdamW {job.betas[0]:g}, {job.betas[1]:g}; seed "
        f"{job.seed}. Weights are those of step {result['step']}, the best on the held-out side.",
        "",
        _pictures(job),
        "",
        f"Computed with {_line(in_words(result['environment']))}.",
        "",
        "## Figures",
        "",
        _figures(result),
        "",
        "## Limits",
        "",
        "The held-out questions come from the same sources as the training questions and chose "
        "the checkpoint: they say little about other pictures, and flatter a little. Rationales "
        "are written by the model: a fluent one may be wrong, and so may its boxes. Automatically "
        "kept traces may be right for a wrong reason. Nobody has examined what this model does "
        "with pictures of people.",
    ]
    return "\n".join(lines) + "\n"


def _pictures(job: Job) -> str:
    """How pictures and questions were put to the model, and have to be later."""
    bound = f"at most {job.max_pixels:,} pixels" if job.max_pixels else "any number of pixels"
    budget = ", ".join(filter(None, (bound, PictureBudget(job.tiles, job.soft_tokens).words)))
    options = {"enable_thinking": False, **job.template}
    template = ", ".join(f"{_line(name)} = {_line(str(value))}" for name, value in options.items())
    return (
        f"Pictures: {budget}; chat template: {template}. The workbench asks the model in the same "
        "way; so has whoever compares its figures."
    )


def _line(text: str) -> str:
    """Text as one line that no Markdown reader takes for more."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable() and c not in "`<>[]|")[:200]


def _method(job: Job, result: Mapping[str, Any]) -> str:
    """By what it was taught, and by whom where there was a teacher."""
    part = result["objective"]
    text = f"the {_line(part['role'])} `{_line(part['name'])}`"
    return text + (f" with the teacher `{_line(str(job.teacher['part']))}`" if job.teacher else "")


def _review(reviewers: Mapping[str, JSON]) -> str:
    if not reviewers:
        return "No person reviewed it: these are traces that the verifier kept, or labels."
    return f"Reviewed by {len(reviewers)} {'person' if len(reviewers) == 1 else 'people'}."


def _figures(result: Mapping[str, Any]) -> str:
    if not result["of"]:
        return "None: the snapshot has no held-out questions."
    low, high = (100 * side for side in result["interval"])
    text = (
        f"Right on {100 * result['accuracy']:.1f} % of {result['of']} held-out questions "
        f"(95 % Wilson interval {low:.1f} to {high:.1f})"
    )
    return text + (
        "." if result["first"] is None else f"; before training {100 * result['first']:.1f} %."
    )
