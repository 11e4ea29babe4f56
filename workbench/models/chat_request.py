"""What a request to a chat endpoint holds: servers differ in the fields that they take.

Reasoning models refuse `max_tokens`, many servers do not know `max_completion_tokens`, some refuse
`n`, `seed`, `logprobs` or options of the chat template.  Settings say what to send; a server that
names a field as unsupported is asked again without it, and not asked so again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from workbench.errors import InputError
from workbench.records import JSON

LimitName = Literal["max_tokens", "max_completion_tokens", "none"]
"""The field that bounds a reply, or none."""

TEMPLATE = "chat_template_kwargs"
"""The field with options of the model's chat template, as vLLM, SGLang and llama.cpp take it."""

_FREE = ("n", "seed", "logprobs", "top_logprobs", TEMPLATE)
"""Fields without which a request means the same: what is missing is asked for again."""
_UNSUPPORTED = re.compile(
    r"unsupported|not supported|does(?: not|n't) support|unknown|unrecogni[sz]ed|unexpected"
    r"|not (?:allowed|permitted|available)|extra (?:fields|inputs)|only .*(?:default|1\b)",
    re.IGNORECASE,
)


class ChatRequest:
    """The fields of a request, some of which a server may turn out not to take.

    Args:
        reply_limit: The field that bounds a reply: `max_tokens`, `max_completion_tokens`, `none`.
        thinking_tokens: Room for a thought in front of each reply, in tokens.
        omit: Names of fields that are never sent, for example `temperature`.
        extra: Further fields of each request, for example `reasoning_effort`.
        thinking: Whether the chat template lets the model think first; None leaves that to the
            server.

    Raises:
        InputError: a setting is not one of these.
    """

    def __init__(
        self,
        reply_limit: LimitName = "max_tokens",
        thinking_tokens: int = 0,
        omit: Sequence[str] = (),
        extra: Mapping[str, JSON] | None = None,
        thinking: bool | None = None,
    ) -> None:
        if reply_limit not in get_args(LimitName):
            raise InputError(
                f"reply_limit must be one of {', '.join(get_args(LimitName))}, found "
                f"{reply_limit!r}"
            )
        if isinstance(omit, str) or thinking_tokens < 0:
            raise InputError(
                "omit must be a list of names and thinking_tokens 0 or more, found "
                f"{omit!r} and {thinking_tokens}"
            )
        self._limits = [reply_limit]
        self._thinking, self._extra = thinking_tokens, dict(extra or {})
        self._omit = set(omit)
        self._template = {} if thinking is None else {"enable_thinking": thinking}
        settings = {
            "reply_limit": reply_limit,
            "thinking_tokens": thinking_tokens,
            "omit": list(omit),
            "extra": self._extra,
            "thinking": thinking,
        }
        plain = {
            "reply_limit": "max_tokens",
            "thinking_tokens": 0,
            "omit": [],
            "extra": {},
            "thinking": None,
        }
        self.arguments = {name: value for name, value in settings.items() if value != plain[name]}
        """The settings that are not the usual ones, for a part's reference."""

    def fields(self, max_tokens: int, options: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of one request, besides the model and the messages.

        Args:
            max_tokens: Longest reply, in tokens, without a thought.
            options: Other fields that the server may not know.
        """
        limit = self._limits[-1]
        bound: dict[str, Any] = {} if limit == "none" else {limit: max_tokens + self._thinking}
        fields = {**bound, **options, **self._extra}
        if self._template:
            more = self._extra.get(TEMPLATE)
            fields[TEMPLATE] = {**self._template, **(more if isinstance(more, dict) else {})}
        return {name: value for name, value in fields.items() if name not in self._omit}

    def adapt(self, message: str, sent: Mapping[str, Any]) -> bool:
        """Learn from a refusal; returns whether another request may be taken.

        Args:
            message: Why the server refused.
            sent: The fields of the request.
        """
        if not _UNSUPPORTED.search(message):
            return False
        limit = self._limits[-1]
        if limit in sent and limit != "none" and _names(message, limit):
            others = [name for name in get_args(LimitName) if name not in self._limits]
            self._limits.append(others[0])
            return True
        names = [name for name in _FREE if name in sent and _names(message, name)]
        self._omit.update(names)
        if "logprobs" in names:
            self._omit.add("top_logprobs")
        return bool(names)


def _names(message: str, field: str) -> bool:
    """Whether a message is about a field; one letter counts only where it is marked as a name."""
    if len(field) == 1:
        marked = rf"['\"`]{field}['\"`]|parameter:? {field}\b|\b{field} ?[=>]"
        return re.search(marked, message) is not None
    return re.search(rf"(?<!\w){field}(?!\w)", message) is not None
