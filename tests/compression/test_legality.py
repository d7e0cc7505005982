"""What a pass may do to a layer: the table, and the conditions on arguments and sizes."""

from __future__ import annotations

import pytest

from graphbuilder.api import lower, parse
from graphbuilder.catalog import layers
from graphbuilder.compression.conversions import ruling_of_form
from graphbuilder.compression.kernels import kernels_of
from graphbuilder.compression.legality import COLUMNS, CONVERSIONS, Ruling, Verdict, ruling, verdict_of
from graphbuilder.compression.legality_table import TABLE
from graphbuilder.compression.options import Block
from graphbuilder.compression.orders import ORDERS, order_of
from graphbuilder.compression.passes import Cluster, CompressionPass, LowRank, Prune, Quantize
from graphbuilder.compression.tables import passes
from graphbuilder.compression.twins import differing
from graphbuilder.graph import Layer
from tests.compression.cells import graph_of

TWO_OF_FOUR = Prune(structure="2:4")


def layer_of(shape: str, node: str) -> Layer:
    text = f"blueprint: 1\nname: n\ninputs: {{x: {{shape: {shape}}}}}\nnodes:\n  it: {{{node}}}\noutputs: it\n"
    return lower(parse(text)).layers["it"]


def ruled(declared: CompressionPass, kind: str, more: str = "") -> Ruling:
    return ruling(declared, graph_of(kind, more).layers["it"])


def test_the_table_has_a_cell_for_every_layer_and_pass() -> None:
    assert TABLE.keys() == set(layers.names()) - {"Bidirectional", "TimeDistributed"}
    for kind in TABLE:
        for column in (*COLUMNS, *CONVERSIONS):
            verdict, reason = verdict_of(kind, column)
            assert reason is not None or verdict in (Verdict.LEGAL, Verdict.EXTENDED)


@pytest.mark.parametrize(
    ("declared", "kind", "more", "verdict", "reason"),
    [
        (Quantize(), "Conv1D", "activation: elu", Verdict.ILLEGAL, "its activation elu cannot be quantized"),
        (Quantize(), "TimeDistributed", "", Verdict.EXTENDED, None),
        (Quantize(), "Conv2D", "dtype: mixed_float16", Verdict.ILLEGAL, "its dtype is mixed_float16"),
        (Quantize(), "ConvLSTM2D", "activation: elu", Verdict.EXTENDED, "CONV_2D computes floats"),
        (Quantize(), "LSTM", "", Verdict.ILLEGAL, "refuses an LSTM"),
        (Quantize(), "LSTM", "unroll: true", Verdict.NO_EFFECT, "it stays float"),
        (Quantize(), "SeparableConv1D", "", Verdict.EXTENDED, "DEPTHWISE_CONV_2D computes floats"),
        (Quantize(), "MaxPooling3D", "", Verdict.ILLEGAL, "no pooling over three axes"),
        (Quantize(aware=False), "LSTM", "", Verdict.LEGAL, "stays below an eighth"),
        (Quantize(aware=False), "GRU", "", Verdict.ILLEGAL, "the converter crashes"),
        (Quantize(aware=False), "GRU", "unroll: true", Verdict.LEGAL, "SPLIT computes floats only"),
        (Quantize(aware=False), "Conv3D", "", Verdict.NO_EFFECT, "CONV_3D computes floats only"),
        (Quantize(aware=False), "Bidirectional", "", Verdict.ILLEGAL, "gives both directions one scale"),
        (Quantize(scheme="float16"), "GRU", "", Verdict.LEGAL, None),
        (Quantize(scheme="int16x8"), "LayerNormalization", "", Verdict.ILLEGAL, "gives up on its variance"),
        (TWO_OF_FOUR, "DepthwiseConv2D", "", Verdict.ILLEGAL, "no axis of inputs"),
        (TWO_OF_FOUR, "SeparableConv2D", "", Verdict.LEGAL, "depthwise_kernel stays as it is"),
        (Cluster(clusters=32), "Dense", "", Verdict.ILLEGAL, "it has 32 weights, and 32 clusters were asked for"),
        (Prune(sparsity=0.5, structure=Block((1, 3))), "Conv2D", "", Verdict.ILLEGAL, "3 wide do not divide"),
        (Prune(sparsity=0.5, structure=Block((2, 2))), "Conv2D", "", Verdict.EXTENDED, None),
        (LowRank(rank=4), "Dense", "", Verdict.ILLEGAL, "hold no fewer numbers than the 4 × 8"),
        (LowRank(rank=2), "Dense", "", Verdict.EXTENDED, None),
        (LowRank(rank=2), "Conv2D", "groups: 2", Verdict.ILLEGAL, "its groups have kernels of their own"),
        (LowRank(rank=2), "TimeDistributed", "", Verdict.ILLEGAL, "cannot be wrapped"),
        (Prune(sparsity=0.5), "ReLU", "", Verdict.NO_EFFECT, "it has no kernel"),
        (Quantize(), "Flatten", "", Verdict.NO_EFFECT, "it computes nothing"),
        (Cluster(clusters=3), "RMSNormalization", "", Verdict.ILLEGAL, "tf_keras, where compression runs, does not"),
    ],
)
def test_conditions(declared: CompressionPass, kind: str, more: str, verdict: Verdict, reason: str | None) -> None:
    found = ruled(declared, kind, more)
    assert found.verdict is verdict
    assert reason is None or reason in (found.reason or "")
    assert bool(found.weights) == (found.acts and bool(kernels_of(graph_of(kind, more).layers["it"])))


