"""Text of users' made safe to draw: each piece takes the cells that it claims, whatever it holds."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import category

from rich.cells import cell_len

__all__ = ["cells_of", "fitted", "safe", "shortened", "width_of"]

# Longer texts are cut before anything looks at each of their characters.
_LONGEST = 512
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_MORE = "…"
# What has no glyph of its own: controls, formatting such as direction marks and joiners, line and paragraph
# separators, surrogates, and what no standard assigns.
_WITHOUT_GLYPH = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def safe(text: str) -> str:
    r"""A text with nothing in it that could move the cursor, turn the line around, or stack upon other characters.

    White space of any kind becomes one space, and what has no glyph becomes `�`. Markup is left as it is, because it
    is drawn as plain text. A text of more than 512 characters loses its middle.

    Example:
        >>> safe("a\tb\x1b[31m")
        'a b�[31m'
    """
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]}{_MORE}{text[-_LONGEST // 2 :]}"
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    kind = category(character)
    if kind in _WITHOUT_GLYPH:
        return _REPLACED
    # A mark that stands upon the character before it would be drawn in no cell of its own, however many there are.
    return "" if cell_len(character) == 0 else character


def width_of(text: str) -> int:
    """How many cells a safe text takes."""
    return len(text) if text.isascii() else _wide(text)


# Shapes, which hold a sign that is not ASCII, are few and are asked for again and again.
@lru_cache(maxsize=4096)
def _wide(text: str) -> int:
    return sum(map(_width, text))


@lru_cache(maxsize=4096)
def _width(character: str) -> int:
    return cell_len(character)


def cells_of(text: str) -> list[str]:
    """What stands in each cell of a safe text: a wide character is followed by an empty cell.

    Example:
        >>> cells_of("a層")
        ['a', '層', '']
    """
    if text.isascii():
        return list(text)
    cells = []
    for character in text:
        cells.append(character)
        cells += [""] * (_width(character) - 1)
    return cells


def shortened(text: str, room: int, *, middle: bool = False) -> str:
    """A safe text cut to some cells, with `…` where something is missing.

    Arguments:
        text: a safe text.
        room: the cells there are, at least 1.
        middle: whether the middle is left out, as of names whose ends tell them apart, and not the end.

    Example:
        >>> shortened("separable_conv_1_bn_left", 12, middle=True)
        'separa…_left'
    """
    if width_of(text) <= room:
        return text
    tail = (room - 1) // 2 if middle else 0
    head = _beginning(text, room - 1 - tail)
    return f"{head}{_MORE}{_beginning(text[::-1], tail)[::-1]}"


def _beginning(text: str, room: int) -> str:
    """The characters at the beginning of a text that fit into some cells."""
    if text.isascii():
        return text[:room]
    taken = 0
    for index, character in enumerate(text):
        taken += _width(character)
        if taken > room:
            return text[:index]
    return text


def fitted(text: str, room: int, *, middle: bool = False) -> str:
    """A safe text cut or filled with spaces to just so many cells.

    Arguments:
        text: a safe text.
        room: the cells to fill; nothing is left of the text where there are none.
        middle: as of `shortened`.
    """
    if room <= 0:
        return ""
    text = shortened(text, room, middle=middle)
    return text + " " * (room - width_of(text))
