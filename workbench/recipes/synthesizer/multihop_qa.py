"""FM2DS's multimodal multihop questions: a picture on one page, a fact on another.

Pages that link to one another give questions that nobody answers from one place: the picture says
which thing is meant, and the page about that thing says what is asked.  Without a language model
the question is put from a line of facts; with one it is written, and judged like any other.

    looks at the picture (from `looks` distances) -> what it shows, which most of them have to say
    page B: one that the picture's page A links to and whose title is what the picture shows
    question: about a line of facts of B, without naming B;  answer: its value

Refused: looks that disagree, a picture of nothing that A links to, or of several such things; a
question that names the thing; an answer that stands on A itself, or not on B; a fact that no other
linked page has with another value, so that the picture is not needed; an answer that the picture
gives without the pages; and a search that does not bring up both pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbench.boxes import Box
from workbench.errors import ProfileError
from workbench.recipes.arguments import whole_numbers, yes_or_no
from workbench.recipes.card import Card
from workbench.recipes.ports import Document, LabelledRegion, SynthesisRoom, SynthesizedQuestion
from workbench.recipes.searching import found_by, names_text
from workbench.recipes.views import commonest, narrower
from workbench.records import JSON, PartRef, Region

MOST_LOOKS = 20
"""Looks are a fiftieth of the picture's width nearer each time."""

CARD = Card(
    name="multihop_qa",
    port="synthesizer",
    paper="FM2DS: few-shot multimodal multihop data synthesis with knowledge distillation",
    year=2024,
    grade="B",
    level="V2",
    provenance="C",
    link="https://github.com/ServiceNow/FM2DS",
    idea="From linked pages with pictures make questions that take a picture on one page and a "
    "fact on another, and refuse all that one of them answers alone.",
    formula="(picture of A shows B's thing) and (A links to B) and (B says key: value) -> (What is "
    "the key of the thing in the picture?, value), if no page and no picture gives it alone",
    command="vpd synthesize multihop_qa --set folder=bundled",
    expect="The command prints how many questions were taken and refused, by reason; each names "
    "its pages.  What training on them is worth was not measured yet.",
    defaults={
        "folder": "bundled",
        "ask": "What is in the picture?",
        "looks": 5,
        "majority": 0.6,
        "search": 5,
        "context": True,
        "language": "",
    },
    sources={
        "folder": "ours: the bundled pages of a shop that does not exist; to be set to a folder",
        "ask": "ours",
        "looks": "the released code: 5 captions",
        "majority": "ours: the released code wants five equal texts",
        "search": "the released code: the first 5",
        "context": "ours: the facts of the linked pages stand in the question, since a student "
        "has no pages",
        "language": "a registered language model; empty for none",
    },
    traps=(
        "The release compares five captions as texts, so that a comma refuses a picture.",
        "A page about one thing alone makes the picture superfluous: another has to say otherwise.",
    ),
    not_reproduced=(
        "The pool of Wikipedia pages by topic: a page's own links take its place.",
        "Few-shot examples, and the model that writes the search: the question itself is searched.",
        "Chains of more than two pages.",
    ),
)
WRITE = (
    "A page says of {title}: {key} is {value}. Write one short question that asks for this {key}, "
    "and write 'the thing in the picture' in place of {title}. Answer with the question alone."
)


@dataclass(frozen=True, slots=True)
class Hop:
    """From a picture's page to the page about what it shows."""

    origin: LabelledRegion
    page: Document
    about: Document
    linked: tuple[Document, ...]
    """All pages that the picture's page leads to."""


