"""The types of the neutral graph.

A `Layer` owns weights; a `Call` applies a layer or an op to `Value`s and gives new ones. Calls are the nodes and values
the edges, so sharing weights is two calls of one layer. Everything downstream of the lowering reads only this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from graphbuilder.catalog import LayerEntry, OpEntry, TensorType, Weight
from graphbuilder.errors import Position

__all__ = [
    "Adapter",
    "Argument",
    "BudgetDeclaration",
    "Call",
    "Constant",
    "CustomLayer",
    "FusedBranch",
    "Fusion",
    "Graph",
    "GraphInput",
    "Layer",
    "Locator",
    "Origin",
    "PassDeclaration",
    "PretrainingDeclaration",
    "Structure",
    "Value",
    "flatten",
    "map_structure",
]


class Locator(Protocol):
    """Whatever can say where the parts of a file stand."""

    @property
    def name(self) -> str:
        """The file's name as the user gave it."""

    def position(self, path: tuple[str | int, ...], *, key: bool = False) -> Position:
        """The span of the value, or of the key, at a path."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in a blueprint something was written. Positions are looked up only when asked for."""

    source: Locator
    path: tuple[str | int, ...]

    def position(self, *more: str | int, key: bool = False) -> Position:
        """The span of what was written, or of a part of it."""
        return self.source.position((*self.path, *more), key=key)


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A tensor that flows along the graph's edges.

    Arguments:
        name: the name of the call that gives it, with `.0`, `.1`… where a call gives several; or the input's name.
        type: its shape and dtype, or None where a custom layer does not state what it gives.
        masked: whether it carries a mask.
        modalities: those of the inputs that it was computed from, in the order of the inputs.
    """

    name: str
    type: TensorType | None
    masked: bool = False
    modalities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A number or an array that stands in the blueprint.

    Arguments:
        value: a number, a truth value or nested lists of them.
        dtype: None for a plain number, which takes on the dtype of what it meets.
        type: its shape and dtype; the weak dtypes "int", "float", "bool" for a plain number.
    """

    value: Any
    dtype: str | None
    type: TensorType


# What stands at a port: one value, several, or, for a custom layer, any structure of them.
Argument: TypeAlias = "Value | Constant | tuple[Argument, ...] | Mapping[str, Argument]"
# What a model gives back: a value, a list or a mapping.
Structure: TypeAlias = "Value | tuple[Structure, ...] | Mapping[str, Structure]"


