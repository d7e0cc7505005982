"""The editor in a browser: only with the token, only from here, and with nothing from other hosts."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from graphbuilder.errors import CommandError
from graphbuilder.tui.web import is_loopback, serve

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
    """A server in a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.witness = folder / "witness"
        app = folder / "small.py"
        app.write_text(APP)
        program = textwrap.dedent("""
            import sys
            from graphbuilder.tui import web
            web._AWAY = 0.5
            web.serve(sys.argv[1:], "cnn.yaml <edit>", announce=lambda url: print(url, flush=True))
        """)
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, sys.executable, str(app), str(self.witness), *arguments],
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


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server = Served(tmp_path)
    yield server
    server.process.kill()
    server.process.wait()
    assert server.process.stdout is not None
    server.process.stdout.close()


def run(work: Callable[[ClientSession], Any]) -> Any:
    async def inside() -> Any:
        async with ClientSession() as session:
            return await work(session)

    return asyncio.run(inside())


def test_the_page_is_given_to_who_has_the_token(served: Served) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", served.url)

    async def work(session: ClientSession) -> None:
        async with session.get(served.url) as answer:
            assert answer.status == 200
            page = await answer.text()
            headers = answer.headers
        assert "cnn.yaml &lt;edit&gt;" in page
        # What the page names is here: nothing but its own files and its own websocket.
        hosts = set(re.findall(r"(?:https?:|wss?:|)//([^/\"' ]+)", page))
        assert hosts == {served.host}
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert set(re.findall(r"\w+://[^ ;]+", policy)) == {f"ws://{served.host}"}
        assert "unsafe-eval" not in policy
        assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        # No script stands in the page itself, which the policy would refuse.
        assert re.findall(r"<script(?! src=)|\son\w+=", page) == []
        for name in re.findall(r'(?:src|href)="([^"]+)"', page) + re.findall(r'url\("([^"]+)"\)', page):
            if not name.startswith("data:"):
                async with session.get(served.url + name) as answer:
                    assert answer.status == 200, name
                    content = await answer.read()
                    assert len(content) > 100
                    # A comment's thanks are not loaded, and a font is no text.
                    code = b"" if name.endswith(".ttf") else re.sub(rb"/\*.*?\*/", b"", content, flags=re.DOTALL)
                    named = set(re.findall(rb"https?://([\w.-]+)", code))
                    # The names of XML's languages are no addresses.
                    assert named <= {b"www.w3.org"}, name
                    assert "Content-Security-Policy" in answer.headers or name.endswith(".ttf")

    run(work)


@pytest.mark.parametrize(
    "path", ["/", "/ws", "/static/js/textual.js", "/wrong/", "/{wrong}/", "/{wrong}/ws", "//", "/%00/"]
)
def test_without_the_token_nothing_is_given(path: str, served: Served) -> None:
    token = served.url.rsplit("/", 2)[1]
    wrong = token[:-1] + ("a" if token[-1] != "a" else "b")

    async def work(session: ClientSession) -> None:
        address = served.root + path.replace("{wrong}", wrong)
        async with session.get(address) as answer:
            assert answer.status == 403
            assert token not in await answer.text()
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(address)
        assert refused.value.status == 403

    run(work)


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "evil.example:80"}, {"Origin": "http://evil.example"}, {"Host": 'a"><script>'}],
)
def test_a_foreign_page_is_refused_even_with_the_token(headers: dict[str, str], served: Served) -> None:
    async def work(session: ClientSession) -> None:
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(f"{served.url}ws", headers=headers)
        assert refused.value.status == 403

    run(work)


def test_nothing_but_the_statics_can_be_read(served: Served) -> None:
    async def work(session: ClientSession) -> None:
        for path in ("static/", "static/../server.py", "static/%2e%2e/server.py", "static//etc/passwd", "server.py"):
            async with session.get(served.url + path) as answer:
                assert answer.status in (403, 404), path

    run(work)


@asynccontextmanager
async def browser(
    session: ClientSession, served: Served, size: str = "?width=100&height=30"
) -> AsyncIterator[ClientWebSocketResponse]:
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


