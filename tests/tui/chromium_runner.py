"""Opens an address in a headless Chromium (Qt WebEngine), types what it is told to, and says what came of it.

Arguments: the address, then what to type, one step each: text, or the name of a key such as `<Return>` or `<Ctrl+S>`.
On stdout comes one JSON document: whether the page loaded, what was asked of which address, what the console said.
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

# How long a step may take to come back as a screen, in milliseconds.
PAUSE = 700
READY = "document.body.classList.contains('-first-byte')"


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


def main() -> None:
    application = QApplication(sys.argv[:1])
    address, *steps = sys.argv[1:]
    view, page, requests = QWebEngineView(), Page(), Requests()
    page.profile().setUrlRequestInterceptor(requests)
    view.setPage(page)
    view.resize(1200, 800)
    loaded: list[bool] = []
    page.loadFinished.connect(loaded.append)

    def finish() -> None:
        told = {"loaded": loaded, "asked": requests.asked, "said": page.said, "ready": not steps}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        application.quit()

    def next_step() -> None:
        if not steps:
            finish()
            return
        target, step = view.focusProxy(), steps.pop(0)
        if step.startswith("<Ctrl+"):
            QTest.keyClick(target, getattr(Qt.Key, f"Key_{step[6:-1]}"), Qt.KeyboardModifier.ControlModifier)
        elif step.startswith("<"):
            QTest.keyClick(target, getattr(Qt.Key, f"Key_{step[1:-1]}"))
        else:
            QTest.keyClicks(target, step)
        QTimer.singleShot(PAUSE, next_step)

    def look() -> None:
        def found(ready: bool) -> None:
            QTimer.singleShot(PAUSE, next_step if ready else look)

        page.runJavaScript(READY, found)

    QTimer.singleShot(60_000, finish)
    view.load(QUrl(address))
    view.show()
    view.setFocus()
    look()
    application.exec()
    # Chromium's own end may take long or fail, and nothing is left to say.
    page.deleteLater()


if __name__ == "__main__":
    main()