@dataclass(frozen=True, slots=True)
class CustomLayer:
    """A layer that the catalog does not know: a class of somebody's package.

    Arguments:
        module: the module to import, once it is trusted.
        class_name: the class in that module.
        arguments: its constructor's arguments, as written.
    """

    module: str
    class_name: str
    arguments: Mapping[str, Any]

    @property
    def place(self) -> str:
        """`package.module:Class`."""
        return f"{self.module}:{self.class_name}"


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Something that owns weights.

    Arguments:
        name: the path of the node that made it, such as `encoder.2.attention`.
        entry: its kind and arguments.
        weights: what it owns, in Keras's order; None where they are not known: for a custom layer, and for a layer that
            is called on what a custom layer gives.
        origin: where it was written.
    """

    name: str
    entry: LayerEntry | CustomLayer
    weights: tuple[Weight, ...] | None
    origin: Origin

    @property
    def kind(self) -> str:
        """The layer's kind, as a blueprint writes it after `layer:`."""
        return self.entry.place if isinstance(self.entry, CustomLayer) else type(self.entry).name()

    @property
    def parameters(self) -> int | None:
        """How many numbers its weights hold; None where they are not known."""
        return None if self.weights is None else sum(weight.size for weight in self.weights)


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One application of a layer or an op: a node of the graph.

    Arguments:
        name: the node's path, unique in the graph.
        target: the layer that is applied, or the op.
        arguments: what stands at each connected port, by the port's name, in the order of the ports.
        options: call arguments that are not tensors.
        outputs: the values it gives.
        several: whether Keras returns a list, so that `outputs` are its items even where there is just one.
        macs: multiply-accumulates for one sample, or None where an axis is unknown.
        origin: where it was written.
        about: the author's description, if any.
    """

    name: str
    target: Layer | OpEntry
    arguments: Mapping[str, Argument]
    options: Mapping[str, Any]
    outputs: tuple[Value, ...]
    several: bool
    macs: int | None
    origin: Origin
    about: str | None = None

    @property
    def kind(self) -> str:
        """What is applied, as a blueprint writes it."""
        return self.target.kind if isinstance(self.target, Layer) else type(self.target).name()

    def inputs(self) -> Iterator[Value]:
        """The values that arrive at its ports, in order."""
        for argument in self.arguments.values():
            for leaf in flatten(argument):
                if isinstance(leaf, Value):
                    yield leaf

    @property
    def rank(self) -> int | None:
        """How many axes the first tensor has that arrives, where that is known."""
        first = next(self.inputs(), None)
        return None if first is None or first.type is None else first.type.rank


@dataclass(frozen=True, slots=True, eq=False)
class GraphInput:
    """A tensor that the model is given.

    Arguments:
        value: what it is in the graph; its name is the input's.
        modality: what it holds (image, text, audio, …), if the author says.
        origin: where it was written.
        about: the author's description, if any.
    """

    value: Value
    modality: str | None
    origin: Origin
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Adapter:
    """One call that brings a branch into a shape that its fusion takes.

    Arguments:
        call: the name of the call, such as `merged.image_features.pool`.
        written: the adapter as `align:` would write it, such as `pool` or `{project: 64}`.
        reason: why it is there, in one clause without a full stop.
        gives: what comes of the branch.
    """

    call: str
    written: str
    reason: str
    gives: TensorType


@dataclass(frozen=True, slots=True, eq=False)
class FusedBranch:
    """One branch of a fusion, before and after it was aligned.

    Arguments:
        name: what the fusion calls it: the reference under `from`.
        role: what the fusion takes it for ("query", "condition"), or None where all branches are alike.
        value: the branch as it arrives.
        adapted: the branch as it is merged; the same value where no adapter was needed.
        adapters: the calls between the two, in order.
        stated: whether the author stated them, under `align:`.
    """

    name: str
    role: str | None
    value: Value
    adapted: Value
    adapters: tuple[Adapter, ...]
    stated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Fusion:
    """What a `fuse:` node became.

    Arguments:
        name: the node's path; the value it gives has this name too.
        strategy: the way of merging, as a blueprint writes it.
        options: the strategy's options, those at their defaults included.
        branches: what is merged, in order.
        calls: the names of all calls that stand for the node, adapters included, in order.
        gives: the merged value.
        origin: where it was written.
        about: the author's description, if any.
    """

    name: str
    strategy: str
    options: Mapping[str, Any]
    branches: tuple[FusedBranch, ...]
    calls: tuple[str, ...]
    gives: Value
    origin: Origin
    about: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PassDeclaration:
    """A compression pass that a blueprint declares.

    Arguments:
        options: its keys, `pass` among them, expressions resolved.
        origin: where it was written.
    """

    options: Mapping[str, Any]
    origin: Origin


@dataclass(frozen=True, slots=True, eq=False)
class BudgetDeclaration:
    """What a blueprint says that its model may cost, as it is and once it is compressed.

    Arguments:
        bounds: its keys, expressions resolved.
        origin: where it was written.
    """

    bounds: Mapping[str, Any]
    origin: Origin


@dataclass(frozen=True, slots=True, eq=False)
class PretrainingDeclaration:
    """Weights that the layers of one block begin with.

    Arguments:
        path: the path under which its layers are kept; their names begin with it.
        block: the model of the zoo that it is, such as `zoo.mobilenet_v2`.
        weights: "imagenet" for those that Keras publishes, else the path of a file.
        arguments: those of Keras's function that choose the published weights, or the model that the file was made of.
        params: the params with which the model of the zoo has weights of these very shapes, standing alone.
        origin: where it was written.
        switch: the param of the file that turns it off when it is null, if there is one.
    """

    path: str
    block: str
    weights: str
    arguments: Mapping[str, Any]
    params: Mapping[str, Any]
    origin: Origin
    switch: str | None = None

    @property
    def told(self) -> str:
        """The weights in a word: `imagenet`, or the name of the file."""
        return self.weights.replace("\\", "/").rpartition("/")[2]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A model, flat and neutral: no blocks, params or fusions are left in it.

    Arguments:
        name: the model's name.
        inputs: by name, in order.
        inputs_as: what the model is called with: "tensor", "list" or "mapping".
        layers: by name, in order of first use.
        calls: by name, in an order in which every call stands after those that feed it.
        outputs: one value, or a list or mapping of them.
        params: the resolved params of the blueprint.
        training: how it wants to be trained, as plain data, or None.
        compression: the compression passes it declares, in order.
        about: the author's description, if any.
        fusions: what each `fuse:` node became, by the node's path.
        budget: what it may cost, or None.
        pretraining: weights that some of its layers begin with.
    """

    name: str
    inputs: Mapping[str, GraphInput]
    inputs_as: str
    layers: Mapping[str, Layer]
    calls: Mapping[str, Call]
    outputs: Structure
    params: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] | None = None
    compression: tuple[PassDeclaration, ...] = ()
    about: str | None = None
    fusions: Mapping[str, Fusion] = field(default_factory=dict)
    budget: BudgetDeclaration | None = None
    pretraining: tuple[PretrainingDeclaration, ...] = ()

    @property
    def parameters(self) -> int | None:
        """How many numbers the weights hold; None when a custom layer's are unknown."""
        sizes = [layer.parameters for layer in self.layers.values()]
        return None if None in sizes else sum(size for size in sizes if size is not None)


def flatten(structure: Argument | Structure) -> Iterator[Value | Constant]:
    """The leaves of a nested structure, in order."""
    waiting: list[Any] = [structure]
    while waiting:
        item = waiting.pop()
        if isinstance(item, (Value, Constant)):
            yield item
        elif isinstance(item, Mapping):
            waiting.extend(reversed(list(item.values())))
        else:
            waiting.extend(reversed(item))


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """The structure with every leaf replaced by what `function` gives for it; tuples become lists.

    Structures are written by people, at most as deep as the reader lets them be.
    """
    if isinstance(structure, Mapping):
        return {key: map_structure(function, item) for key, item in structure.items()}
    if isinstance(structure, tuple):
        return [map_structure(function, item) for item in structure]
    return function(structure)
