"""Python expressions as plain data, and their text, broken into lines where it is long."""

from __future__ import annotations

import keyword
import math
import pprint
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["WIDTH", "Calling", "Code", "Expression", "literal", "modules", "written"]

# How wide lines are, in columns: what ruff and black hold code to when nobody says otherwise.
WIDTH = 88
_STEP = "    "


@dataclass(frozen=True, slots=True)
class Code:
    """A piece of code, such as one that stands for a tensor.

    Arguments:
        text: the code.
        shape: the tensor's shape as Keras has it, None for an unknown axis; how some ops are called depends on it.
        dtype: its dtype.
        value: the expression that is written in the place of the text, if any.
    """

    text: str
    shape: tuple[int | None, ...] = ()
    dtype: str = ""
    value: Any = None


@dataclass(frozen=True, slots=True)
class Calling:
    """A call.

    Arguments:
        function: what is called.
        positional: arguments by position.
        keywords: arguments by name.
    """

    function: str | Calling
    positional: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] | None = None


# Code, calls, and lists, tuples, mappings and plain data of them.
Expression: TypeAlias = Any


def written(value: Expression, before: int = 0, indent: str = "") -> str:
    """The text of an expression.

    Arguments:
        value: the expression.
        before: how many characters stand before it on its first line, the indentation included.
        indent: what stands before further lines.

    Example:
        >>> written(Calling(Calling("layers.Dense", (), {"units": 8, "name": "a"}), (Code("x"),)))
        'layers.Dense(units=8, name="a")(x)'
    """
    if isinstance(value, Code) and value.value is not None:
        return written(value.value, before, indent)
    short = _short(value)
    if short is not None and before + len(short) <= WIDTH:
        return short
    inner = indent + _STEP
    if isinstance(value, Calling):
        if isinstance(value.function, Calling):
            tail = _short(Calling("", value.positional, value.keywords))
            if tail is not None and len(indent) + 1 + len(tail) <= WIDTH:
                return f"{written(value.function, before + len(tail), indent)}{tail}"
        function = value.function if isinstance(value.function, str) else written(value.function, before, indent)
        lines = [written(item, len(inner) + 1, inner) for item in value.positional]
        for name, item in _named(value.keywords):
            lines.append(f"{name}{written(item, len(inner) + len(name) + 1, inner)}")
        return f"{function}({_block(lines, indent)})" if lines else f"{function}()"
    if _is_numbers(value):
        text = pprint.pformat(value, width=WIDTH - len(inner), compact=True).replace("\n", f"\n{inner}")
        return f"(\n{inner}{text}\n{indent})"
    if isinstance(value, (list, tuple)):
        opening, closing = "[]" if isinstance(value, list) else "()"
        return f"{opening}{_block([written(item, len(inner) + 1, inner) for item in value], indent)}{closing}"
    if isinstance(value, Mapping):
        keys = [f"{literal(key)}: " for key in value]
        items = [
            written(item, len(inner) + len(key) + 1, inner) for key, item in zip(keys, value.values(), strict=True)
        ]
        return f"{{{_block([key + item for key, item in zip(keys, items, strict=True)], indent)}}}"
    return short or ""


def modules(value: Expression) -> Iterator[str]:
    """What stands in front of the dot in the functions that an expression calls.

    Example:
        >>> list(modules(Calling("layers.Dense", (), {"bias_initializer": Calling("initializers.Ones")})))
        ['layers', 'initializers']
    """
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Code):
            waiting.append(item.value)
        elif isinstance(item, Calling):
            if isinstance(item.function, str):
                yield item.function.partition(".")[0]
            else:
                waiting.append(item.function)
            waiting += [*item.positional, *(item.keywords or {}).values()]
        elif isinstance(item, Mapping):
            waiting += item.values()
        elif isinstance(item, (list, tuple)):
            waiting += item


def _block(lines: list[str], indent: str) -> str:
    inner = indent + _STEP
    return "\n" + "".join(f"{inner}{line},\n" for line in lines) + indent


def _named(keywords: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    """Arguments by name as `name=`; those that are no names of Python's come in a mapping, as `**`."""
    given = keywords or {}
    plain = {key: item for key, item in given.items() if key.isidentifier() and not keyword.iskeyword(key)}
    others = {key: item for key, item in given.items() if key not in plain}
    return [*((f"{key}=", item) for key, item in plain.items()), *([("**", others)] if others else [])]


def _short(value: Expression) -> str | None:
    """The text on one line; None where it is far too long for one."""
    if isinstance(value, Code):
        return value.text if value.value is None else _short(value.value)
    if isinstance(value, Calling):
        function = value.function if isinstance(value.function, str) else _short(value.function)
        parts = [_short(item) for item in value.positional]
        parts += [None if (text := _short(item)) is None else f"{name}{text}" for name, item in _named(value.keywords)]
        return None if function is None else _joined(f"{function}(", parts, ")")
    if isinstance(value, Mapping):
        parts = [None if (text := _short(item)) is None else f"{literal(key)}: {text}" for key, item in value.items()]
        return _joined("{", parts, "}")
    if isinstance(value, (list, tuple)):
        if len(value) > WIDTH:
            return None
        opening, closing = "[]" if isinstance(value, list) else ("(", ",)" if len(value) == 1 else ")")
        return _joined(opening, [_short(item) for item in value], closing)
    if value is Ellipsis:
        return "..."
    if isinstance(value, slice):
        ends = [repr(end) for end in (value.start, value.stop, value.step)]
        return f"slice({', '.join(ends if value.step is not None else ends[:2])})"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return literal(value)


def literal(value: Any) -> str:
    """Plain data as code; a string is quoted as most code quotes it."""
    text = repr(value)
    # Quotes are those that need fewer backslashes, double ones where both are as good.
    if isinstance(value, str) and text.startswith("'") and value.count('"') <= value.count("'"):
        inside = text[1:-1].replace("\\'", "'").replace('"', '\\"')
        return f'"{inside}"'
    return text


def _joined(opening: str, parts: list[str | None], closing: str) -> str | None:
    known = [part for part in parts if part is not None]
    text = f"{opening}{', '.join(known)}{closing}"
    return text if len(known) == len(parts) and len(text) <= 2 * WIDTH else None


def _is_numbers(value: Any) -> bool:
    """Whether it is an array of numbers, as nested lists."""
    if isinstance(value, (list, tuple)):
        return all(_is_numbers(item) for item in value)
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
