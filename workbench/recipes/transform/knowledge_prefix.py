"""CVLM's visual knowledge: facts that no picture shows are put in front of the student's words.

A file tells facts about things: what a dog costs in this shop, which shelf the cups are on.  The
finished student is frozen.  Between its eyes and its words stands a memory, from which each place
of a picture takes what is remembered of the thing that it shows; the picture's positions, which
stand in front of every question, then hold the facts as well.

    v_i: what the eyes give for place i;  q = Q norm(v_i)
    v_i' = v_i + softmax(q . K) V,  V begins as 0
    L = mean cross-entropy of answer to question about pictures that show the thing
    Q, K and V alone learn

A fact is learnt from the training pictures in which a program found its thing; one whose thing is
in none is left out with the reason.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from workbench.errors import InputError, ProfileError
from workbench.prompts import LABEL_SUFFIX
from workbench.recipes.arguments import numbers_above, whole_numbers
from workbench.recipes.card import Card
from workbench.recipes.knowledge import FILE, FactMemory
from workbench.recipes.workshop import Fit, Row, Workshop, fit, share_right
from workbench.records import Lesson, PartRef

CARD = Card(
    name="knowledge_prefix",
    port="transform",
    paper="CVLM: cognitive visual-language mapper with knowledge alignment",
    year=2024,
    grade="B",
    level="V2",
    provenance="C",
    link="https://github.com/HITsz-TMG/Cognitive-Visual-Language-Mapper",
    idea="Teach a finished student facts of a domain that no picture shows, in a small memory "
    "between its eyes and its words; the student itself stays as it was.",
    formula="v' = v + softmax(Q norm(v) . K) V for every place of the picture; Q, K, V learn from "
    "(picture that shows the thing, question, answer)",
    command="vpd train --set transform.part=knowledge_prefix --set transform.facts=prices",
    expect="knowledge.json in the student: how many facts were learnt from how many pictures, the "
    "answers that are right before and after on pictures that were held out, how likely the "
    "student finds them, and facts left out with the reason.  What it gains was not measured yet.",
    defaults={
        "facts": "prices",
        "slots": 16,
        "keys": 32,
        "steps": 80,
        "batch": 4,
        "rate": 0.01,
        "pictures": 8,
    },
    sources={
        "facts": "ours: the bundled prices of a shop that does not exist; to be set to a file",
        "slots": "ours: as many as there are facts, about",
        "keys": "ours",
        "steps": "ours",
        "batch": "ours",
        "rate": "ours",
        "pictures": "ours: most training pictures for each fact",
    },
    traps=(
        "A fact that is learnt from one picture is learnt of the picture, not of the thing.",
        "The memory lies beside the weights: a program that loads them alone has a student without "
        "facts.",
    ),
    not_reproduced=(
        "The language model with eyes of its own that writes the knowledge, and its two million "
        "pairs of pictures and Wikipedia: here a memory of a few vectors takes its place.",
        "Positions of their own in front of the question: knowledge is added to the picture's.",
        "The fine-grained queries and the adapters of the last stage.",
    ),
)


class KnowledgePrefix:
    """The student with a memory of facts.

    Args:
        facts: file of one fact a line: thing, question and answer with tabs between, or `prices`.
        slots: vectors of the memory.
        keys: numbers by which they are looked up.
        steps: how often it learns.
        batch: questions of a step.
        rate: learning rate.
        pictures: most training pictures for each fact.
    """

    def __init__(
        self,
        facts: str = "prices",
        slots: int = 16,
        keys: int = 32,
        steps: int = 80,
        batch: int = 4,
        rate: float = 0.01,
        pictures: int = 8,
    ) -> None:
        if not isinstance(facts, str) or not facts:
            raise ProfileError(f"knowledge_prefix takes a file of facts, found {facts!r:.40}")
        whole_numbers("knowledge_prefix", 1, slots=slots, keys=keys, steps=steps, batch=batch)
        whole_numbers("knowledge_prefix", 1, pictures=pictures)
        numbers_above("knowledge_prefix", 0, rate=rate)
        self._facts, self._shape, self._pictures = facts, (slots, keys), pictures
        self._how = Fit(steps, batch, rate)
        arguments = {
            "facts": facts, "slots": slots, "keys": keys, "steps": steps, "batch": batch,
            "rate": rate, "pictures": pictures,
        }  # fmt: skip
        self.ref = PartRef("transform", "knowledge_prefix", arguments=arguments)

    def enter(self, shop: Workshop) -> None:
        """Read the facts, and find pictures that show their things.

        Raises:
            InputError: there is no such file, a line is no fact, or no picture shows any thing.
        """
        self._shop = shop
        facts = facts_of(shop.file(self._facts))
        self._rows: list[Row] = []
        self._held_out: list[Row] = []
        self._left_out = []
        for thing, question, answer in facts:
            lesson = Lesson("label", question + LABEL_SUFFIX, answer)
            here, others = (
                list(dict.fromkeys(one.image for one in side if thing.lower() in one.things))
                for side in (shop.training, shop.held_out)
            )
            if not here:
                reason = "no program found its thing in a training picture"
                self._left_out.append({"thing": thing, "question": question, "reason": reason})
                continue
            self._rows += [(image, lesson) for image in here[: self._pictures]]
            self._held_out += [(image, lesson) for image in others[: self._pictures]]
        self._count = len(facts) - len(self._left_out)
        if not self._rows:
            things = sorted({thing for one in shop.training for thing in one.things})
            raise InputError(
                f"no training picture shows a thing of the {len(facts)} facts; what programs "
                f"found there: {', '.join(things[:20]) or 'nothing'}"
            )

    def __call__(self, model: Any, folder: Path) -> Any:
        """The student as it was, and beside it the memory.

        Args:
            model: a finished student, adapters merged.
            folder: of its checkpoint; the memory and `knowledge.json` go there.
        """
        if not hasattr(self, "_shop"):
            raise InputError(
                "knowledge_prefix learns from the pictures of a job's snapshot, and nothing lent "
                "them; use it as the transform of vpd train"
            )
        before = self._report(model)
        width = model.get_input_embeddings().weight.shape[1]
        with torch.random.fork_rng():
            torch.manual_seed(self._shop.seed)
            memory = FactMemory(width, *self._shape).to(model.device)
        hook = memory.put_behind(self._shop.eyes(model))
        try:
            fit(model, list(memory.parameters()), self._rows, self._shop, self._how)
            after = self._report(model)
        finally:
            hook.remove()
        tensors = {name: one.cpu().contiguous() for name, one in memory.state_dict().items()}
        save_file(tensors, folder / FILE)
        figures = {
            "facts": self._count,
            "pictures": len({image for image, _ in self._rows}),
            "before": before,
            "after": after,
            "left_out": self._left_out,
        }
        (folder / "knowledge.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
        return model

    def _report(self, model: Any) -> dict[str, Any]:
        """Right answers on pictures to learn from, and on others."""
        model.eval()
        sides = {"learnt": self._rows, "held_out": self._held_out}
        return {
            name: {**share_right(model, rows, self._shop), "nats": self._nats(model, rows)}
            for name, rows in sides.items()
        }

    @torch.no_grad()
    def _nats(self, model: Any, rows: list[Row]) -> float | None:
        """The mean cross-entropy of the answers; None where there is no question."""
        parts = [rows[at : at + self._how.batch] for at in range(0, len(rows), self._how.batch)]
        every = [float(one) for part in parts for one in self._shop.nats(model, part)]
        return round(sum(every) / len(every), 4) if every else None


def facts_of(file: Path) -> list[tuple[str, str, str]]:
    """Thing, question and answer of each fact.

    Raises:
        InputError: there is no such file, it is empty, or a line is something else.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file} cannot be read as facts ({error}); write one a line: thing, question and "
            "answer, with tabs between"
        ) from error
    facts = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) != 3 or not all(parts):
            raise InputError(
                f"line {number} of {file} is no fact: expected thing, question and answer with "
                f"tabs between, found {line!r:.80}"
            )
        facts.append((parts[0], parts[1], parts[2]))
    if not facts:
        raise InputError(f"{file} holds no fact; write one a line, with tabs between its parts")
    return facts
