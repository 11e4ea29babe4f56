"""Synthesizers at work: places of pictures in, new questions in the project, refusals as rows.

A new question names the question, the picture and the place that it comes from, and the part that
made it.  It goes through the stages of the loop like any other.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from PIL.Image import Image

from workbench import registry
from workbench.boxes import Box
from workbench.english import plural
from workbench.errors import InputError, ProfileError, ToolFailure
from workbench.images import digest_of
from workbench.pipeline.documents import documents
from workbench.pipeline.parts import Parts
from workbench.pipeline.splits import evaluates
from workbench.ports import LanguageModel, Tool
from workbench.recipes.ports import (
    EarlierCall,
    EarlierRun,
    LabelledRegion,
    ReadsDocuments,
    ReadsRuns,
    SynthesizedQuestion,
    Synthesizer,
)
from workbench.records import PartRef, Region, Task, ToolCall, Trace, Value, content_key, plain
from workbench.store import Project
from workbench.tasks.fields import answer_type
from workbench.tasks.rows import Bad
from workbench.verify.answers import RIGHT, same, score

TOOL = "visual_question_answering"
"""The tool of the profile that looks at regions."""
FORMAT = "PNG"
"""A red frame in a JPEG bleeds into what it frames."""

Watch = Callable[[int, int], None]
"""Called with how many candidates of how many were judged."""


@dataclass(frozen=True, slots=True)
class Synthesis:
    """What a synthesizer made."""

    part: PartRef
    candidates: int
    added: int
    present: int
    """Questions that the project had already."""
    refused: Mapping[str, int]
    """By reason, without its numbers."""
    agreed: int
    """Candidates with an agreed answer that the whole picture was asked for too."""
    unzoomed: int
    """Those of them that the whole picture answers alike."""

    @property
    def gap(self) -> float | None:
        """The zooming gap: the share of agreed answers that the whole picture does not give."""
        return 1 - self.unzoomed / self.agreed if self.agreed else None


def synthesize(
    project: Project,
    name: str,
    arguments: Mapping[str, Any] | None = None,
    limit: int | None = None,
    watch: Watch | None = None,
) -> Synthesis:
    """Let a synthesizer make questions from what the project's kept runs have seen.

    Args:
        project: open for writing.
        name: of the synthesizer.
        arguments: of the synthesizer.
        limit: number of candidates; None takes every place there is.
        watch: called as the work goes on.

    Raises:
        ProfileError: there is no such synthesizer, it does not take these arguments, or the
            profile has no tool that looks at regions.
        InputError: no kept run has seen a place, or no run has ended with an answer.
    """
    synthesizer: Synthesizer | ReadsRuns | ReadsDocuments = registry.build(
        "synthesizer", name, **(arguments or {})
    )
    with closing(_Room(project, getattr(synthesizer, "language", ""))) as room:
        proposals, total = _proposals(project, synthesizer, room, limit)
        candidates = []
        for one in proposals:
            candidates.append(one)
            if not one.reason:
                room.take(one.picture)
            if watch is not None:
                watch(len(candidates), max(total, len(candidates)))
    return _store(project, synthesizer.ref, candidates)


def _proposals(
    project: Project,
    synthesizer: Synthesizer | ReadsRuns | ReadsDocuments,
    room: _Room,
    limit: int | None,
) -> tuple[Iterator[SynthesizedQuestion], int]:
    """The candidates as they are made, and how many there may be.

    Args:
        project: open for writing.
        synthesizer: makes them.
        room: what it is lent.
        limit: number of candidates; None for all.
    """
    if isinstance(synthesizer, ReadsDocuments):
        pages = documents(synthesizer.folder, room)
        candidates = islice(synthesizer.from_documents(pages, room), limit)
        return candidates, limit or sum(len(one.pictures) for one in pages)
    if isinstance(synthesizer, ReadsRuns):
        runs = list(earlier_runs(project))
        if not runs:
            raise InputError(
                "no program of a question to train on has ended with an answer, so there is "
                "nothing to learn from; run more questions first: vpd run"
            )
        return islice(synthesizer.from_runs(runs, room), limit), limit or len(runs)
    regions = list(places(project))[:limit]
    if not regions:
        raise InputError(
            "no kept run of a question to train on has found anything, so there is no place to ask "
            "about; run more questions first: vpd run"
        )
    return synthesizer.propose(regions, room), len(regions)


def earlier_runs(project: Project) -> Iterator[EarlierRun]:
    """The runs of questions for training that ended with an answer, each answer to one once."""
    kept = {one.task_id: one.chosen for one in project.outcomes()}
    for task, runs in project.runs(list(kept), project.scope()):
        if evaluates(task.split) or task.more_images:
            continue  # a question that is made is about one picture
        whole = project.images.whole(task.image)
        origin = LabelledRegion(task.id, task.split, whole)
        noted: set[str] = set()
        for program, trace in sorted(runs, key=lambda run: run[1].id != kept[task.id]):
            if trace.answer is None or trace.answer in noted:
                continue
            noted.add(trace.answer)
            judged = score(task, trace.answer)
            yield EarlierRun(
                origin,
                task.question,
                trace.answer,
                judged.score >= RIGHT if task.answers else None,
                program.source,
                tuple(_calls(trace, whole)),
            )


def _calls(trace: Trace, whole: Region) -> Iterator[EarlierCall]:
    """What tools said in a run, in the order of their results."""
    begun = {event.payload["call"]: event.payload for event in trace.events if event.kind == "tool"}
    for event in trace.events:
        call = begun.get(event.payload.get("call")) if event.kind == "tool_result" else None
        if call is None or not event.payload.get("ok"):
            continue
        box = (call.get("receiver") or {}).get("box")
        yield EarlierCall(
            str(call["tool"]),
            tuple(str(one) for one in call.get("arguments", {}).values() if isinstance(one, str)),
            box is None or tuple(map(float, box)) == (0.0, 0.0, whole.width, whole.height),
            _as_text(event.payload.get("result")),
        )


def _as_text(result: Any) -> str | None:
    """What a tool said, as an answer; None where it is no short word."""
    if isinstance(result, bool):
        return "yes" if result else "no"
    if isinstance(result, str | int | float):
        return str(result)
    if isinstance(result, Mapping) and result.get("type") == "list":
        return str(result["length"])
    return None


def places(project: Project) -> Iterator[LabelledRegion]:
    """What the kept runs of questions for training have found, each place of a picture once."""
    kept = [one.chosen for one in project.outcomes() if one.chosen is not None]
    noted: set[tuple[str, tuple[float, ...], str]] = set()
    for task, _, trace in project.traced(kept):
        if evaluates(task.split):
            continue
        wholes = [project.images.whole(digest) for digest in task.images]
        for event in trace.events:
            if event.kind != "tool_result":
                continue
            for patch in _patches(event.payload.get("result")):
                box, label = tuple(map(float, patch["box"])), str(patch["label"])
                whole = wholes[int(patch.get("picture", 0))]
                if (whole.image, box, label) not in noted:
                    noted.add((whole.image, box, label))
                    region = Region(whole.image, whole.width, whole.height, Box(*box), label)
                    yield LabelledRegion(task.id, task.split, region)


def _patches(result: Any) -> Iterator[Mapping[str, Any]]:
    """Every named patch within the summary of a tool's result."""
    if isinstance(result, Mapping):
        if result.get("type") == "patch" and result.get("label"):
            yield result
        for item in result.get("items", ()):
            yield from _patches(item)


