"""What an unquoted YAML scalar means: the core schema of YAML 1.2, chapter 10.3 of its specification."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from graphbuilder.text.tree import ScalarValue

__all__ = ["CORE_TAGS", "NumberTooLarge", "convert_tagged", "kind_of", "read_number", "resolve"]

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_NAN = frozenset((".nan", ".NaN", ".NAN"))
_MAY_BE_A_NUMBER = frozenset("-+.0123456789")


class NumberTooLarge(ValueError):
    """A number has more digits than the limit, or no float can hold it; the text says which.

    Arguments:
        message: what is wrong with it.
        limited: whether the limit was passed, which can be raised.
    """

    def __init__(self, message: str, limited: bool = False) -> None:
        super().__init__(message)
        self.limited = limited


def resolve(text: str, digits: int) -> ScalarValue:
    """What a plain scalar is read as.

    Arguments:
        text: the scalar's text.
        digits: how many characters a number may have.

    Raises:
        NumberTooLarge: it is a number beyond the limit.

    Example:
        >>> [resolve(text, 1000) for text in ("1e-3", "0x1F", "on", "~", "12:30")]
        [0.001, 31, 'on', None, '12:30']
    """
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] in _MAY_BE_A_NUMBER:
        number = _number(text, digits)
        if number is not None:
            return number
    return text


def _number(text: str, digits: int) -> int | float | None:
    if _FLOAT.fullmatch(text):
        return read_number(text, _DECIMAL.fullmatch(text) is not None, digits)
    if _OTHER_BASE.fullmatch(text):
        _check_length(text, digits)
        return int(text, 0)
    if _INFINITY.fullmatch(text):
        return -math.inf if text[0] == "-" else math.inf
    return math.nan if text in _NAN else None


def read_number(text: str, integer: bool, digits: int) -> int | float:
    """A decimal number that is known to be well-formed.

    Raises:
        NumberTooLarge: it has too many digits, or no float can hold it.
    """
    _check_length(text, digits)
    if integer:
        try:
            return int(text)
        except ValueError:  # Python's own limit, where `digits` was raised above it.
            raise NumberTooLarge(f"the number has {len(text):,} digits, more than Python converts") from None
    number = float(text)
    if math.isinf(number):
        raise NumberTooLarge(f"the number {text if len(text) < 40 else text[:40] + '…'} is too large for a float")
    return number


def _check_length(text: str, digits: int) -> None:
    if len(text) > digits:
        raise NumberTooLarge(f"the number has {len(text):,} digits; the limit is {digits:,}", limited=True)


def kind_of(value: ScalarValue) -> str:
    """What a value is, for messages.

    Example:
        >>> kind_of(True), kind_of(3), kind_of(None)
        ('a boolean', 'a number', 'null')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    return "a string" if isinstance(value, str) else "a number"


def _tagged_float(text: str, digits: int) -> ScalarValue:
    value = resolve(text, digits)
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise NumberTooLarge("the number is too large for a float") from None
    return value


_TAG_PREFIX = "tag:yaml.org,2002:"
_TAGGED: dict[str, tuple[Callable[[str, int], ScalarValue], tuple[type, ...]]] = {
    f"{_TAG_PREFIX}str": (lambda text, digits: text, (str,)),
    f"{_TAG_PREFIX}int": (resolve, (int,)),
    f"{_TAG_PREFIX}float": (_tagged_float, (float,)),
    f"{_TAG_PREFIX}bool": (resolve, (bool,)),
    f"{_TAG_PREFIX}null": (resolve, (type(None),)),
}

CORE_TAGS: dict[str, str] = {
    **dict.fromkeys(_TAGGED, "scalar"),
    f"{_TAG_PREFIX}map": "mapping",
    f"{_TAG_PREFIX}seq": "sequence",
}


def convert_tagged(tag: str, text: str, digits: int) -> ScalarValue:
    """What a scalar with one of the core tags is read as.

    Raises:
        NumberTooLarge: it is a number beyond the limit.
        ValueError: the text is not of the tag's type.

    Example:
        >>> convert_tagged("tag:yaml.org,2002:float", "3", 1000)
        3.0
    """
    convert, types = _TAGGED[tag]
    value = convert(text, digits)
    if type(value) not in types:
        raise ValueError(text)
    return value
