"""The editor as an app: it holds what is open and the settings, and shows the main screen."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from graphbuilder.editing.session import Session
from graphbuilder.errors import GraphbuilderError
from graphbuilder.tui.canvas import Canvas, Density
from graphbuilder.tui.files import Opened, open_file
from graphbuilder.tui.garbage import QUIET, Garbage
from graphbuilder.tui.journal import Journal
from graphbuilder.tui.keys import ACTIONS, known_ids
from graphbuilder.tui.panes.inspector import Inspector
from graphbuilder.tui.panes.rows import Rows
from graphbuilder.tui.panes.text import TextPane
from graphbuilder.tui.screens.main import MainScreen
from graphbuilder.tui.screens.picker import Choice, Picker
from graphbuilder.tui.settings import Settings, read_settings, settings_path
from graphbuilder.tui.workspace import Workspace

__all__ = ["EditorApp", "all_ids"]

_EMPTY = "blueprint: 1\n"


def all_ids() -> list[str]:
    """The ids of everything whose keys can be set."""
    found = known_ids(MainScreen.BINDINGS)
    for widget in (Canvas, Rows, Inspector, TextPane):
        found += known_ids(widget.BINDINGS)
    return found


class EditorApp(App[None]):
    """The editor of one blueprint.

    Arguments:
        path: the file, which need not exist yet.
        params: values for some of the blueprint's params.
        theme: the name of a theme; None for that of the settings.
        settings: where the settings are; None for the user's own.
        journals: where unsaved work is kept; None for the user's own place.

    Raises:
        BlueprintError: the file cannot be read as text.
    """

    CSS_PATH = "graphbuilder.tcss"
    TITLE = "graphbuilder"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", "Quit", show=False, priority=True, id="leave"),
    ]

    def __init__(
        self, path: Path, params: Mapping[str, Any] | None = None, theme: str | None = None, *,
        settings: Path | None = None, journals: Path | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.opened: Opened = open_file(path)
        # A file that does not exist yet begins as the smallest one that can be read; it is written when it is saved.
        new = self.opened.stamp is None and not self.opened.text
        session = Session(_EMPTY if new else self.opened.text, str(path), path)
        self.workspace = Workspace(session, params or {}, path)
        self.workspace.disk_text = self.opened.text
        self._journals = journals
        self._main: MainScreen | None = None
        self._garbage: Garbage | None = None
        # When a key or the mouse was last used.
        self._touched = 0.0
        self._trouble: GraphbuilderError | None = None
        self.settings = self._read_settings(settings or settings_path())
        self.theme = theme if theme in self.available_themes else self.settings.theme
        self.keys_of_user: dict[str, str] = dict(self.settings.keys)
        self.set_keymap(self.keys_of_user)

    def _read_settings(self, place: Path) -> Settings:
        try:
            return read_settings(place, all_ids(), list(self.available_themes))
        except GraphbuilderError as error:
            # Wrong settings must not keep anyone from his file.
            self._trouble = error
            return Settings()

    def get_default_screen(self) -> MainScreen:
        journal = Journal(self.path, self.opened.text, self._journals) if self.settings.journal else None
        self._main = MainScreen(self.workspace, self.opened.stamp, journal)
        return self._main

    @property
    def path(self) -> Path:
        """The file that is edited."""
        assert self.workspace.path is not None
        return self.workspace.path

    @property
    def main(self) -> MainScreen:
        """The main screen."""
        assert self._main is not None
        return self._main

    def on_ready(self) -> None:
        """Begins to watch the file, once everything is drawn."""
        if self.settings.density != "normal":
            self.main.canvas.density = Density[self.settings.density.upper()]
        self.main.begin()
        if self._trouble is not None:
            self.main.say(f"the settings are wrong, and not used: {self._trouble.diagnostics[0]}", "warning")
        self._garbage = Garbage()
        self.set_interval(QUIET, self._collect)

    def watch_app_focus(self, focus: bool) -> None:
        """Gives the keys to what is to have them at first, where the window came to the front only later."""
        screen = self.screen
        if focus and screen.focused is None:
            wanted = self.AUTO_FOCUS if screen.AUTO_FOCUS is None else screen.AUTO_FOCUS
            found = next((widget for widget in screen.query(wanted or "*") if wanted and widget.focusable), None)
            if found is not None:
                screen.set_focus(found)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self._touched = time.monotonic()
        await super().on_event(event)

    def _collect(self) -> None:
        """Collects garbage where it holds nobody up: nothing is typed, drawn or run."""
        if time.monotonic() - self._touched >= QUIET and not self.main.busy and not self.main.jobs.running:
            assert self._garbage is not None
            self._garbage.collect()

    def action_leave(self) -> None:
        """Quits, wherever the keys go."""
        if len(self.screen_stack) == 1:
            self.main.action_leave()
        else:
            self.screen.dismiss(None)

    async def action_quit(self) -> None:
        """Quits, after a question where something is unsaved."""
        self.action_leave()

    def on_unmount(self) -> None:
        """Ends what runs beside the editor; work that nobody was asked about is kept."""
        if self._main is not None:
            self._main.end(keep=self.workspace.changed)
        if self._garbage is not None:
            self._garbage.restore()

    def action_theme(self) -> None:
        """Asks for a theme, and shows each that the cursor stands on."""
        before = self.theme

        def follow(name: str) -> None:
            self.theme = name

        def picked(name: str | None) -> None:
            self.theme = name or before

        names = sorted(name for name in self.available_themes if name != "ansi")
        self.push_screen(Picker("Theme", [Choice(name, name) for name in names], cursor=before, follow=follow), picked)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        if isinstance(screen, MainScreen):
            for action in ACTIONS:

                def run(name: str = action.action) -> Any:
                    return screen.run_action(name)

                yield SystemCommand(action.title, f"{action.group}, {action.keys}", run)
