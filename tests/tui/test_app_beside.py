"""What takes time is done beside the screen: looking what fits, planning, copying."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import events

from graphbuilder.blueprint import parse_blueprint
from graphbuilder.tui.screens.ask import Ask
from graphbuilder.tui.screens.picker import Choice, Picker
from tests.tui.driving import CNN, Editor, driven, editor, screen_rows

TWO = CNN.replace("  scores:", "  side: {layer: Dense, from: flat, units: 8}\n  scores:").replace(
    "units: 4, activation", "from: hidden, units: 4, activation"
)
# So long that looking which fusions fit takes a second or more.
LONG = (
    "blueprint: 1\ninputs:\n  x: {shape: [8]}\nnodes:\n  dense_0: {layer: Dense, from: x, units: 8}\n"
    + "".join(f"  dense_{number}: {{layer: Dense, units: 8}}\n" for number in range(1, 1000))
    + "  side: {layer: Dense, from: dense_998, units: 8}\n  scores: {layer: Dense, from: dense_999, units: 2}\n"
)
# How long the event loop may be held up, in seconds.
_STALL = 0.5


@asynccontextmanager
async def never_stalled() -> AsyncIterator[None]:
    """The event loop is not held up meanwhile."""
    worst, ended = 0.0, False

    async def watch() -> None:
        nonlocal worst
        loop = asyncio.get_running_loop()
        while not ended:
            began = loop.time()
            await asyncio.sleep(0.005)
            worst = max(worst, loop.time() - began)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        ended = True
        await watching
    assert worst < _STALL


def press(it: Editor, key: str) -> None:
    """Presses a key and waits for nothing; a pilot waits until the program does nothing any more, threads included."""
    it.app.post_message(events.Key(key, key if len(key) == 1 else None))


async def picker_of(it: Editor, title: str) -> Picker:
    """The question that begins so, as soon as it is asked; it may still be looking."""
    for _ in range(500):
        screen = it.app.screen
        if isinstance(screen, Picker) and screen.asked.startswith(title):
            return screen
        await asyncio.sleep(0.01)
    raise AssertionError(f"{title} is not asked")


async def _merge(it: Editor) -> Picker:
    await it.find("dense_999")
    await it.press("m")
    await it.write("side")
    press(it, "enter")
    return await picker_of(it, "Merge dense_999, side by")


async def _merging(it: Editor) -> None:
    """Picks the first fusion that fits, and comes back while that is still being planned."""
    picker = await _merge(it)
    while not any(choice.possible for choice in picker.choices):
        await asyncio.sleep(0.01)
    press(it, "enter")
    for _ in range(500):
        await asyncio.sleep(0.002)
        if it.main.at_work:
            break
    assert it.main.at_work, "the merge is being planned"


def test_what_fits_is_shown_as_it_is_found(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, LONG) as it:
            async with never_stalled():
                picker = await _merge(it)
                assert picker.looking
                assert len(picker.choices) < 3
                seen = {len(picker.choices)}
                for _ in range(2000):
                    seen.add(len(picker.choices))
                    await asyncio.sleep(0.01)
                    if it.main.busy is False:
                        break
                assert len(seen) > 3
            possible = [choice.possible for choice in picker.choices]
            assert possible == sorted(possible, reverse=True)
            await it.write("weighted")
            async with never_stalled():
                press(it, "enter")
                await it.rest()
            assert "fuse: weighted, from: [dense_999, side]" in it.text
            assert it.main._said[0].startswith("merge dense_999 and side by weighted")

    driven(scenario)


def test_looking_is_given_up_with_the_question(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, LONG) as it:
            picker = await _merge(it)
            assert picker.looking
            press(it, "escape")
            for _ in range(100):
                await asyncio.sleep(0.01)
                if it.app.screen is it.main:
                    break
            assert it.app.screen is it.main
            assert len(picker.choices) < 10
            for _ in range(100):
                await asyncio.sleep(0.01)
                if all(worker.is_cancelled for worker in it.app.workers if worker.group == "fill"):
                    break
            assert all(worker.is_cancelled for worker in it.app.workers if worker.group == "fill")
            found = len(picker.choices)
            # The next answer is found, and goes nowhere.
            await asyncio.sleep(0.5)
            assert len(picker.choices) == found
            assert it.text == LONG

    driven(scenario)


def test_what_was_found_can_be_taken_before_the_rest_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, LONG) as it:
            picker = await _merge(it)
            while not any(choice.possible for choice in picker.choices):
                await asyncio.sleep(0.01)
            assert picker.looking
            first = next(choice.key for choice in picker.choices if choice.possible)
            press(it, "enter")
            await it.rest()
            assert f"fuse: {first}, from: [dense_999, side]" in it.text

    driven(scenario)


def test_what_is_typed_ahead_is_taken_when_it_is_found(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, LONG) as it:
            picker = await _merge(it)
            for key in ("m", "i", "x", "t", "u", "r", "e", "enter"):
                press(it, key)
            await asyncio.sleep(0.05)
            assert it.app.screen is picker
            assert "mixture" not in {choice.key for choice in picker.choices}, "it is the last of all"
            await it.rest()
            assert "fuse: mixture, from: [dense_999, side]" in it.text

    driven(scenario)


def test_an_edit_while_a_command_is_planned_is_not_lost(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, LONG) as it:
            await _merging(it)
            it.main.workspace.session.type(it.text.replace("units: 2}", "units: 3}"))
            it.main.changed()
            await it.rest()
            assert "units: 3}" in it.text
            assert "fuse:" in it.text

    driven(scenario)


def test_quitting_waits_for_what_is_planned(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, LONG) as it:
            await _merging(it)
            assert it.text == LONG
            press(it, "q")
            await it.screen(Ask)
            assert "fuse:" in it.text, "it is asked what becomes of the merge"
            await it.press("c")
            assert it.app.is_running

    driven(scenario)


def test_what_cannot_be_looked_for_is_told(tmp_path: Path) -> None:
    wrong = TWO.replace("layer: Flatten", "layer: Flaten")

    async def scenario() -> None:
        async with editor(tmp_path, wrong) as it:
            await it.find("hidden")
            await it.press("p", "enter")
            assert it.app.screen is it.main
            assert "Flaten" in it.main._said[0]
            assert it.main._said[1] == "error"

    driven(scenario)


@pytest.mark.parametrize("typed", ["", "thi"])
def test_the_cursor_stays_where_it_was_put_while_more_is_found(tmp_path: Path, typed: str) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            picker = Picker("Which?", [Choice("third", "third"), Choice("thief", "thief")])
            it.app.push_screen(picker)
            await it.rest()
            await it.write(typed)
            await it.press("down")
            picker.post_message(Picker.Found(Choice("first", "thirst")))
            await it.rest()
            await it.press("enter")
            assert it.app.screen is it.main

    driven(scenario)


def test_what_was_typed_is_shown_when_it_is_saved_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.find("hidden")
            await it.press("5")
            await it.pilot.press("end", "left", "backspace", "8", "ctrl+s")
            await it.rest()
            assert (tmp_path / "model.yaml").read_text() == it.text == CNN.replace("units: 32", "units: 38")
            assert "38" in "".join(it.main.canvas.scene.box["hidden"].arguments)

    driven(scenario)


BLOCK = """\
blueprint: 1
inputs:
  x: {shape: [8]}
