"""What each call of a graph gives and costs, and the sums over the graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graphbuilder.analysis.sizes import item_bytes
from graphbuilder.catalog import TensorType
from graphbuilder.graph import Call, CustomLayer, Fusion, Graph, Layer, Structure, Value, flatten

__all__ = ["CallSummary", "InputSummary", "OutputSummary", "Summary", "Totals", "summarize", "variable_dtype"]


@dataclass(frozen=True, slots=True)
class CallSummary:
    """One call.

    Arguments:
        name: the node's path.
        kind: what is applied, as a blueprint writes it.
        inputs: the values that arrive, in the order of the ports, each once; inputs of the model by their names.
        values: the values it gives, by name: the call's own, or `name.0`, `name.1`… where there are several.
        outputs: the type of each of them; None where a custom layer does not state it.
        masked: whether each of them carries a mask.
        layer: the layer that is applied, None for an op.
        shares: the call that is counted for the layer's weights, where it has any and that is another call than this.
        shared_by: the later calls that use this call's weights again.
        trainable: numbers that training changes; 0 for an op and where the weights are counted elsewhere, None where
            they are unknown.
        non_trainable: the same for those that it does not change.
        macs: multiply-accumulates for one sample; None where an axis is unknown.
        about: the author's description, if any.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    values: tuple[str, ...]
    outputs: tuple[TensorType | None, ...]
    masked: tuple[bool, ...]
    layer: str | None
    shares: str | None
    shared_by: tuple[str, ...]
    trainable: int | None
    non_trainable: int | None
    macs: int | None
    about: str | None

    @property
    def parameters(self) -> int | None:
        """All the numbers that the call brings along; None where they are unknown."""
        if self.trainable is None or self.non_trainable is None:
            return None
        return self.trainable + self.non_trainable


@dataclass(frozen=True, slots=True)
class InputSummary:
    """A tensor that the model is given.

    Arguments:
        name: the input's name.
        type: its shape and dtype.
        modality: what it holds, if the author says.
        about: the author's description, if any.
    """

    name: str
    type: TensorType | None
    modality: str | None
    about: str | None


