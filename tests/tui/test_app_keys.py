"""Every action by each of its keys, on the editor as it runs; an action without a scenario fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.binding import Binding

from graphbuilder.tui.app import all_ids
from graphbuilder.tui.canvas import Canvas
from graphbuilder.tui.keys import ACTIONS
from graphbuilder.tui.panes.inspector import Inspector
from graphbuilder.tui.panes.rows import Rows
from graphbuilder.tui.panes.text import TextPane
from tests.tui import drives_of_actions, drives_of_panes
from tests.tui.drives import DRIVES
from tests.tui.driving import driven, editor

# They register what they hold.
assert drives_of_actions.__all__ == drives_of_panes.__all__ == []


def keys_of() -> dict[str, list[str]]:
    """The keys of every action, by its id."""
    found = {action.id: action.keys.split(",") for action in ACTIONS}
    for widget in (Canvas, Rows, Inspector, TextPane):
        for each in widget.BINDINGS:
            assert isinstance(each, Binding)
            if each.id is not None:
                found[each.id] = each.key.split(",")
    return found


KEYS = keys_of()


def test_every_action_is_driven() -> None:
    assert set(DRIVES) == set(all_ids()) == set(KEYS)


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, keys in KEYS.items() for key in keys])
def test_action(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, key: str) -> None:
    drive = DRIVES[name]
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)

    async def scenario() -> None:
        async with editor(tmp_path, drive.text, size=drive.size) as it:
            await drive.steps(it, key)

    driven(scenario)
