"""A bare machine with a GPU has neither store, nor pages, nor the detector's runtime."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

ALONE = """
import sys
for name in ("duckdb", "gradio", "typer", "pydantic_monty", "plotly", "onnxruntime"):
    sys.modules[name] = None
sys.path.insert(0, {here!r})
from pathlib import Path
from small_job import job_folder
from workbench.train.run import execute
sys.exit(execute(job_folder(Path({folder!r}), steps=1)))
"""


def test_a_run_needs_neither_store_nor_pages(tmp_path: Path) -> None:
    script = ALONE.format(here=str(Path(__file__).parent), folder=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "job" / "result.json").is_file()
