"""Stretches of a text replaced, and nothing else of it touched."""

from __future__ import annotations

import math
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Splice", "composed", "original_offset", "same_data", "spliced", "undoing"]


@dataclass(frozen=True, slots=True)
class Splice:
    """One stretch of a text and what takes its place.

    Arguments:
        start: the offset of its first character.
        end: the offset behind its last; equal to `start` where something is inserted.
        text: what stands there afterwards.
    """

    start: int
    end: int
    text: str


def _in_order(splices: Sequence[Splice]) -> list[Splice]:
    """The splices in the order of the text; insertions at one place stay in the order in which they are given.

    Raises:
        ValueError: two of them overlap.
    """
    ordered = sorted(splices, key=lambda splice: (splice.start, splice.end))
    at = 0
    for splice in ordered:
        if splice.start < at or splice.end < splice.start:
            raise ValueError(f"the splice at {splice.start} overlaps the one before it")
        at = splice.end
    return ordered


def spliced(text: str, splices: Sequence[Splice]) -> str:
    """The text with all splices made; their offsets are those of the text as it was.

    Arguments:
        text: the text.
        splices: in any order; insertions at one place come in the order in which they are given.

    Raises:
        ValueError: two splices overlap.

    Example:
        >>> spliced("{layer: Dense}", [Splice(13, 13, ", units: 1"), Splice(8, 13, "Conv1D")])
        '{layer: Conv1D, units: 1}'
    """
    pieces: list[str] = []
    at = 0
    for splice in _in_order(splices):
        pieces += (text[at : splice.start], splice.text)
        at = splice.end
    pieces.append(text[at:])
    return "".join(pieces)


def undoing(text: str, splices: Sequence[Splice]) -> tuple[Splice, ...]:
    """The splices that turn what `spliced` gave back into the very text.

    Arguments:
        text: the text as it was.
        splices: what was done to it.

    Example:
        >>> done = [Splice(0, 1, "merged")]
        >>> spliced(spliced("a, b", done), undoing("a, b", done))
        'a, b'
    """
    found = []
    moved = 0
    for splice in _in_order(splices):
        start = splice.start + moved
        found.append(Splice(start, start + len(splice.text), text[splice.start : splice.end]))
        moved += len(splice.text) - (splice.end - splice.start)
    return tuple(found)


def composed(first: Sequence[Splice], second: Sequence[Splice]) -> tuple[Splice, ...]:
    """The splices that do at once what some do after others.

    Arguments:
        first: splices of a text.
        second: splices of what these make of it.

    Example:
        >>> composed([Splice(1, 1, "bcd")], [Splice(0, 2, "x")])
        (Splice(start=0, end=1, text='xcd'),)
    """
    # The first text from its beginning on: stretches of it that are kept or dropped, and texts that are added.
    steps: deque[tuple[int, int, str] | str] = deque()
    at = 0
    for splice in _in_order(first):
        steps += [(at, splice.start, "keep"), (splice.start, splice.end, "drop"), splice.text]
        at = splice.end
    steps.append((at, sys.maxsize, "keep"))
    done: list[tuple[int, int, str] | str] = []

    def advance(count: int, kept: bool) -> None:
        """Goes through so many characters of the text between."""
        while count:
            step = steps.popleft()
            if isinstance(step, str):
                done.append(step[:count] if kept else "")
                if count < len(step):
                    steps.appendleft(step[count:])
                count -= min(count, len(step))
            elif step[2] == "drop":
                done.append(step)
            else:
                middle = min(step[0] + count, step[1])
                done.append((step[0], middle, "keep" if kept else "drop"))
                if middle < step[1]:
                    steps.appendleft((middle, step[1], "keep"))
                count -= middle - step[0]

    at = 0
    for splice in _in_order(second):
        advance(splice.start - at, kept=True)
        advance(splice.end - splice.start, kept=False)
        done.append(splice.text)
        at = splice.end
    found: list[Splice] = []
    start = at = 0
    text = ""
    for step in (*done, *steps):
        if isinstance(step, str):
            text += step
        elif step[2] == "drop":
            at = step[1]
        elif step[0] < step[1]:
            if text or start < at:
                found.append(Splice(start, at, text))
            start, at, text = step[1], step[1], ""
    return tuple(found)


def original_offset(offset: int, splices: Sequence[Splice]) -> int | None:
    """Where a character of the new text stood before; None for one that a splice brought.

    Example:
        >>> original_offset(8, [Splice(1, 1, ": new")]), original_offset(3, [Splice(1, 1, ": new")])
        (3, None)
    """
    moved = 0
    for splice in _in_order(splices):
        start = splice.start + moved
        if offset < start:
            break
        if offset < start + len(splice.text):
            return None
        moved += len(splice.text) - (splice.end - splice.start)
    return offset - moved


def same_data(one: Any, other: Any) -> bool:
    """Whether two documents are equal in values, kinds of values, and the order of keys.

    Example:
        >>> same_data({"a": 1}, {"a": 1.0}), same_data({"a": 1, "b": 2}, {"b": 2, "a": 1})
        (False, False)
    """
    waiting = [(one, other)]
    while waiting:
        left, right = waiting.pop()
        if left is right:
            continue
        if type(left) is not type(right):
            return False
        if isinstance(left, dict):
            if list(left) != list(right):
                return False
            waiting += zip(left.values(), right.values(), strict=True)
        elif isinstance(left, list):
            if len(left) != len(right):
                return False
            waiting += zip(left, right, strict=True)
        elif left != right and not (isinstance(left, float) and math.isnan(left) and math.isnan(right)):
            return False
    return True
