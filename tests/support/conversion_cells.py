"""A small model for each kind of layer that the twin has, and what comes of it under each way of conversion.

`conversion_cells` is a task for worker processes, because some cells kill their process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from graphbuilder.backend.supervision import WorkerError, run_task
from graphbuilder.backend.worker_protocol import Progress, TaskKind
from graphbuilder.compression.conversions import SCHEMES, Scheme

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "EVERY",
    "MIXED",
    "WRAPPED",
    "Cell",
    "blueprint_of",
    "cells_of",
    "conversion_cells",
    "converted",
    "measured_cells",
]


class Cell(NamedTuple):
    """A layer and a way to convert it.

    Arguments:
        label: one of `EVERY`.
        scheme: what the model is converted to.
        trained: None where it is quantized after training; else whether training for 8 bits is aware of the layer, or
            leaves it out and is aware of those around it.
    """

    label: str
    scheme: Scheme
    trained: bool | None = None


VECTOR, STEPS, IMAGE, VOLUME = [16], [6, 8], [8, 8, 4], [4, 6, 6, 2]
FILM = [3, 6, 6, 2]

# By a label, the shape of each input and the node. The label is the kind, with a word on the form where it matters.
CELLS: dict[str, tuple[list[list[int]], str]] = {
    "Dense": ([VECTOR], "{layer: Dense, units: 8}"),
    "Embedding": ([], "{layer: Embedding, input_dim: 50, output_dim: 16}"),
    "Activation": ([VECTOR], "{layer: Activation, activation: relu}"),
    "Masking": ([STEPS], "{layer: Masking}"),
    "Identity": ([VECTOR], "{layer: Identity}"),
    "EinsumDense": ([STEPS], '{layer: EinsumDense, equation: "abc,cd->abd", output_shape: [6, 5], bias_axes: d}'),
    "BatchNormalization": ([IMAGE], "{layer: BatchNormalization}"),
    "LayerNormalization": ([STEPS], "{layer: LayerNormalization}"),
    "GroupNormalization": ([IMAGE], "{layer: GroupNormalization, groups: 2}"),
    "UnitNormalization": ([VECTOR], "{layer: UnitNormalization}"),
    "Dropout": ([VECTOR], "{layer: Dropout, rate: 0.5}"),
    "SpatialDropout1D": ([STEPS], "{layer: SpatialDropout1D, rate: 0.5}"),
    "SpatialDropout2D": ([IMAGE], "{layer: SpatialDropout2D, rate: 0.5}"),
    "SpatialDropout3D": ([VOLUME], "{layer: SpatialDropout3D, rate: 0.5}"),
    "AlphaDropout": ([VECTOR], "{layer: AlphaDropout, rate: 0.5}"),
    "GaussianDropout": ([VECTOR], "{layer: GaussianDropout, rate: 0.5}"),
    "GaussianNoise": ([VECTOR], "{layer: GaussianNoise, stddev: 0.5}"),
    "ActivityRegularization": ([VECTOR], "{layer: ActivityRegularization, l2: 0.1}"),
    "Add": ([VECTOR, VECTOR], "{layer: Add}"),
    "Subtract": ([VECTOR, VECTOR], "{layer: Subtract}"),
    "Multiply": ([VECTOR, VECTOR], "{layer: Multiply}"),
    "Average": ([VECTOR, VECTOR], "{layer: Average}"),
    "Maximum": ([VECTOR, VECTOR], "{layer: Maximum}"),
    "Minimum": ([VECTOR, VECTOR], "{layer: Minimum}"),
    "Concatenate": ([VECTOR, VECTOR], "{layer: Concatenate}"),
    "Dot": ([VECTOR, VECTOR], "{layer: Dot, axes: 1}"),
    "ReLU": ([VECTOR], "{layer: ReLU}"),
    "LeakyReLU": ([VECTOR], "{layer: LeakyReLU}"),
    "PReLU": ([VECTOR], "{layer: PReLU, alpha_initializer: {constant: {value: 0.2}}}"),
    "ELU": ([VECTOR], "{layer: ELU}"),
    "Softmax": ([VECTOR], "{layer: Softmax}"),
    "Conv1D": ([STEPS], "{layer: Conv1D, filters: 5, kernel_size: 3}"),
    "Conv2D": ([IMAGE], "{layer: Conv2D, filters: 5, kernel_size: 3}"),
    "Conv3D": ([VOLUME], "{layer: Conv3D, filters: 64, kernel_size: 3}"),
    "DepthwiseConv1D": ([STEPS], "{layer: DepthwiseConv1D, kernel_size: 3}"),
    "DepthwiseConv2D": ([IMAGE], "{layer: DepthwiseConv2D, kernel_size: 3}"),
    "SeparableConv1D": ([STEPS], "{layer: SeparableConv1D, filters: 5, kernel_size: 3}"),
    "SeparableConv2D": ([IMAGE], "{layer: SeparableConv2D, filters: 5, kernel_size: 3}"),
    "Conv1DTranspose": ([STEPS], "{layer: Conv1DTranspose, filters: 5, kernel_size: 3}"),
    "Conv2DTranspose": ([IMAGE], "{layer: Conv2DTranspose, filters: 5, kernel_size: 3}"),
    "Conv3DTranspose": ([VOLUME], "{layer: Conv3DTranspose, filters: 64, kernel_size: 3}"),
    "MaxPooling1D": ([STEPS], "{layer: MaxPooling1D}"),
    "MaxPooling2D": ([IMAGE], "{layer: MaxPooling2D}"),
    "MaxPooling3D": ([VOLUME], "{layer: MaxPooling3D}"),
    "AveragePooling1D": ([STEPS], "{layer: AveragePooling1D, pool_size: 2}"),
    "AveragePooling2D": ([IMAGE], "{layer: AveragePooling2D, pool_size: 2}"),
    "AveragePooling3D": ([VOLUME], "{layer: AveragePooling3D, pool_size: 2}"),
    "GlobalMaxPooling1D": ([STEPS], "{layer: GlobalMaxPooling1D}"),
    "GlobalMaxPooling2D": ([IMAGE], "{layer: GlobalMaxPooling2D}"),
    "GlobalMaxPooling3D": ([VOLUME], "{layer: GlobalMaxPooling3D}"),
    "GlobalAveragePooling1D": ([STEPS], "{layer: GlobalAveragePooling1D}"),
    "GlobalAveragePooling2D": ([IMAGE], "{layer: GlobalAveragePooling2D}"),
    "GlobalAveragePooling3D": ([VOLUME], "{layer: GlobalAveragePooling3D}"),
    "Flatten": ([IMAGE], "{layer: Flatten}"),
    "Permute": ([STEPS], "{layer: Permute, dims: [2, 1]}"),
    "RepeatVector": ([VECTOR], "{layer: RepeatVector, n: 3}"),
    "Reshape": ([VECTOR], "{layer: Reshape, target_shape: [4, 4]}"),
    "Cropping1D": ([STEPS], "{layer: Cropping1D, cropping: 1}"),
    "Cropping2D": ([IMAGE], "{layer: Cropping2D, cropping: 1}"),
    "Cropping3D": ([VOLUME], "{layer: Cropping3D, cropping: 1}"),
    "ZeroPadding1D": ([STEPS], "{layer: ZeroPadding1D, padding: 1}"),
    "ZeroPadding2D": ([IMAGE], "{layer: ZeroPadding2D, padding: 1}"),
    "ZeroPadding3D": ([VOLUME], "{layer: ZeroPadding3D, padding: 1}"),
    "UpSampling1D": ([STEPS], "{layer: UpSampling1D, size: 2}"),
    "UpSampling2D": ([IMAGE], "{layer: UpSampling2D, size: 2}"),
    "UpSampling3D": ([VOLUME], "{layer: UpSampling3D, size: 2}"),
    "CenterCrop": ([IMAGE], "{layer: CenterCrop, height: 4, width: 4}"),
    "Normalization": ([VECTOR], "{layer: Normalization, mean: 0.5, variance: 2.0}"),
    "Rescaling": ([VECTOR], "{layer: Rescaling, scale: 0.5}"),
    "Resizing": ([IMAGE], "{layer: Resizing, height: 4, width: 4}"),
    "RandomFlip": ([IMAGE], "{layer: RandomFlip}"),
    "RandomRotation": ([IMAGE], "{layer: RandomRotation, factor: 0.1}"),
    "RandomTranslation": ([IMAGE], "{layer: RandomTranslation, height_factor: 0.1, width_factor: 0.1}"),
    "RandomZoom": ([IMAGE], "{layer: RandomZoom, height_factor: 0.1}"),
    "RandomBrightness": ([IMAGE], "{layer: RandomBrightness, factor: 0.1}"),
    "RandomContrast": ([IMAGE], "{layer: RandomContrast, factor: 0.1}"),
    "RNN": ([STEPS], "{layer: RNN, cell: {layer: GRUCell, units: 12}}"),
    "RNN unrolled": ([STEPS], "{layer: RNN, cell: {layer: GRUCell, units: 12}, unroll: true}"),
    "RNN masked": ([STEPS], "{layer: RNN, cell: {layer: GRUCell, units: 12}}"),
    "RNN masked, unrolled": ([STEPS], "{layer: RNN, cell: {layer: GRUCell, units: 12}, unroll: true}"),
    "LSTM": ([STEPS], "{layer: LSTM, units: 12}"),
    "LSTM unrolled": ([STEPS], "{layer: LSTM, units: 12, unroll: true}"),
    "LSTM masked": ([STEPS], "{layer: LSTM, units: 12}"),
    "LSTM masked, unrolled": ([STEPS], "{layer: LSTM, units: 12, unroll: true}"),
    "GRU": ([STEPS], "{layer: GRU, units: 12}"),
    "GRU unrolled": ([STEPS], "{layer: GRU, units: 12, unroll: true}"),
    "GRU masked": ([STEPS], "{layer: GRU, units: 12}"),
    "GRU masked, unrolled": ([STEPS], "{layer: GRU, units: 12, unroll: true}"),
    "SimpleRNN": ([STEPS], "{layer: SimpleRNN, units: 12}"),
    "SimpleRNN unrolled": ([STEPS], "{layer: SimpleRNN, units: 12, unroll: true}"),
    "ConvLSTM1D": ([[3, 8, 2]], "{layer: ConvLSTM1D, filters: 3, kernel_size: 3}"),
    "ConvLSTM2D": ([FILM], "{layer: ConvLSTM2D, filters: 3, kernel_size: 3}"),
    "ConvLSTM3D": ([[3, 4, 4, 4, 2]], "{layer: ConvLSTM3D, filters: 3, kernel_size: 2}"),
    "Bidirectional of LSTM": ([STEPS], "{layer: Bidirectional, wraps: {layer: LSTM, units: 6}}"),
    "Bidirectional of LSTM unrolled": ([STEPS], "{layer: Bidirectional, wraps: {layer: LSTM, units: 6, unroll: true}}"),
    "Bidirectional of GRU": ([STEPS], "{layer: Bidirectional, wraps: {layer: GRU, units: 6}}"),
    "Bidirectional of GRU unrolled": ([STEPS], "{layer: Bidirectional, wraps: {layer: GRU, units: 6, unroll: true}}"),
    "Bidirectional of SimpleRNN": ([STEPS], "{layer: Bidirectional, wraps: {layer: SimpleRNN, units: 6}}"),
    "Bidirectional of SimpleRNN unrolled": (
        [STEPS],
        "{layer: Bidirectional, wraps: {layer: SimpleRNN, units: 6, unroll: true}}",
    ),
    "TimeDistributed of Dense": ([STEPS], "{layer: TimeDistributed, wraps: {layer: Dense, units: 5}}"),
    "Attention": ([STEPS, STEPS], "{layer: Attention}"),
    "AdditiveAttention": ([STEPS, STEPS], "{layer: AdditiveAttention}"),
    "MultiHeadAttention": ([STEPS, STEPS], "{layer: MultiHeadAttention, num_heads: 2, key_dim: 4}"),
}
_PORTS = {"Attention", "AdditiveAttention", "MultiHeadAttention"}
# Each layer that takes one input, applied to each of three steps; and both directions of masked ones.
WRAPPED: dict[str, tuple[list[list[int]], str]] = {
    **{
        f"TimeDistributed of {label}": ([[3, *shapes[0]]], f"{{layer: TimeDistributed, wraps: {node}}}")
        for label, (shapes, node) in CELLS.items()
        if len(shapes) == 1 and "masked" not in label and not label.startswith("TimeDistributed")
    },
    **{
        f"Bidirectional of {label}": ([STEPS], f"{{layer: Bidirectional, wraps: {CELLS[label][1]}}}")
        for label in ("LSTM masked", "LSTM masked, unrolled", "GRU masked", "GRU masked, unrolled")
    },
}
# Each activation that tf_keras has too, as the activation of a layer that computes with matrices.
ACTIVATIONS: dict[str, tuple[list[list[int]], str]] = {
    f"Dense with {name}": ([VECTOR], f"{{layer: Dense, units: 8, activation: {name}}}")
    for name in "elu exponential gelu hard_sigmoid leaky_relu linear log_softmax mish relu relu6 selu sigmoid softmax "
    "softplus softsign swish tanh".split()
}
# What is refused of attention that training leaves out: its query alone is fed by a layer that was trained.
MIXED = "MultiHeadAttention behind a Dense"
EVERY = {**CELLS, **WRAPPED, **ACTIVATIONS, MIXED: CELLS["MultiHeadAttention"]}


def blueprint_of(label: str, trained: bool | None = None) -> str:
    """The blueprint of a cell. A tanh comes first, so that a layer which does nothing leaves a model that does.

    For training there is a Dense behind the layer, which learns.
    """
    shapes, node = EVERY[label]
    names = [f"input_{index}" for index in range(len(shapes))]
    behind = "" if trained is None else "  flat: {layer: Flatten, from: layer}\n  after: {layer: Dense, units: 4}\n"
    output = "layer" if trained is None else "after"
    if not shapes:
        given = "inputs: {ids: {shape: [6], dtype: int32}}"
        return f"blueprint: 1\nname: cell\n{given}\nnodes:\n  layer: {node}\n{behind}outputs: {output}\n"
    lines = ["blueprint: 1", "name: cell", "inputs:"]
    lines += [f"  {name}: {{shape: {shape}}}" for name, shape in zip(names, shapes, strict=True)]
    lines += ["nodes:"]
    before = []
    for name in names:
        kind = "{layer: Masking" if "masked" in label else "{layer: Activation, activation: tanh"
        if label == MIXED:
            kind = "{layer: Dense, units: 8"
        lines.append(f"  before_{name}: {kind}, from: {name}}}")
        before.append(f"before_{name}")
    ports = ("query", "value")
    source = (
        "{" + ", ".join(f"{port}: {name}" for port, name in zip(ports, before, strict=True)) + "}"
        if label.partition(" ")[0] in _PORTS
        else before[0]
        if len(before) == 1
        else f"[{', '.join(before)}]"
    )
    lines += [f"  layer: {node[:-1]}, from: {source}}}"]
    return "\n".join(lines) + f"\n{behind}outputs: {output}\n"


def conversion_cells(arguments: Mapping[str, Any], report: Callable[[Progress], None]) -> Any:
    """Converts cells one by one, and tells of each before it is tried and after."""
    from graphbuilder.errors import GraphbuilderError

    built: dict[Any, Any] = {}
    for label, scheme, trained in arguments["cells"]:
        report(Progress("trying", facts={"label": label, "scheme": scheme}))
        facts: dict[str, Any] = {"label": label, "scheme": scheme, "trained": trained}
        try:
            if (label, trained) not in built:
                built = {(label, trained): _model(label, trained)}
            graph, model, samples, expected = built[label, trained]
            facts |= converted(graph, model, samples, expected, scheme, trained)
        except GraphbuilderError as error:
            facts["error"] = str(error)
        report(Progress("done", facts=facts))
    return None


def _model(label: str, trained: bool | None) -> tuple[Any, ...]:
    """The graph of a cell, its model, samples, what the model gives for them, and its name."""
    import numpy as np
    import tf_keras

    from graphbuilder.api import lower, parse
    from graphbuilder.backend.build import build

    tf_keras.utils.set_random_seed(0)
    graph = lower(parse(blueprint_of(label, trained)))
    model = build(graph, keras=2, compiled=False)
    random = np.random.default_rng(0)
    samples = {}
    for name, given in graph.inputs.items():
        kind = given.value.type
        assert kind is not None
        shape = (24, *(size for size in kind.shape[1:] if isinstance(size, int)))
        samples[name] = (
            random.integers(0, 50, shape).astype("int32")
            if kind.dtype == "int32"
            else random.normal(size=shape).astype("float32")
        )
        if "masked" in label:
            samples[name][:, 4:] = 0
    fed = samples if graph.inputs_as == "mapping" else next(iter(samples.values()))
    if trained is not None:
        model = _trained(graph, model, fed, trained)
    output = "layer" if trained is None else "after"
    return graph, model, samples, {output: np.asarray(model(fed, training=False))}


def _trained(graph: Any, model: Any, fed: Any, trained: bool) -> Any:
    """The model, aware of quantization after a few steps."""
    import numpy as np
    import tf_keras

    from graphbuilder.backend.compressing import prepare
    from graphbuilder.compression.kernels import kernels_of
    from graphbuilder.compression.legality_table import MOVING
    from graphbuilder.compression.passes import Quantize
    from graphbuilder.compression.targets import Target

    chosen = [
        name
        for name, layer in graph.layers.items()
        if layer.kind not in MOVING and (name != "layer" or trained) and name != "flat"
    ]
    targets = [Target(name, Quantize(), tuple(each.path for each in kernels_of(graph.layers[name]))) for name in chosen]
    prepared = prepare(model, graph, targets, steps=12)
    prepared.model.compile(tf_keras.optimizers.SGD(1e-4), "mse")
    expected = np.asarray(model(fed))
    prepared.model.fit(fed, expected, batch_size=4, epochs=2, verbose=0, callbacks=list(prepared.callbacks))
    return prepared.finish().quantized


def converted(
    graph: Any, model: Any, samples: Any, expected: Any, scheme: Scheme, trained: bool | None, *, node: str = "layer"
) -> dict[str, Any]:
    """What comes of the conversion of a model.

    Arguments:
        graph: the graph.
        model: a tf_keras model of it, also one that is aware of quantization.
        samples: inputs by name.
        expected: what the model gives for them, by output.
        scheme: what it is converted to.
        trained: as for `Cell`.
        node: the layer that is looked at.

    Raises:
        BlueprintError: the converter or the runtime refuses.
    """
    from graphbuilder.backend.converting import Conversion, convert_model
    from graphbuilder.backend.converting_names import names_of_graph
    from graphbuilder.backend.runtime import LiteRunner
    from graphbuilder.backend.runtime_evaluation import tensor_facts
    from graphbuilder.backend.runtime_metrics import agreement
    from graphbuilder.compression.kernels import kernels_of

    aware = trained is not None
    made = convert_model(model, names_of_graph(graph), Conversion(scheme, aware=aware), None if aware else samples)
    tensors = tensor_facts(made.content)
    layer = graph.layers[node]
    # The operator for a whole LSTM keeps its four gates apart.
    gates = 4 if any(step.name == "UNIDIRECTIONAL_SEQUENCE_LSTM" for step in made.operators) else 1
    sizes = {kernel.size // gates for kernel in kernels_of(layer)}
    facts: dict[str, Any] = {
        "bytes": len(made.content),
        "has_kernels": bool(sizes),
        "integers": any(
            step.dtype == "INT8" and node in step.nodes and step.name != "QUANTIZE" for step in made.operators
        ),
        "still_float": sorted({step.name for step in made.still_float if not aware or node in step.nodes}),
        "float_kernels": any(
            fact.dtype == "FLOAT32" and fact.size in sizes and len(fact.shape) > 1 for fact in tensors
        ),
    }
    # Under this scheme all steps compute floats; what counts is whether large weights are stored as such.
    if scheme == "dynamic" and any(fact.dtype == "FLOAT32" and fact.size >= 1_024 for fact in tensors):
        facts["still_float"] = sorted({step.name for step in made.operators})
    for delegate in (True, False):
        found = LiteRunner(made.content, delegate=delegate).predict(samples)
        facts["share" if delegate else "share_without_delegate"] = agreement(expected, found)[0].share
    return facts


TASK = {"test.cells": TaskKind("tests.support.conversion_cells:conversion_cells", legacy_keras=True)}


def cells_of(labels: Sequence[str], schemes: Sequence[Scheme] = SCHEMES) -> list[Cell]:
    """The conversions of kinds after training."""
    return [Cell(label, scheme) for label in labels for scheme in schemes]


def measured_cells(cells: Sequence[Cell]) -> Iterator[dict[str, Any]]:
    """What comes of each cell: `share`, the typical difference in shares of the scale; `error`; or `signal`.

    After a death the next worker goes on with the next cell.
    """
    waiting = list(cells)
    while waiting:
        done: list[dict[str, Any]] = []

        def hear(progress: Progress, done: list[dict[str, Any]] = done) -> None:
            if progress.message == "done":
                done.append(dict(progress.facts))

        try:
            run_task("test.cells", {"cells": waiting}, progress=hear, threads=1, allow=TASK, timeout=2_400)
        except WorkerError as error:
            dead = waiting[len(done)]
            done.append({**dead._asdict(), "signal": error.signal_name, "error": str(error)})
        yield from done
        waiting = waiting[len(done) :]
