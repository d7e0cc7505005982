"""An app with nothing but a canvas and its map, and what it was told."""

from __future__ import annotations

from typing import Any

from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.pilot import Pilot

from graphbuilder.blueprint import load, parse_blueprint
from graphbuilder.lowering import try_lower
from graphbuilder.tui.canvas import (
    Canvas,
    ChoiceChanged,
    ConnectAsked,
    Density,
    DensityChanged,
    FoldToggled,
    JumpChosen,
    MiniMap,
    OpenAsked,
    RewireAsked,
    Scene,
    Selected,
    scene_of,
)
from graphbuilder.tui.canvas.layout import Layout
from graphbuilder.tui.canvas.palette import plain_palette
from graphbuilder.tui.canvas.picture import Picture

__all__ = ["CanvasApp", "fork", "painted", "press", "scene_at", "shown_is_right"]

_TOLD = (
    ChoiceChanged,
    ConnectAsked,
    DensityChanged,
    FoldToggled,
    JumpChosen,
    OpenAsked,
    RewireAsked,
    Selected,
)


def scene_at(path: object, *unfolded: str) -> Scene:
    """The scene of a file, lowered, with some blocks unfolded."""
    document = load(str(path))
    return scene_of(document, try_lower(document), unfolded=unfolded)


def painted(layout: Layout, *, right: int = 1) -> str:
    """A whole picture as text, its rows without the blanks at their ends."""
    picture = Picture(layout, plain_palette())
    rows = [picture.strip(y, 0, layout.width + right).text.rstrip() for y in range(layout.height)]
    return "\n".join(rows) + "\n"


class CanvasApp(App[None]):
    """A canvas, its map, and a list of what it told: the names of messages with their fields."""

    CSS = "Canvas { width: 1fr; } MiniMap { width: 12; }"

    def __init__(self, scene: Scene, density: Density = Density.NORMAL) -> None:
        super().__init__()
        self._scene = scene
        self._density = density
        self.told: list[tuple[Any, ...]] = []

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Canvas(self._scene, self._density)
            yield MiniMap()

    def on_mount(self) -> None:
        self.canvas.show_on(self.query_one(MiniMap))
        self.canvas.focus()

    @property
    def canvas(self) -> Canvas:
        return self.query_one(Canvas)

    def selected(self) -> str | None:
        """The id of the selected box."""
        return self.canvas.selection

    def jumping(self) -> bool:
        """Whether letters are waited for."""
        return self.canvas.jumping

    def note(self, message: Message) -> None:
        """Notes what a message says."""
        fields = {key: value for key, value in vars(message).items() if not key.startswith("_")}
        names = type(message).__init__.__code__.co_varnames[1 : type(message).__init__.__code__.co_argcount]
        self.told.append((type(message).__name__, *(fields[name] for name in names)))

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """What was told by messages of one name."""
        return [each[1:] for each in self.told if each[0] == name]

    def screen_text(self) -> list[str]:
        """The rows of the canvas as they are on the screen."""
        canvas = self.canvas
        return [canvas.render_line(y).text for y in range(canvas.size.height)]


def _noting(kind: type[Message]) -> Any:
    def note(self: CanvasApp, message: Message) -> None:
        self.note(message)

    note.__name__ = kind.handler_name
    return note


for _kind in _TOLD:
    setattr(CanvasApp, _kind.handler_name, _noting(_kind))


FORK = """
blueprint: 1
inputs: {x: {shape: [8]}}
blocks: {twice: {inputs: [x], nodes: {first: {layer: Dense, units: 8}, second: {op: relu}}}}
nodes:
  a: {layer: Dense, units: 8}
  left: {layer: Dense, from: a, units: 8}
  right: {layer: Dense, from: a, units: 8}
  join: {layer: Add, from: [left, right]}
  block: {block: twice}
"""


def fork(*unfolded: str) -> Scene:
    document = parse_blueprint(FORK, name="fork.yaml")
    return scene_of(document, try_lower(document), unfolded=unfolded)


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


def shown_is_right(app: CanvasApp) -> None:
    """What is on the screen is what painting it anew gives."""
    canvas = app.canvas
    anew = Picture(canvas.picture.layout, canvas.picture.palette, canvas.picture.look)
    offset, size = canvas.scroll_offset, canvas.size
    for y in range(size.height):
        assert canvas.render_line(y) == anew.strip(y + offset.y, offset.x, size.width)
