"""The text itself, editable, with every line break kept as it is in the file."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.timer import Timer
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from graphbuilder.tui.panes.entry import shown_character

__all__ = ["Lines", "TextPane"]

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")
_KEY = re.compile(r"^(\s*(?:- +)*)((?:\"[^\"]*\"|'[^']*'|[^\s#&*!\[\]{},'\"][^:#\[\]{},]*?))(?=\s*:(?:\s|$))")
_INNER_KEY = re.compile(r"(?<=[{,])\s*([\w.-]+)(?=:\s)")
_EXPRESSION = re.compile(r"\$(?:\w+|\([^)]*\))")
# How long after the last key what was typed is read, in seconds.
_PAUSE = 0.15


class Lines:
    r"""A text as lines, each with the very break that ends it.

    Arguments:
        text: the text.

    Example:
        >>> Lines("a\r\nb\n").after(["a", "x", "b", ""])
        'a\r\nx\nb\n'
    """

    def __init__(self, text: str) -> None:
        self.text = text
        pieces = text.splitlines(keepends=True)
        self.contents = [piece.splitlines()[0] for piece in pieces]
        self.breaks = [piece[len(content) :] for piece, content in zip(pieces, self.contents, strict=True)]
        if not pieces or self.breaks[-1]:
            self.contents.append("")
            self.breaks.append("")
        lengths = (len(content) + len(end) for content, end in zip(self.contents, self.breaks, strict=True))
        self.starts = [0, *accumulate(lengths)][: len(self.contents)]

    @property
    def newline(self) -> str:
        """The break that a new line gets: that of the first line, if it has one."""
        return self.breaks[0] if self.breaks[0] in ("\r\n", "\r", "\n") else "\n"

    def after(self, contents: list[str]) -> str:
        """The text with other lines; those that stay keep their breaks.

        Arguments:
            contents: the lines without their breaks.
        """
        old, most = self.contents, min(len(self.contents), len(contents))
        top = 0
        while top < most and old[top] == contents[top]:
            top += 1
        bottom = 0
        while bottom < most - top and old[-1 - bottom] == contents[-1 - bottom]:
            bottom += 1
        # Lines that changed without coming or going keep their breaks too.
        middle = len(contents) - top - bottom
        kept = self.breaks[top : len(old) - bottom][:middle]
        breaks = [*self.breaks[:top], *kept, *[self.newline] * (middle - len(kept)), *self.breaks[len(old) - bottom :]]
        breaks = [end or self.newline for end in breaks[:-1]] + [""]
        return "".join(content + end for content, end in zip(contents, breaks, strict=True))

    def place(self, offset: int) -> tuple[int, int]:
        """The row and column of an offset, both from 0."""
        row = max(bisect_right(self.starts, offset) - 1, 0)
        return row, min(offset - self.starts[row], len(self.contents[row]))

    def offset(self, row: int, column: int) -> int:
        """The offset of a row and column, both from 0."""
        row = min(max(row, 0), len(self.starts) - 1)
        return self.starts[row] + min(column, len(self.contents[row]))


class _Colours(TextAreaTheme):
    """The colours of the app's theme, in which the line of the cursor keeps those of its words."""

    def apply_css(self, text_area: TextArea) -> None:
        super().apply_css(text_area)
        if self.cursor_line_style is not None:
            self.cursor_line_style = self.cursor_line_style.background_style


