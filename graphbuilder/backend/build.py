"""Builds a graph as a functional model, in Keras 3 or in tf_keras, under the nodes' own names."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphbuilder.backend.frameworks import Framework, KerasVersion, deep_recursion, framework
from graphbuilder.backend.layers import Unbuildable, keras_layer
from graphbuilder.backend.operations import call_op, unmasked
from graphbuilder.backend.training import compile_model
from graphbuilder.catalog import OpEntry
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.graph import Call, Constant, CustomLayer, Graph, Layer, Value, layer_names, map_structure

__all__ = ["build", "is_trusted", "layer_names"]


def build(
    graph: Graph,
    *,
    keras: KerasVersion = 3,
    trust: Sequence[str] = (),
    compiled: bool = True,
    progress: Callable[[str, int, int], None] | None = None,
) -> Any:
    """The functional model of a graph.

    Arguments:
        graph: what to build.
        keras: 3 for Keras 3, 2 for the tf_keras twin.
        trust: modules whose layers may be imported (`package` trusts all that is in it).
        compiled: whether the model is compiled for training as the blueprint says, if it says so.
        progress: told of each node: its name, its number and how many there are.

    Returns:
        A `keras.Model`, or a `tf_keras.Model` for version 2.

    Raises:
        BlueprintError: Keras refuses a node, lacks a layer, or a custom layer is not trusted.
        MissingError: that Keras is not installed.

    Example:
        >>> from graphbuilder.blueprint import load
        >>> from graphbuilder.lowering import lower
        >>> build(lower(load("blueprints/cnn.yaml"))).count_params()
        1969738
    """
    builder = _Builder(graph, framework(keras), trust)
    with deep_recursion(len(graph.calls)):
        for number, call in enumerate(graph.calls.values(), 1):
            builder.call(call)
            if progress is not None:
                progress(call.name, number, len(graph.calls))
        model = builder.model()
        if compiled and graph.training is not None:
            compile_model(model, graph.training, builder.framework)
    return model


class _Builder:
    """The tensors and layers of one model, as they are made."""

    def __init__(self, graph: Graph, chosen: Framework, trust: Sequence[str]) -> None:
        self.graph = graph
        self.framework = chosen
        self.trust = trust
        self.names = layer_names(graph)
        self.layers: dict[str, Any] = {}
        self.tensors: dict[str, Any] = {}
        for name, given in graph.inputs.items():
            kind = given.value.type
            assert kind is not None
            shape = tuple(dim if isinstance(dim, int) else None for dim in kind.shape[1:])
            self.tensors[name] = chosen.keras.Input(shape=shape, dtype=kind.dtype, name=self.names[name])

    def model(self) -> Any:
        """The functional model over everything that was called."""
        inputs: Any = [self.tensors[name] for name in self.graph.inputs]
        if self.graph.inputs_as == "mapping":
            inputs = dict(zip(self.graph.inputs, inputs, strict=True))
        elif self.graph.inputs_as == "tensor":
            (inputs,) = inputs
        outputs = map_structure(lambda value: self.tensors[value.name], self.graph.outputs)
        return self.framework.keras.Model(inputs, outputs, name=self.graph.name)

    def call(self, call: Call) -> None:
        """Applies one call's layer or op to the tensors that feed it."""
        try:
            if isinstance(call.target, Layer):
                produced = self._call_layer(call, call.target)
            else:
                produced = self._call_op(call, call.target)
        except Unbuildable as error:
            raise _failure(call, "GB502", error.message, error.hint) from error
        except BlueprintError:
            raise
        except Exception as error:
            # Whatever Keras or a custom layer raises is told at the node; the cause stays attached for debugging.
            reason = " ".join(str(error).split())
            raise _failure(call, "GB501", f"Keras refuses it: {reason[:400]}") from error
        if isinstance(produced, Mapping):
            produced = list(produced.values())
        elif isinstance(call.target, Layer) and not isinstance(call.target.entry, CustomLayer):
            produced = _unbundled(produced) if call.target.entry.bundles() else produced
        several = isinstance(produced, (list, tuple))
        tensors = list(produced) if several else [produced]
        if len(tensors) != len(call.outputs):
            count = len(call.outputs)
            message = f"it gives {len(tensors)} tensors where {count} {'was' if count == 1 else 'were'} expected"
            raise _failure(call, "GB504", message, "state what it gives under gives: […]")
        for value, tensor in zip(call.outputs, tensors, strict=True):
            _verify(call, value, tensor)
            if self.framework.legacy and not value.masked and getattr(tensor, "_keras_mask", None) is not None:
                tensor = unmasked(tensor, f"{self.names.get(call.name, call.name)}.unmasked")
            self.tensors[value.name] = tensor

    def _tensor(self, leaf: Value | Constant) -> Any:
        if isinstance(leaf, Value):
            return self.tensors[leaf.name]
        if leaf.dtype is None:
            return leaf.value
        import numpy

        return numpy.array(leaf.value, dtype=leaf.dtype)

    def _call_layer(self, call: Call, target: Layer) -> Any:
        layer = self.layers.get(target.name)
        if layer is None:
            layer = self._make_layer(call, target)
            self.layers[target.name] = layer
        given = {port: map_structure(self._tensor, argument) for port, argument in call.arguments.items()}
        if isinstance(target.entry, CustomLayer):
            first = [given.pop("")] if "" in given else []
            return layer(*first, **given, **call.options)
        options = _known_to(layer, call.options) if self.framework.legacy else call.options
        positional, keywords = target.entry.keras_call(given, options)
        return layer(*positional, **keywords)

    def _make_layer(self, call: Call, target: Layer) -> Any:
        name = self.names[target.name]
        if not isinstance(target.entry, CustomLayer):
            return keras_layer(target.entry, self.framework, name)
        custom = target.entry
        if not is_trusted(target, self.trust):
            raise _failure(
                call,
                "GB503",
                f"{custom.place} is code that is not trusted, so it was not imported",
                f"if you trust it: --trust {custom.module}",
            )
        try:
            made = getattr(importlib.import_module(custom.module), custom.class_name)
        except (ImportError, AttributeError) as error:
            raise _failure(call, "GB503", f"{custom.place} cannot be imported: {error}") from error
        return made(**custom.arguments, name=name)

    def _call_op(self, call: Call, target: OpEntry) -> Any:
        given = {port: map_structure(self._tensor, argument) for port, argument in call.arguments.items()}
        return call_op(target, given, self.framework, self.names[call.name])


