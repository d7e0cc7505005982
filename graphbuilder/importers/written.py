"""A blueprint's data as text that reads as if a person had written it: a line for each node where it fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphbuilder.text import to_yaml

__all__ = ["blueprint_text"]

_WIDTH = 120
# Wide enough for whatever may be on one line at all.
_ENDLESS = 1_000_000
# What an empty line stands before.
_SECTIONS = ("inputs", "blocks", "nodes", "outputs", "training")


def blueprint_text(data: Mapping[str, Any]) -> str:
    """The text of a blueprint.

    Arguments:
        data: as plain data, in the order in which it is to stand.

    Example:
        >>> nodes = {"dense": {"layer": "Dense", "units": 2}, "score": {"layer": "Dense", "units": 1}}
        >>> print(blueprint_text({"blueprint": 1, "inputs": {"x": {"shape": [4]}}, "nodes": nodes}), end="")
        blueprint: 1
        <BLANKLINE>
        inputs:
          x: {shape: [4]}
        <BLANKLINE>
        nodes:
          dense: {layer: Dense, units: 2}
          score: {layer: Dense, units: 1}
    """
    lines: list[str] = []
    for key, value in data.items():
        if key in _SECTIONS and lines:
            lines.append("")
        if key == "nodes" and value:
            lines += ["nodes:", *_nodes(value, 2)]
        elif key == "blocks" and value:
            lines.append("blocks:")
            for number, (name, block) in enumerate(value.items()):
                lines += [""] if number else []
                lines += _block(name, block)
        else:
            lines += to_yaml({key: value}, width=_WIDTH).splitlines()
    return "\n".join(lines) + "\n"


def _block(name: str, block: Mapping[str, Any]) -> Iterator[str]:
    yield from _entry(name, None, 2)
    for key, value in block.items():
        if key == "nodes" and value:
            yield "    nodes:"
            yield from _nodes(value, 6)
        else:
            yield from _lines(key, value, 4)


def _nodes(nodes: Mapping[str, Any], indent: int) -> Iterator[str]:
    for name, node in nodes.items():
        yield from _entry(name, node, indent)


def _entry(name: str, node: Any, indent: int) -> Iterator[str]:
    """A node on one line; below its name where that is too long, on as many lines as it takes."""
    margin = " " * indent
    key = to_yaml({name: None}).partition(": ")[0]
    if node is None:
        yield f"{margin}{key}:"
        return
    parts = [_in_flow(argument, value) for argument, value in node.items()]
    if None in parts:
        yield from (margin + line[2:] for line in _at_depth_two(name, node, 0))
        return
    line = f"{margin}{key}: {{{', '.join(filter(None, parts))}}}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{margin}{key}:"
    yield from _wrapped([part for part in parts if part is not None], indent + 2)


def _in_flow(key: str, value: Any) -> str | None:
    """An entry of a mapping in flow style; None where its value must not be on one line."""
    if isinstance(value, Mapping) and value:
        inner = [_in_flow(name, item) for name, item in value.items()]
        head = _at_depth_two(key, [], _ENDLESS)[0][2:].removesuffix(" []")
        return None if None in inner else f"{head} {{{', '.join(filter(None, inner))}}}"
    # In a list a value is written as it is within a mapping in flow style.
    written = _at_depth_two(key, [value], _ENDLESS)
    head, _, rest = written[0][2:].partition(": [")
    return f"{head}: {rest[:-1]}" if len(written) == 1 else None


def _lines(key: str, value: Any, indent: int) -> Iterator[str]:
    """A part of a block: on one line where it fits, else with a line for each of its entries."""
    written = _at_depth_two(key, value, _WIDTH - indent + 2)
    yield from (" " * indent + each[2:] for each in written)


def _at_depth_two(key: str, value: Any, width: int) -> list[str]:
    """The lines of an entry of a mapping that stands in another one."""
    # The empty mapping keeps the outer one from being written on one line.
    return to_yaml({"nodes": {key: value, "end": {}}}, width=width).splitlines()[1:-1]


def _wrapped(parts: Sequence[str], indent: int) -> Iterator[str]:
    """A mapping in flow style, broken behind commas."""
    line = " " * indent + "{"
    for number, part in enumerate(parts):
        ended = part + ("," if number + 1 < len(parts) else "}")
        if number and len(line) + len(ended) > _WIDTH:
            yield line.rstrip()
            line = " " * (indent + 1)
        line += ended + " "
    yield line.rstrip()
