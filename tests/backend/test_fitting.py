"""Training gives the same in one go and after a break, in either Keras, for inputs and outputs of any structure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphbuilder.api import load_model, lower, parse, train
from graphbuilder.backend.fitting import EpochRecord, Watcher, evaluate
from graphbuilder.backend.fitting_state import Kept, StateFolder, model_fingerprint, restore, snapshot
from graphbuilder.backend.frameworks import KerasVersion
from graphbuilder.data import ArraySource, IndexedPart, given_arrays, wants_of
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic
from tests.backend.fitting_support import RANDOM, SUMS, built, fitted, same_weights, sums

BOTH = pytest.mark.parametrize("keras", [3, 2])


@BOTH
def test_training_learns_and_tells_of_every_batch_and_epoch(keras: KerasVersion) -> None:
    class Told(Watcher):
        batches: list[tuple[int, int, int | None]] = []  # noqa: RUF012 - one list for one test
        epochs: list[int] = []  # noqa: RUF012

        def batch(self, epoch: int, step: int, steps: int | None, values: Any) -> None:
            assert values["loss"] >= 0
            self.batches.append((epoch, step, steps))

        def epoch(self, record: EpochRecord, epochs: int) -> None:
            assert epochs == 3
            self.epochs.append(record.number)

    told = Told()
    told.batches, told.epochs = [], []
    graph = lower(parse(SUMS))
    data = sums(graph, 60).with_validation(0.1, 1)
    found = fitted(built(graph, keras), data, 3, watcher=told)
    losses = [record.values["val_loss"] for record in found.records]
    assert losses == sorted(losses, reverse=True)
    assert list(found.records[0].values) == ["loss", "val_loss"]
    assert told.epochs == [1, 2, 3]
    assert told.batches == [(epoch, step, 7) for epoch in (1, 2, 3) for step in range(1, 8)]


@BOTH
def test_the_loss_is_that_of_keras_itself(keras: KerasVersion) -> None:
    graph = lower(parse(SUMS))
    data = sums(graph)
    mine, theirs = built(graph, keras), built(graph, keras)
    found = fitted(mine, data, 1)
    batches = list(data.train.batches(8, shuffle=True, seed=1))
    rows = np.concatenate([inputs["row"] for inputs, _ in batches])
    totals = np.concatenate([outputs["sum"] for _, outputs in batches])
    told = theirs.fit(rows, totals, batch_size=8, shuffle=False, verbose=0).history["loss"][0]
    assert found.records[0].values["loss"] == pytest.approx(told, rel=1e-6)
    assert same_weights(mine, theirs)


@BOTH
@pytest.mark.parametrize(
    "layer",
    [
        "{layer: GaussianDropout, rate: 0.2}",
        pytest.param("{layer: GRU, units: 5, dropout: 0.2, recurrent_dropout: 0.1}", marks=pytest.mark.slow),
        pytest.param("{layer: Bidirectional, wraps: {layer: LSTM, units: 3, dropout: 0.2}}", marks=pytest.mark.slow),
        pytest.param(
            "{layer: MultiHeadAttention, from: {query: noisy, value: noisy}, num_heads: 2, key_dim: 2, dropout: 0.2}",
            marks=pytest.mark.slow,
        ),
    ],
    ids=lambda layer: layer.split()[1].strip(","),
)
def test_a_training_that_goes_on_is_the_uninterrupted_one(keras: KerasVersion, layer: str, tmp_path: Path) -> None:
    graph = lower(parse(RANDOM.replace("{layer: Activation, activation: tanh}", layer)))
    rng = np.random.default_rng(0)
    arrays = {"rows": rng.normal(size=(40, 6, 4)).astype("float32"), "y": rng.integers(0, 2, 40)}
    data = given_arrays(arrays, wants_of(graph)).with_validation(0.2, 1)
    whole = built(graph, keras)
    all_at_once = fitted(whole, data, 3).records
    first = built(graph, keras)
    records = fitted(first, data, 1).records
    state = StateFolder(tmp_path / "model.keras")
    state.write(Kept({}, 1, 3, records, "epoch-0001.npz"), snapshot(first))
    # Another seed, so that nothing that the model is born with can matter.
    second = built(graph, keras, seed=77)
    kept = state.read()
    restore(second, state.arrays(kept))
    gone_on = fitted(second, data, 3, done=kept.records).records
    assert same_weights(whole, second)
    assert [record.values for record in gone_on] == [record.values for record in all_at_once]


def test_averaged_weights_are_put_in_at_the_end_and_not_before() -> None:
    text = SUMS.replace("learning_rate: 0.05", "learning_rate: 0.05, use_ema: true, ema_momentum: 0.5")
    graph = lower(parse(text))
    data = sums(graph)
    mine, theirs = built(graph), built(graph)
    fitted(mine, data, 2)
    rows = [list(data.train.batches(8, shuffle=True, seed=1, epoch=epoch)) for epoch in (0, 1)]
    inputs = np.concatenate([batch[0]["row"] for epoch in rows for batch in epoch])
    totals = np.concatenate([batch[1]["sum"] for epoch in rows for batch in epoch])
    theirs.fit(inputs, totals, batch_size=8, shuffle=False, verbose=0)
    assert same_weights(mine, theirs)


@BOTH
def test_a_loss_that_is_no_number_stops_with_its_place(keras: KerasVersion) -> None:
    graph = lower(parse(SUMS.replace("0.05", "1.0e+30")))
    with pytest.raises(BlueprintError) as caught:
        fitted(built(graph, keras), sums(graph))
    message = str(caught.value)
    assert message.startswith("graphbuilder: GB722 the loss is ")
    assert " in epoch 1, batch " in message
    assert "hint: a smaller learning rate" in message


def test_what_asks_to_stop_is_asked_after_every_batch() -> None:
    graph = lower(parse(SUMS))
    answers = iter([False] * 10 + [True])
    found = fitted(built(graph), sums(graph), 3, stop=lambda: next(answers))
    assert found.stopped
    assert [record.number for record in found.records] == [1]


MANY = """\
blueprint: 1
inputs: {left: {shape: [3]}, right: {shape: [2], dtype: int32}}
INPUTS_AS
nodes:
  code: {layer: Embedding, from: right, input_dim: 5, output_dim: 3}
  pooled: {layer: GlobalAveragePooling1D}
  both: {layer: Concatenate, from: [left, pooled]}
  kind: {layer: Dense, units: 3, activation: softmax}
  size: {layer: Dense, from: both, units: 1}
