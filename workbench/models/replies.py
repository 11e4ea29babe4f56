"""The replies of chat endpoints, read with care: servers leave out and misspell everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.usage import Usage


def choices_of(reply: object) -> list[Mapping[str, Any]]:
    """The choices of a reply; one that is no object is an empty one."""
    choices = reply.get("choices") if isinstance(reply, dict) else None
    if not isinstance(choices, list):
        return []
    return [choice if isinstance(choice, dict) else {} for choice in choices]


def _message(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    message = choice.get("message")
    return message if isinstance(message, dict) else {}


def text_of(choice: Mapping[str, Any]) -> str:
    """The text of one choice of a reply; empty where the server left it out."""
    content = _message(choice).get("content")
    if isinstance(content, list):  # parts, as some servers send them
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def thinking_of(choice: Mapping[str, Any]) -> str:
    """What the server gives apart as the model's thinking; empty where it does not."""
    message = _message(choice)
    for name in ("reasoning_content", "reasoning", "thinking"):
        if isinstance(value := message.get(name), str) and value:
            return value
    return ""


def problem_of(choice: Mapping[str, Any]) -> str:
    """Why a choice has no text; empty where it has one."""
    refusal = _message(choice).get("refusal")
    if isinstance(refusal, str) and refusal:
        return f"the model refused: {refusal}"
    ending = choice.get("finish_reason")
    if ending == "content_filter":
        return "the server's content filter removed the reply (finish_reason content_filter)"
    if text_of(choice).strip():
        return ""
    if not choice:
        return "the server sent an empty choice (null)"
    if ending == "length":
        return "the reply ended within the model's thinking; raise max_tokens or thinking_tokens"
    return f"the server sent a choice without text (finish_reason {ending})"


def is_cut(choice: Mapping[str, Any]) -> bool:
    """Whether a choice reached the bound of its length before it had ended."""
    return choice.get("finish_reason") == "length"


def logprobs_of(choice: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The text, log-probability and likeliest alternatives of each token of a choice.

    The list is empty where the server left them out.
    """
    values = choice.get("logprobs")
    content = values.get("content") if isinstance(values, dict) else None
    rows = content if isinstance(content, list) else []
    return rows if all(isinstance(row, dict) for row in rows) else []


def number(value: object) -> float:
    """A number from 0 on, as a server may write it; 0 for anything else."""
    try:
        result = float(value) if isinstance(value, int | float | str) else 0.0
    except ValueError:
        return 0.0
    return result if 0 <= result < 1e15 else 0.0


def usage_of(reply: Mapping[str, Any], prices: tuple[float, ...], retries: int = 0) -> Usage:
    """What one reply cost.

    Args:
        reply: Of the server.
        prices: Cost of a million prompt tokens and of a million completion tokens.
        retries: Further attempts that it took.
    """
    used = reply.get("usage")
    used = used if isinstance(used, dict) else {}
    prompt = int(number(used.get("prompt_tokens")))
    completion = int(number(used.get("completion_tokens")))
    cost = (prompt * prices[0] + completion * prices[1]) / 1e6
    return Usage(1, retries, prompt, completion, cost)
