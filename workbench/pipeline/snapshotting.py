"""From a project to a training snapshot: what enters, what stays out and why, and each side."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from msgspec import Meta

from workbench.errors import SnapshotError
from workbench.pipeline.crediting import poor_tasks
from workbench.pipeline.leaking import NAMED, leaks, look
from workbench.pipeline.pairing import PairDraft, drafts, finished_pairs
from workbench.pipeline.selecting import selectors, weigh
from workbench.pipeline.splits import evaluates
from workbench.records import JSON, REASON_WORDS, Reason, Task, plain
from workbench.schema import check
from workbench.several_pictures import images_of
from workbench.snapshot import (
    NEAR,
    Example,
    LeftOut,
    Picture,
    Snapshot,
    Split,
    boxes_in,
    sides,
    write,
)
from workbench.snapshot.pair import Pair
from workbench.store import Project
from workbench.store.reading import snapshots
from workbench.store.reading.snapshots import Target
from workbench.verify.answers import same

FOLDER = "snapshots"
_BAD_QUESTION = ("ambiguous", "bad_gold", "unsafe")
"""Reasons of a rejection after which not even the label is taught."""


Accepted = Literal["person", "automatic", "both"]
"""`person`: what people accepted.  `automatic`: traces that the verifier kept, with a faithful
rationale.  `both`: a person's word where there is one, else the verifier's.
"""


@dataclass(frozen=True, slots=True)
class SnapshotWish:
    """What a snapshot is to hold.  Its values stand in the manifest and count for the hash."""

    accepted: Accepted = "person"
    """Whose decisions count."""
    text: str = ""
    """A query as in Browse; all tasks when empty."""
    splits: tuple[str, ...] = ()
    """Tasks of these splits are trained on; when empty, of every split that is not for evaluation.
    A split whose name begins with `val`, `dev` or `test` is for evaluation, unless it is named
    here.
    """
    evaluation_sources: tuple[str, ...] = ()
    """Sources that are for evaluation, whatever their split."""
    labels: bool = False
    """Labelled tasks without a target come in as well, to teach the label alone."""
    agreed: bool = False
    """With `automatic`: traces kept by agreement, without a label, come in as well."""
    bare: bool = False
    """With `automatic`: rationales that say no more than the answer are targets as well."""
    flagged: bool = False
    """With `automatic`: traces that the checks for wrong reasons flag come in as well."""
    repaired: bool = False
    """With `automatic`: where no sampled program is right, one that was written again and is right
    comes in.
    """
    least_credit: Annotated[float, Meta(ge=-1, le=1)] | None = None
    """With `automatic`: traces whose tool calls have less credit on average stay out, as far as it
    is known (see `evaluate.wrong_reasons.credit`).
    """
    pairs: bool = False
    """Preference pairs come in as well: by people, and unless `accepted` is `person` by verdicts
    and checks where nobody has spoken.
    """
    leakage: Literal["leave-out", "stop", "keep"] = "leave-out"
    """What is done about a picture that an evaluation set has too, or a copy of it."""
    near: Annotated[int, Meta(ge=0, le=32)] = NEAR
    """Bits of 128 in which the fingerprints of copies differ at most (see
    `workbench.snapshot.pictures`).
    """
    val: Annotated[float, Meta(ge=0, lt=1)] = 0.1
    """Share of pictures held out for validation."""
    seed: int = 0
    """Of the division into train and val."""
    select: tuple[dict[str, Any], ...] = ()
    """Selectors that weigh the training side, each as a table with its name under `part`."""

    def __post_init__(self) -> None:
        check(self, "this snapshot cannot be taken")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a snapshot would hold."""

    wish: SnapshotWish
    examples: tuple[Example, ...]
    left_out: tuple[LeftOut, ...]
    leakage: Mapping[str, JSON]
    parts: tuple[Mapping[str, JSON], ...]
    as_of: str | None
    """Id of the last decision taken into account."""
    pairs: tuple[Pair, ...] = ()


