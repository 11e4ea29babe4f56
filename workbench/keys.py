"""Keys of records: hashes of what they were made from, and texts that files can hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any


def storable(text: str) -> str:
    """The text with `?` for each lone surrogate, which files and databases cannot hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def storable_json(value: Any) -> Any:
    """A value with every text in it, keys included, as `storable` makes it; tuples become lists."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable_json(key): storable_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable_json(item) for item in value]
    return value


def content_key(*parts: object) -> str:
    """A stable key of 20 characters for any nesting of plain values and records."""
    return hashlib.sha256(_KEY_TEXT.encode(parts).encode()).hexdigest()[:20]


def for_key(value: object) -> Mapping[str, Any]:
    """A record as `content_key` reads it: what stands in many keys is so made once."""
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"no content key comes of {type(value)}; give plain values or records")
    row = {"_": type(value).__name__, **asdict(value)}
    if row.get("more_images") == ():
        del row["more_images"]  # a question about one picture has the key it always had
    return row


_KEY_TEXT = json.JSONEncoder(default=for_key, sort_keys=True, ensure_ascii=False)
_KEY_TEXT.item_separator, _KEY_TEXT.key_separator = ",", ":"
