"""Problems that both syntaxes have, worded once."""

from __future__ import annotations

import re
from typing import NoReturn

from graphbuilder.text.limits import TextLimits
from graphbuilder.text.problems import Problems
from graphbuilder.text.tree import Node, Scalar

__all__ = [
    "SURROGATE",
    "refuse_depth",
    "refuse_duplicate",
    "refuse_empty_key",
    "refuse_mismatch",
    "refuse_number",
    "refuse_surrogate",
    "refuse_unclosed",
    "refuse_values",
    "shortened",
]

SURROGATE = re.compile("[\ud800-\udfff]")
_CLOSING = {"[": "]", "{": "}"}
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


def shortened(text: str) -> str:
    """The text, or its beginning if it is too long for a message."""
    return text if len(text) <= 60 else text[:60] + "…"


def refuse_duplicate(problems: Problems, key: Scalar, first: Scalar) -> None:
    """Notes that a key stands twice in one mapping."""
    name = shortened(str(key.value))
    related = (("the first one is here", first.start, first.end),)
    message = f"the key {name} stands twice in one mapping"
    hint = "rename or remove one of them"
    problems.add("GB105", key.start, key.end, message, found=name, hint=hint, related=related)


def refuse_surrogate(problems: Problems, start: int, end: int) -> None:
    """Notes that the quoted string from `start` to `end` holds half of a surrogate pair as an escape."""
    escape = _ESCAPED_SURROGATE.search(problems.text, start, end)
    if escape is not None:
        start, end = escape.span()
    message = "half of a surrogate pair is not a character"
    problems.add("GB104", start, end, message, hint="write the character itself")


def refuse_number(problems: Problems, start: int, end: int, message: str) -> None:
    """Notes that a number is too large."""
    problems.add("GB113", start, end, message, hint="quote it if it is not meant as a number")


def refuse_empty_key(problems: Problems, at: int) -> None:
    """Notes that a colon has no key before it."""
    problems.add("GB109", at, at + 1, "a key is empty", hint="write a key before the colon")


def refuse_mismatch(problems: Problems, at: int, brackets: list[int]) -> None:
    """Notes that a closing bracket is not that of the innermost open one.

    Arguments:
        problems: where to note it.
        at: the offset of the closing bracket.
        brackets: the offsets of the open ones, outermost first.
    """
    text = problems.text
    opened, found = text[brackets[-1]], text[at]
    closing = _CLOSING[opened]
    # If it fits the bracket around the innermost one, one is missing; else it is the wrong one.
    outer = [_CLOSING[text[bracket]] for bracket in brackets[:-1]]
    fix = closing + found if outer and outer[-1] == found else closing
    message = f"`{found}` stands where `{closing}` must close the {opened}"
    related = ((f"the {opened} is here", brackets[-1], brackets[-1] + 1),)
    problems.add("GB104", at, at + 1, message, related=related, fix=fix)


def refuse_unclosed(problems: Problems, opening: int, *, inside: tuple[int, int] | None = None) -> None:
    """Notes that a bracket or a quote is never closed.

    Arguments:
        problems: where to note it.
        opening: its offset.
        inside: what was read as still inside it, though it hardly was meant to be.
    """
    opened = problems.text[opening]
    closing = _CLOSING.get(opened, opened)
    related = (("this is read as still inside it", *inside),) if inside else ()
    message = f"the {opened} that opens here is never closed"
    problems.add("GB104", opening, opening + 1, message, hint=f"put a {closing} at its end", related=related)


def refuse_depth(problems: Problems, start: int, end: int, limits: TextLimits) -> NoReturn:
    """Stops because values are nested too deeply.

    Raises:
        ReadingStopped: always.
    """
    problems.stop("GB108", start, end, f"values are nested deeper than {limits.depth:,} levels")


def refuse_values(problems: Problems, node: Node, limits: TextLimits, *, has_aliases: bool = False) -> NoReturn:
    """Stops because there are too many values.

    Raises:
        ReadingStopped: always.
    """
    limit = f"{limits.values:,}"
    if has_aliases:
        message = f"the text stands for more than {limit} values once its aliases are expanded"
        problems.stop("GB107", node.start, node.end, message, hint="aliases of aliases multiply; write fewer")
    problems.stop("GB103", node.start, node.end, f"the text holds more than {limit} values")
