"""The text attributes at the root of an HDF5 file, which is where Keras keeps a model's configuration.

The HDF5 library hangs on some damaged files, and no file may do that here. So this reads the few parts of the format
that lead to an attribute, and follows no link. Names are those of the HDF5 File Format Specification, version 3.0.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from graphbuilder.importers.problems import NotCarried
from graphbuilder.importers.reading_limits import MOST_BYTES, damaged

__all__ = ["SIGNATURE", "root_attributes"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_ATTRIBUTE, _CONTINUATION, _ATTRIBUTE_INFO = 0x0C, 0x10, 0x15
_SHARED = 0x02
_FIXED_STRING, _VARIABLE = 3, 9
# An object header with this many parts is none that Keras has written.
_MOST_BLOCKS = 256
_MOST_HEADER = 2**20
# An index has two bytes.
_MOST_IN_HEAP = 2**16


def root_attributes(file: BinaryIO, names: tuple[str, ...]) -> dict[str, bytes]:
    """The attributes of the root group that are one string, by name.

    Arguments:
        file: an HDF5 file, opened.
        names: those that are wanted.

    Raises:
        NotCarried: GB852, the file is damaged, or an attribute is too large.
    """
    try:
        reader = _Reader(file, os.fstat(file.fileno()).st_size)
        return dict(reader.attributes(names))
    except (struct.error, IndexError, OverflowError) as error:
        raise damaged(f"its HDF5 structure is damaged: {error}") from None


@dataclass
class _Reader:
    """Reads one file.

    Arguments:
        file: the file.
        size: in bytes.
        offsets: how many bytes an address has.
        lengths: how many bytes a length has.
        base: what addresses count from.
    """

    file: BinaryIO
    size: int
    offsets: int = 8
    lengths: int = 8
    base: int = 0

    def attributes(self, names: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
        """The wanted attributes with their values."""
        dense = False
        found = set()
        for kind, body in self._messages(self._root()):
            if kind == _ATTRIBUTE_INFO:
                # Flags may add a number of two bytes before the address of the heap.
                at = 4 if body[1] & 1 else 2
                dense = self._address(body, at) is not None
            elif kind == _ATTRIBUTE:
                name, value = self._attribute(body, names)
                if value is not None:
                    found.add(name)
                    yield name, value
        if dense and not found:
            hint = "load the model with Keras and save it as .keras"
            raise damaged("its attributes are kept in a form that Keras does not write", hint)

    def read(self, address: int, count: int) -> bytes:
        """So many bytes from an address."""
        if count < 0 or self.base + address + count > self.size:
            raise damaged(f"it ends at byte {self.size:,}, and refers to bytes behind that")
        self.file.seek(self.base + address)
        return self.file.read(count)

    def _number(self, content: bytes, at: int, count: int) -> int:
        if at + count > len(content):
            raise damaged("a part of its HDF5 structure ends too early")
        return int.from_bytes(content[at : at + count], "little")

    def _address(self, content: bytes, at: int) -> int | None:
        found = self._number(content, at, self.offsets)
        return None if found == (1 << 8 * self.offsets) - 1 else found

    def _root(self) -> int:
        """The address of the root group's object header, from the superblock."""
        start = self.read(0, min(self.size, 112))
        version = start[8]
        if version > 3:
            raise damaged(f"it is of version {version} of HDF5's superblock; expected at most 3")
        sizes = 13 if version < 2 else 9
        self.offsets, self.lengths = start[sizes], start[sizes + 1]
        if self.offsets not in (4, 8) or self.lengths not in (4, 8):
            raise damaged("its HDF5 addresses are neither of 4 nor of 8 bytes")
        first = {0: 24, 1: 28}.get(version, 12)
        # Before the root group stand four addresses and the offset of its name; later versions have three.
        root = self._address(start, first + (5 if version < 2 else 3) * self.offsets)
        self.base = self._address(start, first) or 0
        if root is None:
            raise damaged("its HDF5 structure has no root")
        return root

    def _messages(self, address: int) -> Iterator[tuple[int, bytes]]:
        """The messages of an object header, and of the blocks that continue it."""
        old = self.read(address, 4) != b"OHDR"
        head, blocks = self._first_block(address) if old else self._first_chunk(address)
        read, total = 0, 0
        while read < len(blocks):
            start, length = blocks[read]
            read, total = read + 1, total + length
            if read > _MOST_BLOCKS or total > _MOST_HEADER:
                raise damaged("the header of its HDF5 root is larger than any that Keras writes")
            block = self.read(start, length)
            if not old and read > 1:
                block = block[4:-4]
            at = 0
            while at + head <= len(block):
                kind, size, flags = struct.unpack_from("<HHB" if old else "<BHB", block, at)
                body = block[at + head : at + head + size]
                at += head + size
                if kind == _CONTINUATION:
                    following = self._number(body, 0, self.offsets)
                    blocks.append((following, self._number(body, self.offsets, self.lengths)))
                elif not flags & _SHARED:
                    yield kind, body

    def _first_block(self, address: int) -> tuple[int, list[tuple[int, int]]]:
        """How long the head of a message is, and where the messages begin, in an object header of version 1."""
        version, _, _, _, length = struct.unpack("<BBHII", self.read(address, 12))
        if version != 1:
            raise damaged(f"the header of its HDF5 root is of version {version}; expected 1 or 2")
        return 8, [(address + 16, length)]

    def _first_chunk(self, address: int) -> tuple[int, list[tuple[int, int]]]:
        """The same in an object header of version 2."""
        flags = self.read(address, 6)[5]
        start = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        length = self._number(self.read(start, width), 0, width)
        return (6 if flags & 4 else 4), [(start + width, length)]

    def _attribute(self, body: bytes, names: tuple[str, ...]) -> tuple[str, bytes | None]:
        """An attribute's name, and its value where that is one string that is wanted."""
        version, shared, *sizes = struct.unpack_from("<BBHHH", body)
        if version not in (1, 2, 3):
            raise damaged(f"an attribute is of version {version}; expected 1 to 3")
        at = 9 if version == 3 else 8
        parts = []
        for size in sizes:
            parts.append(body[at : at + size])
            at += -(-size // 8) * 8 if version == 1 else size
        name = parts[0].split(b"\0")[0].decode("utf-8", "replace")
        if name not in names or (version > 1 and shared):
            return name, None
        return name, self._string(name, parts[1], parts[2], body[at:])

    def _string(self, name: str, datatype: bytes, dataspace: bytes, value: bytes) -> bytes | None:
        rank = dataspace[1]
        first = 8 if dataspace[0] == 1 else 4
        if any(self._number(dataspace, first + axis * self.lengths, self.lengths) != 1 for axis in range(min(rank, 4))):
            return None
        kind, size = datatype[0] & 0x0F, self._number(datatype, 4, 4)
        if kind == _FIXED_STRING:
            if size > len(value):
                raise damaged(f"its attribute {name} claims {size:,} bytes, and has {len(value):,}")
            return value[:size].rstrip(b"\0")
        if kind != _VARIABLE or datatype[1] & 0x0F != 1:
            return None
        length = self._number(value, 0, 4)
        if length > MOST_BYTES:
            raise damaged(f"its attribute {name} claims {length:,} bytes; at most {MOST_BYTES:,} are read")
        heap = self._address(value, 4)
        index = self._number(value, 4 + self.offsets, 4)
        return b"" if heap is None or not length else self._in_heap(heap, index, length).rstrip(b"\0")

    def _in_heap(self, address: int, index: int, length: int) -> bytes:
        """An object of a global heap, in which long values stand."""
        head = 8 + self.lengths
        start = self.read(address, head)
        if start[:4] != b"GCOL":
            raise self._missing()
        end = address + self._number(start, 8, self.lengths)
        at = address + head
        for _ in range(_MOST_IN_HEAP):
            if at + head > end:
                break
            entry = self.read(at, head)
            found, size = self._number(entry, 0, 2), self._number(entry, 8, self.lengths)
            if found == 0:
                break
            if found == index:
                if size < length:
                    raise damaged(f"a value of {length:,} bytes stands in {size:,}")
                return self.read(at + head, length)
            at += head + -(-size // 8) * 8
        raise self._missing()

    def _missing(self) -> NotCarried:
        return damaged("a value stands in no heap of its HDF5 structure")
