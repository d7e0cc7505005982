"""Measures of predictions, and of how far a converted model is from the original."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphbuilder.backend.runtime import LiteEnd, LiteRunner
from graphbuilder.backend.runtime_metrics import agreement, measure, refuse_disagreement
from graphbuilder.errors import BlueprintError, CommandError

CLASSES = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])


@pytest.mark.parametrize(
    ("metric", "predictions", "targets", "logits", "value"),
    [
        ("accuracy", CLASSES, [1, 0, 1, 1], False, 0.75),
        ("accuracy", CLASSES, [[1], [0], [1], [1]], False, 0.75),
        ("accuracy", CLASSES, [[0, 1], [1, 0], [0, 1], [0, 1]], False, 0.75),
        ("accuracy", [[0.6], [0.4]], [1, 0], False, 1.0),
        ("accuracy", [[0.6], [0.4]], [[1], [0]], True, 0.5),
        ("accuracy", [0.6, 0.4], [1, 1], False, 0.5),
        ("mean_absolute_error", [[1.0], [3.0]], [2.0, 1.0], False, 1.5),
        ("mean_squared_error", [[1.0], [3.0]], [[2.0], [1.0]], False, 2.5),
    ],
)
def test_measures(metric: Any, predictions: Any, targets: Any, logits: bool, value: float) -> None:
    assert measure(metric, np.array(predictions), np.array(targets), from_logits=logits) == pytest.approx(value)


def test_targets_that_do_not_fit() -> None:
    with pytest.raises(BlueprintError, match=r"targets of shape \[3\]"):
        measure("accuracy", CLASSES, np.array([1, 0, 1]))
    with pytest.raises(CommandError, match="the metric f1 is not known"):
        measure("f1", CLASSES, CLASSES)  # type: ignore[arg-type]  # wrong on purpose


def test_a_single_sample_between_two_classes_condemns_nobody() -> None:
    wanted = np.eye(10)[np.arange(450) % 10]
    found = wanted.copy()
    found[0] = np.eye(10)[5]
    (compared,) = agreement({"out": wanted}, {"out": found})
    assert compared.largest_share == 1.0
    assert compared.share < 0.05
    refuse_disagreement((compared,), "int8")


def test_one_channel_of_nonsense_condemns() -> None:
    wanted = np.random.default_rng(0).normal(size=(100, 64))
    found = wanted.copy()
    found[:, 3] *= -1
    with pytest.raises(BlueprintError, match="GB813 as int8 the output out"):
        refuse_disagreement(agreement({"out": wanted}, {"out": found}), "int8")


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_no_number_condemns(odd: float) -> None:
    wanted = np.ones((4, 2))
    found = np.where(np.eye(4, 2) == 1, odd, 1.0)
    with pytest.raises(BlueprintError, match="GB813"):
        refuse_disagreement(agreement({"out": wanted}, {"out": found}), "float32")


def test_zeros_agree_with_zeros_only() -> None:
    (same,) = agreement({"out": np.zeros((3, 2))}, {"out": np.zeros((3, 2))})
    assert same.share == 0
    (other,) = agreement({"out": np.zeros((3, 2))}, {"out": np.full((3, 2), 1e-9)})
    assert other.share == 1
    with pytest.raises(BlueprintError, match=r"gives \[3, 1\] for out"):
        agreement({"out": np.zeros((3, 2))}, {"out": np.zeros((3, 1))})


def test_integers_at_the_ends_round_and_saturate() -> None:
    end = LiteEnd("x", 0, (1, 3), "int8", 0.5, 10)
    stored = end.stored(np.array([[0.0, 0.26, 1e9, -1e9]]))
    assert stored.tolist() == [[10, 11, 127, -128]]
    assert end.plain(stored).tolist() == [[0.0, 0.5, 58.5, -69.0]]
    plain = LiteEnd("x", 0, (1, 3), "float32", None, 0)
    assert plain.stored(np.array([1.5])).dtype == np.float32


def test_what_is_no_model_is_refused(tmp_path: Any) -> None:
    with pytest.raises(BlueprintError, match="no TFLite model"):
        LiteRunner(b"nothing")
    with pytest.raises(BlueprintError, match="cannot be read"):
        LiteRunner(tmp_path / "nowhere.tflite")
