"""OvarNet's open attributes: how well any word describes what a patch shows.

A program asks `patch.attribute("red")`.  Eyes that match parts of pictures with words say how well
the word fits; where it is of a known kind, say a colour, it stands against the others of its kind,
so that a patch that everything fits a little is not everything at once.

    z(w) = how well w fits the patch beyond words that fit anything, in logits
    P(w) = softmax over w and the others of its kind of z, for w; sigma(z(w)) where it has no kind

With a dual encoder z(w) = scale (cos(patch, "a photo of something w") - cos(patch, "a photo of
something")); with a student that answers, z(w) = log P(yes) - log P(no) to whether it is w.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.errors import ImageError, ProfileError, ToolFailure
from workbench.ports import Images
from workbench.recipes.card import Card
from workbench.recipes.ports import Eyes
from workbench.records import Parameter, PartRef, Region, ToolCall, ToolSpec, Value

CARD = Card(
    name="open_attributes",
    port="tool",
    paper="OvarNet: open-vocabulary object attribute recognition",
    year=2023,
    grade="B",
    level="V2",
    provenance="C",
    link="https://github.com/KyanChen/OvarNet",
    idea="Let programs ask how well any word describes a thing: the word is matched with the "
    "patch, against others of its kind.",
    formula="P(w) = softmax over w and the others of its kind of z, else sigma(z(w)); z = scale "
    "(cos(patch, w) - cos(patch, anything)), or log P(yes) - log P(no)",
    command="vpd run --tool attribute=open_attributes --limit 3",
    expect="Programs see one more method, image_patch.attribute(word), and may call it; its calls "
    "stand in traces as any tool's.  How often it is right was not measured yet.",
    defaults={"model": "bundled", "eyes": "student", "threshold": 0.0},
    sources={
        "model": "ours: the embedded student; a hub id of CLIP or SigLIP with eyes = image-text",
        "eyes": "ours",
        "threshold": "ours: above 0 the answer is true or false",
    },
    traps=(
        "Cosines are no probabilities: a dual encoder's raw score of a word is near that of its "
        "opposite, and only the comparison says something.",
    ),
    not_reproduced=(
        "The detector that is distilled from the matching, its loss, and its training: here the "
        "program brings the box.",
        "Prompts that are learnt.",
    ),
)

KINDS: tuple[tuple[str, ...], ...] = (
    (
        "black", "white", "gray", "red", "orange", "yellow", "green", "blue", "purple", "pink",
        "brown",
    ),
    ("wooden", "metal", "plastic", "glass", "stone", "paper", "leather", "cloth"),
    ("striped", "spotted", "checkered", "plain"),
    ("round", "square", "triangular"),
    ("open", "closed"), ("wet", "dry"), ("empty", "full"), ("old", "young"), ("clean", "dirty"),
    ("standing", "sitting", "lying"),
)  # fmt: skip
"""Words of which, of one thing, mostly one holds."""
_SAME = {"grey": "gray", "violet": "purple", "wood": "wooden", "metallic": "metal"}


class OpenAttributes:
    """`attribute`: the chance, 0 to 1, that a word describes the patch.

    Args:
        model: `bundled`, `small`, `distilled`, a checkpoint's folder or a hub id.
        eyes: `student` for a model that answers questions, `image-text` for one such as CLIP.
        threshold: above 0 the answer is whether the chance is at least as high.
    """

    batch_size = 16

    def __init__(
        self, model: str = "bundled", eyes: str = "student", threshold: float = 0.0
    ) -> None:
        if isinstance(threshold, bool) or not isinstance(threshold, int | float):
            raise ProfileError(f"open_attributes takes threshold as a number, found {threshold!r}")
        if not 0 <= threshold < 1:
            raise ProfileError(
                f"open_attributes takes a threshold from 0 to below 1, found {threshold!r}"
            )
        self.model, self.eyes, self._threshold = model, eyes, threshold
        returns, example = ("bool", "True") if threshold else ("float", "0.93")
        self.spec = ToolSpec(
            "attribute",
            (Parameter("name", "str"),),
            returns,
            "Whether a word describes what this patch shows."
            if threshold
            else "How likely a word describes what this patch shows, 0 to 1.\n"
            ">>> print(image_patch.attribute('red'))\n" + example,
        )
        arguments = {"model": model, "eyes": eyes, "threshold": threshold}
        self.ref = PartRef("tool", "open_attributes", arguments=arguments)

    def enter(self, eyes: Eyes) -> None:
        """Look through a model from now on.

        Args:
            eyes: of the model and the kind that the tool names.
        """
        self._eyes = eyes
        version = f"1+{eyes.version}"
        self.ref = PartRef("tool", "open_attributes", version, self.ref.arguments)

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        """A chance, or true or false, for each call.

        Args:
            calls: of programs.
            images: opens pictures.
        """
        if not hasattr(self, "_eyes"):
            raise ProfileError("open_attributes was lent no eyes; name it in a profile's [tools]")
        out: list[Value | ToolFailure] = [None] * len(calls)
        requests: list[tuple[int, Region, list[str]]] = []
        for at, call in enumerate(calls):
            try:
                region, word = self._eyes.read(call, images, "name")
                requests.append((at, region, words_against(word)))
            except (ToolFailure, ImageError) as error:
                out[at] = error if isinstance(error, ToolFailure) else ToolFailure(str(error))
        regions = [region for _, region, words in requests for _ in words]
        logits = list(
            self._eyes.fit(regions, [one for *_, words in requests for one in words], images)
        )
        for at, _, words in requests:
            own, logits = logits[: len(words)], logits[len(words) :]
            chance = chance_of(own)
            out[at] = chance >= self._threshold if self._threshold else round(chance, 4)
        return out


def words_against(word: str) -> list[str]:
    """A word, and behind it the others of its kind; alone where it has none."""
    plain = word.strip().casefold()
    plain = _SAME.get(plain, plain)
    kind = next((kind for kind in KINDS if plain in kind), ())
    return [plain if kind else word, *(one for one in kind if one != plain)]


def chance_of(logits: Sequence[float]) -> float:
    """The chance of the first word: against the others, or against nothing where it is alone."""
    others = logits[1:] or [0.0]
    highest = max(logits[0], *others)
    own, *rest = (math.exp(one - highest) for one in (logits[0], *others))
    return own / (own + sum(rest))
