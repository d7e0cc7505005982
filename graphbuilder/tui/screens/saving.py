"""The part of the main screen that saves: every file is written in a thread, one save after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from textual import on, work
from textual.message import Message

from graphbuilder.blueprint import load_source
from graphbuilder.errors import BlueprintError, GraphbuilderError
from graphbuilder.lowering import try_lower
from graphbuilder.text import parse
from graphbuilder.tui.files import ChangedOnDisk, FileStamp, Opened, save_file
from graphbuilder.tui.journal import Journal
from graphbuilder.tui.screens.ask import Ask, AskText
from graphbuilder.tui.screens.fitting import FittingScreen
from graphbuilder.tui.watching import FileWatch
from graphbuilder.tui.workspace import Workspace

__all__ = ["SavingScreen"]

_BLUEPRINTS = (".yaml", ".yml", ".json")


class SavingScreen(FittingScreen):
    """A screen from which a text is saved.

    Arguments:
        workspace: what is open.
        stamp: what tells whether the file is still the one that was opened; None for a new file.
        journal: where steps are kept until they are saved; None to keep none.
    """

    class DiskChanged(Message):
        """Somebody else has changed a file.

        Arguments:
            path: the file.
            disk: what stands there now; None where that is no text.
        """

        def __init__(self, path: Path, disk: Opened | None) -> None:
            super().__init__()
            self.path = path
            self.disk = disk

    class JournalFailed(Message):
        """Nothing can be kept for after a crash.

        Arguments:
            error: why.
        """

        def __init__(self, error: OSError) -> None:
            super().__init__()
            self.error = error

    def __init__(self, workspace: Workspace, stamp: FileStamp | None = None, journal: Journal | None = None) -> None:
        super().__init__(workspace)
        self.stamp = stamp
        self.journal: Journal | None = None
        self.file_watch: FileWatch | None = None
        # Whoever writes the file, or takes over what others have written, holds it; the next ones wait in their order.
        self._writing = asyncio.Lock()
        if journal is not None:
            self._take_journal(journal)

    @property
    def path(self) -> Path:
        """The file."""
        assert self.workspace.path is not None
        return self.workspace.path

    @property
    def busy(self) -> bool:
        return super().busy or self._writing.locked()

    def _take_journal(self, journal: Journal) -> None:
        journal.failed = lambda error: self.post_message(self.JournalFailed(error))
        self.journal = journal

    @on(JournalFailed)
    def _journal_failed(self, event: JournalFailed) -> None:
        told = event.error.strerror or str(event.error)
        self.say(f"what is not saved would be lost in a crash: the journal cannot be written: {told}", "warning")

    def watch_file(self) -> None:
        """Looks from now on whether somebody else changes the file."""
        path = self.path
        self.file_watch = FileWatch(path, self.stamp, lambda disk: self.post_message(self.DiskChanged(path, disk)))
        self.file_watch.start()

    def disk_changed(self, disk: Opened | None) -> None:
        """Takes over what was changed on disk, or asks."""
        raise NotImplementedError

    # The file itself.

    def action_save(self) -> None:
        """Saves the text as it stands."""
        self.take_typed()
        self.run_worker(self.save(self.workspace.session.text), group="save")

    async def save(self, text: str) -> bool:
        """Saves a text, once those that were to be saved before it are.

        Arguments:
            text: the whole file.

        Returns:
            Whether it is saved.
        """
        async with self._writing:
            place, expected, watch = self.path, self.stamp, self.file_watch

            def write() -> FileStamp:
                if watch is None:
                    return save_file(place, text, expected)
                return watch.saved(lambda: save_file(place, text, expected))

            stamp = await self._written(write)
            if isinstance(stamp, ChangedOnDisk):
                self.disk_changed(stamp.disk)
            if not isinstance(stamp, FileStamp):
                return False
            self.stamp, self.workspace.disk_text = stamp, text
            self.workspace.session.saved(text)
            if self.journal is not None:
                self.journal.saved(text)
        self.show_status()
        self.show_lower()
        self.say(f"saved {place}", "good")
        return True

    async def all_saved(self) -> None:
        """Waits until nothing is being saved any more."""
        async with self._writing:
            pass

    # Other files.

    @work(exclusive=True, group="ask")
    async def action_save_as(self) -> None:
        """Asks for another file, saves the text there, and goes on with that file."""
        self.take_typed()
        name = await self.ask(AskText("Save as", str(self.path)))
        if name:
            await self._save_elsewhere(Path(name).expanduser(), stay=False)

    @work(exclusive=True, group="ask")
    async def action_save_copy(self) -> None:
        """Asks for another file, and saves the text there; what is edited stays the same file."""
        self.take_typed()
        name = await self.ask(AskText("Save a copy as", str(self.path)))
        if name:
            await self._save_elsewhere(Path(name).expanduser(), stay=True)

    async def _save_elsewhere(self, place: Path, *, stay: bool) -> None:
        text = self.workspace.session.text
        if place.resolve() == self.path.resolve():
            await self.save(text)
            return
        beside = place.resolve().parent == self.path.resolve().parent
        if self.app.is_web and not (beside and place.suffix in _BLUEPRINTS):
            # Whoever has the address may edit this file, not write wherever its owner may.
            self.say(f"from a browser, only {', '.join(_BLUEPRINTS)} files beside this one can be written", "error")
            return
        if not stay:
            wrong = await self.in_thread(lambda: self._wrong_there(text, place))
            if wrong is None:
                return
            if wrong:
                answer = await self.ask(
                    Ask(f"As {place} it would have errors that it has not here",
                        [("m", "move there all the same"), ("s", "save a copy there, and stay with this file"),
                         ("c", "cancel")], wrong)
                )  # fmt: skip
                if answer not in ("m", "s"):
                    return
                stay = answer == "s"
        # In no exclusive group: the next question must not throw away what was answered to this one.
        self.run_worker(self._write_elsewhere(place, text, stay=stay), group="save")

    def _wrong_there(self, text: str, place: Path) -> str:
        """What would be wrong with a text as another file, and is not here; it may be called in a thread."""
        params = self.workspace.params

        def errors(path: Path) -> list[tuple[str, str]]:
            try:
                found = try_lower(load_source(parse(text, name=str(path)), path), params).errors
            except BlueprintError as error:
                found = error.diagnostics
            return [(each.code, each.message) for each in found]

        here = errors(self.path)
        return next((f"{code} {message}" for code, message in errors(place) if (code, message) not in here), "")

    async def _write_elsewhere(self, place: Path, text: str, *, stay: bool, force: bool = False) -> None:
        async with self._writing:
            stamp = await self._written(lambda: save_file(place, text, None, force=force))
            if isinstance(stamp, FileStamp):
                if stay:
                    self.say(f"saved a copy as {place}", "good")
                else:
                    await self._go_on_as(place, text, stamp)
                return
        if isinstance(stamp, ChangedOnDisk):
            question = Ask(f"{place} exists already", [("r", "replace it"), ("c", "cancel")])
            if await self.ask(question) == "r":
                await self._write_elsewhere(place, text, stay=stay, force=True)

    async def _go_on_as(self, place: Path, text: str, stamp: FileStamp) -> None:
        """Edits another file from now on, which says what was just saved there."""
        before, watch, session = self.journal, self.file_watch, self.workspace.session
        if watch is not None:
            watch.stop()
        self.workspace.path, self.workspace.disk_text, self.stamp = place, text, stamp
        session.moved(str(place), place)
        session.saved(text)
        if before is not None:
            after = Journal(place, text, before.folder)
            self._take_journal(after)
            if self.workspace.changed:
                after.keep(session.text, session.done[-1].title if session.done else "")
                await asyncio.to_thread(after.settle)
            # Only now is nothing of it needed any more.
            await asyncio.to_thread(before.close)
        if watch is not None:
            self.watch_file()
        self.changed()
        self.say(f"saved {place}, which is edited from now on", "good")

    async def _written(self, write: Callable[[], FileStamp]) -> FileStamp | ChangedOnDisk | None:
        """The stamp of what was written in a thread; None where it could not be, which is told.

        Where somebody else has changed the file, that is given.
        """
        with self.working("saving …"):
            try:
                return await asyncio.to_thread(write)
            except ChangedOnDisk as error:
                return error
            except GraphbuilderError as error:
                self.refuse(error)
            except Exception as error:
                self.confess(error)
        return None
