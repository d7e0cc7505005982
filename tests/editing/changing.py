"""Random changes of a text that do not contradict each other, and what may become of its comments."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

from graphbuilder.editing import Change, Delete, Insert, InsertItem, Move, Remove, Rename, Replace
from graphbuilder.text import Source
from graphbuilder.text.source import Path

__all__ = ["comments", "drawn_changes", "places", "vanished"]

_COMMENT = re.compile(r"# ?c\d+\.")


def places(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value of some data with its path, the outer ones first."""
    yield path, data
    for step, item in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from places(item, (*path, step))


def drawn_changes(data: Any, chance: random.Random, most: int, values: list[Any]) -> list[Change]:
    """Up to so many changes, each of a part of the data that no other one takes away, replaces or moves.

    Arguments:
        data: the data of a text.
        chance: where randomness comes from.
        most: how many changes are tried.
        values: what is written.
    """
    found: list[Change] = []
    whole: set[Path] = set()
    moved: set[Path] = set()
    touched: set[Path] = set()
    every = list(places(data))
    for number in range(most):
        path, value = chance.choice(every)
        new = chance.choice(values)
        kind = chance.choice(["insert", "insert", "replace", "rename", "move", "take", "take"])
        free = not any(path[: len(each)] == each for each in whole)
        inside = any(each[: len(path)] == path for each in touched)
        holder = path[:-1]
        if not free:
            continue
        if kind == "insert" and isinstance(value, dict) and path not in moved:
            after = chance.choice([None, *value])
            if after is None or (*path, after) not in whole:
                found.append(Insert(path, f"new_{number}", new, after))
                touched.add((*path, "?"))
        elif kind == "insert" and isinstance(value, list) and path not in moved:
            found.append(InsertItem(path, chance.randint(0, len(value)), new))
            touched.add((*path, 0))
        elif not path or inside:
            continue
        elif kind == "replace":
            found.append(Replace(path, new))
            whole.add(path)
            touched.add(path)
        elif kind == "rename" and isinstance(path[-1], str) and holder not in moved:
            found.append(Rename(path, f"key_{number}"))
            whole.add(path)
            touched.add(path)
        elif kind == "take" and holder not in moved:
            found.append(Delete(path) if isinstance(path[-1], str) else Remove(path))
            whole.add(path)
            touched.add(path)
        elif kind == "move" and not any(each[: len(holder)] == holder for each in touched):
            siblings = next(each for where, each in every if where == holder)
            after = chance.choice([None, *(siblings if isinstance(siblings, dict) else range(len(siblings)))])
            if after != path[-1]:
                found.append(Move(path, after))
                moved.add(holder)
                touched.add(path)
    return found


def comments(text: str) -> list[str]:
    """The numbered comments of a text, in order."""
    return _COMMENT.findall(text)


def vanished(source: Source, changes: list[Change]) -> set[str]:
    """The comments that may go with what changes take away: those on its lines, next to it, and deeper ones below it.

    This says which may go, not which do: a comment that is in no such place must stay.
    """
    lines = source.text.splitlines()
    allowed: set[str] = set()
    for change in changes:
        if not isinstance(change, (Delete, Remove, Replace)):
            continue
        node = source.node(change.path)
        if isinstance(change, Remove) and not isinstance(_at(source.data, change.path), (dict, list)):
            continue
        assert node is not None
        place = source.position(change.path)
        first = source.position(change.path, key=True).line - 1 if isinstance(change.path[-1], str) else place.line - 1
        last = place.end_line - 1
        margin = len(lines[first]) - len(lines[first].lstrip())
        if isinstance(change, Replace):
            allowed.update(_COMMENT.findall("\n".join(lines[first:last])))
            continue
        while first > 0 and lines[first - 1].lstrip().startswith("#"):
            first -= 1
        while last + 1 < len(lines) and (not lines[last + 1].strip() or lines[last + 1].lstrip().startswith("#")):
            deeper = len(lines[last + 1]) - len(lines[last + 1].lstrip()) > margin
            last += 1
            if deeper:
                allowed.update(_COMMENT.findall(lines[last]))
        end = place.end_line - 1
        allowed.update(_COMMENT.findall("\n".join(lines[first : end + 1])))
    return allowed


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data
