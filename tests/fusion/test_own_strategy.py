"""A fusion of somebody's own, the one that the documentation writes, works like those that ship."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import graphbuilder
from graphbuilder.fusion import strategies
from tests.docs.pages import PAGES

BLUEPRINT = """
blueprint: 1
inputs:
  left: {shape: [12, 12, 3]}
  right: {shape: [7], dtype: int32}
nodes:
  apart: {fuse: difference, from: [left, right], units: 5}
"""


@pytest.fixture
def difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The documentation's fusion, registered as an entry point would be."""
    (page,) = (page for page in PAGES if page.path.name == "fusion-strategy.md")
    (block,) = (block for block in page.blocks if block.language == "python")
    (tmp_path / "own_fusions.py").write_text(f"from __future__ import annotations\n\n{block.text}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(strategies, "_places", {**strategies._places, "difference": "own_fusions:Difference"})
    monkeypatch.setattr(strategies, "_loaded", dict(strategies._loaded))
    yield
    sys.modules.pop("own_fusions", None)


@pytest.mark.usefixtures("difference")
def test_documented_fusion_aligns_and_computes_its_formula() -> None:
    model = graphbuilder.compile(graphbuilder.parse(BLUEPRINT))
    random = np.random.default_rng(0)
    left, right = random.normal(size=(4, 12, 12, 3)).astype("float32"), random.integers(0, 9, (4, 7), dtype="int32")
    one, other = (np.asarray(model.get_layer(f"apart.{name}.projected").kernel) for name in ("left", "right"))
    expected = np.abs(left.mean(axis=(1, 2)) @ one - right.astype("float32") @ other)
    np.testing.assert_allclose(np.asarray(model({"left": left, "right": right})), expected, atol=1e-5)


@pytest.mark.usefixtures("difference")
def test_it_is_listed_and_its_options_are_checked() -> None:
    wrong = graphbuilder.check(graphbuilder.parse(BLUEPRINT.replace("units: 5", "units: 0")))
    assert [found.code for found in wrong.errors] == ["GB203"]
    assert "difference" in strategies.names()
