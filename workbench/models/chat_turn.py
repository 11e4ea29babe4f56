"""What a language model's chat template writes around a user's turn, in text and in tokens.

Some templates have no generation prompt: they write nothing to begin an answer with unless there is
one.  What stands before an answer is then read off a turn that has one, or the model would first
write it itself, as a part of its answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from workbench.models.thinking import unclosed

_MARK = "\u0000TURN\u0000"
_SPECIMEN = "Answer7"


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """The texts around a user's turn."""

    before: str
    after: str
    """Up to where the answer begins, its opening included."""
    lead: str = ""
    """Spaces that an answer begins with, which are tokenised with it."""


def chat_turn(tokenizer: Any, system: str | None = None) -> ChatTurn:
    """What the template of a tokenizer writes around a user's turn.

    A tokenizer without a template has only the system's text, where there is one, before the turn.
    A template that can think aloud is told not to, and a thought that it begins is ended: an answer
    is a word or a program, not an essay.
    """
    if tokenizer.chat_template is None:
        return ChatTurn(f"{system}\n\n" if system else "", "")
    turns = [{"role": "system", "content": system}] if system else []
    turns.append({"role": "user", "content": _MARK})
    quick = "enable_thinking" in str(tokenizer.chat_template)
    options = {"enable_thinking": False} if quick else {}

    def render(answer: str | None, asks: bool) -> str:
        more = [] if answer is None else [{"role": "assistant", "content": answer}]
        return str(
            tokenizer.apply_chat_template(
                [*turns, *more], tokenize=False, add_generation_prompt=asks, **options
            )
        )

    asking = render(None, True)
    before, _, after = asking.partition(_MARK)
    lead = ""
    if asking == render(None, False):
        after, lead = _opening(render, after)
    opened, end = unclosed(after)
    return ChatTurn(before, f"{after.rstrip()}\n{end}\n\n" if opened else after, lead)


def _opening(render: Any, after: str) -> tuple[str, str]:
    """What stands between a question and its answer, and the spaces that the answer begins with.

    Args:
        render: writes the turns with an answer.
        after: what stands behind a question without one, which is all where no answer can be had.
    """
    try:
        text = render(_SPECIMEN, False)
    except TemplateError:
        return after, ""
    opening, specimen, _ = text.partition(_MARK)[2].rpartition(_SPECIMEN)
    if not specimen:
        return after, ""
    plain = opening.rstrip(" ")
    return plain, opening[len(plain) :]


def chat_tokens(tokenizer: Any, prompt: str, system: str | None = None) -> list[int]:
    """The tokens of a user's turn in the model's chat template, up to where the answer begins.

    The user's text is tokenised apart from the template, so that what looks like a control token in
    it stays text.

    Args:
        tokenizer: The model's; where it has no chat template, the turn is plain text.
        prompt: The user's text, which may be hostile.
        system: What the system says before; None for nothing.
    """
    turn = chat_turn(tokenizer, system)
    ids = tokenizer(turn.before, add_special_tokens=False)["input_ids"]
    ids += tokenizer(prompt, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return [*ids, *tokenizer(turn.after or "\n", add_special_tokens=False)["input_ids"]]
