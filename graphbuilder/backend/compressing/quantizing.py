"""Training aware of quantization to 8 bits, on a copy of the twin."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from tensorflow_model_optimization.python.core.quantization.keras import quantize, quantize_annotate, quantize_wrapper
from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import default_8bit_quantize_registry

from graphbuilder.backend.build import layer_names
from graphbuilder.backend.compressing.quantize_configs import (
    CONFIGS,
    SAME_SCALE,
    PathsConfig,
    config_for,
    output_config,
)
from graphbuilder.backend.compressing.quantize_scheme import Scheme, depthwise_name
from graphbuilder.backend.compressing.seams import float_seam, seams_of
from graphbuilder.backend.compressing.toolkit import keras, tfmot
from graphbuilder.backend.compressing.variables import variables_of
from graphbuilder.backend.weights import weights_by_name
from graphbuilder.catalog import LayerEntry
from graphbuilder.compression.legality_table import MOVING
from graphbuilder.compression.targets import Target
from graphbuilder.errors import BlueprintError, Diagnostic, InternalError
from graphbuilder.graph import Call, CustomLayer, Graph, Layer, Value, flatten

__all__ = ["quantized_twin", "quantized_variables"]

# A batch normalization after one of these is folded into it, with a ReLU after that.
_FOLDED_INTO = frozenset({"Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Dense"})


def quantized_twin(twin: Any, graph: Graph, targets: Sequence[Target]) -> Any:
    """A copy of a twin that computes the chosen layers as after conversion to 8 bits. Layers keep their names.

    Arguments:
        twin: a float tf_keras model built from the graph.
        graph: the graph.
        targets: the layers; a batch normalization and a ReLU that are folded into one of them come along.

    Raises:
        BlueprintError: tensorflow-model-optimization refuses a layer, which is named.
    """
    try:
        return _quantized(twin, graph, targets)
    except (ValueError, RuntimeError, TypeError, NotImplementedError) as error:
        raise _refusal(twin, graph, targets, error) from error


def _refusal(twin: Any, graph: Graph, targets: Sequence[Target], error: Exception) -> BlueprintError:
    """What tensorflow-model-optimization said, at the first layer that it also says it of alone."""
    reason = " ".join(str(error).split())[:400]
    message = f"tensorflow-model-optimization refuses to quantize it: {reason}"
    for target in targets if len(targets) > 1 else ():
        try:
            _quantized(twin, graph, [target])
        except type(error):
            return BlueprintError(_at(graph, target.layer, message))
    # Alone none is refused: then it is the only one, or all of them together.
    return BlueprintError(_at(graph, targets[0].layer, message) if len(targets) == 1 else Diagnostic("GB821", message))


def _at(graph: Graph, layer: str, message: str) -> Diagnostic:
    origin = graph.layers[layer].origin
    hint = "leave it out of the pass, with `where: {except: …}`"
    position = origin.position(key=True)
    return Diagnostic("GB821", message, file=origin.source.name, position=position, node=layer, hint=hint)


def _quantized(twin: Any, graph: Graph, targets: Sequence[Target]) -> Any:
    """As `quantized_twin`, with the errors of tensorflow-model-optimization."""
    names = layer_names(graph)
    chosen = _configs(graph, targets)
    configs = {names[path]: config for path, config in chosen.items()}
    seams = {names[path] for path in seams_of(graph, chosen)}

    def annotated(layer: Any) -> Any:
        copy = type(layer).from_config(layer.get_config())
        if layer.name not in configs:
            return copy
        return _Annotated(copy, configs[layer.name])

    custom = {type(layer).__name__: type(layer) for layer in twin.layers if not _of_keras(layer)}
    with tfmot.quantization.keras.quantize_scope({**CONFIGS, **custom}):
        copy = keras.models.clone_model(twin, clone_function=annotated)
        copy.set_weights(twin.get_weights())
        with _masks_kept():
            quantized = quantize.quantize_apply(copy, Scheme(configs), quantized_layer_name_prefix="")
    for layer in quantized._flatten_layers():
        # Penalties on what layers give are left over from the models in between; those of this one are computed anew.
        layer._losses.clear()
        if layer.name in seams:
            layer.before_floats = True
    return quantized


class _Annotated(quantize_annotate.QuantizeAnnotate):  # type: ignore[misc]  # it has no types
    """Marks a layer to be quantized, and gives it no mask that it does not take."""

    def call(self, *arguments: Any, **keywords: Any) -> Any:
        if "mask" not in inspect.signature(self.layer.call).parameters:
            keywords.pop("mask", None)
        return super().call(*arguments, **keywords)


class _MaskedWrapper(quantize_wrapper.QuantizeWrapperV2):  # type: ignore[misc]  # it has no types
    """The wrapper of a quantized layer, which also hands on masks, and penalties on what the layer gives.

    The one of tensorflow-model-optimization loses both without a word, and padding would be computed with.
    """

    # Whether what it gives is joined with floats.
    before_floats = False

    def __init__(self, layer: Any, *arguments: Any, **keywords: Any) -> None:
        super().__init__(layer, *arguments, **keywords)
        self.supports_masking = layer.supports_masking
        self._takes_mask = "mask" in inspect.signature(layer.call).parameters

    def call(self, inputs: Any, training: Any = None, mask: Any = None, **keywords: Any) -> Any:
        if self._takes_mask:
            keywords["mask"] = mask
        outputs = super().call(inputs, training=training, **keywords)
        # The layer is not called as a layer, which would see to it.
        self.layer._handle_activity_regularization(inputs, outputs)
        return float_seam(outputs) if self.before_floats else outputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.layer.compute_mask(inputs, mask)


@contextlib.contextmanager
def _masks_kept() -> Iterator[None]:
    """Lets tensorflow-model-optimization, which takes no other wrapper, wrap by ours."""
    quantize.quantize_wrapper = SimpleNamespace(
        QuantizeWrapper=quantize_wrapper.QuantizeWrapper, QuantizeWrapperV2=_MaskedWrapper
    )
    try:
        yield
    finally:
        quantize.quantize_wrapper = quantize_wrapper


def _of_keras(layer: Any) -> bool:
    return type(layer).__module__.partition(".")[0] == "tf_keras"


def _configs(graph: Graph, targets: Sequence[Target]) -> dict[str, Any]:
    """How each layer is quantized: by a configuration of our own, or by None for the default one."""
    chosen = {target.layer for target in targets}
    folded = set(_folded(graph, chosen))
    moving = _moving(graph, chosen)
    registry = default_8bit_quantize_registry.Default8BitQuantizeRegistry()
    several = {call.target.name for call in graph.calls.values() if isinstance(call.target, Layer) and call.several}
    found: dict[str, Any] = {}
    for path, layer in graph.layers.items():
        if isinstance(layer.entry, CustomLayer):
            continue
        known = layer.kind in _FOLDED_INTO or registry._is_supported_layer(getattr(keras.layers, layer.kind, None))
        if path in folded:
            found[path] = None
        elif path in chosen:
            default = known and layer.kind not in SAME_SCALE
            found[path] = None if default else config_for(layer.entry, several=path in several)
        elif path in moving:
            found[path] = None if known else PathsConfig()
    return {**{path: output_config(graph.layers[path].entry) for path in _feeding(graph, found)}, **found}


def _feeding(graph: Graph, quantized: Collection[str]) -> Iterator[str]:
    """The layers that are left out and feed quantized ones.

    What they give is quantized, because the converter keeps a layer as it is, in floats, whose input comes as floats.
    """
    makers = {value.name: call for call in graph.calls.values() for value in call.outputs}
    for call in graph.calls.values():
        if not isinstance(call.target, Layer) or call.target.name not in quantized:
            continue
        for value in call.inputs():
            target = makers[value.name].target if value.name in makers else None
            if not isinstance(target, Layer) or isinstance(target.entry, CustomLayer) or target.name in quantized:
                continue
            if _is_float(value) and not makers[value.name].several and not _recurrent(target.entry):
                yield target.name


def _recurrent(entry: LayerEntry | CustomLayer) -> bool:
    """Whether a layer is recurrent, or runs one: TFLite's converter refuses an LSTM that is wrapped to be quantized."""
    while isinstance(entry, LayerEntry):
        if type(entry).name() in ("LSTM", "GRU", "SimpleRNN"):
            return True
        entry = getattr(entry, "layer", None)  # type: ignore[assignment]  # None ends it
    return False


