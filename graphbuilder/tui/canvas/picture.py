"""Paints the rows of a layout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from graphbuilder.tui.canvas.index import Index
from graphbuilder.tui.canvas.layout import Layout, Point, Rect
from graphbuilder.tui.canvas.looks import Look, emphasis_of
from graphbuilder.tui.canvas.palette import Palette
from graphbuilder.tui.canvas.panels import Panel, panel_of
from graphbuilder.tui.canvas.scene import MARKS
from graphbuilder.tui.canvas.wording import cells_of, fitted, width_of

__all__ = ["Picture"]

_NORTH, _EAST, _SOUTH, _WEST = 1, 2, 4, 8
# The glyph for each set of sides that a line goes to.
_GLYPHS = (" ", "╵", "╶", "╰", "╷", "│", "╭", "├", "╴", "╯", "─", "┴", "╮", "┤", "┬", "┼")
# Rows that are kept once they are painted.
_KEPT = 4096


class Picture:
    """A layout with a look, painted row by row; what was painted is kept until it looks otherwise.

    Arguments:
        layout: where everything is.
        palette: the styles.
        look: what stands out.
    """

    def __init__(self, layout: Layout, palette: Palette, look: Look | None = None) -> None:
        self.layout = layout
        self.palette = palette
        self.index = Index(layout)
        self.look = look or Look()
        self._emphasis = emphasis_of(layout, self.look)
        self._strips: dict[int, dict[tuple[int, int], Strip]] = {}
        self._panels: dict[str, Panel] = {}

    def show(self, look: Look) -> frozenset[int] | None:
        """Takes on another look, and says which rows look otherwise; None where it may be all of them."""
        before, after = self._emphasis, emphasis_of(self.layout, look)
        old, self.look, self._emphasis = self.look, look, after
        boxes = {box for box in (*before.boxes, *after.boxes) if before.boxes.get(box) != after.boxes.get(box)}
        boxes |= {box for box in (*old.jumps, *look.jumps) if old.jumps.get(box) != look.jumps.get(box)}
        for box in boxes:
            self._panels.pop(box, None)
        if before.nets != after.nets:
            self._strips.clear()
            return None
        rects = [self.layout.boxes[box] for box in boxes if box in self.layout.boxes]
        rows = {row for rect in rects for row in range(rect.y, rect.bottom)}
        for route in {*before.routes} ^ {*after.routes}:
            rows.update(_rows(route[0]))
        for row in rows:
            self._strips.pop(row, None)
        return frozenset(rows)

    def strip(self, y: int, x: int, width: int) -> Strip:
        """A row from a column on, some cells wide."""
        kept = self._strips.get(y)
        if kept is None:
            if len(self._strips) >= _KEPT:
                self._strips.clear()
            kept = self._strips[y] = {}
        found = kept.get((x, width))
        if found is None:
            found = kept[x, width] = self.paint(y, x, width)
        return found

    def paint(self, y: int, x: int, width: int) -> Strip:
        """As `strip`, painted anew."""
        row = _Row(x, width, self.palette.base)
        if 0 <= y < self.layout.height:
            self._frames(row, y)
            self._lines(row, y)
            for label in self.index.labels(y):
                row.write(label.x, cells_of(label.text), self.palette.style("label"))
            for box in self.index.row(y, x, x + width):
                self._box(row, y, box)
        return row.strip()

    def _frames(self, row: _Row, y: int) -> None:
        for group, rect in self.index.frames(y):
            style = self.palette.style("frame")
            if y not in (rect.y, rect.bottom - 1):
                row.put(rect.x, "┊", style)
                row.put(rect.right - 1, "┊", style)
                continue
            left, right = ("┌", "┐") if y == rect.y else ("└", "┘")
            row.write(rect.x, [left, *("┈" * (rect.width - 2)), right], style)
            if y == rect.y:
                self._frame_title(row, group, rect, y)

    def _frame_title(self, row: _Row, group: str, rect: Rect, y: int) -> None:
        """The title of a frame, where no line goes through it."""
        found = self.layout.scene.group[group]
        trouble = next((mark for mark in ("error", "warning") if mark in found.marks), None)
        style = self.palette.style("frame", "title", *(() if trouble is None else (trouble,)))
        marks = "".join(glyph for mark, glyph in MARKS.items() if mark in found.marks)
        text = f" {found.title} {marks} {found.kind} "
        first, last = rect.x + 2, rect.right - 2
        lines = sorted(line.x for line in self.index.verticals(y) if first <= line.x < last)
        rooms = [(left, right - left) for left, right in pairwise([first, *(x + 1 for x in lines), last + 1])]
        rooms = [(left, length - 1) for left, length in rooms]
        x, room = next((each for each in rooms if each[1] >= width_of(text)), max(rooms, key=lambda each: each[1]))
        row.write(x, cells_of(fitted(text, min(room, width_of(text)))), style)

    def _lines(self, row: _Row, y: int) -> None:
        """The lines of edges: what belongs to one value is joined, what belongs to several crosses."""
        sides: dict[tuple[int, int], int] = {}  # by cell and net
        left, right = row.x, row.x + row.width
        for x, top, bottom, net in self.index.verticals(y):
            if left <= x < right:
                mask = (_NORTH if y > top else 0) | (_SOUTH if y < bottom else 0)
                sides[x, net] = sides.get((x, net), 0) | mask
        horizontals = self.index.horizontals.get(y, ())
        for first, last, net in horizontals:
            row.fill(first, last + 1, "─", self._edge_style(net))
            for x, owner in sides:
                if owner == net and first <= x <= last:
                    sides[x, net] |= (_WEST if x > first else 0) | (_EAST if x < last else 0)
        joined: dict[int, tuple[int, int]] = {}
        for (x, net), mask in sides.items():
            before = joined.get(x)
            # Of two values in one cell the one that turns there is drawn; the other one passes straight through.
            joined[x] = (mask, net) if before is None else (mask | before[0], net)
        for x, (mask, net) in joined.items():
            row.put(x, _GLYPHS[mask], self._edge_style(net))
        for points, net, name in self._emphasis.routes:
            style = self.palette.style("edge", name)
            for first, last in _stretches(points, y):
                for x in range(max(first, left), min(last + 1, right)):
                    if joined.get(x, (0, net))[1] == net:
                        row.styles[x - left] = style

    def _edge_style(self, net: int) -> Style:
        name = self._emphasis.nets.get(net)
        return self.palette.style("edge") if name is None else self.palette.style("edge", name)

    def _box(self, row: _Row, y: int, box: str) -> None:
        panel = self._panels.get(box)
        if panel is None:
            scene = self.layout.scene
            arriving = {self.layout.arrival(edge) for edge in scene.arriving.get(box, ())}
            leaving = {self.layout.departure(edge) for edge in scene.leaving.get(box, ())}
            panel = self._panels[box] = panel_of(
                self.layout.scene.box[box], self.layout.boxes[box], self.layout.density, self.palette,
                self._emphasis.boxes.get(box, ()), arriving, leaving, self.look.jumps.get(box),
            )  # fmt: skip
        rect = self.layout.boxes[box]
        cells, styles = panel[y - rect.y]
        row.lay(rect.x, cells, styles)


def _rows(points: Iterable[Point]) -> Iterator[int]:
    """The rows that a route goes through."""
    for one, other in pairwise(points):
        yield from range(min(one.y, other.y), max(one.y, other.y) + 1)


def _stretches(points: Iterable[Point], y: int) -> Iterator[tuple[int, int]]:
    """The parts of a route that lie in a row: their first and last cells."""
    for one, other in pairwise(points):
        if min(one.y, other.y) <= y <= max(one.y, other.y):
            yield min(one.x, other.x), max(one.x, other.x)


class _Row:
    """The cells of a part of one row while it is painted: their characters, and their styles.

    Arguments:
        x: the column of the first cell.
        width: how many cells.
        style: of what is empty.
    """

    __slots__ = ("characters", "styles", "width", "x")

    def __init__(self, x: int, width: int, style: Style) -> None:
        self.x = x
        self.width = width
        self.characters = [" "] * width
        self.styles = [style] * width

    def put(self, x: int, character: str, style: Style) -> None:
        """Writes one narrow character, if its cell is in this part."""
        at = x - self.x
        if 0 <= at < self.width:
            self.characters[at] = character
            self.styles[at] = style

    def fill(self, first: int, last: int, character: str, style: Style) -> None:
        """Writes a narrow character to the cells from one to before another."""
        first, last = max(first - self.x, 0), min(last - self.x, self.width)
        if first < last:
            self.characters[first:last] = [character] * (last - first)
            self.styles[first:last] = [style] * (last - first)

    def write(self, x: int, cells: list[str], style: Style) -> None:
        """Writes cells of one style."""
        self.lay(x, cells, [style] * len(cells))

    def lay(self, x: int, cells: list[str], styles: list[Style]) -> None:
        """Writes cells with their styles; a wide character that is cut in half becomes a space."""
        at = x - self.x
        first, last = max(at, 0), min(at + len(cells), self.width)
        if first >= last:
            return
        shown = cells[first - at : last - at]
        if shown[0] == "":
            shown[0] = " "
        if last - at < len(cells) and cells[last - at] == "":
            shown[-1] = " "
        self.characters[first:last] = shown
        self.styles[first:last] = styles[first - at : last - at]

    def strip(self) -> Strip:
        """The cells as a strip."""
        segments = []
        styles, characters = self.styles, self.characters
        start, style = 0, styles[0] if styles else Style.null()
        for at, other in enumerate(styles):
            if other is not style:
                segments.append(Segment("".join(characters[start:at]), style))
                start, style = at, other
        segments.append(Segment("".join(characters[start:]), style))
        return Strip(segments, self.width)
