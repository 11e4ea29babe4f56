"""Pictures that people bring: large ones are scaled down, HEIC says what reads it, others stay."""

from __future__ import annotations

import importlib.util
import io

import pytest
from PIL import Image

from workbench import brought_pictures
from workbench.brought_pictures import SIDE, acceptable
from workbench.errors import ImageError

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)


def file_of(size: tuple[int, int], form: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(options.pop("mode", "RGB"), size, "red").save(out, form, **options)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_picture_within_the_limit_stays_byte_by_byte(form: str) -> None:
    data = file_of((60, 40), form)
    assert acceptable(data, "x") == brought_pictures.Brought(data)


@pytest.mark.parametrize("data", [b"", b"GIF89a but no picture", b"\0\0\0\x18ftypavif" + bytes(40)])
def test_what_is_no_picture_comes_back_as_it_is(data: bytes) -> None:
    assert acceptable(data, "x").data == data


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_picture_of_many_pixels_is_scaled_down(form: str) -> None:
    brought = acceptable(file_of((9000, 5000), form), "x")
    small = Image.open(io.BytesIO(brought.data))
    assert (small.format, max(small.size)) == ("JPEG", SIDE)
    assert small.width / small.height == pytest.approx(9000 / 5000, rel=0.01)
    assert brought.change == f"scaled down from 9000x5000 to {SIDE}x{small.height} pixels"
    assert small.getpixel((5, 5))[0] > 200  # type: ignore[index]


def test_a_large_picture_is_turned_as_its_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    brought = acceptable(file_of((9000, 5000), "JPEG", exif=exif), "x")
    small = Image.open(io.BytesIO(brought.data))
    assert small.height == SIDE
    assert small.getexif().get(0x0112, 1) == 1


def test_a_large_picture_keeps_white_where_it_is_clear() -> None:
    brought = acceptable(file_of((7000, 6000), "PNG", mode="LA"), "x")
    assert Image.open(io.BytesIO(brought.data)).mode == "RGB"


def test_a_huge_picture_and_a_broken_large_one_are_refused() -> None:
    with pytest.raises(ImageError, match="x has 14000x12000 pixels; at most 160 megapixels"):
        acceptable(file_of((14000, 12000), "PNG", mode="1"), "x")
    with pytest.raises(ImageError, match="x is a picture that is cut off or broken"):
        acceptable(file_of((9000, 5000), "PNG")[:20000], "x")


@pytest.mark.skipif(importlib.util.find_spec("pillow_heif") is not None, reason="it is installed")
@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"hevc"])
def test_heic_without_its_library_says_what_to_do(brand: bytes) -> None:
    with pytest.raises(ImageError, match=r"HEIC picture.*vpd-workbench\[heic\].*JPEG"):
        acceptable(HEIC.replace(b"heic", brand, 1), "photo.heic")


def test_heic_is_read_where_the_library_is() -> None:
    library = pytest.importorskip("pillow_heif", reason="the extra heic")
    library.register_heif_opener()
    brought = acceptable(file_of((64, 48), "HEIF"), "photo.heic")
    picture = Image.open(io.BytesIO(brought.data))
    assert (picture.format, picture.size, brought.change) == (
        "JPEG",
        (64, 48),
        "made JPEG, from HEIC",
    )
    with pytest.raises(ImageError, match="HEIC picture that cannot be read"):
        acceptable(HEIC, "photo.heic")
