"""Follows what inputs hold through a graph: where their numbers still are what they were, and what is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from graphbuilder.catalog import Entry, Keeping, Reading
from graphbuilder.catalog.tensor import is_float
from graphbuilder.graph import Call, CustomLayer, GraphInput, Layer, Value, flatten

__all__ = ["Contents", "entry_of", "values_at"]


def entry_of(call: Call) -> Entry | None:
    """The catalog's entry of what a call applies; None for a custom layer."""
    target = call.target
    if not isinstance(target, Layer):
        return target
    return None if isinstance(target.entry, CustomLayer) else target.entry


def values_at(call: Call, port: str) -> list[Value]:
    """The values that arrive at one port."""
    if port not in call.arguments:
        return []
    return [leaf for leaf in flatten(call.arguments[port]) if isinstance(leaf, Value)]


class Contents:
    """What is known of the numbers of each value.

    Arguments:
        inputs: the inputs of the graph.
        calls: its calls, each after those that feed it.
        meant: calls after which numbers are what the author says, whatever they were before.
    """

    def __init__(self, inputs: Mapping[str, GraphInput], calls: Iterable[Call], meant: Iterable[str]) -> None:
        self._held: dict[Value, dict[str, Keeping]] = {}
        self._measured: set[Value] = set()
        self._meant = frozenset(meant)
        for name, item in inputs.items():
            self._held[item.value] = {name: Keeping.NUMBERS}
            if item.value.type is not None and is_float(item.value.type.dtype):
                self._measured.add(item.value)
        for call in calls:
            self._follow(call)

    def held(self, value: Value) -> Mapping[str, Keeping]:
        """The inputs whose numbers a value still holds: as they were, or changed each at its place."""
        return self._held.get(value, {})

    def measured(self, value: Value) -> bool:
        """Whether its numbers are sizes of something, not counted off and not told apart."""
        return value in self._measured

    def _follow(self, call: Call) -> None:
        entry = entry_of(call)
        if entry is None or call.name in self._meant:
            return
        held: dict[str, Keeping] = {}
        arriving = list(call.inputs())
        if entry.keeping is Keeping.NUMBERS:
            arriving = values_at(call, entry.ports[0].name)
        if entry.keeping is not Keeping.NOTHING:
            for value in arriving:
                for name, how in self.held(value).items():
                    held[name] = Keeping.PLACES if Keeping.PLACES in (how, entry.keeping, held.get(name)) else how
        measured = entry.reading is Reading.QUANTITIES or (
            entry.keeping is not Keeping.NOTHING and bool(arriving) and all(map(self.measured, arriving))
        )
        for value in call.outputs:
            if value.type is None or value.type.dtype == "bool":
                continue
            self._held[value] = held
            if measured and is_float(value.type.dtype):
                self._measured.add(value)
