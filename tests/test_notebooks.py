"""The course runs from top to bottom, with the bundled parts."""

from __future__ import annotations

from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="make lab installs what notebooks need")
    client = pytest.importorskip("nbclient", reason="make lab installs what notebooks need")
    notebook = nbformat.read(path, as_version=4)
    client.NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    assert '"outputs": []' in path.read_text(encoding="utf-8")
    assert '"output_type"' not in path.read_text(encoding="utf-8")
