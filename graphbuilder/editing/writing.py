"""Plain data as text in a given style."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from graphbuilder.editing.style import Style
from graphbuilder.text import to_json, to_yaml
from graphbuilder.text.quoting import is_plain, json_string, quoted
from graphbuilder.text.tree import ScalarStyle

__all__ = ["entry_text", "flow_text", "item_text", "scalar_text", "string_text"]

# How many characters a new value may have on one line where it can have several lines.
_WIDEST = 100


def string_text(text: str, style: Style, *, flow: bool) -> str:
    """A string, with quotes where it needs them or where its neighbours have them.

    Arguments:
        text: the string.
        style: how the author writes.
        flow: whether it stands within brackets or braces.
    """
    if style.quotes:
        return json_string(text)
    return text if is_plain(text, flow=flow) else quoted(text)


def scalar_text(value: Any, style: Style, *, flow: bool, like: ScalarStyle | None = None) -> str:
    """A string, number, truth value or null.

    Arguments:
        value: what is written.
        style: how the author writes.
        flow: whether it stands within brackets or braces.
        like: how the scalar is quoted whose place it takes.
    """
    if not isinstance(value, str):
        return (to_json(value) if style.json else to_yaml(value)).removesuffix("\n")
    if like is ScalarStyle.DOUBLE_QUOTED and value.isprintable():
        return json_string(value)
    if like is ScalarStyle.SINGLE_QUOTED and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return string_text(value, style, flow=flow)


def flow_text(value: Any, style: Style, *, flow: bool = True) -> str:
    """A value on one line.

    Arguments:
        value: plain data.
        style: how the author writes.
        flow: whether it stands within brackets or braces.

    Example:
        >>> flow_text({"fuse": "concat", "from": ["a", "b"]}, Style())
        '{fuse: concat, from: [a, b]}'
    """
    if isinstance(value, dict):
        entries = [
            f"{string_text(key, style, flow=True)}{style.colon}{flow_text(item, style)}" for key, item in value.items()
        ]
        return f"{{{style.padding}{style.comma.join(entries)}{style.padding}}}" if entries else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{style.comma.join(flow_text(item, style) for item in value)}]"
    return scalar_text(value, style, flow=flow)


def entry_text(value: Any, style: Style, indent: str, *, flow: bool) -> str:
    """What follows the colon of a key, the blank or line break before it included.

    Arguments:
        value: plain data.
        style: how the author writes; its `form` decides how a mapping is written.
        indent: what indents the key.
        flow: whether it stands within brackets or braces.
    """
    if not flow and style.form != "lines" and _needs_lines(value, style):
        return style.newline + _block_lines(value, style, indent + style.step)
    if not isinstance(value, dict) or not value or style.form == "line":
        return " " + flow_text(value, style, flow=flow)
    if style.form == "block":
        return style.newline + _block_lines(value, style, indent + style.step)
    return " " + _braced_lines(value, style, indent)


def item_text(value: Any, style: Style, indent: str, *, flow: bool) -> str:
    """An item of a list, without its dash.

    Arguments:
        value: plain data.
        style: how the author writes; its `form` decides how a mapping is written.
        indent: what indents the item, its dash counted as a blank.
        flow: whether it stands within brackets.
    """
    if not isinstance(value, dict) or not value or style.form == "line" or (flow and style.form == "block"):
        return flow_text(value, style, flow=flow)
    if style.form == "block":
        return _block_lines(value, style, indent).removeprefix(indent)
    return _braced_lines(value, style, indent)


def _needs_lines(value: Any, style: Style) -> bool:
    """Whether a value that can do without braces or brackets would not be read easily within them."""
    if isinstance(value, list):
        several = bool(value) and all(isinstance(item, dict) and item for item in value)
        return several and (style.form == "block" or len(flow_text(value, style)) > _WIDEST)
    if not isinstance(value, dict) or not any(isinstance(item, (dict, list)) for item in value.values()):
        return False
    nested = len(value) > 1 and all(isinstance(item, dict) and item for item in value.values())
    return (nested and style.form == "block") or len(flow_text(value, style)) > _WIDEST


def _block_lines(value: Any, style: Style, indent: str) -> str:
    """A mapping or list with a line for each of its members, and more for those that need them."""
    if isinstance(value, list):
        lines = []
        for item in value:
            wide = isinstance(item, dict) and len(flow_text(item, style)) > _WIDEST
            inner = f"{indent}  "
            written = _block_lines(item, style, inner).removeprefix(inner) if wide else flow_text(item, style)
            lines.append(f"{indent}- {written}")
        return style.newline.join(lines)
    inner_style = replace(style, form="line")
    return style.newline.join(
        f"{indent}{string_text(key, style, flow=False)}:"
        + (
            style.newline + _block_lines(item, style, indent + style.step)
            if _needs_lines(item, style)
            else " " + flow_text(item, inner_style, flow=False)
        )
        for key, item in value.items()
    )


def _braced_lines(value: dict[str, Any], style: Style, indent: str) -> str:
    """A mapping in braces with a line for each of its entries."""
    inner = indent + style.step
    lines = [f"{inner}{string_text(key, style, flow=True)}: {_tall(item, style, inner)}" for key, item in value.items()]
    return "{" + style.newline + f",{style.newline}".join(lines) + style.newline + indent + "}"


def _tall(value: Any, style: Style, indent: str) -> str:
    """A value within braces, lists with a line for each item where the neighbours write them so."""
    if not isinstance(value, (list, tuple)) or not value or not style.tall_lists:
        return flow_text(value, style)
    inner = indent + style.step
    items = f",{style.newline}".join(f"{inner}{_tall(item, style, inner)}" for item in value)
    return f"[{style.newline}{items}{style.newline}{indent}]"
