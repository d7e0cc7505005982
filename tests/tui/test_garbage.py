"""Python looks for garbage while nobody types."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graphbuilder.tui import app as app_module
from graphbuilder.tui.garbage import Garbage
from tests.tui.driving import driven, editor


@pytest.fixture
def whole() -> Iterator[list[float]]:
    """One entry for each time that all objects were looked through."""
    found: list[float] = []

    def note(phase: str, told: dict[str, Any]) -> None:
        if phase == "stop" and told["generation"] == 2:
            found.append(told["collected"])

    before = gc.get_threshold()
    # As Python begins.
    gc.set_threshold(700, 10, 10)
    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)
    gc.set_threshold(*before)


def many() -> list[list[int]]:
    """Objects of which there are so many that Python would look through all of them by itself."""
    return [[number] for number in range(300_000)]


def test_all_objects_are_looked_through_when_it_is_asked_for(whole: list[float]) -> None:
    garbage = Garbage()
    try:
        whole.clear()
        kept = many()
        assert whole == []
        garbage.collect()
        assert len(whole) == 1
        # With nothing new there is nothing to gain.
        garbage.collect()
        assert len(whole) == 1
    finally:
        garbage.restore()
    assert gc.get_threshold() == (700, 10, 10)
    kept += many()
    assert len(whole) > 1, "without this there would be nothing to avoid"


def test_garbage_is_collected_once_nothing_is_typed(
    whole: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "QUIET", 0.4)

    async def scenario() -> None:
        async with editor(tmp_path) as it:
            whole.clear()
            kept = many()
            for _ in range(4):
                await it.press("down", "up")
            typed = len(whole)
            for _ in range(200):
                await it.pilot.pause(0.02)
                if whole:
                    break
            assert typed == 0
            assert len(whole) == 1
            assert kept

    driven(scenario)
    assert gc.get_threshold() == (700, 10, 10)
