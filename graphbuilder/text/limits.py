"""How large a text may be before reading it is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphbuilder.limits import limit

__all__ = ["TextLimits"]


@dataclass(frozen=True, slots=True)
class TextLimits:
    """The budgets that keep a stranger's file harmless; what is left out is as `graphbuilder.limits` has it.

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

    bytes: int = field(default_factory=lambda: limit("bytes"))
    depth: int = field(default_factory=lambda: limit("nesting"))
    values: int = field(default_factory=lambda: limit("values"))
    digits: int = field(default_factory=lambda: limit("digits"))
    problems: int = 1000
