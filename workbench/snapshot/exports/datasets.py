"""Parquet for Hugging Face `datasets`, with the pictures inside."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.snapshot.example import SCHEMA, Example, Split, to_row
from workbench.snapshot.exports.common import present_picture
from workbench.snapshot.folder import Snapshot

GROUP = 100
"""Rows in a row group, and so pictures in the memory of a reader that streams."""

FILES: dict[Split, str] = {"train": "train", "val": "validation"}

_DTYPES = {"double": "float64"}
"""Names of types that `datasets` calls otherwise than Arrow."""

_PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def _feature(kind: pa.DataType) -> Any:
    """An Arrow type as `datasets` writes it; a list as `[...]`, which every version of it reads."""
    if pa.types.is_list(kind):
        return [_feature(kind.value_type)]
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    return {"dtype": _DTYPES.get(str(kind), str(kind)), "_type": "Value"}


_SEVERAL = ("more_images", "more_sizes")
"""Columns of snapshots with questions about several pictures alone."""


def schema(several: bool = False) -> pa.Schema:
    """The snapshot's columns, with the picture as `image` and its digest as `image_digest`.

    Args:
        several: whether there are questions about several pictures; the others then stand in
            `more_images`, and their digests in `more_digests`.
    """
    fields = [pa.field("image", _PICTURE), pa.field("image_digest", pa.string())]
    fields += [field for field in SCHEMA if field.name not in ("image", *_SEVERAL)]
    pictures: dict[str, Any] = {"image": {"_type": "Image"}}
    if several:
        fields += [pa.field("more_images", pa.list_(_PICTURE))]
        fields += [pa.field("more_digests", pa.list_(pa.string()))]
        pictures["more_images"] = [{"_type": "Image"}]
    features = {field.name: _feature(field.type) for field in fields} | pictures
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def write(snapshot: Snapshot, folder: Path) -> tuple[int, str]:
    """`train.parquet` and `validation.parquet`, and a dataset card."""
    rows = {split: snapshot.examples(split) for split in FILES}
    kept = [split for split, examples in rows.items() if examples]
    columns = schema(any(one.more_images for examples in rows.values() for one in examples))
    for split in kept:
        with pq.ParquetWriter(
            folder / f"{FILES[split]}.parquet", columns, compression="zstd"
        ) as writer:
            for start in range(0, len(rows[split]), GROUP):
                part = list(_with_pictures(snapshot, rows[split][start : start + GROUP]))
                writer.write_table(pa.Table.from_pylist(part, schema=columns))
    usage = "\n".join(
        [
            "from datasets import load_dataset",
            f'data = load_dataset("parquet", data_files={{{_files(kept)}}})',
        ]
    )
    (folder / "README.md").write_text(_card(snapshot, kept, usage), encoding="utf-8")
    return sum(map(len, rows.values())), usage


def _files(splits: Sequence[Split]) -> str:
    return ", ".join(f'"{FILES[split]}": "{FILES[split]}.parquet"' for split in splits)


def _with_pictures(snapshot: Snapshot, examples: Sequence[Example]) -> Iterator[dict[str, Any]]:
    for example in examples:
        first, *others = (_picture(snapshot, digest) for digest in example.images)
        yield {
            **to_row(example),
            "weight": example.weight,
            "image": first,
            "image_digest": example.image,
            "more_images": others,
            "more_digests": list(example.more_images),
        }


def _picture(snapshot: Snapshot, digest: str) -> dict[str, Any]:
    """A picture as `datasets` holds it: what models saw and boxes describe."""
    path = present_picture(snapshot, digest)
    if snapshot.images.is_shown_as_seen(digest):
        return {"bytes": path.read_bytes(), "path": path.name}
    data, suffix = snapshot.images.as_seen(digest)
    return {"bytes": data, "path": f"{digest}{suffix}"}


def _card(snapshot: Snapshot, splits: Sequence[Split], usage: str) -> str:
    files = "\n".join(
        f"  - split: {FILES[split]}\n    path: {FILES[split]}.parquet" for split in splits
    )
    counts = snapshot.manifest.content.counts
    return (
        f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}\n---\n\n"
        f"Snapshot `{snapshot.hash}`: {counts['rows']} questions, {counts['rationales']} with a "
        f"rationale, {counts['pictures']} pictures.\n"
        f"Boxes are `ymin xmin ymax xmax` from 0 to 999.\n\n```python\n{usage}\n```\n"
    )
