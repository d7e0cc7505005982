"""Problems that both syntaxes have, worded once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NoReturn

from graphbuilder.limits import raising_hint
from graphbuilder.text.limits import TextLimits
from graphbuilder.text.owner import owner
from graphbuilder.text.problems import Problems
from graphbuilder.text.scalars import NumberTooLarge
from graphbuilder.text.tree import Mapping, Node, Scalar, Sequence

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


def refuse_duplicate(problems: Problems, key: Scalar, first: Scalar, around: Iterable[Sequence | Mapping]) -> None:
    """Notes that a key stands twice in one mapping.

    Arguments:
        problems: where to note it.
        key: the second one.
        first: the first one.
        around: the collections that are open around the mapping, outermost first, the root's own included.
    """
    path = [_last_step(collection) for collection in around]
    name = shortened(str(key.value))
    related = (("the first one is here", first.start, first.end),)
    message = f"the key {name} stands twice in one mapping"
    hint = "rename or remove one of them"
    node = owner([*path, name])
    problems.add("GB105", key.start, key.end, message, node=node, found=name, hint=hint, related=related)


def _last_step(collection: Sequence | Mapping) -> str | int:
    """The key or index of what was put into a collection last; of a mapping that stands as a key there is none."""
    if isinstance(collection, Mapping):
        return str(collection.entries[-1][0].value) if collection.entries else ""
    return len(collection.items) - 1


def refuse_surrogate(problems: Problems, start: int, end: int) -> None:
    """Notes that the quoted string from `start` to `end` holds half of a surrogate pair as an escape."""
    escape = _ESCAPED_SURROGATE.search(problems.text, start, end)
    if escape is not None:
        start, end = escape.span()
    message = "half of a surrogate pair is not a character"
    problems.add("GB104", start, end, message, hint="write the character itself")


def refuse_number(problems: Problems, start: int, end: int, error: NumberTooLarge) -> None:
    """Notes that a number is too large."""
    hint = "quote it if it is not meant as a number"
    hint = f"{hint}; {raising_hint('digits')}" if error.limited else hint
    problems.add("GB113", start, end, str(error), hint=hint)


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
    # What an opening bracket left out makes of a list: keys that are none.
    no_keys = problems.withdraw("GB109", brackets[-1], at)
    fix = closing + found if outer and outer[-1] == found else closing
    # Where the right one follows, it is this one that has nothing to close.
    surplus = no_keys or re.compile(f" *{re.escape(closing)}").match(text, at + 1) is not None
    message = f"`{found}` stands where `{closing}` must close the {opened}"
    related = ((f"the {opened} is here", brackets[-1], brackets[-1] + 1),)
    problems.add("GB104", at, at + 1, message, related=related, fix=None if surplus else fix)


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
    message = f"values are nested deeper than {limits.depth:,} levels"
    problems.stop("GB108", start, end, message, hint=raising_hint("nesting"))


def refuse_values(problems: Problems, node: Node, limits: TextLimits, *, has_aliases: bool = False) -> NoReturn:
    """Stops because there are too many values.

    Raises:
        ReadingStopped: always.
    """
    limit = f"{limits.values:,}"
    if has_aliases:
        message = f"the text stands for more than {limit} values once its aliases are expanded"
        hint = f"aliases of aliases multiply; write fewer; {raising_hint('values')}"
        problems.stop("GB107", node.start, node.end, message, hint=hint)
    message = f"the text holds more than {limit} values"
    problems.stop("GB103", node.start, node.end, message, hint=raising_hint("values"))
