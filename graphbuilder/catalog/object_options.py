"""What values the options of initializers, regularizers, constraints and activations take."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

__all__ = ["expected_option"]


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_array(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_array(item) for item in value)
    return isinstance(value, (int, float))


def _is_axes(value: Any) -> bool:
    return _is_integer(value) or (isinstance(value, (list, tuple)) and all(map(_is_integer, value)))


def _at_least_zero(value: Any) -> bool:
    return _is_number(value) and value >= 0


_Check = tuple[Callable[[Any], bool], str]


def _or_null(check: _Check) -> _Check:
    return (lambda value: value is None or check[0](value)), f"{check[1]}, or null"


def _one_of(*names: str) -> _Check:
    return (lambda value: isinstance(value, str) and value in names), " or ".join(names)


_NUMBER: _Check = (_is_number, "a number")
_AT_LEAST_ZERO: _Check = (_at_least_zero, "a number of at least 0")
_PENALTY: _Check = (lambda value: _at_least_zero(value) and isfinite(value)), "a finite number of at least 0"
_AXES: _Check = (_is_axes, "an integer or a list of integers")

# By the option's name, which means the same almost everywhere.
_OPTIONS: dict[str, _Check] = {
    "alpha": _NUMBER,
    "axis": _or_null(_AXES),
    "distribution": _one_of("uniform", "normal", "truncated_normal", "untruncated_normal"),
    # Keras keeps an integer as a tensor of integers, which it cannot multiply with the weights.
    "factor": (lambda value: isinstance(value, float) and _PENALTY[0](value), f"{_PENALTY[1]}, with a decimal point"),
    "gain": _NUMBER,
    "input_axes": _or_null(_AXES),
    "l1": _or_null(_PENALTY),
    "l2": _or_null(_PENALTY),
    "max_value": _NUMBER,
    "maxval": _NUMBER,
    "mean": _NUMBER,
    "min_value": _NUMBER,
    "minval": _NUMBER,
    "negative_slope": _AT_LEAST_ZERO,
    "output_axes": _or_null(_AXES),
    "periodic": (lambda value: isinstance(value, bool), "true or false"),
    "rate": _NUMBER,
    "scale": (lambda value: _is_number(value) and value > 0, "a number above 0"),
    "scaling": _or_null(_one_of("density", "spectrum")),
    "seed": _or_null((_is_integer, "an integer")),
    "side": _one_of("real", "imag"),
    "stddev": _NUMBER,
    "threshold": _AT_LEAST_ZERO,
    "value": (_is_array, "a number, or lists of numbers"),
    "window": _or_null((lambda value: isinstance(value, str) or _is_array(value), "a window's name, or its values")),
}

# Where an option means something else for one object.
_EXCEPTIONS: dict[tuple[str, str], _Check] = {
    ("VarianceScaling", "mode"): _one_of("fan_in", "fan_out", "fan_avg"),
    ("OrthogonalRegularizer", "mode"): _one_of("rows", "columns"),
    ("relu", "max_value"): _or_null(_AT_LEAST_ZERO),
}


def expected_option(name: str, option: str, value: Any) -> str | None:
    """What an option takes, when the value is not one; None when it is.

    Arguments:
        name: the object's canonical name.
        option: one of its options.
        value: as a blueprint writes it.

    Example:
        >>> expected_option("L2", "l2", -0.1)
        'a finite number of at least 0, or null'
    """
    takes, text = _EXCEPTIONS.get((name, option)) or _OPTIONS[option]
    return None if takes(value) else text
