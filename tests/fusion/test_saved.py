"""A model with every fusion loads in a process that knows Keras alone, and computes the same there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphbuilder.api import load_model, save
from tests.fusion.models import STRATEGIES, Built, built, document
from tests.fusion.test_presence import INPUTS, TEXTS, differing, node, numbers

LOADING = """\
import sys
import numpy as np
import keras

model = keras.models.load_model(sys.argv[1])
given = dict(np.load(sys.argv[2]))
produced = model(given)
np.savez(sys.argv[3], **{name: np.asarray(value) for name, value in produced.items()})
assert "graphbuilder" not in sys.modules
print(len(model.layers))
"""


@pytest.fixture(scope="module")
def every_fusion() -> Built:
    """All strategies in one model: of vectors, of masked texts beside maps, with presence and dropped modalities."""
    nodes: dict[str, Any] = {}
    for strategy in STRATEGIES:
        nodes[f"{strategy}_plain"] = node(strategy, ("m1", "t1", "v1"), told=False)
        nodes[f"{strategy}_told"] = node(strategy, ("t1", "t2"), modality_dropout=0.3)
    for strategy in ("cross_attention", "tokens", "bottleneck"):
        nodes[f"{strategy}_whole"] = node(strategy, ("t1", "s1"), pool="none")
    return built(document(INPUTS, {**TEXTS, **nodes}))


def test_a_plain_process_loads_every_fusion(every_fusion: Built, tmp_path: Path) -> None:
    path = save(every_fusion.model, tmp_path / "all.keras")
    given = {name: array for name, array in numbers().items() if name in every_fusion.graph.inputs}
    np.savez(tmp_path / "given.npz", **given)
    script = tmp_path / "loading.py"
    script.write_text(LOADING)
    command = [sys.executable, str(script), str(path), str(tmp_path / "given.npz"), str(tmp_path / "produced.npz")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    produced = dict(np.load(tmp_path / "produced.npz"))
    assert len(produced) == 2 * len(STRATEGIES) + 3
    assert differing(produced, every_fusion(given), limit=1e-6) == {}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "keras"), [("model.keras", 3), ("model.keras", 2), ("model.h5", 2)])
def test_every_format_comes_back_the_same(tmp_path: Path, name: str, keras: Any) -> None:
    nodes = {strategy: node(strategy, ("t1", "s1", "v1"), modality_dropout=0.3) for strategy in STRATEGIES}
    found = built(document(INPUTS, {**TEXTS, **nodes}), keras)
    again = Built(found.graph, load_model(save(found.model, tmp_path / name), keras=keras))
    given = numbers()
    assert differing(again(given), found(given), limit=1e-6) == {}
