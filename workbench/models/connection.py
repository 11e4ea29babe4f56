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
    """Requests at a time, at all servers together; vLLM wants 128 and more."""
    prices: Sequence[float] = (0.0, 0.0)
    """Cost of a million prompt tokens and of a million completion tokens."""
    first_pause: float = 1.0
    """Seconds before the second attempt; each further pause is twice as long."""
    base_urls: Sequence[str] = ()
    """Several servers of the same model, of which the least busy one is asked; none where
    `base_url` names the only one.  Records name the first."""
    thinking: bool | None = None
    """As for `ChatRequest`, like the next four."""
    reply_limit: LimitName = "max_tokens"
    thinking_tokens: int = 0
    omit: Sequence[str] = ()
    extra: Mapping[str, JSON] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.base_urls, str):
            raise InputError(
                f"base_urls must be a list of addresses, found the text '{self.base_urls}'; "
                "give one address as base_url"
            )
        for address in self.addresses:
            if not isinstance(address, str) or not address.startswith(("http://", "https://")):
                raise InputError(f"base_url must begin with http:// or https://, found '{address}'")
        if len(self.prices) != 2 or self.concurrency < 1 or self.retries < 0:
            raise InputError("an endpoint needs two prices, concurrency >= 1 and retries >= 0")

    @property
    def addresses(self) -> tuple[str, ...]:
        """The base addresses, each once and always written alike; records name the first."""
        plain = (str(one).rstrip("/") for one in self.base_urls or (self.base_url,))
        return tuple(dict.fromkeys(plain))

    def request(self) -> ChatRequest:
        """What each request holds.

        Raises:
            InputError: a setting of the request is not one of those that are taken.
        """
        return ChatRequest(
            self.reply_limit, self.thinking_tokens, self.omit, self.extra, self.thinking
        )


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
    """A part whose `**settings` are those of `Connection`, and are listed as its arguments.

    One that the part names itself has the default that stands there.
    """
    own = inspect.signature(part)
    plain = [one for one in own.parameters.values() if one.kind is not one.VAR_KEYWORD]
    listed = inspect.signature(Connection).parameters.values()
    others = [one for one in listed if one.name not in own.parameters]
    part.__signature__ = own.replace(parameters=[*plain, *others])  # type: ignore[attr-defined]
    return part
