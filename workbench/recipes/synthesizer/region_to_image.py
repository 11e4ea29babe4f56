"""Region to image: what a model sees when it looks closely is taught to it without the zoom.

A small place of a picture is cut out and asked about; a model that fails on the whole picture often
answers there.  The answer becomes the label of a question about the whole picture, in which a red
box shows the place.  What is asked is not what a crop can answer by chance:

- the place is less than `area` of the picture;
- the same question is asked of `votes` crops, each with a wider margin, and the commonest answer
  has to win a share of `majority`, so that a crop that says something else with every margin is
  refused as ambiguous;
- a question that the model answers alike on the whole picture with its box teaches nothing and is
  refused as easy.

The zooming gap is the share of agreed answers that the whole picture does not give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL.Image import Image
from PIL.ImageDraw import Draw

from workbench.boxes import Box
from workbench.errors import ProfileError
from workbench.recipes.card import Card
from workbench.recipes.ports import LabelledRegion, SynthesisRoom, SynthesizedQuestion
from workbench.recipes.views import commonest
from workbench.records import PartRef, Region

CARD = Card(
    name="region_to_image",
    port="synthesizer",
    paper="Zooming without Zooming: Region-to-Image Distillation for Fine-Grained Multimodal "
    "Perception (ZwZ)",
    year=2026,
    grade="A",
    level="V1",
    provenance="C",
    link="https://github.com/inclusionAI/Zooming-without-Zooming",
    idea="Answers from close-up crops become labels of questions about the whole picture, for "
    "places where the whole picture alone misleads the model.",
    formula="a* = argmax_a #{i: answer(crop_i) = a}; taken if area(box) / area(picture) < area and "
    "#{i: answer(crop_i) = a*} / votes >= majority and answer(picture with box) != a*; "
    "gap = 1 - #{answer(picture with box) = a*} / #{a* agreed}",
    defaults={
        "questions": ("What color is the {label}?",),
        "area": 0.1,
        "votes": 4,
        "majority": 0.75,
        "margin": 0.05,
        "easy": False,
        "language": "",
    },
    sources={
        "questions": "ours; with an empty list a language model writes them, as in the paper",
        "area": "the paper: crops below a tenth of the picture",
        "votes": "the paper draws four answers of each of two teachers; here crops with four "
        "margins, since the embedded model does not draw",
        "majority": "the paper",
        "margin": "the paper draws the box one twentieth larger",
        "easy": "the paper drops what the student answers in two of four tries",
        "language": "a registered language model; empty for none",
    },
    command="vpd synthesize region_to_image --limit 20",
    expect="The command prints how many candidates were taken and refused, by reason, and the "
    "zooming gap. What training on them is worth was not measured yet.",
    traps=(
        "A box in the picture and none in the question leaves open which of two cups is meant.",
        "The model that answers the crop is the one that is taught: its mistakes on crops stay.",
    ),
    not_reproduced=(
        "The judge of validity, the multiple-choice form, and the reinforcement learning after it.",
        "Two different teachers.",
    ),
)

RED = (255, 0, 0)
ONLY = "Look only inside the red box."


@dataclass(frozen=True, slots=True)
class Place:
    """A region that is asked about, with its question and its votes."""

    origin: LabelledRegion
    question: str
    votes: tuple[str, ...]


class RegionToImage:
    """Questions about small places, labelled by looking closely.

    Args:
        questions: what is asked of a place, with `{label}` for its name; one for each place, in
            turn.  With an empty list the language model writes them.
        area: largest share of the picture that a place has.
        votes: crops that are asked.
        majority: smallest share of them that has to agree.
        margin: each crop is wider than the one before by this share of the place, at each side;
            the red box is wider by as much.
        easy: take what the whole picture answers too.
        language: name of the language model that writes questions; empty for none.
    """

    def __init__(
        self,
        questions: Sequence[str] = ("What color is the {label}?",),
        area: float = 0.1,
        votes: int = 4,
        majority: float = 0.75,
        margin: float = 0.05,
        easy: bool = False,
        language: str = "",
    ) -> None:
        for name, value in (("area", area), ("majority", majority), ("margin", margin)):
            if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 1:
                raise ProfileError(
                    f"region_to_image needs {name} as a number above 0, at most 1, found "
                    f"{value!r:.40}"
                )
        if not isinstance(votes, int) or isinstance(votes, bool) or votes < 1:
            raise ProfileError(f"region_to_image needs votes from 1 on, found {votes!r:.40}")
        if not questions and not language:
            raise ProfileError(
                "region_to_image has no question to ask and no model that can write one; give "
                'questions, such as ["What color is the {label}?"], or the name of a language '
                "model: --set language=openai"
            )
        self._questions = (questions,) if isinstance(questions, str) else tuple(questions)
        self._area, self._votes, self._majority = area, votes, majority
        self._margin, self._easy = margin, easy
        self.language = language
        self.ref = PartRef(
            "synthesizer",
            "region_to_image",
            arguments={
                "questions": list(self._questions),
                "area": area,
                "votes": votes,
                "majority": majority,
                "margin": margin,
                "easy": easy,
                "language": language,
            },
        )

    def propose(
        self, regions: Sequence[LabelledRegion], room: SynthesisRoom
    ) -> Iterator[SynthesizedQuestion]:
        """Candidates, taken and refused ones, one after the other."""
        for origin, question in zip(regions, self._asked_of(regions, room), strict=True):
            whole = origin.region.width * origin.region.height
            share = origin.region.box.area / whole
            if not 0 < share < self._area:
                reason = f"its place is {share:.0%} of the picture, not below {self._area:.0%}"
                yield SynthesizedQuestion(origin, question, reason=reason)
                continue
            crops = [grown(origin.region, at * self._margin) for at in range(self._votes)]
            answers = room.answer(crops, [question] * len(crops))
            votes = tuple(answer for answer in answers if answer)
            yield self._judge(Place(origin, question, votes), room, share)

    def _asked_of(self, regions: Sequence[LabelledRegion], room: SynthesisRoom) -> list[str]:
        """One question for each place."""
        labels = [one.region.label or "object" for one in regions]
        if self._questions:
            return [
                self._questions[at % len(self._questions)].replace("{label}", label)
                for at, label in enumerate(labels)
            ]
        texts = room.write(
            [
                f"Write one short question about how a {label} in a photo looks, such as its "
                "color. Answer with the question alone."
                for label in labels
            ]
        )
        return [(text.strip().splitlines() or [""])[0] for text in texts]

    def _judge(self, place: Place, room: SynthesisRoom, share: float) -> SynthesizedQuestion:
        """The candidate of a place that was asked about closely."""
        question = f"{place.question} {ONLY}"
        if not place.question.endswith("?"):
            return SynthesizedQuestion(
                place.origin, question, reason="what was written asks nothing"
            )
        answer, agreed = commonest(place.votes, room)
        facts = {"votes": list(place.votes), "agreed": agreed, "share": round(share, 4)}
        if agreed < self._majority * self._votes:
            reason = f"its crop is ambiguous: {agreed} of {self._votes} crops give one answer"
            return SynthesizedQuestion(place.origin, question, reason=reason, facts=facts)
        boxed = room.keep(
            with_box(room.open(place.origin.region.image), grown(place.origin.region, self._margin))
        )
        (unzoomed,) = room.answer([boxed], [question])
        facts["unzoomed"] = unzoomed
        is_easy = unzoomed is not None and room.alike(unzoomed, answer)
        facts["easy"] = is_easy
        reason = "the whole picture gives the same answer: it is easy"
        return SynthesizedQuestion(
            place.origin,
            question,
            boxed.image,
            answer,
            reason if is_easy and not self._easy else "",
            facts,
        )


def grown(region: Region, margin: float) -> Region:
    """A region that is wider by a share of its sides at each side, inside its picture."""
    box = region.box
    across, down = box.width * margin, box.height * margin
    return Region(
        region.image,
        region.width,
        region.height,
        Box(
            max(box.x0 - across, 0),
            max(box.y0 - down, 0),
            min(box.x1 + across, region.width),
            min(box.y1 + down, region.height),
        ),
        region.label,
    )


def with_box(picture: Image, region: Region) -> Image:
    """A copy of a picture with a red frame around a region; the region's own pixels stay."""
    copy = picture.copy()
    line = max(2, round(min(copy.size) / 200))
    box = region.box
    Draw(copy).rectangle(
        (box.x0 - line, box.y0 - line, box.x1 + line - 1, box.y1 + line - 1),
        outline=RED,
        width=line,
    )
    return copy
