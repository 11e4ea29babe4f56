"""Rationales about several pictures: each place is told with its picture, and checked with it."""

from __future__ import annotations

import pytest
from painted import painted_pair, run_painted

from workbench.rationalize.check.faithful import check
from workbench.rationalize.check.which_picture import picture_of_box
from workbench.rationalize.template import TemplateWriter

LEFT = "There is 1 sign in the first picture, at 208 312 375 468."
RIGHT = "There is 1 sign in the second picture, at 208 531 375 687."
FLAG = "There is 1 flag in the first picture, at 624 656 791 718."
OTHER_FLAG = "There is 1 flag in the second picture, at 624 281 791 343."
SIGNS = 'signs = [patch.find("sign")[0] for patch in image_patches]\n'

TOLD = {
    f"{SIGNS}return signs[0].left > signs[1].left": (
        f"{LEFT} {RIGHT} Thus, the sign does not stand on the left in both, and the answer is no."
    ),
    'return len(image_patches[0].find("sign")) == len(image_patches[1].find("sign"))': (
        f"{LEFT} {RIGHT} Thus, there are as many signs in the first picture as signs in the second "
        "picture, and the answer is yes."
    ),
    'total = 0\nfor patch in image_patches:\n    total += len(patch.find("flag"))\nreturn total': (
        f"{FLAG} {OTHER_FLAG} Thus, the answer is 2."
    ),
    'sign = image_patches[1].find("sign")[0]\n'
    "return sign.left < image_patches[1].horizontal_center": (
        f"{RIGHT} Thus, the sign is not left of the middle of the second picture, and the answer "
        "is no."
    ),
    'return image_patches[1].find("sign")[0].zoom(4).read_text()': (
        f'{RIGHT} The sign is enlarged. The text in the sign reads "STOP". '
        "Thus, the answer is STOP."
    ),
    "return image_patches[1].read_text()": (
        'The text in the second picture reads "STOP". Thus, the answer is STOP.'
    ),
    'for patch in image_patches:\n    if patch.find("dog"):\n        return "yes"\nreturn "no"': (
        "There is no dog in the first picture. There is no dog in the second picture. "
        "Thus, the answer is no."
    ),
    'return len(image_patches[1].find("dog")) == len(image_patches[0].find("flag"))': None,
}
BODIES = [*TOLD]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory):
    """The run of each body, by the body."""
    images, task = painted_pair(tmp_path_factory.mktemp("told"))
    return dict(zip(TOLD, run_painted(images, task, *TOLD), strict=True))


@pytest.mark.parametrize("body", BODIES[:-1])
def test_what_was_found_is_told_with_its_picture(rows, body: str) -> None:
    (rationale,) = TemplateWriter().write([rows[body]])
    assert (rationale.text, rationale.issues, rationale.unchecked) == (TOLD[body], (), ())


END = "Thus, the answer is no."
WRONG = {
    f"There is 1 sign in the second picture, at 208 312 375 468. {RIGHT} {END}": (
        0,
        'The box "208 312 375 468" is in the first picture, not in the second one.',
    ),
    f"The sign at 208 312 375 468 in the second picture is large. {RIGHT} {END}": (
        0,
        "is in the first picture, not in the second one",
    ),
    f"There is 1 sign in the image, at 208 312 375 468. {RIGHT} {END}": (
        0,
        "does not say which of the 2 pictures",
    ),
    f"There is 1 sign at 208 312 375 468. {RIGHT} {END}": (0, "needs its picture"),
    f"{LEFT} There are 2 signs in the third picture. {END}": (0, "There is no third picture"),
    f"There is no dog in the first picture. {FLAG} {END}": (-1, "looked for dog in another"),
    f"There is no dog in the second picture. There is 1 flag in the second picture. {END}": (
        -1,
        "looked for flag in another",
    ),
    f"There is 1 dog in the second picture. {FLAG} {END}": (-1, "found otherwise in that picture"),
    'The text in the first picture reads "STOP". Thus, the answer is STOP.': (
        5,
        'The text "STOP" is of the second picture.',
    ),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_place_in_the_wrong_picture_is_not_faithful(rows, text: str) -> None:
    at, issue = WRONG[text]
    assert issue in " ".join(check(text, *rows[BODIES[at]]).issues)


def test_a_box_is_in_the_picture_named_behind_it_or_before_it() -> None:
    text = "In the second picture, at 1 2 3 4, and the cup at 5 6 7 8 in the first picture."
    at = text.index("1 2"), text.index("5 6")
    assert [picture_of_box(text, start, start + 7) for start in at] == [1, 0]
    assert picture_of_box("The cup at 1 2 3 4 is red.", 11, 18) is None
