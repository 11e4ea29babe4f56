"""The process of one job of `loop_jobs`: `python -m workbench.pipeline.loop_job FOLDER`."""

from __future__ import annotations

import signal
import sys
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from workbench import registry
from workbench.errors import InputError, WorkbenchError
from workbench.pipeline import importing
from workbench.pipeline.loop import run
from workbench.pipeline.loop_jobs import LoopWish, read_wish
from workbench.pipeline.progress import Progress
from workbench.pipeline.report import costs
from workbench.ports import HasSplits
from workbench.records import JSON
from workbench.settings import Choice
from workbench.store import STAGES, Project
from workbench.store.records import sources
from workbench.store.records.sources import SourceSelection
from workbench.train.status_files import STATUS, read_json, write_json

EVERY = 0.3
"""Seconds between two notes of how far a stage is."""


class StatusFile:
    """Tells how far a job is, in its folder; called with the `Progress` of the loop.

    Args:
        folder: of the job.
        wish: what it does.
    """

    def __init__(self, folder: Path, wish: LoopWish) -> None:
        self._path = folder / STATUS
        self._questions = wish.questions
        self._stages = STAGES if wish.work == "run" else ("import",)
        self._status: dict[str, JSON] = {
            "state": "running",
            "began": read_json(self._path).get("began", time.time()),
        }
        self._stage, self._begin, self._said = "", 0.0, 0.0
        self.costs: Mapping[str, float | None] = {}
        """Seconds of a question in each stage of the loop, as earlier runs had it."""

    def say(self, **changes: JSON) -> None:
        """Change what the file holds."""
        self._status.update(changes)
        write_json(self._path, {**self._status, "at": time.time()})

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        fresh = progress.stage != self._stage
        if fresh:
            self._stage, self._begin = progress.stage, now
        elif now - self._said < EVERY and progress.done < progress.total:
            return
        self._said = now
        stage_left = None
        if progress.done and progress.total:
            stage_left = (now - self._begin) / progress.done * (progress.total - progress.done)
        with suppress(OSError):  # a full disk is noticed where something is lost
            self.say(
                stage=progress.stage,
                done=progress.done,
                total=progress.total,
                unit=progress.unit,
                stage_left=stage_left,
                left=self._left(progress.stage, stage_left),
            )

    def _left(self, stage: str, stage_left: float | None) -> float | None:
        """Seconds until all stages are done; None where a part of them is unknown."""
        if stage not in self._stages:  # programs that are written again, however many that will be
            return None
        later = [self.costs.get(one) for one in self._stages[self._stages.index(stage) + 1 :]]
        costs_of = [one for one in later if one is not None]
        if stage_left is None or len(costs_of) < len(later):
            return None
        return stage_left + self._questions * sum(costs_of)


def main(folder: Path) -> None:
    """Do a job and leave word of how it ended.

    Args:
        folder: of the job, in the folder `runs` of its project.
    """
    for name in (signal.SIGINT, signal.SIGTERM):
        # a shell's background process, and all that it starts, would not hear them
        signal.signal(name, signal.default_int_handler)
    wish = read_wish(folder)
    if wish is None:
        raise SystemExit(f"{folder} holds no job")
    status = StatusFile(folder, wish)
    try:
        with Project.open(folder.parent.parent) as project:
            notes = (_import if wish.work == "import" else _run)(project, wish, status)
        status.say(state="done", notes=notes)
    except KeyboardInterrupt:
        status.say(state="stopped")
    except WorkbenchError as error:
        status.say(state="failed", problem=str(error))
    except Exception as error:
        traceback.print_exc()
        status.say(
            state="failed",
            problem=f"A fault of the workbench or of a part: {type(error).__name__}: {error}. "
            f"More stands in {folder / 'log.txt'}; what was written is kept.",
        )


def _run(project: Project, wish: LoopWish, status: StatusFile) -> list[JSON]:
    """Bring questions through the loop; returns what was done, in sentences."""
    status.costs = {
        stage: cost.per_question for stage, cost in costs(project, project.scope()).items()
    }
    status.say(stage="load")
    summary = run(project, wish.limit, wish.k, progress=status, split=wish.split)
    rows = {stage: done.rows for stage, done in summary.done.items()}
    if not any(rows.values()):
        return ["Nothing was left to do.", *summary.notes]
    words = {
        "import": "questions imported",
        "sample": "programs written",
        "execute": "programs run",
        "verify": "programs judged",
        "repair": "programs written again",
        "rationalize": "rationales",
        "predict": "answers of the student",
    }
    sentence = ", ".join(f"{rows[stage]} {words[stage]}" for stage in rows if rows[stage])
    return [f"{sentence}.", *summary.notes]


def _import(project: Project, wish: LoopWish, status: StatusFile) -> list[JSON]:
    """Add questions of a source; returns what was done, in sentences."""
    choice = Choice(wish.source, wish.arguments)
    source = registry.build("source", choice.part, **choice.arguments)
    if wish.split is not None and isinstance(source, HasSplits) and wish.split not in source.splits:
        raise InputError(
            f"{choice.part} has no split '{wish.split}'; it has: {', '.join(source.splits)}"
        )
    if choice not in project.sources():
        project.add_source(choice)
    if wish.selected is not None:
        selection = SourceSelection(choice, wish.split, wish.selected)
        sources.select(project.database, selection)
    result = importing.import_tasks(
        project,
        choice,
        wish.split,
        wish.limit,
        lambda done, total: status(Progress("import", done, total, "questions")),
    )
    of = f" in split {wish.split}" if wish.split is not None else ""
    notes: list[JSON] = [f"{result.added} questions added."]
    if project.count_tasks(wish.split) < wish.limit:
        notes.append(f"{choice.part.rpartition('/')[2]} holds no more{of}.")
    if result.bad:
        notes.append(f"{result.bad} rows were left out; the table bad_row says why.")
    if result.changed:
        notes.append(
            f"{len(result.changed)} questions differ from those imported before and were left as "
            f"they are, for example {result.changed[0]}."
        )
    return notes


if __name__ == "__main__":
    main(Path(sys.argv[1]))
