"""A blueprint's text in the other syntax, and what of it has no place there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal, cast

from graphbuilder.errors import BlueprintError, Diagnostic, InternalError
from graphbuilder.text import Source, parse, to_json, to_yaml
from graphbuilder.text.splices import same_data
from graphbuilder.text.tree import Alias, Scalar, walk

__all__ = ["comments", "converted", "left_behind"]


def converted(source: Source, syntax: str) -> str:
    """The text of the same data.

    Arguments:
        source: what was read.
        syntax: "yaml" or "json".

    Raises:
        BlueprintError: the data holds a number that JSON has no word for.
        InternalError: the text does not read as the same data.
    """
    if syntax == "json":
        _refuse_endless_numbers(source)
    text = to_json(source.data) if syntax == "json" else to_yaml(source.data)
    again = parse(text, name=source.name, syntax=cast(Literal["yaml", "json"], syntax))
    if not same_data(source.data, again.data):
        raise InternalError(Diagnostic("GB900", f"{source.name} written as {syntax} reads differently"))
    return text


def left_behind(source: Source) -> Iterator[str]:
    """What the result cannot carry, in sentences."""
    if source.syntax != "yaml":
        return
    count = comments(source)
    if count:
        yield f"{count} comment{'s are' if count > 1 else ' is'} left out; the data carries none"
    aliases = sum(isinstance(node, Alias) for node in walk(source.root))
    if aliases:
        yield f"{aliases} alias{'es' if aliases > 1 else ''} written out in full"


def comments(source: Source) -> int:
    r"""How many comments a YAML text has.

    Example:
        >>> from graphbuilder.text import parse
        >>> comments(parse("# one\na: 'no # comment'  # two\n"))
        2
    """
    text, found, at = source.text, 0, 0
    spans = [(node.start, node.end) for node in walk(source.root) if isinstance(node, Scalar)]
    spans.append((len(text), len(text)))
    for start, end in spans:
        while at < start:
            mark = text.find("#", at, start)
            if mark < 0:
                break
            if mark == 0 or text[mark - 1] in " \t\n\r\ufeff":
                found += 1
                # The comment goes on to the end of its line.
                breaks = [position for position in (text.find("\n", mark), text.find("\r", mark)) if position >= 0]
                at = min(breaks, default=len(text))
            else:
                at = mark + 1
        at = max(at, end)
    return found


def _refuse_endless_numbers(source: Source) -> None:
    """Refuses .nan and .inf, which JSON cannot say.

    Raises:
        BlueprintError: with every place.
    """
    found = []
    waiting: list[tuple[Any, tuple[str | int, ...]]] = [(source.data, ())]
    while waiting:
        value, path = waiting.pop()
        if isinstance(value, float) and not math.isfinite(value):
            position = source.position(path)
            found.append(Diagnostic("GB203", f"JSON has no number {value}", file=source.name, position=position))
        elif isinstance(value, dict):
            waiting += reversed([(item, (*path, key)) for key, item in value.items()])
        elif isinstance(value, list):
            waiting += reversed([(item, (*path, index)) for index, item in enumerate(value)])
    if found:
        raise BlueprintError(found)
