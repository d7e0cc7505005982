"""What an edit does, as data: entries and items inserted, replaced, renamed, moved, taken away."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, TypeAlias

from graphbuilder.text.source import Path

__all__ = [
    "Change",
    "Delete",
    "Insert",
    "InsertItem",
    "Move",
    "Remove",
    "Rename",
    "Replace",
    "changed_data",
    "in_order",
]


@dataclass(frozen=True, slots=True)
class Insert:
    r"""A new entry of a mapping.

    Several behind one key come to stand in the order in which they are given.

    Arguments:
        path: the mapping.
        key: the new key, which the mapping does not have.
        value: plain data.
        after: the key behind which it stands, which may be one that the same edit inserts before; None for the first
            place.
        written: the entry as it stands elsewhere, its key and comments included, for a mapping whose entries have lines
            of their own: lines without what indents the first of them, parted by "\n". It must say the same as `value`,
            and is not used where a mapping stands on one line.
    """

    path: Path
    key: str
    value: Any
    after: str | None
    written: str | None = None


@dataclass(frozen=True, slots=True)
class InsertItem:
    """A new item of a list.

    Arguments:
        path: the list.
        index: the item in front of which it stands; the length of the list for the last place.
        value: plain data.
    """

    path: Path
    index: int
    value: Any


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
class Rename:
    """Another key for the value of an entry, which stays in its place.

    Arguments:
        path: the entry.
        key: the new key, which no entry has that stays and keeps its key.
    """

    path: Path
    key: str


@dataclass(frozen=True, slots=True)
class Move:
    """An entry or item in another place of its own mapping or list; its comments go with it.

    Arguments:
        path: the entry or item.
        after: the key or index behind which it comes to stand; None for the first place.
    """

    path: Path
    after: str | int | None


@dataclass(frozen=True, slots=True)
class Remove:
    """An item taken out of a list.

    Arguments:
        path: the item.
    """

    path: Path


@dataclass(frozen=True, slots=True)
class Delete:
    """An entry taken out of a mapping, with the comments that are its own.

    Arguments:
        path: the entry.
    """

    path: Path


# All paths and indexes are those of the text before the edit, whatever the other changes of the same edit do.
Change: TypeAlias = Insert | InsertItem | Replace | Rename | Move | Remove | Delete


def in_order(changes: Iterable[Change]) -> list[Change]:
    """The changes in an order in which each finds its path as it was, whatever was done before it.

    Values and entries that are written come first, because they move nothing. Then, from the innermost collections out,
    comes what moves others: items from the end of their list on, then what changes places, what goes, and what gets
    another key. Moves in one collection follow each other as they are given; a list whose items move has no other
    changes.
    """
    ordered = sorted(((_rank(*each), each[1]) for each in enumerate(_anchored(changes))), key=itemgetter(0))
    return [change for _, change in ordered]


def _anchored(changes: Iterable[Change]) -> list[Change]:
    """The changes with every new entry behind a key that stands there already, in the order of the text to be."""
    found: list[Change] = []
    chains: dict[tuple[Path, str | None], list[Insert]] = {}
    # The chain that a new key stands in, and what came last behind a key.
    chain_of: dict[tuple[Path, str], tuple[Path, str | None]] = {}
    last: dict[tuple[Path, str | None], str] = {}
    for change in changes:
        if not isinstance(change, Insert):
            found.append(change)
            continue
        place = (change.path, change.after)
        anchor = place if change.after is None else chain_of.get((change.path, change.after), place)
        chain = chains.setdefault(anchor, [])
        behind = last.get(place, change.after if anchor != place else None)
        number = 0 if behind is None else [each.key for each in chain].index(behind) + 1
        chain.insert(number, replace(change, after=anchor[1]))
        chain_of[change.path, change.key] = anchor
        last[place] = change.key
    return [*(each for chain in chains.values() for each in chain), *found]


def _rank(number: int, change: Change) -> tuple[int, ...]:
    depth = len(change.path)
    match change:
        case Replace():
            return 0, 0, number
        case Insert():
            # Where two insertions meet at one place, that into the inner mapping belongs above the other.
            return 1, -depth, number
        case InsertItem():
            return 2, -depth, 0, -change.index, 1, -number
        case Remove():
            return 2, 1 - depth, 0, -_index(change.path), 0, number
        case Move():
            return 2, 1 - depth, 1, number
        case Delete():
            return 2, 1 - depth, 2, number
        case Rename():
            return 2, 1 - depth, 3, number


def changed_data(data: Any, changes: Sequence[Change]) -> Any:
    """The data as it should be after an edit; what is given stays as it is, and shares what does not change.

    Arguments:
        data: the data before.
        changes: what is done.

    Raises:
        KeyError: a path leads nowhere, or a new key stands there already.

    Example:
        >>> changed_data({"a": [1, 2]}, [Insert((), "b", 3, "a"), Remove(("a", 0))])
        {'a': [2], 'b': 3}
        >>> changed_data({"a": 1, "b": 2, "c": 3}, [Rename(("a",), "z"), Move(("a",), "b"), Delete(("c",))])
        {'b': 2, 'z': 1}
    """
    tree = _Tree(data)
    behind: dict[tuple[Path, str | None], str] = {}
    renamed: set[Path] = set()
    ordered = in_order(changes)
    for change in ordered:
        match change:
            case Replace():
                tree.replace(change.path, copy.deepcopy(change.value))
            case Insert():
                place = (change.path, change.after)
                after = behind.get(place, change.after)
                tree.insert(change.path, change.key, copy.deepcopy(change.value), after)
                behind[place] = change.key
            case InsertItem():
                tree.at(change.path).insert(change.index, copy.deepcopy(change.value))
            case Move():
                tree.move(change.path, change.after)
            case Remove() | Delete():
                del tree.at(change.path[:-1])[change.path[-1]]
            case Rename(path=(*holder, _)) if tuple(holder) not in renamed:
                # All at once, because some may take the keys of others.
                path = tuple(holder)
                renamed.add(path)
                together = [each for each in ordered if isinstance(each, Rename) and each.path[:-1] == path]
                tree.rename(path, {str(each.path[-1]): each.key for each in together})
    return tree.root[0]


class _Tree:
    """Plain data that is changed in copies of the collections which lead to a change, and only of these."""

    def __init__(self, data: Any) -> None:
        self.root = [data]
        self._copied: dict[int, Any] = {}

    def at(self, path: Path) -> Any:
        """A collection, as a copy that may be changed."""
        holder: Any = self.root
        step: Any = 0
        for following in (*path, None):
            inside = holder[step]
            if id(inside) not in self._copied and isinstance(inside, (dict, list)):
                inside = holder[step] = inside.copy()
                # Kept, so that no other object gets its id.
                self._copied[id(inside)] = inside
            holder, step = inside, following
        return holder

    def replace(self, path: Path, value: Any) -> None:
        if not path:
            self.root[0] = value
            return
        holder = self.at(path[:-1])
        holder[path[-1]]
        holder[path[-1]] = value

    def insert(self, path: Path, key: str, value: Any, after: str | None) -> None:
        mapping = self.at(path)
        if key in mapping:
            raise KeyError((*path, key))
        entries = list(mapping.items())
        entries.insert(0 if after is None else list(mapping).index(after) + 1, (key, value))
        mapping.clear()
        mapping.update(entries)

    def move(self, path: Path, after: str | int | None) -> None:
        collection, moved = self.at(path[:-1]), path[-1]
        if isinstance(collection, list):
            order: list[Any] = list(range(len(collection)))
        else:
            order = list(collection)
        if moved != after:
            order.remove(moved)
            order.insert(0 if after is None else order.index(after) + 1, moved)
        if isinstance(collection, list):
            collection[:] = [collection[index] for index in order]
        else:
            entries = [(key, collection[key]) for key in order]
            collection.clear()
            collection.update(entries)

    def rename(self, path: Path, keys: dict[str, str]) -> None:
        mapping = self.at(path)
        entries = [(keys.get(key, key), value) for key, value in mapping.items()]
        if len({key for key, _ in entries}) < len(entries) or not keys.keys() <= mapping.keys():
            raise KeyError(path)
        mapping.clear()
        mapping.update(entries)


def _index(path: Path) -> int:
    step = path[-1]
    assert isinstance(step, int)
    return step
