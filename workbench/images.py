"""Pictures by digest: hostile files in, safe RGB pictures out.

Decoding is bounded (40 megapixels, six formats) before any pixel is read; a picture is known by the
sha256 of its file, so that the same file is stored, detected and encoded once.  What models see is
what people and other tools are shown (`ImageFolder.display_path`).
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import uuid
import warnings
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from PIL import Image, ImageOps

from workbench import colour_profiles
from workbench.boxes import Box, clip
from workbench.errors import ImageError
from workbench.local_files import real_path
from workbench.records import Region

MAX_PIXELS = 40_000_000
"""Largest picture decoded, in pixels."""

LARGEST_PICTURE = 1_048_576
"""Pixels of the largest picture that a student is taught with, unless a job says otherwise:
1024 x 1024.
"""

SUFFIXES = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "GIF": ".gif",
    "BMP": ".bmp",
    "TIFF": ".tiff",
}
"""Formats of pictures, each with the suffix of its stored files, whatever they were called."""

FORMATS = tuple(SUFFIXES)
"""Names of the formats, as Pillow has them."""

_CONTAINERS = {"MPO": "JPEG"}
"""Formats that Pillow names after what stands in the file beside the picture: phones write JPEG
with a second one for depth, or for the other eye."""
_ORIENTATION = 0x0112
"""The EXIF tag that says how a picture has to be turned."""
_SHOWN_AS_IS = frozenset({"RGB", "L", "P", "1"})
"""Modes of pictures that browsers and other tools decode as `decode` does."""
COPIES = "upright"
"""Folder of the copies that `ImageFolder.display_path` makes."""


def digest_of(path: Path) -> str:
    """The sha256 of a file, hex.

    Raises:
        ImageError: the file is missing or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise ImageError(f"no picture at {path}; check the path") from error
    except OSError as error:
        raise ImageError(f"the picture {path} cannot be read: {error.strerror}") from error


def decode(path: Path) -> Image.Image:
    """A picture file as sRGB: upright by EXIF, its first frame, on white where it is clear.

    Raises:
        ImageError: the file is missing, of an unknown format, over 40 megapixels, truncated or
            otherwise corrupt; the text names it and says which.
    """
    return _decode(path, path)[0]


