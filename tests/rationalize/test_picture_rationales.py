"""Rationales of runs that made pictures: the steps in plain English, places in the first picture."""

from __future__ import annotations

import pytest
from painted import painted, painted_task, run_painted

from workbench.rationalize.check.faithful import check
from workbench.rationalize.template import TemplateWriter

SIGN = "There is 1 sign in the image, at 208 312 375 468."
BOTH = f"{SIGN} There is 1 flag in the image, at 624 656 791 718."
READS = "Thus, the answer is STOP."
FIND = 'sign = image_patch.find("sign")[0]\n'
PAIR = f'{FIND}flag = image_patch.find("flag")[0]\n'

TOLD = {
    f"{FIND}return sign.zoom(3).read_text()": (
        f'{SIGN} The sign is enlarged. The text in the sign reads "STOP". {READS}'
    ),
    f'{FIND}return sign.enhance("contrast", 2).rotate(-90).zoom(4).read_text()': (
        f"{SIGN} The contrast of the sign is raised. The sign is turned by 90 degrees clockwise. "
        f'The sign is enlarged. The text in the sign reads "STOP". {READS}'
    ),
    f'{FIND}return str(len(sign.zoom(3).find("letter")))': (
        f"{SIGN} The sign is enlarged. Thus, there is 1 letter in the region of the sign."
    ),
    f"{PAIR}return image_patch.mark([sign, flag]).read_text()": (
        f'{BOTH} The sign and the flag are numbered. The text in the image reads "STOP". {READS}'
    ),
    f"{PAIR}return image_patch.draw_line(sign, flag).read_text()": (
        f"{BOTH} A line is drawn between the sign and the flag. "
        f'The text in the image reads "STOP". {READS}'
    ),
    f"{PAIR}return image_patch.draw_box(sign).draw_point(flag).read_text()": (
        f"{BOTH} A box is drawn around the sign. A point is drawn on the flag. "
        f'The text in the image reads "STOP". {READS}'
    ),
    f'{FIND}part = sign.expand_patch_with_surrounding().zoom(3)\nreturn part.find("letter")[0].zoom(2).read_text()': (
        "The part of the image at 125 234 458 546 is enlarged. There is 1 letter in the part of the image at "
        '125 234 458 546, at 208 312 375 468. The letter is enlarged. The text in the letter reads "STOP". '
        f"{READS}"
    ),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory):
    """The run and the rationale of each body, by the body."""
    images, digest = painted(tmp_path_factory.mktemp("told"))
    rows = run_painted(images, painted_task(digest), *TOLD)
    return dict(zip(TOLD, zip(rows, TemplateWriter().write(rows)), strict=True))


@pytest.mark.parametrize("body", TOLD)
def test_steps_that_make_pictures_are_told(told, body: str) -> None:
    rationale = told[body][1]
    assert (rationale.text, rationale.issues, rationale.unchecked) == (TOLD[body], (), ())


def test_a_thing_keeps_both_names_through_a_new_picture(told) -> None:
    """The letter covers all of its sign: the box has the names of both."""
    (task, program, trace), _ = told[next(body for body in TOLD if "letter" in body)]
    for name in ("sign", "letter"):
        text = f"There is the {name} at 208 312 375 468. Thus, the answer is 1."
        assert not [
            issue for issue in check(text, task, program, trace).issues if "calls it" in issue
        ]


def test_a_place_in_the_new_pictures_own_numbers_is_refused(told) -> None:
    (task, program, trace), _ = told[next(body for body in TOLD if "letter" in body)]
    text = "There is the letter at 0 0 999 999. Thus, the answer is 1."
    assert check(text, task, program, trace).issues
