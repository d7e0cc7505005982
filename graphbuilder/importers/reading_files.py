"""Opens files of which nothing is known yet."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from graphbuilder.importers.problems import NotCarried

__all__ = ["opened"]

_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
)


def opened(path: Path) -> BinaryIO:
    """A file, opened for reading.

    Arguments:
        path: the file.

    Raises:
        NotCarried: GB101, its name is none; GB851, it is a pipe, a device or the like, which may wait or have no end.
        OSError: it cannot be read.
    """
    try:
        # Opening a pipe would else wait for somebody to write into it.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb")
    except ValueError as error:
        # No name of a file holds a zero byte.
        raise NotCarried(f"the file cannot be read: {error}", code="GB101") from None
    mode = os.fstat(file.fileno()).st_mode
    if stat.S_ISREG(mode):
        return file
    file.close()
    word = next((word for is_kind, word in _KINDS if is_kind(mode)), "a socket")
    raise NotCarried(f"it is {word}; expected a file with a model in it", code="GB851")
