"""The records of a unit in one Parquet file."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pyarrow as pa
from pyarrow import parquet

from workbench.errors import InputError
from workbench.events import decode_events, encode_events
from workbench.pipeline.units.plan import write_whole
from workbench.records import (
    JSON,
    PartRef,
    Prediction,
    Program,
    Rationale,
    Trace,
    Verdict,
    content_key,
    plain,
    storable_json,
)
from workbench.store import CheckRow
from workbench.usage import Usage

R = TypeVar("R", bound="Record")

Record = Program | Trace | Verdict | CheckRow | Rationale | Prediction

_KINDS: Mapping[str, tuple[type[Any], str]] = {
    "program": (Program, "sampler"),
    "trace": (Trace, "executor"),
    "verdict": (Verdict, "verifier"),
    "check": (CheckRow, ""),
    "rationale": (Rationale, "writer"),
    "prediction": (Prediction, "model"),
}
"""Each kind of record with its class and the field that names the part which made it."""
_NAMES = {kind: name for name, (kind, _) in _KINDS.items()}
_SCHEMA = pa.schema({"kind": pa.string(), "task_id": pa.string(), "record": pa.binary()})
_META = b"vpd"


@dataclass(frozen=True, slots=True)
class StageCost:
    """What a stage of a unit took."""

    rows: int
    seconds: float
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Shard:
    """What a worker made of a unit."""

    unit: str
    """Key of the unit."""
    seed: int
    contents: Mapping[str, str]
    """The content key of each question as the worker saw it, by id."""
    records: Sequence[Record]
    costs: Mapping[str, StageCost] = field(default_factory=dict)
    """By stage."""

    def of(self, kind: type[Any]) -> list[Any]:
        """The records of one kind, in order."""
        return [record for record in self.records if isinstance(record, kind)]


def write_shard(path: Path, shard: Shard) -> None:
    """Write a shard's file, as a whole or not at all."""
    parts: dict[str, PartRef] = {}
    rows = [_to_row(record, parts) for record in shard.records]
    table = pa.Table.from_pylist(rows, schema=_SCHEMA)
    meta = {
        "unit": shard.unit,
        "seed": shard.seed,
        "contents": dict(shard.contents),
        "costs": {stage: asdict(cost) for stage, cost in shard.costs.items()},
        "parts": {key: plain(ref) for key, ref in parts.items()},
    }
    text = json.dumps(storable_json(meta), ensure_ascii=False).encode()
    out = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({_META: text}), out, compression="zstd")
    write_whole(path, out.getvalue())


def read_shard(path: Path) -> Shard:
    """The shard of a file.

    Raises:
        InputError: there is none, or it is damaged.
    """
    try:
        table = parquet.read_table(io.BytesIO(path.read_bytes()))
        meta = json.loads((table.schema.metadata or {})[_META])
        parts = msgspec.convert(meta["parts"], dict[str, PartRef])
        return Shard(
            meta["unit"],
            meta["seed"],
            msgspec.convert(meta["contents"], dict[str, str]),
            [_to_record(row, parts) for row in _rows(table)],
            msgspec.convert(meta["costs"], dict[str, StageCost]),
        )
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"the shard {path} cannot be read ({type(error).__name__}: {error}); delete it, and "
            "its unit is done again"
        ) from error


def as_stored(record: R) -> R:
    """A record as it comes back from a shard, and from the store."""
    parts: dict[str, PartRef] = {}
    row = _to_row(record, parts)
    again: R = _to_record(row, parts)
    return again


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches():
        yield from batch.to_pylist()


def _to_row(record: Record, parts: dict[str, PartRef]) -> dict[str, JSON]:
    name = next(name for kind, name in _NAMES.items() if isinstance(record, kind))
    maker = _KINDS[name][1]
    values: dict[str, Any]
    if isinstance(record, Trace):
        values = {**plain(replace(record, events=())), "events": b""}
        packed = encode_events(record.events)
    else:
        values, packed = plain(record), b""
    if maker:
        ref = getattr(record, maker)
        key = content_key(ref)
        parts.setdefault(key, ref)
        values[maker] = key
    data = msgspec.msgpack.encode([storable_json(values), packed])
    return {"kind": name, "task_id": record.task_id, "record": data}


def _to_record(row: Mapping[str, Any], parts: Mapping[str, PartRef]) -> Any:
    kind, maker = _KINDS[row["kind"]]
    values, packed = msgspec.msgpack.decode(row["record"])
    if maker:
        values[maker] = parts[values[maker]]
    if kind is Trace:
        events = decode_events(packed)
        return replace(msgspec.convert({**values, "events": []}, Trace), events=events)
    return msgspec.convert(values, kind)
