"""From a file's bytes to text."""

from __future__ import annotations

import codecs
import errno
import os
import re
from itertools import islice
from pathlib import Path
from typing import NoReturn

from graphbuilder.errors import BlueprintError, Diagnostic, nearest
from graphbuilder.limits import raising_hint
from graphbuilder.text.limits import TextLimits
from graphbuilder.text.lines import LineTable
from graphbuilder.text.problems import Problems

__all__ = ["decode", "read_bytes", "refuse_control_characters", "refuse_size"]

_FOLDER_ENTRIES = 2000
_SHOWN_CONTROL_CHARACTERS = 10
_LARGER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_CONTROL = {
    # What YAML calls printable, all of which libyaml reads.
    "yaml": re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"),
    # JSON leaves the others to its strings.
    "json": re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]"),
}


def read_bytes(path: str, name: str, limits: TextLimits) -> bytes:
    """A file's content.

    Arguments:
        path: the file.
        name: what messages call it.
        limits: the budgets.

    Raises:
        BlueprintError: GB101 if it cannot be read, GB103 if it is larger than the limit.
    """
    try:
        # The size that the system states is not believed: devices and pipes state none.
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            refuse_size(size, name, limits)
            content = file.read(limits.bytes + 1)
    except (OSError, ValueError) as error:
        _refuse_file(path, name, error)
    refuse_size(len(content), name, limits)
    return content


def refuse_size(size: int, file: str, limits: TextLimits) -> None:
    """Refuses a text of too many bytes.

    Raises:
        BlueprintError: GB103.
    """
    if size > limits.bytes:
        message = f"the file is larger than {limits.bytes:,} bytes"
        if size > limits.bytes + 1:
            message = f"the file has {size:,} bytes; the limit is {limits.bytes:,}"
        hint = f"a blueprint holds the description of a network, not its weights; {raising_hint('bytes')}"
        raise BlueprintError(Diagnostic("GB103", message, file=file, hint=hint))


def _refuse_file(path: str, name: str, error: OSError | ValueError) -> NoReturn:
    code = error.errno if isinstance(error, OSError) else None
    hint = None
    if code in (errno.ENOENT, errno.ENOTDIR):
        message, hint = _describe_missing(path)
    elif code == errno.EISDIR:
        message, hint = "this is a folder, not a file", _name_a_blueprint(path)
    elif code in (errno.EACCES, errno.EPERM):
        message = "the file may not be read: permission denied"
    elif isinstance(error, OSError):
        message = f"the file cannot be read: {error.strerror or error}"
    else:
        message = "this is not a file's name"
    raise BlueprintError(Diagnostic("GB101", message, file=name, hint=hint)) from error


def _describe_missing(path: str) -> tuple[str, str | None]:
    folder, name = os.path.split(path)
    entries = _entries(folder or os.curdir)
    if entries is None:
        return f"the folder {folder} does not exist", None
    near = nearest(name, entries)
    return "there is no such file", f"did you mean {Path(folder, near)}?" if near else None


def _name_a_blueprint(folder: str) -> str | None:
    blueprints = sorted(name for name in _entries(folder) or () if name.endswith((".yaml", ".yml", ".json")))
    return f"name a file in it, such as {Path(folder, blueprints[0])}" if blueprints else None


def _entries(folder: str) -> list[str] | None:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in islice(entries, _FOLDER_ENTRIES)]
    except OSError:
        return None


def decode(content: bytes, file: str) -> tuple[str, bool]:
    """The text of a file, and whether a byte order mark stands before it.

    Raises:
        BlueprintError: GB102, the file is not UTF-8.
    """
    marked = content.startswith(codecs.BOM_UTF8)
    body = content[3:] if marked else content
    wide = _wide_encoding(content)
    if wide is not None:
        _refuse_encoding(file, f"the file is {wide}, not UTF-8", "save it as UTF-8", b"")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        if b"\0" in body:
            _refuse_encoding(file, "the file is binary, not text", None, b"")
        byte = body[error.start]
        meant = bytes((byte,)).decode("cp1252", "replace")
        hint = "save the file as UTF-8"
        if meant.isprintable() and meant != "\ufffd":
            hint += f"; the byte is {meant} in Windows-1252"
        _refuse_encoding(file, f"the byte 0x{byte:02X} is not UTF-8", hint, body[: error.start])
    if "\0" in text:
        _refuse_encoding(file, "the file is binary, not text", None, body[: body.index(b"\0")])
    return text, marked


def _wide_encoding(content: bytes) -> str | None:
    for mark, name in _LARGER_ENCODINGS:
        if content.startswith(mark):
            return name
    # Without a mark, English text in UTF-16 has a zero in nearly every other byte.
    start = content[:1000]
    for first in (0, 1):
        every_other = start[first::2]
        if len(start) >= 8 and every_other.count(0) > 0.7 * len(every_other) and start[1 - first :: 2].count(0) == 0:
            return "UTF-16"
    return None


def _refuse_encoding(file: str, message: str, hint: str | None, before: bytes) -> NoReturn:
    text = before.decode("utf-8")
    position = LineTable(text).position(len(text), len(text))
    raise BlueprintError(Diagnostic("GB102", message, file=file, position=position, hint=hint))


def refuse_control_characters(problems: Problems, syntax: str) -> None:
    """Refuses characters that a text file does not hold, such as U+0007; those that its syntax allows stay.

    Raises:
        BlueprintError: GB102, for each of the first ten.
    """
    for match in islice(_CONTROL[syntax].finditer(problems.text), _SHOWN_CONTROL_CHARACTERS):
        code = ord(match[0])
        hint = f'remove it, or write it as "\\u{code:04x}" in a double-quoted string'
        if 0xD800 <= code <= 0xDFFF:
            hint = "remove it: it is half of a surrogate pair"
        message = f"the character U+{code:04X} cannot stand in a text file"
        problems.add("GB102", match.start(), match.end(), message, hint=hint)
    problems.raise_if_any()