def take(
    project: Project,
    wish: SnapshotWish,
    name: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Snapshot:
    """Write a snapshot and note it; the same content gives the snapshot that is there already.

    Args:
        project: open for writing.
        wish: what the snapshot is to hold.
        name: what a person calls it.
        progress: called with how many pictures of how many have been looked at.

    Raises:
        InputError: the query is wrong; or a picture leaks and `leakage` is `stop`.
        SnapshotError: nothing fits (the text says why); or it cannot be written.
    """
    return keep(project, preview(project, wish, progress), name)


def keep(project: Project, content: Preview, name: str = "") -> Snapshot:
    """Write what `preview` gives, and note it.

    Args:
        project: open for writing.
        content: what the snapshot holds.
        name: what a person calls it.

    Raises:
        SnapshotError: as `take`.
    """
    if not content.examples and not content.pairs:
        why = (
            "; ".join(f"{row.count} left out: {row.reason}" for row in content.left_out)
            or "there are no tasks"
        )
        raise SnapshotError(
            f"nothing fits, so there is no snapshot to take ({why}); decide on more (vpd app, "
            "Curate), or take what the verifier kept: vpd snapshot --automatic"
        )
    if content.wish.select and not any(one.split == "train" for one in content.examples):
        why = "; ".join(f"{row.count} left out: {row.reason}" for row in content.left_out)
        raise SnapshotError(
            f"the selectors leave no row to train on ({why}); take the snapshot without --select, "
            "or answer the questions with programs and student first: vpd run"
        )
    images = images_of(content.examples) | {one.image for one in content.pairs}
    pictures = {image: project.images.path(image) for image in images}
    snapshot = write(
        project.path / FOLDER,
        content.examples,
        {digest: path for digest, path in pictures.items() if path is not None},
        filter=_filter(content.wish),
        left_out=content.left_out,
        leakage=content.leakage,
        parts=content.parts,
        name=name,
        as_of=content.as_of,
        pairs=content.pairs,
    )
    snapshots.register(project.database, snapshot)
    if name:
        snapshots.rename(project.database, snapshot.hash, name)
    return snapshot


_LATER = {"repaired": False, "pairs": False, "least_credit": None, "select": ()}
"""Fields of a wish that came after the first snapshots.  At these values they are left out of the
manifest, so that a wish of then gives the hash of then.
"""


def _filter(wish: SnapshotWish) -> dict[str, JSON]:
    """The wish as the manifest keeps it, each selector as the part that it is."""
    values = {key: value for key, value in asdict(wish).items() if _LATER.get(key, ...) != value}
    if wish.select:
        values["select"] = [plain(one.ref) for one in selectors(wish.select)]
    kept: dict[str, JSON] = plain(values)
    return kept


def preview(
    project: Project, wish: SnapshotWish, progress: Callable[[int, int], None] | None = None
) -> Preview:
    """What would enter, and what would not and why; only fingerprints of pictures are written.

    Args:
        project: open for writing.
        wish: what the snapshot is to hold.
        progress: called with how many pictures of how many have been looked at.

    Raises:
        InputError: as `take`.
    """
    database = project.database
    as_of = snapshots.last_decision(database)
    splits = sorted(
        split
        for split in snapshots.splits(database)
        if split not in wish.splits and evaluates(split)
    )
    left: _LeftOutIds = defaultdict(list)
    candidates = _candidates(project, wish, splits, left)
    held_out = snapshots.evaluation_images(database, splits, wish.evaluation_sources)
    pairs = _pair_drafts(project, wish, splits, left)
    ours = images_of(candidates) | {task.image for task, _ in pairs}
    pictures = look(project, ours, held_out, progress)
    leaking, leakage = leaks(pictures, ours, held_out, wish.leakage, wish.near)
    unreadable = dict.fromkeys(ours - set(pictures), "its picture is missing or cannot be read")
    fitting = _without_pictures(candidates, {**leaking, **unreadable}, left)
    pairs = [pair for pair in pairs if pair[0].image not in {**leaking, **unreadable}]
    images = images_of(fitting) | {task.image for task, _ in pairs}
    linked = [one.images for one in fitting]
    side_of = sides([pictures[image] for image in images], wish.val, wish.seed, wish.near, linked)
    examples = [_example(one, pictures, side_of[one.images[0]]) for one in fitting]
    weighed = weigh(project, wish.select, examples, progress)
    for reason, ids in weighed.left_out.items():
        left[reason] += ids
    return Preview(
        wish=wish,
        examples=weighed.examples,
        left_out=tuple(
            LeftOut(why, len(ids), tuple(sorted(ids)[:NAMED])) for why, ids in sorted(left.items())
        ),
        leakage={"splits": splits, "sources": sorted(wish.evaluation_sources), **leakage},
        parts=_parts(project, fitting),
        as_of=as_of,
        pairs=finished_pairs(project, pairs, pictures, side_of),
    )


def _parts(project: Project, fitting: Sequence[_Chosen]) -> tuple[Mapping[str, JSON], ...]:
    """The parts that made what enters."""
    targets = [one.target for one in fitting if one.target is not None]
    keys = sorted({key for target in targets for key in target.parts})
    return tuple(plain(project.parts[key]) for key in keys)


_LeftOutIds = defaultdict[str, list[str]]
"""Ids of tasks that are left out, by the reason."""


def _candidates(
    project: Project, wish: SnapshotWish, evaluation: Sequence[str], left: _LeftOutIds
) -> list[_Chosen]:
    """Tasks that enter if their picture may; the others are added to `left`."""
    database = project.database
    ids = project.browse_ids(wish.text) if wish.text.strip() else None
    rows = snapshots.tasks(database, ids)
    people = {target.task_id: target for target in snapshots.decided_targets(database)}
    machine = {target.task_id: target for target in snapshots.kept(database, project.scope())}
    if wish.repaired:
        for target in snapshots.repaired(database, project.scope()):
            if target.task_id in machine and machine[target.task_id].state == "wrong":
                machine[target.task_id] = target
    traces = [t.trace_id for t in machine.values() if t.trace_id is not None]
    poor = poor_tasks(project, None if wish.accepted == "person" else wish.least_credit, traces)
    candidates = []
    for row in rows:
        why, id = _outside(row, wish, evaluation), row["id"]
        verdict = why or _decide(row, people.get(id), machine.get(id), wish, id in poor)
        if isinstance(verdict, str):
            left[verdict].append(row["id"])
        else:
            candidates.append(verdict)
    return candidates


def _pair_drafts(
    project: Project, wish: SnapshotWish, evaluation: Sequence[str], left: _LeftOutIds
) -> list[tuple[Task, PairDraft]]:
    """Pairs of questions that may be trained on, with their questions; why others have none is
    added to `left`.
    """
    if not wish.pairs:
        return []
    database = project.database
    ids = project.browse_ids(wish.text) if wish.text.strip() else None
    people = snapshots.decided_targets(database)
    bad = {
        target.task_id: _ruling_words(target)
        for target in people
        if target.state == "rejected" and target.reason in _BAD_QUESTION
    }
    of_task = drafts(project, wish.flagged, wish.accepted == "person", bad)
    pairs = []
    for row in snapshots.tasks(database, ids):
        if _outside(row, wish, evaluation):
            continue  # told of its example
        result = of_task.get(row["id"], "its programs have not run yet")
        if row["more_images"]:
            result = "a pair is about one picture, and the question has several"
        if isinstance(result, str):
            left[f"no pair: {result}"].append(row["id"])
        else:
            pairs += [(_task(row), draft) for draft in result]
    return pairs


def _without_pictures(
    candidates: Sequence[_Chosen], reasons: Mapping[str, str], left: _LeftOutIds
) -> list[_Chosen]:
    """The candidates whose picture has no reason to stay out; the others are added to `left`."""
    fitting = []
    for one in candidates:
        reason = next((reasons[image] for image in one.images if image in reasons), None)
        if reason is not None:
            left[reason].append(one.row["id"])
        else:
            fitting.append(one)
    return fitting


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A task that enters if its picture may."""

    row: Mapping[str, Any]
    target: Target | None
    kind: Literal["person", "automatic", "label"]

    @property
    def images(self) -> tuple[str, ...]:
        """Digests of the pictures of its question, in order."""
        return (self.row["image"], *self.row["more_images"])


def _outside(row: Mapping[str, Any], wish: SnapshotWish, evaluation: Sequence[str]) -> str:
    """Why a task is not looked at; empty when it is."""
    if row["split"] in evaluation or row["source"] in wish.evaluation_sources:
        return "it is of an evaluation set (name its split to train on it)"
    return (
        "it is of a split that was not named"
        if wish.splits and row["split"] not in wish.splits
        else ""
    )


def _decide(
    row: Mapping[str, Any],
    person: Target | None,
    machine: Target | None,
    wish: SnapshotWish,
    is_poor: bool,
) -> _Chosen | str:
    """The task with its target, or the reason why it is left out.

    Args:
        row: of the task.
        person: what people say of it.
        machine: what the verifier says of it.
        wish: what the snapshot is to hold.
        is_poor: the tool calls of what the verifier kept have too little credit.
    """
    ruling = person if wish.accepted != "automatic" else None
    if ruling is not None and ruling.state == "accepted":
        return _Chosen(row, ruling, "person")
    if ruling is not None and (ruling.state != "pending" or ruling.waiting):
        why = _ruling_words(ruling)
    elif wish.accepted == "person":
        why = "nobody has decided on it yet"
    else:
        poor = f"its tool calls have less than {wish.least_credit} credit on average"
        why = _kept_words(machine, wish) or poor * is_poor
        if not why:
            return _Chosen(row, machine, "automatic")
    bad = person is not None and person.state == "rejected" and person.reason in _BAD_QUESTION
    return _Chosen(row, None, "label") if wish.labels and row["answers"] and not bad else why


def _ruling_words(person: Target) -> str:
    if person.state == "rejected":
        words = REASON_WORDS.get(cast("Reason", person.reason), "no reason given")
        return f"rejected: {words}"
    return {"skipped": "skipped by its reviewer", "disputed": "its reviewers disagree"}.get(
        person.state, "another reviewer has to decide too"
    )


def _kept_words(machine: Target | None, wish: SnapshotWish) -> str:
    """Why what the verifier kept does not enter; empty when it does."""
    if machine is None:
        return "its programs are not judged yet"
    if machine.state == "wrong":
        return "no program was right"
    if machine.state == "agreed" and not wish.agreed:
        return "kept by agreement alone, without a label"
    if machine.rationale is None:
        return "its trace has no rationale yet"
    if not machine.faithful:
        return "its rationale says what the trace does not support"
    if machine.flagged and not wish.flagged:
        return "its trace may be right for the wrong reason (asked for with flagged)"
    if machine.bare and not wish.bare:
        return "its rationale says no more than the answer (asked for with bare)"
    return ""


def _example(one: _Chosen, pictures: Mapping[str, Picture], side: Split) -> Example:
    row, target = one.row, one.target
    picture, *others = (pictures[image] for image in one.images)
    same = {name: row[name] for name in ("source", "family", "question", "answer_type", "image")}
    common = {
        **same,
        "task_id": row["id"],
        "task_split": row["split"],
        "split": side,
        "choices": tuple(row["choices"]),
        "answer": answer_to_teach(_task(row), target),
        "answers": tuple(row["answers"]),
        "width": picture.width,
        "height": picture.height,
        "kind": one.kind,
        "more_images": tuple(other.digest for other in others),
        "more_sizes": tuple((other.width, other.height) for other in others),
    }
    if target is None:
        return Example(
            **common,
            rationale=None,
            boxes=(),
            program=None,
            trace_id=None,
            program_id=None,
            rationale_id=None,
            edited=False,
            reviewers=(),
            guideline=None,
        )
    names = (
        "rationale",
        "program",
        "trace_id",
        "program_id",
        "rationale_id",
        "edited",
        "reviewers",
        "guideline",
    )
    return Example(
        **common,
        boxes=boxes_in(target.rationale or ""),
        **{name: getattr(target, name) for name in names},
    )


def _task(row: Mapping[str, Any]) -> Task:
    names = ("id", "source", "split", "image", "question", "answer_type", "family")
    return Task(
        **{name: row[name] for name in names},
        answers=tuple(row["answers"]),
        choices=tuple(row["choices"]),
        more_images=tuple(row["more_images"]),
    )


def answer_to_teach(task: Task, target: Target | None) -> str:
    """The commonest gold answer, the first of equals; the trace's own where there is no label.

    A person may accept a trace whose answer is not a gold one.  Then its answer is taught: label
    and rationale of one example never contradict each other.
    """
    answer = target.answer if target is not None else None
    if not task.answers:
        return answer or ""
    fits = (
        target is None
        or target.right
        or answer is None
        or any(same(answer, gold, task) for gold in task.answers)
    )
    return Counter(task.answers).most_common(1)[0][0] if fits else str(answer)


def folder_of(project: Project, which: str) -> Path:
    """The folder of a snapshot by its name, its hash or the beginning of its hash.

    Raises:
        InputError: no snapshot fits.
    """
    return project.path / FOLDER / snapshots.find(project.database, which).hash
