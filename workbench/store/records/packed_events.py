"""Events of a stored trace, which are decoded when somebody looks at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from workbench.events import decode_events
from workbench.records import TraceEvent


class PackedEvents(Sequence[TraceEvent]):
    """The events of a stored trace, decoded at the first look; equal to the tuple of them.

    Most readers of a trace look at its answer alone, and decoding takes ten times as long as the
    rest.

    Args:
        packed: bytes of `encode_events`.

    Raises:
        ValueError: on the first look, for bytes that `encode_events` did not write.
    """

    __slots__ = ("_events",)

    def __init__(self, packed: bytes) -> None:
        self._events: bytes | tuple[TraceEvent, ...] = packed

    def _decoded(self) -> tuple[TraceEvent, ...]:
        events = self._events
        # Two threads may both decode; what they put in place is the same.
        if not isinstance(events, tuple):
            events = self._events = decode_events(events)
        return events

    @overload
    def __getitem__(self, place: int) -> TraceEvent: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[TraceEvent, ...]: ...

    def __getitem__(self, place: int | slice) -> TraceEvent | tuple[TraceEvent, ...]:
        return self._decoded()[place]

    def __len__(self) -> int:
        return len(self._decoded())

    def __iter__(self) -> Iterator[TraceEvent]:
        return iter(self._decoded())

    def __eq__(self, other: object) -> bool:
        return self._decoded() == (tuple(other) if isinstance(other, PackedEvents) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._decoded())
