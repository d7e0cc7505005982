"""The editor in a browser: the same program, its screen sent over a websocket by textual-serve.

Whoever has the address with its token can edit the one file, and nobody else can. The page loads nothing from others.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import html
import importlib.resources
import ipaddress
import os
import re
import secrets
import signal
import string
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from graphbuilder.errors import CommandError, Diagnostic, MissingError

try:
    import textual_serve
    from aiohttp import WSMsgType, web
    from textual_serve.app_service import AppService
    from textual_serve.download_manager import DownloadManager
except ImportError as missing:
    raise MissingError(
        Diagnostic("GB604", f"{missing.name} cannot be imported", hint='pip install "graphbuilder[web]"')
    ) from missing

from graphbuilder.tui.jobs import import_path
from graphbuilder.tui.web_driver import ServedDriver

__all__ = ["WebEditor", "is_loopback", "serve"]

# How long the page may be away, in seconds, before the server ends with it: reloading takes a moment.
_AWAY = 5.0
# How long an editor may take to end once it was asked, in seconds, before it is asked less kindly.
_GRACE = 5.0
# How large a terminal a browser may ask for, in cells.
_LARGEST = 1_000
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d+)?")


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can reach a server on that host.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
        (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def serve(
    command: Sequence[str],
    title: str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    announce: Callable[[str], None],
) -> None:
    """Serves an editor until the last browser has gone, or Ctrl-C.

    Arguments:
        command: the program that each browser gets a process of, with its arguments.
        title: what stands in the browser's tab.
        host: the address to listen at.
        port: the port; 0 lets the system choose one.
        announce: told the address to open, the token in it.

    Raises:
        CommandError: nothing can listen there.
    """
    asyncio.run(_serve(WebEditor(command, title, host), host, port, announce))


async def _serve(editor: WebEditor, host: str, port: int, announce: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, editor.ended.set)
    runner = web.AppRunner(editor.application(), access_log=None, shutdown_timeout=_GRACE)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            reason = error.strerror or error
            hint = "choose another one with --port, or none for a free one"
            raise CommandError(
                Diagnostic("GB603", f"nothing can listen at {host}:{port}: {reason}", hint=hint)
            ) from error
        chosen = runner.addresses[0][1]
        shown = f"[{host}]" if ":" in host else host
        announce(f"http://{shown}:{chosen}/{editor.token}/")
        await editor.ended.wait()
    finally:
        await editor.close()
        await runner.cleanup()


class WebEditor:
    """The server's side: a page, the files that it loads, and a websocket for each browser.

    Arguments:
        command: the program that each browser gets a process of.
        title: what stands in the browser's tab.
        host: the address that it will listen at; on a loopback address, other names for it are refused, so that no
            foreign page can reach it under a name of its own.
    """

    def __init__(self, command: Sequence[str], title: str, host: str) -> None:
        self.command = tuple(command)
        self.title = title
        self.token = secrets.token_urlsafe(24)
        self.ended = asyncio.Event()
        self._loopback = is_loopback(host)
        self._services: set[_Service] = set()
        self._waiting: asyncio.Task[None] | None = None

    def application(self) -> web.Application:
        """The routes, all of them below the token."""
        application = web.Application(middlewares=[self._guard])
        statics = Path(textual_serve.__file__).parent / "static"
        application.add_routes(
            [
                web.get(f"/{self.token}/", self._page),
                web.get(f"/{self.token}/page.js", self._script),
                web.get(f"/{self.token}/ws", self._websocket),
                web.static(f"/{self.token}/static", statics),
            ]
        )
        return application

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Refuses who has no token, and tells browsers to load nothing from elsewhere."""
        if not self._allowed(request):
            response: web.StreamResponse = web.Response(status=403, text="The address lacks its token.\n")
        else:
            try:
                response = await handler(request)
            except web.HTTPException as refusal:
                response = web.Response(status=refusal.status, text=f"{refusal.reason}\n")
        if not response.prepared:
            response.headers.update(self._headers(request))
        return response

    def _allowed(self, request: web.Request) -> bool:
        given = request.path.split("/")[1]
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode()):
            return False
        host = _HOST.fullmatch(request.host)
        if host is None or (self._loopback and not is_loopback(host[1])):
            return False
        # A browser says which page opens a websocket; a program has no page.
        origin = request.headers.get("Origin")
        return origin is None or origin.partition("://")[2] == request.host

    def _headers(self, request: web.Request) -> dict[str, str]:
        policy = {
            "default-src": "'none'",
            "script-src": "'self'",
            # xterm.js gives its rows their sizes in styles that it writes itself.
            "style-src": "'self' 'unsafe-inline'",
            "font-src": "'self'",
            "img-src": "'self' data:",
            "connect-src": f"'self' {_websocket_origin(request)}",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }
        return {
            "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
            "Cache-Control": "no-store",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            # The token is part of the address, which must not be told to what a link leads to.
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    async def _page(self, request: web.Request) -> web.Response:
        page = _resource("web_page.html")
        socket = f"{_websocket_origin(request)}/{self.token}/ws"
        filled = string.Template(page).substitute(title=html.escape(self.title), websocket=html.escape(socket))
        return web.Response(text=filled, content_type="text/html")

    async def _script(self, _request: web.Request) -> web.Response:
        return web.Response(text=_resource("web_page.js"), content_type="text/javascript")

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One browser: its keys go to an editor of its own, and what that draws comes back."""
        websocket = web.WebSocketResponse(heartbeat=15)
        await websocket.prepare(request)
        service = _Service(self.command, websocket)
        self._services.add(service)
        if self._waiting is not None:
            self._waiting.cancel()
        try:
            width, height = (_size(request.query.get(name, ""), rest) for name, rest in (("width", 80), ("height", 24)))
            await service.start(width, height)
            await _carry(websocket, service)
        finally:
            left = service.left_by_itself
            await service.close()
            self._services.discard(service)
            if not self._services:
                self._waiting = asyncio.create_task(self._end_after(0 if left else _AWAY))
        return websocket

    async def _end_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if not self._services:
            self.ended.set()

    async def close(self) -> None:
        """Ends every editor."""
        if self._waiting is not None:
            self._waiting.cancel()
        await asyncio.gather(*(service.close() for service in tuple(self._services)), return_exceptions=True)


def _resource(name: str) -> str:
    return importlib.resources.files("graphbuilder.tui").joinpath(name).read_text("utf-8")


def _websocket_origin(request: web.Request) -> str:
    return f"{'wss' if request.secure else 'ws'}://{request.host}"


def _size(text: str, otherwise: int) -> int:
    return min(int(text), _LARGEST) if text.isascii() and text.isdigit() and 0 < len(text) < 9 else otherwise


async def _carry(websocket: web.WebSocketResponse, service: _Service) -> None:
    """Brings what a browser says to its editor, until one of them has gone. What is no message is left out."""
    async for message in websocket:
        if message.type is not WSMsgType.TEXT:
            continue
        try:
            told = message.json()
        except ValueError:
            continue
        match told:
            case ["stdin", str(keys)]:
                await service.send_bytes(keys.encode("utf-8", "replace"))
            case ["resize", {"width": int(width), "height": int(height)}] if width > 0 and height > 0:
                await service.set_terminal_size(min(width, _LARGEST), min(height, _LARGEST))
            case ["ping", str(number)]:
                await websocket.send_json(["pong", number])
            case ["blur"]:
                await service.blur()
            case ["focus"]:
                await service.focus()


class _Service(AppService):
    """The process of one browser's editor.

    Arguments:
        command: the program and its arguments.
        websocket: where its screen goes.
    """

    def __init__(self, command: Sequence[str], websocket: web.WebSocketResponse) -> None:
        async def close() -> None:
            self.left_by_itself = True
            await websocket.close()

        super().__init__(
            " ".join(command),
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=close,
            download_manager=DownloadManager(),
        )
        self.arguments = tuple(command)
        # Whether the editor was left by its own command, so that nobody comes back.
        self.left_by_itself = False
        self._closing: asyncio.Task[None] | None = None

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """Starts the editor itself, where textual-serve would ask a shell to."""
        environment: dict[str, str] = self._build_environment(width=width, height=height)
        environment["PYTHONPATH"] = import_path()
        environment["TEXTUAL_DRIVER"] = f"{ServedDriver.__module__}:{ServedDriver.__name__}"
        process = await asyncio.create_subprocess_exec(
            *self.arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment, process_group=0
        )
        self._process = process
        assert process.stdin is not None
        self._stdin = process.stdin
        return process

    async def close(self) -> None:
        """Asks the editor to end, and ends it when it does not; however often it is called, it is done once."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        process: Any = self._process
        loop = asyncio.get_running_loop()
        due = loop.time() + _GRACE
        with contextlib.suppress(TimeoutError, OSError):
            await asyncio.wait_for(self.stop(), _GRACE)
        if process is None:
            return
        # What it still draws is read: an editor that waits for a reader could not end.
        read = asyncio.gather(process.stdout.read(), process.stderr.read())
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), due - loop.time())
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            due = loop.time() + _GRACE
        await process.wait()
        read.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await read