def _unbundled(produced: Any) -> list[Any]:
    """The tensors of nested lists, in order."""
    if not isinstance(produced, (list, tuple)):
        return [produced]
    return [tensor for item in produced for tensor in _unbundled(item)]


def is_trusted(layer: Layer, trust: Sequence[str]) -> bool:
    """Whether a layer is of the catalog, or of a module that may be imported.

    Arguments:
        layer: the layer.
        trust: modules whose layers may be imported (`package` trusts all that is in it).
    """
    if not isinstance(layer.entry, CustomLayer):
        return True
    place = layer.entry.module
    return any(place == module or place.startswith(f"{module}.") for module in trust)


def _known_to(layer: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """The call arguments that a layer of tf_keras takes too.

    Raises:
        Unbuildable: it lacks one that is not at rest.
    """
    taken = inspect.signature(layer.call).parameters
    kept = {}
    for name, value in options.items():
        if name in taken:
            kept[name] = value
        elif name != "training" and value not in (None, False):
            # Where tf_keras's layer has no `training`, it does the same in training and in inference.
            kind = type(layer).__name__
            hint = f"leave {name} out, or build with Keras 3"
            raise Unbuildable(f"{kind} of tf_keras has no call argument {name}", hint)
    return kept


def _failure(call: Call, code: str, message: str, hint: str | None = None) -> BlueprintError:
    """The error of a call that cannot be built, located at its node."""
    origin = call.origin
    return BlueprintError(
        Diagnostic(
            code, message, file=origin.source.name, position=origin.position(key=True), node=call.name, hint=hint
        )
    )


def _dtype_name(tensor: Any) -> str:
    """The dtype of a symbolic tensor of either Keras, by its plain name."""
    return str(getattr(tensor.dtype, "name", tensor.dtype))


def _verify(call: Call, value: Value, tensor: Any) -> None:
    """Holds what Keras made against what the check said it would make.

    Raises:
        BlueprintError: a custom layer does not give what its node states, or the catalog is wrong about a layer.
    """
    if value.type is None:
        return
    expected = tuple(dim if isinstance(dim, int) else None for dim in value.type.shape)
    found = tuple(tensor.shape)
    agree = len(expected) == len(found) and all(
        mine is None or theirs is None or mine == theirs for mine, theirs in zip(expected, found, strict=True)
    )
    custom = isinstance(call.target, Layer) and isinstance(call.target.entry, CustomLayer)
    if agree and custom and _dtype_name(tensor) != value.type.dtype:
        message = f"it gives {_dtype_name(tensor)} where {value.type.dtype} was stated"
        raise _failure(call, "GB504", message, "mend what the node states under gives:")
    if agree:
        return
    code = "GB504" if custom else "GB900"
    raise _failure(
        call,
        code,
        f"Keras gives {found} where {expected} was {'stated' if custom else 'inferred'}",
        "mend what the node states under gives:" if custom else "please report this with the blueprint",
    )
