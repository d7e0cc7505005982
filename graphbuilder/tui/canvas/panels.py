"""The cells of one box."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

from rich.style import Style

from graphbuilder.tui.canvas.layout import Rect
from graphbuilder.tui.canvas.measuring import glyphs_of, lines_of
from graphbuilder.tui.canvas.palette import Palette
from graphbuilder.tui.canvas.scene import Box, Density
from graphbuilder.tui.canvas.wording import cells_of, fitted, shortened, width_of

__all__ = ["Panel", "panel_of"]

# For each row of a box its cells and their styles.
Panel: TypeAlias = list[tuple[list[str], list[Style]]]

# Corners and sides: top left, top right, bottom left, bottom right, sideways, down; and where lines come in and go out.
_LIGHT = "╭╮╰╯─│┴┬"
_HEAVY = "┏┓┗┛━┃┷┯"
_DOUBLE = "╔╗╚╝═║╧╤"
# The part of a line that gives it its style.
_STYLES = {"kind": "text", "argument": "dim", "shape": "text", "parameters": "dim"}


def panel_of(
    box: Box,
    rect: Rect,
    density: Density,
    palette: Palette,
    emphasis: tuple[str, ...],
    arriving: Collection[int],
    leaving: Collection[int],
    jump: str | None,
) -> Panel:
    """The cells of a box, row by row.

    Arguments:
        box: what it shows.
        rect: its cells.
        density: how much of it is drawn.
        palette: the styles.
        emphasis: the names of styles that are laid over all of it.
        arriving: the columns in which lines come in from above.
        leaving: the columns in which lines go out below.
        jump: the letters by which it can be reached, if they are shown.
    """
    trouble = tuple(mark for mark in ("error", "warning", "compressed") if mark in box.marks)[:1]
    border = palette.style(box.family, *trouble, *emphasis)
    title = palette.style(box.family, "title", *trouble, *emphasis)
    glyphs = glyphs_of(box)
    if density is Density.DENSE:
        panel = [_dense(box, rect.width, glyphs, border, title, palette.style("dim", *emphasis))]
    else:
        sides = _HEAVY if "selected" in emphasis else _DOUBLE if box.family == "block" else _LIGHT
        panel = [_top(box, rect, sides, glyphs, border, title, arriving)]
        inner = rect.width - 4
        for line in lines_of(box, density):
            style = palette.style(_STYLES[line.part], *emphasis)
            panel.append(_inside(line.left, line.right, inner, sides[5], border, style))
        bottom = [sides[2], *(sides[4] * (rect.width - 2)), sides[3]]
        _mark(bottom, rect, leaving, sides[7], sides[4])
        panel.append((bottom, [border] * rect.width))
    if jump is not None:
        cells, styles = panel[0]
        at = 0 if density is Density.DENSE else 1
        for letter in jump[: rect.width - at]:
            cells[at], styles[at] = letter, palette.style("jump")
            if cells[at + 1 : at + 2] == [""]:
                cells[at + 1] = " "
            at += 1
    return panel


def _dense(box: Box, width: int, glyphs: str, border: Style, title: Style, dim: Style) -> tuple[list[str], list[Style]]:
    """One line: the title first, and of the kind what there is room for."""
    name = shortened(box.title, max(width - 2 - len(glyphs), 1), middle=True)
    head = fitted(f"{name}{glyphs}", min(width_of(name) + len(glyphs), width - 1))
    rest = width - 1 - width_of(head)
    cells = ["▌", *cells_of(head), *cells_of(fitted(f" {box.kind}", rest))]
    return cells, [border] + [title] * width_of(head) + [dim] * rest


def _top(
    box: Box, rect: Rect, sides: str, glyphs: str, border: Style, title: Style, arriving: Collection[int]
) -> tuple[list[str], list[Style]]:
    """The upper border with the title and the marks in it."""
    room = rect.width - 5 - len(glyphs)
    name = shortened(box.title, max(room, 1), middle=True)
    text = cells_of(f" {name}{glyphs} ")[: rect.width - 3]
    cells = [sides[0], sides[4], *text]
    cells += [sides[4]] * (rect.width - 1 - len(cells)) + [sides[1]]
    styles = [border] * rect.width
    styles[2 : 2 + len(text)] = [title] * len(text)
    _mark(cells, rect, arriving, sides[6], sides[4])
    return cells, styles


def _mark(cells: list[str], rect: Rect, columns: Collection[int], glyph: str, side: str) -> None:
    """Marks where lines meet a border, but not in the title."""
    for column in columns:
        at = column - rect.x
        if 0 <= at < len(cells) and cells[at] == side:
            cells[at] = glyph


def _inside(
    left: str, right: str, room: int, side: str, border: Style, style: Style
) -> tuple[list[str], list[Style]]:  # fmt: skip
    """A line between the borders, with something at its left and something at its right."""
    if right and width_of(right) < room:
        text = f"{fitted(left, room - width_of(right) - 1)} {right}"
    else:
        text = fitted(left, room)
    width = room + 4
    return [side, " ", *cells_of(text), " ", side], [border, *([style] * (width - 2)), border]
