"""The lines of a box in each density, and the cells that they take."""

from __future__ import annotations

from dataclasses import dataclass

from graphbuilder.tui.canvas.scene import MARKS, Box, Density
from graphbuilder.tui.canvas.wording import width_of

__all__ = ["Line", "glyphs_of", "lines_of", "size_of", "widest", "width_for"]

# The widest a box becomes for its texts, by density, where there are few columns, some, and many; longer texts are
# shortened.
_WIDEST = {Density.DENSE: (36, 30, 22), Density.NORMAL: (30, 26, 20), Density.FULL: (40, 32, 24)}
# The widest it becomes for what arrives at it, two cells apart.
_WIDEST_FOR_PORTS = 60
_NARROWEST = {Density.DENSE: 5, Density.NORMAL: 9, Density.FULL: 9}


@dataclass(frozen=True, slots=True)
class Line:
    """One line inside a box.

    Arguments:
        left: what stands at its left, a safe text.
        right: what stands at its right.
        part: what it tells: "kind", "argument", "shape" or "parameters".
    """

    left: str
    right: str
    part: str


def glyphs_of(box: Box) -> str:
    """The glyphs of a box's marks, in the order of `MARKS`."""
    return "".join(glyph for mark, glyph in MARKS.items() if mark in box.marks) if box.marks else ""


def lines_of(box: Box, density: Density) -> tuple[Line, ...]:
    """The lines below the title. A dense box has none: its kind stands beside its title."""
    if density is Density.DENSE:
        return ()
    if density is Density.NORMAL:
        return (Line(box.kind, box.shape, "kind"),)
    lines = [Line(box.kind, "", "kind")]
    lines += [Line(argument, "", "argument") for argument in box.arguments]
    if box.shape:
        lines.append(Line(f"→ {box.shape}", "", "shape"))
    if box.parameters:
        lines.append(Line(f"{box.parameters:,} parameters", "", "parameters"))
    return tuple(lines)


def widest(density: Density, columns: int) -> int:
    """The widest that a box becomes for its texts, in cells.

    Arguments:
        density: how much of it is drawn.
        columns: how many boxes stand side by side at most.
    """
    few, some, many = _WIDEST[density]
    return few if columns <= 4 else some if columns <= 8 else many


def size_of(box: Box, density: Density, most: int) -> tuple[int, int]:
    """The width and height of a box in cells, for what is written in it.

    Arguments:
        box: the box.
        density: how much of it is drawn.
        most: the widest that it becomes.
    """
    title = width_of(box.title) + len(box.marks)
    if density is Density.DENSE:
        width, height = title + width_of(box.kind) + 3, 1
    elif density is Density.NORMAL:
        shape = width_of(box.shape)
        width, height = max(title + 5, width_of(box.kind) + shape + (1 if shape else 0) + 4), 3
    else:
        lines = lines_of(box, density)
        width = max(title + 5, *(width_of(line.left) + 4 for line in lines))
        height = len(lines) + 2
    return min(max(width, _NARROWEST[density]), most), height


def width_for(ports: int) -> int:
    """The least width of a box in cells, for the values that arrive at one of its sides.

    Arguments:
        ports: how many different values arrive at it, or leave it.
    """
    return min(4 * (ports // 2) + 5, _WIDEST_FOR_PORTS) if ports > 1 else 0
