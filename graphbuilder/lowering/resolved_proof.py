"""Compares two graphs call by call, whatever their nodes are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphbuilder.graph import Argument, Call, Constant, CustomLayer, Graph, GraphInput, Layer, Structure, Value
from graphbuilder.lowering.resolved_names import legal_name
from graphbuilder.lowering.resolved_values import plain_entry
from graphbuilder.text.splices import same_data

__all__ = ["first_difference"]


def first_difference(graph: Graph, other: Graph) -> str | None:
    """Where two graphs differ first, in words; None where they are the same up to names.

    Compared are the model's name, its inputs, calls and layers in their order, what stands at each port, shapes,
    dtypes, masks, weights, cost, outputs, training, and what is written for people. Params, fusions and passes are not.

    Arguments:
        graph: a graph.
        other: another one.
    """
    return next(_Comparison().differences(graph, other), None)


class _Comparison:
    """Which value and which layer of one graph is which of the other."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._layers: dict[str, str] = {}
        self._met: set[str] = set()

    def differences(self, graph: Graph, other: Graph) -> Iterator[str]:
        """Everything that differs."""
        yield from _unlike("the model", "name", legal_name(graph.name), legal_name(other.name))
        yield from _unlike("the model", "description", graph.about, other.about)
        yield from _unlike("the model", "inputs_as", graph.inputs_as, other.inputs_as)
        yield from _unlike("the model", "number of inputs", len(graph.inputs), len(other.inputs))
        for one, two in zip(graph.inputs.values(), other.inputs.values(), strict=False):
            yield from self._input(one, two)
        yield from _unlike("the model", "number of calls", len(graph.calls), len(other.calls))
        for mine, theirs in zip(graph.calls.values(), other.calls.values(), strict=False):
            yield from self._call(mine, theirs)
        layers = [self._layers.get(name) for name in graph.layers]
        yield from _unlike("the model", "order of layers", layers, list(other.layers))
        if not self._same(graph.outputs, other.outputs):
            yield "the model: the outputs differ"
        # Losses tell outputs apart by names of nodes, and stand in the same order.
        yield from _unlike("the model", "training", _unnamed(graph), _unnamed(other))

    def _input(self, one: GraphInput, two: GraphInput) -> Iterator[str]:
        name = f"input {one.value.name}"
        yield from self._value(name, one.value, two.value)
        yield from _unlike(name, "modality", one.modality, two.modality)
        yield from _unlike(name, "about", one.about, two.about)

    def _value(self, name: str, one: Value, two: Value) -> Iterator[str]:
        self._values[one.name] = two.name
        yield from _unlike(name, "type", one.type, two.type)
        yield from _unlike(name, "mask", one.masked, two.masked)
        yield from _unlike(name, "modalities", one.modalities, two.modalities)

    def _call(self, one: Call, two: Call) -> Iterator[str]:
        name = one.name
        yield from _unlike(name, "kind", one.kind, two.kind)
        if isinstance(one.target, Layer) and isinstance(two.target, Layer):
            yield from self._layer(name, one.target, two.target)
        elif not isinstance(one.target, Layer) and not isinstance(two.target, Layer):
            yield from _unlike(name, "arguments", plain_entry(one.target), plain_entry(two.target))
        if list(one.arguments) != list(two.arguments):
            yield f"{name}: the ports are {', '.join(one.arguments)}, and {', '.join(two.arguments)}"
        for port in one.arguments.keys() & two.arguments.keys():
            if not self._same(one.arguments[port], two.arguments[port]):
                yield f"{name}: what stands at {port or 'its port'} differs"
        yield from _unlike(name, "call", _plain(one.options), _plain(two.options))
        yield from _unlike(name, "about", one.about, two.about)
        yield from _unlike(name, "cost", one.macs, two.macs)
        yield from _unlike(name, "list of outputs", one.several, two.several)
        yield from _unlike(name, "number of outputs", len(one.outputs), len(two.outputs))
        for mine, theirs in zip(one.outputs, two.outputs, strict=False):
            yield from self._value(name, mine, theirs)

    def _layer(self, name: str, one: Layer, two: Layer) -> Iterator[str]:
        if one.name not in self._layers and two.name not in self._met:
            self._layers[one.name] = two.name
            self._met.add(two.name)
            yield from _unlike(name, "arguments", _arguments(one), _arguments(two))
            yield from _unlike(name, "weights", one.weights, two.weights)
        elif self._layers.get(one.name) != two.name:
            yield f"{name}: the layer is shared with other calls"

    def _same(self, one: Argument | Structure, two: Argument | Structure) -> bool:
        if isinstance(one, Value) and isinstance(two, Value):
            return self._values.get(one.name) == two.name
        if isinstance(one, Constant) and isinstance(two, Constant):
            return one.type == two.type and one.dtype == two.dtype and same_data(_plain(one.value), _plain(two.value))
        if isinstance(one, tuple) and isinstance(two, tuple):
            return len(one) == len(two) and all(map(self._same, one, two))
        if isinstance(one, Mapping) and isinstance(two, Mapping):
            return list(one) == list(two) and all(map(self._same, one.values(), two.values()))
        return False


def _unlike(name: str, what: str, one: Any, two: Any) -> Iterator[str]:
    if not same_data(_plain(one), _plain(two)):
        yield f"{name}: the {what} is {one}, and {two}"


def _arguments(layer: Layer) -> Any:
    """The arguments of a layer as plain data."""
    return layer.entry.arguments if isinstance(layer.entry, CustomLayer) else plain_entry(layer.entry)


def _unnamed(graph: Graph) -> Any:
    """The training, without the names of outputs where those are the names of nodes."""
    if graph.training is None or isinstance(graph.outputs, Mapping):
        return graph.training
    return {
        key: list(part.values()) if key in ("loss", "loss_weights", "metrics") and isinstance(part, Mapping) else part
        for key, part in graph.training.items()
    }


def _plain(value: Any) -> Any:
    """Tuples as lists, so that kinds of values and the order of keys can be compared."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
