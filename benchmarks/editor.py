"""`python -m benchmarks.editor`: how long the whole editor takes from a key to a frame, encoded for the terminal."""

from __future__ import annotations

import argparse
import asyncio
import gc
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

# First, because it sets what Textual reads when it is imported.
from benchmarks.canvas import GRAPHS, SIZE, _Measured, _Terminal
from benchmarks.stalls import report_stalls

from textual import events  # isort: skip

from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.adding import AddNode, After
from graphbuilder.editing.commands.arguments import SetArgument
from graphbuilder.editing.commands.deleting import DeleteNodes
from graphbuilder.tui.app import EditorApp
from graphbuilder.tui.choices import find_choices
from graphbuilder.tui.matching import best

__all__ = ["main"]

WHAT = ("launch", "key", "scroll", "edit", "add, delete", "find")
# Milliseconds, of the 95th percentile; at 5,000 nodes 25 for keys and scrolling, and no limit for edits.
LIMITS = (1500, 16, 16, 50, 50, 50)
_QUIET = 0.15
# Seconds without another write after which the frame of a key counts as complete, and how long it is waited for.
_FRAME = 0.01
_PATIENCE = 5.0


async def _measure(text: str, repeats: int) -> _Measured:
    measured = _Measured()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.yaml")
        path.write_text(text)
        started = time.perf_counter()
        app = EditorApp(path, settings=Path(folder, "none.yaml"), journals=Path(folder, "journals"))
        app.driver_class = _Terminal

        async def quiet() -> None:
            while time.perf_counter() - _Terminal.at < _QUIET or app.main.busy:
                await asyncio.sleep(0.01)

        async def pilot(_: object) -> None:
            while not app.main.query("Canvas") or not app.main.canvas.size or _Terminal.at < started:
                await asyncio.sleep(0.002)
            while time.perf_counter() - _Terminal.at < _QUIET:
                await asyncio.sleep(0.002)
            measured.taken["launch"] = [(_Terminal.at - started) * 1000]
            await quiet()
            await _keys(app, measured, repeats, quiet)
            app.exit()

        await app.run_async(headless=False, size=SIZE, mouse=False, auto_pilot=pilot)
    return measured


async def _first(measured: _Measured, what: str, do: Callable[[], object]) -> None:
    """Does something and waits until the frame that shows it was written; the panes that follow it come later."""
    before, started, worked = _Terminal.written, time.perf_counter(), time.process_time()
    do()
    while _Terminal.written == before:
        await asyncio.sleep(0.0005)
        if time.perf_counter() - started > _PATIENCE:
            return
    while time.perf_counter() - _Terminal.at < _FRAME:
        await asyncio.sleep(0.0005)
    measured.taken.setdefault(what, []).append((_Terminal.at - started) * 1000)
    measured.worked.setdefault(what, []).append((_Terminal.worked - worked) * 1000)


async def _keys(app: EditorApp, measured: _Measured, repeats: int, quiet: Callable[[], Awaitable[None]]) -> None:
    canvas, main = app.main.canvas, app.main

    def press(key: str) -> Callable[[], object]:
        return lambda: app.post_message(events.Key(key, None))

    def wheel() -> object:
        return canvas.post_message(events.MouseScrollDown(canvas, 10, 10, 0, 1, 0, False, False, False, 10, 10))

    for _ in range(repeats):
        await _first(measured, "key", press("down"))
        await quiet()
    for _ in range(repeats):
        await measured.frame("scroll", wheel)
    document = main.workspace.session.document()
    middle = list(document.blueprint.nodes)[len(document.blueprint.nodes) // 2]
    canvas.select(middle, centre=True)
    await asyncio.sleep(0.5)
    for number in range(repeats // 3):
        await _edit(app, measured, "edit", SetArgument(middle, ("about",), f"edit {number}"), quiet)
    for number in range(repeats // 3):
        added = set(main.workspace.session.document().blueprint.nodes) - set(document.blueprint.nodes)
        command: Command = DeleteNodes(sorted(added)) if number % 2 else AddNode("layer", "Dropout", After(middle))
        await _edit(app, measured, "add, delete", command, quiet)
    for typed in ("b", "bl", "block4c", "conv", "x9z", "tower dropout"):
        started = time.perf_counter()
        choices = [choice for _, _, choice in find_choices(main.workspace.session.document())]
        best(typed, ((choice, (choice.title, choice.about, choice.right)) for choice in choices))
        measured.taken.setdefault("find", []).append((time.perf_counter() - started) * 1000)


async def _edit(
    app: EditorApp, measured: _Measured, what: str, command: Command, quiet: Callable[[], Awaitable[None]]
) -> None:
    gc.collect()
    await _first(measured, what, lambda: app.main.carry_out(command))
    await quiet()


def main(argv: Sequence[str] | None = None) -> int:
    """Measures, and prints a table of milliseconds, the median and the 95th percentile; without graphs, stalls too."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.editor", description=__doc__)
    parser.add_argument("--repeats", type=int, default=60, help="how often each key is pressed (default 60)")
    parser.add_argument("graphs", nargs="*", help=f"beginnings of {', '.join(GRAPHS)}")
    options = parser.parse_args(argv)
    chosen = {
        name: text for name, text in GRAPHS.items() if not options.graphs or name.startswith(tuple(options.graphs))
    }
    print(f"{'ms, p50 / p95':<22}" + "".join(f"{what:>20}" for what in WHAT))
    print(f"{'to be held at most':<22}" + "".join(f"{limit:>20}" for limit in LIMITS))
    for name, text in chosen.items():
        measured = asyncio.run(_measure(text(), options.repeats))
        print(f"{name:<22}" + "".join(f"{measured.row(what):>20}" for what in WHAT))
        print(
            f"{'  processor time':<22}" + "".join(f"{measured.row(what, work=True):>20}" for what in WHAT), flush=True
        )
    if not options.graphs:
        report_stalls()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
