"""The parsed text: nodes that know their values and where they stand.

Nodes hold offsets into the text, not lines and columns: a blueprint has a million of them, and hardly any is ever
asked for its place. Their attributes are not to be assigned to; the readers alone do that while they build the tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, TypeAlias

__all__ = [
    "Alias",
    "Mapping",
    "Node",
    "Scalar",
    "ScalarStyle",
    "ScalarValue",
    "Sequence",
    "dereferenced",
    "to_data",
    "walk",
]

ScalarValue: TypeAlias = str | int | float | bool | None


class ScalarStyle(StrEnum):
    """How a scalar is written."""

    PLAIN = "plain"
    SINGLE_QUOTED = "single-quoted"
    DOUBLE_QUOTED = "double-quoted"
    LITERAL = "literal"
    FOLDED = "folded"


class _Node:
    """What all nodes have: a stretch of the text, its anchor and tag included.

    Arguments:
        start: the offset of the first character.
        end: the offset behind the last character.
    """

    # The length is stored, not the end: most lengths are small integers, which Python keeps once for all.
    __slots__ = ("_length", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self._length = end - start

    @property
    def end(self) -> int:
        """The offset behind the last character. Of a collection in block style it is the end of its last value."""
        return self.start + self._length

    @end.setter
    def end(self, end: int) -> None:
        self._length = end - self.start


class Scalar(_Node):
    """A string, a number, a boolean or null.

    Arguments:
        start: the offset of the first character.
        end: the offset behind the last; equal to `start` for a null that is not written.
        style: how it is written.
        value: what it is read as.
    """

    __slots__ = ("style", "value")

    def __init__(self, start: int, end: int, style: ScalarStyle, value: ScalarValue) -> None:
        self.start = start
        self._length = end - start
        self.style = style
        self.value = value


class Sequence(_Node):
    """A list.

    Arguments:
        start: the offset of the first character.
        end: the offset behind the last.
        flow: whether it is written in brackets.
    """

    __slots__ = ("flow", "items")

    def __init__(self, start: int, end: int, flow: bool) -> None:
        super().__init__(start, end)
        self.flow = flow
        self.items: list[Node] = []


class Mapping(_Node):
    """A mapping from keys, all of them strings, to values.

    Arguments:
        start: the offset of the first character.
        end: the offset behind the last.
        flow: whether it is written in braces.
    """

    __slots__ = ("entries", "flow")

    def __init__(self, start: int, end: int, flow: bool) -> None:
        super().__init__(start, end)
        self.flow = flow
        self.entries: list[tuple[Scalar, Node]] = []


class Alias(_Node):
    """A `*name` that stands for a node written earlier.

    Arguments:
        start: the offset of the `*`.
        end: the offset behind the name.
        name: the anchor's name.
        target: the very node that the anchor marks.
    """

    __slots__ = ("name", "target")

    def __init__(self, start: int, end: int, name: str, target: Scalar | Sequence | Mapping) -> None:
        super().__init__(start, end)
        self.name = name
        self.target = target


Node: TypeAlias = Scalar | Sequence | Mapping | Alias


def dereferenced(node: Node) -> Scalar | Sequence | Mapping:
    """The node itself, or what it stands for if it is an alias."""
    return node.target if isinstance(node, Alias) else node


def walk(root: Node) -> Iterator[Node]:
    """Every node below and including the root, keys included, in the order of the text; aliases are not entered."""
    pending: list[Node] = [root]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, Mapping):
            for key, value in reversed(node.entries):
                pending += (value, key)
        elif isinstance(node, Sequence):
            pending += reversed(node.items)


def to_data(root: Node) -> Any:
    """The tree as dicts, lists and scalars; every alias gets a copy of its own, so that changing one changes no other.

    The readers have bounded what aliases expand to.
    """
    data: list[Any] = [None]
    pending: list[tuple[Iterable[tuple[Any, Node]], Any]] = [(((0, root),), data)]
    while pending:
        entries, into = pending.pop()
        for place, written in entries:
            node = dereferenced(written)
            child: Any
            if isinstance(node, Scalar):
                into[place] = node.value
                continue
            if isinstance(node, Mapping):
                child = {}
                pending.append((((key.value, value) for key, value in node.entries), child))
            else:
                child = [None] * len(node.items)
                pending.append((enumerate(node.items), child))
            into[place] = child
    return data[0]