def _is_float(value: Value) -> bool:
    return value.type is not None and "float" in value.type.dtype


def _moving(graph: Graph, chosen: set[str]) -> set[str]:
    """The layers that only move numbers towards chosen layers.

    They are taken for quantized too. Otherwise nothing would quantize what enters them, and with it the chosen layers'
    input.
    """
    wanted: set[str] = set()
    found: set[str] = set()
    for call in reversed(list(graph.calls.values())):
        if not isinstance(call.target, Layer):
            continue
        moves = call.kind in MOVING
        if call.target.name in chosen or (moves and any(value.name in wanted for value in call.outputs)):
            wanted.update(value.name for value in call.inputs())
            if call.target.name not in chosen:
                found.add(call.target.name)
    return found


def _folded(graph: Graph, chosen: set[str]) -> Iterator[str]:
    """The batch normalizations and ReLUs that are computed as parts of chosen layers."""
    makers = {output.name: call for call in graph.calls.values() for output in call.outputs}
    users: dict[str, int] = {}
    for call in graph.calls.values():
        for value in call.inputs():
            users[value.name] = users.get(value.name, 0) + 1
    for leaf in flatten(graph.outputs):
        if isinstance(leaf, Value):
            users[leaf.name] = users.get(leaf.name, 0) + 1

    def before(call: Call) -> Call | None:
        """What feeds a call, if it feeds nothing else."""
        given = list(call.inputs())
        return makers.get(given[0].name) if len(given) == 1 and users[given[0].name] == 1 else None

    taken: set[str] = set()
    for call in graph.calls.values():
        source = before(call)
        if not isinstance(call.target, Layer) or source is None or not isinstance(source.target, Layer):
            continue
        if call.kind == "BatchNormalization":
            if source.kind in _FOLDED_INTO and source.target.name in chosen and _linear(source.target):
                taken.add(call.target.name)
                yield call.target.name
        elif _is_relu(call.target) and (
            source.target.name in taken or (source.kind in _FOLDED_INTO and source.target.name in chosen)
        ):
            yield call.target.name


