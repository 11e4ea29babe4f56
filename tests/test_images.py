"""Hostile picture files: a clear error or an upright RGB picture, and nothing in between."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import colour_profiles
import pytest
from PIL import Image, ImageCms

from workbench.boxes import Box
from workbench.errors import ImageError
from workbench.images import ImageFolder, decode, digest_of
from workbench.records import Region


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def test_missing_picture_names_the_path(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"no picture at .*gone\.png; check the path"):
        decode(tmp_path / "gone.png")
    with pytest.raises(ImageError, match=r"no picture at .*gone\.png"):
        digest_of(tmp_path / "gone.png")


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot be read"):
        digest_of(tmp_path)
    with pytest.raises(ImageError, match="is not a picture"):
        decode(tmp_path)


@pytest.mark.parametrize("side", [7000, 20_000, 100_000])
def test_a_huge_claim_is_refused_before_a_pixel_is_read(tmp_path: Path, side: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(side, side))
    with pytest.raises(
        ImageError,
        match=rf"has ({side}x{side} pixels|{side * side // 1_000_000} megapixels); at most 40 megapixels are taken",
    ):
        decode(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "bmp", "tiff"])
def test_a_truncated_file_is_an_error_not_half_a_picture(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cut.{suffix}"
    Image.effect_noise((80, 60), 90).convert("RGB").save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageError, match="is not a picture that can be read"):
        decode(path)


@pytest.mark.parametrize(
    "junk", [b"", b"<html>", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0" + b"\0" * 50, b"%PDF-1.7"]
)
def test_junk_is_an_error_that_lists_the_formats(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "junk.png"
    path.write_bytes(junk)
    with pytest.raises(ImageError, match="expected JPEG, PNG, WEBP, GIF, BMP, TIFF"):
        decode(path)


def test_a_format_off_the_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "picture.eps"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n")
    with pytest.raises(ImageError, match="is not a picture that can be read"):
        decode(path)


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), "white")
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side: turn clockwise to see it upright
    path = tmp_path / "turned.jpg"
    image.save(path, exif=exif)
    assert decode(path).size == (20, 40)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "mode.png"
    Image.new("RGB", (6, 5), "white").convert(mode).save(path)
    picture = decode(path)
    assert picture.mode == "RGB"
    assert picture.getpixel((3, 3)) == (255, 255, 255)


def test_sixteen_bit_grey_keeps_its_shades(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    deep = Image.new("I;16", (4, 4), 128 * 256)
    deep.save(path)
    assert decode(path).getpixel((1, 1)) == (128, 128, 128)


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    path = tmp_path / "clear.png"
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(path)
    assert decode(path).getpixel((1, 1)) == (255, 255, 255)


def test_adding_twice_is_adding_once(tmp_path: Path, picture: Path) -> None:
    folder = ImageFolder(tmp_path / "images")
    copy = tmp_path / "other-name.png"
    copy.write_bytes(picture.read_bytes())
    assert folder.add(picture) == folder.add(copy) == digest_of(picture)
    assert len([p for p in folder.root.rglob("*") if p.is_file()]) == 1


@pytest.mark.parametrize("name", ["no_suffix", "page.html", "x.part1", "SHOUT.PNG"])
def test_a_file_is_stored_under_what_it_is_not_under_what_it_is_called(
    tmp_path: Path, picture: Path, name: str
) -> None:
    odd = tmp_path / name
    odd.write_bytes(picture.read_bytes())
    folder = ImageFolder(tmp_path / "images")
    digest = folder.add(odd)
    path = folder.path(digest)
    assert path is not None
    assert path.name == f"{digest}.png"


def test_a_broken_picture_leaves_nothing_behind(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"not a picture")
    folder = ImageFolder(tmp_path / "images")
    with pytest.raises(ImageError):
        folder.add(bad)
    assert not folder.root.exists()


@pytest.mark.parametrize(
    "digest", ["../../etc/passwd", "", "a" * 63, "A" * 64, "*" * 64, "0" * 62 + "/."]
)
def test_a_digest_that_is_none_opens_nothing(tmp_path: Path, digest: str) -> None:
    folder = ImageFolder(tmp_path / "images")
    assert folder.path(digest) is None
    with pytest.raises(ImageError, match="is not in"):
        folder.open(digest)
    with pytest.raises(ImageError, match="is not in"):
        folder.thumbnail(digest)


def test_a_thumbnail_cannot_be_talked_out_of_its_folder(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path / "images")
    secret = tmp_path / "secret.webp"
    secret.write_bytes(b"secret")
    with pytest.raises(ImageError):
        folder.thumbnail("../../../secret")


def test_a_thumbnail_is_small_and_made_once(tmp_path: Path) -> None:
    path = tmp_path / "big.png"
    Image.effect_noise((900, 500), 60).convert("RGB").save(path)
    folder = ImageFolder(tmp_path / "images")
    digest = folder.add(path)
    with ThreadPoolExecutor(8) as pool:  # a page asks for all of its thumbnails at once
        made = set(pool.map(lambda _: folder.thumbnail(digest), range(16)))
    assert len(made) == 1
    thumbnail = made.pop()
    assert max(Image.open(thumbnail).size) == 144
    assert thumbnail.stat().st_size < 20_000
    assert [p.name for p in thumbnail.parent.iterdir()] == [thumbnail.name]


def test_old_pictures_leave_memory(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path / "images", keep=2)
    digests = []
    for shade in range(4):
        path = tmp_path / f"{shade}.png"
        Image.new("RGB", (3, 3), (shade, 0, 0)).save(path)
        digests.append(folder.add(path))
    first = folder.open(digests[0])
    assert folder.open(digests[0]) is first
    for digest in digests[1:]:
        folder.open(digest)
    assert folder.open(digests[0]) is not first


def test_a_crop_stays_inside_the_picture(tmp_path: Path, picture: Path) -> None:
    folder = ImageFolder(tmp_path / "images")
    digest = folder.add(picture)
    whole = folder.whole(digest)
    assert (whole.width, whole.height, whole.box) == (64, 48, Box(0, 0, 64, 48))
    assert folder.crop(whole).size == (64, 48)
    red = folder.crop(Region(digest, 64, 48, Box(8, 8, 24, 24)))
    assert red.size == (16, 16)
    assert set(red.get_flattened_data()) == {(200, 30, 30)}
    assert folder.crop(Region(digest, 64, 48, Box(-20, -20, 8, 8))).size == (8, 8)
    assert folder.crop(Region(digest, 64, 48, Box(60, 40, 900, 900))).size == (4, 8)


@pytest.mark.parametrize(
    "box", [Box(5, 5, 5, 5), Box(64, 48, 64, 48), Box(500, 500, 600, 600), Box(-9, -9, -3, -3)]
)
def test_an_empty_or_outer_box_gives_one_pixel(tmp_path: Path, picture: Path, box: Box) -> None:
    folder = ImageFolder(tmp_path / "images")
    digest = folder.add(picture)
    assert folder.crop(Region(digest, 64, 48, box)).size == (1, 1)


def test_decoded_pictures_are_bounded_by_their_bytes(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path / "images", keep=64, keep_bytes=3 * 100 * 100 * 2)
    digests = []
    for shade in range(4):
        Image.new("L", (100, 100), shade).save(tmp_path / "one.png")
        digests.append(folder.add(tmp_path / "one.png"))
    pictures = [folder.open(digest) for digest in digests]
    assert folder.open(digests[3]) is pictures[3]
    assert folder.open(digests[2]) is pictures[2]
    assert folder.open(digests[0]) is not pictures[0], "it gave way"
    Image.new("L", (500, 500)).save(tmp_path / "one.png")
    large = folder.add(tmp_path / "one.png")
    assert folder.open(large) is folder.open(large), "the last one stays whatever its size"


PICTURES = Path(__file__).parent / "pictures"
RED, BLUE, WHITE, PINK = (255, 0, 0), (0, 0, 255), (255, 255, 255), (255, 127, 127)


@pytest.mark.parametrize(
    "name",
    ["int32_8bit_values.tiff", "float01.tiff", "float65535.tiff", "u16_12bit.png"],
)
def test_deep_greys_are_a_ramp_from_black_to_white(name: str) -> None:
    """All four hold the same ramp, as 8 bits in 32, floats, and 12 bits in 16."""
    picture = decode(PICTURES / name)
    row = [picture.getpixel((x, 20))[0] for x in range(picture.width)]
    assert row == sorted(row)
    assert (row[0], row[-1]) == (0, 255) or (row[0], row[-1]) == (0, 254)
    assert 120 < row[32] < 136


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("form", ["png", "tiff"])
def test_the_depth_in_use_decides(tmp_path: Path, bits: int, form: str) -> None:
    path = tmp_path / f"deep.{form}"
    values = Image.new("I;16", (2, 1))
    values.putpixel((0, 0), 2 ** (bits - 1))
    values.putpixel((1, 0), 2**bits - 1)
    values.save(path)
    assert [decode(path).getpixel((x, 0)) for x in (0, 1)] == [(128,) * 3, WHITE]


def deep_colour_png(path: Path, bits: int, alpha: bool) -> None:
    """One red pixel and one half as bright, of 16 bits a colour of which some are used."""
    top = 2**bits - 1
    pixels = [(top, 0, 0), (2 ** (bits - 1), 0, 0)]
    rows = b"\0" + b"".join(
        struct.pack(f">{3 + alpha}H", *pixel, *([65535] if alpha else [])) for pixel in pixels
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 6 if alpha else 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("alpha", [False, True])
def test_deep_colours_keep_their_shades(tmp_path: Path, bits: int, alpha: bool) -> None:
    path = tmp_path / "deep.png"
    deep_colour_png(path, bits, alpha)
    folder = ImageFolder(tmp_path / "images")
    assert [decode(path).getpixel((x, 0)) for x in (0, 1)] == [RED, (128, 0, 0)]
    shown = Image.open(folder.display_path(folder.add(path)))
    assert [shown.getpixel((x, 0)) for x in (0, 1)] == [RED, (128, 0, 0)]


def near(one: object, other: tuple[int, ...]) -> bool:
    assert isinstance(one, tuple)
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 4


@pytest.mark.parametrize(
    ("name", "size", "first", "last"),
    [
        ("exif6.jpg", (20, 40), RED, BLUE),
        ("exif6.png", (20, 40), RED, BLUE),
        ("exif6.tiff", (20, 40), RED, BLUE),
        ("exif6.webp", (20, 40), RED, BLUE),
        ("p_trans.png", (8, 8), WHITE, WHITE),
        ("rgba.png", (8, 8), PINK, PINK),
        ("phone_mpo.jpg", (40, 20), RED, BLUE),
        ("float01.tiff", (64, 48), (0, 0, 0), WHITE),
        ("u16_12bit.png", (64, 48), (0, 0, 0), WHITE),
    ],
)
def test_what_a_model_sees_is_what_is_shown(
    tmp_path: Path, name: str, size: tuple[int, int], first: object, last: object
) -> None:
    folder = ImageFolder(tmp_path / "images")
    digest = folder.add(PICTURES / name)
    seen = folder.open(digest)
    path = folder.display_path(digest)
    assert path == folder.display_path(digest)
    assert path != folder.path(digest)
    with Image.open(path) as shown:
        assert shown.format in ("JPEG", "PNG")
        assert (shown.mode, shown.size, seen.size) == ("RGB", size, size)
        assert shown.getexif().get(0x0112, 1) == 1
        corner = size[0] - 1, size[1] - 1
        for picture in (seen, shown):
            assert near(picture.getpixel((0, 0)), first)
            assert near(picture.getpixel(corner), last)


@pytest.mark.parametrize("form", ["jpg", "png", "webp", "bmp", "gif"])
def test_a_plain_picture_is_its_own_file(tmp_path: Path, form: str) -> None:
    Image.new("RGB", (9, 7), "teal").save(tmp_path / f"plain.{form}")
    folder = ImageFolder(tmp_path / "images")
    digest = folder.add(tmp_path / f"plain.{form}")
    assert folder.display_path(digest) == folder.path(digest)


def test_a_picture_of_a_phone_is_stored_as_a_jpeg(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path / "images")
    for digest in (
        folder.add(PICTURES / "phone_mpo.jpg"),
        folder.add_bytes((PICTURES / "phone_mpo.jpg").read_bytes(), "phone"),
        folder.link(PICTURES / "phone_mpo.jpg"),
    ):
        path = folder.path(digest)
        assert path is not None
        assert path.suffix == ".jpg"


def test_a_dropped_picture_leaves_nothing(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path / "images")
    digest = folder.add(PICTURES / "rgba.png")
    folder.display_path(digest)
    folder.thumbnail(digest)
    folder.drop(digest)
    assert [path for path in folder.root.rglob("*") if path.is_file()] == []


def in_colours(path: Path, mode: str, colour: tuple[int, ...] | int, profile: bytes) -> Path:
    Image.new(mode, (16, 16), colour).save(path, icc_profile=profile)
    return path


@pytest.mark.parametrize(
    ("file", "mode", "colour", "profile", "srgb"),
    [
        # calculated apart from the matrices and curves that the profiles hold
        ("adobe.jpg", "RGB", (100, 120, 140), colour_profiles.adobe_rgb(), (91, 120, 141)),
        ("adobe.png", "RGB", (200, 60, 60), colour_profiles.adobe_rgb(), (234, 57, 58)),
        ("p3.png", "RGB", (200, 60, 60), colour_profiles.display_p3(), (219, 38, 49)),
        ("p3.tiff", "RGB", (200, 60, 60), colour_profiles.display_p3(), (219, 38, 49)),
        ("p3.webp", "RGB", (128, 128, 128), colour_profiles.display_p3(), (128, 128, 128)),
        ("clear.png", "RGBA", (200, 60, 60, 255), colour_profiles.display_p3(), (219, 38, 49)),
        ("linear.png", "L", 128, colour_profiles.grey(1.0), (188, 188, 188)),
        ("press.jpg", "CMYK", (255, 0, 0, 0), colour_profiles.cmyk(), (0, 154, 251)),
        ("press.tiff", "CMYK", (0, 0, 0, 0), colour_profiles.cmyk(), WHITE),
    ],
)
def test_other_colours_become_srgb_once(
    tmp_path: Path,
    file: str,
    mode: str,
    colour: tuple[int, ...] | int,
    profile: bytes,
    srgb: tuple[int, ...],
) -> None:
    folder = ImageFolder(tmp_path / "images")
    digest = folder.add(in_colours(tmp_path / file, mode, colour, profile))
    seen = folder.open(digest)
    assert near(seen.getpixel((8, 8)), srgb)
    assert not folder.is_shown_as_seen(digest)
    with Image.open(folder.display_path(digest)) as shown:
        assert near(shown.getpixel((8, 8)), srgb)
        assert not shown.info.get("icc_profile"), "it would be converted twice"


@pytest.mark.parametrize("profile", [b"junk" * 50, colour_profiles.cmyk(), b""])
def test_a_profile_that_explains_nothing_is_left_out(tmp_path: Path, profile: bytes) -> None:
    folder = ImageFolder(tmp_path / "images")
    digest = folder.add(in_colours(tmp_path / "odd.png", "RGB", (200, 60, 60), profile))
    assert folder.open(digest).getpixel((8, 8)) == (200, 60, 60)
    with Image.open(folder.display_path(digest)) as shown:
        assert shown.getpixel((8, 8)) == (200, 60, 60)
        assert not shown.info.get("icc_profile"), "other programs might heed it"


def test_a_profile_of_srgb_changes_nothing(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    folder = ImageFolder(tmp_path / "images")
    digest = folder.add(in_colours(tmp_path / "web.png", "RGB", (13, 60, 200), profile))
    assert folder.open(digest).getpixel((8, 8)) == (13, 60, 200)
    assert folder.display_path(digest) == folder.path(digest)


def with_chunk(path: Path, name: bytes, body: bytes) -> Path:
    """A PNG with one more chunk in front of its pixels."""
    data = path.read_bytes()
    chunk = struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    path.write_bytes(data[:33] + chunk + data[33:])
    return path


@pytest.mark.parametrize(
    ("code", "colour", "srgb"),
    [
        # calculated from the definitions in ITU-T H.273
        ((12, 13), (200, 60, 60), (217, 42, 52)),  # Display P3 with the curve of sRGB
        ((1, 8), (55, 128, 128), (128, 188, 188)),  # linear light
        ((1, 4), (128, 128, 128), (128, 128, 128)),
        ((9, 13), (100, 120, 140), (81, 122, 142)),  # BT.2020
        ((9, 16), (100, 120, 140), (100, 120, 140)),  # PQ: shown as models see it
    ],
)
def test_a_png_may_name_its_colours_in_four_bytes(
    tmp_path: Path, code: tuple[int, int], colour: tuple[int, ...], srgb: tuple[int, ...]
) -> None:
    made = in_colours(tmp_path / "p3.png", "RGB", colour, b"")
    folder = ImageFolder(tmp_path / "images")
    digest = folder.add(with_chunk(made, b"cICP", bytes([*code, 0, 1])))
    seen = folder.open(digest).getpixel((8, 8))
    assert near(seen, srgb), seen
    assert not folder.is_shown_as_seen(digest)
    with Image.open(folder.display_path(digest)) as shown:
        assert shown.getpixel((8, 8)) == seen
    assert b"cICP" not in folder.display_path(digest).read_bytes()


def test_a_png_that_names_srgb_is_its_own_file(tmp_path: Path) -> None:
    made = in_colours(tmp_path / "web.png", "RGB", (13, 60, 200), b"")
    folder = ImageFolder(tmp_path / "images")
    digest = folder.add(with_chunk(made, b"cICP", bytes([1, 13, 0, 1])))
    assert folder.display_path(digest) == folder.path(digest)
    assert folder.open(digest).getpixel((8, 8)) == (13, 60, 200)


@pytest.mark.parametrize("space", [2, 65535])
def test_a_camera_may_mark_adobe_rgb_in_the_exif(tmp_path: Path, space: int) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = space
    if space == 65535:
        exif.get_ifd(0x8769)[0xA005] = {1: "R03", 2: b"0100"}
    Image.new("RGB", (16, 16), (200, 60, 60)).save(tmp_path / "a.jpg", exif=exif, quality=95)
    folder = ImageFolder(tmp_path / "images")
    digest = folder.add(tmp_path / "a.jpg")
    assert near(folder.open(digest).getpixel((8, 8)), (234, 57, 58))
    assert not folder.is_shown_as_seen(digest)


def test_a_camera_that_marks_srgb_changes_nothing(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 1
    Image.new("RGB", (16, 16), (200, 60, 60)).save(tmp_path / "a.jpg", exif=exif)
    folder = ImageFolder(tmp_path / "images")
    assert folder.is_shown_as_seen(folder.add(tmp_path / "a.jpg"))


def test_a_png_with_a_gamma_of_its_own_is_shown_as_models_see_it(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), (100, 100, 100)).save(tmp_path / "plain.png")
    data = (tmp_path / "plain.png").read_bytes()
    gamma = struct.pack(">I", 100_000)
    chunk = struct.pack(">I", 4) + b"gAMA" + gamma + struct.pack(">I", zlib.crc32(b"gAMA" + gamma))
    (tmp_path / "gamma.png").write_bytes(data[:33] + chunk + data[33:])
    folder = ImageFolder(tmp_path / "images")
    digest = folder.add(tmp_path / "gamma.png")
    with Image.open(folder.display_path(digest)) as shown:
        assert "gamma" not in shown.info
        assert shown.getpixel((1, 1)) == folder.open(digest).getpixel((1, 1)) == (100, 100, 100)
