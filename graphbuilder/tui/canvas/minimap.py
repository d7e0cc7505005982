"""A map of the whole picture, with the part that is in sight."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from graphbuilder.tui.canvas.layout import Layout, Rect

__all__ = ["MiniMap", "dots_of"]

# A braille character has two dots across and four down; the bit of each dot, by column and row (Unicode 2800 to 28FF).
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BLANK = 0x2800
_NOWHERE = Rect(0, 0, 0, 0)
# Seconds after which another picture is on the map.
_LATER = 0.12


def dots_of(layout: Layout, width: int, height: int) -> list[list[int]]:
    """The dots of a map, as the bits of braille characters: for each row, one number for each cell.

    Every box and every line has a dot, however small the map is.

    Arguments:
        layout: what it is a map of.
        width: of the map, in cells.
        height: of the map, in cells.
    """
    rows = [[0] * width for _ in range(height)]
    across, down = 2 * width, 4 * height
    areas = {
        (_scaled(x, right, layout.width, across), _scaled(y, bottom, layout.height, down))
        for x, right, y, bottom in (
            *((rect.x, rect.x + rect.width, rect.y, rect.y + rect.height) for rect in layout.boxes.values()),
            *((x0, x1 + 1, y0, y1 + 1) for x0, y0, x1, y1, _ in layout.segments),
        )
    }
    for (left, right), (top, bottom) in areas:
        for y in range(top, bottom):
            row = rows[y // 4]
            for x in range(left, right):
                row[x // 2] |= _BITS[x % 2][y % 4]
    return rows


def _scaled(first: int, last: int, size: int, room: int) -> tuple[int, int]:
    """The dots from one to before another that stand for such cells: no more than there are cells, but at least one."""
    if size <= room:
        return first, last
    start = first * room // size
    return start, max(start + 1, last * room // size)


class MiniMap(Widget):
    """A map of a picture. A canvas shows itself on it; clicking it, or dragging in it, moves the canvas.

    Arguments:
        name: as of any widget.
        id: as of any widget.
        classes: as of any widget.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"minimap--dots", "minimap--view", "minimap--selected"}
    DEFAULT_CSS = """
    MiniMap {
        width: 16;
        height: 1fr;
        background: $surface;
        & > .minimap--dots { color: $foreground 60%; }
        & > .minimap--view { background: $primary 40%; color: $foreground; }
        & > .minimap--selected { color: $warning; text-style: bold; }
    }
    """

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        # Told of the column and row of the picture that are to be in the middle.
        self.look: Callable[[int, int], None] | None = None
        self._layout: Layout | None = None
        self._area = _NOWHERE
        self._selected: str | None = None
        self._dots: list[list[int]] = []
        self._drawn: tuple[Layout, Size] | None = None
        self._seen = (_NOWHERE, _NOWHERE)
        self._held = False
        self._next: tuple[Layout, Rect, str | None] | None = None

    def show(self, layout: Layout, area: Rect, selected: str | None) -> None:
        """Shows a picture.

        Arguments:
            layout: the picture.
            area: its cells that are in sight.
            selected: the box that is selected.
        """
        if layout is not self._layout:
            if self._layout is None or self._drawn is None:
                self._take(layout, area, selected)
                return
            # An edit is to be seen on the canvas at once; the map may follow.
            if self._next is None:
                self.set_timer(_LATER, self._follow)
            self._next = (layout, area, selected)
            return
        self._area, self._selected, self._next = area, selected, None
        before, after = self._seen, self._marked()
        if before == after:
            return
        # Of a long graph the map seldom looks otherwise after a step.
        touched = [rect for rect in (*before, *after) if rect.height]
        top, bottom = min(rect.y for rect in touched), max(rect.bottom for rect in touched)
        self.refresh(Region(0, top, self.size.width, bottom - top))

    def _follow(self) -> None:
        if self._next is not None:
            self._take(*self._next)

    def _take(self, layout: Layout, area: Rect, selected: str | None) -> None:
        self._layout, self._area, self._selected, self._next = layout, area, selected, None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row of the map."""
        width, height = self.size
        layout = self._layout
        if layout is None or not width or not height:
            return Strip.blank(width, self.rich_style)
        if self._drawn is None or self._drawn[0] is not layout or self._drawn[1] != self.size:
            self._dots = dots_of(layout, width, height)
            self._drawn = (layout, self.size)
        self._seen = self._marked()
        view, box = self._seen
        text = "".join(chr(_BLANK | bits) if bits else " " for bits in self._dots[y])
        plain = self.get_component_rich_style("minimap--dots")
        stops = {0, width}
        for rect in (view, box):
            if rect.y <= y < rect.bottom:
                stops |= {min(rect.x, width), min(rect.right, width)}
        edges = sorted(stops)
        segments = []
        for first, last in pairwise(edges):
            style: Style = self.get_component_rich_style("minimap--view") if view.holds(first, y) else plain
            if box.holds(first, y):
                style = style + Style(color=self.get_component_rich_style("minimap--selected").color, bold=True)
            segments.append(Segment(text[first:last], style))
        return Strip(segments, width)

    def _marked(self) -> tuple[Rect, Rect]:
        """The cells of the map that are in sight, and those of the selected box."""
        assert self._layout is not None
        rect = self._layout.boxes.get(self._selected or "")
        return self._cells(self._area), _NOWHERE if rect is None else self._cells(rect)

    def _cells(self, area: Rect) -> Rect:
        """The cells of the map that stand for some cells of the picture."""
        assert self._layout is not None
        width, height = self.size
        left, right = _scaled(area.x, min(area.right, self._layout.width), self._layout.width, 2 * width)
        top, bottom = _scaled(area.y, min(area.bottom, self._layout.height), self._layout.height, 4 * height)
        return Rect(left // 2, top // 4, max(-(-right // 2) - left // 2, 1), max(-(-bottom // 4) - top // 4, 1))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Looks where the mouse is."""
        self._held = True
        self.capture_mouse()
        self._look(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Looks where the mouse is dragged to."""
        if self._held:
            self._look(event)

    def on_mouse_up(self) -> None:
        """Leaves the view where it is."""
        self._held = False
        self.release_mouse()

    def _look(self, event: events.MouseEvent) -> None:
        if self._layout is None or self.look is None or not self.size:
            return
        cell = event.get_content_offset_capture(self)
        # The middle of what the cell stands for.
        x = (2 * cell.x + 1) * max(self._layout.width, 2 * self.size.width) // (2 * self.size.width)
        y = (2 * cell.y + 1) * max(self._layout.height, 4 * self.size.height) // (2 * self.size.height)
        self.look(min(max(x, 0), self._layout.width), min(max(y, 0), self._layout.height))
