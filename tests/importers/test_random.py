"""Random graphs make the round trip from blueprint to Keras to blueprint to Keras, and compute the same."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.importers.random_models import FEATURES, features_of, random_blueprint
from tests.importers.round_trips import round_trip

# How many graphs one test takes, and where the slow ones begin; `make bench ARGS=--round-trips` takes thousands.
_GRAPHS, _MORE = 15, 10
# How many of a hundred graphs must have a feature, at least.
_LEAST = 5


@pytest.mark.fuzz
@given(seed=st.integers(0, 10**6))
def test_a_random_graph_comes_back(seed: int) -> None:
    round_trip(seed)


@pytest.mark.parametrize("part", range(_MORE))
def test_random_graphs_come_back(part: int) -> None:
    for seed in range(part * _GRAPHS, (part + 1) * _GRAPHS):
        round_trip(seed)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(_MORE, 5 * _MORE))
def test_hundreds_more_come_back(part: int) -> None:
    for seed in range(part * _GRAPHS, (part + 1) * _GRAPHS):
        round_trip(seed)


def test_every_feature_is_among_them() -> None:
    graphs = _GRAPHS * _MORE
    found = Counter(feature for seed in range(graphs) for feature in features_of(random_blueprint(seed)))
    assert min(found[feature] for feature in FEATURES) >= graphs * _LEAST // 100, found
