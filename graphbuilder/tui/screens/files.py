"""The part of the main screen that keeps work safe: leaving, changes on disk, recovery, another editor."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import tempfile
import time
from pathlib import Path

from textual import on, work
from textual.app import SuspendNotSupported

from graphbuilder.errors import BlueprintError
from graphbuilder.tui.choices import kind_choices
from graphbuilder.tui.files import Opened, open_file
from graphbuilder.tui.recovery import open_elsewhere, recoveries
from graphbuilder.tui.screens.ask import Ask
from graphbuilder.tui.screens.saving import SavingScreen
from graphbuilder.tui.three_way import Keep, merge_texts

__all__ = ["FilesScreen"]

_EXTERNAL_SUFFIX = ".yaml"


class FilesScreen(SavingScreen):
    """A screen on which a file is edited."""

    _asking_about_disk = False
    # Whether it was looked for what others have not saved; what this editor keeps before would be taken for theirs.
    _begun = False

    def begin(self) -> None:
        """Watches the file, and offers what an earlier session has not saved."""
        self.watch_file()
        document = self.workspace.document
        if document is not None:
            # The first list of all layers would else be waited for.
            self.run_worker(lambda: kind_choices(document), thread=True, group="warm", exit_on_error=False)
        if self.journal is not None:
            if open_elsewhere(self.path, self.journal.folder):
                self.say(f"{self.path.name} is open in another editor, with work that is not saved", "warning")
            self._offer_recovery()
        self._begun = True

    def end(self, *, keep: bool = False) -> None:
        """Ends the watching and the journal, which may have to wait for the disk.

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
        if self.journal is not None and self._begun and (self.workspace.changed or session.done):
            self.journal.keep(session.text, session.done[-1].title if session.done else "")

    @work(group="recovery")
    async def _offer_recovery(self) -> None:
        """Asks what becomes of work that an earlier session has not saved."""
        journal = self.journal
        assert journal is not None
        path, disk = self.path, self.workspace.disk_text
        for recovery in await asyncio.to_thread(lambda: recoveries(path, disk, journal.folder)):
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
                    if await asyncio.to_thread(journal.settle):
                        recovery.discard()
                    self.say("recovered; nothing is saved yet", "good")
                elif answer == "d":
                    recovery.discard()

    # What others do to the file.

    @on(SavingScreen.DiskChanged)
    def _disk_changed(self, event: SavingScreen.DiskChanged) -> None:
        if event.path == self.path:
            self.disk_changed(event.disk)

    def disk_changed(self, disk: Opened | None) -> None:
        self.run_worker(self._meet(disk), group="disk")

    async def _meet(self, disk: Opened | None) -> None:
        """Takes over what was changed on disk, once nothing is being saved, or asks."""
        async with self._writing:
            if self._asking_about_disk or (disk is not None and disk.stamp is not None and disk.stamp == self.stamp):
                return
            if disk is None:
                told = f"{self.path.name} was changed on disk, and is no text any more; saving would replace it"
                self.say(told, "error")
            elif disk.stamp is None:
                self.stamp, self.workspace.disk_text = None, ""
                self.show_status()
                self.say(f"{self.path.name} was removed on disk; saving writes it anew", "warning")
            elif disk.text == self.workspace.session.text:
                await self._take_disk(disk)
                self.workspace.session.saved()
                self.show_status()
            elif not self.workspace.changed and not self.text_pane.waiting:
                await self._take_disk(disk)
                self.workspace.session.type(disk.text, "changed on disk")
                self.workspace.session.saved()
                self.changed()
                self.say(f"{self.path.name} was changed on disk, and is shown as it is now", "warning")
            else:
                self._asking_about_disk = True
                self._ask_about_disk(disk)

    async def _take_disk(self, disk: Opened) -> None:
        self.stamp, self.workspace.disk_text = disk.stamp, disk.text
        if self.file_watch is not None:
            await asyncio.to_thread(self.file_watch.expect, disk.stamp)

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
            await self._take_disk(disk)
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
        """Leaves the editor once everything is written; asks where there is something unsaved."""
        self.take_typed()
        planned = [worker for worker in self.workers if worker.group == "commands"]
        if planned:
            # What was asked for and is still being planned is no less the author's work.
            await self.workers.wait_for_complete(planned)
        await self.all_saved()
        if self.workspace.changed:
            answer = await self.ask(
                Ask(f"{self.path.name} has changes that are not saved",
                    [("s", "save and quit"), ("d", "quit without saving"), ("c", "stay")])
            )  # fmt: skip
            if answer in (None, "c") or (answer == "s" and not await self.save(self.workspace.session.text)):
                return
        if await self.may_leave():
            # In no exclusive group: nothing that is asked meanwhile may leave the editor without its journal.
            self.run_worker(self._leave(), group="leave")

    async def _leave(self) -> None:
        await self.all_saved()
        await asyncio.to_thread(self.end)
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