class _Room:
    """The models and pictures of a project, as a synthesizer uses them."""

    def __init__(self, project: Project, language: str) -> None:
        self._project, self._language = project, language
        self._parts = Parts(project.profile(), project.images)
        self._new: set[str] = set()
        """Digests of pictures that no question has yet."""

    def close(self) -> None:
        """End what was started, and remove the pictures that no question was taken about."""
        self._parts.close()
        for digest in self._new:
            path = self._project.images.path(digest)
            if path is not None:
                path.unlink()

    def take(self, digest: str) -> None:
        """Leave a new picture in the project, for a question about it."""
        self._new.discard(digest)

    @cached_property
    def _tool(self) -> Tool:
        for tool in self._parts.tools:
            if tool.spec.name == TOOL:
                return tool
        names = ", ".join(tool.spec.name for tool in self._parts.tools) or "none"
        raise ProfileError(
            f"the profile has no tool '{TOOL}', which looks at the places that are asked about; it "
            f"has: {names}"
        )

    def answer(self, regions: Sequence[Region], questions: Sequence[str]) -> Sequence[str | None]:
        """The answer of the profile's tool to each question about a region; None without one."""
        (parameter, *_) = self._tool.spec.parameters
        calls = [
            ToolCall(TOOL, {"patch": region, parameter.name: question})
            for region, question in zip(regions, questions, strict=True)
        ]
        answers: list[Value | ToolFailure] = []
        for at in range(0, len(calls), self._tool.batch_size):
            answers += self._tool(calls[at : at + self._tool.batch_size], self._project.images)
        return [None if isinstance(one, ToolFailure) else str(one) for one in answers]

    def open(self, digest: str) -> Image:
        """A whole picture, RGB."""
        return self._project.images.open(digest)

    def keep(self, picture: Image) -> Region:
        """Store a new picture; returns the region that shows all of it."""
        data = io.BytesIO()
        picture.save(data, FORMAT)
        digest = hashlib.sha256(data.getvalue()).hexdigest()
        if self._project.images.path(digest) is None:
            self._new.add(self._project.images.add_bytes(data.getvalue(), "a picture with a box"))
        return self._project.images.whole(digest)

    def keep_file(self, path: Path) -> Region:
        """Store a picture's file; returns the region that shows all of it.

        Raises:
            ImageError: there is no such picture, or it cannot be read.
        """
        digest = digest_of(path)
        if self._project.images.path(digest) is None:
            self._new.add(self._project.images.add(path))
        return self._project.images.whole(digest)

    def write(self, prompts: Sequence[str]) -> Sequence[str]:
        """What the synthesizer's language model writes to each prompt."""
        if not self._language:
            raise ProfileError(
                "this synthesizer has no model that can write; name one: --set language=openai"
            )
        model: LanguageModel = registry.build("language", self._language)
        return model.complete(prompts, 40)

    def plural(self, noun: str) -> str:
        """A noun as it stands behind `how many`."""
        return plural(noun)

    def alike(self, answer: str, other: str) -> bool:
        """Whether two answers say the same, as the verifier compares them."""
        return same(answer, other, Task("", "", "", "", "", (other,), answer_type((other,))))


