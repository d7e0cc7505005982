"""The configuration in a `.keras` archive. One entry is read into memory, and none is unpacked."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from itertools import pairwise
from pathlib import PurePosixPath
from typing import BinaryIO

from graphbuilder.importers.problems import NotCarried
from graphbuilder.importers.reading_limits import MOST_BYTES, damaged

__all__ = ["archived"]

_CONFIG, _METADATA = "config.json", "metadata.json"
# How much `zipfile` may read at once: a table of contents of some 10,000 entries.
_MOST_AT_ONCE = 2**20
_CHUNK = 2**16
# Of what stands before an entry's content.
_LEAST_HEADER = 30
_ENCRYPTED = 1


def archived(file: BinaryIO) -> tuple[bytes, bytes]:
    """The configuration and the metadata of a `.keras` archive.

    Arguments:
        file: the archive, opened.

    Raises:
        NotCarried: GB851, it holds no configuration; GB852, it is damaged, hostile, or too large.
    """
    try:
        # The table of contents is read whole, and what the archive says of its size need not be sensible.
        with zipfile.ZipFile(_Bounded(file)) as archive:
            entries = archive.infolist()
            for entry in entries:
                _refuse_dangerous(entry)
            _refuse_overlap(entries)
            return _read(archive, entries, _CONFIG), _read(archive, entries, _METADATA)
    # What zipfile raises at wrong bytes: most of these are no documented part of it.
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        IndexError,
        OSError,
        OverflowError,
        RuntimeError,
        ValueError,
    ) as error:
        raise damaged(f"its archive is damaged: {error}") from None


class _Bounded(io.RawIOBase):
    """A file that gives a limited number of bytes at once.

    Arguments:
        file: what it reads.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(_MOST_AT_ONCE + 1 if size < 0 else min(size, _MOST_AT_ONCE + 1))
        if len(content) > _MOST_AT_ONCE:
            raise zipfile.BadZipFile(f"its table of contents has more than {_MOST_AT_ONCE:,} bytes")
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def _refuse_dangerous(entry: zipfile.ZipInfo) -> None:
    """Refuses what would do harm where somebody unpacks it: it is no model that Keras has saved."""
    # The name as the archive has it: `filename` ends where a zero stands.
    name = entry.orig_filename
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name:
        raise damaged(f"its archive has an entry outside of itself: {name!r}")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise damaged(f"its archive has a link among its entries: {name!r}")


def _refuse_overlap(entries: list[zipfile.ZipInfo]) -> None:
    """Refuses entries that share bytes, with which a small archive unpacks to a huge one."""
    for first, second in pairwise(sorted(entries, key=lambda entry: entry.header_offset)):
        if first.header_offset + _LEAST_HEADER + first.compress_size > second.header_offset:
            raise damaged(f"in its archive {first.filename!r} and {second.filename!r} share bytes")


def _read(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], name: str) -> bytes:
    """An entry's content; nothing where there is no such metadata."""
    found = [entry for entry in entries if entry.filename == name]
    if not found and name == _METADATA:
        return b""
    if not found:
        raise NotCarried(
            f"its archive has no {name}, and so holds no model of Keras",
            "`model.save` of Keras writes such an archive",
            code="GB851",
        )
    if len(found) > 1:
        raise damaged(f"its archive has {len(found)} entries named {name}")
    # Of other methods zipfile limits no output.
    if found[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise damaged(f"its {name} is compressed in a way that Keras does not use")
    if found[0].flag_bits & _ENCRYPTED:
        raise damaged(f"its {name} is encrypted")
    content = bytearray()
    with archive.open(found[0]) as file:
        while chunk := file.read(_CHUNK):
            content += chunk
            # What the archive says of the size need not be true.
            if len(content) > MOST_BYTES:
                raise damaged(f"its {name} has more than {MOST_BYTES:,} bytes")
    return bytes(content)
