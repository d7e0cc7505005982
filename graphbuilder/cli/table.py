"""Tables of plain text that fit a width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Column", "cut", "layout", "line_width", "natural_widths"]

Keeps: TypeAlias = Literal["start", "end", "both"]

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Arguments:
        title: what stands above it.
        right: whether its cells are set to the right, as numbers are.
        least: how narrow it may become; None for never narrower than its cells.
        optional: whether it is left out when it would become narrower than that.
        keeps: what is kept of a cell that must be cut: its start, its end (which suits paths), or both.
    """

    title: str
    right: bool = False
    least: int | None = None
    optional: bool = False
    keeps: Keeps = "start"


def layout(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    width: int,
    *,
    ellipsis: str = "…",
    narrow_first: Sequence[str] = (),
) -> list[str]:
    """The lines of a table, its titles first; no line is longer than the width.

    Arguments:
        columns: the columns.
        rows: a cell for each column.
        width: how many characters a line may have.
        ellipsis: what stands where a cell is cut.
        narrow_first: titles of the columns that give way, in that order; the others follow from the left.

    Example:
        >>> layout([Column("node"), Column("parameters", right=True)], [["conv", "896"]], 80)
        ['node  parameters', 'conv         896']
    """
    widths = natural_widths(columns, rows)
    order = sorted(range(len(columns)), key=lambda index: _rank(columns[index].title, narrow_first))
    _narrow(columns, widths, width, order)
    lines = []
    for row in ([column.title for column in columns], *rows):
        cells = [
            _set(cell, column, wide, ellipsis) for cell, column, wide in zip(row, columns, widths, strict=True) if wide
        ]
        lines.append(cut(_GAP.join(cells).rstrip(), width, ellipsis))
    return lines


def _rank(title: str, narrow_first: Sequence[str]) -> int:
    return narrow_first.index(title) if title in narrow_first else len(narrow_first)


def natural_widths(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    """How wide each column would like to be."""
    return [max([len(column.title), *(len(row[index]) for row in rows)]) for index, column in enumerate(columns)]


def line_width(widths: Sequence[int]) -> int:
    """How long a line of columns of these widths is; a column of width 0 is left out."""
    used = [wide for wide in widths if wide]
    return sum(used) + len(_GAP) * (len(used) - 1)


def _narrow(columns: Sequence[Column], widths: list[int], width: int, order: Sequence[int]) -> None:
    """Makes columns narrower, in turn, until they fit or can give no more."""
    for index in order:
        column, natural = columns[index], widths[index]
        over = line_width(widths) - width
        if column.least is None or over <= 0:
            continue
        floor = min(natural, max(column.least, len(column.title)))
        widths[index] = max(floor, natural - over)
        if column.optional and natural - over < floor:
            widths[index] = 0


def _set(cell: str, column: Column, width: int, ellipsis: str) -> str:
    shown = cut(cell, width, ellipsis, keeps=column.keeps)
    return shown.rjust(width) if column.right else shown.ljust(width)


def cut(text: str, width: int, ellipsis: str = "…", *, keeps: Keeps = "start") -> str:
    """The text, with what is too much left out.

    Example:
        >>> cut("encoder.0.attention", 12, keeps="end"), cut("BatchNormalization", 10, keeps="both")
        ('…0.attention', 'Bat…zation')
    """
    if len(text) <= width:
        return text
    if width <= len(ellipsis):
        return ellipsis[:width]
    kept = width - len(ellipsis)
    head = {"start": kept, "end": 0, "both": kept // 3}[keeps]
    return text[:head] + ellipsis + text[len(text) - (kept - head) :]
