"""The settings of a chat endpoint: the one list of them, for all parts that ask one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from workbench.errors import InputError
from workbench.models.chat_request import ChatRequest, LimitName
from workbench.records import JSON

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where a server is, how it is asked, and which fields of a request it takes.

    Raises:
        InputError: a setting is not one of those that are taken.
    """

    base_url: str = "http://localhost:8000/v1"
    """Up to and without `/chat/completions`."""
    key_variable: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; local servers need none."""
    timeout: float = 120.0
    """Seconds for one reply."""
    retries: int = 5
    """Further attempts after the first."""
    concurrency: int = 8
    """Requests at a time."""
    prices: Sequence[float] = (0.0, 0.0)
    """Cost of a million prompt tokens and of a million completion tokens."""
    first_pause: float = 1.0
    """Seconds before the second attempt; each further pause is twice as long."""
    reply_limit: LimitName = "max_tokens"
    """As for `ChatRequest`, like the next three."""
    thinking_tokens: int = 0
    omit: Sequence[str] = ()
    extra: Mapping[str, JSON] | None = None

    def __post_init__(self) -> None:
        if not self.base_url.startswith(("http://", "https://")):
            raise InputError(
                f"base_url must begin with http:// or https://, found '{self.base_url}'"
            )
        if len(self.prices) != 2 or self.concurrency < 1 or self.retries < 0:
            raise InputError("an endpoint needs two prices, concurrency >= 1 and retries >= 0")

    @property
    def address(self) -> str:
        """The base address, always written alike."""
        return self.base_url.rstrip("/")

    def request(self) -> ChatRequest:
        """What each request holds.

        Raises:
            InputError: a setting of the request is not one of those that are taken.
        """
        return ChatRequest(self.reply_limit, self.thinking_tokens, self.omit, self.extra)


def connection_of(part: str, settings: Mapping[str, Any]) -> Connection:
    """The settings that a part was given by name.

    Args:
        part: What the part is called, for the message.
        settings: Its keyword arguments that are not its own.

    Raises:
        InputError: one of them does not exist, or has a wrong value.
    """
    names = [field.name for field in fields(Connection)]
    if unknown := sorted(set(settings) - set(names)):
        raise InputError(
            f"{part} was given arguments it does not take: {', '.join(unknown)}; besides its own "
            f"it takes {', '.join(names)}"
        )
    return Connection(**settings)


def takes_connection(part: type[T]) -> type[T]:
    """A part whose `**settings` are those of `Connection`, and are listed as its arguments."""
    own = inspect.signature(part)
    plain = [one for one in own.parameters.values() if one.kind is not one.VAR_KEYWORD]
    listed = inspect.signature(Connection).parameters.values()
    part.__signature__ = own.replace(parameters=[*plain, *listed])  # type: ignore[attr-defined]
    return part
