"""A list of rows with a cursor, drawn row by row, so that ten thousand of them cost no more than those in sight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from graphbuilder.tui.canvas.wording import fitted, safe, width_of

__all__ = ["Part", "Row", "Rows", "row"]

# The ways in which a part of a row is written.
PARTS = ("text", "strong", "dim", "head", "accent", "good", "warning", "error")
# Rows that are kept once they are drawn.
_KEPT = 1_000
_INDENT = 2


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a row.

    Arguments:
        text: what it says; anything, for it is made safe when it is drawn.
        look: one of strong, dim, head, accent, good, warning, error, or text.
    """

    text: str
    look: str = "text"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list.

    Arguments:
        key: what tells it from the others; empty for a row on which the cursor does not stop.
        parts: what it says, from the left.
        right: what it says at its right end.
        depth: how deep it is indented.
    """

    key: str
    parts: tuple[Part, ...]
    right: Part | None = None
    depth: int = 0


def row(key: str, *parts: Part | str, right: Part | str | None = None, depth: int = 0) -> Row:
    """A row of parts, of which plain texts look plain.

    Example:
        >>> row("a", "one ", Part("two", "dim")).parts[0]
        Part(text='one ', look='text')
    """
    end = Part(right, "dim") if isinstance(right, str) else right
    return Row(key, tuple(Part(each) if isinstance(each, str) else each for each in parts), end, depth)


class Rows(ScrollView, can_focus=True):
    """A list with a cursor.

    Arguments:
        click_chooses: whether one click chooses a row, and not two.
        id: as of any widget.
        classes: as of any widget.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"rows--{part}" for part in PARTS),
        "rows--cursor",
        "rows--cursor-blurred",
    }
    DEFAULT_CSS = """
    Rows {
        background: $surface;
        color: $foreground;
        scrollbar-size-vertical: 1;
        scrollbar-background: $surface;
        scrollbar-background-hover: $surface;
        scrollbar-background-active: $surface;
        overflow-x: hidden;
        overflow-y: scroll;
        & > .rows--strong { text-style: bold; }
        & > .rows--dim { color: $foreground 60%; }
        & > .rows--head { color: $primary-lighten-2; text-style: bold; }
        & > .rows--accent { color: $secondary-lighten-2; }
        & > .rows--good { color: $success; }
        & > .rows--warning { color: $warning; }
        & > .rows--error { color: $error-lighten-2; }
        & > .rows--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
        & > .rows--cursor-blurred { background: $block-cursor-blurred-background; }
        &:light {
            & > .rows--head { color: $primary-darken-1; }
            & > .rows--accent { color: $secondary-darken-2; }
            & > .rows--warning { color: $warning-darken-3; }
            & > .rows--error { color: $error-darken-1; }
            & > .rows--good { color: $success-darken-2; }
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "Up", show=False, id="rows.up"),
        Binding("down,j", "step(1)", "Down", show=False, id="rows.down"),
        Binding("pageup", "page(-1)", "A page up", show=False, id="rows.page_up"),
        Binding("pagedown", "page(1)", "A page down", show=False, id="rows.page_down"),
        Binding("home,g", "end(False)", "To the first row", show=False, id="rows.first"),
        Binding("end,G", "end(True)", "To the last row", show=False, id="rows.last"),
        Binding("enter", "choose", "Take this row", show=False, id="rows.choose"),
    ]

    cursor: reactive[int] = reactive(-1, init=False)
    # A list has the place that it is given, however many rows it has: no other widget moves when rows come and go. For
    # the same reason its scroll bar is always there, though it cannot be seen where there is nothing to scroll.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False)

    class Moved(Message):
        """The cursor stands on another row.

        Arguments:
            rows: the list.
            key: the row's key.
        """

        def __init__(self, rows: Rows, key: str) -> None:
            super().__init__()
            self.rows = rows
            self.key = key

        @property
        def control(self) -> Rows:
            """The list, for handlers that name it."""
            return self.rows

    class Chosen(Moved):
        """A row was taken."""

    def __init__(self, *, click_chooses: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.rows: list[Row] = []
        self.click_chooses = click_chooses
        # By what they say, so that rows that are shown again, wherever, need not be drawn again.
        self._strips: dict[tuple[Row, int, int], Strip] = {}

    def show(self, rows: Iterable[Row], key: str | None = None) -> None:
        """Shows other rows; the cursor stays on its row, if there still is one with that key, else near it.

        Arguments:
            rows: from the top.
            key: the row on which the cursor is to stand; None for the one with the key of before.
        """
        wanted, before = self.key if key is None else key, self._seen()
        self.rows = list(rows)
        self.virtual_size = Size(0, len(self.rows))
        found = next((number for number, each in enumerate(self.rows) if each.key and each.key == wanted), None)
        if found is None:
            found = self._nearest(min(max(self.cursor, 0), len(self.rows) - 1), 1)
        self.set_reactive(Rows.cursor, found)
        self._keep_in_sight()
        if self._seen() != before:
            self.refresh()

    def _seen(self) -> tuple[list[Row], int]:
        """The rows in sight, and where among them the cursor is."""
        top = self.scroll_offset.y
        return self.rows[top : top + self.size.height], self.cursor - top

    def append(self, rows: Sequence[Row], most: int | None = None) -> None:
        """Adds rows at the end, and follows them if the last one was in sight.

        Arguments:
            rows: from the top.
            most: how many rows are kept, about; the first ones go. None keeps all.
        """
        following = self.scroll_offset.y + self.size.height >= len(self.rows)
        self.rows += rows
        # Some more than have to: what follows them must be drawn again.
        gone = len(self.rows) - most + most // 10 if most is not None and len(self.rows) > most else 0
        if gone:
            del self.rows[:gone]
            self.set_reactive(Rows.cursor, self._nearest(max(self.cursor - gone, 0), 1) if self.cursor >= 0 else -1)
        self.virtual_size = Size(0, len(self.rows))
        if following:
            self.scroll_to(y=len(self.rows), animate=False, force=True)
        elif gone:
            self.scroll_to(y=max(self.scroll_offset.y - gone, 0), animate=False, force=True)
        self.refresh()

    @property
    def key(self) -> str | None:
        """The key of the row on which the cursor stands."""
        return self.rows[self.cursor].key if 0 <= self.cursor < len(self.rows) else None

    def move_to(self, key: str) -> None:
        """Puts the cursor on a row without telling anyone."""
        found = next((number for number, each in enumerate(self.rows) if each.key == key), None)
        if found is not None and found != self.cursor:
            self.set_reactive(Rows.cursor, found)
            self._keep_in_sight()
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row of what is in sight."""
        number, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        if number >= len(self.rows):
            return Strip.blank(width, self.rich_style)
        state = 0 if number != self.cursor else 2 if self.has_focus else 1
        shown = self.rows[number]
        strip = self._strips.get((shown, width, state))
        if strip is None:
            if len(self._strips) >= _KEPT:
                self._strips.clear()
            strip = self._strips[shown, width, state] = self._drawn(shown, width, state)
        return strip

    def _drawn(self, shown: Row, width: int, state: int) -> Strip:
        base = self.rich_style
        over = self.get_component_rich_style(("", "rows--cursor-blurred", "rows--cursor")[state]) if state else None
        room = width
        segments: list[Segment] = []

        def put(text: str, look: str) -> None:
            style = base + self.get_component_rich_style(f"rows--{look}")
            if over is not None:
                style = style + (over if state == 2 else over.background_style)
            segments.append(Segment(text, style))

        right = "" if shown.right is None else safe(shown.right.text)
        if right and width_of(right) > room // 2:
            right = fitted(right, room // 2).rstrip()
        room -= width_of(right) + 1 if right else 0
        lead = min(shown.depth * _INDENT, max(room - 8, 0))
        if lead:
            put(" " * lead, "text")
            room -= lead
        for part in shown.parts:
            if room <= 0:
                break
            text = safe(part.text)
            text = fitted(text, min(width_of(text), room))
            room -= width_of(text)
            put(text, part.look)
        if room > 0:
            put(" " * room, "text")
        if right and shown.right is not None:
            put(f" {right}", shown.right.look)
        return Strip(segments).adjust_cell_length(width, base)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    def watch_cursor(self, before: int, now: int) -> None:
        """Shows where the cursor is."""
        for number in (before, now):
            line = number - self.scroll_offset.y
            if 0 <= line < self.size.height:
                self.refresh(Region(0, line, self.size.width, 1))
        self._keep_in_sight()
        if self.key:
            self.post_message(self.Moved(self, self.key))

    def _keep_in_sight(self) -> None:
        top, height = self.scroll_offset.y, self.size.height
        if not height or self.cursor < 0:
            return
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    def watch_virtual_size(self, size: Size) -> None:
        """Shows how much there is to scroll."""
        self._scroll_update(size)

    def on_resize(self) -> None:
        """Keeps the cursor in sight."""
        self._keep_in_sight()

    def on_focus(self) -> None:
        """Shows that keys go to this list."""
        self.refresh()

    def on_blur(self) -> None:
        """Shows that keys go elsewhere."""
        self.refresh()

    def _nearest(self, number: int, step: int) -> int:
        """The number of the next row on which the cursor may stand, in a direction, else in the other one; else -1."""
        for towards in (step, -step):
            at = number
            while 0 <= at < len(self.rows):
                if self.rows[at].key:
                    return at
                at += towards
        return -1

    def action_step(self, step: int) -> None:
        """Moves the cursor to the next row that it may stand on."""
        at = self.cursor + step
        while 0 <= at < len(self.rows) and not self.rows[at].key:
            at += step
        if 0 <= at < len(self.rows):
            self.cursor = at

    def action_page(self, step: int) -> None:
        """Moves the cursor by a page."""
        if self.rows:
            at = min(max(self.cursor + step * max(self.size.height - 1, 1), 0), len(self.rows) - 1)
            self.cursor = self._nearest(at, step)

    def action_end(self, last: bool) -> None:
        """Moves the cursor to the first or the last row."""
        if self.rows:
            self.cursor = self._nearest(len(self.rows) - 1, -1) if last else self._nearest(0, 1)

    def action_choose(self) -> None:
        """Takes the row on which the cursor stands."""
        if self.key:
            self.post_message(self.Chosen(self, self.key))

    def on_click(self, event: events.Click) -> None:
        """Moves the cursor to what is clicked; two clicks take it."""
        number = event.get_content_offset_capture(self).y + self.scroll_offset.y
        if 0 <= number < len(self.rows) and self.rows[number].key:
            self.cursor = number
            if self.click_chooses or event.chain == 2:
                self.action_choose()
