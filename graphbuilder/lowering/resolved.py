"""A graph as a flat blueprint: no params, blocks, imports, repeats, fusions or expressions are left in it.

It is for graphs that no file of the user's describes, such as those that a pass has rewritten, and for models that are
handed on as one file. Each call is a node. Paths become names (`encoder.0.attention` → `encoder_0_attention`): nested
blocks could keep some paths as they are, but not where a path is both a node and what lies around others, as it is in
fusions and in layers that were replaced by two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphbuilder.blueprint import parse_blueprint
from graphbuilder.catalog import BATCH, TensorType
from graphbuilder.errors import BlueprintError, Diagnostic, InternalError
from graphbuilder.graph import Argument, Call, Constant, CustomLayer, Graph, Layer, Origin, Structure, Value, flatten
from graphbuilder.lowering.limits import GraphLimits
from graphbuilder.lowering.lower import lower
from graphbuilder.lowering.resolved_names import legal_name, node_names
from graphbuilder.lowering.resolved_proof import first_difference
from graphbuilder.lowering.resolved_values import Unwritable, literal, written_constant, written_entry
from graphbuilder.text import to_yaml

__all__ = ["Resolved", "resolved_blueprint", "resolved_text"]

# How wide the text may be, in columns.
_WIDTH = 110

# What was lowered once under whatever limits is lowered again under none.
_ENDLESS = 2**63
_NO_LIMITS = GraphLimits(nodes=_ENDLESS, elements=_ENDLESS, parameters=_ENDLESS)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A flat blueprint, and what the parts of the graph are called in it.

    Arguments:
        data: the blueprint as plain data.
        names: the node or input by the path of each call and the name of each input.
        layers: the node that makes each layer, by the layer's path; the layers of the model that is built from it are
            named so.
    """

    data: dict[str, Any]
    names: Mapping[str, str]
    layers: Mapping[str, str]


def resolved_blueprint(
    graph: Graph,
    *,
    compression: Sequence[Mapping[str, Any]] = (),
    budget: Mapping[str, Any] | None = None,
) -> Resolved:
    """The flat blueprint (format 1) that lowers to the same graph.

    Kinds, arguments, wiring, shared layers, shapes, masks, weights and cost are those of the graph, call by call; so
    are the inputs, the outputs, the training and what is written about them for people. Not in it is where parts came
    from: params, and what became of each fusion. So a warning about modalities may be new: what a fusion's `align:`
    states is taken as meant, and a node that does the same is not.

    Arguments:
        graph: the graph.
        compression: the passes to declare, as plain data; they name nodes as this blueprint does, see
            `graphbuilder.compression.renaming`.
        budget: what the compressed model may cost, as plain data.

    Raises:
        BlueprintError: the graph holds something that a blueprint has no words for, each such thing told at its node.

    Example:
        >>> from graphbuilder.api import load, lower
        >>> found = resolved_blueprint(lower(load("blueprints/transformer.yaml")))
        >>> found.data["nodes"]["encoder_layers_0_attention_sum"]
        {'layer': 'Add', 'from': ['encoder_dropped', 'encoder_layers_0_attention_dropout']}
        >>> found.names["encoder.layers.0.attention"]
        'encoder_layers_0_attention'
    """
    return _Writer(graph).resolved(compression, budget)


def resolved_text(
    graph: Graph,
    *,
    compression: Sequence[Mapping[str, Any]] = (),
    budget: Mapping[str, Any] | None = None,
    comment: str | None = None,
) -> str:
    """The same as YAML, a node on a line where that fits. It is read and lowered again, and compared with the graph.

    Arguments:
        graph: the graph.
        compression: see `resolved_blueprint`.
        budget: see `resolved_blueprint`.
        comment: text to put above it, without the `#`.

    Raises:
        BlueprintError: the graph holds something that a blueprint has no words for.
        InternalError: the text means another graph.

    Example:
        >>> from graphbuilder.api import load, lower
        >>> print(resolved_text(lower(load("blueprints/cnn.yaml"))).split("nodes:")[1].split("outputs:")[0].strip())
        conv: {layer: Conv2D, from: image, filters: 32, kernel_size: 3, activation: relu}
          pool: {layer: MaxPooling2D, from: conv}
          flat: {layer: Flatten, from: pool}
          hidden: {layer: Dense, from: flat, units: 64, activation: relu}
          scores: {layer: Dense, from: hidden, units: 10, activation: softmax}
    """
    writer = _Writer(graph)
    text = _text(writer.resolved(compression, budget).data, comment)
    _prove(graph, writer, text)
    return text


