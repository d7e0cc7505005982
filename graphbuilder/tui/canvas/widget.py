"""The canvas: a scene drawn in the terminal, walked by keyboard and mouse. It asks for edits and makes none."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region
from textual.strip import Strip

from graphbuilder.tui.canvas.dragging import Connecting, Drag, Panning, Rewiring
from graphbuilder.tui.canvas.index import Direction, jump_labels
from graphbuilder.tui.canvas.messages import (
    ConnectAsked,
    DragMoved,
    FoldToggled,
    JumpChosen,
    OpenAsked,
    RewireAsked,
)
from graphbuilder.tui.canvas.rubber import Rubber
from graphbuilder.tui.canvas.scene import Density, Edge
from graphbuilder.tui.canvas.view import SceneView

__all__ = ["Canvas"]

# How far the view moves at once: cells sideways, and rows.
_PAN = (8, 4)
_LEFT, _MIDDLE = 1, 2  # the buttons of a mouse


class Canvas(SceneView, can_focus=True):
    """A scene, drawn, to walk in.

    Set `scene` to draw another one; what was not touched stays where it is, also on the screen. The canvas posts the
    messages of `graphbuilder.tui.canvas.messages`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move('up')", "To what feeds it", show=False, id="canvas.up"),
        Binding("down,j", "move('down')", "To what it feeds", show=False, id="canvas.down"),
        Binding("left,h", "move('left')", "To the left", show=False, id="canvas.left"),
        Binding("right,l", "move('right')", "To the right", show=False, id="canvas.right"),
        Binding("home,g", "end('first')", "To the first node", show=False, id="canvas.first"),
        Binding("end,G", "end('last')", "To the last node", show=False, id="canvas.last"),
        Binding("enter", "open", "Edit the node", show=False, id="canvas.open"),
        Binding("space", "choose", "Choose the node, or not", show=False, id="canvas.choose"),
        Binding("f", "fold", "Fold or unfold the block", show=False, id="canvas.fold"),
        Binding("F", "fold(True)", "Fold or unfold the block and all in it", show=False, id="canvas.fold_all"),
        Binding("plus,equals_sign", "zoom(1)", "Show more of each node", show=False, id="canvas.more"),
        Binding("minus", "zoom(-1)", "Show less of each node", show=False, id="canvas.less"),
        Binding("apostrophe", "jump", "Jump to a node by letters", show=False, id="canvas.jump"),
        Binding("t", "trace", "Trace all that feeds it and that it feeds", show=False, id="canvas.trace"),
        Binding("z", "centre", "To the middle of the screen", show=False, id="canvas.centre"),
        Binding("x", "tidy", "Lay the graph out anew", show=False, id="canvas.tidy"),
        Binding("shift+up,ctrl+up", "pan(0,-1)", "Pan up", show=False, id="canvas.pan_up"),
        Binding("shift+down,ctrl+down", "pan(0,1)", "Pan down", show=False, id="canvas.pan_down"),
        Binding("shift+left,ctrl+left", "pan(-1,0)", "Pan to the left", show=False, id="canvas.pan_left"),
        Binding("shift+right,ctrl+right", "pan(1,0)", "Pan to the right", show=False, id="canvas.pan_right"),
        Binding("pageup", "page(-1)", "A page up", show=False, id="canvas.page_up"),
        Binding("pagedown", "page(1)", "A page down", show=False, id="canvas.page_down"),
    ]

    # What is typed of the letters of a jump; None where none are waited for.
    _letters: str | None = None
    _drag: Drag | None = None
    # The line to the mouse while an edge is dragged.
    _rubber: Rubber | None = None

    def render_line(self, y: int) -> Strip:
        """One row of what is in sight, with the line to the mouse over it."""
        strip = super().render_line(y)
        offset = self.scroll_offset
        run = self._rubber.run(y + offset.y) if self._rubber is not None else None
        if run is None:
            return strip
        x, text = run[0] - offset.x, run[1]
        first, last = max(x, 0), min(x + len(text), self.size.width)
        if first >= last:
            return strip
        line = Strip([Segment(text[first - x : last - x], self.picture.palette.style("edge", "edge-down"))])
        return Strip.join([strip.crop(0, first), line, strip.crop(last, self.size.width)])

    def action_move(self, direction: str) -> None:
        """Selects the next box in a direction."""
        if self.selection is None:
            self.action_end("first")
            return
        found = self.picture.index.neighbour(self.selection, Direction(direction), self._before)
        if found is not None:
            before = self.selection if direction in ("up", "down") else None
            self.selection = found
            self._before = before
            self.reveal(found)

    def action_end(self, which: str) -> None:
        """Selects the first or the last box."""
        found = self.picture.index.ends()[0 if which == "first" else 1]
        if found is not None:
            self.select(found)

    def action_open(self) -> None:
        """Asks to edit the selected box."""
        if self.selection is not None:
            self.post_message(OpenAsked(self.selection))

    def action_choose(self) -> None:
        """Chooses the selected box, or no longer."""
        if self.selection is not None:
            self._choose(self.selection)

    def action_fold(self, deep: bool = False) -> None:
        """Asks to unfold the selected block, or to fold the one around the selected box."""
        box = self.scene.box.get(self.selection or "")
        if box is None:
            return
        path = box.id if "folded" in box.marks and "left out" not in box.marks else box.group
        if path is not None:
            self.post_message(FoldToggled(path, deep))

    def action_zoom(self, step: int) -> None:
        """Draws more or less of each box."""
        self.density = Density(min(max(self.density + step, Density.DENSE), Density.FULL))

    def action_trace(self) -> None:
        """Shows all that feeds the selection and that it feeds, or just what is next to it."""
        self.tracing = not self.tracing

    def action_centre(self) -> None:
        """Brings the selected box to the middle of the screen."""
        if self.selection is not None:
            self.reveal(self.selection, centre=True)

    def action_tidy(self) -> None:
        """Lays the scene out as if it was drawn for the first time."""
        self._redraw(anew=True)

    def action_pan(self, x: int, y: int) -> None:
        """Moves the view by some cells."""
        offset = self.scroll_offset
        self.scroll_to(offset.x + x * _PAN[0], offset.y + y * _PAN[1], animate=False, force=True)

    def action_page(self, step: int) -> None:
        """Moves the view by a page, and the selection with it."""
        area = self.view()
        self.scroll_to(y=area.y + step * max(area.height - 2, 1), animate=False, force=True)
        seen = self.picture.index.within(self.view())
        if seen and self.selection not in seen:
            self._before = None
            self.selection = seen[0] if step > 0 else seen[-1]

    def action_jump(self) -> None:
        """Shows letters on all boxes in sight; typing them selects the box."""
        self._labels = jump_labels(self.picture.index.within(self.view()))
        self._letters = "" if self._labels else None
        self.show_look()

    @property
    def jumping(self) -> bool:
        """Whether letters are shown and waited for."""
        return self._letters is not None

    def on_key(self, event: events.Key) -> None:
        """Takes the letters of a jump, and `escape` where there is something to leave."""
        if self._letters is not None:
            event.stop()
            event.prevent_default()
            self._jump(event)
        elif event.key == "escape" and (self._drag is not None or self.chosen):
            event.stop()
            event.prevent_default()
            if self._drag is not None:
                self._end_drag()
            else:
                self.chosen = ()

    def _jump(self, event: events.Key) -> None:
        typed = f"{self._letters}{event.character or ''}"
        left = [box for box, label in self._labels.items() if event.is_printable and label.startswith(typed)]
        if len(left) == 1 and self._labels[left[0]] == typed:
            self._end_jump()
            self.select(left[0])
            self.post_message(JumpChosen(left[0]))
        elif left:
            self._letters = typed
            self._labels = {box: self._labels[box] for box in left}
            self.show_look()
        else:
            self._end_jump()

    def on_blur(self) -> None:
        """Waits for no letters any more."""
        if self.jumping:
            self._end_jump()

    def _end_jump(self) -> None:
        self._letters, self._labels = None, {}
        self.show_look()

    def interrupt(self) -> None:
        self._letters, self._labels = None, {}
        self._end_drag()

    def _choose(self, box: str) -> None:
        kept = tuple(each for each in self.chosen if each != box)
        self.chosen = kept if box in self.chosen else (*kept, box)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Selects a box, takes an edge, or takes the picture."""
        cell = self._cell(event)
        box = self.picture.index.box_at(*cell)
        if event.button == _MIDDLE or (event.button == _LEFT and box is None):
            edge = self._edge_at(cell) if event.button == _LEFT else None
            self._drag = Panning(event.screen_offset, self.scroll_offset) if edge is None else edge
        elif event.button == _LEFT and box is not None:
            if event.ctrl or event.shift:
                self._choose(box)
                return
            self._before = None
            self.selection = box
            self._drag = Connecting(box)
        if self._drag is not None:
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Moves the picture, or shows where what is dragged would be dropped."""
        if self._drag is None:
            return
        if isinstance(self._drag, Panning):
            moved = event.screen_offset - self._drag.start
            self.scroll_to(self._drag.view.x - moved.x, self._drag.view.y - moved.y, animate=False, force=True)
            return
        self._follow(event)
        cell = self._cell(event)
        began = self._rubber is None
        self._stretch(Rubber(self._fixed_end(self._drag), cell))
        drop = self._drop_at(cell)
        if drop != self._drop:
            self._drop = drop
            self.show_look()
        elif not began:
            return
        dragged = self._drag.source if isinstance(self._drag, Connecting) else self._drag.edge
        self.post_message(DragMoved(self._asked(self._drag, drop), dragged))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Asks for what was dragged."""
        asked = self._asked(self._drag, self._drop_at(self._cell(event)))
        self._end_drag()
        if asked is not None:
            self.post_message(asked)

    @staticmethod
    def _asked(drag: Drag | None, drop: str | None) -> ConnectAsked | RewireAsked | None:
        """What is asked for when something is dropped on a box."""
        if drop is None:
            return None
        if isinstance(drag, Connecting):
            return ConnectAsked(drag.source, drop)
        if isinstance(drag, Rewiring):
            edge = drag.edge
            return RewireAsked(edge, drop, edge.target) if drag.source else RewireAsked(edge, edge.source, drop)
        return None

    def _fixed_end(self, drag: Connecting | Rewiring) -> Offset:
        """The cell next to the port from which the line to the mouse goes."""
        layout = self.picture.layout
        if isinstance(drag, Rewiring):
            return Offset(*layout.route(drag.edge)[-1 if drag.source else 0])
        rect, leaving = layout.boxes[drag.source], self.scene.leaving.get(drag.source, ())
        x = layout.departure(leaving[0]) if leaving else rect.x + rect.width // 2
        return Offset(x, rect.bottom)

    def _stretch(self, rubber: Rubber | None) -> None:
        """Draws the line to the mouse elsewhere, or no longer."""
        rows = [row for line in (self._rubber, rubber) if line is not None for row in (line.rows[0], line.rows[-1])]
        self._rubber = rubber
        if rows:
            top = max(min(rows) - self.scroll_offset.y, 0)
            self.refresh(Region(0, top, self.size.width, max(rows) - self.scroll_offset.y - top + 1))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Draws less of each box where control is held; else it scrolls, as anything does."""
        self._zoom_by_wheel(event, -1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Draws more of each box where control is held; else it scrolls, as anything does."""
        self._zoom_by_wheel(event, 1)

    def _zoom_by_wheel(self, event: events.MouseEvent, step: int) -> None:
        if event.ctrl:
            event.stop()
            event.prevent_default()
            self.action_zoom(step)

    def on_click(self, event: events.Click) -> None:
        """Asks to edit a box, or to fold a block, that is clicked twice."""
        if event.chain != 2 or event.button != _LEFT:
            return
        cell = self._cell(event)
        box, frame = self.picture.index.box_at(*cell), self.picture.index.frame_at(*cell)
        if box is not None:
            self.post_message(OpenAsked(box))
        elif frame is not None:
            self.post_message(FoldToggled(frame))

    def _cell(self, event: events.MouseEvent) -> Offset:
        """The cell of the picture that is under the mouse."""
        return event.get_content_offset_capture(self) + self.scroll_offset

    def _edge_at(self, cell: Offset) -> Rewiring | None:
        """The edge in a cell, taken at the end that is nearer; of several edges, the first."""
        edges = self.picture.index.edges_at(*cell)
        if not edges:
            return None

        def away(edge: Edge, end: int) -> int:
            point = self.picture.layout.route(edge)[end]
            return abs(point.x - cell.x) + abs(point.y - cell.y)

        edge = min(edges, key=lambda each: min(away(each, 0), away(each, -1)))
        return Rewiring(edge, away(edge, 0) < away(edge, -1))

    def _drop_at(self, cell: Offset) -> str | None:
        """The box at a cell, if what is dragged can be dropped on it."""
        box = self.picture.index.box_at(*cell)
        match self._drag:
            case Connecting(source):
                return None if box == source else box
            case Rewiring(edge, source):
                return None if box in (edge.source, edge.target) else box
        return None

    def _follow(self, event: events.MouseMove) -> None:
        """Moves the view when something is dragged to its border."""
        x, y = event.get_content_offset_capture(self)
        step = (x >= self.size.width - 1) - (x <= 0), (y >= self.size.height - 1) - (y <= 0)
        if step != (0, 0):
            offset = self.scroll_offset
            self.scroll_to(offset.x + 2 * step[0], offset.y + step[1], animate=False, force=True)

    def _end_drag(self) -> None:
        if self._drag is not None:
            self.release_mouse()
        if self._rubber is not None:
            self._stretch(None)
            self.post_message(DragMoved(None, None))
        self._drag = self._drop = None
        self.show_look()
