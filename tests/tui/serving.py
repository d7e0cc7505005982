"""The editor's server in a process of its own, and a browser's side of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

__all__ = ["Edited", "Served", "browser", "run", "until"]

# An app that says its size, what is typed, and whether it was left or sent away.
APP = """\
import sys
from textual.app import App
from textual.widgets import Label

class Small(App):
    BINDINGS = [("q", "quit", "quit")]
    def compose(self):
        yield Label("ready")
    def on_resize(self, event):
        self.query_one(Label).update(f"size {event.size.width}x{event.size.height}")
    def on_key(self, event):
        self.query_one(Label).update(f"typed {event.key}")

Small().run()
open(sys.argv[1], "a").write("ended\\n")
"""


class Served:
    """A server in a process of its own.

    Arguments:
        folder: where the app lies, and what it writes.
        app: the program that is served; it is told where to write.
        setting: a statement by which the server is set up otherwise.
    """

    def __init__(self, folder: Path, app: str = APP, setting: str = "") -> None:
        self.witness = folder / "witness"
        small = folder / "small.py"
        small.write_text(app)
        program = textwrap.dedent(f"""
            import sys
            from graphbuilder.tui import web
            web._AWAY = 0.5
            {setting}
            web.serve(sys.argv[1:], "cnn.yaml <edit>", announce=lambda url: print(url, flush=True))
        """)
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, sys.executable, str(small), str(self.witness)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    @property
    def root(self) -> str:
        return self.url.rsplit("/", 2)[0]

    @property
    def host(self) -> str:
        return self.root.removeprefix("http://")

    def close(self) -> None:
        """Ends it at once."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Edited:
    """The real editor of a new file, served by the command line.

    Arguments:
        folder: where the file is made, and where the user's state lies.
        before: what stands before the command, such as a shell that starts it.
    """

    def __init__(self, folder: Path, *before: str) -> None:
        self.file = folder / "tiny.yaml"
        self.file.write_text("blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  hidden: {layer: Dense, units: 3}\n")
        self.state = folder / "state"
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "XDG_STATE_HOME": str(self.state)}
        env["XDG_CONFIG_HOME"] = str(folder / "config")
        command = [*before, sys.executable, "-m", "graphbuilder", "edit", str(self.file), "--web"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
        assert self.process.stderr is not None
        self.url = self.process.stderr.readline().split()[-1]

    def editors(self) -> list[int]:
        """The processes that edit the file, but for the server."""
        found = []
        for each in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                said = (each / "cmdline").read_bytes().split(b"\0")
                if os.fsencode(self.file) in said and b"--web" not in said:
                    found.append(int(each.name))
        return found

    def left(self) -> list[int]:
        """The processes that still edit the file after some seconds."""
        ends = time.monotonic() + 15
        while (found := self.editors()) and time.monotonic() < ends:
            time.sleep(0.05)
        return found

    def close(self) -> None:
        """Ends it at once, and the editors of its browsers."""
        self.process.kill()
        for process in self.editors():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()


def run(work: Callable[[ClientSession], Any]) -> Any:
    """Does what a browser would, to the end."""

    async def inside() -> Any:
        async with ClientSession() as session:
            return await work(session)

    return asyncio.run(inside())


@asynccontextmanager
async def browser(
    session: ClientSession, served: Served, size: str = "?width=100&height=30"
) -> AsyncIterator[ClientWebSocketResponse]:
    """The socket over which a browser has the screen."""
    async with session.ws_connect(
        f"{served.url}ws{size}", headers={"Origin": served.root}, max_msg_size=0
    ) as websocket:
        yield websocket


async def until(websocket: ClientWebSocketResponse, wanted: str) -> str:
    """What the browser is sent until a text is on its screen."""
    seen = ""
    async with asyncio.timeout(30):
        async for message in websocket:
            if message.type is WSMsgType.BINARY:
                seen += bytes(message.data).decode("utf-8", "replace")
                if wanted in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen):
                    return seen
    raise AssertionError(f"the websocket closed before {wanted}: {seen[-500:]}")
