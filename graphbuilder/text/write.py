"""Plain data to YAML or JSON that people like to read, the same text for the same data every time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphbuilder.text.quoting import is_plain, json_string, quoted

__all__ = ["to_json", "to_yaml"]

_WIDTH = 100
_DEEPEST = 1000
# libyaml takes a key for one only if its colon comes within 1024 characters.
_LONGEST_KEY = 1000


def to_yaml(data: Any, *, comment: str | None = None, width: int = _WIDTH) -> str:
    """The data as YAML: block style above, flow style for what is small and fits a line of 100 columns.

    Strings are quoted where any YAML reader, 1.1 or 1.2, would take them for something else. The keys keep their
    order.

    Arguments:
        data: dicts with string keys, lists, tuples, strings, numbers, booleans and None.
        comment: text to put above it, without the `#`.
        width: how many columns a line in flow style may have.

    Raises:
        TypeError: the data holds something else.
        ValueError: it is nested deeper than 1000 levels, or a string holds half of a surrogate pair.

    Example:
        >>> print(to_yaml({"name": "on", "nodes": {"answer": {"layer": "Dense", "units": 1}}}), end="")
        name: "on"
        nodes:
          answer: {layer: Dense, units: 1}
    """
    lines = [f"# {line}".rstrip() for line in (comment or "").splitlines()]
    pending = [_Block(data, "", 0, 0)]
    while pending:
        _write_yaml(pending.pop(), lines, pending, width)
    return "\n".join(lines) + "\n"


def to_json(data: Any) -> str:
    """The data as JSON, indented by two spaces, with what is small on one line of 100 columns.

    Arguments:
        data: dicts with string keys, lists, tuples, strings, finite numbers, booleans and None.

    Raises:
        TypeError: the data holds something else.
        ValueError: it is nested deeper than 1000 levels, holds NaN or an infinity, or a string holds half of a
            surrogate pair.

    Example:
        >>> print(to_json({"nodes": {"answer": {"layer": "Dense", "units": 1}}}), end="")
        {
          "nodes": {
            "answer": {"layer": "Dense", "units": 1}
          }
        }
    """
    lines: list[str] = []
    pending: list[_Block | str] = [_Block(data, "", 0, 0)]
    while pending:
        block = pending.pop()
        if isinstance(block, str):
            lines.append(block)
        else:
            _write_json(block, lines, pending)
    return "\n".join(lines) + "\n"


@dataclass(slots=True)
class _Block:
    """A value that is still to be written.

    Arguments:
        value: the value.
        lead: what stands before it on its line: the indentation, and a key with its colon or a dash.
        indent: the column at which its entries begin if they need lines of their own.
        depth: how many collections it is inside.
        above: a line to write before it, or None.
        tail: what follows it, such as a comma.
    """

    value: Any
    lead: str
    indent: int
    depth: int
    above: str | None = None
    tail: str = ""


def _write_yaml(block: _Block, lines: list[str], pending: list[_Block], width: int) -> None:
    _check_depth(block)
    if block.above is not None:
        lines.append(block.above)
    value = block.value
    head = f"{block.lead} " if block.lead else ""
    if not isinstance(value, (dict, list, tuple)):
        literal = _literal(value, block.indent) if block.lead else None
        lines.extend([head + literal[0], *literal[1:]] if literal else [head + _yaml_scalar(value, False)])
        return
    written = _on_one_line(value, width - len(head), block.depth, _YAML_FLOW)
    if written is not None:
        lines.append(head + written)
        return
    # Behind a dash the first entry shares its line; below a key each has its own.
    shares = block.lead.endswith("-")
    if block.lead and not shares:
        lines.append(block.lead)
    children = _yaml_children(value, block)
    if shares:
        first = children[0]
        rest = (first.lead if first.above is None else first.above)[block.indent :]
        if first.above is None:
            first.lead = head + rest
        else:
            first.above = head + rest
    pending += reversed(children)


def _yaml_children(value: Any, block: _Block) -> list[_Block]:
    margin = " " * block.indent
    inner, depth = block.indent + 2, block.depth + 1
    if not isinstance(value, dict):
        return [_Block(item, f"{margin}-", inner, depth) for item in value]
    children = []
    for key, item in value.items():
        written = _yaml_string(_checked_key(key), False)
        if len(written) > _LONGEST_KEY:
            children.append(_Block(item, f"{margin}:", inner, depth, above=f"{margin}? {written}"))
        else:
            children.append(_Block(item, f"{margin}{written}:", inner, depth))
    return children


def _literal(value: Any, indent: int) -> list[str] | None:
    """A text of several lines as a block behind `|`, or None where that would not be the same text or not be seen."""
    if not isinstance(value, str) or "\n" not in value:
        return None
    ends = value.endswith("\n")
    body = value[:-1] if ends else value
    content = body.split("\n")
    if not content[0] or content[0].startswith(" ") or not content[-1]:
        return None
    if any(not line.isprintable() or line.endswith(" ") for line in content):
        return None
    margin = " " * indent
    return ["|" if ends else "|-", *(margin + line if line else "" for line in content)]


def _write_json(block: _Block, lines: list[str], pending: list[_Block | str]) -> None:
    _check_depth(block)
    value = block.value
    if not isinstance(value, (dict, list, tuple)):
        lines.append(block.lead + _json_scalar(value) + block.tail)
        return
    written = _on_one_line(value, _WIDTH - len(block.lead) - len(block.tail), block.depth, _JSON_FLOW)
    if written is not None:
        lines.append(block.lead + written + block.tail)
        return
    margin = " " * block.indent
    inner, depth = block.indent + 2, block.depth + 1
    children: list[_Block | str]
    if isinstance(value, dict):
        entries = [(f"{margin}  {json_string(_checked_key(key))}: ", item) for key, item in value.items()]
        children = [_Block(item, lead, inner, depth, tail=",") for lead, item in entries]
    else:
        children = [_Block(item, f"{margin}  ", inner, depth, tail=",") for item in value]
    last = children[-1]
    assert isinstance(last, _Block)
    last.tail = ""
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    lines.append(block.lead + opening)
    pending.append(margin + closing + block.tail)
    pending += reversed(children)


@dataclass(frozen=True, slots=True)
class _Flow:
    """How flow style writes keys and scalars."""

    key: Callable[[str], str]
    scalar: Callable[[Any], str]


def _on_one_line(value: Any, room: int, depth: int, flow: _Flow) -> str | None:
    """A collection in flow style, or None if it does not fit, or if it says too much for one line.

    The text's top level has a line for each entry, and so has the level below it where mappings are inside: a node
    is a line, and the mapping of all nodes is not. Below that, one mapping inside another is still readable.
    """
    if not value:
        return "{}" if isinstance(value, dict) else "[]"
    levels = depth - 1 if depth < 2 else 1
    if levels < 0 or len(value) * 3 > room:
        return None
    pieces: list[str] = []
    pending: list[str | tuple[Any, int]] = [(value, levels)]
    while pending:
        piece = pending.pop()
        written = piece if isinstance(piece, str) else _open_flow(piece[0], piece[1], flow, pending)
        if written is None or len(written) > room:
            return None
        room -= len(written)
        pieces.append(written)
    return "".join(pieces)


def _open_flow(value: Any, levels: int, flow: _Flow, pending: list[str | tuple[Any, int]]) -> str | None:
    """The beginning of a value in flow style; what follows is put on the pile. None if it must not be on one line."""
    is_mapping = isinstance(value, dict)
    if not is_mapping and not isinstance(value, (list, tuple)):
        return None if isinstance(value, str) and "\n" in value else flow.scalar(value)
    if levels < 0 or len(value) > _WIDTH:
        return None
    parts: list[str | tuple[Any, int]] = []
    for key, item in value.items() if is_mapping else ((None, item) for item in value):
        lead = ", " if parts else ""
        inside = levels - 1 if isinstance(item, dict) else levels
        parts += (lead + flow.key(_checked_key(key)) + ": " if is_mapping else lead, (item, inside))
    parts.append("}" if is_mapping else "]")
    pending += reversed(parts)
    return "{" if is_mapping else "["


def _checked_key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"the key {key!r} is not a string")
    return str(key)


def _check_depth(block: _Block) -> None:
    if block.depth > _DEEPEST:
        raise ValueError(f"the data is nested deeper than {_DEEPEST} levels")


def _yaml_string(text: str, flow: bool) -> str:
    return text if is_plain(text, flow=flow) else quoted(text)


def _yaml_scalar(value: Any, flow: bool) -> str:
    if isinstance(value, str):
        return _yaml_string(str(value), flow)
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return _plain_scalar(value)


def _json_scalar(value: Any) -> str:
    if isinstance(value, str):
        return json_string(str(value))
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"JSON has no number {value}")
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        written = float.__repr__(value)
        # YAML 1.1 takes a number for a string if it has an exponent and no point.
        return written if "." in written else written.replace("e", ".0e")
    raise TypeError(f"{type(value).__name__} is not plain data")


_YAML_FLOW = _Flow(lambda key: _yaml_string(key, True), lambda value: _yaml_scalar(value, True))
_JSON_FLOW = _Flow(json_string, _json_scalar)
