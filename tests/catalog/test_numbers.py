"""Both Kerases compute the same with the same weights, for every example of every layer that both have."""

from __future__ import annotations

import numpy as np
import pytest

from tests.catalog.answers import computed
from tests.catalog.exemptions import NUMBERS
from tests.catalog.names import TWINS, layer_kind
from tests.catalog.strategies import example_cases, small


@pytest.mark.parametrize("name", [name for name in TWINS if name not in NUMBERS])
def test_keras_and_tf_keras_compute_the_same(name: str) -> None:
    assert worst(name) <= 1e-5


@pytest.mark.parametrize("name", [name for name in NUMBERS if name in TWINS])
def test_every_exemption_of_numbers_is_needed(name: str) -> None:
    try:
        found = worst(name)
    except Exception:
        return
    assert found > 1e-5


def worst(name: str) -> float:
    """The largest difference between the outputs, relative where they are larger than one."""
    kind = layer_kind(name)
    largest = 0.0
    for case in example_cases(kind):
        mine, theirs = computed(small(case))
        assert len(mine) == len(theirs)
        for ours, other in zip(mine, theirs, strict=True):
            assert ours.shape == other.shape
            if ours.dtype.kind in "fc" and ours.size:
                difference = np.abs(ours - other) / np.maximum(1, np.abs(ours))
                largest = max(largest, float(difference.max()))
            else:
                assert (ours == other).all()
    return largest
