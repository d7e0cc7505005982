"""A journal of what is being edited, from which the next start can recover it after a crash.

It lies beside the user's state, never beside the blueprint.
"""

from __future__ import annotations

import fcntl
import os
import queue
import secrets
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from graphbuilder.tui.files import text_digest
from graphbuilder.tui.journal_format import (
    FORMAT,
    LARGEST,
    SUFFIX,
    change_between,
    guarded,
    journal_folder,
    journal_key,
    journal_line,
    text_sum,
)

__all__ = ["Journal"]

# At most so often is the journal brought to the disk itself, in seconds. What dies with the program alone is nothing
# that was handed to the system, which happens at each step.
_SYNC = 1.0


class Journal:
    """Keeps what is done to a text, at each step, until it is saved.

    Keeping never waits for the disk: a thread writes. Nothing is written before the first step, so that whoever only
    looks at a file leaves no trace. What the journal holds is not for others' eyes: only its owner can read it.

    Arguments:
        file: the file that is edited; it need not exist.
        text: its text as it stands on disk; the text that steps begin with.
        folder: where journals lie.
        failed: told once, in the journal's thread, why nothing can be kept; editing goes on.

    Example:
        >>> import tempfile
        >>> from graphbuilder.tui.recovery import recoveries
        >>> folder = Path(tempfile.mkdtemp())
        >>> journal = Journal(Path("cnn.yaml"), "units: 1", folder)
        >>> journal.keep("units: 2")
        >>> journal.crash()
        >>> [recovery.text for recovery in recoveries(Path("cnn.yaml"), "units: 1", folder)]
        ['units: 2']
    """

    def __init__(
        self,
        file: Path,
        text: str,
        folder: Path | None = None,
        *,
        failed: Callable[[OSError], object] | None = None,
    ) -> None:
        self.file = Path(os.path.realpath(file))
        self.folder = folder or journal_folder()
        self.fault: OSError | None = None
        self.failed = failed
        self._disk = text_digest(text)
        self._text = text
        self._place: Path | None = None
        self._descriptor: int | None = None
        self._size = 0
        self._dirty = False
        self._synced = 0.0
        # Journals that could not be written to their end, until another one or a save stands in for them.
        self._broken: list[Path] = []
        self._orders: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def keep(self, text: str, title: str = "") -> None:
        """Keeps a step.

        Arguments:
            text: the whole text after it.
            title: what the step was, for the question at the next start.
        """
        self._orders.put(("keep", (text, title, time.time())))

    def saved(self, text: str) -> None:
        """Notes that a text is on disk, so that what led to it need not be kept any longer.

        Arguments:
            text: what was saved; steps after it go on from there.
        """
        self._orders.put(("saved", text))

    def settle(self, timeout: float = 10.0) -> bool:
        """Waits until all that was kept is on the disk.

        Returns:
            Whether that was reached in time.
        """
        done = threading.Event()
        self._orders.put(("settle", done))
        return done.wait(timeout)

    def close(self, *, keep: bool = False) -> None:
        """Ends the journal.

        Arguments:
            keep: whether what is not saved is offered at the next start, as it should be where nobody was asked: when
                the terminal goes away, or a browser.
        """
        if self._thread.is_alive():
            self._orders.put(("close", keep))
            self._thread.join()

    def crash(self) -> None:
        """Ends the journal as if the program had crashed, after what was handed over has been written."""
        self.close(keep=True)

    def _run(self) -> None:
        while True:
            due = self._synced + _SYNC - time.monotonic()
            try:
                order, what = self._orders.get(timeout=max(due, 0.001) if self._dirty else None)
            except queue.Empty:
                self._attempt(self._sync)
                continue
            if order == "keep":
                self._attempt(partial(self._step, *what))
            elif order == "saved":
                self._attempt(partial(self._saved, what))
            elif order == "settle":
                self._attempt(self._sync)
                what.set()
            else:
                self._attempt(self._sync if what else self._drop)
                if self._descriptor is not None:
                    os.close(self._descriptor)
                    self._descriptor = None
                return

    def _attempt(self, work: Callable[[], None]) -> None:
        """Does a piece of work; when it fails, nothing more is kept until the text is saved or changed again."""
        try:
            work()
        except OSError as error:
            first = self.fault is None
            self.fault = error
            # What is half written is cut off when it is read; the next step begins a new journal with the whole text.
            if self._place is not None:
                self._broken.append(self._place)
            self._let_go()
            if first and self.failed is not None:
                self.failed(error)

    def _step(self, text: str, title: str, when: float) -> None:
        splice = change_between(self._text, text)
        if splice is None:
            return
        if self._descriptor is None or self._size > LARGEST:
            self._begin(self._text)
        self._text = text
        told = {
            "splices": [[splice.start, splice.end, splice.text]],
            "sum": text_sum(text),
            "title": title,
            "time": when,
        }
        self._write(journal_line(told))
        self.fault = None
        # A stream of steps must not put the disk off for ever.
        if time.monotonic() - self._synced >= _SYNC:
            self._sync()

    def _saved(self, text: str) -> None:
        after = self._text
        self._disk = text_digest(text)
        self._text = text
        if after == text:
            self._drop()
            return
        # What was done while it was being saved is not on disk.
        if self._descriptor is not None:
            self._begin(text)
        self._step(after, "", time.time())

    def _begin(self, text: str) -> None:
        """Makes a new journal whose first line holds the text, and removes the one before it."""
        before, descriptor = self._place, self._descriptor
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with guarded(self.folder):
            place = self.folder / f"{journal_key(self.file)}-{secrets.token_hex(6)}{SUFFIX}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(place, flags, 0o600)
            self._place = place
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._size = 0
        head = {
            "format": FORMAT,
            "file": str(self.file),
            "disk": self._disk,
            "text": text,
            "process": os.getpid(),
            "time": time.time(),
        }
        self._write(journal_line(head))
        if descriptor is not None or self._broken:
            # What it stands in for goes only when it is on the disk.
            self._sync()
        self._remove_broken()
        if descriptor is not None and before is not None:
            before.unlink(missing_ok=True)
            os.close(descriptor)

    def _write(self, line: bytes) -> None:
        assert self._descriptor is not None
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self._size += len(line)
        self._dirty = True

    def _sync(self) -> None:
        if self._descriptor is not None and self._dirty:
            os.fsync(self._descriptor)
        self._dirty = False
        self._synced = time.monotonic()

    def _drop(self) -> None:
        """Removes the journal."""
        if self._place is not None:
            self._place.unlink(missing_ok=True)
        self._let_go()
        self._remove_broken()

    def _remove_broken(self) -> None:
        while self._broken:
            self._broken.pop().unlink(missing_ok=True)

    def _let_go(self) -> None:
        """Writes no further to this journal; the next step makes a new one."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = self._place = None
        self._dirty = False
