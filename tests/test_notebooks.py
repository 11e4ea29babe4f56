"""The course runs from top to bottom with the bundled parts, without a network, on a project that
it makes itself.
"""

from __future__ import annotations

from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))
QUICK = ("1_first_program", "3_own_tool")
"""Those that sample and train nothing."""
NOWHERE = "http://127.0.0.1:9"
"""A proxy that nobody answers for."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the notebooks make their project; the first that needs it does."""
    return tmp_path_factory.mktemp("course") / "project"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[pytest.mark.slow] * (path.stem not in QUICK), id=path.stem)
        for path in NOTEBOOKS
    ],
)
def test_a_notebook_runs(
    path: Path, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbformat = pytest.importorskip("nbformat", reason="make lab installs what notebooks need")
    client = pytest.importorskip("nbclient", reason="make lab installs what notebooks need")
    for name, value in {
        "VPD_PROJECT": str(project),
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    notebook = nbformat.read(path, as_version=4)
    places = {"metadata": {"path": str(tmp_path)}}
    client.NotebookClient(notebook, timeout=900, kernel_name="python3", resources=places).execute()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    assert len(nbformat.writes(notebook)) < 2_000_000, "saved with what it shows, it is still small"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    assert '"outputs": []' in path.read_text(encoding="utf-8")
    assert '"output_type"' not in path.read_text(encoding="utf-8")


def test_the_course_is_whole() -> None:
    """Each notebook says at its top how long it takes, and leads to the next."""
    for path, after in zip(NOTEBOOKS, [*NOTEBOOKS[1:], None]):
        text = path.read_text(encoding="utf-8")
        assert "Takes " in text
        assert after is None or f"({after.name})" in text, (
            f"{path.name} does not lead to {after.name}"
        )
    assert len(NOTEBOOKS) == 8
