"""How large a text may be before reading it is refused."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TextLimits"]


@dataclass(frozen=True, slots=True)
class TextLimits:
    """The budgets that keep a stranger's file harmless; raise one with `dataclasses.replace` or by naming it.

    Arguments:
        bytes: the size of the file.
        depth: how many collections may contain each other, those that aliases stand for included.
        values: how many values the text may hold once every alias is replaced by what it stands for.
        digits: how many characters a number may have.
        problems: how many problems are collected before reading stops.

    Example:
        >>> TextLimits(depth=500).depth
        500
    """

    bytes: int = 16 * 2**20
    depth: int = 100
    values: int = 2_000_000
    digits: int = 1000
    problems: int = 1000
