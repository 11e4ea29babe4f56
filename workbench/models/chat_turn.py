"""What a language model's chat template writes around a user's turn, in text and in tokens.

Some templates have no generation prompt, and some write more before an answer than their generation
prompt holds, such as a line break.  What stands before an answer is then read off a turn that has
one, or the model would first write it itself, as a part of its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    opening = _opening(render)
    if asking == render(None, False):
        after, lead = _spaces_apart(opening or after)
    elif opening.startswith(after):  # the generation prompt may leave out a line break, or a space
        rest, lead = _spaces_apart(opening[len(after) :])
        after += rest
    opened, end = unclosed(after)
    return ChatTurn(before, f"{after.rstrip()}\n{end}\n\n" if opened else after, lead)


def _opening(render: Any) -> str:
    """What stands between a question and its answer; empty where no answer can be had."""
    try:
        text = render(_SPECIMEN, False)
    except TemplateError:
        return ""
    opening, specimen, _ = text.partition(_MARK)[2].rpartition(_SPECIMEN)
    return str(opening) if specimen else ""


def _spaces_apart(text: str) -> tuple[str, str]:
    """A text without the spaces at its end, and those spaces."""
    plain = text.rstrip(" ")
    return plain, text[len(plain) :]


def answer_end(tokenizer: Any) -> list[int]:
    """The tokens with which a language model ends its answer to a user's turn.

    They are what its chat template writes there; without a template, the token that ends a text.
    They are none where the tokenizer has neither.
    """
    tokens: list[int] = []
    if tokenizer.chat_template is not None:
        turns = [{"role": "user", "content": _MARK}, {"role": "assistant", "content": _SPECIMEN}]
        try:
            text = str(tokenizer.apply_chat_template(turns, tokenize=False))
        except TemplateError:
            text = ""
        tokens = up_to_special(tokenizer, text.rpartition(_SPECIMEN)[2])
    if tokens or tokenizer.eos_token_id is None:
        return tokens
    return [tokenizer.eos_token_id]


def up_to_special(tokenizer: Any, text: str) -> list[int]:
    """The tokens of a text up to its first special one, which ends it; none where none is there."""
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    special = set(tokenizer.all_special_ids)
    last = next((at for at, token in enumerate(tokens) if token in special), None)
    return [] if last is None else list(tokens[: last + 1])


def tokens_behind(
    tokenizer: Any, prompt: str, text: str, special: Sequence[str], **options: Any
) -> list[int]:
    """The tokens of a text that stands behind a prompt.

    They are those that the whole has behind the prompt, so that a tokenizer's word marks are right.

    Args:
        tokenizer: The model's.
        prompt: What stands before.
        text: What is tokenised.
        special: The tokenizer's special tokens, the longest first.
        **options: How the tokenizer is called.
    """
    anchor = prompt[-40:]
    for token in special:
        anchor = anchor.rpartition(token)[2]
    before, both = (
        tokenizer(one, add_special_tokens=False, **options)["input_ids"]
        for one in (anchor, anchor + text)
    )
    if both[: len(before)] != before:
        before, both = [], tokenizer(text, add_special_tokens=False, **options)["input_ids"]
    return list(both[len(before) :])


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
