"""Params within the values of a blueprint: where they are named, other names for them, other values in their place."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from graphbuilder.blueprint import ExpressionError, evaluate, param_uses, resolve_values
from graphbuilder.blueprint.forms import has_expression
from graphbuilder.text.source import Path

__all__ = ["expressions", "named_params", "renamed", "substituted"]

# What is written for people is never evaluated.
_PROSE = ("about", "description")
_WORD = re.compile(r"[A-Za-z0-9_]")


def expressions(data: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The strings with expressions in a value, and the keys that lead to each, in order.

    Arguments:
        data: plain data.
        path: the keys that lead to it.

    Example:
        >>> list(expressions({"units": "$(2 * n)", "about": "costs $5", "axes": [1, "$n"]}))
        [(('units',), '$(2 * n)'), (('axes', 1), '$n')]
    """
    waiting: list[tuple[Path, Any]] = [(path, data)]
    while waiting:
        place, item = waiting.pop()
        if has_expression(item):
            yield place, item
        elif isinstance(item, dict):
            waiting += reversed([((*place, key), each) for key, each in item.items() if key not in _PROSE])
        elif isinstance(item, list):
            waiting += reversed([((*place, index), each) for index, each in enumerate(item)])


def named_params(data: Any) -> list[str]:
    """What the expressions in a value name, each once, in the order of first use; words such as `true` too."""
    return list(dict.fromkeys(use.name for _, text in expressions(data) for use in param_uses(text)))


def renamed(text: str, names: Mapping[str, str]) -> str:
    """A string with other names for the params that it names.

    Arguments:
        text: as it stands in the blueprint.
        names: the new names by the old ones.

    Example:
        >>> renamed("$units and $(min(units, n))", {"units": "width"})
        '$width and $(min(width, n))'
    """
    for use in reversed(param_uses(text)):
        if use.name in names:
            text = text[: use.start] + names[use.name] + text[use.end :]
    return text


def substituted(value: Any, values: Mapping[str, Any]) -> Any:
    """A value with what params stand for in their place; an expression that then names none becomes its value.

    Arguments:
        value: plain data as it stands in the blueprint.
        values: what the params are, as it is written, with expressions over other params where there are any.

    Raises:
        ExpressionError: an expression cannot be computed, or what a param stands for cannot stand inside it.

    Example:
        >>> substituted({"units": "$(2 * n)", "name": "a_$n"}, {"n": 4}), substituted("$(2 * n)", {"n": "$(a + b)"})
        ({'units': 8, 'name': 'a_4'}, '$(2 * (a + b))')
    """
    if isinstance(value, dict):
        return {key: item if key in _PROSE else substituted(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [substituted(item, values) for item in value]
    return _in_string(value, values) if has_expression(value) else value


def _in_string(text: str, values: Mapping[str, Any]) -> Any:
    uses = param_uses(text)
    if not any(use.name in values for use in uses):
        return text
    alone = _alone(text)
    if alone is not None and alone in values:
        return copy.deepcopy(values[alone])
    if all(use.name in values and _is_literal(values[use.name]) for use in uses):
        literals = {use.name: resolve_values(values[use.name], {}) for use in uses}
        return _escaped(evaluate(text, literals))
    for use in reversed(uses):
        start = use.start if use.inside else use.start - 1
        if use.name in values:
            put = _as_operand if use.inside else _as_part
            text = text[:start] + put(use.name, values[use.name]) + text[use.end :]
        elif not use.inside and _WORD.match(text, use.end):
            # What has been put behind it would be taken for more of its name.
            text = f"{text[:start]}$({use.name}){text[use.end :]}"
    return text


def _alone(text: str) -> str | None:
    """The param that a string is: `$name`, or `$(name)`."""
    uses = param_uses(text)
    if len(uses) != 1:
        return None
    name = uses[0].name
    return name if text in (f"${name}", f"$({name})") else None


def _is_literal(value: Any) -> bool:
    """Whether a value names no params; `$$` is a dollar sign."""
    return not any(text.replace("$$", "").count("$") for _, text in expressions(value))


def _escaped(value: Any) -> Any:
    """A value as it is written, its dollar signs as two."""
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return value.replace("$", "$$") if isinstance(value, str) else value


def _as_part(name: str, value: Any) -> str:
    """What takes the place of `$name` in a longer string."""
    if not _is_literal(value):
        if isinstance(value, str):
            for use in reversed(param_uses(value)):
                if not use.inside:
                    value = f"{value[: use.start - 1]}$({use.name}){value[use.end :]}"
            return str(value)
        raise ExpressionError(f"${name} stands in a longer text, and is a list or mapping of expressions")
    literal = resolve_values(value, {})
    # Two pieces, so that the value is written into a text rather than given.
    return str(_escaped(evaluate(f"${name} ", {name: literal})[:-1]))


def _as_operand(name: str, value: Any) -> str:
    """What takes the place of a param within `$(…)`."""
    if _is_literal(value):
        return _operand(name, resolve_values(value, {}))
    if isinstance(value, str):
        alone = _alone(value)
        if alone is not None:
            return alone
        if value.startswith("$(") and value.endswith(")") and _is_one(value):
            return value[1:]
    raise ExpressionError(f"{name} is {value!r}, which cannot stand inside an expression")


def _is_one(text: str) -> bool:
    """Whether a string that begins with `$(` is one expression and nothing else: `$(a)$(b)` is not."""
    depth, quote = 0, ""
    for place, character in enumerate(text[1:], 1):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
            if depth == 0:
                return place == len(text) - 1
    return False


def _operand(name: str, value: Any) -> str:
    """A value as an expression writes it."""
    if isinstance(value, dict):
        raise ExpressionError(f"{name} is a mapping, which cannot be written inside an expression")
    if isinstance(value, list):
        return f"[{', '.join(_operand(name, item) for item in value)}]"
    if isinstance(value, str):
        quote = '"' if "'" in value else "'"
        if quote in value or not value.isprintable():
            raise ExpressionError(f"{name} is {value!r}, which cannot be quoted inside an expression")
        return quote + value.replace("\\", "\\\\") + quote
    written = json.dumps(value)
    if written in ("NaN", "Infinity", "-Infinity"):
        raise ExpressionError(f"{name} is {value}, which an expression cannot write")
    return f"({written})" if written.startswith("-") else written
