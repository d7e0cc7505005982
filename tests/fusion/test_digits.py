"""On digits cut in halves a fusion beats either half, and modality dropout makes up for a half that is absent."""

from __future__ import annotations

from functools import lru_cache

import pytest

from benchmarks.fusion_digits import DROPOUT, HALVES, STRATEGIES, Data, digits, train_alone, train_fused
from graphbuilder.fusion import strategies


@lru_cache
def _data(seed: int) -> Data:
    return digits(seed)


@lru_cache
def _best_alone(seed: int, epochs: int) -> float:
    return max(train_alone(half, _data(seed), seed, epochs) for half in HALVES)


def _check(strategy: str, seed: int, epochs: int) -> None:
    plain = train_fused(strategy, 0.0, _data(seed), seed, epochs)
    dropped = train_fused(strategy, DROPOUT, _data(seed), seed, epochs)
    assert plain.whole > _best_alone(seed, epochs)
    assert dropped.whole > _best_alone(seed, epochs)
    assert dropped.absent > plain.absent
    assert dropped.whole - dropped.absent < plain.whole - plain.absent


def test_the_benchmark_measures_every_fusion() -> None:
    assert set(STRATEGIES) == set(strategies.names())


def test_gates_gain_by_both_halves_and_can_do_with_one() -> None:
    _check("gated", seed=0, epochs=20)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_fusion_gains_by_both_halves_and_can_do_with_one(strategy: str, seed: int) -> None:
    _check(strategy, seed, epochs=40)
