"""How large a model's file may be in those parts that are read, and how it is refused."""

from __future__ import annotations

from graphbuilder.importers.problems import NotCarried

__all__ = ["MOST_BYTES", "MOST_DEPTH", "MOST_DIGITS", "MOST_ITEMS", "damaged", "shown"]

# Of a configuration: EfficientNetB7's has three million.
MOST_BYTES = 32 * 2**20
# How many lists and mappings may contain each other.
MOST_DEPTH = 100
# Lists and mappings, and separately the items in them: an empty list takes 20 times its three bytes of text.
MOST_ITEMS = 2_000_000
# Of one number; Python takes the square of their count to read them.
MOST_DIGITS = 1000
_SHOWN = 60


def damaged(message: str, hint: str | None = None) -> NotCarried:
    """The refusal of a file that is damaged or too large.

    Arguments:
        message: what is wrong with it, in one sentence without a full stop.
        hint: what to do about it.
    """
    return NotCarried(message, hint, code="GB852")


def shown(text: str) -> str:
    """What a file says, as messages show it: nobody knows how long it is.

    Example:
        >>> len(shown("x" * 10_000))
        61
    """
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
