"""The limits that keep a stranger's file harmless: what each is by default, and what it was raised to.

Each has a name, under which it is raised: `--limit nodes=500000` on the command line, `limits={"nodes": 500_000}` from
Python, and for processes that others start the variable GRAPHBUILDER_LIMITS, as `nodes=500000,repeat=20000`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache

from graphbuilder.errors import CommandError, Diagnostic, Hint, nearest

__all__ = ["LIMITS", "VARIABLE", "Limit", "limit", "parse_limits", "raised", "raising_hint"]

VARIABLE = "GRAPHBUILDER_LIMITS"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit.

    Arguments:
        default: what it is when nobody says otherwise.
        about: what it limits.
        code: the code of the error when it is passed.
        most: what it may be raised to at most, where more would not be handled.
    """

    default: int
    about: str
    code: str
    most: int | None = None


LIMITS: dict[str, Limit] = {
    "bytes": Limit(16 * 2**20, "bytes of a file", "GB103"),
    "nesting": Limit(100, "collections within collections", "GB108", 1_000),
    "values": Limit(2_000_000, "values of a text, once aliases are expanded", "GB107"),
    "digits": Limit(1_000, "characters of a number", "GB113", 4_300),
    "imports": Limit(200, "files that are imported, and what they import", "GB405"),
    "import_depth": Limit(16, "imports that follow one another", "GB405"),
    "nodes": Limit(200_000, "nodes, once blocks are expanded", "GB401"),
    "repeat": Limit(10_000, "copies of one block node", "GB404"),
    "block_depth": Limit(32, "blocks within blocks", "GB405", 200),
    "elements": Limit(2**31, "elements of one tensor or weight, without the batch axis", "GB402"),
    "parameters": Limit(20_000_000_000, "parameters of a model", "GB403"),
    "expression": Limit(1_000, "characters of a string with expressions", "GB407", 100_000),
    "magnitude": Limit(2**63, "size of a number in an expression", "GB407"),
    "items": Limit(10_000, "items or characters of a value in an expression", "GB407"),
}

_raised: ContextVar[Mapping[str, int]] = ContextVar("raised limits")
_WRITTEN = re.compile(r"([0-9][0-9_]*)([kKMG]?)")
_UNITS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}
_NOTHING: Mapping[str, int] = {}


def limit(name: str) -> int:
    """What a limit is here and now: as raised by whoever called, else by the process's variable, else its default.

    Example:
        >>> limit("repeat")
        10000
    """
    said = _raised.get(_NOTHING)
    if name in said:
        return said[name]
    written = os.environ.get(VARIABLE)
    return (_of_variable(written) if written else _NOTHING).get(name, LIMITS[name].default)


@contextmanager
def raised(limits: Mapping[str, int] | None) -> Iterator[None]:
    """Sets some limits for what is done within.

    Arguments:
        limits: values by name; None changes nothing.

    Raises:
        CommandError: a name is not known, or a value is not one that the limit may have.

    Example:
        >>> with raised({"repeat": 20_000}):
        ...     limit("repeat")
        20000
    """
    if not limits:
        yield
        return
    for name, value in limits.items():
        _check(name, value, f"{name}={value}")
    token = _raised.set({**_raised.get(_NOTHING), **limits})
    try:
        yield
    finally:
        _raised.reset(token)


def parse_limits(settings: Iterator[str] | list[str]) -> dict[str, int]:
    """The limits of `name=value`, each value a number such as 500000, 500_000, 500k or 2M.

    Raises:
        CommandError: a setting is of another form, a name is not known, or a value is not one that it may have.

    Example:
        >>> parse_limits(["nodes=500k", "repeat=20_000"])
        {'nodes': 500000, 'repeat': 20000}
    """
    found: dict[str, int] = {}
    for setting in settings:
        name, _, written = (part.strip() for part in setting.partition("="))
        number = _WRITTEN.fullmatch(written)
        if number is None and name in LIMITS:
            message = f"--limit {setting} gives {name} no number"
            expected = f"a number, such as {name}={LIMITS[name].default}"
            raise CommandError(Diagnostic("GB603", message, expected=expected))
        value = int(number[1].replace("_", "")) * _UNITS[number[2]] if number is not None else 0
        _check(name, value, setting)
        found[name] = value
    return found


def raising_hint(name: str) -> str:
    """How a limit is raised, for the hint of the error that says it was passed."""
    return f"--limit {name}=… raises it, for a file that you trust"


def _check(name: str, value: int, setting: str) -> None:
    if name not in LIMITS:
        close = nearest(name, LIMITS)
        hint = Hint(f"did you mean {close}?", close) if close else f"limits are {', '.join(LIMITS)}"
        raise CommandError(Diagnostic("GB603", f"--limit {setting}: there is no limit {name}", hint=hint))
    most = LIMITS[name].most
    if value < 1 or (most is not None and value > most):
        expected = f"at least 1, and at most {most:,}" if most is not None else "at least 1"
        raise CommandError(Diagnostic("GB603", f"--limit {setting}: {name} is {value:,}", expected=expected))


@lru_cache(maxsize=8)
def _of_variable(written: str) -> Mapping[str, int]:
    """The limits of the process's variable.

    Raises:
        CommandError: it cannot be understood.
    """
    return parse_limits([setting for setting in written.split(",") if setting.strip()])
