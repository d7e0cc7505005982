"""Keys that come faster than the screen follows, as over a slow line, mean what they would have meant slowly."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from tests.tui.driving import CNN, driven, editor


@pytest.mark.parametrize(
    ("keys", "gone"),
    [(["down", "d"], "conv"), (["down", "down", "down", "d"], "flat"), (["down", "down", "up", "down", "d"], "pool")],
)
def test_what_was_selected_last_is_deleted(tmp_path: Path, keys: list[str], gone: str) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            assert it.main.canvas.selection == "image"
            for key in keys:
                it.app.post_message(events.Key(key, key if len(key) == 1 else None))
            await it.rest()
            document = it.app.workspace.session.document()
            assert set(document.blueprint.nodes) == {"conv", "pool", "flat", "hidden", "scores"} - {gone}

    driven(scenario)


def test_what_is_selected_in_a_list_stays_selected(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            for key in ("down", "down", "1"):
                it.app.post_message(events.Key(key, None))
            await it.rest()
            assert it.main.subject == ("nodes", "pool")
            # A param has no box, so what is selected in the graph says nothing of it.
            while it.main.subject != ("params", "width"):
                await it.press("up")
            await it.rest()
            assert it.main.subject == ("params", "width")
            await it.press("2", "d")
            assert it.text == CNN.replace("params:\n  width: 8\n", "").replace("$width", "8")

    driven(scenario)
