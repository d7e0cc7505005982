"""A user's text, whatever is in it, is drawn as what it is: it neither moves the cursor nor colours nor breaks rows."""

from __future__ import annotations

import json
from pathlib import Path
from unicodedata import category

import pytest
from rich.cells import cell_len

from graphbuilder.tui.job_events import Said
from graphbuilder.tui.jobs import Job
from graphbuilder.tui.screens.ask import Ask, AskText
from graphbuilder.tui.screens.picker import Picker
from tests.tui.driving import Editor, driven, editor, screen_rows

EVIL = (
    "[red]not red[/red] [@click=app.bell]x[/] \x1b[2J\x1b]0;t\x07 漢字 \u202edrow\u202c e\u0301 "
    "👩\u200d👩\u200d👧 \u200b\x85\x9b31m"
)
LONG = "a" * 10_000
MODEL = {
    "blueprint": 1,
    "about": EVIL,
    "params": {"p": {"default": EVIL, "about": EVIL}},
    "inputs": {"x": {"shape": [4], "about": EVIL}},
    "blocks": {
        "inner": {"about": EVIL, "inputs": ["y"], "nodes": {"d": {"layer": "Dense", "units": 3, "about": EVIL}}}
    },
    "nodes": {
        LONG: {"layer": "Dense", "from": "x", "units": 3, "about": EVIL},
        "b": {"layer": "Dense", "from": "x", "units": 3, "about": EVIL * 200},
        "both": {"layer": "Concatenate", "from": [LONG, "b"]},
    },
    "outputs": "both",
}
TEXT = json.dumps(MODEL, indent=1, ensure_ascii=True)
NAME = "m[red]o\x1b[2Jd\u202eel 漢字.json"
# The keys that lead to each question; `=word` types a word.
QUESTIONS = (
    ["slash"], ["a"], ["a", "=inner"], ["c"], ["K"], ["C"], ["s"], ["y"], ["p"], ["p", "enter"], ["U"], ["m"],
    ["m", "=b", "enter"], ["R"], ["question_mark"], ["b"], ["W"],
)  # fmt: skip
SIZES = [(80, 24), (160, 48)]


def check(it: Editor, width: int) -> str:
    """Nothing on the screen moves the cursor, and every row is as wide as the screen."""
    strips = it.app.screen._compositor.render_strips()
    for strip in strips:
        text = "".join(segment.text for segment in strip if not segment.control)
        wrong = [character for character in text if category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
        assert not wrong, (wrong, text)
        assert strip.cell_length == width
        assert cell_len(text) == width, text
    return "\n".join(screen_rows(it.app))


@pytest.mark.parametrize("size", SIZES)
def test_dialogs_and_fields(tmp_path: Path, size: tuple[int, int]) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, TEXT, size=size, name=NAME) as it:
            assert "d]o�[2Jd�el 漢字.json" in check(it, size[0]).partition("\n")[0], "the title says the name as it is"
            for name in (LONG, "b"):
                it.main.select(("nodes", name))
                await it.rest()
                check(it, size[0])
                await it.press("r")
                await it.screen(AskText)
                check(it, size[0])
                await it.press("escape", "i", "end", "enter")
                assert it.main.inspector.editing is not None
                assert it.main.inspector.editing.key == "about"
                check(it, size[0])
                # Looking at a value and leaving it changes nothing.
                await it.press("enter")
                assert it.text == TEXT
                await it.press("2")
            for path in (("params", "p"), ("inputs", "x"), ("blocks", "inner"), ("blocks", "inner", "nodes", "d"), ()):
                it.main.select(path)
                await it.rest()
                await it.press("3", "down", "enter")
                check(it, size[0])
                await it.press("escape", "escape")
            await it.press("S")
            await it.screen(AskText)
            check(it, size[0])
            await it.press("escape")
            it.main.select(("nodes", "b"))
            await it.press("d", "q")
            await it.screen(Ask)
            assert "m[red]o" in check(it, size[0])

    driven(scenario)


@pytest.mark.parametrize("size", SIZES)
def test_pickers(tmp_path: Path, size: tuple[int, int]) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, TEXT, size=size, name=NAME) as it:
            for keys in QUESTIONS:
                it.main.select(("nodes", "both" if keys[0] in ("C", "s") else LONG))
                await it.rest()
                for key in keys:
                    if key.startswith("="):
                        await it.write(key[1:])
                    else:
                        await it.press(key)
                if keys != ["s"]:
                    assert isinstance(it.app.screen, (Picker, AskText)), keys
                check(it, size[0])
                while it.app.screen is not it.main:
                    await it.press("escape")
            evil = Picker(EVIL, [])
            it.app.push_screen(evil)
            await it.rest()
            check(it, size[0])

    driven(scenario)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_said_logged_and_compared(tmp_path: Path, size: tuple[int, int]) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, TEXT, size=size, name=NAME) as it:
            job = Job("compile", it.main.path, listen=lambda event: None)
            await it.press("7")
            it.main.post_message(it.main.Happened(job, Said((EVIL, EVIL * 100, LONG), error=True)))
            it.main.say(f"{EVIL}\n{EVIL * 50}\nthird", "error")
            await it.rest()
            assert "[red]not red[/red]" in check(it, size[0])
            it.main.select(("nodes", "b"))
            await it.press("2", "d", "6")
            check(it, size[0])
            it.main.select(("nodes", LONG))
            await it.press("2", "r", "ctrl+u")
            await it.write("shorter")
            await it.press("enter", "6")
            check(it, size[0])
            await it.press("5")
            for _ in range(3):
                await it.press("pagedown", "end")
                check(it, size[0])

    driven(scenario)
