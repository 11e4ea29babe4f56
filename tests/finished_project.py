"""A project of small parts that went through the loop: made once for a test file, copied for each
test.
"""

from __future__ import annotations

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from small_parts import profile_text

from workbench.pipeline.loop import run
from workbench.settings import Choice
from workbench.store import Project

SQUARES = f"{Path(__file__).resolve().parent / 'small_parts.py'}:Squares"


@cache
def _made() -> Path:
    root = Path(mkdtemp(prefix="ran-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    (root / "small.toml").write_text(profile_text())
    source = Choice(SQUARES, {"root": str(root / "drawn")})
    with Project.create(root / "p", str(root / "small.toml"), source) as project:
        run(project)
    return root


def finished_project(folder: Path) -> Path:
    """Twelve questions on six pictures, two of these in the test split; run, judged and told.
    Returns its path; the pictures it was made of lie beside it in `drawn`.
    """
    return Path(shutil.copytree(_made(), folder, dirs_exist_ok=True)) / "p"
