"""What `graphbuilder analyze --format json` prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from graphbuilder.analysis import Analysis, NodeCost
from graphbuilder.analysis.memory import Memory
from graphbuilder.analysis.receptive_field import ReceptiveField
from graphbuilder.errors import Diagnostic

__all__ = ["analysis_document", "field_data", "memory_data"]


def analysis_document(
    analysis: Analysis, nodes: Sequence[NodeCost], diagnostics: Iterable[Diagnostic]
) -> dict[str, Any]:
    """An analysis as plain data.

    Arguments:
        analysis: the analysis.
        nodes: the nodes that are told, in order.
        diagnostics: what was found beside.

    Numbers that are unknown are null. The keys:
        ok: true; with a blueprint that is wrong the document is {ok: false, diagnostics: […]} instead.
        name: the model's.
        nodes: a list of:
            name: the path. kind: the layer or op.
            parameters, trainable, non_trainable: numbers in its weights; 0 where another node counts for them.
            macs: multiply-accumulates for one sample.
            output_bytes: what its outputs take for one sample.
            receptive_field: a list of {input, axes}, for each input over which windows slide on the way; an axis is
                {axis, size, stride, start, exact}: the number at position i depends on `size` positions of the input's
                axis from start + i * stride on, or, where `exact` is false, on some of them. A `size` of null is all; a
                `stride` of null is one field for all numbers.
        totals: {parameters, trainable, non_trainable, unknown_weights, macs, unknown_macs, size, memory} of all nodes:
            size: what the weights take in bytes.
            memory: {peak, peak_as_written, at_least, best, at, held, order, unknown}: bytes of activations at the worst
                moment of the best order found, the same in the file's order, what every order takes at some moment, and
                whether it is known that none takes less; the node at which the peak is, what is held then as a list of
                {value, bytes}, the order, and the values of unknown size, which are not counted.
        diagnostics: warnings, and errors that do not keep the model from being analyzed, such as a budget exceeded.
    """
    totals = analysis.summary.totals
    return {
        "ok": True,
        "name": analysis.summary.name,
        "nodes": [_node(node) for node in nodes],
        "totals": {
            "parameters": totals.parameters,
            "trainable": totals.trainable,
            "non_trainable": totals.non_trainable,
            "unknown_weights": list(totals.unknown_weights),
            "macs": totals.macs,
            "unknown_macs": list(totals.unknown_macs),
            "size": analysis.size,
            "memory": memory_data(analysis.memory),
        },
        "diagnostics": [item.to_json() for item in diagnostics],
    }


def _node(node: NodeCost) -> dict[str, Any]:
    call = node.call
    return {
        "name": call.name,
        "kind": call.kind,
        "parameters": call.parameters,
        "trainable": call.trainable,
        "non_trainable": call.non_trainable,
        "macs": call.macs,
        "output_bytes": node.output_bytes,
        "receptive_field": field_data(node.receptive_field),
    }


def field_data(fields: Iterable[ReceptiveField]) -> list[dict[str, Any]]:
    """The receptive fields of one node."""
    return [
        {
            "input": field.input,
            "axes": [
                {
                    "axis": axis.axis,
                    "size": _number(axis.size),
                    "stride": _number(axis.stride),
                    "start": _number(axis.start),
                    "exact": axis.exact,
                }
                for axis in field.axes
            ],
        }
        for field in fields
    ]


def memory_data(memory: Memory) -> dict[str, Any]:
    """What activations take."""
    return {
        "peak": memory.peak,
        "peak_as_written": memory.peak_as_written,
        "at_least": memory.at_least,
        "best": memory.best,
        "at": memory.at,
        "held": [{"value": value, "bytes": size} for value, size in memory.held],
        "order": list(memory.order),
        "unknown": list(memory.unknown),
    }


def _number(value: Fraction | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)
