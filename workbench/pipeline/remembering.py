"""The memory of a profile: which corrections a sampler gets to see, and the sampler that sees them.

A sampler with other corrections is another part, since its programs may be others: the next run
samples anew.  Without any correction it is the part that it would be without a memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench import registry
from workbench.errors import ProfileError
from workbench.pipeline.splits import evaluates
from workbench.ports import Remembering, Sampler
from workbench.recipes.ports import Memory, ProgramCorrection
from workbench.records import Task, content_key, plain
from workbench.sample.prompt import question_line
from workbench.store import Project
from workbench.store.people import program_edits

ARGUMENT = "memory"
"""Argument of a profile's sampler that names its memory."""


def corrections_of(project: Project) -> tuple[ProgramCorrection, ...]:
    """The corrections that may be recalled, in the order of their making.

    Those about questions for evaluation are not: they would be measured on what they were told.
    """
    return tuple(
        replace(one.correction, question=question_line(one.correction.question, one.choices))
        for one in program_edits.corrections(project.database)
        if not evaluates(one.split)
    )


def divided(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], Memory | None]:
    """The sampler's own arguments, and its memory.

    Args:
        arguments: of the profile's sampler; the memory is a name, or a table with its name under
            `part`.

    Raises:
        ProfileError: there is no such memory, or it does not take these arguments.
    """
    own = dict(arguments)
    choice = own.pop(ARGUMENT, None)
    if choice is None:
        return own, None
    table = {"part": choice} if isinstance(choice, str) else choice
    if not isinstance(table, Mapping) or not isinstance(table.get("part"), str):
        raise ProfileError(
            f'the sampler\'s memory is {choice!r:.80}; write memory = "correction_memory", or '
            'memory = { part = "correction_memory", number = 3 }'
        )
    settings = {key: value for key, value in table.items() if key != "part"}
    return own, registry.build("memory", table["part"], **settings)


def remember(sampler: Sampler, memory: Memory, corrections: Sequence[ProgramCorrection]) -> None:
    """Let a sampler see corrections; without any it stays as it is.

    Args:
        sampler: whose prompts show them.
        memory: chooses among them.
        corrections: all there are.

    Raises:
        ProfileError: the sampler shows no corrections.
    """
    if not isinstance(sampler, Remembering):
        raise ProfileError(
            f"the sampler '{sampler.ref.name}' has no method remember, so that it cannot show "
            "corrections; take 'memory' out of it, or take the sampler 'transformers' or 'openai'"
        )
    if not corrections:
        return

    def recall(task: Task) -> list[tuple[str, str]]:
        question = question_line(task.question, task.choices)
        return [(one.question, one.program) for one in memory.recall(question, corrections)]

    version = content_key(
        plain(memory.ref), [(one.id, one.question, one.program) for one in corrections]
    )
    sampler.remember(recall, version[:8])
