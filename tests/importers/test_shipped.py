"""Blueprints come back from the Keras models that are compiled of them: the shipped ones, and the hard ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphbuilder.api import compile, lower
from tests.lowering.test_resolved import FILES
from tests.support.importing import compare, import_model
from tests.support.offline import offline_params

LARGE = (
    "resnet50", "visual_question_answering", "two_towers", "image_tabular", "three_way_sentiment", "transfer_learning",
    "unet_mobilenet",
)  # fmt: skip


@pytest.mark.parametrize("flat", [True, False], ids=["flat", "folded"])
@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.stem, marks=[pytest.mark.slow] * (path.stem in LARGE)) for path in FILES]
)
def test_a_blueprint_comes_back(path: Path, flat: bool) -> None:
    graph = lower(path, offline_params(path))
    model = compile(graph)
    found = import_model(model, flat=flat)
    assert found.lost == ()
    compare(model, found, batch=2)
