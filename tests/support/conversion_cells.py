"""A small model for each kind of layer that the twin has, and what comes of it under each scheme of conversion.

`conversion_cells` is a task for worker processes, because some cells kill their process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from graphbuilder.backend.supervision import WorkerError, run_task
from graphbuilder.backend.worker_protocol import Progress, TaskKind
from graphbuilder.compression.conversions import SCHEMES, Scheme

__all__ = ["CELLS", "blueprint_of", "conversion_cells", "measured", "measured_cells"]

VECTOR, STEPS, IMAGE, VOLUME = [16], [6, 8], [8, 8, 4], [4, 6, 6, 2]
FILM = [3, 6, 6, 2]

# By a label, the shape of each input and the node. The label is the kind, with a word on the form where it matters.
CELLS: dict[str, tuple[list[list[int]], str]] = {
    "Dense": ([VECTOR], "{layer: Dense, units: 8}"),
    "Embedding": ([], "{layer: Embedding, input_dim: 50, output_dim: 16}"),
    "Activation": ([VECTOR], "{layer: Activation, activation: relu}"),
    "Masking": ([STEPS], "{layer: Masking}"),
    "Identity": ([VECTOR], "{layer: Identity}"),
    "EinsumDense": ([STEPS], '{layer: EinsumDense, equation: "abc,cd->abd", output_shape: [null, 5], bias_axes: d}'),
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
    "TimeDistributed": ([STEPS], "{layer: TimeDistributed, wraps: {layer: Dense, units: 5}}"),
    "Attention": ([STEPS, STEPS], "{layer: Attention}"),
    "AdditiveAttention": ([STEPS, STEPS], "{layer: AdditiveAttention}"),
    "MultiHeadAttention": ([STEPS, STEPS], "{layer: MultiHeadAttention, num_heads: 2, key_dim: 4}"),
}
_PORTS = {"Attention", "AdditiveAttention", "MultiHeadAttention"}


def blueprint_of(label: str) -> str:
    """The blueprint of a cell. A tanh comes first, so that a layer which does nothing leaves a model that does."""
    shapes, node = CELLS[label]
    names = [f"input_{index}" for index in range(len(shapes))]
    if not shapes:
        return f"blueprint: 1\nname: cell\ninputs: {{ids: {{shape: [6], dtype: int32}}}}\nnodes:\n  layer: {node}\n"
    lines = ["blueprint: 1", "name: cell", "inputs:"]
    lines += [f"  {name}: {{shape: {shape}}}" for name, shape in zip(names, shapes, strict=True)]
    lines += ["nodes:"]
    before = []
    for name in names:
        kind = "{layer: Masking" if "masked" in label else "{layer: Activation, activation: tanh"
        lines.append(f"  before_{name}: {kind}, from: {name}}}")
        before.append(f"before_{name}")
    ports = ("query", "value")
    source = (
        "{" + ", ".join(f"{port}: {name}" for port, name in zip(ports, before, strict=True)) + "}"
        if label in _PORTS
        else before[0]
        if len(before) == 1
        else f"[{', '.join(before)}]"
    )
    lines += [f"  layer: {node[:-1]}, from: {source}}}"]
    return "\n".join(lines) + "\noutputs: layer\n"


def conversion_cells(arguments: Mapping[str, Any], report: Callable[[Progress], None]) -> Any:
    """Converts cells one by one, and tells of each before it is tried and after."""
    import numpy as np
    import tf_keras

    from graphbuilder.api import lower, parse
    from graphbuilder.backend.build import build
    from graphbuilder.backend.converting import Conversion, convert_model
    from graphbuilder.backend.converting_names import names_of_graph
    from graphbuilder.backend.runtime import LiteRunner
    from graphbuilder.backend.runtime_evaluation import tensor_facts
    from graphbuilder.backend.runtime_metrics import agreement
    from graphbuilder.errors import GraphbuilderError

    built: dict[str, Any] = {}
    for label, scheme in arguments["cells"]:
        report(Progress("trying", facts={"label": label, "scheme": scheme}))
        if label not in built:
            tf_keras.utils.set_random_seed(0)
            graph = lower(parse(blueprint_of(label)))
            model = build(graph, keras=2)
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
            built = {label: (names_of_graph(graph), model, samples, {"layer": np.asarray(model(fed))})}
        names, model, samples, expected = built[label]
        facts: dict[str, Any] = {"label": label, "scheme": scheme}
        try:
            made = convert_model(model, names, Conversion(scheme), samples)
            facts["still_float"] = sorted({step.name for step in made.still_float})
            # Under this scheme all steps compute floats; what counts is whether large weights are stored as such.
            if scheme == "dynamic" and any(
                fact.dtype == "FLOAT32" and fact.size >= 1_024 for fact in tensor_facts(made.content)
            ):
                facts["still_float"] = sorted({step.name for step in made.operators})
            facts["bytes"] = len(made.content)
            for delegate in (True, False):
                found = LiteRunner(made.content, delegate=delegate).predict(samples)
                facts["share" if delegate else "share_without_delegate"] = agreement(expected, found)[0].share
        except GraphbuilderError as error:
            facts["error"] = str(error)
        report(Progress("done", facts=facts))
    return None


TASK = {"test.cells": TaskKind("tests.support.conversion_cells:conversion_cells", legacy_keras=True)}


def measured(labels: Sequence[str], schemes: Sequence[Scheme] = SCHEMES) -> Iterator[dict[str, Any]]:
    """What comes of each kind under each scheme; see `measured_cells`."""
    return measured_cells([(label, scheme) for label in labels for scheme in schemes])


def measured_cells(cells: Sequence[tuple[str, Scheme]]) -> Iterator[dict[str, Any]]:
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
            run_task("test.cells", {"cells": waiting}, progress=hear, threads=1, allow=TASK, timeout=1_500)
        except WorkerError as error:
            label, scheme = waiting[len(done)]
            done.append({"label": label, "scheme": scheme, "signal": error.signal_name, "error": str(error)})
        yield from done
        waiting = waiting[len(done) :]
