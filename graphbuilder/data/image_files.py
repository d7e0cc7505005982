"""Whether an image file is whole, told from a few of its bytes."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO

__all__ = ["MOST_PIXELS", "header_fault"]

# An image of more pixels is refused: a small file can stand for one that fills the memory.
MOST_PIXELS = 100_000_000

_PNG = b"\x89PNG\r\n\x1a\n"


def header_fault(path: Path) -> str | None:
    """What is wrong with an image file, or None where its beginning and end are those of a whole image.

    Arguments:
        path: a PNG, JPEG or BMP file.

    Raises:
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    if not size:
        return "the file is empty"
    with path.open("rb") as file:
        start = file.read(32)
        if start.startswith(_PNG):
            found = _png(file, start, size)
        elif start.startswith(b"\xff\xd8"):
            found = _jpeg(file, size)
        elif start.startswith(b"BM"):
            found = _bmp(start, size)
        else:
            return "it is no PNG, JPEG or BMP image, whatever its name says"
    if isinstance(found, str):
        return found
    width, height = found
    if width < 1 or height < 1:
        return "the image has no pixels"
    if width * height > MOST_PIXELS:
        return f"the image has {width:,}×{height:,} pixels, more than {MOST_PIXELS:,}"
    return None


def _png(file: IO[bytes], start: bytes, size: int) -> tuple[int, int] | str:
    if len(start) < 24:
        return "the PNG image is cut off"
    file.seek(max(0, size - 64))
    if b"IEND" not in file.read():
        return "the PNG image is cut off"
    width, height = struct.unpack(">II", start[16:24])
    return width, height


def _jpeg(file: IO[bytes], size: int) -> tuple[int, int] | str:
    file.seek(max(0, size - 4096))
    if b"\xff\xd9" not in file.read():
        return "the JPEG image is cut off"
    file.seek(2)
    while True:
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return "the JPEG image is damaged"
        kind, length = head[1], int.from_bytes(head[2:], "big")
        # The segments that state the size are 0xC0 to 0xCF, but for three that mean something else.
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            frame = file.read(5)
            if len(frame) < 5:
                return "the JPEG image is damaged"
            height, width = struct.unpack(">HH", frame[1:])
            return width, height
        if kind == 0xFF:
            # Bytes that only fill.
            file.seek(-3, 1)
            continue
        file.seek(length - 2, 1)


def _bmp(start: bytes, size: int) -> tuple[int, int] | str:
    if len(start) < 26 or struct.unpack("<I", start[2:6])[0] > size:
        return "the BMP image is cut off"
    width, height = struct.unpack("<ii", start[18:26])
    return abs(width), abs(height)
