"""The main screen: outline, graph, inspector, and a lower pane with problems, text, diff and log."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static

from graphbuilder.errors import Severity
from graphbuilder.tui.canvas import Canvas, MiniMap
from graphbuilder.tui.canvas.wording import safe, shortened, width_of
from graphbuilder.tui.keys import ACTIONS, bindings, shown_key
from graphbuilder.tui.panes.inspector import Inspector
from graphbuilder.tui.panes.rows import Rows
from graphbuilder.tui.panes.text import TextPane
from graphbuilder.tui.screens.running import RunningScreen

__all__ = ["MainScreen"]

_LOWER = ("problems", "text", "diff", "log")
_TITLES = {"problems": "Problems", "text": "YAML", "diff": "Diff", "log": "Log"}
# From how many columns the outline and the map have room, and from how many rows the lower pane.
_OUTLINE_FROM, _MAP_FROM, _LOWER_FROM = 110, 140, 32
# The hints that go first where there is no room for all; help, which lists the others, stays.
_LEFT_OUT_FIRST = ("rename", "undo", "connect", "delete", "passes", "merge", "find", "add", "quit", "save")


class TabHeads(Static):
    """The names of the lower panes, of which one is in front.

    Arguments:
        id: as of any widget.
    """

    class Picked(Message):
        """Another one is to come to the front.

        Arguments:
            name: which.
        """

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._ends: list[tuple[int, str]] = []

    def show(self, current: str, counts: dict[str, int]) -> None:
        """Shows which is in front, and how much there is in each.

        Arguments:
            current: which is in front.
            counts: by the name of the pane.
        """
        text = Text()
        self._ends = []
        for number, name in enumerate(_LOWER):
            count = f" {counts[name]}" if counts.get(name) else ""
            style = "bold reverse" if name == current else ""
            text.append(f" {number + 4} {_TITLES[name]}{count} ", style)
            text.append(" ")
            self._ends.append((len(text.plain), name))
        self.update(text, layout=False)

    def on_click(self, event: events.Click) -> None:
        """Brings what is clicked to the front."""
        found = next((name for end, name in self._ends if event.x < end), None)
        if found is not None:
            self.post_message(self.Picked(found))


class MainScreen(RunningScreen):
    """The screen on which a blueprint is edited."""

    BINDINGS: ClassVar[list[BindingType]] = bindings()
    AUTO_FOCUS = "Canvas"

    # What the author has shown or hidden; else it follows from the size.
    _wanted: dict[str, bool]
    _said: tuple[str, str] = ("", "text")
    _hinted: str = ""

    def compose(self) -> ComposeResult:
        """The panes."""
        self._wanted = {}
        yield Static(id="head", markup=False)
        with Horizontal(id="upper"):
            yield Rows(id="outline")
            yield Canvas(self.workspace.scene(), id="canvas")
            yield MiniMap(id="map")
            yield Inspector(id="inspector")
        with Vertical(id="lower"):
            yield TabHeads(id="tabs")
            with ContentSwitcher(initial="problems", id="panes"):
                yield Rows(id="problems")
                yield TextPane(id="text")
                yield Rows(id="diff")
                yield Rows(id="log")
        yield Static(id="foot", markup=False)

    def on_mount(self) -> None:
        """Shows what is open; a file that cannot be read is shown as text."""
        self.canvas.show_on(self.query_one(MiniMap))
        self.watch(self.canvas, "selection", self.take_selection, init=False)
        self.subject = self._first_subject()
        self.fit_panes()
        self.changed()
        if not self.workspace.readable:
            self.open_pane("text")
            self.say(str(self.workspace.problem()), "error")
            self.look_at_problem(0, open_text=True)

    def _first_subject(self) -> tuple[str | int, ...]:
        box = self.canvas.scene.box.get(self.canvas.selection or "")
        self.box = box.id if box is not None else None
        return self._path_of(box.id, box.where) if box is not None else ()

    # Panes.

    def on_resize(self) -> None:
        """Shows what there is room for."""
        if hasattr(self, "_wanted"):
            self.fit_panes()
            self.show_status()

    def fit_panes(self) -> None:
        """Shows and hides panes, by their room and by what the author has asked for."""
        size = self.app.size
        default = {
            "outline": size.width >= _OUTLINE_FROM,
            "map": size.width >= _MAP_FROM,
            "inspector": True,
            "lower": size.height >= _LOWER_FROM or not self.workspace.readable,
        }
        for name, shown in default.items():
            self.query_one(f"#{name}", Widget).display = self._wanted.get(name, shown)
        narrow = size.width < _OUTLINE_FROM
        self.set_class(narrow, "-narrow")
        self.set_class(size.height < _LOWER_FROM, "-low")
        self.set_class(size.height < _LOWER_FROM and self.query_one("#lower").display, "-squeezed")

    def open_pane(self, name: str) -> None:
        if name in _LOWER:
            self._wanted["lower"] = True
            self.query_one(ContentSwitcher).current = name
        elif name != "canvas":
            self._wanted[name] = True
        self.fit_panes()
        self.show_lower()
        self.show_tabs()
        if name == "text":
            self.look_at_subject()
        target: Widget = self.inspector.rows if name == "inspector" else self.query_one(f"#{name}", Widget)
        target.focus()

    def action_pane(self, name: str) -> None:
        """Goes to a pane; from there, hides it."""
        shown = self.query_one(f"#{name}", Widget)
        inside = self.focused is not None and shown in self.focused.ancestors_with_self
        if inside and name != "canvas":
            self._wanted["lower" if name in _LOWER else name] = False
            self.fit_panes()
            self.canvas.focus()
        else:
            self.open_pane(name)

    def action_lower(self) -> None:
        """Shows or hides the lower pane."""
        lower = self.query_one("#lower")
        self._wanted["lower"] = not lower.display
        if lower.display and self.focused is not None and lower in self.focused.ancestors:
            self.canvas.focus()
        self.fit_panes()
        self.show_lower()

    def on_tab_heads_picked(self, event: TabHeads.Picked) -> None:
        """Brings a pane to the front."""
        self.open_pane(event.name)

    # What is said.

    def say(self, text: str, look: str = "text") -> None:
        self._said = (text, look)
        if text:
            self.log_lines(text.split("\n"), look)
        self._show_foot()

    def hint(self, text: str) -> None:
        if text != self._hinted:
            self._hinted = text
            self._show_foot()

    def _show_foot(self) -> None:
        text, look = (self._hinted, "text") if self._hinted else self._said
        variables = self.app.theme_variables
        colours = {"error": "error", "warning": "warning", "good": "success", "dim": "foreground"}
        shown = Text()
        if text:
            lines = [safe(line) for line in text.split("\n")][:2]
            shown.append("\n".join(shortened(line, max(self.size.width - 2, 1)) for line in lines), variables.get(
                colours.get(look, "foreground"), ""))  # fmt: skip
            shown.append("\n")
        shown.append_text(self._hints())
        foot, height = self.status("foot"), shown.plain.count("\n") + 1
        if foot.styles.height is None or foot.styles.height.value != height:
            foot.styles.height = height
        foot.update(shown, layout=False)

    def _hints(self) -> Text:
        """The keys that are needed most, as many as there is room for."""
        keymap: dict[str, str] = getattr(self.app, "keys_of_user", {})
        pieces = {
            action.id: (shown_key(keymap.get(action.id, action.keys)).split(" ")[0], action.hint)
            for action in ACTIONS if action.hint
        }  # fmt: skip
        left_out = iter(_LEFT_OUT_FIRST)
        while sum(len(key) + len(hint) + 3 for key, hint in pieces.values()) > self.size.width:
            name = next(left_out, None)
            if name is None:
                break
            pieces.pop(name, None)
        hints = Text()
        for key, hint in pieces.values():
            hints.append(key, "bold")
            hints.append(f" {hint}  ", "dim")
        return hints

    def show_status(self) -> None:
        session, graph = self.workspace.session, self.workspace.graph
        variables = self.app.theme_variables
        name = safe(session.name)
        found = self.workspace.diagnostics()
        errors = sum(1 for each in found if each.severity is Severity.ERROR)
        right = Text()
        if self.progress:
            right.append(f"{shortened(self.progress, self.size.width * 2 // 3)}  ", variables.get("secondary", ""))
        elif graph is not None:
            parameters = graph.parameters
            counted = f"{parameters:,} parameters  " if parameters is not None else ""
            right.append(f"{len(graph.calls)} calls  {counted}", "dim")
        if errors:
            right.append(f"✗ {errors} ", variables.get("error", ""))
        if len(found) > errors:
            right.append(f"! {len(found) - errors} ", variables.get("warning", ""))
        if not found and self.workspace.settled:
            right.append("✓ ", variables.get("success", ""))
        mark = " ●" if self.workspace.changed else ""
        room = max(self.size.width - 2 - width_of(right.plain) - len(mark) - 1, 8)
        left = shortened(name, room, middle=True)
        line = Text(left, "bold")
        line.append(mark, variables.get("warning", ""))
        line.append(" " * max(self.size.width - 2 - width_of(line.plain) - width_of(right.plain), 1))
        line.append_text(right)
        self.status("head").update(line, layout=False)
        self.show_tabs()
        self._show_foot()

    def show_tabs(self) -> None:
        """Shows which lower pane is in front, and how much there is in each."""
        counts = {"problems": len(self.workspace.diagnostics()), "log": len(self.rows("log").rows)}
        self.query_one(TabHeads).show(self.in_front, counts)

    @property
    def in_front(self) -> str:
        return self.query_one(ContentSwitcher).current or "problems"
