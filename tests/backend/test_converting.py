"""A converted model has the blueprint's names, computes what Keras computes, and refuses what TFLite lacks."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.api import lower, parse
from graphbuilder.backend.build import build
from graphbuilder.backend.converting import Conversion, Converted, convert_model, export_model
from graphbuilder.backend.converting_names import SignatureNames, names_of_graph, stand_ins
from graphbuilder.backend.converting_problems import conversion_error
from graphbuilder.backend.converting_samples import checked_samples, feed
from graphbuilder.backend.converting_work import convert_file, measure_file, time_file
from graphbuilder.backend.runtime import LiteRunner
from graphbuilder.backend.runtime_evaluation import tensor_facts
from graphbuilder.backend.runtime_flatbuffer import nodes_in, read_lite
from graphbuilder.backend.runtime_metrics import agreement, refuse_disagreement
from graphbuilder.backend.supervision import WorkerError
from graphbuilder.errors import BlueprintError, CommandError
from graphbuilder.graph import Graph

TWO = """\
blueprint: 1
name: two
inputs:
  left-image: {shape: [8, 8, 3]}
  _ids: {shape: [6], dtype: int32}
nodes:
  conv: {layer: Conv2D, from: left-image, filters: 4, kernel_size: 3, activation: relu}
  flat: {layer: Flatten}
  words: {layer: Embedding, from: _ids, input_dim: 50, output_dim: 16}
  spread: {layer: BatchNormalization, moving_variance_initializer: {constant: {value: 0.001}}}
  lstm: {layer: LSTM, units: 12}
  said: {layer: Dense, units: 8}
  _joined: {layer: Concatenate, from: [flat, said]}
  answer: {layer: Dense, from: _joined, units: 10, activation: softmax}
  other: {layer: Dense, from: _joined, units: 2}