class TextPane(TextArea):
    """The text of the blueprint.

    Arguments:
        id: as of any widget.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back to the graph", show=False, id="text.leave"),
    ]

    # The text has the place that it is given, however long it is: no other widget moves when lines come and go.
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), layout=False)

    class Typed(Message):
        """The author has typed, and paused.

        Arguments:
            text: the whole text.
        """

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Looked(Message):
        """The cursor stands elsewhere, because the author moved it.

        Arguments:
            offset: where.
        """

        def __init__(self, offset: int) -> None:
            super().__init__()
            self.offset = offset

    class Left(Message):
        """The author is done with the text for now."""

    class UndoAsked(Message):
        """A step is to be taken back.

        Arguments:
            again: whether one is to be done again instead.
        """

        def __init__(self, again: bool) -> None:
            super().__init__()
            self.again = again

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            "", id=id, soft_wrap=False, show_line_numbers=True, tab_behavior="indent", theme="css", max_checkpoints=1
        )
        self.register_theme(_Colours("blueprint"))
        self.theme = "blueprint"
        self.indent_width = 2
        self.lines = Lines("")
        self._timer: Timer | None = None
        self._looks: Mapping[int, str] = {}

    def show(self, text: str) -> None:
        """Shows a text; the cursor and what is in sight stay where they are, as far as that can be.

        Arguments:
            text: the whole text, without a byte order mark.
        """
        self.taken()
        if text == self.lines.text:
            return
        before, self.lines = self.document.lines, Lines(text)
        now = self.lines.contents
        most = min(len(before), len(now))
        top = 0
        while top < most and before[top] == now[top]:
            top += 1
        bottom = 0
        while bottom < most - top and before[-1 - bottom] == now[-1 - bottom]:
            bottom += 1
        if top == len(before) == len(now):
            return
        old, new = before[top : len(before) - bottom], now[top : len(now) - bottom]
        if top + bottom >= len(before) or top + bottom >= len(now):
            # Whole lines come or go: with the break above them, or below where there is nothing above.
            if top:
                top -= 1
                old, new = [before[top], *old], [now[top], *new]
            else:
                old, new = [*old, before[len(before) - bottom]], [*new, now[len(now) - bottom]]
        self.replace("\n".join(new), (top, 0), (top + len(old) - 1, len(old[-1])))
        self.history.clear()

    def watch_virtual_size(self, size: Size) -> None:
        """Shows how much there is to scroll."""
        self._scroll_update(size)

    def mark(self, looks: Mapping[int, str]) -> None:
        """Marks lines.

        Arguments:
            looks: `error` or `warning` by the line's number from 0.
        """
        if looks != self._looks:
            self._looks = dict(looks)
            self._line_cache.clear()
            self.refresh()

    def look_at(self, offset: int) -> None:
        """Puts the cursor somewhere, without telling anyone, and brings it into sight.

        Arguments:
            offset: where.
        """
        place = self.lines.place(offset)
        if place != self.cursor_location:
            with self.prevent(TextArea.SelectionChanged):
                self.move_cursor(place)
        self.scroll_to(y=max(place[0] - self.size.height // 3, 0), x=0, animate=False, force=True)

    def taken(self) -> str | None:
        """What was typed and is still waiting to be told, which it is no longer; None where nothing is."""
        if self._timer is None:
            return None
        self._timer.stop()
        self._timer = None
        text = self.typed()
        if text == self.lines.text:
            return None
        self.lines = Lines(text)
        return text

    @property
    def waiting(self) -> bool:
        """Whether something was typed that nobody was told yet."""
        return self._timer is not None

    def typed(self) -> str:
        """The whole text as it stands here, every break as it was."""
        return self.lines.after(list(self.document.lines))

    def _tell(self) -> None:
        text = self.taken()
        if text is not None:
            self.post_message(self.Typed(text))

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Waits until nothing is typed any more."""
        event.stop()
        if list(self.document.lines) == self.lines.contents:
            return
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_PAUSE, self._tell)

    def on_text_area_selection_changed(self, event: TextArea.SelectionChanged) -> None:
        """Tells where the author looks."""
        event.stop()
        if self.has_focus and not self.waiting:
            self.post_message(self.Looked(self.lines.offset(*self.cursor_location)))

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            self.action_leave()
            return
        await super()._on_key(event)

    def action_leave(self) -> None:
        """Goes back to the graph."""
        self._tell()
        self.post_message(self.Left())

    def action_undo(self) -> None:
        """Takes a step back, of whatever kind."""
        self.post_message(self.UndoAsked(again=False))

    def action_redo(self) -> None:
        """Does a step again."""
        self.post_message(self.UndoAsked(again=True))

    def get_line(self, line_index: int) -> Text:
        """A line, coloured, with nothing in it that could move the terminal's cursor."""
        written = self.document.get_line(line_index)
        plain = written if written.isascii() and written.isprintable() else "".join(map(_shown, written))
        line = Text(plain, end="", no_wrap=True)
        look = self._looks.get(line_index)
        variables = self.app.theme_variables
        if found := _KEY.match(plain):
            line.stylize(_colour(variables, "text-primary"), *found.span(2))
        for found in _INNER_KEY.finditer(plain):
            line.stylize(_colour(variables, "text-primary"), *found.span(1))
        for found in _EXPRESSION.finditer(plain):
            line.stylize(_colour(variables, "text-accent"), *found.span())
        if found := _COMMENT.search(plain):
            line.stylize(Style(dim=True, italic=True), *found.span())
        if look is not None:
            line.stylize(_colour(variables, f"text-{look}", underline=True), len(plain) - len(plain.lstrip()))
        return line


def _shown(character: str) -> str:
    """A character of the text, or one that takes its place where it has no glyph; a tab stays."""
    return character if character == "\t" else shown_character(character)


def _colour(variables: Mapping[str, str], name: str, *, underline: bool = False) -> Style:
    """The style of a colour of the theme; plain where the theme says it in a way that only its own parser knows."""
    value = variables.get(name, "")
    return Style(color=value if re.fullmatch(r"#[0-9A-Fa-f]{6}", value) else None, underline=underline or None)