class _Writer:
    """Writes the parts of one graph.

    Arguments:
        graph: the graph.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.names = node_names(graph)
        self.found: list[Diagnostic] = []
        # By the value's name, as the rest of the project knows values.
        self.references = {item.value.name: self.names.inputs[name] for name, item in graph.inputs.items()}
        for call in graph.calls.values():
            node = self.names.calls[call.name]
            numbered = call.several and len(call.outputs) > 1
            for index, value in enumerate(call.outputs):
                self.references[value.name] = f"{node}.{index}" if numbered else node
        self._gives: dict[str, Any] = {}

    def resolved(self, compression: Sequence[Mapping[str, Any]], budget: Mapping[str, Any] | None) -> Resolved:
        """The whole blueprint.

        Raises:
            BlueprintError: with everything that cannot be said.
        """
        graph = self.graph
        data: dict[str, Any] = {"blueprint": 1, "name": legal_name(graph.name)}
        if graph.about is not None:
            data["description"] = graph.about
        if graph.inputs:
            data["inputs"] = dict(self._inputs())
        if graph.inputs_as != ("tensor" if len(graph.inputs) == 1 else "mapping"):
            data["inputs_as"] = graph.inputs_as
        data["nodes"] = dict(self._nodes())
        data["outputs"] = self._outputs(graph.outputs)
        parts = {"compression": list(compression) or None, "budget": budget, "training": self._training()}
        for key, part in parts.items():
            if part is not None:
                try:
                    data[key] = literal(part)
                except Unwritable as error:
                    self._refuse(None, None, error)
        if self.found:
            raise BlueprintError(self.found)
        # Where an input and a call share a path, which the format forbids, the call has it.
        return Resolved(data, {**self.names.inputs, **self.names.calls}, self.names.layers)

    def _refuse(self, origin: Origin | None, node: str | None, error: Unwritable) -> None:
        self.found.append(_diagnostic(error.code, error.message, origin, node, error.hint))

    def _inputs(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, item in self.graph.inputs.items():
            written: dict[str, Any] = {}
            try:
                written.update(_tensor(item.value.type, name))
            except Unwritable as error:
                self._refuse(item.origin, name, error)
            if item.modality is not None:
                written["modality"] = item.modality
            if item.about is not None:
                written["about"] = item.about
            yield self.names.inputs[name], written

    def _nodes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for call in self.graph.calls.values():
            node = self.names.calls[call.name]
            try:
                yield node, self._node(call, node)
            except Unwritable as error:
                self._refuse(call.origin, call.name, error)

    def _node(self, call: Call, node: str) -> dict[str, Any]:
        target = call.target
        written: dict[str, Any] = {}
        if not isinstance(target, Layer):
            written = {"op": call.kind, "from": self._source(call), **written_entry(target)}
        elif self.names.layers[target.name] != node:
            if self._gives.get(target.name) != self._given(call):
                told = f"{target.name} gives something else here than at its first call"
                raise Unwritable("GB310", told, "a custom layer that is called again gives the same shapes")
            written = {"reuse": self.names.layers[target.name], "from": self._source(call)}
        elif isinstance(target.entry, CustomLayer):
            gives = self._gives[target.name] = self._given(call)
            written = {"layer": target.kind, "from": self._source(call)}
            if target.entry.arguments:
                written["args"] = literal(target.entry.arguments)
            if gives is not None:
                written["gives"] = gives
        else:
            written = {"layer": call.kind, "from": self._source(call), **written_entry(target.entry)}
        if call.options:
            written["call"] = literal(call.options)
        if call.about is not None:
            written["about"] = call.about
        return written

    def _source(self, call: Call) -> Any:
        """What a node is called with, in the shortest form that its layer takes."""
        given = dict(call.arguments)
        if isinstance(call.target, Layer) and isinstance(call.target.entry, CustomLayer):
            alone = given.get("")
            whole: Argument = given if alone is None or len(given) > 1 or isinstance(alone, Mapping) else alone
            return self._argument(whole)
        entry = call.target.entry if isinstance(call.target, Layer) else call.target
        assert not isinstance(entry, CustomLayer)
        ports = entry.ports
        listed = [self._argument(argument) for argument in given.values()]
        if len(given) == 1 and ports[0].name in given:
            return listed[0]
        in_order = list(given) == [port.name for port in ports[: len(given)]]
        if in_order and not any(isinstance(argument, tuple) for argument in given.values()):
            return listed
        return dict(zip(given, listed, strict=True))

    def _argument(self, argument: Argument) -> Any:
        if isinstance(argument, Value):
            return self.references[argument.name]
        if isinstance(argument, Constant):
            return written_constant(argument)
        if isinstance(argument, tuple):
            return [self._argument(item) for item in argument]
        if "constant" in argument:
            raise Unwritable("GB303", "it has an argument constant, which under `from` means an array")
        return {key: self._argument(item) for key, item in argument.items()}

    def _given(self, call: Call) -> Any:
        """What a custom layer states that it gives; None where it states nothing, and for layers of the catalog."""
        assert isinstance(call.target, Layer)
        if not isinstance(call.target.entry, CustomLayer):
            return None
        if not call.several and call.outputs[0].type is None:
            return None
        stated = [literal(_tensor(value.type, value.name)) for value in call.outputs]
        return stated if call.several else stated[0]

    def _outputs(self, outputs: Structure) -> Any:
        if isinstance(outputs, Value):
            return self.references[outputs.name]
        items: Sequence[Any] = list(outputs.values()) if isinstance(outputs, Mapping) else outputs
        if not all(isinstance(item, Value) for item in items):
            message = "the outputs are nested, and a blueprint names each in one list or mapping"
            self.found.append(_diagnostic("GB204", message, None, None))
            return None
        named = [self.references[item.name] for item in items]
        return dict(zip(outputs, named, strict=True)) if isinstance(outputs, Mapping) else named

    def _training(self) -> dict[str, Any] | None:
        """The training, with the new names where outputs are told apart by the nodes that give them."""
        training = self.graph.training
        if training is None:
            return None
        outputs = self.graph.outputs
        if isinstance(outputs, Mapping):
            return dict(training)
        renamed: dict[str, str] = {}
        for leaf in flatten(outputs):
            assert isinstance(leaf, Value)
            renamed[leaf.name] = self.references[leaf.name]
        # Keras calls an output after the layer or op that gives it.
        for call in self.graph.calls.values():
            if any(value.name in renamed for value in call.outputs):
                by_keras = call.target.name if isinstance(call.target, Layer) else call.name
                renamed[by_keras] = self.names.layers.get(by_keras, self.names.calls[call.name])
        return {
            key: {renamed.get(name, name): item for name, item in part.items()}
            if key in ("loss", "loss_weights", "metrics") and isinstance(part, Mapping)
            else part
            for key, part in training.items()
        }


def _tensor(found: TensorType | None, name: str) -> dict[str, Any]:
    """The shape and dtype of an input, or of what a custom layer gives."""
    if found is None:
        raise Unwritable("GB204", f"the shape of {name} is not known")
    if found.shape[:1] != (BATCH,):
        raise Unwritable("GB304", f"{name} is {found}, and a blueprint's tensors begin with the batch axis")
    shape = {"shape": list(found.shape[1:])}
    return shape if found.dtype == "float32" else {**shape, "dtype": found.dtype}


def _diagnostic(
    code: str, message: str, origin: Origin | None, node: str | None, hint: str | None = None
) -> Diagnostic:
    file = origin.source.name if origin is not None else None
    position = origin.position(key=True) if origin is not None else None
    return Diagnostic(code, message, file=file, position=position, node=node, hint=hint)


def _text(data: Mapping[str, Any], comment: str | None) -> str:
    """The text, with an empty line between its sections."""
    sections: list[dict[str, Any]] = [{}]
    for key, value in data.items():
        if key in ("inputs", "nodes", "outputs", "compression", "budget", "training"):
            sections.append({})
        sections[-1][key] = value
    return "\n".join(
        to_yaml(section, comment=None if number else comment, width=_WIDTH) for number, section in enumerate(sections)
    )


def _prove(graph: Graph, writer: _Writer, text: str) -> None:
    """Lowers a text again.

    Raises:
        BlueprintError: it has an error; that is told at the node of the graph.
        InternalError: it means another graph.
    """
    try:
        again = lower(parse_blueprint(text, name="the resolved blueprint"), limits=_NO_LIMITS)
    except BlueprintError as error:
        raise BlueprintError([_at_the_graph(graph, writer, found) for found in error.diagnostics]) from None
    difference = first_difference(graph, again)
    if difference is not None:
        message = f"{graph.name} was written as a blueprint that means something else: {difference}"
        raise InternalError(Diagnostic("GB900", message))


def _at_the_graph(graph: Graph, writer: _Writer, found: Diagnostic) -> Diagnostic:
    """What is wrong with the text, told at the node or input that it was made from."""
    calls = {node: call.origin for call in graph.calls.values() for node in [writer.names.calls[call.name]]}
    inputs = {writer.names.inputs[name]: item.origin for name, item in graph.inputs.items()}
    origin = {**calls, **inputs}.get(found.node or "")
    paths = {node: path for path, node in {**writer.names.calls, **writer.names.inputs}.items()}
    return replace(
        found,
        file=origin.source.name if origin is not None else None,
        position=origin.position(key=True) if origin is not None else None,
        node=paths.get(found.node or "", found.node),
        related=(),
        fix=None,
    )
