"""What an edit does, as data: an entry inserted, a value replaced, an item removed."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphbuilder.text.source import Path

__all__ = ["Change", "Insert", "Remove", "Replace", "changed_data"]


@dataclass(frozen=True, slots=True)
class Insert:
    """A new entry of a mapping.

    Arguments:
        path: the mapping.
        key: the new key, which the mapping does not have.
        value: plain data.
        after: the key behind which it stands; None for the first place.
    """

    path: Path
    key: str
    value: Any
    after: str | None


@dataclass(frozen=True, slots=True)
class Replace:
    """A value in the place of another.

    Arguments:
        path: the value, which exists.
        value: plain data.
    """

    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Remove:
    """An item taken out of a list that keeps others.

    Arguments:
        path: the item.
    """

    path: Path


# All paths are those of the text before the edit, whatever the other changes of the same edit do.
Change: TypeAlias = Insert | Replace | Remove


def changed_data(data: Any, changes: Sequence[Change]) -> Any:
    """The data as it should be after an edit; what is given stays as it is.

    Arguments:
        data: the data before.
        changes: what is done, at most one insertion behind each key.

    Example:
        >>> changed_data({"a": [1, 2]}, [Insert((), "b", 3, "a"), Remove(("a", 0))])
        {'a': [2], 'b': 3}
    """
    changed = copy.deepcopy(data)
    # Removed last and from the end, so that every index still means what it meant.
    removed = sorted((change.path for change in changes if isinstance(change, Remove)), key=_place, reverse=True)
    for change in changes:
        if isinstance(change, Insert):
            mapping = _at(changed, change.path)
            entries = list(mapping.items())
            place = 0 if change.after is None else [key for key, _ in entries].index(change.after) + 1
            entries.insert(place, (change.key, copy.deepcopy(change.value)))
            mapping.clear()
            mapping.update(entries)
        elif isinstance(change, Replace):
            if not change.path:
                changed = copy.deepcopy(change.value)
            else:
                _at(changed, change.path[:-1])[change.path[-1]] = copy.deepcopy(change.value)
    for path in removed:
        del _at(changed, path[:-1])[path[-1]]
    return changed


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _place(path: Path) -> tuple[tuple[str, int], ...]:
    return tuple(("", step) if isinstance(step, int) else (step, 0) for step in path)
