"""What depends on a param: the params that are computed from others, and values to find out the rest with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphbuilder.blueprint import ExpressionError, Param, evaluate

__all__ = ["derived", "other_values"]


def derived(
    declared: Mapping[str, Param | None], values: Mapping[str, Any], given: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """The params that have their values from expressions over others, and those expressions.

    Arguments:
        declared: the params; None for the number of a copy.
        values: their values.
        given: what the user of the block says of them; None for the params of a file, whose values tell.

    Example:
        >>> derived({"width": Param(default=4), "hidden": Param(default="$(2 * width)")}, {"width": 4, "hidden": 8})
        {'hidden': '$(2 * width)'}
    """
    found = {}
    for name, param in declared.items():
        if param is None or not isinstance(param.default, str) or "$" not in param.default or name in (given or {}):
            continue
        try:
            if given is not None or evaluate(param.default, values) == values[name]:
                found[name] = param.default
        except ExpressionError:
            continue
    return found


def other_values(param: Param, value: Any) -> Iterator[Any]:
    """Values that a param could have instead, near ones and far ones.

    Whether a param accepts them is for whoever uses them to find out; so is whether the model can be made with them.

    Arguments:
        param: the param.
        value: its value.

    Example:
        >>> list(other_values(Param(default=4), 4)), list(other_values(Param(default=False), False))
        ([5, 8, 12, 2], [True])
    """
    if param.choices is not None:
        yield from (choice for choice in param.choices if choice != value)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value * 2, value * 3)
        if value > 1:
            yield value // 2
    elif isinstance(value, float):
        yield from (value / 2, value * 1.5 if value else 0.25)
    elif isinstance(value, str):
        # Most strings of a blueprint name an activation.
        yield from (name for name in ("tanh", "gelu") if name != value)
