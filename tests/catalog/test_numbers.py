"""Both Kerases compute the same with the same weights, for every example of every layer that both have."""

from __future__ import annotations

import numpy as np
import pytest

from graphbuilder.catalog import LayerEntry
from tests.catalog.cases import example_cases
from tests.catalog.computing import computed, device_fails
from tests.catalog.exemptions import NUMBERS
from tests.catalog.names import OP_TWINS, TWINS, entry_kind
from tests.catalog.strategies import small
from tests.support.kerases import Unbuildable


@pytest.mark.parametrize("name", [name for name in (*TWINS, *OP_TWINS) if name not in NUMBERS])
def test_keras_and_tf_keras_compute_the_same(name: str) -> None:
    assert worst(name) <= 1e-5


def test_every_exemption_of_numbers_is_needed() -> None:
    assert [name for name in NUMBERS if worst(name) <= 1e-5] == []


def worst(name: str) -> float:
    """The largest difference between the outputs, relative where they are larger than one."""
    kind = entry_kind(name)
    largest = 0.0
    for case in example_cases(kind):
        try:
            mine, theirs = computed(small(case) if issubclass(kind, LayerEntry) else case)
        except Unbuildable:
            continue
        except Exception as error:
            if device_fails(error):
                continue
            raise
        assert len(mine) == len(theirs)
        for ours, other in zip(mine, theirs, strict=True):
            assert ours.shape == other.shape
            if ours.dtype.kind in "fc" and ours.size:
                difference = np.abs(ours - other) / np.maximum(1, np.abs(ours))
                largest = max(largest, float(difference.max()))
            else:
                assert (ours == other).all()
    return largest