def _linear(layer: Layer) -> bool:
    activation = getattr(layer.entry, "activation", None)
    return activation is None or activation.name == "linear"


def _is_relu(layer: Layer) -> bool:
    if layer.kind == "ReLU":
        return True
    activation = getattr(layer.entry, "activation", None)
    return layer.kind == "Activation" and activation is not None and activation.name == "relu"


def quantized_variables(quantized: Any, twin: Any, graph: Graph) -> Mapping[tuple[str, str], Any]:
    """The float variables of a model that is aware of quantization, by the names that the graph has for them.

    Arguments:
        quantized: the model.
        twin: the float model that it was made of.
        graph: the graph that both stand for.
    """
    names = layer_names(graph)
    theirs = weights_by_name(quantized)
    paths = {
        id(variable): (name, path)
        for name, weights in weights_by_name(twin).items()
        for path, variable in weights.items()
    }
    found: dict[tuple[str, str], Any] = {}
    for (layer, weight), variable in variables_of(twin, graph).items():
        name, path = paths[id(variable)]
        if graph.layers[layer].kind.startswith("SeparableConv") and depthwise_name(names[layer]) in theirs:
            if path == "depthwise_kernel":
                name = depthwise_name(name)
            elif path == "pointwise_kernel":
                path = "kernel"
        variable_there = theirs.get(name, {}).get(path)
        if variable_there is None:
            message = f"the quantized model has {', '.join(theirs.get(name, {}))}, and no {path}"
            raise InternalError(Diagnostic("GB900", message, node=layer))
        found[layer, weight] = variable_there
    return found
