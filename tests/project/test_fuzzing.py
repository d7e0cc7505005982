"""Changed blueprints end in a result or in one of graphbuilder's own errors; `make fuzz` tries a million of them."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fuzzing import TARGETS, changed, corpus

# Inputs that were not stood once.
FOUND = {
    "key_twice_in_a_mapping_that_is_a_key": b"a: { {layer: x, from: y, from: z}\n",
}


@pytest.mark.parametrize("target", TARGETS)
def test_changed_blueprints(target: str) -> None:
    choose = random.Random(f"suite {target}")
    for _ in range(400):
        TARGETS[target](changed(choose.choice(corpus()), choose))


@pytest.mark.fuzz
@pytest.mark.parametrize("feed", TARGETS.values(), ids=list(TARGETS))
@given(data=st.binary(max_size=300))
def test_any_bytes(feed: Callable[[bytes], None], data: bytes) -> None:
    feed(data)


@pytest.mark.fuzz
@pytest.mark.parametrize("feed", TARGETS.values(), ids=list(TARGETS))
@given(which=st.integers(0), seed=st.integers(0, 2**32))
def test_any_change(feed: Callable[[bytes], None], which: int, seed: int) -> None:
    feed(changed(corpus()[which % len(corpus())], random.Random(seed)))


@pytest.mark.parametrize("data", FOUND.values(), ids=list(FOUND))
def test_what_was_found_is_stood(data: bytes) -> None:
    for feed in TARGETS.values():
        feed(data)
