"""Which nodes only some uses of a block have, because of their `when`, and what stands for them in the other uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphbuilder.blueprint import ExpressionError, evaluate
from graphbuilder.export.units import Unit
from graphbuilder.lowering.order import node_order, references

__all__ = ["Conditions", "Unmergeable", "runs"]


class Unmergeable(Exception):
    """Uses of a block for which no one function can be written."""


class Conditions:
    """The nodes of a block that some of its uses have and others have not.

    Arguments:
        units: uses of one block.

    Raises:
        Unmergeable: a use lacks a node for another reason than its `when`.
    """

    def __init__(self, units: Sequence[Unit]) -> None:
        first = units[0]
        self._nodes = first.nodes
        self._ports = [] if first.place is None else list(first.place.ports)
        names = list(self._nodes)
        self._above = dict(zip(names[1:], names, strict=False))
        self.order = node_order(self._nodes)
        self._present = {unit.path: _present(unit) for unit in units}
        self.optional = {name for name in names if len({name in present for present in self._present.values()}) > 1}
        for unit in units:
            for name in self.optional - self._present[unit.path]:
                if self.when(name, unit) is not False:
                    raise Unmergeable
            if any(self.when(name, unit) is False for name in self.optional & self._present[unit.path]):
                raise Unmergeable

    def when(self, name: str, unit: Unit) -> Any:
        """What the `when` of a node comes to in a use."""
        raw = self._nodes[name].when
        try:
            return raw if isinstance(raw, bool) else evaluate(raw, unit.params)
        except ExpressionError:
            return None

    def raw(self, name: str) -> Any:
        """The `when` of a node, as it is written."""
        return self._nodes[name].when

    def absent(self, name: str, unit: Unit) -> bool:
        """Whether a use lacks a node that others have."""
        return name in self.optional and name not in self._present[unit.path]

    def sources(self, name: str) -> list[str]:
        """The nodes and ports that a node names as its inputs, in order."""
        node = self._nodes[name]
        if node.source is not None:
            return list(references(node.source))
        above = self._above.get(name)
        return [above] if above is not None else self._ports[:1]

    def passed(self, name: str) -> str:
        """What passes through a node where it is left out: its first input.

        Raises:
            Unmergeable: that is a part of something.
        """
        sources = self.sources(name)
        if not sources or "." in sources[0]:
            raise Unmergeable
        return sources[0]

    def standing_for(self, name: str, unit: Unit) -> str:
        """The node or port that stands for a node of a block in a use: itself, where the use has it."""
        while self.absent(name, unit):
            name = self.passed(name)
        return name


def _present(unit: Unit) -> frozenset[str]:
    return frozenset(unit.within(item.path if isinstance(item, Unit) else item.name).lstrip(".").split(".")[0]
                     for item in unit.items)  # fmt: skip


def runs(order: Sequence[str], conditions: Mapping[str, str]) -> Iterator[tuple[str | None, list[str]]]:
    """Nodes that follow one another under the same condition.

    Arguments:
        order: the nodes.
        conditions: for the optional ones, the code of their condition.

    Yields:
        The condition, None for what is always there, and the nodes.
    """
    waiting: list[str] = []
    for name in order:
        if waiting and conditions.get(waiting[0]) != conditions.get(name):
            yield conditions.get(waiting[0]), waiting
            waiting = []
        waiting.append(name)
    if waiting:
        yield conditions.get(waiting[0]), waiting
