"""Notices that a file is changed on disk by somebody else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from graphbuilder.errors import BlueprintError
from graphbuilder.tui.files import FileStamp, Opened, open_file, stamp_of

__all__ = ["FileWatch"]


class FileWatch:
    """Looks at a file again and again, in a thread of its own, and tells when its content is another one.

    Each change is told once. A file whose time changes and whose content does not is no change, so that `touch` and a
    checkout of the same version go unnoticed.

    Arguments:
        path: the file.
        stamp: what is known of it; None where it does not exist yet.
        changed: told, in the watch's thread, what stands there now; its stamp is None where the file has gone, and it
            is None itself where what stands there is not text.
        interval: how often it looks, in seconds.

    Example:
        >>> import tempfile, threading
        >>> path = Path(tempfile.mkdtemp(), "cnn.yaml")
        >>> seen = threading.Event()
        >>> with FileWatch(path, None, lambda disk: seen.set(), interval=0.05):
        ...     _ = path.write_text("blueprint: 1")
        ...     seen.wait(5)
        True
    """

    def __init__(
        self,
        path: Path,
        stamp: FileStamp | None,
        changed: Callable[[Opened | None], object],
        *,
        interval: float = 0.5,
    ) -> None:
        self.path = path
        self.changed = changed
        self.interval = interval
        self._stamp = stamp
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {path.name}", daemon=True)

    def __enter__(self) -> FileWatch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the looking; nothing is told afterwards, unless it is being told right now."""
        self._ended.set()

    def expect(self, stamp: FileStamp | None) -> None:
        """Notes what the editor itself has saved or taken over, which is no change by somebody else.

        Arguments:
            stamp: what saving or opening gave.
        """
        with self._guard:
            self._stamp = stamp

    def saved(self, save: Callable[[], FileStamp]) -> FileStamp:
        """Saves while nobody looks, so that the editor's own save is not taken for somebody else's.

        Arguments:
            save: saves and gives the new stamp; what it raises comes through.
        """
        with self._guard:
            self._stamp = save()
            return self._stamp

    def _run(self) -> None:
        while not self._ended.wait(self.interval):
            self.look()

    def look(self) -> bool:
        """Looks once, and tells if there is something new.

        Returns:
            Whether it told of a change.
        """
        with self._guard:
            known = self._stamp
            try:
                found = stamp_of(self.path, known)
            except OSError:
                # Not to be read now, perhaps because it is being replaced; the next look will tell.
                return False
            same = (found.digest if found else None) == (known.digest if known else None)
            self._stamp = found
            if same:
                return False
            disk: Opened | None = Opened("", None)
            if found is not None:
                try:
                    opened = disk = open_file(self.path)
                    self._stamp = opened.stamp
                except BlueprintError:
                    disk = None
        if self._ended.is_set():
            return False
        self.changed(disk)
        return True
