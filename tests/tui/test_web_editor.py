"""A blueprint edited in a browser, and what becomes of the editor when its server ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from graphbuilder.tui.recovery import recoveries
from tests.tui.serving import Edited, run, until


@pytest.fixture
def edited(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Edited]:
    server = Edited(tmp_path, *getattr(request, "param", ()))
    yield server
    server.close()


def test_a_blueprint_is_edited_in_a_browser(edited: Edited) -> None:
    async def work(session: ClientSession) -> None:
        async with session.ws_connect(f"{edited.url}ws?width=120&height=40", max_msg_size=0) as websocket:
            screen = await until(websocket, "hidden")
            assert "Dense" in screen
            assert len(edited.editors()) == 1

    run(work)
    assert edited.process.wait(30) == 0
    assert edited.editors() == []
    assert edited.file.read_text().endswith("units: 3}\n")


# A shell without job control starts what runs in the background so.
@pytest.mark.parametrize("edited", [("sh", "-c", 'trap "" INT; exec "$@"', "sh")], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_editor_outlives_its_server(number: signal.Signals, edited: Edited) -> None:
    async def work(session: ClientSession) -> None:
        async with session.ws_connect(f"{edited.url}ws?width=120&height=40", max_msg_size=0) as websocket:
            await until(websocket, "hidden")
            # As a browser says whose window is in front; the graph has the keys from then on.
            await websocket.send_json(["focus"])
            await websocket.send_json(["stdin", "\x1b[B"])
            await websocket.send_json(["stdin", "d"])
            await until(websocket, "delete hidden")
            assert len(edited.editors()) == 1
            edited.process.send_signal(number)
            async with asyncio.timeout(20):
                async for _ in websocket:
                    pass

    run(work)
    assert edited.process.wait(20) == (-signal.SIGKILL if number is signal.SIGKILL else 0)
    assert edited.left() == []
    # Nobody was asked whether to save, so it is offered at the next start.
    on_disk = edited.file.read_text()
    (found,) = recoveries(edited.file, on_disk, edited.state / "graphbuilder" / "journal")
    assert "hidden" in on_disk
    assert "hidden" not in found.text
