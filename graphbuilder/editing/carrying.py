"""Entries that move to another mapping, written there as their author wrote them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from graphbuilder.editing.members import members
from graphbuilder.editing.places import column, line_start, own_line
from graphbuilder.editing.removing import removal
from graphbuilder.editing.style import Style, punctuation
from graphbuilder.editing.writing import entry_text, flow_text, string_text
from graphbuilder.text import Source, tree
from graphbuilder.text.source import Path

__all__ = ["carried", "written_block"]

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


def carried(source: Source, path: Path, keys: Collection[str]) -> list[str] | None:
    """The lines of some entries of a mapping with the comments that are their own, without what indents the entries.

    In block style, these are the very lines that go when the entries are deleted.

    Arguments:
        source: the text.
        path: the mapping.
        keys: which of its entries.

    Returns:
        The lines; in braces those of the last entry have no comma. None where entries share lines.
    """
    mapping = source.node(path)
    if not isinstance(mapping, tree.Mapping):
        return None
    found = members(source, mapping)
    text = source.text
    if not all(own_line(text, member.start) for member in found):
        return None
    indent = column(text, found[0].start)
    if mapping.flow:
        chosen = [member for member in found if member.key is not None and member.key.value in keys]
        pieces = [text[line_start(text, member.start) : member.end] for member in chosen]
        return _dedented(f"{piece}," if piece is not pieces[-1] else piece for piece in pieces) if pieces else None
    pieces = []
    for splice in removal(source, path, keys):
        piece = text[splice.start : splice.end]
        if not piece.strip():
            continue
        if not own_line(text, splice.start) and not _LINE_BREAK.match(piece):
            return None
        pieces.append(piece)
    return _dedented(pieces, indent)


def _dedented(pieces: Any, indent: int | None = None) -> list[str]:
    """The lines of several pieces without blank lines around each, the first line's margin taken from all."""
    found: list[str] = []
    for piece in pieces:
        lines = _LINE_BREAK.split(piece)
        while lines and not lines[0].strip():
            del lines[0]
        while lines and not lines[-1].strip():
            del lines[-1]
        margin = len(lines[0]) - len(lines[0].lstrip()) if indent is None else indent
        found += [line[min(margin, len(line) - len(line.lstrip())) :] if line.strip() else "" for line in lines]
    return found


def written_block(
    source: Source, level: Path, name: str, block: Mapping[str, Any], nodes: Sequence[str], *, section: bool
) -> str | None:
    """A new block as an entry of `blocks`, its nodes as they are written elsewhere.

    Arguments:
        source: the text.
        level: the level that the nodes come from.
        name: the block.
        block: the block as plain data.
        nodes: the lines of its nodes, as `carried` gives them.
        section: whether `blocks` itself is to be written around it.

    Returns:
        The entry, or None where the two places are written in too different ways.
    """
    holder = source.node((*level, "nodes"))
    target = source.root if section else source.node(("blocks",))
    if not isinstance(holder, tree.Mapping) or not isinstance(target, tree.Mapping) or holder.flow is not target.flow:
        return None
    outer = source.node(level)
    if not isinstance(outer, tree.Mapping) or not outer.entries:
        return None
    key = next(key for key, _ in outer.entries if key.value == "nodes")
    step = " " * max(1, column(source.text, members(source, holder)[0].start) - column(source.text, key.start))
    style = replace(punctuation(source, target), form="line", step=step, newline="\n", padding="")
    write = _in_braces if holder.flow else _in_lines
    lines = write(name, block, nodes, style)
    if section:
        lines = _wrapped("blocks", lines, style, braces=holder.flow)
    return "\n".join(lines)


def _wrapped(key: str, lines: Sequence[str], style: Style, *, braces: bool) -> list[str]:
    inner = [f"{style.step}{line}" if line else "" for line in lines]
    opening = f"{string_text(key, style, flow=braces)}:"
    return [f"{opening} {{", *inner, "}"] if braces else [opening, *inner]


def _in_lines(name: str, block: Mapping[str, Any], nodes: Sequence[str], style: Style) -> list[str]:
    """A block with a line for each of its keys, and more for its nodes."""
    lines: list[str] = []
    for key, value in block.items():
        if key == "nodes":
            lines += _wrapped(key, nodes, style, braces=False)
        else:
            tall = replace(style, form="block") if key == "params" else style
            lines += f"{key}:{entry_text(value, tall, '', flow=False)}".split("\n")
    return _wrapped(name, lines, style, braces=False)


def _in_braces(name: str, block: Mapping[str, Any], nodes: Sequence[str], style: Style) -> list[str]:
    """The same in braces, as JSON is written."""
    lines: list[str] = []
    for key, value in block.items():
        if key == "nodes":
            lines += _wrapped(key, nodes, style, braces=True)
        else:
            lines.append(f"{string_text(key, style, flow=True)}: {flow_text(value, style)}")
        lines[-1] += ","
    lines[-1] = lines[-1].removesuffix(",")
    return _wrapped(name, lines, style, braces=True)
