"""Exported code in a process of its own, without graphbuilder, is the very model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.exporting import exported_application, exported_blueprint
from graphbuilder.blueprint.shipped import blueprint_names

ROOT = Path(__file__).parents[2]
# One of each family; `python -m benchmarks --export` runs them all.
SAMPLE = (
    "MobileNetV2",
    "MobileNetV3Small",
    "EfficientNetB0",
    "DenseNet121",
    "ResNet50V2",
    "NASNetMobile",
    "ConvNeXtTiny",
)
LATER = [pytest.param(name, marks=pytest.mark.slow) for name in blueprint_names() if name != "siamese"]


@pytest.mark.parametrize("name", ["siamese", *LATER])
def test_the_code_of_a_blueprint_runs_alone(name: str) -> None:
    ran = exported_blueprint(ROOT / "blueprints" / f"{name}.yaml")
    assert ran.same
    assert ran.difference == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_the_code_of_a_model_of_keras_applications_runs_alone(name: str) -> None:
    # One thread, so that sums come in one order.
    assert os.environ["TF_NUM_INTRAOP_THREADS"] == "1"
    ran = exported_application(name)
    assert ran.same
    assert (ran.difference, ran.original) == (0, 0)


@pytest.mark.slow
def test_a_function_for_each_block_is_short() -> None:
    # The lines of code, a little above what was measured: an `if` for what only some uses of a block have.
    assert exported_application("ResNet50").lines <= 100
    assert exported_application("EfficientNetB0").lines <= 290
