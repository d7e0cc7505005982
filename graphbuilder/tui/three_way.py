"""Merges two texts that were made from one, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

__all__ = ["Conflict", "Keep", "Merged", "merge_texts"]

# What YAML and JSON call line breaks; `str.splitlines` knows more.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class Keep(StrEnum):
    """What becomes of lines that both have changed."""

    MINE = "mine"
    THEIRS = "theirs"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Lines that both have changed, each otherwise.

    Arguments:
        base: what stood there before.
        mine: what I made of it.
        theirs: what the others made of it.
    """

    base: str
    mine: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of a merge.

    Arguments:
        pieces: the text in order, and the conflicts in it.
    """

    pieces: tuple[str | Conflict, ...]

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """The places where somebody must decide."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Conflict))

    def text(self, keep: Keep) -> str:
        """The whole text.

        Arguments:
            keep: what stands where there is a conflict; both sides are told apart by the marks that git uses, which no
                YAML and JSON allows, so that nobody trains such a file by mistake.
        """
        return "".join(piece if isinstance(piece, str) else _decided(piece, keep) for piece in self.pieces)


def _decided(conflict: Conflict, keep: Keep) -> str:
    if keep is Keep.MINE:
        return conflict.mine
    if keep is Keep.THEIRS:
        return conflict.theirs
    end = next(
        (found[0] for side in (conflict.mine, conflict.theirs) if (found := re.search("\r\n|\r|\n", side))), "\n"
    )
    parts = ["<<<<<<< mine", conflict.mine, "=======", conflict.theirs, ">>>>>>> theirs"]
    return "".join(part if not part or part.endswith(("\r", "\n")) else part + end for part in parts)


def merge_texts(base: str, mine: str, theirs: str) -> Merged:
    r"""Merges what two have made of a text.

    Lines that one has changed are taken from that one, lines that both have changed alike are taken once, and where
    both have changed them otherwise, or beside each other, there is a conflict.

    Arguments:
        base: what both began with.
        mine: what I made of it.
        theirs: what the others made of it.

    Example:
        >>> merge_texts("a: 1\nb: 2\nc: 3\n", "a: 10\nb: 2\nc: 3\n", "a: 1\nb: 2\nc: 30\n").text(Keep.MINE)
        'a: 10\nb: 2\nc: 30\n'
        >>> merge_texts("a: 1\n", "a: 2\n", "a: 3\n").conflicts
        (Conflict(base='a: 1\n', mine='a: 2\n', theirs='a: 3\n'),)
    """
    old, own, other = (_LINE.findall(text) for text in (base, mine, theirs))
    pieces: list[str | Conflict] = []

    def add(text: str) -> None:
        if pieces and isinstance(pieces[-1], str):
            pieces[-1] += text
        elif text:
            pieces.append(text)

    at = (0, 0, 0)
    for stretch in _shared(old, own, other):
        start, length = stretch[:3], stretch[3]
        parts = ("".join(lines[here:there]) for lines, here, there in zip((old, own, other), at, start, strict=True))
        before, ours, others = parts
        if ours == others or before == others:
            add(ours)
        elif before == ours:
            add(others)
        else:
            pieces.append(Conflict(before, ours, others))
        add("".join(old[start[0] : start[0] + length]))
        at = (start[0] + length, start[1] + length, start[2] + length)
    return Merged(tuple(pieces))


def _shared(old: Sequence[str], own: Sequence[str], other: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """The stretches of lines that all three have: where they begin in each, and how many lines they have.

    The last one is empty and stands at the end.
    """
    mine, theirs = _matches(old, own), _matches(old, other)
    at = beside = 0
    while at < len(mine) and beside < len(theirs):
        left, right = mine[at], theirs[beside]
        start = max(left[0], right[0])
        end = min(left[0] + left[2], right[0] + right[2])
        if start < end:
            yield start, left[1] + start - left[0], right[1] + start - right[0], end - start
        if left[0] + left[2] < right[0] + right[2]:
            at += 1
        else:
            beside += 1
    yield len(old), len(own), len(other), 0


def _matches(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int]]:
    """The stretches that two texts share: where they begin in each, and how many lines they have."""
    # What they share at both ends is found first: it is most of the text, and the matcher takes its time.
    most = min(len(old), len(new))
    head = next((number for number in range(most) if old[number] != new[number]), most)
    tail = next((number for number in range(most - head) if old[-1 - number] != new[-1 - number]), most - head)
    matcher = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
    found = [(head + block.a, head + block.b, block.size) for block in matcher.get_matching_blocks() if block.size]
    ends = [(0, 0, head)], [(len(old) - tail, len(new) - tail, tail)]
    return [match for part in (ends[0], found, ends[1]) for match in part if match[2]]