def _store(project: Project, part: PartRef, candidates: Sequence[SynthesizedQuestion]) -> Synthesis:
    tasks = [_task(part, one) for one in candidates if not one.reason]
    refused = [one for one in candidates if one.reason]
    added, _ = project.add_tasks(tasks)
    project.add_bad_rows(part.name, [Bad(_name(part, one), 0, one.reason) for one in refused])
    judged = [one for one in candidates if "easy" in one.facts]
    return Synthesis(
        part,
        len(candidates),
        added,
        len(tasks) - added,
        dict(Counter(_plain_reason(one.reason) for one in refused)),
        len(judged),
        sum(bool(one.facts["easy"]) for one in judged),
    )


def _plain_reason(reason: str) -> str:
    """A reason with its numbers left out, so that rows of one kind are counted together."""
    return " ".join("N" if any(map(str.isdigit, word)) else word for word in reason.split())


def _name(part: PartRef, one: SynthesizedQuestion) -> str:
    """An id that is the same when the same candidate is made again."""
    made_of = (plain(part), plain(one.origin.region), one.question)
    return f"{part.name}/{content_key(*made_of)}"


def _task(part: PartRef, one: SynthesizedQuestion) -> Task:
    """A question as the loop takes it, with all that it comes from."""
    origin = one.origin
    return Task(
        id=_name(part, one),
        source=part.name,
        split=origin.split,
        image=one.picture,
        question=one.question,
        answers=(one.answer,),
        answer_type=answer_type((one.answer,)),
        family="region",
        meta={
            "synthesizer": plain(part),
            "from_question": origin.task_id,
            "from_picture": origin.region.image,
            "place": plain(origin.region),
            **dict(one.facts),
        },
    )
