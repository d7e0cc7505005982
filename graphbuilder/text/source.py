"""A text that has been read: its data, and where each part of the data stands."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping as Entries
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

from graphbuilder.errors import Position
from graphbuilder.text.collector import collector_paused
from graphbuilder.text.lines import LineTable
from graphbuilder.text.quoting import json_text
from graphbuilder.text.tree import Alias, Mapping, Node, Scalar, Sequence, dereferenced, to_data

__all__ = ["Path", "Source", "Syntax"]

# An anchor, an alias or a tag.
_TANGLING = re.compile(r"[&*!](?<![^\s\[{,][&*!])[^\s\"']")
# What begins the lines that part documents, or say how they are to be read.
_PARTING = ("---", "...", "%")

Path: TypeAlias = tuple[str | int, ...]
Syntax: TypeAlias = Literal["yaml", "json"]


@dataclass(frozen=True, eq=False, repr=False)
class Source:
    r"""A YAML or JSON text, its data and its positions. Made by `graphbuilder.text.read` and `parse`.

    Arguments:
        name: the file's name as the user gave it.
        text: the text as it stands in the file, line breaks included, but without a byte order mark.
        root: the tree of the text.
        syntax: "yaml" or "json".
        byte_order_mark: whether the file begins with one; a front end that writes the text back must write it too.

    Example:
        >>> from graphbuilder.text import parse
        >>> source = parse("nodes:\n  stem: {layer: Conv2D, filters: 0}\n")
        >>> source.position(("nodes", "stem", "filters"))
        Position(line=2, column=34, end_line=2, end_column=35)
    """

    name: str
    text: str
    root: Node
    syntax: Syntax
    byte_order_mark: bool = False

    @cached_property
    def data(self) -> Any:
        """The text as dicts, lists, strings, numbers, booleans and None. It is computed once; do not change it."""
        with collector_paused():
            return to_data(self.root)

    @cached_property
    def lines(self) -> LineTable:
        """Where the lines of the text begin."""
        return LineTable(self.text)

    @cached_property
    def entangled(self) -> bool:
        """Whether it may have anchors, tags, directives or several documents, so that no part stands for itself."""
        if self.syntax == "json":
            return False
        text = self.text
        if text.startswith(_PARTING) or any(f"\n{mark}" in text or f"\r{mark}" in text for mark in _PARTING):
            return True
        # Looking for single characters is so much quicker that it is done first.
        return any(mark in text for mark in "&*!") and _TANGLING.search(text) is not None

    @cached_property
    def _indexes(self) -> dict[int, dict[str, int]]:
        """For each mapping that was searched, by its id, where its keys stand among its entries."""
        return {}

    def line(self, number: int) -> str:
        r"""The line of that number, counted from 1, without its line break; empty outside the text.

        Example:
            >>> from graphbuilder.text import parse
            >>> parse("a: 1\nb: 2\n").line(2)
            'b: 2'
        """
        return self.lines.line(number)

    def span(self, node: Node) -> Position:
        """Where a node of the tree stands."""
        return self.lines.position(node.start, node.end)

    def node(self, path: Path) -> Node | None:
        """The node at a path, which may be an alias, or None when there is none."""
        _, node, rest = self._find(path)
        return None if rest else node

    def position(self, path: Path, *, key: bool = False) -> Position:
        """Where the value at a path stands, or its key.

        A path that leads nowhere gives the value of the deepest part that exists; see `nearest` for what a message
        about a missing key should point at. An alias stands where the `*` is, what is inside it where it was written.

        Arguments:
            path: keys and indexes from the root down; the empty path is the root.
            key: whether the key is meant. A value without one, such as an item of a list, has only its own place.
        """
        holder, node, _ = self._find(path)
        return self.span(holder if key and holder is not None else node)

    def nearest(self, path: Path) -> Position:
        r"""Where to point for something about a path that may not exist, such as a key that is missing.

        It is a place that fits on one line: a scalar's value; of a collection the key that holds it, or without one
        the first key in it, or its beginning.

        Example:
            >>> from graphbuilder.text import parse
            >>> parse("nodes:\n  merged: {fuse: concat}\n").nearest(("nodes", "merged", "from"))
            Position(line=2, column=3, end_line=2, end_column=9)
        """
        holder, node, _ = self._find(path)
        if isinstance(node, (Scalar, Alias)):
            return self.span(node)
        if holder is not None:
            return self.span(holder)
        if isinstance(node, Mapping) and node.entries and not node.flow:
            return self.span(node.entries[0][0])
        return self.lines.position(node.start, min(node.start + 1, node.end))

    def entry_text(self, entries: Entries[str, str], path: Path) -> tuple[str, Position]:
        r"""What would be written for other entries in the place of one, and where that one stands.

        Arguments:
            entries: keys with their values, as YAML.
            path: the keys that lead to the entry of a mapping.

        Example:
            >>> from graphbuilder.text import parse
            >>> parse("act:\n  layer: ReLU6\n").entry_text({"layer": "ReLU", "max_value": "6.0"}, ("act", "layer"))[0]
            'layer: ReLU\n  max_value: 6.0'
        """
        key, value, _ = self._find(path)
        start = self.span(key if key is not None else value)
        end = self.span(value)
        place = Position(start.line, start.column, end.end_line, end.end_column)
        if self.syntax == "json":
            return ", ".join(f"{json.dumps(name)}: {json_text(text)}" for name, text in entries.items()), place
        holder = self.node(path[:-1])
        flow = isinstance(holder, Mapping) and holder.flow
        between = ", " if flow else "\n" + " " * (start.column - 1)
        return between.join(f"{name}: {text}" for name, text in entries.items()), place

    def entry_place(self, path: Path) -> Position | None:
        r"""Where the entry of a mapping in braces stands, with the comma that goes when it goes; None in block style.

        Example:
            >>> from graphbuilder.text import parse
            >>> parse("{units: 3, bias: true}").entry_place(("bias",))
            Position(line=1, column=10, end_line=1, end_column=22)
        """
        holder = self.node(path[:-1])
        if not isinstance(holder, Mapping) or not holder.flow or self.node(path) is None:
            return None
        index = self._index(holder)[str(path[-1])]
        key, value = holder.entries[index]
        if index + 1 < len(holder.entries):
            return self.lines.position(key.start, holder.entries[index + 1][0].start)
        return self.lines.position(holder.entries[index - 1][1].end if index else key.start, value.end)

    def _find(self, path: Path) -> tuple[Scalar | None, Node, Path]:
        """The deepest part of a path that exists: its key if it has one, its node, and what of the path is left."""
        holder: Scalar | None = None
        node = self.root
        for depth, step in enumerate(path):
            inside = dereferenced(node)
            if isinstance(inside, Mapping) and isinstance(step, str):
                index = self._index(inside).get(step)
                if index is None:
                    return holder, node, path[depth:]
                holder, node = inside.entries[index]
            elif isinstance(inside, Sequence) and isinstance(step, int) and 0 <= step < len(inside.items):
                holder, node = None, inside.items[step]
            else:
                return holder, node, path[depth:]
        return holder, node, ()

    def _index(self, mapping: Mapping) -> dict[str, int]:
        index = self._indexes.get(id(mapping))
        if index is None:
            index = {str(key.value): number for number, (key, _) in enumerate(mapping.entries)}
            self._indexes[id(mapping)] = index
        return index

    def __repr__(self) -> str:
        return f"Source({self.name!r}, {self.syntax}, {len(self.text):,} characters)"
