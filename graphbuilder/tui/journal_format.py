"""How a journal is written: where it lies, its lines, and who may look at it when.

The first line holds the text as it was when the journal began; each further line holds the splices of one step. A line
begins with the check sum of the rest, so that a tail that was being written when the power failed is told from what is
whole. Nothing in it is ever run: it is read as JSON, field by field.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from graphbuilder.text.splices import Splice

__all__ = [
    "FORMAT",
    "LARGEST",
    "SUFFIX",
    "change_between",
    "guarded",
    "journal_folder",
    "journal_key",
    "journal_line",
    "journals_of",
    "read_line",
    "text_sum",
]

FORMAT = 1
SUFFIX = ".journal"
# A journal larger than this, in bytes, begins anew with the text as it stands.
LARGEST = 32 * 2**20


def journal_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Where journals lie: `$XDG_STATE_HOME/graphbuilder/journal`, by default below `~/.local/state`.

    Arguments:
        environment: the environment's variables; those of this process when left out.

    Source: the XDG Base Directory Specification, by which a path that is not absolute counts as none.
    """
    given = (os.environ if environment is None else environment).get("XDG_STATE_HOME", "")
    base = Path(given) if Path(given).is_absolute() else Path("~/.local/state").expanduser()
    return base / "graphbuilder" / "journal"


def change_between(before: str, after: str) -> Splice | None:
    """The one splice that makes a text another one, as short as it can be; None where they are equal.

    Example:
        >>> change_between("units: 64", "units: 128")
        Splice(start=7, end=9, text='128')
    """
    if before == after:
        return None
    most = min(len(before), len(after))
    start = _common(lambda count: before[:count] == after[:count], most)
    end = _common(
        lambda count: before[len(before) - count :] == after[len(after) - count :],
        most - start,
    )
    return Splice(start, len(before) - end, after[start : len(after) - end])


def _common(equal: Callable[[int], bool], most: int) -> int:
    """The largest count that is still equal. Whole stretches are compared, which is far quicker than characters."""
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        if equal(middle):
            least = middle
        else:
            most = middle - 1
    return least


def journal_key(file: Path) -> str:
    """What the names of a file's journals begin with.

    Arguments:
        file: the file, links followed.
    """
    return hashlib.sha256(os.fsencode(file)).hexdigest()[:24]


def journals_of(file: Path, folder: Path) -> list[Path]:
    """The journals of a file, those of running editors included."""
    try:
        return sorted(folder.glob(f"{journal_key(file)}-*{SUFFIX}"))
    except OSError:
        return []


@contextlib.contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Lets one process at a time make journals or look for them: between making one and holding it nobody takes it."""
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def text_sum(text: str) -> int:
    """The check sum of a text."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def journal_line(told: Mapping[str, Any]) -> bytes:
    """A line: the check sum, and the data as JSON."""
    body = json.dumps(told, separators=(",", ":")).encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(body), body)


def read_line(line: bytes) -> dict[str, Any] | None:
    """The data of a line; None for one that is damaged."""
    head, space, body = line.partition(b" ")
    try:
        if not space or not line.endswith(b"\n") or int(head, 16) != zlib.crc32(body[:-1]):
            return None
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
