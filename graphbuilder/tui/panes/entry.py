"""The line in which something is typed."""

from __future__ import annotations

from unicodedata import category

from rich.highlighter import Highlighter
from rich.text import Text
from textual.widgets import Input

__all__ = ["Entry", "shown_character"]

_REPLACED = "\N{REPLACEMENT CHARACTER}"


def shown_character(character: str) -> str:
    r"""A character, or one that takes its place where it has no glyph and could move the terminal's cursor.

    Example:
        >>> shown_character("a"), shown_character("\x1b")
        ('a', '�')
    """
    return _REPLACED if category(character) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp") else character


class _Harmless(Highlighter):
    """Shows every character as one that the terminal only draws; what is typed stays what it is."""

    def __call__(self, text: str | Text) -> Text:
        plain = text if isinstance(text, str) else text.plain
        if not (plain.isascii() and plain.isprintable()):
            plain = "".join(map(shown_character, plain))
        return Text(plain, no_wrap=True, overflow="ignore", end="")

    def highlight(self, text: Text) -> None:
        """Colours nothing."""


class Entry(Input):
    """A line in which anything can stand.

    Arguments:
        value: what stands there first.
        placeholder: what is shown while nothing stands there.
        select_on_focus: whether all of it is selected when keys begin to go there.
        id: as of any widget.
    """

    def __init__(
        self, value: str = "", *, placeholder: str = "", select_on_focus: bool = True, id: str | None = None
    ) -> None:
        super().__init__(value, placeholder, _Harmless(), select_on_focus=select_on_focus, id=id)
