"""Runs the notebooks and keeps what they show in them, so that they read on a forge: `make notebooks`.

What is volatile or of one machine stays out: times of execution, states of widgets (their plain HTML
stays), folders (the project is called `course`, the home folder `~`).  Large pictures are kept as
JPEG, charts as pictures too, because a forge draws neither widgets nor Plotly's figures.  Each
notebook says which code its outputs are of; tests/test_notebooks.py holds that to the cells.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
KEY = "outputs_of"
"""Name of the digest in a notebook's metadata."""
LARGEST = 2_000_000
"""Bytes of all notebooks together."""
LARGEST_PNG = 60_000
"""Bytes of a picture that is kept as PNG."""
WIDGET = "application/vnd.jupyter.widget-view+json"
PLOTLY = "application/vnd.plotly.v1+json"
CHART = (760, 380)
"""Size of a chart that names none, pixels."""


def digest(cells: Sequence[Mapping[str, Any]]) -> str:
    """What names the code of a notebook."""
    sources = ["".join(one["source"]) for one in cells if one["cell_type"] == "code"]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()[:16]


def ran(path: Path, project: Path, work: Path) -> dict[str, Any]:
    """A notebook after its cells have run from top to bottom, as it is kept.

    Args:
        path: of the notebook; the file stays as it is.
        project: folder of the course's project, which the first notebook that needs it makes.
        work: empty folder in which the cells run.
    """
    import nbformat
    from nbclient import NotebookClient

    os.environ["VPD_PROJECT"] = str(project)
    notebook = nbformat.read(path, as_version=4)
    metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    NotebookClient(
        notebook,
        timeout=1800,
        kernel_name="python3",
        resources={"metadata": {"path": str(work)}},
        record_timing=False,
        store_widget_state=False,
    ).execute()
    places = {str(project): "course", str(work): ".", str(Path.home()): "~"}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = kept(cell.outputs, places)
    notebook.metadata = metadata | {KEY: digest(notebook.cells)}
    return dict(notebook)


def kept(outputs: Sequence[Any], places: Mapping[str, str]) -> list[Any]:
    """The outputs of a cell as they are kept.

    Args:
        outputs: of the run.
        places: folders of this machine, and what stands for each.
    """
    told: list[Any] = []
    for one in outputs:
        if one.output_type == "stream":
            text = _shown(one.text)
            before = told[-1] if told else None
            if one.name == "stderr" or not text:
                continue
            if before is not None and before.output_type == "stream":
                before.text = _shown(before.text + one.text)
                continue
            one.text = text
        elif "data" in one:
            if one.data.get("text/plain", "").endswith("it/s]"):
                continue  # a bar of progress, which is gone when it is full
            one.data = _bundle(one.data)
            one.metadata = {}
        told.append(one)
    for one in told:
        if one.output_type == "stream":
            one.text = _without(one.text, places)
        elif "data" in one:
            for kind, value in one.data.items():
                if isinstance(value, str) and kind.startswith("text/"):
                    one.data[kind] = _without(value, places)
    return told


def _shown(text: str) -> str:
    """What a terminal shows: the last of the lines that were written over each other."""
    return "\n".join(line.rpartition("\r")[2].rstrip(" ") for line in text.split("\n"))


def _without(text: str, places: Mapping[str, str]) -> str:
    for place, name in places.items():
        text = text.replace(place, name)
    return re.sub(r" at 0x[0-9a-f]+", "", text)


def _bundle(data: Mapping[str, Any]) -> dict[str, Any]:
    """A cell's value in the forms that are kept."""
    forms = {kind: value for kind, value in data.items() if kind != WIDGET}
    if "text/html" in forms and WIDGET in data:
        forms["text/plain"] = "A widget: open the notebook to use it."
    if len(forms.get("image/png", "")) > LARGEST_PNG * 4 / 3:
        forms["image/jpeg"] = _jpeg(forms.pop("image/png"))
    if PLOTLY in forms:
        forms["image/png"] = _picture(forms[PLOTLY])
        forms.pop("text/html", None)
    return forms


def _jpeg(packed: str) -> str:
    from PIL import Image

    out = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(packed))).convert("RGB")
    picture.save(out, "JPEG", quality=82)
    return base64.b64encode(out.getvalue()).decode()


def _picture(figure: Mapping[str, Any]) -> str:
    """A chart as PNG, drawn by Plotly's own script in Chromium."""
    from playwright.sync_api import sync_playwright
    from plotly.offline import get_plotlyjs

    layout = figure["layout"]
    size = {"width": layout.get("width", CHART[0]), "height": layout.get("height", CHART[1])}
    with sync_playwright() as engine:
        path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
        browser = engine.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(content=get_plotlyjs())
        address = page.evaluate(
            "([figure, size]) => Plotly.toImage(figure, {format: 'png', ...size})",
            [{"data": figure["data"], "layout": layout}, size],
        )
        browser.close()
    return str(address).partition(",")[2]


def write(path: Path, notebook: Mapping[str, Any]) -> None:
    """Keep a notebook with its outputs."""
    import nbformat

    text = nbformat.writes(nbformat.from_dict(dict(notebook)))
    path.write_text(text + "\n", encoding="utf-8")


def main(names: Sequence[str]) -> None:
    """Run the notebooks named, or all of them, in order on one project."""
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(NOTEBOOKS.glob("*.ipynb")):
            if names and path.stem not in names:
                continue
            work = Path(tempfile.mkdtemp(dir=folder))
            print(path.stem, flush=True)
            write(path, ran(path, Path(folder) / "course", work))
    size = sum(path.stat().st_size for path in NOTEBOOKS.glob("*.ipynb"))
    print(f"{size:,} bytes together, of at most {LARGEST:,}")


if __name__ == "__main__":
    main(sys.argv[1:])
