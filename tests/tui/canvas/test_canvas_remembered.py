"""A scene made with what was drawn before is the scene that is made from nothing."""

from __future__ import annotations

from random import Random

import pytest

from graphbuilder.blueprint.shipped import blueprint_names, blueprint_path
from graphbuilder.editing.commands import ALL
from graphbuilder.editing.session import Session
from graphbuilder.errors import BlueprintError, CommandError
from graphbuilder.lowering import Lowered, try_lower
from graphbuilder.tui.canvas import foldable_below, scene_of
from graphbuilder.tui.canvas.layout import layout
from graphbuilder.tui.canvas.remembered import Drawn
from graphbuilder.tui.canvas.scene import Density

STEPS = 12


def _script(name: str, seed: int) -> int:
    """Random edits of a blueprint, some undone; how many were made."""
    random = Random(seed)
    path = blueprint_path(name)
    assert path is not None
    session = Session(path.read_text(encoding="utf-8"), f"{name}.yaml", path)
    drawn, lowered, found = Drawn(), None, None
    unfolded: frozenset[str] = frozenset()
    made = 0
    for _ in range(STEPS * 6):
        document = session.document()
        lowered = try_lower(document) if random.random() < 0.6 else lowered
        if random.random() < 0.1:
            unfolded = foldable_below(document) if not unfolded else frozenset()
        scene = scene_of(document, lowered, unfolded=unfolded)
        again = scene_of(document, lowered, unfolded=unfolded, drawn=drawn)
        assert again == scene
        found = layout(again, Density.NORMAL, found)
        assert list(found.boxes) == [box.id for box in scene.boxes]
        assert found.scene is again
        if made == STEPS:
            break
        if session.done and random.random() < 0.1:
            session.undo()
            continue
        command = ALL[random.choice(list(ALL))](document, random)
        try:
            if command is not None:
                session.run(command)
                made += 1
        except (CommandError, BlueprintError):
            continue
    return made


@pytest.mark.parametrize("name", blueprint_names())
def test_what_was_drawn_before_changes_nothing(name: str) -> None:
    assert _script(name, 1) > 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 30))
@pytest.mark.parametrize("name", blueprint_names())
def test_what_was_drawn_before_changes_nothing_at_length(name: str, seed: int) -> None:
    _script(name, seed)


def test_another_value_in_a_box_moves_nothing() -> None:
    path = blueprint_path("cnn")
    assert path is not None
    session = Session(path.read_text(encoding="utf-8"), "cnn.yaml", path)
    lowered: Lowered = try_lower(session.document())
    before = layout(scene_of(session.document(), lowered))
    session.type(session.text.replace("filters: 32", "filters: 33"))
    after = layout(scene_of(session.document(), lowered), Density.NORMAL, before)
    assert after.boxes is before.boxes
    assert after.scene is not before.scene
