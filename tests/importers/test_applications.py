"""Models of keras.applications come back; `python -m benchmarks --import` compares all of them."""

from __future__ import annotations

import keras
import pytest

from benchmarks.importing import Compared, compared

# Each stands for a family: ops, nested models, layers of their own, many branches, and plain stacks.
SAMPLE = ["ConvNeXtTiny", "DenseNet121", "EfficientNetB0", "InceptionResNetV2", "MobileNetV3Small", "ResNet50"]


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_a_model_comes_back_flat_and_folded(name: str) -> None:
    found = list(compared(name))
    assert [(top, flat) for top, flat, _ in found] == [(True, True), (True, False), (False, True), (False, False)]
    assert [(each.same, each.difference) for _, _, each in found] == [(True, 0.0)] * 4


def test_a_small_one_comes_back() -> None:
    for _, _, found in compared("MobileNetV3Small", tops=[False]):
        assert found == Compared(
            parameters=939120,
            layers=156,
            same=True,
            difference=0.0,
            lines=found.lines,
            json_lines=found.json_lines,
        )


@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_pooling_instead_of_a_classifier(pooling: str) -> None:
    from tests.support.importing import compare, import_model

    model = keras.applications.MobileNetV3Small(
        weights=None, include_top=False, pooling=pooling, input_shape=(64, 64, 3), alpha=0.75
    )
    compare(model, import_model(model), batch=1)
