"""A list above the screen from which one thing is picked by a few letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from graphbuilder.tui.canvas.wording import safe
from graphbuilder.tui.matching import best
from graphbuilder.tui.panes.rows import Part, Row, Rows, row

__all__ = ["Choice", "Picker"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to pick.

    Arguments:
        key: what tells it from the others.
        title: what it is called.
        about: what it is, in one line.
        right: a word or two at the right end.
        detail: more about it, for the place below the list.
        look: how the title is written.
        possible: whether it can be picked.
    """

    key: str
    title: str
    about: str = ""
    right: str = ""
    detail: str = ""
    look: str = "strong"
    possible: bool = True


class Picker(ModalScreen[str | None]):
    """Asks for one of several things; gives its key, or None.

    Arguments:
        title: what is asked for.
        choices: what there is.
        cursor: the key of the choice on which the cursor stands first.
        free: whether what was typed may be given where it fits nothing, as it is.
        follow: called with the key of each choice that the cursor comes to stand on.
        most: how many rows are shown of many, where something is typed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False, id="picker.leave"),
    ]

    def __init__(
        self, title: str, choices: Sequence[Choice], *, cursor: str | None = None, free: bool = False,
        follow: Callable[[str], None] | None = None, most: int = 200,
    ) -> None:  # fmt: skip
        super().__init__()
        self.asked = title
        self.choices = list(choices)
        self._found = {choice.key: choice for choice in choices}
        self._cursor = cursor
        self._free = free
        self._follow = follow
        self._most = most
        self._width = max((len(choice.title) for choice in choices if choice.about), default=0)

    def compose(self) -> ComposeResult:
        """The question, what is typed, what fits it, and what is known of that."""
        with Vertical(id="picker"):
            yield Static(Text(safe(self.asked), "bold"), id="picker-title", markup=False)
            yield Input(id="picker-input", placeholder="type to find", select_on_focus=False)
            yield Rows(id="picker-rows", click_chooses=True)
            yield Static(id="picker-detail", markup=False)

    def on_mount(self) -> None:
        """Shows everything."""
        self._show("", self._cursor)
        self.query_one(Input).focus()

    def _show(self, typed: str, key: str | None = None) -> None:
        fitting = best(
            typed, ((choice, (choice.title, choice.about, choice.right)) for choice in self.choices), self._most
        )
        rows = self.query_one(Rows)
        rows.show([self._row(choice) for choice in fitting], key or (fitting[0].key if fitting else None))
        if not fitting:
            rows.show([row("", Part("nothing fits", "dim"))])
        self._detail(rows.key)

    def _row(self, choice: Choice) -> Row:
        look = choice.look if choice.possible else "dim"
        title = f"{choice.title:<{min(self._width, 28)}}  " if choice.about else choice.title
        return row(
            choice.key, Part(title, look), Part(choice.about, "text" if choice.possible else "dim"), right=choice.right
        )

    def _detail(self, key: str | None) -> None:
        choice = self._found.get(key or "")
        detail = self.query_one("#picker-detail", Static)
        detail.display = choice is not None and bool(choice.detail)
        if choice is not None:
            detail.update(Text("\n".join(safe(line) for line in choice.detail.split("\n"))))
            if self._follow is not None and choice.possible:
                self._follow(choice.key)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if event.value or len(self.query_one(Rows).rows) != len(self.choices):
            self._show(event.value)

    @on(Rows.Moved)
    def _moved(self, event: Rows.Moved) -> None:
        self._detail(event.key)

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        self._take(event.key)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        rows = self.query_one(Rows)
        if rows.key:
            self._take(rows.key)
        elif self._free and self.query_one(Input).value.strip():
            self.dismiss(self.query_one(Input).value.strip())

    def _take(self, key: str) -> None:
        if self._found[key].possible:
            self.dismiss(key)
        else:
            self.app.bell()

    def on_key(self, event: events.Key) -> None:
        """Moves the cursor of the list while something is typed."""
        actions: dict[str, Callable[[], None]] = {
            "up": lambda: self.query_one(Rows).action_step(-1),
            "down": lambda: self.query_one(Rows).action_step(1),
            "pageup": lambda: self.query_one(Rows).action_page(-1),
            "pagedown": lambda: self.query_one(Rows).action_page(1),
        }
        if event.key in actions:
            event.stop()
            event.prevent_default()
            actions[event.key]()

    def action_leave(self) -> None:
        """Picks nothing."""
        self.dismiss(None)
