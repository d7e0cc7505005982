"""The editor in a browser: only with the token, only from here, and with nothing from other hosts."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError

from graphbuilder.errors import CommandError
from graphbuilder.tui.web import is_loopback, serve
from tests.tui.serving import Served, browser, run, until


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server = Served(tmp_path)
    yield server
    server.close()


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


DEAF = """\
import os, signal, sys, time
sys.stdout.buffer.write(b"__GANGLION__\\n")
sys.stdout.buffer.flush()
def asked(number, frame):
    open(sys.argv[1], "a").write("asked\\n")
signal.signal(signal.SIGTERM, asked)
signal.signal(signal.SIGINT, signal.SIG_IGN)
open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
while True:
    time.sleep(1)
    sys.stdout.buffer.write(b"D" + (100_000).to_bytes(4, "big") + b" " * 100_000)
    sys.stdout.buffer.flush()
"""


def test_an_editor_that_hangs_is_ended_all_the_same(tmp_path: Path) -> None:
    server = Served(tmp_path, app=DEAF, setting="web._GRACE = 0.5")
    try:

        async def work(session: ClientSession) -> None:
            async with browser(session, server) as websocket:
                await until(websocket, "   ")
                server.process.send_signal(signal.SIGINT)
                async with asyncio.timeout(20):
                    async for _ in websocket:
                        pass

        run(work)
        assert server.process.wait(20) == 0
        process, *asked = server.witness.read_text().splitlines()
        assert asked == ["asked"]
        assert not Path(f"/proc/{process}").exists()
    finally:
        server.close()


def test_what_cannot_be_opened_is_told_before_a_server_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "graphbuilder", "edit", str(tmp_path / "gone" / "new.yaml"), "--web"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=60)
    assert ran.returncode == 1
    assert "GB101 the folder" in ran.stderr
