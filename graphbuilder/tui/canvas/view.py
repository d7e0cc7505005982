"""A scene drawn in a widget that scrolls: what is in sight, what stands out, and what stays where it was."""

from __future__ import annotations

from itertools import groupby
from typing import ClassVar

from textual.geometry import Offset, Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from graphbuilder.tui.canvas import theme
from graphbuilder.tui.canvas.index import Direction
from graphbuilder.tui.canvas.layout import Rect, layout
from graphbuilder.tui.canvas.looks import Look
from graphbuilder.tui.canvas.messages import ChoiceChanged, DensityChanged, Selected, ViewMoved
from graphbuilder.tui.canvas.minimap import MiniMap
from graphbuilder.tui.canvas.palette import Palette
from graphbuilder.tui.canvas.picture import Picture
from graphbuilder.tui.canvas.scene import Density, Scene

__all__ = ["SceneView"]

# How many cells stay in sight beyond what is selected.
_MARGIN = (4, 2)


class SceneView(ScrollView):
    """A scene, drawn.

    Arguments:
        scene: what there is to draw.
        density: how much of each box is drawn.
        name: as of any widget.
        id: as of any widget.
        classes: as of any widget.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = theme.CLASSES
    DEFAULT_CSS = theme.CSS

    scene: reactive[Scene] = reactive(Scene(), always_update=False, init=False)
    density: reactive[Density] = reactive(Density.NORMAL, init=False)
    selection: reactive[str | None] = reactive[str | None](None, init=False)
    chosen: reactive[tuple[str, ...]] = reactive[tuple[str, ...]]((), init=False)
    tracing: reactive[bool] = reactive(False, init=False)

    def __init__(
        self,
        scene: Scene | None = None,
        density: Density = Density.NORMAL,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._palette: Palette | None = None
        self._restyled = True
        self._before: str | None = None  # the box from which one came along an edge
        self._labels: dict[str, str] = {}  # the letters by which boxes can be reached now
        self._drop: str | None = None  # where what is dragged would be dropped
        self._minimap: MiniMap | None = None
        self.set_reactive(SceneView.scene, scene or Scene())
        self.set_reactive(SceneView.density, density)
        self.picture = Picture(layout(self.scene, density), Palette(self.rich_style, {}))
        self.set_reactive(SceneView.selection, self.picture.index.ends()[0])
        self.picture.show(self._look())
        self._resize()

    def render_line(self, y: int) -> Strip:
        """One row of what is in sight."""
        if self._restyled:
            self._restyle()
        offset = self.scroll_offset
        return self.picture.strip(y + offset.y, offset.x, self.size.width)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._restyled = True

    def _restyle(self) -> None:
        """Takes on the colours of the theme, if they are others."""
        self._restyled = False
        palette = theme.palette_of(self)
        if self._palette is None or (palette.base, palette.parts) != (self._palette.base, self._palette.parts):
            self._palette = palette
            self.picture = Picture(self.picture.layout, palette, self.picture.look)

    def _look(self) -> Look:
        return Look(self.selection, frozenset(self.chosen), self.tracing, self._drop, self._labels)

    def show_look(self) -> None:
        """Repaints the rows that look otherwise."""
        rows = self.picture.show(self._look())
        if rows is None:
            self.refresh()
            return
        top, height = self.scroll_offset.y, self.size.height
        seen = sorted(row - top for row in rows if top <= row < top + height)
        # Rows that follow one another are one region.
        for _, run in groupby(enumerate(seen), key=lambda pair: pair[1] - pair[0]):
            numbers = [row for _, row in run]
            self.refresh(Region(0, numbers[0], self.size.width, len(numbers)))

    def _redraw(self, *, anew: bool = False) -> None:
        """Lays the scene out again, and keeps what is looked at where it is on the screen."""
        before = self.picture
        found = layout(self.scene, self.density, None if anew else before.layout)
        self.interrupt()
        self.picture = Picture(found, before.palette, before.look)
        self.set_reactive(SceneView.chosen, tuple(box for box in self.chosen if box in self.scene.box))
        selected = self._found_again(self.selection, before)
        if selected != self.selection:
            self.set_reactive(SceneView.selection, selected)
            self._before = None
            self.post_message(Selected(selected))
        self.picture.show(self._look())
        self._resize()
        moved = self._moved(before)
        if moved != Offset(0, 0):
            offset = self.scroll_offset
            self.scroll_to(offset.x + moved.x, offset.y + moved.y, animate=False, force=True)
        self._repaint(before)
        self._moved_view()

    def _repaint(self, before: Picture) -> None:
        """Repaints the rows of another picture that look otherwise."""
        offset, size = self.scroll_offset, self.size
        rows = range(offset.y, offset.y + size.height)
        old = [before.strip(row, offset.x, size.width) for row in rows]
        for number, row in enumerate(rows):
            if old[number] != self.picture.strip(row, offset.x, size.width):
                self.refresh(Region(0, number, size.width, 1))

    def _resize(self) -> None:
        """Lets the view scroll over all of the picture."""
        found = self.picture.layout
        size = Size(found.width, found.height)
        if size != self.virtual_size:
            # Assigning it would lay out the whole screen again, though nothing but the scroll bars depends on it.
            self.set_reactive(SceneView.virtual_size, size)
            if self.is_mounted:
                self._scroll_update(size)

    def _found_again(self, box: str | None, before: Picture) -> str | None:
        """The box of the scene that stands for one of an earlier scene: itself, what shows it now, or one near it."""
        scene = self.scene
        if box is None or not scene.boxes:
            return self.picture.index.ends()[0]
        if box in scene.box:
            return box
        inside = next((each.id for each in scene.boxes if each.id.startswith(f"{box}.")), None)
        shown = inside or scene.shown(box)
        if shown in scene.box:
            return shown
        old = before.layout
        if box in old.boxes:
            near = [before.index.neighbour(box, direction) for direction in Direction]
            beside = next((each for each in near if each in scene.box), None)
            if beside is not None:
                return beside
        return self.picture.index.ends()[0]

    def _moved(self, before: Picture) -> Offset:
        """By how much the view must follow what is looked at: the selection, else the first box in sight."""
        old, new = before.layout.boxes, self.picture.layout.boxes
        area = self.view()
        known = [box for box in (self.selection, *before.index.within(area)) if box in old and box in new]
        for box in known:
            one, other = old[box], new[box]
            if one.y < area.bottom and one.bottom > area.y and one.x < area.right and one.right > area.x:
                return Offset(other.x - one.x, other.y - one.y)
        return Offset(0, 0)

    def view(self) -> Rect:
        """The cells that are in sight."""
        return Rect(*self.scroll_offset, *self.size)

    def watch_scene(self, before: Scene, scene: Scene) -> None:
        """Draws another scene, if it is one."""
        if (scene.boxes, scene.edges, scene.groups) != (before.boxes, before.edges, before.groups):
            self._redraw()

    def watch_density(self, density: Density) -> None:
        """Draws more or less of each box."""
        self._redraw()
        if self.selection is not None:
            self.reveal(self.selection)
        self.post_message(DensityChanged(density))

    def watch_selection(self, box: str | None) -> None:
        """Shows which box is selected."""
        self.show_look()
        if self._minimap is not None:
            self._minimap.show(self.picture.layout, self.view(), box)
        self.post_message(Selected(box))

    def validate_selection(self, box: str | None) -> str | None:
        """Only a box of the scene can be selected."""
        return box if box in self.scene.box else None

    def watch_chosen(self, boxes: tuple[str, ...]) -> None:
        """Shows which boxes are chosen."""
        self.show_look()
        self.post_message(ChoiceChanged(boxes))

    def watch_tracing(self) -> None:
        """Shows all that feeds the selection and that it feeds, or just what is next to it."""
        self.show_look()

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_x(old_value, new_value)
        self._moved_view()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._moved_view()

    def on_resize(self) -> None:
        """Shows on the map how much is in sight."""
        self._moved_view()

    def show_on(self, minimap: MiniMap) -> None:
        """Shows on a map what is in sight, from now on, and looks where the map is clicked."""
        self._minimap = minimap
        minimap.look = self.look_at
        self._moved_view()

    def look_at(self, x: int, y: int) -> None:
        """Brings a column and a row to the middle of the screen."""
        self.scroll_to(x - self.size.width // 2, y - self.size.height // 2, animate=False, force=True)

    def _moved_view(self) -> None:
        if self._minimap is not None:
            self._minimap.show(self.picture.layout, self.view(), self.selection)
        self.post_message(ViewMoved())

    def select(self, box: str, *, centre: bool = False) -> None:
        """Selects a box and brings it into sight.

        Arguments:
            box: its id, or the path of a node that it shows.
            centre: whether it goes to the middle of the screen.
        """
        shown = self.scene.shown(box)
        if shown is not None and shown in self.scene.group:
            shown = next((each.id for each in self.scene.boxes if each.id.startswith(f"{shown}.")), None)
        if shown is None:
            return
        self._before = None
        self.selection = shown
        self.reveal(shown, centre=centre)

    def reveal(self, box: str, *, centre: bool = False) -> None:
        """Moves the view as little as it takes to see all of a box, or to have it in the middle."""
        rect, area = self.picture.layout.boxes[box], self.view()
        if centre:
            x, y = rect.x + rect.width // 2 - area.width // 2, rect.y + rect.height // 2 - area.height // 2
        else:
            x = _nearest(area.x, area.width, rect.x, rect.width, _MARGIN[0])
            y = _nearest(area.y, area.height, rect.y, rect.height, _MARGIN[1])
        self.scroll_to(x, y, animate=False, force=True)

    def interrupt(self) -> None:
        """Ends what was begun in the picture that is drawn, because another one will be."""


def _nearest(first: int, room: int, start: int, length: int, margin: int) -> int:
    """The first cell in sight that is nearest to the one so far, with which something can be seen.

    Arguments:
        first: the first cell in sight so far.
        room: how many are in sight.
        start: the first cell of what is to be seen.
        length: how many cells it has.
        margin: how many cells beyond it are to be seen, where there is room.
    """
    margin = max(min(margin, (room - length) // 2), 0)
    if length >= room or start - margin < first:
        return start - margin
    return max(first, start + length + margin - room)
