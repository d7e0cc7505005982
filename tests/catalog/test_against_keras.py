"""Every entry against both Kerases, over its examples, systematic changes of them, and random ones."""

from __future__ import annotations

import pytest

from graphbuilder.catalog import layers
from tests.catalog.comparison import against_keras, against_twin
from tests.catalog.findings import examined

LAYERS = layers.names()
TWINS = [name for name in LAYERS if layers.get(name).legacy.absent is None]  # type: ignore[union-attr]


@pytest.mark.hypothesis
@pytest.mark.parametrize("name", LAYERS)
def test_the_catalog_says_what_keras_says(name: str) -> None:
    kind = layers.get(name)
    assert kind is not None
    found = examined(kind, against_keras)
    assert not found, str(found)


@pytest.mark.hypothesis
@pytest.mark.parametrize("name", TWINS)
def test_the_catalog_says_what_tf_keras_says(name: str) -> None:
    kind = layers.get(name)
    assert kind is not None
    found = examined(kind, against_twin)
    assert not found, str(found)
