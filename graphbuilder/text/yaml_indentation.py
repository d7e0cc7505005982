"""Which of two lines is out of step, where the indentation of one belongs to no line around it.

A parser stops at the first line that it cannot place. That is often the line below the one whose indentation is wrong.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, takewhile

from graphbuilder.text.yaml_mistake import start_of_line

__all__ = ["Line", "line_out_of_step"]

# Strangers' texts may be long: what a file's indentation is, and what stands around a line, is read off so many lines.
_LINES = 400
_CONTENT = re.compile(r"[^\r\n]*")
_OPENS = re.compile(r":\s*(#.*)?$")
# What begins a text of several lines, which are no keys.
_TEXT = re.compile(r"[:\s][|>][+-]?\d?\s*(#.*)?$")


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is neither empty nor a comment.

    Arguments:
        start: the offset of its beginning.
        indent: how many spaces it begins with.
        text: its text.
        apart: whether an empty line stands above it.
    """

    start: int
    indent: int
    text: str
    apart: bool

    @property
    def opens(self) -> bool:
        """Whether it is a key whose value stands on the lines below."""
        return _OPENS.search(self.text) is not None


def line_out_of_step(text: str, at: int) -> tuple[Line, int] | None:
    """The line above the one at an offset that has the wrong indentation, and the one it should have.

    None where the line at the offset itself is the one that is out of step.

    Arguments:
        text: the whole text.
        at: where a parser stopped: on a line that it cannot place.
    """
    here = start_of_line(text, at)
    above = list(takewhile(lambda line: line.start < here, _lines(text, start_of_line(text, max(0, here - 40_000)))))
    above = above[-_LINES:]
    stopped, *below = _lines(text, here)
    if not above:
        return None
    lines = [*above, stopped, *below]
    following = next((line for line in below if line.indent <= stopped.indent), None)
    if stopped.opens and below and below[0].indent <= stopped.indent and not below[0].text.lstrip().startswith("- "):
        # The lines below should have been inside it.
        return None
    return _too_deep(above, stopped, lines, following) or _too_far_left(above, stopped, _unit(lines) or 2, following)


def _lines(text: str, start: int) -> Iterator[Line]:
    """The lines from an offset on that are neither empty nor comments, not more than are worth looking at."""
    apart = False
    deeper: int | None = None
    for _ in range(_LINES):
        match = _CONTENT.match(text, start)
        assert match is not None
        line = match[0]
        bare = line.strip()
        indent = len(line) - len(line.lstrip(" "))
        if bare and deeper is not None and indent <= deeper:
            deeper = None
        if bare and not bare.startswith("#") and deeper is None:
            yield Line(start, indent, line, apart)
            deeper = indent if _TEXT.search(line) else None
        apart = not bare
        start = match.end()
        start += 2 if text.startswith("\r\n", start) else 1
        if start > len(text):
            return


def _unit(lines: list[Line], without: Line | None = None) -> int | None:
    """By how many spaces the file indents: the most frequent step from a key to the first line below it.

    Arguments:
        lines: lines of the file.
        without: a key that is not asked.
    """
    steps: Counter[int] = Counter()
    for upper, lower in pairwise(lines):
        if upper.opens and lower.indent > upper.indent and upper is not without:
            steps[lower.indent - upper.indent] += 1
    return steps.most_common(1)[0][0] if steps else None


def _too_deep(above: list[Line], stopped: Line, lines: list[Line], following: Line | None) -> tuple[Line, int] | None:
    """The only line between a key and the stopped one, if it is indented otherwise than the file indents."""
    index = len(above) - 1
    while index >= 0 and above[index].indent > stopped.indent:
        index -= 1
    if index < 0 or index + 1 >= len(above) or above[index].indent >= stopped.indent:
        return None
    parent, first = above[index], above[index + 1]
    unit = _unit(lines, parent)
    if unit is None and following is not None and following.indent == stopped.indent:
        # Two lines speak against one.
        unit = stopped.indent - parent.indent
    children = [line for line in above[index + 1 :] if line.indent == first.indent]
    outer = index and above[index - 1].indent == stopped.indent and not parent.apart
    if outer and first.indent - stopped.indent == unit:
        # The line that opens the mapping is the one that stands out.
        return None
    if len(children) == 1 and first.indent - parent.indent != unit and stopped.indent - parent.indent == unit:
        return first, stopped.indent
    return None


def _too_far_left(above: list[Line], stopped: Line, unit: int, following: Line | None) -> tuple[Line, int] | None:
    """The nearest line that is indented less, if the lines around it are indented like the stopped one."""
    index = len(above) - 1
    while index >= 0 and above[index].indent >= stopped.indent:
        index -= 1
    if index < 0:
        return None
    suspect = above[index]
    if suspect.opens and index + 1 == len(above):
        # It holds the stopped line, as it should.
        return None
    if suspect.indent % unit and not stopped.indent % unit:
        return suspect, stopped.indent
    if stopped.indent % unit:
        return None
    before = next((line for line in reversed(above[:index]) if line.indent <= stopped.indent), None)
    if before is None:
        return None
    beside = before.indent == stopped.indent or (before.opens and before.indent + unit == stopped.indent)
    if not beside or suspect.apart:
        return None
    # Either line may be wrong. The file goes on beside the right one; a new section tells nothing.
    goes_on = following is not None and following.indent == suspect.indent and not following.apart
    return None if goes_on else (suspect, stopped.indent)
