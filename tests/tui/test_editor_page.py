"""The editor's page says what its keys do, and shows pictures that there are."""

from __future__ import annotations

import re
from pathlib import Path

from graphbuilder.tui.keys import ACTIONS, shown_key
from scripts.screenshots import PICTURES


def test_every_key_is_on_the_page(root: Path) -> None:
    page = (root / "docs" / "editor.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", page, re.MULTILINE)
    assert [(name, keys.replace("`", ""), title) for name, keys, title in rows] == [
        (action.id, shown_key(action.keys), action.title) for action in ACTIONS
    ]


def test_every_picture_is_taken_by_the_script_and_loads_nothing(root: Path) -> None:
    page = (root / "docs" / "editor.md").read_text()
    shown = set(re.findall(r"\]\(images/([\w-]+)\.svg\)", page))
    assert shown <= {picture.name for picture in PICTURES}
    for picture in PICTURES:
        svg = (root / "docs" / "images" / f"{picture.name}.svg").read_text()
        assert "@font-face" not in svg
        assert re.findall(r"(?:href|src|url)\s*[=(]\s*[\"']?https?:", svg) == []
