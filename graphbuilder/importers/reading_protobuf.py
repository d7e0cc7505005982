"""Fields of a protobuf message by their numbers, for the few that a SavedModel is read for.

The classes that protobuf generates for them are TensorFlow's, which takes seconds to import.
"""

from __future__ import annotations

from collections.abc import Iterator

from graphbuilder.importers.reading_limits import damaged

__all__ = ["fields", "texts"]

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_MOST_VARINT = 10


def fields(message: memoryview, number: int) -> Iterator[memoryview]:
    r"""The values of a field whose values are messages, strings or bytes.

    Arguments:
        message: the message that has them.
        number: the field's.

    Raises:
        NotCarried: GB852, it is no such message.

    Example:
        >>> [bytes(value) for value in fields(memoryview(b"\x0a\x02ab\x10\x05"), 1)]
        [b'ab']
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        if key & 7 == _VARINT:
            _, at = _varint(message, at)
            continue
        if key & 7 == _BYTES:
            size, at = _varint(message, at)
        elif key & 7 in (_FIXED_64, _FIXED_32):
            size = 8 if key & 7 == _FIXED_64 else 4
        else:
            raise damaged("its protobuf message is damaged")
        if at + size > len(message):
            raise damaged("its protobuf message ends too early")
        if key == number << 3 | _BYTES:
            yield message[at : at + size]
        at += size


def texts(message: memoryview, number: int) -> list[str]:
    """The values of a field whose values are strings.

    Raises:
        NotCarried: GB852, it is no such message.
    """
    return [bytes(value).decode("utf-8", "replace") for value in fields(message, number)]


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number of variable length, and where the next thing stands."""
    found = 0
    for index in range(_MOST_VARINT):
        if at >= len(message):
            raise damaged("its protobuf message ends too early")
        byte = message[at]
        found |= (byte & 0x7F) << 7 * index
        at += 1
        if byte < 0x80:
            return found, at
    raise damaged("its protobuf message is damaged")
