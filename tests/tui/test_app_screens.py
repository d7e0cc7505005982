"""Every screen at both sizes looks exactly like the file beside it.

`UPDATE_GOLDEN=1` writes the screens anew; read the difference before committing it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from graphbuilder.tui.screens.ask import Ask, AskText
from graphbuilder.tui.screens.picker import Picker
from tests.tui.driving import CNN, Editor, driven, editor, screen_rows

SCREENS = Path(__file__).parent / "screens"
SHIPPED = Path("blueprints").resolve()
SIZES = {"small": (80, 24), "large": (160, 48)}
TOLD_WRONG = CNN.replace("units: 32", "units: 0").replace("from", "form").replace("layer: Flatten", "layer: Flaten")

# What is opened, and the keys that lead to the screen; `=word` types a word, `+Title` waits for a question.
CASES: dict[str, tuple[str, Sequence[str]]] = {
    "image_text": (SHIPPED.joinpath("image_text.yaml").read_text(), ["down", "down"]),
    "resnet50": (SHIPPED.joinpath("resnet50.yaml").read_text(), ["minus", "down"]),
    "unfolded": (SHIPPED.joinpath("transformer.yaml").read_text(), ["slash", "=encoder", "enter", "f"]),
    "problems": (TOLD_WRONG, ["4"]),
    "wrong": ("blueprint: 1\nnodes:\n  a: {layer: Dense, units", []),
    "text": (CNN, ["slash", "=hidden", "enter", "5"]),
    "diff": (CNN, ["slash", "=pool", "enter", "d", "6"]),
    "log": (CNN, ["slash", "=pool", "enter", "d", "7"]),
    "field": (CNN, ["slash", "=hidden", "enter", "enter", "j", "enter", "ctrl+u", "=-1"]),
    "choices": (CNN, ["slash", "=hidden", "enter", "enter", "j", "j", "enter"]),
    "training": (SHIPPED.joinpath("cnn.yaml").read_text(), ["slash", "=training", "enter"]),
    "add": (CNN, ["a", "=conv2d"]),
    "add_where": (CNN, ["down", "down", "a", "=dropout", "enter"]),
    "find": (CNN, ["slash", "=o"]),
    "rename": (CNN, ["down", "r", "+AskText", "ctrl+u", "=pool"]),
    "merge": (SHIPPED.joinpath("image_text.yaml").read_text(),
              ["slash", "=image_features", "enter", "m", "=text_features", "enter", "+Merge image_features, text"]),
    "passes": (CNN, ["slash", "=hidden", "enter", "p", "enter", "+Compress hidden by"]),
    "help": (CNN, ["question_mark"]),
    "history": (CNN, ["slash", "=pool", "enter", "d", "U"]),
    "run": (CNN, ["R"]),
    "quit": (CNN, ["slash", "=pool", "enter", "d", "q", "+Ask"]),
    "jump": (CNN, ["apostrophe"]),
}  # fmt: skip


async def _wait(it: Editor, wanted: str) -> None:
    for _ in range(400):
        screen = it.app.screen
        if wanted in (type(screen).__name__, getattr(screen, "asked", "")[: len(wanted)]):
            return
        await it.pilot.pause(0.02)
    raise AssertionError(f"{wanted} was not asked")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CASES)
def test_screen_is_exact(name: str, size: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, keys = CASES[name]
    monkeypatch.chdir(tmp_path)
    golden = SCREENS / f"{name}_{size}.txt"

    async def scenario() -> None:
        async with editor(Path(), text, size=SIZES[size]) as it:
            for key in keys:
                if key.startswith("="):
                    await it.write(key[1:])
                elif key.startswith("+"):
                    await _wait(it, key[1:])
                    await it.rest()
                else:
                    await it.press(key)
            await it.pilot.pause(0.1)
            found = "\n".join(screen_rows(it.app)) + "\n"
            assert all(len(row) <= SIZES[size][0] for row in found.split("\n"))
            if os.environ.get("UPDATE_GOLDEN"):
                SCREENS.mkdir(exist_ok=True)
                golden.write_text(found, encoding="utf-8")
            assert found == golden.read_text(encoding="utf-8")

    driven(scenario)


def test_every_kind_of_question_is_among_the_screens() -> None:
    asked = {key[1:].split()[0] for _, keys in CASES.values() for key in keys if key.startswith("+")}
    assert {Ask.__name__, AskText.__name__} <= asked
    assert Picker.__name__ not in asked, "pickers are told apart by what they ask"
