"""What lowering tells of the boxes of a scene: shapes, parameters, weights that are shared, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from graphbuilder.catalog import BATCH, TensorType
from graphbuilder.errors import Severity
from graphbuilder.graph import Graph, Layer
from graphbuilder.lowering import Lowered
from graphbuilder.tui.canvas.wording import safe

__all__ = ["Known", "known_of", "type_text"]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the nodes of a document.

    Arguments:
        shapes: what each value of the graph is, by its name; empty where that is not known.
        parameters: numbers in the weights of each node and of each block around one, by path; None where unknown.
        shared: the nodes that share their weights, on either side, by path.
        troubled: `error` or `warning` for each node of which a diagnostic tells, by path.
    """

    shapes: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, int | None] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    troubled: Mapping[str, str] = field(default_factory=dict)


# Always the same, so that one can see that nothing else is known.
_NOTHING = Known()


def known_of(lowered: Lowered | None) -> Known:
    """What came of a document, by the paths of its nodes.

    Arguments:
        lowered: what came of lowering it, or None where that has not been done yet.
    """
    if lowered is None:
        return _NOTHING
    troubled: dict[str, str] = {}
    for diagnostic in lowered.diagnostics:
        if diagnostic.node is not None and troubled.get(diagnostic.node) != "error":
            troubled[diagnostic.node] = "error" if diagnostic.severity is Severity.ERROR else "warning"
    of_graph = _NOTHING if lowered.graph is None else _of_graph(lowered.graph)
    return Known(of_graph.shapes, of_graph.parameters, of_graph.shared, troubled)


# A scene is made anew after every edit and every fold, and the graph changes only when it was lowered again.
@lru_cache(maxsize=2)
def _of_graph(graph: Graph) -> Known:
    shapes = {name: type_text(item.value.type) for name, item in graph.inputs.items()}
    calls: dict[str, list[str]] = {}
    for call in graph.calls.values():
        for value in call.outputs:
            shapes[value.name] = type_text(value.type)
        if isinstance(call.target, Layer) and call.target.parameters != 0:
            calls.setdefault(call.target.name, []).append(call.name)
    parameters: dict[str, int | None] = dict.fromkeys(graph.calls, 0)
    for layer in graph.layers.values():
        path = layer.name
        while path:
            sum_so_far = parameters.get(path, 0)
            own = layer.parameters
            parameters[path] = None if own is None or sum_so_far is None else sum_so_far + own
            path = path.rpartition(".")[0]
    shared = frozenset(name for names in calls.values() if len(names) > 1 for name in names)
    return Known(shapes, parameters, shared)


@lru_cache(maxsize=4096)
def type_text(type_: TensorType | None) -> str:
    """A tensor type in few cells: the batch axis and the usual dtype left out; empty where it is not known.

    Example:
        >>> type_text(TensorType((BATCH, None, 64), "int32"))
        '?×64 int32'
    """
    if type_ is None:
        return ""
    axes = type_.shape[1:] if type_.shape[:1] == (BATCH,) else type_.shape
    shape = "×".join("?" if axis is None else str(axis) for axis in axes) or "scalar"
    return safe(shape if type_.dtype == "float32" else f"{shape} {type_.dtype}")