@dataclass(frozen=True, slots=True)
class OutputSummary:
    """A tensor that the model gives.

    Arguments:
        name: its key where the outputs are a mapping, its number in a list, None for a single one.
        value: the value that it is, by the name of its node.
        type: its shape and dtype, None where unknown.
        masked: whether it carries a mask.
    """

    name: str | None
    value: str
    type: TensorType | None
    masked: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the graph, each over what is known.

    Arguments:
        trainable: numbers that training changes.
        non_trainable: numbers that it does not change.
        unknown_weights: the layers whose weights are unknown; they are in none of the sums.
        size: what the weights take in bytes, by dtype.
        macs: multiply-accumulates for one sample.
        unknown_macs: the calls whose multiply-accumulates are unknown.
    """

    trainable: int
    non_trainable: int
    unknown_weights: tuple[str, ...]
    size: Mapping[str, int]
    macs: int
    unknown_macs: tuple[str, ...]

    @property
    def parameters(self) -> int:
        """All the numbers that the known weights hold."""
        return self.trainable + self.non_trainable


@dataclass(frozen=True, slots=True)
class Summary:
    """A graph in numbers.

    Arguments:
        name: the model's name.
        about: the author's description, if any.
        inputs: what the model is given.
        calls: its nodes, each after those that feed it.
        outputs: what it gives.
        totals: the sums.
        fusions: what each `fuse:` node became.
        pretrained: the weights that blocks begin with, by the paths of these.
    """

    name: str
    about: str | None
    inputs: tuple[InputSummary, ...]
    calls: tuple[CallSummary, ...]
    outputs: tuple[OutputSummary, ...]
    totals: Totals
    fusions: tuple[Fusion, ...] = ()
    pretrained: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Calls:
    """The calls of each layer: the first, which is counted, and the later ones."""

    first: dict[str, str] = field(default_factory=dict)
    later: dict[str, list[str]] = field(default_factory=dict)


def summarize(graph: Graph) -> Summary:
    """The summary of a graph.

    A layer's parameters are counted at its first call, as Keras counts them. They are those of the graph as it stands:
    a layer with `trainable: false` has no trainable ones.

    Example:
        >>> from graphbuilder.api import lower
        >>> summarize(lower("blueprints/cnn.yaml")).totals.parameters
        1969738
    """
    uses = _uses(graph.calls.values())
    calls = tuple(_summary_of(call, uses) for call in graph.calls.values())
    inputs = tuple(
        InputSummary(name, item.value.type, item.modality, item.about) for name, item in graph.inputs.items()
    )
    totals = _totals(graph.layers.values(), calls)
    fusions = tuple(graph.fusions.values())
    pretrained = {each.path: each.told for each in graph.pretraining}
    return Summary(graph.name, graph.about, inputs, calls, _outputs(graph), totals, fusions, pretrained)


def _uses(calls: Iterable[Call]) -> _Calls:
    uses = _Calls()
    for call in calls:
        if isinstance(call.target, Layer):
            layer = call.target.name
            if layer in uses.first:
                uses.later.setdefault(layer, []).append(call.name)
            else:
                uses.first[layer] = call.name
    return uses


def _summary_of(call: Call, uses: _Calls) -> CallSummary:
    layer = call.target if isinstance(call.target, Layer) else None
    first = uses.first[layer.name] if layer is not None else None
    counted = first == call.name
    trainable, non_trainable = _split(layer) if layer is not None and counted else (0, 0)
    return CallSummary(
        name=call.name,
        kind=call.kind,
        inputs=tuple(dict.fromkeys(value.name for value in call.inputs())),
        values=tuple(value.name for value in call.outputs),
        outputs=tuple(value.type for value in call.outputs),
        masked=tuple(value.masked for value in call.outputs),
        layer=layer.name if layer is not None else None,
        shares=None if counted or layer is None or layer.parameters == 0 else first,
        shared_by=tuple(uses.later.get(layer.name, ()))
        if layer is not None and counted and layer.parameters != 0
        else (),
        trainable=trainable,
        non_trainable=non_trainable,
        macs=call.macs,
        about=call.about,
    )


def _split(layer: Layer) -> tuple[int | None, int | None]:
    """The numbers that training changes, and those that it does not."""
    if layer.weights is None:
        return None, None
    total = sum(weight.size for weight in layer.weights)
    trains = not isinstance(layer.entry, CustomLayer) and layer.entry.trainable
    trainable = sum(weight.size for weight in layer.weights if weight.trainable) if trains else 0
    return trainable, total - trainable


def _outputs(graph: Graph) -> tuple[OutputSummary, ...]:
    parts: list[tuple[str | None, Structure]]
    if isinstance(graph.outputs, Value):
        parts = [(None, graph.outputs)]
    elif isinstance(graph.outputs, Mapping):
        parts = list(graph.outputs.items())
    else:
        parts = [(str(index), part) for index, part in enumerate(graph.outputs)]
    return tuple(
        OutputSummary(name, leaf.name, leaf.type, leaf.masked)
        for name, part in parts
        for leaf in flatten(part)
        if isinstance(leaf, Value)
    )


def _totals(layers: Iterable[Layer], calls: Iterable[CallSummary]) -> Totals:
    trainable = non_trainable = macs = 0
    size: Counter[str] = Counter()
    unknown_weights, unknown_macs = [], []
    for layer in layers:
        changing, fixed = _split(layer)
        if changing is None or fixed is None:
            unknown_weights.append(layer.name)
            continue
        trainable += changing
        non_trainable += fixed
        dtype = variable_dtype(layer)
        size[dtype] += (changing + fixed) * (item_bytes(dtype) or 0)
    for call in calls:
        if call.macs is None:
            unknown_macs.append(call.name)
        else:
            macs += call.macs
    held = {dtype: taken for dtype, taken in size.items() if taken}
    return Totals(trainable, non_trainable, tuple(unknown_weights), held, macs, tuple(unknown_macs))


def variable_dtype(layer: Layer) -> str:
    """The dtype that a layer keeps its weights in: mixed policies compute in another one."""
    policy = None if isinstance(layer.entry, CustomLayer) else layer.entry.dtype
    return "float32" if policy is None or policy.startswith("mixed_") else policy
