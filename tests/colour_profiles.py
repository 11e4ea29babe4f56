"""Profiles of colours as cameras, phones and printers write them, made from their definitions."""

from __future__ import annotations

import struct

import numpy as np

D50 = (0.9642, 1.0, 0.8249)


def _profile(space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    place = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        body += b"\0" * (-len(body) % 4)
        table += struct.pack(">4sII", name, place + len(data), len(body))
        data += body
    kind = b"prtr" if space == b"CMYK" else b"mntr"
    head = struct.pack(
        ">I4sI4s4s4s", place + len(data), b"\0" * 4, 0x02400000, kind, space, connection
    )
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + _numbers(D50)
    return head.ljust(128, b"\0") + table + data


def _numbers(values: tuple[float, ...]) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + _numbers(values)


def _gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


def _words(text: bytes) -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" * 79


def rgb(name: str, columns: tuple[tuple[float, ...], ...], gamma: float) -> bytes:
    """A profile of three primaries, given as XYZ under D50, and one gamma."""
    tags = {b"desc": _words(name.encode()), b"cprt": b"text\0\0\0\0none\0", b"wtpt": _xyz(D50)}
    for letter, column in zip("rgb", columns, strict=True):
        tags[f"{letter}XYZ".encode()] = _xyz(column)
        tags[f"{letter}TRC".encode()] = _gamma(gamma)
    return _profile(b"RGB ", b"XYZ ", tags)


def adobe_rgb() -> bytes:
    """Adobe RGB (1998)."""
    return rgb(
        "Adobe RGB (1998)",
        ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
        2.19921875,
    )


def display_p3(gamma: float = 2.2) -> bytes:
    """Display P3, with a plain gamma in place of its curve."""
    return rgb(
        "Display P3",
        ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407)),
        gamma,
    )


def grey(gamma: float) -> bytes:
    """Shades of grey with a gamma of their own."""
    return _profile(
        b"GRAY",
        b"XYZ ",
        {
            b"desc": _words(b"grey"),
            b"cprt": b"text\0\0\0\0none\0",
            b"wtpt": _xyz(D50),
            b"kTRC": _gamma(gamma),
        },
    )


def cmyk() -> bytes:
    """A press whose cyan ink is a dull blue: L*a*b* of each of the sixteen mixtures."""
    grid = []
    for mixture in np.ndindex(2, 2, 2, 2):
        cyan, magenta, yellow, black = mixture
        lightness = 100 * (1 - 0.4 * cyan) * (1 - 0.5 * magenta) * (1 - 0.1 * yellow) * (1 - black)
        a = (70 * magenta - 10 * cyan) * (1 - black)
        b = (80 * yellow - 60 * cyan) * (1 - black)
        grid += [round(lightness * 2.55), round(a + 128), round(b + 128)]
    same = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + _numbers((1, 0, 0, 0, 1, 0, 0, 0, 1))
    lut += same * 4 + bytes(min(max(value, 0), 255) for value in grid) + same * 3
    return _profile(
        b"CMYK",
        b"Lab ",
        {
            b"desc": _words(b"a press"),
            b"cprt": b"text\0\0\0\0none\0",
            b"wtpt": _xyz(D50),
            b"A2B0": lut,
        },
    )
