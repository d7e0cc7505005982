"""Opens an address in a headless Chromium (Qt WebEngine), does what it is told to there, and says what came of it.

Arguments: the address, then the steps as a JSON list of pairs: `["see", TEXT]` waits until the terminal shows a text,
`["type", TEXT]` types one, `["press", KEY]` presses a key that Qt has a name for, such as `Return` or `Ctrl+S`.
On stdout comes one JSON document: whether the page loaded, what was asked of which address, what the console said, what
the terminal showed whenever a text was seen and at the end, and which steps were not come to.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWebEngineCore import QWebEnginePage, QWebEngineUrlRequestInterceptor
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QApplication

# How long the steps may take together, and how often the screen is looked at, in milliseconds.
PATIENCE = 90_000
LOOK = 50
SCREEN = "(document.querySelector('body.-first-byte .xterm-rows') || {}).innerText || ''"


class Page(QWebEnginePage):  # type: ignore[misc]  # to the checker Qt has no types
    """Keeps what the page writes on its console."""

    said: list[str] = []  # noqa: RUF012 - there is one page

    def javaScriptConsoleMessage(self, _level: Any, message: str, _line: int, _source: str) -> None:  # noqa: N802
        self.said.append(message)


class Requests(QWebEngineUrlRequestInterceptor):  # type: ignore[misc]  # to the checker Qt has no types
    """Keeps the addresses that the page asks for."""

    asked: list[str] = []  # noqa: RUF012 - there is one page

    def interceptRequest(self, info: Any) -> None:  # noqa: N802
        self.asked.append(info.requestUrl().toString())


def press(target: Any, key: str) -> None:
    """Presses a key, with Ctrl where that stands before it."""
    modifier = Qt.KeyboardModifier.ControlModifier if key.startswith("Ctrl+") else Qt.KeyboardModifier.NoModifier
    QTest.keyClick(target, getattr(Qt.Key, f"Key_{key.removeprefix('Ctrl+')}"), modifier)


def main() -> None:
    application = QApplication(sys.argv[:1])
    address, steps = sys.argv[1], json.loads(sys.argv[2])
    view, page, requests = QWebEngineView(), Page(), Requests()
    page.profile().setUrlRequestInterceptor(requests)
    view.setPage(page)
    view.resize(1200, 800)
    loaded: list[bool] = []
    screens: list[str] = []
    page.loadFinished.connect(loaded.append)

    def finish(screen: str) -> None:
        told = {"loaded": loaded, "asked": requests.asked, "said": page.said, "left": steps}
        sys.stdout.write(json.dumps({**told, "screens": [*screens, screen]}) + "\n")
        sys.stdout.flush()
        application.quit()

    def look() -> None:
        page.runJavaScript(SCREEN, found)

    def found(screen: str) -> None:
        while steps:
            what, told = steps[0]
            if what == "see":
                if told not in screen:
                    QTimer.singleShot(LOOK, look)
                    return
                screens.append(screen)
            elif what == "type":
                QTest.keyClicks(view.focusProxy(), told)
            else:
                press(view.focusProxy(), told)
            del steps[0]
        finish(screen)

    QTimer.singleShot(PATIENCE, lambda: page.runJavaScript(SCREEN, finish))
    view.load(QUrl(address))
    view.show()
    view.setFocus()
    look()
    application.exec()
    # Chromium's own end may take long or fail, and nothing is left to say.
    page.deleteLater()


if __name__ == "__main__":
    main()