def test_small_kernels_stay_float_under_the_dynamic_scheme() -> None:
    dynamic = Quantize(scheme="dynamic")
    found = ruled(dynamic, "Dense")
    assert (found.verdict, found.weights) == (Verdict.LEGAL, ())
    assert "it leaves kernel (32 numbers) float" in (found.reason or "")
    assert ruled(dynamic, "Dense", "units: 256").weights == ("kernel",)
    # Of an LSTM's kernels, kept apart for its four gates, all or none: here 4 x 1200 and 300 x 1200.
    assert ruled(dynamic, "LSTM", "units: 300").weights == ("lstm_cell/kernel", "lstm_cell/recurrent_kernel")
    assert ruled(dynamic, "LSTM", "units: 40").weights == ()


def test_what_the_layer_stands_in_decides_where_it_is_known() -> None:
    found = ruling(Quantize(aware=False), graph_of("LSTM").layers["it"], conversion=ruling_of_form("GRU", "int8"))
    assert found.verdict is Verdict.ILLEGAL
    assert found.fix == "set unroll: true, or choose dynamic or float16"


def test_inputs_that_four_does_not_divide_are_refused() -> None:
    found = ruling(TWO_OF_FOUR, layer_of("[6, 6, 3]", "layer: Conv2D, filters: 8, kernel_size: 3"))
    assert (found.verdict, found.reason) == (Verdict.ILLEGAL, "it has 3 inputs, which four does not divide")


def test_a_wrapper_follows_what_it_wraps() -> None:
    assert ruled(Prune(sparsity=0.5), "TimeDistributed").weights == ("dense/kernel",)
    both = ruled(Cluster(clusters=3), "Bidirectional")
    assert both.verdict is Verdict.LEGAL
    assert len(both.weights) == 4


def test_a_custom_layer_cannot_be_compressed() -> None:
    found = ruling(Prune(sparsity=0.5), layer_of("[6]", "layer: 'a.b:C', gives: {shape: [6]}"))
    assert found.verdict is Verdict.ILLEGAL


def test_kernels_know_which_axes_are_summed() -> None:
    found = {
        (kind, kernel.path): (kernel.summed, kernel.inputs)
        for kind in ("Conv2DTranspose", "MultiHeadAttention", "EinsumDense", "Bidirectional", "DepthwiseConv2D")
        for kernel in kernels_of(graph_of(kind).layers["it"])
    }
    assert found["Conv2DTranspose", "kernel"] == ((3,), 4)
    assert found["MultiHeadAttention", "query/kernel"] == ((0,), 4)
    assert found["MultiHeadAttention", "attention_output/kernel"] == ((0, 1), 8)
    assert found["EinsumDense", "kernel"] == ((0,), 4)
    assert found["Bidirectional", "backward_lstm/lstm_cell/recurrent_kernel"] == ((0,), 4)
    assert found["DepthwiseConv2D", "kernel"] == ((), 1)


def test_every_order_of_two_passes_is_ruled() -> None:
    names = ["prune", "cluster", "quantize", "low_rank"]
    assert set(passes.names()) >= set(names)
    assert ORDERS.keys() == {(one, other) for one in names for other in names}
    for order in ORDERS.values():
        assert (order.keeps is None) == (order.reason is not None)
    assert order_of("prune", "cluster").allowed
    assert not order_of("cluster", "prune").allowed
    assert order_of("cluster", "prune", same_layer=False).allowed
    assert not order_of("quantize", "prune", same_layer=False).allowed


def test_what_the_two_kerases_compute_differently_is_known() -> None:
    assert [node for node, _ in differing(graph_of("LSTM", "recurrent_activation: hard_sigmoid"))] == ["it"]
    assert not list(differing(graph_of("LSTM")))
