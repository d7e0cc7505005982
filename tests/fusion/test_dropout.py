"""modality_dropout: in training each branch is dropped at its rate, never all of a sample; at inference none is."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

from tests.fusion.layers_by_hand import Array
from tests.fusion.models import STRATEGIES, built, document
from tests.fusion.test_presence import INPUTS, TEXTS, differing, garbage, node, numbers

BRANCHES = ("t1", "s1", "v1")
RATE = 0.4


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_inference_drops_nothing(strategy: str) -> None:
    found = []
    for rate in (0.0, RATE):
        nodes = {f"told_{told}": node(strategy, BRANCHES, told, modality_dropout=rate) for told in (True, False)}
        found.append(built(document(INPUTS, {**TEXTS, **nodes})))
    plain, dropping = found
    given = numbers()
    assert differing(dropping(given), plain(given)) == {}
    assert differing(dropping(given, training=False), plain(given)) == {}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_training_computes_as_if_the_dropped_branches_were_absent(strategy: str) -> None:
    """What was dropped is tapped; told so, and fed garbage for it, the same model computes the same at inference."""
    nodes = {"merged": node(strategy, BRANCHES, modality_dropout=RATE)}
    taps = {name: f"merged.presence.{name}" for name in BRANCHES}
    found = built(document(INPUTS, {**TEXTS, **nodes}, {"merged": "merged", **taps}))
    given = numbers(lacking=0.2)
    dropped = 0
    for _ in range(4):
        trained = found(given, training=True)
        told = dict(given)
        for name in BRANCHES:
            told[f"{name}_there"] = trained[name][:, 0] > 0
            dropped += int(np.sum(given[f"{name}_there"] & ~told[f"{name}_there"]))
        assert differing({"merged": trained["merged"]}, {"merged": found(garbage(told))["merged"]}) == {}
    assert dropped > 0


def kept_in_training(keras: Literal[2, 3], told: bool, samples: int) -> tuple[Array, Array]:
    """Which branches each sample has in training, and which it is fed, (samples, branches)."""
    inputs: dict[str, Any] = {name: {"shape": [2]} for name in ("a", "b", "c")}
    presence: dict[str, Any] = {f"{name}_there": {"shape": []} for name in inputs}
    source: Any = {"inputs": list(inputs), **({"presence": {name: f"{name}_there" for name in "ab"}} if told else {})}
    nodes = {"merged": {"fuse": "add", "from": source, "modality_dropout": 0.3}}
    taps = {name: f"merged.presence.{name}" for name in inputs}
    found = built(document({**inputs, **(presence if told else {})}, nodes, {"merged": "merged", **taps}), keras)
    random = np.random.default_rng(3)
    given = {name: random.normal(size=(samples, 2)).astype("float32") for name in inputs}
    there = {name: (random.random(samples) < 0.5).astype("float32") for name in presence}
    fed = np.stack([there["a_there"] if told else np.ones(samples), there["b_there"] if told else np.ones(samples),
                    np.ones(samples)], axis=1)  # fmt: skip
    produced = found({**given, **there}, training=True)
    kept = np.concatenate([produced[name] for name in inputs], axis=1)
    total = sum(given[name] * kept[:, [place]] for place, name in enumerate(inputs))
    np.testing.assert_allclose(produced["merged"], total, atol=1e-5)
    return kept, fed


@pytest.mark.parametrize("keras", [3, 2])
def test_each_branch_of_each_sample_is_dropped_at_the_rate(keras: Literal[2, 3]) -> None:
    kept, _ = kept_in_training(keras, told=False, samples=20_000)
    assert set(np.unique(kept)) == {0.0, 1.0}
    assert kept.sum(axis=1).min() >= 1
    # A sample that would lose all keeps all: of three branches each is gone with probability p - p³, two with p² - p³.
    # The standard deviation of such a share of 20,000 is 0.003.
    np.testing.assert_allclose(1 - kept.mean(axis=0), 0.3 - 0.3**3, atol=0.015)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        both = np.mean((kept[:, one] == 0) & (kept[:, other] == 0))
        np.testing.assert_allclose(both, 0.3**2 - 0.3**3, atol=0.01)


@pytest.mark.parametrize("keras", [3, 2])
def test_what_is_absent_stays_so_and_one_branch_is_left(keras: Literal[2, 3]) -> None:
    kept, fed = kept_in_training(keras, told=True, samples=5_000)
    assert np.all(kept <= fed)
    assert kept.sum(axis=1).min() >= 1
    alone = fed.sum(axis=1) == 1
    assert alone.any()
    assert np.all(kept[alone] == fed[alone])
    pairs = fed.sum(axis=1) == 2
    # Of two branches each is gone with probability p - p².
    np.testing.assert_allclose(1 - kept[pairs].sum(axis=1).mean() / 2, 0.3 - 0.3**2, atol=0.03)
