"""`python -m benchmarks.canvas`: how long the editor's canvas takes from a key to a frame, encoded for the terminal."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import quantiles

# Textual gathers what changes and draws it so many times a second at most; it reads this when it is imported.
os.environ.setdefault("TEXTUAL_FPS", "240")
os.environ.update({"COLORTERM": "truecolor", "TERM": "xterm-256color"})

from textual import events
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.drivers.headless_driver import HeadlessDriver

from graphbuilder.blueprint import Document
from graphbuilder.lowering import Lowered, try_lower
from graphbuilder.tui.canvas import Canvas, Density, MiniMap, scene_of
from graphbuilder.tui.canvas.layout import layout
from tests.tui.canvas.graphs import document_of, efficientnet_b7, nasnet_large, residual_towers

__all__ = ["main"]

SIZE = (160, 48)
# Seconds without another write after which a frame counts as complete.
_QUIET = 0.05
_PATIENCE = 5.0


class _Terminal(HeadlessDriver):
    """A terminal that everything is encoded for, and that notes when something is written to it."""

    written = 0
    at = 0.0
    worked = 0.0

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        _Terminal.written += len(data)
        _Terminal.at = time.perf_counter()
        _Terminal.worked = time.process_time()


class _Canvas(App[None]):
    """The canvas and the map beside it, as the editor has them."""

    CSS = "Canvas { width: 1fr; } MiniMap { width: 16; }"

    def __init__(self, document: Document, lowered: Lowered) -> None:
        super().__init__(driver_class=_Terminal)
        self.document = document
        self.lowered = lowered

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Canvas(scene_of(self.document, self.lowered))
            yield MiniMap()

    def on_mount(self) -> None:
        canvas = self.query_one(Canvas)
        canvas.show_on(self.query_one(MiniMap))
        canvas.focus()


@dataclass
class _Measured:
    """Milliseconds of each repetition, by what was done."""

    taken: dict[str, list[float]] = field(default_factory=dict)
    worked: dict[str, list[float]] = field(default_factory=dict)

    async def frame(self, what: str, do: Callable[[], object]) -> None:
        """Does something and waits until its frame was written."""
        before, started, worked = _Terminal.written, time.perf_counter(), time.process_time()
        do()
        while _Terminal.written == before:
            await asyncio.sleep(0.0005)
            if time.perf_counter() - started > _PATIENCE:
                return  # nothing was to be drawn
        while time.perf_counter() - _Terminal.at < _QUIET:
            await asyncio.sleep(_QUIET / 4)
        self.taken.setdefault(what, []).append((_Terminal.at - started) * 1000)
        self.worked.setdefault(what, []).append((_Terminal.worked - worked) * 1000)

    def row(self, what: str, *, work: bool = False) -> str:
        taken = (self.worked if work else self.taken).get(what, [])
        if len(taken) < 2:
            return f"{taken[0]:6.1f}        " if taken else "     –        "
        cut = quantiles(taken, n=20, method="inclusive")
        return f"{cut[9]:6.1f} /{cut[18]:6.1f}"


def _with_node(text: str, number: int) -> str:
    """A blueprint with one more node in its middle, on the way from one node to the next."""
    lines = text.splitlines(keepends=True)
    first = next(index for index, line in enumerate(lines) if line.startswith("nodes:")) + 1
    at = (first + len(lines)) // 2
    above = lines[at - 1].split(":")[0].strip()
    lines.insert(at, f"  added_{number}: {{layer: Dropout, from: {above}, rate: 0.5}}\n")
    lines[at + 1] = lines[at + 1].replace(f'"{above}"', f'"added_{number}"', 1)
    return "".join(lines)


async def _measure(text: str, repeats: int) -> _Measured:
    document = document_of(text)
    lowered = try_lower(document)
    edited = document_of(_with_node(text, 0))
    measured = _Measured()
    gc.collect()
    gc.freeze()
    started = time.perf_counter()
    app = _Canvas(document, lowered)

    async def pilot(_: object) -> None:
        canvas = app.query_one(Canvas)
        while not canvas.size or time.perf_counter() - _Terminal.at < _QUIET:
            await asyncio.sleep(0.01)
        measured.taken["first frame"] = [(_Terminal.at - started) * 1000]
        gc.collect()
        gc.freeze()
        await _keys(app, canvas, measured, repeats)
        documents = (edited, document)
        canvas.select(canvas.scene.boxes[len(canvas.scene.boxes) // 2].id, centre=True)
        await asyncio.sleep(0.2)
        for number in range(repeats // 2):

            def edit(number: int = number) -> None:
                canvas.scene = scene_of(documents[number % 2], lowered)

            await measured.frame("edit", edit)
        app.exit()

    await app.run_async(headless=False, size=SIZE, mouse=False, auto_pilot=pilot)
    return measured


async def _keys(app: _Canvas, canvas: Canvas, measured: _Measured, repeats: int) -> None:
    def press(key: str) -> Callable[[], object]:
        return lambda: app.post_message(events.Key(key, None))

    def wheel() -> object:
        return canvas.post_message(events.MouseScrollDown(canvas, 10, 10, 0, 1, 0, False, False, False, 10, 10))

    for _ in range(repeats):
        await measured.frame("key", press("down"))
    for _ in range(repeats):
        await measured.frame("scroll", wheel)
    await measured.frame("trace", press("t"))
    for _ in range(repeats // 2):
        await measured.frame("key while tracing", press("up"))
    await measured.frame("trace", press("t"))
    for _ in range(repeats // 4):
        await measured.frame("zoom", press("minus"))
        await measured.frame("zoom", press("plus"))


GRAPHS: dict[str, Callable[[], str]] = {
    "EfficientNetB7, 816": efficientnet_b7,
    "NASNetLarge, 1,041": nasnet_large,
    "towers, 1,000": lambda: residual_towers(1000),
    "towers, 5,000": lambda: residual_towers(5000),
}
WHAT = ("first frame", "key", "scroll", "key while tracing", "edit", "zoom")


def _parts(text: str) -> str:
    """What a scene and a layout take of processor time, the least of several."""
    document = document_of(text)
    lowered = try_lower(document)
    gc.collect()
    gc.freeze()

    def least(do: Callable[[], object]) -> float:
        taken = []
        for _ in range(7):
            started = time.process_time()
            do()
            taken.append(time.process_time() - started)
        return min(taken) * 1000

    scene = scene_of(document, lowered)
    found = layout(scene)
    return (
        f"scene {least(lambda: scene_of(document, lowered)):.1f} ms, layout {least(lambda: layout(scene)):.1f} ms, "
        f"again {least(lambda: layout(scene, Density.NORMAL, found)):.1f} ms, {found.width} × {found.height} cells"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measures, and prints a table of milliseconds, the median and the 95th percentile."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.canvas", description=__doc__)
    parser.add_argument("--repeats", type=int, default=60, help="how often each key is pressed (default 60)")
    parser.add_argument("graphs", nargs="*", help=f"beginnings of {', '.join(GRAPHS)}")
    options = parser.parse_args(argv)
    chosen = {
        name: text for name, text in GRAPHS.items() if not options.graphs or name.startswith(tuple(options.graphs))
    }
    print(f"{'ms, p50 / p95':<22}" + "".join(f"{what:>20}" for what in WHAT))
    for name, text in chosen.items():
        measured = asyncio.run(_measure(text(), options.repeats))
        print(f"{name:<22}" + "".join(f"{measured.row(what):>20}" for what in WHAT))
        print(f"{'  processor time':<22}" + "".join(f"{measured.row(what, work=True):>20}" for what in WHAT))
        print(f"  {_parts(text())}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
