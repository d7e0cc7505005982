"""What a way to merge branches is: options as fields, and a method that adds calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from graphbuilder.catalog import Entry, LayerEntry, OpEntry, Port
from graphbuilder.graph import Argument, Value

__all__ = ["Apply", "FusionStrategy"]


class Apply(Protocol):
    """Adds one call to the graph under the name of the fusion node."""

    def __call__(self, suffix: str, entry: LayerEntry | OpEntry, arguments: Mapping[str, Argument]) -> Value | None:
        """Calls a layer or op.

        Arguments:
            suffix: what stands behind the node's name; empty for the call that bears the node's own name.
            entry: the layer or op and its arguments.
            arguments: what stands at its ports.

        Returns:
            The value it gives, or None when it does not fit, which was reported.
        """


class FusionStrategy(Entry):
    """A way to merge branches."""

    family: ClassVar[str] = "fusion"
    ports: ClassVar[tuple[Port, ...]] = (Port("inputs", many=True, least=2, about="the branches"),)

    def lower(self, branches: tuple[Any, ...], apply: Apply) -> Value | None:
        """Adds the calls that merge the branches.

        Arguments:
            branches: the values to merge, in the order of the node's `from`.
            apply: adds one call.

        Returns:
            The merged value, or None after a report.
        """
        raise NotImplementedError(type(self).__name__)