class MultihopQa:
    """Questions about linked pages and their pictures.

    Args:
        folder: with Markdown pages, or `bundled`.
        ask: what the profile's model is asked of a picture.
        looks: how often it is asked.
        majority: smallest share of the looks that has to agree.
        search: pages that a search brings up.
        context: put the facts of the linked pages in front of the question.
        language: name of the language model that writes questions; empty for none.
    """

    def __init__(
        self,
        folder: str = "bundled",
        ask: str = "What is in the picture?",
        looks: int = 5,
        majority: float = 0.6,
        search: int = 5,
        context: bool = True,
        language: str = "",
    ) -> None:
        for name, text in (("folder", folder), ("ask", ask)):
            if not isinstance(text, str) or not text.strip():
                raise ProfileError(f"multihop_qa takes {name} as text, found {text!r:.40}")
        whole_numbers("multihop_qa", 1, looks=looks)
        if looks > MOST_LOOKS:
            raise ProfileError(
                f"multihop_qa looks at most {MOST_LOOKS} times, each from a little nearer; found "
                f"looks = {looks}"
            )
        whole_numbers("multihop_qa", 2, search=search)
        yes_or_no("multihop_qa", context=context)
        if isinstance(majority, bool) or not 0 < majority <= 1:
            raise ProfileError(f"multihop_qa takes a majority above 0, at most 1, found {majority}")
        self.folder, self.language = folder, language
        self._ask, self._looks, self._majority = ask, looks, majority
        self._search, self._context = search, context
        arguments = {
            "folder": folder, "ask": ask, "looks": looks, "majority": majority, "search": search,
            "context": context, "language": language,
        }  # fmt: skip
        self.ref = PartRef("synthesizer", "multihop_qa", arguments=arguments)

    def from_documents(
        self, documents: Sequence[Document], room: SynthesisRoom
    ) -> Iterator[SynthesizedQuestion]:
        """Candidates, taken and refused ones, one after the other."""
        by_name = {one.name: one for one in documents}
        for page in documents:
            nowhere = LabelledRegion(f"page {page.name}", "train", NOTHING)
            for number, reason in enumerate(page.unread, 1):
                yield SynthesizedQuestion(nowhere, f"{page.name} {number}", reason=reason)
            linked = tuple(by_name[name] for name in page.links)
            for picture in page.pictures:
                origin = LabelledRegion(f"page {page.name}", "train", picture)
                yield from self._of_picture(origin, page, linked, documents, room)

    def _of_picture(
        self,
        origin: LabelledRegion,
        page: Document,
        linked: tuple[Document, ...],
        documents: Sequence[Document],
        room: SynthesisRoom,
    ) -> Iterator[SynthesizedQuestion]:
        """The candidates of one picture: one for each line of facts of the page it leads to."""
        views = [narrower(origin.region, 0.02 * at) for at in range(self._looks)]
        votes = [one for one in room.answer(views, [self._ask] * len(views)) if one]
        shows, agreed = commonest(votes, room)
        facts: dict[str, JSON] = {"page": page.name, "looks": [*votes], "shows": shows}
        about = [one for one in linked if one.title.casefold() in things_in(shows)]
        reason = ""
        if agreed < self._majority * self._looks:
            reason = f"its looks disagree: {agreed} of {self._looks} say one thing"
        elif not about:
            reason = "no page that its page links to is about what it shows"
        elif len(about) > 1:
            reason = "it shows things of several linked pages"
        elif not about[0].facts:
            reason = "the page about what it shows has no line of facts"
        if reason:
            yield SynthesizedQuestion(origin, self._ask, reason=reason, facts=facts)
            return
        hop = Hop(origin, page, about[0], linked)
        for key, question in self._questions(hop.about, room):
            yield self._judge(hop, key, question, documents, room, facts)

    def _questions(self, about: Document, room: SynthesisRoom) -> list[tuple[str, str]]:
        """For each line of facts its key and a question."""
        if not self.language:
            return [(key, f"What is the {key} of the thing in the picture?") for key in about.facts]
        texts = room.write(
            [
                WRITE.format(title=about.title, key=key, value=value)
                for key, value in about.facts.items()
            ]
        )
        lines = [(text.strip().splitlines() or [""])[0].strip() for text in texts]
        return list(zip(about.facts, lines))

    def _judge(
        self,
        hop: Hop,
        key: str,
        question: str,
        documents: Sequence[Document],
        room: SynthesisRoom,
        facts: dict[str, JSON],
    ) -> SynthesizedQuestion:
        """A candidate with its answer, or with the reason why it is refused."""
        value = hop.about.facts[key]
        hits = found_by(f"{question} {hop.about.title}", documents, self._search)
        (alone,) = room.answer([hop.origin.region], [question]) if question else (None,)
        reason = fault(hop, key, question, room)
        if not reason and alone is not None and room.alike(alone, value):
            reason = "the picture alone answers it"
        if not reason and not {hop.page.name, hop.about.name} <= set(hits):
            reason = "a search does not bring up both of its pages"
        lines = [f"{one.title}: {key} {one.facts[key]}." for one in hop.linked if key in one.facts]
        text = " ".join([*lines, question]) if self._context else question
        more: dict[str, JSON] = {
            **facts,
            "about": hop.about.name,
            "key": key,
            "alone": alone,
            "search": [*hits],
        }
        picture = "" if reason else hop.origin.region.image
        return SynthesizedQuestion(hop.origin, text, picture, value, reason, more)


def fault(hop: Hop, key: str, question: str, room: SynthesisRoom) -> str:
    """Why one page answers a question, or none does; empty where it takes both.

    Args:
        hop: the pages.
        key: of the line of facts.
        question: as it was written.
        room: compares answers.
    """
    value = hop.about.facts[key]
    others = [one for one in hop.linked if key in one.facts and one is not hop.about]
    checks = (
        (not question.endswith("?"), "what was written asks nothing"),
        (
            names_text(hop.about.title, question),
            "the question names what the picture shows, so that the text alone answers it",
        ),
        (names_text(value, hop.page.text), "the answer stands on the picture's own page"),
        (not names_text(value, hop.about.text), "the answer does not stand on the page"),
        (
            all(room.alike(one.facts[key], value) for one in others),
            "no other linked page says otherwise, so that the text alone answers it",
        ),
    )
    return next((reason for is_wrong, reason in checks if is_wrong), "")


NOTHING = Region("", 1, 1, Box(0, 0, 1, 1))
"""In place of a picture that could not be read."""


def things_in(answer: str) -> frozenset[str]:
    """The things that an answer names, in small letters and without articles."""
    parts = re.split(r",|\band\b", answer.casefold())
    plain = (re.sub(r"^\s*(a|an|the|one)\s+", "", part).strip(" .?!") for part in parts)
    return frozenset(filter(None, plain))
