"""How a fusion adds calls to a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

from graphbuilder.catalog import Entry, LayerEntry, OpEntry
from graphbuilder.fusion.adapters import layer_entry, op_entry
from graphbuilder.graph import Argument, Value, constant_of

__all__ = ["Apply", "Calls", "Given", "NotMade"]

# What stands at a port: a value, several, or a number.
Given: TypeAlias = "Value | float | list[Any] | tuple[Value, ...]"


class NotMade(Exception):
    """A call that does not fit, which was reported."""


class Apply(Protocol):
    """Adds one call to the graph under the name of the fusion node."""

    def __call__(
        self, suffix: str, entry: LayerEntry | OpEntry, arguments: Mapping[str, Argument], options: Mapping[str, Any]
    ) -> tuple[Value, ...] | None:
        """Calls a layer or op.

        Arguments:
            suffix: what stands behind the node's name; empty for the call that bears the node's own name.
            entry: the layer or op and its arguments.
            arguments: what stands at its ports.
            options: call arguments that are not tensors.

        Returns:
            The values it gives, or None when it does not fit, which was reported.
        """


class Calls:
    """Adds the calls of one fusion node.

    Arguments:
        apply: adds one.
        prefix: what stands before each suffix, such as `encoder.`.
        last: the suffix of the call that would bear the node's own name; empty where it bears it.
    """

    def __init__(self, apply: Apply, prefix: str = "", last: str = "") -> None:
        self._apply = apply
        self.prefix = prefix
        self.last = last

    def below(self, name: str) -> Calls:
        """The same, with all names below one more."""
        return Calls(self._apply, f"{self.prefix}{name}.", self.last)

    def followed(self, last: str) -> Calls:
        """The same for a merge whose last call is followed by others, and so has a suffix."""
        return Calls(self._apply, self.prefix, last)

    def layer(self, suffix: str, kind: str, given: Given | Mapping[str, Given], /, **arguments: Any) -> Value:
        """Calls a new layer.

        Arguments:
            suffix: what stands behind the node's name.
            kind: a layer of the catalog.
            given: what stands at its first port, or at its ports by name.
            arguments: the layer's arguments.

        Raises:
            NotMade: it does not fit, which was reported.
        """
        return self.add(suffix, layer_entry(kind, **arguments), given)

    def op(self, suffix: str, kind: str, given: Given | Mapping[str, Given], /, **arguments: Any) -> Value:
        """Calls an op; see `layer`."""
        return self.add(suffix, op_entry(kind, **arguments), given)

    def add(
        self, suffix: str, entry: Entry, given: Given | Mapping[str, Given], options: Mapping[str, Any] | None = None
    ) -> Value:
        """Calls an entry of the catalog, and gives the last of what comes of it; see `layer`.

        Arguments:
            suffix: what stands behind the node's name.
            entry: the layer or op.
            given: what stands at its first port, or at its ports by name.
            options: call arguments that are not tensors.
        """
        ports = given if isinstance(given, Mapping) else {entry.ports[0].name: given}
        arguments = {name: _argument(item) for name, item in ports.items()}
        assert isinstance(entry, (LayerEntry, OpEntry))
        values = self._apply(self.prefix + suffix if suffix else self.last, entry, arguments, options or {})
        if values is None:
            raise NotMade
        return values[-1]

    def two(self, suffix: str, kind: str, one: Given, other: Given) -> Value:
        """Calls an op of two operands, such as `add`."""
        entry = op_entry(kind)
        first, second = (port.name for port in entry.ports[:2])
        return self.add(suffix, entry, {first: one, second: other})


def _argument(given: Given) -> Argument:
    if isinstance(given, (int, float, list)):
        return constant_of(given)
    return given
