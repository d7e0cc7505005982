"""How late the editor's event loop is while a model compiles beside it, and while nothing does."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

# First, because it sets what Textual reads when it is imported.
from benchmarks.canvas import SIZE, _Terminal

from textual import events  # isort: skip
from textual.pilot import Pilot

from graphbuilder.tui.app import EditorApp
from graphbuilder.tui.job_events import Ending
from graphbuilder.tui.screens.ask import AskText
from graphbuilder.tui.screens.picker import Picker

__all__ = ["report_stalls"]

BLUEPRINT = Path(__file__).resolve().parent.parent / "blueprints" / "resnet50.yaml"
# Seconds between two ticks of the loop, and between two keys.
_TICK = 0.005
_KEYS_EVERY = 0.25
# How long it is watched while nothing runs, and how long a compilation may take, in seconds.
_ALONE = 10.0
_PATIENCE = 300.0
# Moves of the cursor, and going through the log, which grows meanwhile.
_KEYS = ("2", "down", "down", "right", "up", "down", "7", "up", "end")


@dataclass
class _Lateness:
    """By how many milliseconds the ticks of an event loop came late.

    Arguments:
        late: of each tick.
        worked: of the processor's time for each tick, in which no other program has a part.
    """

    late: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)

    async def watch(self, over: Callable[[], bool]) -> None:
        """Ticks until something is over."""
        while not over():
            began, worked = time.perf_counter(), time.process_time()
            await asyncio.sleep(_TICK)
            self.late.append((time.perf_counter() - began - _TICK) * 1000)
            self.worked.append((time.process_time() - worked) * 1000)

    def __str__(self) -> str:
        percentile = quantiles(self.late, n=100)[98]
        return f"{max(self.late):6.1f} ms at most, p99 {percentile:5.1f} ms, worked {max(self.worked):5.1f} ms at most"


async def _measure() -> tuple[_Lateness, _Lateness]:
    alone, beside = _Lateness(), _Lateness()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(BLUEPRINT, folder))
        app = EditorApp(path, settings=Path(folder, "none.yaml"), journals=Path(folder, "journals"))
        app.driver_class = _Terminal

        async def pilot(given: Pilot[object]) -> None:
            while not app.main.query("Canvas") or not app.main.canvas.size or app.main.busy:
                await asyncio.sleep(0.01)
            ends = time.perf_counter() + _ALONE
            await _typing(app, lambda: time.perf_counter() > ends, alone.watch)
            await _asked(given, Path(folder, "made.keras"))
            jobs = app.main.jobs

            def over() -> bool:
                return bool(jobs.all) and not jobs.running

            # From the key that starts it, because a process is started too.
            app.post_message(events.Key("enter", None))
            await asyncio.wait_for(_typing(app, over, beside.watch), _PATIENCE)
            (job,) = jobs.all
            assert job.ended is not None
            assert job.ended.how is Ending.DONE, job.ended.message
            app.exit()

        await app.run_async(headless=False, size=SIZE, mouse=False, auto_pilot=pilot)
    return alone, beside


async def _asked(pilot: Pilot[object], output: Path) -> None:
    """Comes by keys as far as the question for the options of `compile`, and answers it but for the last key."""

    async def shown(kind: type[object]) -> None:
        while not isinstance(pilot.app.screen, kind):
            await asyncio.sleep(0.01)

    await pilot.press("R")
    await shown(Picker)
    await pilot.press(*"compile", "enter")
    await shown(AskText)
    await pilot.press("ctrl+u")
    for character in f"-o {output}":
        pilot.app.post_message(events.Key(character, character))
    await pilot.pause(0.2)


async def _typing(
    app: EditorApp, over: Callable[[], bool], watch: Callable[[Callable[[], bool]], Awaitable[None]]
) -> None:
    """Presses keys now and then while the loop is watched."""
    watched = asyncio.ensure_future(watch(over))
    pressed = 0
    while not watched.done():
        await asyncio.sleep(_KEYS_EVERY)
        app.post_message(events.Key(_KEYS[pressed % len(_KEYS)], None))
        pressed += 1
    await watched


def report_stalls() -> None:
    """Prints how late the event loop was with no job, and beside a compilation, while keys are pressed now and then."""
    alone, beside = asyncio.run(_measure())
    print(f"event loop late, nothing runs     {alone}")
    print(f"event loop late, {BLUEPRINT.stem} compiles {beside}", flush=True)
