"""Read a TensorFlow.js *graph model* (`model.json` and its weight shards) with NumPy alone.

The format: `modelTopology.node` is a frozen TensorFlow GraphDef as JSON; `weightsManifest` lists
the constants in the order in which they lie in the shards, optionally quantised to `x * scale +
min` (TensorFlow.js, `io/types.ts`).
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import InputError

Array = np.ndarray[Any, Any]
_DTYPES = ("float32", "float16", "int32", "uint16", "uint8", "bool")


@dataclass(frozen=True, slots=True)
class Node:
    """One operation of the graph."""

    name: str
    op: str
    """TensorFlow's name of the operation, for example `Conv2D`."""
    inputs: tuple[str, ...]
    """Names of the nodes it reads, output index and control inputs removed."""
    attributes: Mapping[str, Any]
    """Plain values: numbers, strings, booleans and lists of them."""


@dataclass(frozen=True, slots=True)
class TfjsGraph:
    """A graph's operations and constants, by node name."""

    nodes: Mapping[str, Node]
    constants: Mapping[str, Array]

    def node(self, name: str) -> Node:
        """The node of a name.

        Raises:
            InputError: the graph has no such node.
        """
        if name not in self.nodes:
            raise InputError(
                f"the graph has no node '{name}'; it is another model than the converter was "
                "written for"
            )
        return self.nodes[name]


def read_graph(path: Path) -> TfjsGraph:
    """Read `model.json` and the shards beside it.

    Raises:
        InputError: the files are not such a model.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        nodes = document["modelTopology"]["node"]
        groups = document["weightsManifest"]
    except FileNotFoundError as error:
        raise InputError(
            f"no TensorFlow.js model at {path}; give the path of its model.json"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is not a TensorFlow.js graph model ({error!r}); expected its model.json"
        ) from error
    constants: dict[str, Array] = {}
    for group in groups:
        constants.update(_weights(path.parent, group["paths"], group["weights"]))
    return TfjsGraph({n["name"]: _node(n) for n in nodes}, constants)


def _weights(
    folder: Path, shards: Sequence[str], entries: Sequence[Mapping[str, Any]]
) -> dict[str, Array]:
    try:
        data = b"".join((folder / Path(shard).name).read_bytes() for shard in shards)
    except OSError as error:
        raise InputError(
            f"the weight shard {error.filename} cannot be read; it must lie beside model.json"
        ) from error
    out: dict[str, Array] = {}
    offset = 0
    for entry in entries:
        quantised = entry.get("quantization")
        stored = quantised["dtype"] if quantised else entry["dtype"]
        if stored not in _DTYPES or entry["dtype"] not in _DTYPES:
            raise InputError(
                f"weight '{entry['name']}' has type {stored}; known are {', '.join(_DTYPES)}"
            )
        dtype, count = np.dtype(stored), math.prod(entry["shape"])
        if offset + count * dtype.itemsize > len(data):
            raise InputError(
                f"the weight shards end before '{entry['name']}'; download the model again"
            )
        value = np.frombuffer(data, dtype, count, offset).reshape(entry["shape"])
        offset += count * dtype.itemsize
        if quantised and "scale" in quantised:
            value = value.astype(np.float32) * quantised["scale"] + quantised["min"]
        out[entry["name"]] = value.astype(entry["dtype"])
    return out


def _node(raw: Mapping[str, Any]) -> Node:
    inputs = tuple(name.split(":")[0] for name in raw.get("input", []) if not name.startswith("^"))
    return Node(
        raw["name"], raw["op"], inputs, {k: _value(v) for k, v in raw.get("attr", {}).items()}
    )


def _value(raw: Mapping[str, Any]) -> Any:
    if "list" in raw:
        return next(
            ([_scalar(kind, v) for v in values] for kind, values in raw["list"].items() if values),
            [],
        )
    return next((_scalar(kind, v) for kind, v in raw.items()), None)


def _scalar(kind: str, value: Any) -> Any:
    if kind == "s":
        return (bytes(value) if isinstance(value, list) else base64.b64decode(value)).decode()
    return int(value) if kind == "i" else value
