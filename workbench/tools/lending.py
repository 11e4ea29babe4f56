"""Eyes for tools that name a model and bring none: recipes know no model of the workbench."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.errors import ProfileError
from workbench.recipes.ports import Eyes, TakesEyes


def _student(model: str) -> Eyes:
    from workbench.tools.visual_questions import StudentEyes

    return StudentEyes(model)


def _image_text(model: str) -> Eyes:
    from workbench.tools.hub_images import ImageTextEyes

    return ImageTextEyes(model)


_EYES: Mapping[str, Callable[[str], Eyes]] = {"student": _student, "image-text": _image_text}


def lend_eyes(tool: Any) -> Any:
    """A tool, with the eyes that it asks for.

    Raises:
        ProfileError: there are no such eyes.
        InputError: there is no such model, or it is of another kind.
    """
    if not isinstance(tool, TakesEyes):
        return tool
    if tool.eyes not in _EYES:
        raise ProfileError(
            f"the tool '{tool.ref.name}' asks for eyes = {tool.eyes!r:.40}; there are: "
            f"{', '.join(_EYES)}"
        )
    tool.enter(_EYES[tool.eyes](tool.model))
    return tool
