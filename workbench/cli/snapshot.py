"""`vpd snapshot`: writes, lists and shows training snapshots."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from workbench.cli.bars import Bars
from workbench.cli.options import key_value
from workbench.cli.text import console, local_time, open_project, safe
from workbench.errors import InputError
from workbench.pipeline.progress import Progress
from workbench.pipeline.snapshotting import Preview, SnapshotWish, folder_of, keep, preview
from workbench.snapshot import LeftOut, Manifest, Snapshot
from workbench.store.reading import snapshots


def main(
    project: Path | None,
    name: str,
    dry: bool,
    as_json: bool,
    automatic: bool,
    both: bool,
    select: Sequence[str] = (),
    settings: Sequence[str] = (),
    **wish: Any,
) -> None:
    """Write a snapshot, or print what it would contain.

    Args:
        project: folder of the project; None takes the one around the current folder.
        name: name of the snapshot.
        dry: say what it would hold, and write nothing.
        as_json: print JSON instead of text.
        automatic: take what the verifier kept.
        both: follow people's decisions, else the verifier.
        select: names of selectors.
        settings: arguments of the selectors, as KEY=VALUE or NAME.KEY=VALUE.
        wish: the other fields of `SnapshotWish`.

    Raises:
        InputError: both `automatic` and `both` are set.
    """
    if automatic and both:
        raise InputError("--automatic and --both contradict each other; choose one")
    wish["accepted"] = "automatic" if automatic else "person"
    if both:
        wish["accepted"] = "both"
    wish["select"] = _select(select, settings)
    with open_project(project, read_only=False) as opened, Bars() as bars:
        draft = preview(
            opened,
            SnapshotWish(**wish),
            lambda done, of: bars(Progress("pictures", done, of, "pictures")),
        )
        if dry:
            _dry(draft, as_json)
            return
        snapshot = keep(opened, draft, name)
    _print(snapshot.path, snapshot.manifest, as_json)


def _select(names: Sequence[str], settings: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """The selectors as `SnapshotWish` takes them.

    Raises:
        InputError: an argument belongs to no selector, or does not say to which.
    """
    tables: dict[str, dict[str, Any]] = {name: {"part": name} for name in names}
    for change in settings:
        key, value = key_value(change)
        name, dot, argument = key.rpartition(".")
        if not dot and len(tables) == 1:
            name = next(iter(tables))
        if name not in tables:
            chosen = ", ".join(tables) or "none"
            raise InputError(
                f"--set {change} belongs to no selector; chosen are: {chosen}. Write "
                "--select NAME --set KEY=VALUE, or with several selectors --set NAME.KEY=VALUE"
            )
        tables[name][argument] = value
    return tuple(tables.values())


def _dry(draft: Preview, as_json: bool) -> None:
    examples, left_out, pairs = draft.examples, draft.left_out, draft.pairs
    if as_json:
        left = {row.reason: row.count for row in left_out}
        more = {"pairs": len(pairs)} if draft.wish.pairs else {}
        print(json.dumps({"rows": len(examples), **more, "left_out": left}, indent=1))
        return
    out = console()
    rationales = sum(example.rationale is not None for example in examples)
    beside = f", and {len(pairs)} preference pairs" if draft.wish.pairs else ""
    out.print(
        f"would hold {len(examples)} questions, {rationales} with a rationale{beside}; nothing is "
        "written"
    )
    _left_out(out, left_out)


def list_(project: Path | None, as_json: bool) -> None:
    """Print the project's snapshots, the newest first."""
    with open_project(project, read_only=True) as opened:
        rows = snapshots.snapshot_rows(opened.database)
    if as_json:
        records = [
            {
                "hash": s.hash,
                "name": s.name,
                "created_at": s.created_at.replace(tzinfo=UTC).isoformat(),
                **s.counts,
            }
            for s in rows
        ]
        print(json.dumps(records, indent=1))
        return
    if not rows:
        console().print("no snapshot was taken yet; take one with: vpd snapshot")
        return
    table = Table(box=SIMPLE, pad_edge=False)
    for title in ("hash", "name", "taken", "questions", "rationales", "pictures"):
        table.add_column(
            title, justify="right" if title in ("questions", "rationales", "pictures") else "left"
        )
    for row in rows:
        numbers = (str(row.counts[key]) for key in ("rows", "rationales", "pictures"))
        table.add_row(row.hash[:12], Text(safe(row.name, 40)), local_time(row.created_at), *numbers)
    console().print(table)


def show(which: str, project: Path | None, as_json: bool) -> None:
    """Print what a snapshot contains, and what was left out.

    Args:
        which: name of a snapshot, or the beginning of its hash.
        project: folder of the project; None takes the one around the current folder.
        as_json: print JSON instead of text.
    """
    with open_project(project, read_only=True) as opened:
        folder = folder_of(opened, which)
    snapshot = Snapshot.open(folder)
    _print(folder, snapshot.manifest, as_json)


def _print(folder: Path, manifest: Manifest, as_json: bool) -> None:
    if as_json:
        print((folder / "manifest.json").read_text(encoding="utf-8"))
        return
    out = console()
    content, counts = manifest.content, manifest.content.counts
    sides = ", ".join(f"{content.rows[split]['count']} {split}" for split in ("train", "val"))
    out.print(
        f"snapshot {manifest.hash}" + (f" ({safe(manifest.name, 80)})" if manifest.name else "")
    )
    out.print(f"  {safe(folder)}")
    out.print(
        f"  {counts['rows']} questions ({sides}), {counts['rationales']} with a rationale, "
        f"{counts['edited']} edited, "
        f"{counts['pictures']} pictures"
    )
    if content.pairs:
        tallies = (_tally(content.pairs[title]) for title in ("sides", "kinds", "origins"))
        out.print(f"  {content.pairs['count']} preference pairs: {'; '.join(tallies)}")
    for title in ("kinds", "families", "sources", "reviewers"):
        if counts[title]:
            out.print(f"  {title}: {_tally(counts[title])}")
    leak = content.leakage
    for one in content.filter.get("select", ()):
        arguments = ", ".join(f"{key} {value}" for key, value in one["arguments"].items())
        out.print(f"  weighed by {safe(one['name'])}" + (f" ({safe(arguments)})" * bool(arguments)))
    if leak:
        out.print(
            f"  against {leak['pictures']} pictures of evaluation sets "
            f"({safe(', '.join(leak['splits'])) or 'none'}): "
            f"{leak['same']} the same, {leak['near']} alike, {_ACTION[leak['action']]}"
        )
    _left_out(out, content.left_out)


_ACTION = {"leave-out": "left out", "keep": "kept", "stop": "none may be"}


def _tally(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{safe(name or 'none', 60)} {number}" for name, number in counted.items())


def _left_out(out: Console, left_out: Sequence[LeftOut]) -> None:
    for row in left_out:
        out.print(
            f"  left out: {row.count} ({safe(row.reason)}), "
            f"for example {safe(', '.join(row.examples[:2]), 120)}"
        )
