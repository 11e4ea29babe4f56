"""Makes every cut-out listed in ``cutouts.csv`` again from an unpacked package.

    apt-get download tuxpaint-stamps-default      # or fetch the .deb from a Debian mirror
    dpkg-deb -x tuxpaint-stamps-default_*.deb stamps
    pip install resvg_py                          # draws the SVG stamps; nothing else needs it
    python data/collages/make_cutouts.py stamps/usr/share/tuxpaint/stamps

Each stamp is cropped to what can be seen of it (alpha above 16 of 255) and scaled down, never up,
until its longer side is at most 256 pixels, then written as WebP with alpha beside this file.
"""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path

import resvg_py  # type: ignore[import-not-found]
from PIL import Image

HERE = Path(__file__).resolve().parent
LONGEST = 256
"""Longer side of a cut-out, pixels."""
DRAWN = 512
"""Width at which an SVG stamp is drawn before it is scaled down, pixels."""


def read_stamp(path: Path) -> Image.Image:
    """The stamp at `path` (PNG or SVG) as RGBA, cropped to its visible part."""
    if path.suffix == ".svg":
        data = bytes(resvg_py.svg_to_bytes(svg_path=str(path), width=DRAWN))
        stamp = Image.open(io.BytesIO(data)).convert("RGBA")
    else:
        stamp = Image.open(path).convert("RGBA")
    seen = stamp.getchannel("A").point(lambda alpha: 255 if alpha > 16 else 0)
    box = seen.getbbox()
    if box is None:
        raise ValueError(f"{path}: nothing can be seen; expected a stamp with visible pixels")
    return stamp.crop(box)


def main() -> None:
    """Reads the command line and writes the cut-outs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stamps", type=Path, help="folder usr/share/tuxpaint/stamps of the package")
    stamps: Path = parser.parse_args().stamps
    with (HERE / "cutouts.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        cutout = read_stamp(stamps / row["origin"])
        cutout.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
        target = HERE / "cutouts" / row["file"]
        target.parent.mkdir(parents=True, exist_ok=True)
        cutout.save(target, "WEBP", quality=88, alpha_quality=95, method=6)
    print(f"{len(rows)} cut-outs written under {HERE / 'cutouts'}")


if __name__ == "__main__":
    main()
