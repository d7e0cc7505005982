"""The part of the main screen that keeps work safe: saving, leaving, changes on disk, recovery, another editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import time
from pathlib import Path

from textual import work
from textual.app import SuspendNotSupported

from graphbuilder.errors import BlueprintError, GraphbuilderError
from graphbuilder.tui.choices import kind_choices
from graphbuilder.tui.files import ChangedOnDisk, FileStamp, Opened, open_file, save_file
from graphbuilder.tui.journal import Journal
from graphbuilder.tui.recovery import open_elsewhere, recoveries
from graphbuilder.tui.screens.ask import Ask, AskText
from graphbuilder.tui.screens.fitting import FittingScreen
from graphbuilder.tui.three_way import Keep, merge_texts
from graphbuilder.tui.watching import FileWatch
from graphbuilder.tui.workspace import Workspace

__all__ = ["FilesScreen"]

_EXTERNAL_SUFFIX = ".yaml"


class FilesScreen(FittingScreen):
    """A screen on which a file is edited.

    Arguments:
        workspace: what is open.
        stamp: what tells whether the file is still the one that was opened; None for a new file.
        journal: where steps are kept until they are saved; None to keep none.
    """

    def __init__(self, workspace: Workspace, stamp: FileStamp | None = None, journal: Journal | None = None) -> None:
        super().__init__(workspace)
        self.stamp = stamp
        self.journal = journal
        self.file_watch: FileWatch | None = None
        self._asking_about_disk = False

    @property
    def path(self) -> Path:
        """The file."""
        assert self.workspace.path is not None
        return self.workspace.path

    def begin(self) -> None:
        """Watches the file, and offers what an earlier session has not saved."""
        self.file_watch = FileWatch(
            self.path, self.stamp, lambda disk: self.app.call_from_thread(self._disk_changed, disk)
        )
        self.file_watch.start()
        document = self.workspace.document
        if document is not None:
            # The first list of all layers would else be waited for.
            self.run_worker(lambda: kind_choices(document), thread=True, group="warm", exit_on_error=False)
        if self.journal is not None:
            if open_elsewhere(self.path, self.journal.folder):
                self.say(f"{self.path.name} is open in another editor, with work that is not saved", "warning")
            self._offer_recovery()

    def end(self, *, keep: bool = False) -> None:
        """Ends the watching and the journal.

        Arguments:
            keep: whether what is not saved is offered at the next start.
        """
        if self.file_watch is not None:
            self.file_watch.stop()
        if self.journal is not None:
            self.journal.close(keep=keep)

    def changed(self, focus: str | None = None) -> None:
        super().changed(focus)
        session = self.workspace.session
        if self.journal is not None and (self.workspace.changed or session.done):
            self.journal.keep(session.text, session.done[-1].title if session.done else "")

    @work(group="recovery")
    async def _offer_recovery(self) -> None:
        """Asks what becomes of work that an earlier session has not saved."""
        assert self.journal is not None
        for recovery in recoveries(self.path, self.workspace.disk_text, self.journal.folder):
            with recovery:
                when = time.strftime("%Y-%m-%d %H:%M", time.localtime(recovery.time))
                steps = [title for title in recovery.steps if title]
                detail = f"last edited {when}, {len(recovery.steps)} steps" + (
                    f", the last: {steps[-1]}" if steps else ""
                )
                if not recovery.same_file:
                    detail += "\nthe file has changed since; the two are merged"
                if not recovery.whole:
                    detail += "\nits end is damaged and left out"
                answer = await self.ask(
                    Ask("There is work on this file that was never saved",
                        [("r", "recover it"), ("l", "ask again at the next start"), ("d", "throw it away")], detail)
                )  # fmt: skip
                if answer == "r":
                    text = recovery.text
                    if not recovery.same_file:
                        text = merge_texts(recovery.base, recovery.text, self.workspace.disk_text).text(Keep.BOTH)
                    self.workspace.session.type(text, "recover")
                    self.changed()
                    if self.journal.settle():
                        recovery.discard()
                    self.say("recovered; nothing is saved yet", "good")
                elif answer == "d":
                    recovery.discard()

    # Saving.

    def action_save(self) -> None:
        """Saves."""
        self.take_typed()
        self.save()

    def save(self, path: Path | None = None, *, force: bool = False) -> bool:
        """Saves the text.

        Arguments:
            path: another file; None for the one that is open.
            force: whether what somebody else has written there meanwhile is replaced.

        Returns:
            Whether it is saved.
        """
        session, place = self.workspace.session, path or self.path
        text = session.text
        try:
            expected = self.stamp if path is None else None
            if self.file_watch is not None and path is None:
                self.stamp = self.file_watch.saved(lambda: save_file(place, text, expected, force=force))
            else:
                self.stamp = save_file(place, text, expected, force=force)
        except ChangedOnDisk as error:
            if path is None:
                self._disk_changed(error.disk)
            else:
                self._ask_replace(place)
            return False
        except GraphbuilderError as error:
            self.refuse(error)
            return False
        session.saved()
        self.workspace.disk_text = text
        if self.journal is not None:
            self.journal.saved(text)
        self.show_status()
        self.show_lower()
        self.say(f"saved {place}", "good")
        return True

    @work(exclusive=True, group="ask")
    async def action_save_as(self) -> None:
        """Asks for another file, and saves the text there; what is edited stays the same file."""
        self.take_typed()
        name = await self.ask(AskText("Save a copy as", str(self.path)))
        if name:
            place = Path(str(name)).expanduser()
            if place.resolve() == self.path.resolve():
                self.save()
            else:
                self._save_copy(place)

    def _save_copy(self, place: Path, *, force: bool = False) -> None:
        try:
            save_file(place, self.workspace.session.text, None, force=force)
        except ChangedOnDisk:
            self._ask_replace(place)
        except GraphbuilderError as error:
            self.refuse(error)
        else:
            self.say(f"saved a copy as {place}", "good")

    @work(exclusive=True, group="ask")
    async def _ask_replace(self, place: Path) -> None:
        if await self.ask(Ask(f"{place} exists already", [("r", "replace it"), ("c", "cancel")])) == "r":
            self._save_copy(place, force=True)

    # What others do to the file.

    def _disk_changed(self, disk: Opened | None) -> None:
        """Takes over what was changed on disk, or asks."""
        if self._asking_about_disk:
            return
        if disk is None:
            self.say(f"{self.path.name} was changed on disk, and is no text any more; saving would replace it", "error")
            return
        if disk.stamp is None:
            self.stamp, self.workspace.disk_text = None, ""
            self.show_status()
            self.say(f"{self.path.name} was removed on disk; saving writes it anew", "warning")
            return
        if disk.text == self.workspace.session.text:
            self._take_disk(disk)
            self.workspace.session.saved()
            self.show_status()
        elif not self.workspace.changed and not self.text_pane.waiting:
            self._take_disk(disk)
            self.workspace.session.type(disk.text, "changed on disk")
            self.workspace.session.saved()
            self.changed()
            self.say(f"{self.path.name} was changed on disk, and is shown as it is now", "warning")
        else:
            self._asking_about_disk = True
            self._ask_about_disk(disk)

    def _take_disk(self, disk: Opened) -> None:
        self.stamp, self.workspace.disk_text = disk.stamp, disk.text
        if self.file_watch is not None:
            self.file_watch.expect(disk.stamp)

    @work(group="disk")
    async def _ask_about_disk(self, disk: Opened) -> None:
        try:
            self.take_typed()
            merged = merge_texts(self.workspace.disk_text, self.workspace.session.text, disk.text)
            clashes = len(merged.conflicts)
            told = "nothing clashes" if not clashes else f"{clashes} places clash, and are shown both ways"
            answer = await self.ask(
                Ask(
                    f"{self.path.name} was changed on disk, and here too",
                    [("m", f"merge both: {told}"), ("o", "keep mine; saving replaces what is on disk"),
                     ("t", "take what is on disk; mine stays in the undo history"), ("c", "decide later")],
                )
            )  # fmt: skip
            if answer in (None, "c"):
                return
            self._take_disk(disk)
            if answer == "m":
                self.workspace.session.type(merged.text(Keep.BOTH), "merge what was changed on disk")
            elif answer == "t":
                self.workspace.session.type(disk.text, "take what is on disk")
                self.workspace.session.saved()
            self.changed()
            self.say({"m": "merged", "o": "kept mine", "t": "took what is on disk"}[str(answer)], "good")
        finally:
            self._asking_about_disk = False

    # Leaving.

    @work(exclusive=True, group="ask")
    async def action_leave(self) -> None:
        """Leaves the editor; asks where there is something unsaved."""
        self.take_typed()
        if self.workspace.changed:
            answer = await self.ask(
                Ask(f"{self.path.name} has changes that are not saved",
                    [("s", "save and quit"), ("d", "quit without saving"), ("c", "stay")])
            )  # fmt: skip
            if answer in (None, "c") or (answer == "s" and not self.save()):
                return
        if await self.may_leave():
            self.end()
            self.app.exit()

    async def may_leave(self) -> bool:
        """Whether nothing speaks against leaving."""
        return True

    # Another editor.

    def action_external(self) -> None:
        """Edits the text in another editor, and takes what came of it."""
        self.take_typed()
        editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
        if not editor:
            self.say("neither $VISUAL nor $EDITOR says which editor to use", "warning")
            return
        text = self.workspace.session.text
        suffix = self.path.suffix or _EXTERNAL_SUFFIX
        with tempfile.TemporaryDirectory(prefix="graphbuilder-") as folder:
            place = Path(folder, f"{self.path.stem}{suffix}")
            place.write_bytes(text.encode("utf-8", "replace"))
            try:
                with self.app.suspend():
                    code = subprocess.call([*editor, str(place)])
            except SuspendNotSupported:
                self.say("another editor cannot be started from here", "warning")
                return
            except OSError as error:
                self.say(f"{editor[0]} cannot be started: {error.strerror or error}", "error")
                return
            try:
                after = open_file(place).text
            except BlueprintError as error:
                self.refuse(error)
                return
        self.app.refresh()
        if code:
            self.say(f"{editor[0]} ended with {code}; nothing was taken", "warning")
        elif after != text:
            self.workspace.session.type(after, f"edit in {Path(editor[0]).name}")
            self.changed()
            self.say("took what was edited", "good")
