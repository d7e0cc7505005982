"""How the editor talks to the server that shows it in a browser, and ends with it."""

from __future__ import annotations

import os
import sys

from textual import messages
from textual.drivers.web_driver import WebDriver

__all__ = ["ServedDriver"]


class ServedDriver(WebDriver):
    """Textual's driver for textual-serve; the editor ends when its server does, in whatever way that ended."""

    def run_input_thread(self) -> None:
        super().run_input_thread()
        if self.exit_event.is_set():
            return
        # Nobody listens any more, and what is drawn until the end would fail on a pipe without a reader.
        nothing = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream is not None:
                os.dup2(nothing, stream.fileno())
        os.close(nothing)
        self._app.post_message(messages.ExitApp())