outputs: OUTPUTS
training:
  loss: LOSS
  metrics: METRICS
  seed: 1
"""


@BOTH
@pytest.mark.parametrize(
    ("inputs_as", "outputs", "loss", "metrics", "names"),
    [
        ("", "{a: kind, b: size}", "{a: sparse_categorical_crossentropy, b: mse}", "{a: [accuracy], b: [mae]}", "ab"),
        (
            "inputs_as: list",
            "[kind, size]",
            "[sparse_categorical_crossentropy, mse]",
            "[[accuracy], [mae]]",
            ["kind", "size"],
        ),
        ("inputs_as: mapping", "kind", "sparse_categorical_crossentropy", "[accuracy]", ["kind"]),
        ("inputs_as: list", "[kind]", "{kind: sparse_categorical_crossentropy}", "{kind: [accuracy]}", ["kind"]),
        ("", "{a: kind}", "{a: sparse_categorical_crossentropy}", "[accuracy]", "a"),
    ],
    ids=["mapping", "list", "one", "list of one", "mapping of one"],
)
def test_inputs_and_outputs_of_any_structure_are_fed(
    keras: KerasVersion, inputs_as: str, outputs: str, loss: str, metrics: str, names: Any
) -> None:
    text = MANY.replace("INPUTS_AS", inputs_as).replace("OUTPUTS", outputs)
    graph = lower(parse(text.replace("LOSS", loss).replace("METRICS", metrics)))
    rng = np.random.default_rng(0)
    arrays = {"left": rng.normal(size=(16, 3)), "right": rng.integers(0, 5, (16, 2))}
    targets = {"kind": rng.integers(0, 3, 16), "size": rng.normal(size=16)}
    targets |= {"a": targets["kind"], "b": targets["size"]}
    arrays |= {name: targets[name] for name in names}
    data = given_arrays(arrays, wants_of(graph))
    assert not data.warnings
    found = fitted(built(graph, keras), data, 1)
    assert np.isfinite(found.records[0].values["loss"])
    assert any("acc" in name for name in found.records[0].values)


def test_a_state_of_another_training_is_refused(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "model.keras")
    records = (EpochRecord(1, {"loss": 1.0}, 0.5),)
    graph = lower(parse(SUMS))
    model = built(graph)
    state.write(Kept({"the batch size": 8, "the data": "a" * 64}, 1, 3, records, "epoch-0001.npz"), snapshot(model))
    kept = state.read()
    assert kept.records == records
    state.require(kept, kept.settings, 3)
    with pytest.raises(BlueprintError) as caught:
        state.require(kept, {"the batch size": 16, "the data": "b" * 64}, 3)
    assert str(caught.value) == (
        f"{state.path}: GB723 the batch size was 8 and is 16 now\n"
        f"{state.path}: GB723 the data is no longer what it was\n"
        "  hint: go on with the same command, or begin anew with --force"
    )
    with pytest.raises(BlueprintError, match="1 epochs are done already, and 0 are asked for"):
        state.require(kept, kept.settings, 0)
    with pytest.raises(BlueprintError, match="of a model with other weights"):
        restore(built(lower(parse(RANDOM))), state.arrays(kept))
    (state.path / "epoch-0001.npz").write_bytes(b"PK")
    with pytest.raises(BlueprintError, match="GB723 the kept state cannot be read"):
        state.arrays(kept)
    (state.path / "state.json").write_text("{")
    with pytest.raises(BlueprintError, match="GB723 the kept state cannot be read"):
        state.read()
    state.remove()
    assert not state.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_state_that_is_being_written_does_not_harm_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = StateFolder(tmp_path / "model.keras")
    state.write(Kept({}, 1, 3, (), "epoch-0000.npz"), {"a": np.arange(3)})
    replace = Path.replace

    def broken(self: Path, target: Any) -> Path:
        if "state.json" in self.name:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(KeyboardInterrupt):
        state.write(Kept({}, 1, 3, (), "epoch-0001.npz"), {"a": np.arange(4)})
    assert state.arrays(state.read())["a"].tolist() == [0, 1, 2]


def test_a_fingerprint_is_of_the_model_and_what_is_minimized() -> None:
    first = model_fingerprint(lower(parse(RANDOM)))
    assert first == model_fingerprint(
        lower(parse(f"# The same.\n{RANDOM}".replace("metrics: [accuracy]", "epochs: 9")))
    )
    for old, new in [("rate: 0.3", "rate: 0.4"), ("axis: -1", "axis: 1"), ("0.01", "0.02"), ("[6, 4]", "[7, 4]")]:
        assert first != model_fingerprint(lower(parse(RANDOM.replace(old, new))))


def test_the_public_function_trains_saves_and_evaluates(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    document = parse(SUMS.replace("epochs: 3", "epochs: 3, validation_split: 0.25"))
    path = tmp_path / "sums.keras"
    found = train(document, {"row": rows, "y": rows.sum(axis=1)}, path)
    assert found.path == path
    assert [entry.name for entry in tmp_path.iterdir()] == ["sums.keras"]
    assert found.evaluated_on == "validation"
    assert found.evaluation["loss"] == pytest.approx(found.history[-1].values["val_loss"])
    assert len(found.history) == 3
    again = load_model(path)
    assert same_weights(found.model, again)
    with pytest.raises(CommandError, match="GB601"):
        train(document, {"row": rows, "y": rows.sum(axis=1)}, path)


def test_a_training_without_an_output_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = np.ones((16, 4), "float32")
    found = train(parse(SUMS), {"row": rows, "y": rows.sum(axis=1)}, epochs=1, seed=5)
    assert (found.path, found.seed, dict(found.evaluation)) == (None, 5, {})
    assert list(tmp_path.iterdir()) == []


def test_evaluation_counts_every_sample() -> None:
    graph = lower(parse(SUMS))
    data = sums(graph, 61)
    model = built(graph)
    inputs, outputs = data.train.arrays() or ({}, {})
    expected = float(np.mean((model(inputs["row"]).numpy() - outputs["sum"]) ** 2))
    assert evaluate(model, data.train, data.wants, 8)["loss"] == pytest.approx(expected, rel=1e-5)


def test_what_fails_in_reading_is_told_as_such() -> None:
    graph = lower(parse(SUMS))
    data = sums(graph)
    assert isinstance(data.train, IndexedPart)
    source = data.train.source

    class Vanishing(ArraySource):
        def read(self, indices: Any) -> Any:
            if 33 in indices:
                raise BlueprintError(Diagnostic("GB701", "it cannot be read", file="photos/33.png"))
            return super().read(indices)

    assert isinstance(source, ArraySource)
    broken = replace(data, train=IndexedPart(Vanishing(source.inputs, source.outputs)))
    with pytest.raises(BlueprintError, match=r"photos/33\.png: GB701 it cannot be read"):
        fitted(built(graph), broken)
