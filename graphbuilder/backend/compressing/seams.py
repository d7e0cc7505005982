"""Where a model goes over from layers that were trained for 8 bits to those that stay floats."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from graphbuilder.backend.compressing.toolkit import tf
from graphbuilder.compression.conversions import JOINS, KEEPING_SCALES
from graphbuilder.compression.legality_table import MOVING
from graphbuilder.graph import Graph, Layer

__all__ = ["float_seam", "seams_of"]


def seams_of(graph: Graph, quantized: Collection[str]) -> set[str]:
    """The quantized layers whose values are joined with floats.

    TFLite computes a `Concatenate` in 8 bits as soon as one of its inputs has them, all at one scale. Beside an input
    that goes up to 29, one that stays below 0.3 keeps two of its 256 steps; training knows nothing of it.

    Arguments:
        graph: the graph.
        quantized: the layers that training computes in 8 bits.
    """
    carried: dict[str, set[str]] = {}
    joined: set[str] = set()
    feeding: set[str] = set()
    for call in graph.calls.values():
        given = list(call.inputs())
        arriving = set().union(*(carried.get(value.name, set()) for value in given))
        if isinstance(call.target, Layer) and call.target.name in quantized:
            # What a quantized layer is given must come in 8 bits.
            feeding |= arriving
            arriving = {call.target.name}
        elif call.kind in JOINS and len(given) > 1:
            joined |= arriving
            arriving = set()
        elif call.kind not in KEEPING_SCALES | MOVING:
            arriving = set()
        for value in call.outputs:
            carried[value.name] = arriving
    return joined - feeding


def float_seam(outputs: Any) -> Any:
    """The same values, behind which TFLite's converter computes in floats.

    Powers of two change no float, and the converter does not see that the two products undo each other. It does see
    through a product with 1.

    Arguments:
        outputs: a tensor, or several.
    """
    return tf.nest.map_structure(lambda tensor: (tensor * 2.0) * 0.5, outputs)