blocks:
  pair:
    inputs: [x]
    params: {width: 4}
    nodes:
      one: {layer: Dense, from: x, units: $width}
      two: {layer: Dense, from: x, units: $width}
      both: {layer: Concatenate, from: [one, two]}
nodes:
  first: {block: pair}
outputs: first
"""


def test_merge_inside_a_block(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, BLOCK) as it:
            it.main.select(("blocks", "pair", "nodes", "one"))
            await it.rest()
            await it.press("m")
            await it.write("two")
            await it.press("enter")
            assert isinstance(it.app.screen, Picker)
            assert it.app.screen.asked == "Merge one, two by"
            await it.write("gated")
            await it.press("enter")
            block = parse_blueprint(it.text).blueprint.blocks["pair"]
            assert [node.kind for node in block.nodes.values()].count("fuse") == 1
            assert it.main.subject == ("blocks", "pair", "nodes", "merged")

    driven(scenario)


OVERRIDE = BLOCK + "compression:\n- {pass: prune, sparsity: 0.5, overrides: {first.one: {sparsity: 0.7}}}\n"


def test_what_lies_in_a_block_and_in_a_pass_is_reached_in_the_outline(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, OVERRIDE) as it:
            outline = it.main.rows("outline")
            await it.press("1")
            outline.move_to("blocks/pair")
            assert "blocks/pair/params/width" not in {each.key for each in outline.rows}
            await it.press("up", "down", "enter", "down")
            assert it.main.subject == ("blocks", "pair", "params", "width")
            await it.press("enter", "down", "enter", "ctrl+u")
            await it.write("6")
            await it.press("enter", "escape")
            assert "params: {width: 6}" in it.text
            await it.press("r")
            await it.press("ctrl+u")
            await it.write("size")
            await it.press("enter")
            assert "params: {size: 6}" in it.text
            assert it.text.count("units: $size") == 2
            assert it.main.subject == ("blocks", "pair", "params", "size")
            subjects = []
            for keys in (("1", "down"), ("end", "up")):
                await it.press(*keys)
                subjects.append(it.main.subject)
            assert subjects == [("blocks", "pair", "inputs", "x"), ("compression", 0, "overrides", "first.one")]
            await it.press("enter", "enter", "ctrl+u")
            await it.write("0.6")
            await it.press("enter")
            assert "overrides: {first.one: {sparsity: 0.6}}" in it.text
            await it.press("escape", "d")
            assert "{pass: prune, sparsity: 0.5}" in it.text

    driven(scenario)


def test_the_log_keeps_no_more_than_can_be_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await it.press("7")
            log = it.main.rows("log")
            for start in range(0, 30_000, 500):
                it.main.log_lines([f"line {number}" for number in range(start, start + 500)])
            await it.rest()
            assert len(log.rows) <= 20_000
            assert log.rows[-1].parts[0].text == "line 29999"
            assert len({each.key for each in log.rows}) == len(log.rows)
            assert any("line 29999" in row for row in screen_rows(it.app)), "its end is followed"

    driven(scenario)


def test_a_command_ends_however_busy_the_screen_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            job = it.main.jobs.start("validate", it.main.path)
            # This holds the event loop up, on purpose.
            assert job.wait(60)
            await it.rest()
            assert it.main._said[0].startswith("validate is done")
            assert it.main._said[1] == "good"

    driven(scenario)
