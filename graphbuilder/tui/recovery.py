"""What crashed sessions had not saved, found in their journals at the next start."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from graphbuilder.text.splices import Splice, spliced
from graphbuilder.tui.files import text_digest
from graphbuilder.tui.journal_format import FORMAT, LARGEST, guarded, journal_folder, journals_of, read_line, text_sum

__all__ = ["Recovery", "open_elsewhere", "recoveries"]

# What is read of a journal that somebody else may have put there, in bytes.
_READ = 4 * LARGEST
# When journals can have been written, in seconds since 1970: what people are shown as a date.
_TIMES = (0.0, 4e9)


@dataclass(slots=True)
class Recovery:
    """What a crashed session had not saved. It is held, so that no other start offers it too, until it is let go.

    Arguments:
        file: the file that was edited.
        text: the text as it was last.
        base: the text as it was when the journal began.
        steps: the titles of what was done since; nameless ones are empty.
        time: when the last of it was done, in seconds since 1970.
        same_file: whether the file on disk is still the one that was edited, so that nothing has to be merged.
        whole: whether the journal could be read to its end.
        unchanged: whether the text is what was on disk when the journal began.
    """

    file: Path
    text: str
    base: str
    steps: tuple[str, ...]
    time: float
    same_file: bool
    whole: bool
    unchanged: bool
    _journal: Path
    _descriptor: int

    def __enter__(self) -> Recovery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.later()

    def discard(self) -> None:
        """Removes the journal: the text was taken over and is kept by another journal, or nobody wants it."""
        if self._descriptor >= 0:
            self._journal.unlink(missing_ok=True)
        self.later()

    def later(self) -> None:
        """Lets go of it, so that the next start offers it again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            self.later()


def recoveries(file: Path, text: str, folder: Path | None = None) -> list[Recovery]:
    """What crashed sessions on a file had not saved, the latest first.

    Journals of sessions that still run are left alone. Those that hold nothing but what the file says are removed.

    Arguments:
        file: the file that is opened.
        text: its text as it stands on disk.
        folder: where journals lie.
    """
    found: list[Recovery] = []
    place = Path(os.path.realpath(file))
    for path, descriptor in _unheld(place, folder or journal_folder()):
        recovery = _read(path, descriptor, place, text)
        if recovery is None:
            os.close(descriptor)
        elif recovery.text == text or recovery.unchanged:
            recovery.discard()
        else:
            found.append(recovery)
    return sorted(found, key=lambda recovery: -recovery.time)


def open_elsewhere(file: Path, folder: Path | None = None) -> bool:
    """Whether another editor has unsaved work on a file.

    Arguments:
        file: the file.
        folder: where journals lie.
    """
    place, where = Path(os.path.realpath(file)), folder or journal_folder()
    free = _unheld(place, where)
    for _, descriptor in free:
        os.close(descriptor)
    return len(free) < len(journals_of(place, where))


def _unheld(file: Path, folder: Path) -> list[tuple[Path, int]]:
    """The journals of a file that no running editor holds, each with a descriptor that holds it now."""
    found = []
    if not journals_of(file, folder):
        return []
    # A folder that lets nobody lock has nothing to offer.
    with contextlib.suppress(OSError), guarded(folder):
        for path in journals_of(file, folder):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError:
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
            else:
                found.append((path, descriptor))
    return found


def _read(path: Path, descriptor: int, file: Path, text: str) -> Recovery | None:
    """What a journal holds, as far as it is whole; None for one that is nobody's or damaged from the start."""
    try:
        with os.fdopen(os.dup(descriptor), "rb") as opened:
            lines = opened.read(_READ).splitlines(keepends=True)
    except OSError:
        return None
    head = read_line(lines[0]) if lines else None
    match head:
        case {
            "format": int(number),
            "file": str(name),
            "disk": str(disk),
            "text": str(base),
            "time": int() | float() as began,
        } if number == FORMAT and name == str(file) and _TIMES[0] <= began <= _TIMES[1]:
            after, when = base, float(began)
        case _:
            return None
    titles: list[str] = []
    for line in lines[1:]:
        step = _stepped(after, read_line(line))
        if step is None:
            break
        after, title, when = step
        titles.append(title)
    whole = len(titles) == len(lines) - 1
    same, unchanged = disk == text_digest(text), disk == text_digest(after)
    return Recovery(file, after, base, tuple(titles), when, same, whole, unchanged, path, descriptor)


def _stepped(text: str, told: Mapping[str, Any] | None) -> tuple[str, str, float] | None:
    """The text after a step, the step's title and its time; None where the line does not follow from the one before."""
    match told:
        case {"splices": list(written), "sum": int(total), "title": str(title), "time": int() | float() as when} if (
            _TIMES[0] <= when <= _TIMES[1]
        ):
            splices = []
            for item in written:
                match item:
                    case [int(start), int(end), str(inserted)] if 0 <= start <= end <= len(text):
                        splices.append(Splice(start, end, inserted))
                    case _:
                        return None
            try:
                after = spliced(text, splices)
            except ValueError:
                return None
            return (after, title, float(when)) if text_sum(after) == total else None
    return None
