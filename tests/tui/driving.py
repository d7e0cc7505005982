"""The editor driven without a terminal: keys pressed, rows read back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from textual import events
from textual.pilot import Pilot

from graphbuilder.tui.app import EditorApp
from graphbuilder.tui.screens.main import MainScreen

__all__ = ["CNN", "TWO", "Editor", "driven", "editor", "screen_rows"]

CNN = """\
# A small classifier.
blueprint: 1
name: cnn
params:
  width: 8
inputs:
  image: {shape: [16, 16, 3], modality: image}
nodes:
  conv: {layer: Conv2D, filters: $width, kernel_size: 3}  # the first
  pool: {layer: MaxPooling2D}
  flat: {layer: Flatten}
  hidden: {layer: Dense, units: 32}
  scores: {layer: Dense, units: 4, activation: softmax}
outputs: scores
"""
TWO = """\
blueprint: 1
inputs:
  a: {shape: [8]}
  b: {shape: [8]}
nodes:
  left: {layer: Dense, from: a, units: 4}
  right: {layer: Dense, from: b, units: 4}
  both: {layer: Concatenate, from: [left, right]}
  scores: {layer: Dense, units: 2}
outputs: scores
"""

# How long the editor may take to come to rest, in seconds.
_PATIENCE = 20.0


@dataclass
class Editor:
    """A running editor."""

    app: EditorApp
    pilot: Pilot[None]

    @property
    def main(self) -> MainScreen:
        return self.app.main

    @property
    def text(self) -> str:
        return self.app.workspace.session.text

    async def rest(self) -> None:
        """Waits until nothing is to be shown any more."""
        waited, quiet = 0.0, 0
        while quiet < 2:
            await self.pilot.pause(0.02)
            waited += 0.02
            quiet = 0 if self.main.busy else quiet + 1
            assert waited < _PATIENCE, "the editor does not come to rest"

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.rest()

    async def write(self, text: str) -> None:
        names = {" ": "space", "_": "underscore", ".": "full_stop", ":": "colon", "-": "minus", "$": "dollar_sign"}
        names |= {"[": "left_square_bracket", "]": "right_square_bracket", ",": "comma", "/": "slash"}
        await self.pilot.press(*(names.get(each, each) for each in text))
        await self.rest()

    async def paste(self, text: str) -> None:
        """Pastes a text where the keys go, as a terminal does it."""
        self.app.post_message(events.Paste(text))
        await self.rest()

    async def find(self, name: str) -> None:
        """Selects what has a name, by keyboard."""
        await self.press("2", "slash")
        await self.write(name)
        await self.press("enter")

    async def screen(self, kind: type[object], patience: float = 10.0) -> None:
        """Waits until a screen of a kind is on top."""
        waited = 0.0
        while not isinstance(self.app.screen, kind):
            await self.pilot.pause(0.02)
            waited += 0.02
            assert waited < patience, f"{self.app.screen} is on top, not {kind}"


@asynccontextmanager
async def editor(
    folder: Path,
    text: str | bytes = CNN,
    size: tuple[int, int] = (160, 48),
    name: str = "model.yaml",
    settings: str = "",
) -> AsyncIterator[Editor]:
    """An editor of a new file.

    Arguments:
        folder: where the file is made.
        text: what it says.
        size: of the screen, in cells.
        name: the file's name.
        settings: what the user has set.
    """
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    place = folder / "settings.yaml"
    place.write_text(settings)
    app = EditorApp(path, settings=place, journals=folder / "journals")
    async with app.run_test(size=size) as pilot:
        found = Editor(app, pilot)
        await found.rest()
        yield found


def driven(scenario: Callable[[], Awaitable[None]]) -> None:
    """Runs a scenario to its end."""

    async def whole() -> None:
        await scenario()

    asyncio.run(whole())


def screen_rows(app: EditorApp) -> list[str]:
    """What the screen shows, as text."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]
