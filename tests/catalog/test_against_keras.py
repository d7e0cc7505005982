"""Every entry against both Kerases, over its examples, systematic changes of them, and random ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.catalog.answers import Accepted, Refused, catalog_answer, keras_answer
from tests.catalog.cases import example_cases
from tests.catalog.comparison import against_keras, against_twin
from tests.catalog.findings import examined
from tests.catalog.names import LAYERS, OPS, TWINS, entry_kind, layer_kind

# One case of these takes a tenth of a second and more, so one of as many is looked at here, and all of them by
# `make bench ARGS=--catalog`.
COSTLY = {
    "AugMix": 3, "ConvLSTM1D": 3, "ConvLSTM2D": 3, "ConvLSTM3D": 3, "GRU": 2, "LSTM": 2, "MelSpectrogram": 5,
    "MultiHeadAttention": 2, "RandAugment": 3, "RandomElasticTransform": 3,
}  # fmt: skip


@pytest.mark.hypothesis
@pytest.mark.parametrize("name", LAYERS)
def test_the_catalog_says_what_keras_says(name: str) -> None:
    examined(layer_kind(name), against_keras, every=COSTLY.get(name, 1)).report()


@pytest.mark.hypothesis
@pytest.mark.parametrize("name", TWINS)
def test_the_catalog_says_what_tf_keras_says(name: str) -> None:
    examined(layer_kind(name), against_twin, share=0.2, every=2).report()


@pytest.mark.parametrize("name", [*LAYERS, *OPS])
def test_the_fewest_tensors_of_a_list_are_keras_s(name: str) -> None:
    kind = entry_kind(name)
    for case in example_cases(kind)[:1]:
        for port in kind.ports:
            tensors = case.inputs.get(port.name, ())
            if port.many and not port.optional and isinstance(tensors, tuple):
                enough = replace(case, inputs={**case.inputs, port.name: tensors[: port.least]})
                if isinstance(catalog_answer(enough), Accepted):
                    assert isinstance(keras_answer(enough), Accepted)
                too_few = replace(case, inputs={**case.inputs, port.name: tensors[: port.least - 1]})
                assert isinstance(keras_answer(too_few), Refused), f"Keras takes {port.least - 1} at {port.name}"
