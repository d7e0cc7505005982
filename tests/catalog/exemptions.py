"""Where the catalog may differ from Keras, each with the reason. `test_exemptions.py` asks that each is needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from graphbuilder.catalog import BATCH, TensorType
from graphbuilder.catalog.ports import PortTypes
from tests.catalog.cases import Case, example_cases
from tests.catalog.exemption import Exemption, on, training
from tests.catalog.exemptions_classes import CLASSES
from tests.catalog.exemptions_images import IMAGES
from tests.catalog.findings import Finding
from tests.catalog.names import entry_kind

__all__ = ["ACTIVATIONS", "EXEMPTIONS", "NUMBERS", "OBJECTS", "SIGNATURES", "Exemption", "exempted"]


# Arguments of constructors, and of calls as "call.…", that are not as in Keras 3.
# The layer is "*" where it holds for every layer that has the argument.
SIGNATURES: dict[tuple[str, str], str] = {
    ("*", "quantization_config"): "quantization is a compression pass of the blueprint, not a layer's argument",
    ("EinsumDense", "gptq_unpacked_column_size"): "as quantization_config: Keras sets it when it quantizes the layer",
    ("Embedding", "weights"): "numbers are loaded into a built model; a blueprint holds none",
    ("Bidirectional", "weights"): "as for Embedding",
    ("unstack", "num"): "how many outputs a node has must follow from its arguments alone",
    ("where", "x1"): "without it the result has as many rows as the condition has true values, unknown before it runs",
    ("where", "x2"): "as x1",
}

# Objects that Keras has and a blueprint cannot name; with "()", names that Keras does not look up without options.
OBJECTS: dict[tuple[str, str], str] = {
    ("initializer", "Constant()"): "Keras's look-up by name fails with a KeyError; the backend calls the class itself",
    ("initializer", "constant()"): "as Constant",
}

# Activations that the two Kerases define differently.
ACTIVATIONS: dict[str, str] = {
    "hard_sigmoid": "Keras 3 has relu6(x + 3) / 6, tf_keras has x / 5 + 1/2 clipped to 0..1",
}

# Layers and ops whose examples the two Kerases compute differently.
NUMBERS: dict[str, str] = {}


def _changed_dtype(finding: Finding) -> bool:
    """Whether an input has a dtype that no example of the entry has."""
    usual = {
        (port, leaf.dtype)
        for case in example_cases(finding.case.kind)
        for port, found in case.inputs.items()
        for leaf in ((found,) if isinstance(found, TensorType) else found)
    }
    changed = (
        (port, leaf.dtype) not in usual
        for port, found in finding.case.inputs.items()
        for leaf in ((found,) if isinstance(found, TensorType) else found)
    )
    return any(changed) or "dtype" in finding.case.arguments


def _convolution_states() -> Case:
    state = TensorType((BATCH, 4, None))
    inputs: dict[str, PortTypes] = {"sequences": TensorType((BATCH, 3, 4, 1)), "initial_state": (state, state)}
    return Case(entry_kind("ConvLSTM1D"), {"filters": 2, "kernel_size": 1}, inputs, {})


def _announces_scores(finding: Finding) -> bool:
    return finding.case.call.get("return_attention_scores") is True


def _scores() -> Case:
    case = on("MultiHeadAttention", {"num_heads": 2, "key_dim": 2}, *(TensorType((BATCH, n, 4)) for n in (3, 5)))()
    return replace(case, call={"return_attention_scores": True})


def _with_states(
    name: str, arguments: Mapping[str, Any], sequence: TensorType, *states: TensorType
) -> Callable[[], Case]:
    """A recurrent layer that is called with initial states."""
    return lambda: Case(entry_kind(name), arguments, {"sequences": sequence, "initial_state": states}, {})


_IDS = TensorType((BATCH, 3), "int32")


def _with_step(name: str, arguments: Mapping[str, Any], step: TensorType, *states: TensorType) -> Callable[[], Case]:
    """A cell that is called with a step and the states before it."""
    kind = entry_kind(name)
    return lambda: Case(kind, arguments, {kind.ports[0].name: step, "states": states}, {})


EXEMPTIONS: tuple[Exemption, ...] = (
    *IMAGES,
    *CLASSES,
    Exemption(
        "LSTM GRU SimpleRNN Bidirectional",
        "Keras takes it",
        lambda finding: "initial_state holds" in finding.ours,
        "Keras quietly drops the states that are too many when it unrolls, where the author made a slip",
        _with_states(
            "LSTM",
            {"units": 12, "unroll": True},
            TensorType((BATCH, 5, 3)),
            TensorType((BATCH,)),
            TensorType((BATCH, 12)),
            TensorType((BATCH, 12)),
        ),
    ),
    Exemption(
        "LSTM GRU SimpleRNN Bidirectional",
        "Keras takes it",
        lambda finding: finding.case.arguments.get("unroll") is True and "initial_state" in finding.case.inputs,
        "Keras broadcasts states of another shape when it unrolls, and unrolls an unknown time axis to one length",
        _with_states(
            "LSTM",
            {"units": 3, "unroll": True},
            TensorType((BATCH, 5, 3)),
            TensorType((BATCH, 3)),
            TensorType((BATCH, 1)),
        ),
    ),
    Exemption(
        "GRUCell LSTMCell SimpleRNNCell StackedRNNCells",
        "Keras takes it",
        lambda finding: (
            re.search("expected .batch, features.|the initial |cannot compute with", finding.ours) is not None
        ),
        "Keras broadcasts steps and states of other shapes, takes some integers, and gives that no meaning",
        _with_step("GRUCell", {"units": 3}, TensorType((BATCH, 5, 4)), TensorType((BATCH, 3))),
    ),
    Exemption(
        "StackedRNNCells",
        "Keras takes it",
        lambda finding: finding.ours.startswith("refuses it: cells: "),
        "a stack of no cells does nothing, and that of one gives its states otherwise than it announces them",
        _with_step("StackedRNNCells", {"cells": []}, TensorType((BATCH, 4)), TensorType((BATCH, 3))),
    ),
    Exemption(
        "GRUCell",
        "output shape",
        lambda finding: finding.case.arguments.get("units") == 1 and "?" in str(finding.case),
        "Keras spreads a single unit over a state of unknown size, which the recurrent kernel says has size 1",
        _with_step("GRUCell", {"units": 1}, TensorType((BATCH, 4)), TensorType((BATCH, None))),
    ),
    Exemption(
        "GRUCell LSTMCell SimpleRNNCell",
        "tf_keras refuses",
        lambda finding: "in the range [0, 1)" in finding.theirs,
        "tf_keras cannot drop everything in training; building such a twin says so",
        lambda: replace(
            _with_step("GRUCell", {"units": 3, "dropout": 1.0}, TensorType((BATCH, 4)), TensorType((BATCH, 3)))(),
            call={"training": True},
        ),
    ),
    Exemption(
        "Dropout AlphaDropout",
        "Keras takes it",
        lambda finding: "noise_shape: a list of sizes" in finding.ours,
        "Keras looks at it in training alone, where the author made a slip",
        lambda: replace(
            on("AlphaDropout", {"rate": 0.1, "noise_shape": [-1]}, TensorType((12,)))(), call={"training": False}
        ),
    ),
    Exemption(
        "Concatenate",
        "Keras takes it",
        lambda finding: "axis is" in finding.ours and len(list(finding.case.leaves())) == 1,
        "Keras hands one tensor on without a look at the axis, where the author made a slip",
        lambda: Case(entry_kind("Concatenate"), {"axis": 2}, {"inputs": (TensorType((BATCH, 3)),)}, {}),
    ),
    Exemption(
        "ReversibleEmbedding",
        "Keras takes it",
        lambda finding: "reverse_dtype: Input should be" in finding.ours,
        "Keras overlooks the dtype of scores until there are some, where the author made a slip",
        on("ReversibleEmbedding", {"input_dim": 5, "output_dim": 2, "reverse_dtype": "bogus"}, _IDS),
    ),
    Exemption(
        "SpectralNormalization",
        "Keras takes it",
        lambda finding: "SpectralNormalization cannot compute with" in finding.ours,
        "Keras gives its output the input's dtype, and integers keep next to nothing of it",
        on("SpectralNormalization", {"layer": {"layer": "Dense", "units": 2}}, TensorType((BATCH, 3), "bool")),
    ),
    Exemption(
        "split",
        "Keras takes it",
        lambda finding: "is unknown; expected a known size" in finding.ours,
        "parts cut at places of an unknown axis have no known shapes, and predicting a smaller last batch fails",
        on("split", {"indices_or_sections": [2], "axis": 0}, TensorType((BATCH, 12))),
    ),
    Exemption(
        "",
        "tf_keras refuses",
        _changed_dtype,
        "tf_keras casts no integers and has fewer kernels for rare dtypes; building such a twin says so",
        on("LSTM", {"units": 1}, TensorType((BATCH, 3, 1), "bool")),
    ),
    Exemption(
        "GRU LSTM SimpleRNN ConvLSTM1D ConvLSTM2D ConvLSTM3D GRUCell LSTMCell SimpleRNNCell Bidirectional Attention "
        "AdditiveAttention",
        "Keras takes it",
        lambda finding: re.search("dropout: Input should be", finding.ours) is not None,
        "Keras quietly takes the nearest number from 0 to 1, where the author made a slip",
        on("LSTM", {"units": 1, "dropout": 1.5}, TensorType((BATCH, 3, 1))),
    ),
    Exemption(
        "MelSpectrogram",
        "Keras takes it",
        lambda finding: re.search("(sampling_rate|sequence_length): Input should be", finding.ours) is not None,
        "Keras takes 0 for left out, or lays all bands over one another, where the author made a slip",
        on("MelSpectrogram", {"sampling_rate": 0}, TensorType((BATCH, 4000))),
    ),
    Exemption(
        "stft MelSpectrogram",
        "Keras takes it",
        lambda finding: next(finding.case.leaves()).rank == 1,
        "Keras takes the batch for the samples of one signal and fails where it is a short one",
        on(
            "stft",
            {"sequence_length": 4, "sequence_stride": 2, "fft_length": 4},
            TensorType((BATCH,)),
        ),
    ),
    Exemption(
        "MultiHeadAttention",
        "Keras takes it",
        lambda finding: "attention_axes holds" in finding.ours,
        "beyond the axes of the input Keras counts on and attends over its own axis of heads",
        on(
            "MultiHeadAttention",
            {"num_heads": 2, "key_dim": 2, "attention_axes": 2},
            TensorType((BATCH, 3, 4)),
            TensorType((BATCH, 3, 4)),
        ),
    ),
    Exemption(
        "unstack",
        "Keras takes it",
        lambda finding: not finding.case.arguments.get("num"),
        "how many outputs a node has must follow from its arguments alone",
        on("unstack", {"num": None, "axis": 1}, TensorType((BATCH, 3, 4))),
    ),
    Exemption(
        "AdditiveAttention",
        "tf_keras refuses",
        lambda finding: re.search("NoneType|Dimensions must be equal", finding.theirs) is not None,
        "tf_keras takes the size of the scale from the value, Keras 3 from the query; building such a twin says so",
        on("AdditiveAttention", {}, TensorType((BATCH, 3, 4)), TensorType((BATCH, 3, None))),
    ),
    Exemption(
        "Attention AdditiveAttention",
        "Keras takes it",
        lambda finding: "expected as many axes" in finding.ours,
        "Keras happens to broadcast a value or key of fewer axes than the query, and gives that no meaning",
        on("Attention", {}, TensorType((1, 2, 3, 4)), TensorType((1, 3, 4))),
    ),
    Exemption(
        "ConvLSTM1D ConvLSTM2D ConvLSTM3D",
        "tf_keras refuses",
        lambda finding: "`initial_state` was passed that is not compatible" in finding.theirs,
        "tf_keras takes no states whose channels are unknown; building such a twin says so",
        _convolution_states,
    ),
    Exemption(
        "LayerNormalization",
        "tf_keras refuses",
        lambda finding: finding.case.arguments.get("axis") == [],
        "tf_keras cannot normalize over no axis; building such a twin says so",
        on("LayerNormalization", {"axis": []}, TensorType((BATCH, 4))),
    ),
    Exemption(
        "MultiHeadAttention GroupQueryAttention",
        "Keras cannot compute it",
        _announces_scores,
        "Keras computes scores of another shape than it announces; the graph is checked by what it announces",
        _scores,
    ),
    Exemption(
        "MultiHeadAttention",
        "tf_keras output shape",
        _announces_scores,
        "as before: tf_keras announces what is computed",
        _scores,
    ),
    Exemption(
        "SeparableConv1D SeparableConv2D",
        "tf_keras refuses",
        lambda finding: "in conjunction with `dilation_rate > 1`" in finding.theirs,
        "only Keras 3 strides and dilates at once; building such a twin says so",
        on(
            "SeparableConv2D",
            {"filters": 1, "kernel_size": 1, "strides": 2, "dilation_rate": 2},
            TensorType((BATCH, 4, 4, 1)),
        ),
    ),
    Exemption(
        "Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D",
        "tf_keras refuses",
        lambda finding: finding.case.arguments.get("rate") == 1.0,
        "tf_keras cannot drop everything in training; building such a twin says so",
        training("Dropout", {"rate": 1.0}, TensorType((BATCH, 4))),
    ),
    Exemption(
        "Softmax",
        "tf_keras refuses",
        lambda finding: next(finding.case.leaves()).rank == 1,
        "tf_keras takes no softmax along the batch; building such a twin says so",
        on("Softmax", {}, TensorType((BATCH,))),
    ),
)


def exempted(finding: Finding) -> bool:
    """Whether a finding is a known difference."""
    return any(exemption.covers(finding) for exemption in EXEMPTIONS)