outputs: {what: answer, a-side: other, again: answer}
"""


class Made(NamedTuple):
    graph: Graph
    model: Any
    names: SignatureNames
    samples: dict[str, np.ndarray]
    expected: dict[str, np.ndarray]


def make(text: str, count: int = 24) -> Made:
    graph = lower(parse(text, name="two.yaml"))
    model = build(graph, keras=2)
    random = np.random.default_rng(0)
    samples = {}
    for name, entry in graph.inputs.items():
        kind = entry.value.type
        assert kind is not None
        shape = (count, *(size if isinstance(size, int) else 5 for size in kind.shape[1:]))
        whole = kind.dtype.startswith("int")
        samples[name] = (random.integers(0, 50, shape) if whole else random.normal(size=shape)).astype(kind.dtype)
    found = model(samples if graph.inputs_as == "mapping" else next(iter(samples.values())))
    names = names_of_graph(graph)
    listed = found if isinstance(found, dict) else {names.outputs: found}
    return Made(graph, model, names, samples, {name: np.asarray(value) for name, value in listed.items()})


@pytest.fixture(scope="module")
def two() -> Made:
    return make(TWO)


@pytest.fixture(scope="module")
def as_float(two: Made) -> Converted:
    return convert_model(two.model, two.names, Conversion("float32"))


@pytest.fixture(scope="module")
def as_int8(two: Made) -> Converted:
    return convert_model(two.model, two.names, Conversion("int8", quantized_ends=True), two.samples)


def test_names_are_the_blueprints(two: Made, as_float: Converted) -> None:
    runner = LiteRunner(as_float.content)
    assert set(runner.inputs) == {"left-image", "_ids"}
    assert set(runner.outputs) == {"what", "a-side", "again"}
    assert runner.inputs["_ids"].dtype == "int32"
    assert runner.inputs["left-image"].shape == (1, 8, 8, 3)
    assert max(item.share for item in agreement(two.expected, runner.predict(two.samples))) < 1e-5


def test_steps_know_their_nodes(as_float: Converted) -> None:
    steps = {step.name: step.nodes for step in as_float.operators}
    assert steps["CONV_2D"] == ("conv",)
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in steps
    assert steps["CONCATENATION"] == ("_joined",)
    assert not as_float.still_float
    assert not any(step.custom for step in as_float.operators)


def test_integers_at_both_ends(two: Made, as_int8: Converted) -> None:
    runner = LiteRunner(as_int8.content)
    assert (runner.inputs["left-image"].dtype, runner.outputs["what"].dtype) == ("int8", "int8")
    assert runner.inputs["_ids"].dtype == "int32"
    assert not as_int8.still_float
    compared = agreement(two.expected, runner.predict(two.samples))
    refuse_disagreement(compared, "int8")
    assert max(item.share for item in compared) > 0
    facts = {fact.nodes: fact for fact in tensor_facts(as_int8.content, two.names.nodes) if len(fact.shape) > 1}
    conv = facts[("conv",)]
    assert (conv.bits, conv.shape, conv.stored_bytes) == (8, (4, 3, 3, 3), 108)
    assert conv.unique is not None
    assert conv.unique_per_channel is not None
    assert conv.unique_per_channel <= 27 < conv.unique


def test_samples_do_not_touch_one_another(two: Made, as_float: Converted) -> None:
    runner = LiteRunner(as_float.content)
    once = runner.predict(two.samples)
    backwards = runner.predict({name: values[::-1] for name, values in two.samples.items()})
    for name, values in once.items():
        np.testing.assert_array_equal(values, backwards[name][::-1])


def test_an_open_number_of_samples(two: Made) -> None:
    made = make("blueprint: 1\ninputs: {x: {shape: [steps, 4]}}\nnodes: {out: {layer: Dense, units: 3}}\n", 40)
    converted = convert_model(made.model, made.names, Conversion(), batch=None)
    runner = LiteRunner(converted.content)
    assert runner.inputs["x"].shape == (None, None, 4)
    assert agreement(made.expected, runner.predict(made.samples))[0].share < 1e-5
    longer = {"x": np.ones((3, 9, 4), "float32")}
    assert runner.predict(longer)["out"].shape == (3, 9, 3)
    with pytest.raises(BlueprintError, match="convert with a batch of 1"):
        convert_model(two.model, two.names, Conversion(), batch=None)


def test_operators_that_tflite_lacks_are_refused_at_their_node() -> None:
    text = "blueprint: 1\ninputs: {x: {shape: [4, 6, 6, 2]}}\nnodes:\n  small: {layer: MaxPooling3D}\n"
    text += "  out: {layer: ReLU}\n"
    made = make(text)
    with pytest.raises(BlueprintError) as raised:
        convert_model(made.model, made.names, Conversion())
    (found,) = raised.value.diagnostics
    assert (found.code, found.node, found.message) == ("GB812", "small", "TFLite has no operator for MaxPool3D")
    allowed = convert_model(made.model, made.names, Conversion(allow_flex=True))
    flex = [step for step in allowed.operators if step.flex]
    assert [(step.name, step.nodes) for step in flex] == [("FlexMaxPool3D", ("small",))]
    with pytest.raises(BlueprintError, match=r"(?s)GB815.*operators of TensorFlow"):
        LiteRunner(allowed.content)


def test_a_death_of_the_converter_names_the_node_and_the_fix(tmp_path: Path) -> None:
    text = "blueprint: 1\ninputs: {x: {shape: [6, 4]}}\nnodes:\n  first: {layer: GRU, units: 5}\n"
    made = make(text)
    folder = export_model(made.model, tmp_path / "exported", made.names)
    np.savez(tmp_path / "samples.npz", **made.samples)  # type: ignore[arg-type]  # names of inputs
    with pytest.raises(WorkerError) as raised:
        convert_file(
            folder, tmp_path / "gru.tflite", Conversion("int8"), samples=tmp_path / "samples.npz", graph=made.graph
        )
    (found,) = raised.value.diagnostics
    assert found.place == "two.yaml:4:3"
    assert (found.code, found.node) == ("GB801", "first")
    assert "SIGSEGV" in found.message
    assert found.hint == "set unroll: true, or choose dynamic or float16"
    assert not (tmp_path / "gru.tflite").exists()


def test_a_file_is_converted_and_measured_in_workers(two: Made, tmp_path: Path) -> None:
    folder = export_model(two.model, tmp_path / "exported", two.names)
    np.savez(tmp_path / "samples.npz", **two.samples)  # type: ignore[arg-type]  # names of inputs
    np.savez(tmp_path / "expected.npz", **two.expected)  # type: ignore[arg-type]
    targets = {"what": two.expected["what"].argmax(-1)}
    np.savez(tmp_path / "targets.npz", **targets)
    heard: list[str] = []
    made = convert_file(
        folder,
        tmp_path / "two.tflite",
        Conversion("int8"),
        samples=tmp_path / "samples.npz",
        graph=two.graph,
        progress=lambda progress: heard.append(progress.message),
    )
    assert made.raw == made.path.stat().st_size
    assert heard == ["converting to TFLite, int8"]
    measured = measure_file(
        made.path,
        "int8",
        tmp_path / "samples.npz",
        expected=tmp_path / "expected.npz",
        targets=tmp_path / "targets.npz",
        metrics={"what": "accuracy"},
        nodes=two.names.nodes,
    )
    assert measured["metrics"]["what"] > 0.8
    assert {item["output"] for item in measured["agreement"]} == set(two.expected)
    assert any(item["nodes"] == ["_joined"] or item["nodes"] == ["answer"] for item in measured["tensors"])
    timed = time_file(made.path, runs=5, warm_up=1)
    assert 0 < timed["median"] <= timed["p90"]
    assert (timed["runs"], timed["threads"], timed["batch"]) == (5, 1, 1)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"scheme": "float16", "quantized_ends": True}, "int8 or int16x8"),
        ({"scheme": "dynamic", "aware": True}, "int8"),
    ],
)
def test_options_that_contradict_each_other(options: Any, text: str) -> None:
    with pytest.raises(CommandError, match=text):
        Conversion(**options)


INPUTS = {"image": [[1, 2, 2], "float32"], "ids": [[1, 3], "int32"]}
GOOD = {"image": np.zeros((5, 2, 2)), "ids": np.ones((5, 3), "int64")}


@pytest.mark.parametrize(
    ("samples", "text"),
    [
        (None, "no samples tell the ranges"),
        ({"image": GOOD["image"]}, "lack the input ids"),
        ({**GOOD, "more": GOOD["ids"]}, "samples of more, which is no input"),
        ({**GOOD, "ids": np.ones((5, 4))}, r"ids have the shape \[5, 4\]; expected samples × 3"),
        ({**GOOD, "ids": np.ones((4, 3))}, "unequal numbers of samples: image 5, ids 4"),
        ({**GOOD, "image": np.full((5, 2, 2), np.nan)}, "image hold numbers that are not finite"),
        ({**GOOD, "ids": np.full((5, 3), "a")}, "ids are <U1; expected int32"),
        ({"image": np.zeros((0, 2, 2)), "ids": np.zeros((0, 3))}, "there is no sample"),
    ],
)
def test_samples_that_do_not_fit(samples: Any, text: str) -> None:
    with pytest.raises(BlueprintError, match=text):
        checked_samples(samples, INPUTS, 100)


def test_samples_are_fed_one_by_one_in_the_models_dtypes() -> None:
    checked = checked_samples(GOOD, INPUTS, 3)
    fed = list(feed(checked, INPUTS, {"image": "image", "ids": "xds"}))
    assert len(fed) == 3
    assert (fed[0]["image"].shape, fed[0]["image"].dtype) == ((1, 2, 2), np.float32)
    assert fed[0]["xds"].dtype == np.int32
    two = {"image": [[2, 2, 2], "float32"], "ids": [[2, 3], "int32"]}
    assert [batch["xds"].shape for batch in feed(checked, two, {"image": "image", "ids": "xds"})] == [(2, 3), (2, 3)]


@given(st.lists(st.text(string.ascii_letters[:3] + "_-0", min_size=1, max_size=4), unique=True, max_size=8))
def test_stand_ins_are_unique_as_long_and_taken_by_tensorflow(written: list[str]) -> None:
    names = [name for name in written if name[0] not in "-0"]
    found = stand_ins(names)
    assert list(found) == names
    assert len(set(found.values())) == len(names)
    for name, made in found.items():
        assert len(made) == len(name)
        assert made.isidentifier()
        assert not made.startswith("_")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("model/conv/Relu;model/conv/Conv2D", ("conv",)),
        ("model/quant_conv/LastValueQuant;model/bn/Mul", ("conv", "bn")),
        ("model/encoder.2.attention/query/einsum", ("encoder.2.attention",)),
        ("StatefulPartitionedCall:0", ()),
        ("conv", ("conv",)),
        ("conv/other", ()),
    ],
)
def test_nodes_are_found_in_the_converters_names(text: str, found: tuple[str, ...]) -> None:
    assert nodes_in(text, ["conv", "bn", "query", "encoder.2.attention"]) == found


def test_a_message_of_the_converter_that_nobody_knows_is_passed_on() -> None:
    error = conversion_error(RuntimeError("something\n  odd"), "int8", {})
    assert str(error) == "graphbuilder: GB811 the converter refuses int8: something odd"


@pytest.mark.parametrize("content", [b"", b"TFL3" * 4, b"\x1c\x00\x00\x00TFL3" + b"\xff" * 64])
def test_a_damaged_file_is_refused(content: bytes) -> None:
    with pytest.raises(BlueprintError, match="GB815"):
        read_lite(content)


@pytest.mark.slow
def test_an_lstm_of_small_numbers_is_wrong_in_int8_and_refused() -> None:
    # Where all that it gives stays below an eighth, TFLite's kernel computes nonsense.
    text = "blueprint: 1\ninputs: {x: {shape: [6, 16]}}\nnodes:\n  out: {layer: LSTM, units: 12}\n"
    made = make(text)
    small = {"x": made.samples["x"] * 0.03}
    converted = convert_model(made.model, made.names, Conversion("int8"), small)
    found = agreement({"out": np.asarray(made.model(small["x"]))}, LiteRunner(converted.content).predict(small))
    with pytest.raises(BlueprintError, match="GB813 as int8 the output out is typically off by"):
        refuse_disagreement(found, "int8")
