"""What the widgets share: code and styles, questions to the kernel, what a saved notebook shows.

A widget is one ES module without imports (the player, then its own file), so that nothing is
fetched from anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anywidget import AnyWidget

from workbench.errors import WorkbenchError
from workbench.screen import PLAYER, joined_scripts

STATIC = Path(__file__).resolve().parent / "static"


def script(*names: str) -> str:
    """The player and these files as one module, in this order."""
    return joined_scripts(*(STATIC / name for name in ("common.js", *names)))


def styles() -> str:
    """The styles of the player and of all widgets."""
    return "\n".join(
        path.read_text(encoding="utf-8") for path in (PLAYER / "player.css", STATIC / "widgets.css")
    )


class Widget(AnyWidget):
    """A widget whose page may ask the kernel (`answer`), and that can be read without a kernel
    (`plain`).
    """

    _css = styles()

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(self._received)

    def answer(self, request: Mapping[str, Any]) -> Any:
        """Answer a request of the page; its `do` says what it asks for.  What is raised on purpose
        reaches the page as words.
        """
        raise NotImplementedError

    def plain(self) -> str:
        """The widget as HTML for a saved notebook: no script, no address, everything escaped."""
        raise NotImplementedError

    def _received(self, _: object, content: Any, buffers: object) -> None:
        if not isinstance(content, dict):
            return
        try:
            reply = {"value": self.answer(content)}
        except WorkbenchError as error:
            reply = {"error": str(error)}
        self.send({"id": content.get("id"), **reply})

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            bundle[0]["text/html"] = self.plain()
        return bundle