def test_a_browser_sees_the_screen_and_types(served: Served) -> None:
    async def work(session: ClientSession) -> None:
        async with browser(session, served) as websocket:
            await until(websocket, "size 100x30")
            await websocket.send_json(["resize", {"width": 60, "height": 20}])
            await until(websocket, "size 60x20")
            # What is no message does no harm.
            for wrong in ("", "{", "[]", '["stdin", 5]', '["resize", {"width": -1, "height": "x"}]', '{"a": 1}', "7"):
                await websocket.send_str(wrong)
            await websocket.send_json(["stdin", "z"])
            await until(websocket, "typed z")
            await websocket.send_json(["ping", "7"])
            async with asyncio.timeout(10):
                while (message := await websocket.receive()).type is not WSMsgType.TEXT:
                    pass
            assert message.json() == ["pong", "7"]

    run(work)


def test_the_server_ends_with_the_last_browser(served: Served) -> None:
    async def work(session: ClientSession) -> None:
        async with browser(session, served) as one, browser(session, served) as other:
            await until(one, "size 100x30")
            await until(other, "size 100x30")
            await one.close()
            await asyncio.sleep(1.0)
            assert served.process.poll() is None
        # Who comes back in time, as by loading the page again, finds it still there.
        async with browser(session, served) as again:
            await until(again, "size 100x30")
            await asyncio.sleep(1.0)
            assert served.process.poll() is None

    run(work)
    assert served.process.wait(20) == 0
    assert served.witness.read_text() == "ended\n" * 3


def test_leaving_the_editor_ends_the_server(served: Served) -> None:
    async def work(session: ClientSession) -> None:
        async with browser(session, served) as websocket:
            await until(websocket, "size 100x30")
            await websocket.send_json(["stdin", "q"])
            async with asyncio.timeout(20):
                async for _ in websocket:
                    pass

    run(work)
    assert served.process.wait(20) == 0
    assert served.witness.read_text() == "ended\n"


def test_ctrl_c_ends_the_server_and_its_editors(served: Served) -> None:
    async def work(session: ClientSession) -> None:
        async with browser(session, served) as websocket:
            await until(websocket, "size 100x30")
            served.process.send_signal(signal.SIGINT)
            async with asyncio.timeout(20):
                async for _ in websocket:
                    pass

    run(work)
    assert served.process.wait(20) == 0
    assert served.witness.read_text() == "ended\n"


def test_a_port_that_is_taken_is_told(served: Served) -> None:
    port = int(served.host.rpartition(":")[2])
    with pytest.raises(CommandError, match=r"GB603 nothing can listen at 127\.0\.0\.1:\d+: .*\n  hint: choose another"):
        serve(["true"], "x", port=port, announce=lambda _: None)


def test_hosts_that_only_this_machine_reaches() -> None:
    assert [is_loopback(host) for host in ("127.9.9.9", "[::1]", "localhost", "0.0.0.0", "::", "example.org", "")] == [
        True, True, True, False, False, False, False,
    ]  # fmt: skip


def test_a_server_that_nobody_has_opened_yet_waits(served: Served) -> None:
    time.sleep(1.5)
    assert served.process.poll() is None


def test_a_blueprint_is_edited_in_a_browser(tmp_path: Path) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text("blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  hidden: {layer: Dense, units: 3}\n")
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "XDG_STATE_HOME": str(tmp_path / "state")}
    env["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    command = [sys.executable, "-m", "graphbuilder", "edit", str(file), "--web"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stderr is not None
        url = process.stderr.readline().split()[-1]

        async def work(session: ClientSession) -> None:
            async with session.ws_connect(f"{url}ws?width=120&height=40", max_msg_size=0) as websocket:
                screen = await until(websocket, "hidden")
                assert "Dense" in screen

        try:
            run(work)
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert file.read_text().endswith("units: 3}\n")


def test_what_cannot_be_opened_is_told_before_a_server_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "graphbuilder", "edit", str(tmp_path / "gone" / "new.yaml"), "--web"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=60)
    assert ran.returncode == 1
    assert "GB101 the folder" in ran.stderr
