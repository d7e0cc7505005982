"""What a layer or op supposes of the numbers that it is given, and what it leaves of them."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Keeping", "Neighbours", "Reading"]


class Reading(StrEnum):
    """For what the numbers are taken."""

    ANYTHING = "anything"  # they are moved, compared or changed one by one
    QUANTITIES = "quantities"  # they are weighed and summed: a larger number counts for more
    NAMES = "names"  # each stands for a thing, and is looked up


class Keeping(StrEnum):
    """What the output still has of the input."""

    NUMBERS = "numbers"  # the very numbers of the first port, moved, repeated, left out or of another dtype
    PLACES = "places"  # a number for each number, at its place
    NOTHING = "nothing"  # numbers of its own


class Neighbours(StrEnum):
    """How positions that stand side by side are taken."""

    APART = "apart"  # where they stand tells nothing
    WINDOW = "window"  # what stands within one window belongs together
    ORDER = "order"  # they follow one another
