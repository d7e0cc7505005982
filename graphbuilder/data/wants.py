"""What a graph needs of data: its inputs and the targets of its outputs, with the shapes and values they may have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from graphbuilder.catalog import Shape, shape_text
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.graph import Graph, GraphInput, Layer, Value, flatten

__all__ = ["Role", "Rule", "Values", "Wanted", "Wants", "losses_of", "wants_of"]

Role: TypeAlias = Literal["input", "output"]


class Values(StrEnum):
    """Which values an array may hold."""

    ANY = "any"
    IDS = "ids"
    CLASSES = "classes"
    ONE_HOT = "one-hot"
    UNIT = "unit"
    SIGNS = "signs"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class Rule:
    """What the values of an array must be.

    Arguments:
        values: the kind of values.
        size: how many ids or classes there are, or None where that is not known.
        because: what asks for it, such as `the loss sparse_categorical_crossentropy`.
        ignored: a label that the loss leaves out, whatever the number of classes.
    """

    values: Values = Values.ANY
    size: int | None = None
    because: str = ""
    ignored: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One array that the graph needs.

    Arguments:
        name: what it is called: an input, or an output.
        role: which of the two.
        shape: its axes without the samples' axis, or None where they are not known.
        dtype: what the model takes.
        rule: which values it may hold.
        aliases: other names under which data may hold it.
        modality: what an input holds, if the author says.
    """

    name: str
    role: Role
    shape: Shape | None
    dtype: str
    rule: Rule = Rule()
    aliases: tuple[str, ...] = ()
    modality: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every name under which data may hold it, its own first."""
        return (self.name, *self.aliases)

    def __str__(self) -> str:
        shape = "any shape" if self.shape is None else shape_text(("samples", *self.shape))
        return f"{shape} {self.dtype}"


@dataclass(frozen=True, slots=True)
class Wants:
    """Everything that a graph needs of data.

    Arguments:
        model: the model's name.
        inputs: its inputs, in order.
        outputs: the targets, in the order of the outputs; empty where none are asked for.
        inputs_as: what the model is called with: "tensor", "list" or "mapping".
        outputs_as: what its targets are given as.
    """

    model: str
    inputs: tuple[Wanted, ...]
    outputs: tuple[Wanted, ...]
    inputs_as: str
    outputs_as: str

    def __iter__(self) -> Iterator[Wanted]:
        yield from self.inputs
        yield from self.outputs

    def feed(self, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> tuple[Any, Any]:
        """The arrays as the model takes them, inputs and targets.

        Arguments:
            inputs: the arrays of the inputs, by name.
            outputs: the targets, by the outputs' names.
        """
        given = _arranged(self.inputs_as, [(wanted.name, inputs[wanted.name]) for wanted in self.inputs])
        # tf_keras takes a list of one output for that output.
        alone = self.outputs_as == "list" and len(self.outputs) == 1
        how = "tensor" if alone else self.outputs_as
        return given, _arranged(how, [(wanted.name, outputs[wanted.name]) for wanted in self.outputs])


def _arranged(how: str, named: list[tuple[str, Any]]) -> Any:
    if how == "mapping":
        return dict(named)
    if how == "list":
        return tuple(value for _, value in named)
    return named[0][1] if named else None


def wants_of(graph: Graph, *, labels: bool = True) -> Wants:
    """What a graph needs of data.

    Arguments:
        graph: the model; its `training` says what the targets must be.
        labels: whether targets are needed too.

    Raises:
        BlueprintError: the outputs are nested deeper than data can be named.
    """
    alone = len(graph.inputs) == 1
    inputs = tuple(_input(graph, name, given, alone) for name, given in graph.inputs.items())
    outputs = graph.outputs
    if isinstance(outputs, Value):
        named, how = {outputs.name: outputs}, "tensor"
    elif isinstance(outputs, Mapping):
        named, how = _flat(outputs), "mapping"
    else:
        named, how = _flat({_value_name(item): item for item in outputs}), "list"
    if not labels:
        return Wants(graph.name, inputs, (), graph.inputs_as, how)
    losses = _losses(graph.training or {}, list(named))
    targets = tuple(_output(name, value, losses.get(name), len(named) == 1) for name, value in named.items())
    return Wants(graph.name, inputs, targets, graph.inputs_as, how)


def losses_of(graph: Graph) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """The loss of each output that has one: its name and its options.

    Arguments:
        graph: the model.
    """
    return _losses(graph.training or {}, [wanted.name for wanted in wants_of(graph).outputs])


def _value_name(item: Any) -> str:
    return item.name if isinstance(item, Value) else ""


def _flat(outputs: Mapping[str, Any]) -> dict[str, Value]:
    if not all(isinstance(value, Value) for value in outputs.values()):
        message = "the outputs are nested, so that data cannot name them"
        raise BlueprintError(Diagnostic("GB721", message, expected="one output, or a list or mapping of them"))
    return dict(outputs)


def _input(graph: Graph, name: str, given: GraphInput, alone: bool) -> Wanted:
    kind = given.value.type
    assert kind is not None
    return Wanted(
        name,
        "input",
        kind.shape[1:],
        kind.dtype,
        _ids(graph, given.value),
        ("x", "X") if alone else (),
        given.modality,
    )


def _ids(graph: Graph, value: Value) -> Rule:
    """The rule of an input that is looked up by an Embedding, or by several."""
    rule = Rule()
    for call in graph.calls.values():
        if not isinstance(call.target, Layer) or call.target.kind != "Embedding":
            continue
        size = getattr(call.target.entry, "input_dim", None)
        looked_up = any(value is leaf for argument in call.arguments.values() for leaf in flatten(argument))
        if looked_up and isinstance(size, int) and (rule.size is None or size < rule.size):
            rule = Rule(Values.IDS, size, f"the Embedding {call.name}")
    return rule


# Losses by their names without capitals and underscores, as Keras writes them in either way.
_SAME = {"bce": "binarycrossentropy", "kld": "kldivergence", "msle": "meansquaredlogarithmicerror"}
_ONE_HOT = {"categoricalcrossentropy", "categoricalfocalcrossentropy", "kldivergence"}
_UNIT = {"binarycrossentropy", "binaryfocalcrossentropy"}
_SIGNS = {"hinge", "squaredhinge"}
_POSITIVE = {"poisson", "meansquaredlogarithmicerror"}
# What they take for targets has a shape of its own.
_SHAPED_OTHERWISE = {"ctc", "circle"}


def _output(name: str, value: Value, loss: tuple[str, Mapping[str, Any]] | None, alone: bool) -> Wanted:
    kind = value.type
    shape = None if kind is None else kind.shape[1:]
    dtype = "float32" if kind is None else kind.dtype
    written, options = loss or ("", {})
    folded = written.lower().replace("_", "")
    folded = _SAME.get(folded, folded)
    because = f"the loss {written}"
    last = shape[-1] if shape else None
    size = last if isinstance(last, int) else None
    by_default = options.get("axis", -1) == -1
    rule = Rule()
    if folded in _SHAPED_OTHERWISE:
        shape, dtype = None, "int32"
    elif folded == "sparsecategoricalcrossentropy" and by_default:
        rule = Rule(Values.CLASSES, size, because, options.get("ignore_class"))
        shape, dtype = (None if shape is None else shape[:-1]), "int32"
    elif folded in _ONE_HOT and by_default:
        rule = Rule(Values.ONE_HOT, size, because)
    elif folded in _UNIT:
        rule = Rule(Values.UNIT, None, because)
    elif folded in _SIGNS:
        rule = Rule(Values.SIGNS, None, because)
    elif folded in _POSITIVE:
        rule = Rule(Values.POSITIVE, None, because)
    aliases = [] if value.name == name else [value.name]
    if alone:
        aliases += ["y", "label", "labels", "target", "targets"]
    return Wanted(name, "output", shape, dtype, rule, tuple(alias for alias in aliases if alias != name))


def _losses(training: Mapping[str, Any], outputs: list[str]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """The loss of each output, by name and options, as far as `training:` says."""
    written = training.get("loss")
    if isinstance(written, list):
        return {name: one for name, item in zip(outputs, written, strict=False) if (one := _loss(item))}
    if isinstance(written, dict) and not (len(written) == 1 and next(iter(written)) not in outputs):
        return {name: one for name, item in written.items() if (one := _loss(item))}
    one = _loss(written)
    return {} if one is None else dict.fromkeys(outputs, one)


def _loss(written: Any) -> tuple[str, Mapping[str, Any]] | None:
    if isinstance(written, str):
        return written, {}
    if isinstance(written, dict) and len(written) == 1:
        name, options = next(iter(written.items()))
        return str(name), options or {}
    return None