def _decode(path: object, file: Path | BinaryIO) -> tuple[Image.Image, str]:
    """The picture and the name of its format; `path` is what messages call it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with _open(path, file) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    raise ImageError(
                        f"{path} has {width}x{height} pixels; at most "
                        f"{MAX_PIXELS // 1_000_000} megapixels are taken, scale it down first"
                    )
                form = picture.format or ""
                profile = colour_profiles.profile_of(picture)
                return as_seen(_all_bits(picture, file), profile), _CONTAINERS.get(form, form)
    except FileNotFoundError as error:
        raise ImageError(f"no picture at {path}; check the path") from error
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on hostile bytes
        raise ImageError(
            f"{path} is not a picture that can be read ({error}); expected {', '.join(FORMATS)}"
        ) from error


def _open(path: object, file: Path | BinaryIO) -> Image.Image:
    """A file with its header read and no pixel decoded."""
    try:
        return Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:
        # Pillow refuses huge pictures itself, and only its message has their size.
        match = re.search(r"\((\d+) pixels\)", str(error))
        size = f"{int(match[1]) // 1_000_000} megapixels" if match else "too many pixels"
        raise ImageError(
            f"{path} has {size}; at most {MAX_PIXELS // 1_000_000} megapixels are taken, "
            "scale it down first"
        ) from error


def _all_bits(picture: Image.Image, file: Path | BinaryIO) -> Image.Image:
    """The picture, its lower bytes included where its colours have 16 bits and use fewer."""
    from workbench import deep_pictures  # it needs numpy, which takes a command long to load

    if not deep_pictures.is_deep(picture):
        return picture
    tag = picture.getexif().get(_ORIENTATION, 1)
    picture.load()
    if not deep_pictures.uses_few_bits(picture):
        return picture
    if not isinstance(file, Path):
        file.seek(0)
    with Image.open(file, formats=FORMATS) as lower:
        deep_pictures.read_lower(lower)
        lower.load()
        whole = deep_pictures.joined(picture, lower)
    if picture.format != "TIFF":  # Pillow turns those itself
        whole.getexif()[_ORIENTATION] = tag
    return whole


def as_seen(picture: Image.Image, profile: bytes) -> Image.Image:
    """A picture as models and people see it: upright, 8-bit sRGB, on white where it is clear."""
    upright = ImageOps.exif_transpose(picture)
    return _rgb(colour_profiles.to_srgb(upright, profile))


def _rgb(picture: Image.Image) -> Image.Image:
    """A picture as 8-bit RGB.

    Pillow alone would cut deep greys off at 255 and show what lies under transparency.
    """
    from workbench import deep_pictures  # it needs numpy, which takes a command long to load

    if picture.mode.startswith(("I", "F")):
        return deep_pictures.to_grey(picture).convert("RGB")
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        white = Image.new("RGBA", clear.size, "white")
        return Image.alpha_composite(white, clear).convert("RGB")
    return picture.convert("RGB")


def _is_shown_as_decoded(path: Path) -> bool:
    """Whether browsers and other tools show a file as `decode` gives it."""
    from workbench import deep_pictures  # it needs numpy, which takes a command long to load

    with _open(path, path) as picture:
        return (
            picture.format in ("JPEG", "PNG", "WEBP", "GIF", "BMP")
            and picture.mode in _SHOWN_AS_IS
            and not picture.has_transparency_data
            and not deep_pictures.is_deep(picture)
            and getattr(picture, "n_frames", 1) == 1
            and colour_profiles.changes_nothing(picture)
            and picture.getexif().get(_ORIENTATION, 1) == 1  # last: it reads a whole PNG
        )


class ImageFolder:
    """Pictures of a project: files, or links to files elsewhere, in a folder for two hex digits.

    Pictures are decoded at their first use.  Several threads may use one folder.

    Args:
        root: the folder; a picture lies at `root/<2 hex digits>/<digest><suffix>`.
        keep: most decoded pictures that stay in memory.
        keep_bytes: most bytes of them together; the last one stays whatever its size.
    """

    def __init__(self, root: Path, keep: int = 64, keep_bytes: int = 256_000_000) -> None:
        self.root = root
        self._keep, self._keep_bytes = keep, keep_bytes
        self._cache: OrderedDict[str, Image.Image] = OrderedDict()
        self._shown_as_seen: dict[str, bool] = {}
        self._lock = Lock()

    def add(self, source: Path) -> str:
        """Copy a picture into the folder, all of it or nothing, and give its digest.

        Raises:
            ImageError: as `decode` raises it.
        """
        digest = digest_of(source)
        if self.path(digest) is None:
            self._write(self._place(digest, _decode(source, source)[1]), source.read_bytes())
        return digest

    def add_bytes(self, data: bytes, name: str) -> str:
        """Write a picture that lies inside another file, and give its digest.

        Args:
            data: content of the picture's file.
            name: what error messages call the picture.

        Raises:
            ImageError: as `decode` raises it.
        """
        digest = hashlib.sha256(data).hexdigest()
        if self.path(digest) is None:
            self._write(self._place(digest, _decode(name, io.BytesIO(data))[1]), data)
        return digest

    def link(self, source: Path) -> str:
        """Refer to a picture where it lies, and give its digest.

        The folder gets a symbolic link with the time of the file's last change, so that `open`
        notices another file in its place.  Where links cannot be made, the picture is copied.

        Raises:
            ImageError: as `decode` raises it.
        """
        digest = digest_of(source)
        present = self.path(digest)
        if present is not None and not present.is_symlink():
            return digest
        target = present or self._place(digest, _decode(source, source)[1])
        part = _part(target)
        try:
            part.symlink_to(real_path(source))
            _stamp(part, source)
            part.replace(target)
        except (OSError, NotImplementedError):
            part.unlink(missing_ok=True)
            self._write(target, source.read_bytes())
        return digest

    @staticmethod
    def _write(target: Path, data: bytes) -> None:
        part = _part(target)
        part.write_bytes(data)
        part.replace(target)

    def _place(self, digest: str, form: str) -> Path:
        """Where a picture of a format belongs; its folder is made."""
        target = self.root / digest[:2] / f"{digest}{SUFFIXES[form]}"
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def path(self, digest: str) -> Path | None:
        """Path of a picture in the folder; None where it is not there."""
        if len(digest) != 64 or not all(c in "0123456789abcdef" for c in digest):
            return None
        return next((path for path in self._candidates(digest) if path.is_file()), None)

    def _candidates(self, digest: str) -> list[Path]:
        return [self.root / digest[:2] / f"{digest}{suffix}" for suffix in SUFFIXES.values()]

    def open(self, digest: str) -> Image.Image:
        """The whole picture, RGB.

        Raises:
            ImageError: the picture is missing, broken, or another one than was imported.
        """
        with self._lock:
            if digest in self._cache:
                self._cache.move_to_end(digest)
                return self._cache[digest]
        path = self.path(digest)
        if path is None:
            raise self._missing(digest)
        _check(path, digest)
        picture = decode(path)
        with self._lock:
            self._cache[digest] = picture
            while len(self._cache) > 1 and not self._fits():
                self._cache.popitem(last=False)
        return picture

    def _fits(self) -> bool:
        """Whether the decoded pictures are few enough, and small enough together."""
        total = sum(3 * picture.width * picture.height for picture in self._cache.values())
        return len(self._cache) <= self._keep and total <= self._keep_bytes

    def is_shown_as_seen(self, digest: str) -> bool:
        """Whether every program shows a picture's own file as models see it.

        Others are turned by EXIF, transparent, deep, of other colours than sRGB, of several frames,
        or TIFF.

        Raises:
            ImageError: the picture is missing.
        """
        path = self.path(digest)
        if path is None:
            raise self._missing(digest)
        if digest not in self._shown_as_seen:
            try:
                self._shown_as_seen[digest] = _is_shown_as_decoded(path)
            except (OSError, SyntaxError, ValueError):
                return False  # what cannot be read is named by `open`
        return self._shown_as_seen[digest]

    def as_seen(self, digest: str) -> tuple[bytes, str]:
        """A picture as models see it, upright and RGB, as a file's bytes and suffix.

        Raises:
            ImageError: as `open` raises it.
        """
        picture, out = self.open(digest), io.BytesIO()
        path = self.path(digest)
        if path is not None and path.suffix == SUFFIXES["JPEG"]:
            picture.save(out, "JPEG", quality=95, subsampling=0)
            return out.getvalue(), SUFFIXES["JPEG"]
        picture.save(out, "PNG")
        return out.getvalue(), SUFFIXES["PNG"]

    def display_path(self, digest: str) -> Path:
        """Path of a picture for people: its own file, or an upright RGB copy of it.

        Boxes describe what models see, so a file that shows something else is not shown.  The copy
        is made at the first call.

        Raises:
            ImageError: as `open` raises it, or the copy cannot be written.
        """
        if self.is_shown_as_seen(digest):
            return self.path(digest) or Path()
        copies = self.root / COPIES / digest[:2]
        present = next((path for path in copies.glob(f"{digest}.???") if path.is_file()), None)
        if present is not None:
            return present
        data, suffix = self.as_seen(digest)
        target = copies / f"{digest}{suffix}"
        try:
            copies.mkdir(parents=True, exist_ok=True)
            self._write(target, data)
        except OSError as error:
            raise ImageError(
                f"no upright copy of picture {digest[:12]}… can be written to {copies} "
                f"({error.strerror}); make room there, or let the folder be written"
            ) from error
        return target

    def drop(self, digest: str) -> None:
        """Delete a picture, and what was made of it."""
        paths = [*self._candidates(digest), *(self.root / COPIES / digest[:2]).glob(f"{digest}.*")]
        for path in (*paths, *self.root.glob(f"thumbnails/*/{digest}.webp")):
            path.unlink(missing_ok=True)
        with self._lock:
            self._cache.pop(digest, None)

    def crop(self, region: Region) -> Image.Image:
        """The part of a picture that a region shows, RGB, at least 1x1 pixels."""
        picture = self.open(region.image)
        b = clip(region.box, picture.width, picture.height)
        x0, y0 = min(int(b.x0), picture.width - 1), min(int(b.y0), picture.height - 1)
        return picture.crop((x0, y0, max(round(b.x1), x0 + 1), max(round(b.y1), y0 + 1)))

    def whole(self, digest: str) -> Region:
        """The region that shows all of a picture."""
        picture = self.open(digest)
        return Region(
            digest, picture.width, picture.height, Box(0, 0, picture.width, picture.height)
        )

    def thumbnail(self, digest: str, side: int = 144) -> Path:
        """Path of a small picture, a WebP that is made at the first call.

        Args:
            digest: digest of the picture.
            side: longest side of the small one, pixels.

        Raises:
            ImageError: as `open` raises it.
        """
        if self.path(digest) is None:
            raise self._missing(digest)
        target = self.root / "thumbnails" / str(side) / f"{digest}.webp"
        if not target.exists():
            small = self.open(digest).copy()
            small.thumbnail((side, side))
            target.parent.mkdir(parents=True, exist_ok=True)
            part = _part(target)
            small.save(part, "WEBP", quality=80)
            part.replace(target)
        return target

    def _missing(self, digest: str) -> ImageError:
        for path in self._candidates(digest):
            if path.is_symlink():
                return ImageError(
                    f"picture {digest[:12]}… was imported from {path.readlink()}, and no file is "
                    "there now; put it back, or import its task again from where it is "
                    "(vpd import ... --images FOLDER)"
                )
        return ImageError(f"picture {digest[:12]}… is not in {self.root}; import its task again")


def _stamp(link: Path, source: Path) -> None:
    """Give a link the time of the last change of what it points to."""
    changed = source.stat().st_mtime_ns
    os.utime(link, ns=(changed, changed), follow_symlinks=False)


def _check(path: Path, digest: str) -> None:
    """Raise ImageError when a link points to another file than the one that was imported."""
    if (
        path.is_symlink()
        and path.lstat().st_mtime_ns != path.stat().st_mtime_ns
        and digest_of(path) != digest
    ):
        raise ImageError(
            f"{path.readlink()} is not the file that was imported as picture {digest[:12]}…; "
            f"put that one back, or delete {path} and import its task again"
        )


def _part(target: Path) -> Path:
    """Where a file is written before it is renamed into place; each writer has its own name."""
    return target.with_name(f"{target.stem}.{uuid.uuid4().hex}.part")
