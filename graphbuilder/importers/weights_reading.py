"""Parts of an HDF5 file of weights, read so that nothing outside of the file is, and no more than lies in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphbuilder.importers.reading_limits import damaged, shown

__all__ = ["MOST_DEPTH", "arrays_in", "content_of", "item_at"]

# How many groups may lie in each other.
MOST_DEPTH = 32


def item_at(group: Any, path: str) -> Any:
    """A group or an array below a group.

    Arguments:
        group: the group, or the file.
        path: names with slashes between them.

    Raises:
        NotCarried: GB852, there is none, or a link leads to it, which may lead out of the file.
    """
    import h5py

    for name in path.split("/"):
        link = group.get(name, getlink=True) if isinstance(group, h5py.Group) else None
        if link is None:
            raise damaged(f"its weights have no {shown(path)}")
        if not isinstance(link, h5py.HardLink):
            raise damaged(f"its weights have a link, {shown(name)}")
        group = group[name]
    return group


def content_of(item: Any) -> Any:
    """The numbers of an array.

    Arguments:
        item: the array.

    Raises:
        NotCarried: GB852, they lie elsewhere, or are not all there: it may say that it is larger than any memory.
    """
    if not hasattr(item, "shape") or item.external or item.is_virtual or item.id.get_storage_size() != item.nbytes:
        raise damaged(
            f"its weights are kept in a form that Keras does not write, {shown(item.name.rpartition('/')[2])}"
        )
    return item[()]


def arrays_in(group: Any, depth: int = 0) -> Iterator[Any]:
    """All arrays below a group, those of numbers read.

    Arguments:
        group: the group, or the file.
        depth: in how many others it lies.

    Raises:
        NotCarried: GB852, as `item_at` and `content_of`, or the groups lie in each other without an end.
    """
    if depth > MOST_DEPTH:
        raise damaged(f"its weights are nested deeper than {MOST_DEPTH} groups")
    for name in group:
        item = item_at(group, name)
        if hasattr(item, "shape"):
            # Texts, such as a vocabulary, lie elsewhere in the file.
            yield item if item.dtype.kind == "O" else content_of(item)
        else:
            yield from arrays_in(item, depth + 1)
