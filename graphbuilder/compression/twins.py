"""Where the two Kerases compute differently, so that what a pass made in tf_keras is not what Keras 3 would compute."""

from __future__ import annotations

from collections.abc import Iterator

from graphbuilder.catalog import LayerEntry
from graphbuilder.catalog.objects import ObjectSpec
from graphbuilder.graph import CustomLayer, Graph, Layer

__all__ = ["differing"]

# tf_keras has x / 5 + 1/2 clipped to 0..1, Keras 3 relu6(x + 3) / 6; they differ by up to 0.09. The op of that name is
# the same in both. Other activations are alike, or tf_keras lacks them, and then no twin can be built.
_OTHER_FUNCTIONS = frozenset({"hard_sigmoid"})


def differing(graph: Graph) -> Iterator[tuple[str, str]]:
    """The nodes that the two Kerases compute differently, each with the reason in one clause.

    Arguments:
        graph: the graph.
    """
    for call in graph.calls.values():
        if isinstance(call.target, Layer) and not isinstance(call.target.entry, CustomLayer):
            for name in _functions(call.target.entry):
                if name in _OTHER_FUNCTIONS:
                    yield call.name, f"its activation {name} is another function in tf_keras, where compression runs"
                    break


def _functions(entry: LayerEntry) -> Iterator[str]:
    """The names of the activations of a layer and of those that it wraps."""
    for field in type(entry).model_fields:
        value = getattr(entry, field)
        if isinstance(value, ObjectSpec) and value.kind == "activation":
            yield value.name
        elif isinstance(value, LayerEntry):
            yield from _functions(value)
