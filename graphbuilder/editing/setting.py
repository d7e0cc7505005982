"""One value set within a part of a file, or taken away, with what that makes necessary around it."""

from __future__ import annotations

import copy
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.editing.changes import Change, Delete, Insert, InsertItem, Remove, Replace
from graphbuilder.editing.levels import listed, refused
from graphbuilder.errors import suggestion
from graphbuilder.text.source import Path
from graphbuilder.text.splices import same_data

__all__ = ["dotted", "set_within", "unset_within"]


def dotted(path: Path) -> str:
    """Keys as people name them: `optimizer.adam.learning_rate`."""
    return ".".join(map(str, path))


def set_within(document: Document, base: Path, path: Path, value: Any) -> tuple[Change | None, Any]:
    """The change that sets a value within a part of a file, and the part as it is then.

    What is missing above the value comes with it, and a name that gets its first option becomes a mapping of it.

    Arguments:
        document: the file.
        base: the part, which exists.
        path: the keys below it, at least one; an index may be the number of a list's items, for one more.
        value: plain data.

    Raises:
        CommandError: GB201, the path leads through something that has no parts.
    """
    after = copy.deepcopy(_at(document.source.data, base))
    inside: Any = after
    for depth, key in enumerate(path):
        place = (*base, *path[:depth])
        made = _nested(path[depth + 1 :], value)
        if isinstance(inside, list) and isinstance(key, int) and key == len(inside):
            inside.append(made)
            return InsertItem(place, key, made), after
        if isinstance(inside, dict) and isinstance(key, str) and key not in inside:
            last = list(inside)[-1] if inside else None
            inside[key] = made
            return Insert(place, key, made, last), after
        if not _has(inside, key):
            raise refused(document, "GB201", f"there is no {dotted(path[: depth + 1])}", place)
        last_key = depth == len(path) - 1
        if last_key or inside[key] is None or inside[key] == path[depth + 1]:
            if same_data(inside[key], made):
                return None, after
            inside[key] = made
            return Replace((*place, key), made), after
        inside = inside[key]
    raise ValueError("an empty path")


def unset_within(document: Document, base: Path, path: Path, *, named: bool = True) -> tuple[Change, Any]:
    """The change that takes a value within a part of a file away, and the part as it is then.

    What would be left empty above the value goes with it; of something that has a name, the name stays. Where the whole
    part goes, it is None then.

    Arguments:
        document: the file.
        base: the part, which may be missing.
        path: the keys below it, at least one.
        named: whether `{adam: {…}}` is something that has a name, with its options.

    Raises:
        CommandError: GB201, the value is not set.
    """
    after = copy.deepcopy(_at(document.source.data, base))
    holders: list[Any] = [after]
    for depth, key in enumerate(path):
        if not _has(holders[-1], key):
            known = [str(each) for each in holders[-1]] if isinstance(holders[-1], dict) else []
            hint = suggestion(str(key), known, listing=f"there is {listed(known)}" if known else None)
            raise refused(document, "GB201", f"{dotted(path[: depth + 1])} is not set", base, key=True, hint=hint)
        holders.append(holders[-1][key])
    options = named and len(path) > 2 and isinstance(holders[-2], dict) and not isinstance(holders[-1], dict)
    if options and len(holders[-2]) == len(holders[-3]) == 1:
        # The last option of something that has a name, which goes on standing there alone.
        holders[-4][path[-3]] = path[-2]
        return Replace((*base, *path[:-2]), path[-2]), after
    depth = len(path)
    while depth and len(holders[depth - 1]) == 1:
        depth -= 1
    if depth == 0:
        return Delete(base), None
    del holders[depth - 1][path[depth - 1]]
    place = (*base, *path[:depth])
    return (Remove(place) if isinstance(place[-1], int) else Delete(place)), after


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data.get(step) if isinstance(data, dict) else data[step]
    return data


def _has(inside: Any, key: str | int) -> bool:
    if isinstance(inside, list):
        return isinstance(key, int) and 0 <= key < len(inside)
    return isinstance(inside, dict) and key in inside


def _nested(path: Path, value: Any) -> Any:
    """A value below the keys that lead to it."""
    for key in reversed(path):
        value = [value] if isinstance(key, int) else {key: value}
    return value
