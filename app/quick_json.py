"""Answers that are large, written as JSON in one go.

FastAPI has pydantic write an answer, which takes each sequence of a record apart in Python: for the
questions of a queue longer than all else that a request does, and in the loop of events, where it
keeps everybody waiting.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import orjson
from fastapi import Response

P = ParamSpec("P")
T = TypeVar("T")


def quick_json(route: Callable[P, T]) -> Callable[P, T]:
    """A route whose answer is written in its own thread; the record that it gives is as before."""

    @functools.wraps(route)
    def answer(*arguments: Any, **named: Any) -> Response | T:
        record = route(*arguments, **named)
        try:
            body = orjson.dumps(record, option=orjson.OPT_NON_STR_KEYS)
        except orjson.JSONEncodeError:  # a number of more than 64 bits, which pydantic writes
            return record
        return Response(body, media_type="application/json")

    return cast("Callable[P, T]", answer)
