"""The order in which the nodes of one scope are walked, and the circles that leave none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from graphbuilder.blueprint import Node, ReuseNode

__all__ = ["Circle", "node_order", "reference_path", "references"]


class Circle(Exception):
    """Nodes that feed each other.

    Arguments:
        names: the nodes, each fed by the one before it; the first stands again at the end.
    """

    def __init__(self, names: list[str]) -> None:
        super().__init__(" → ".join(names))
        self.names = names


def references(source: Any) -> Iterator[str]:
    """The references in a `from`, in order."""
    waiting = [source]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            # An expression gives a constant, never a reference, so that the graph can be seen without its params.
            if "$" not in item:
                yield item
        elif isinstance(item, list):
            waiting.extend(reversed(item))
        elif isinstance(item, Mapping) and "constant" not in item:
            waiting.extend(reversed(list(item.values())))


def reference_path(source: Any, name: str) -> tuple[str | int, ...] | None:
    """The keys that lead, within a `from`, to the first reference to a node or what lies inside it; None without one.

    Example:
        >>> reference_path({"query": ["a", "b.0"]}, "b")
        ('query', 1)
    """
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), source)]
    while waiting:
        path, item = waiting.pop()
        if isinstance(item, str) and "$" not in item and item.partition(".")[0] == name:
            return path
        if isinstance(item, list):
            waiting += reversed([((*path, index), part) for index, part in enumerate(item)])
        elif isinstance(item, Mapping) and "constant" not in item:
            waiting += reversed([((*path, key), part) for key, part in item.items()])
    return None


def node_order(nodes: Mapping[str, Node]) -> list[str]:
    """The names of the nodes, each after those that feed it; the file's own order wherever that is one.

    Arguments:
        nodes: by name, in the order of the file. A node without `from` is fed by the node above it.

    Raises:
        Circle: there is no such order.
    """
    feeds: dict[str, list[str]] = {}
    above: str | None = None
    in_order = True
    seen: set[str] = set()
    for name, node in nodes.items():
        if node.source is None:
            needed = [] if above is None else [above]
        else:
            firsts = (reference.partition(".")[0] for reference in references(node.source))
            needed = [first for first in firsts if first in nodes]
        if isinstance(node, ReuseNode):
            first = node.reuse.partition(".")[0]
            needed += [first] if first in nodes else []
        feeds[name] = needed
        in_order = in_order and all(first in seen for first in needed)
        seen.add(name)
        above = name
    if in_order:
        return list(nodes)
    sorter = TopologicalSorter(feeds)
    try:
        sorter.prepare()
    except CycleError as error:
        raise Circle(list(error.args[1])) from None
    place = {name: index for index, name in enumerate(nodes)}
    ordered: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=place.__getitem__)
        ordered.extend(ready)
        sorter.done(*ready)
    return ordered
