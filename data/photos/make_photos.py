"""Makes the photographs listed in ``photos.csv`` again from four packages of PyPI.

    pip download --no-deps -d wheels scikit-image==0.26.0 scikit-learn==1.9.1 \\
        scipy==1.9.3 matplotlib==3.11.2
    for wheel in wheels/*.whl; do unzip -qo "$wheel" -d unpacked; done
    python data/photos/make_photos.py unpacked

Each photograph is scaled down, never up, until its longer side is at most 1024 pixels, and written
as JPEG of quality 88.
"""

from __future__ import annotations

import argparse
import bz2
import csv
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
LONGEST = 1024
"""Longer side of a photograph, pixels."""
FACE = (1024, 768)
"""Size of SciPy's face.dat, pixels: bzip2 of raw RGB."""


def read_photo(path: Path) -> Image.Image:
    """The picture at `path`, RGB; `face.dat` is SciPy's own format."""
    if path.suffix == ".dat":
        return Image.frombytes("RGB", FACE, bz2.decompress(path.read_bytes()))
    return Image.open(path).convert("RGB")


def main() -> None:
    """Reads the command line and writes the photographs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("unpacked", type=Path, help="folder in which the four wheels were unpacked")
    unpacked: Path = parser.parse_args().unpacked
    with (HERE / "photos.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        photo = read_photo(unpacked / row["origin"].split(" ", 1)[1])
        photo.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
        target = HERE / row["file"]
        target.parent.mkdir(parents=True, exist_ok=True)
        photo.save(target, "JPEG", quality=88, optimize=True)
    print(f"{len(rows)} photographs written under {HERE / 'images'}")


if __name__ == "__main__":
    main()
