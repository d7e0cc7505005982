"""Weights start alike in every run."""

from __future__ import annotations

import keras
import pytest


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Seeds whatever Keras, NumPy and Python draw."""
    keras.utils.set_random_seed(0)
