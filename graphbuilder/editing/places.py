"""Where an edit takes place in a text, and which places cannot be edited without changing others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn
from weakref import WeakKeyDictionary

from graphbuilder.errors import BlueprintError, Diagnostic, Related
from graphbuilder.text import Source
from graphbuilder.text.source import Path
from graphbuilder.text.tree import Alias, Mapping, Node, Scalar, Sequence, walk

__all__ = [
    "Place",
    "aliases",
    "column",
    "find",
    "line_end",
    "line_start",
    "newline_near",
    "own_line",
    "refuse_broken_aliases",
    "refuse_pair",
]

_BREAK = re.compile(r"\r\n|\r|\n")
_ALIAS = re.compile(r"(?<![^\s,\[{:?-])\*[^\s*]")


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the tree with what leads to it.

    Arguments:
        node: the node; never inside an alias.
        key: its key, if it is the value of a mapping.
        parent: the collection that it stands in; None for the root.
        index: its number among that collection's entries or items.
    """

    node: Node
    key: Scalar | None
    parent: Mapping | Sequence | None
    index: int


def line_start(text: str, offset: int) -> int:
    """The offset at which the line of a character begins."""
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def line_end(text: str, offset: int) -> int:
    """The offset of the line break that ends the line of a character; the end of the text for the last line."""
    found = _BREAK.search(text, offset)
    return found.start() if found else len(text)


def column(text: str, offset: int) -> int:
    """How many characters stand before one on its line."""
    return offset - line_start(text, offset)


def own_line(text: str, offset: int) -> bool:
    """Whether nothing but blanks stands before a character on its line."""
    return not text[line_start(text, offset) : offset].strip()


def newline_near(text: str, offset: int) -> str:
    """The line break that ends the line of a character, or else the text's first one."""
    found = _BREAK.search(text, offset) or _BREAK.search(text)
    return found[0] if found else "\n"


def find(source: Source, path: Path, *, inside: bool = False) -> Place:
    """The node at a path, which must not be reached through an alias nor lie inside a value that aliases stand for.

    Arguments:
        source: the text.
        path: the keys that lead to the node.
        inside: whether the change is to be made inside the node, so that the same must hold of the node itself.

    Raises:
        BlueprintError: GB203, a change there would change another place too.
        KeyError: there is nothing at that path.
    """
    targets = _targets(source)
    place = Place(source.root, None, None, 0)
    for depth, step in enumerate(path):
        node = place.node
        _refuse_shared(source, path[:depth], node, targets)
        if isinstance(node, Mapping) and isinstance(step, str):
            number = next((number for number, (key, _) in enumerate(node.entries) if key.value == step), None)
            if number is None:
                raise KeyError(path[: depth + 1])
            place = Place(node.entries[number][1], node.entries[number][0], node, number)
        elif isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
            place = Place(node.items[step], None, node, step)
        else:
            raise KeyError(path[: depth + 1])
    if inside:
        _refuse_shared(source, path, place.node, targets)
    return place


def _refuse_shared(source: Source, path: Path, node: Node, targets: dict[int, list[Alias]]) -> None:
    if isinstance(node, Alias):
        _refuse(source, path, node, node)
    for alias in targets.get(id(node), ()):
        _refuse(source, path, node, alias)


def refuse_broken_aliases(
    source: Source, path: Path, node: Node, gone: Iterable[tuple[int, int]] = (), key: Scalar | None = None
) -> None:
    """Refuses that a value is taken away that an alias elsewhere stands for.

    Arguments:
        source: the text.
        path: where the value is.
        node: the value.
        gone: stretches of the text that go too, with the aliases in them.
        key: its key, if that goes too.

    Raises:
        BlueprintError: GB203.
    """
    targets = _targets(source)
    if not targets:
        return
    ranges = [(node.start, node.end), *gone]
    for inner in (*walk(node), *([] if key is None else [key])):
        for alias in targets.get(id(inner), ()):
            if not any(start <= alias.start < end for start, end in ranges):
                _refuse(source, path, inner, alias)


def refuse_pair(source: Source, path: Path, node: Node) -> NoReturn:
    """Refuses an edit of a mapping that stands in brackets without braces of its own.

    Raises:
        BlueprintError: GB203.
    """
    message = f"{source.text[node.start : node.end]} is a mapping without braces in a list, which has one entry"
    position, hint = source.span(node), "write braces around it first"
    raise BlueprintError(Diagnostic("GB203", message, file=source.name, position=position, hint=hint))


def aliases(source: Source) -> list[Alias]:
    """Every alias of a text."""
    return [alias for found in _targets(source).values() for alias in found]


# The aliases of each node that has some, by the node's id; kept, because many changes of one text ask for them.
_found: WeakKeyDictionary[Source, dict[int, list[Alias]]] = WeakKeyDictionary()


def _targets(source: Source) -> dict[int, list[Alias]]:
    found = _found.get(source)
    if found is None:
        found = {}
        if source.syntax == "yaml" and "*" in source.text and _ALIAS.search(source.text):
            for node in walk(source.root):
                if isinstance(node, Alias):
                    found.setdefault(id(node.target), []).append(node)
        _found[source] = found
    return found


def _refuse(source: Source, path: Path, node: Node, alias: Alias) -> NoReturn:
    what = str(path[-1]) if path and isinstance(path[-1], str) else "the value"
    written = f"&{alias.name}" if node is not alias else f"*{alias.name}"
    other: Node = alias if node is not alias else alias.target
    message = f"{what} is shared through {written}, so an edit here would change another place too"
    raise BlueprintError(
        Diagnostic(
            "GB203",
            message,
            file=source.name,
            position=source.position(path, key=bool(path) and isinstance(path[-1], str)),
            hint="write the value out in both places first",
            related=(Related("the other place is here", None, source.span(other)),),
        )
    )
