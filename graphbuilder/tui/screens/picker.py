"""A list above the screen from which one thing is picked by a few letters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from graphbuilder.tui.canvas.wording import safe
from graphbuilder.tui.matching import best
from graphbuilder.tui.panes.entry import Entry
from graphbuilder.tui.panes.rows import Part, Row, Rows, row

__all__ = ["Choice", "Picker"]

# The rows of a question beside those that are picked from: borders, title, what is typed, and what parts them.
_AROUND = 5


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
        filling: gives more choices one after the other, in a thread, once the question is shown; what can be picked
            comes before what cannot. It is given up when the question is gone.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False, id="picker.leave"),
    ]

    class Found(Message):
        """There is one more thing to pick.

        Arguments:
            choice: the thing.
        """

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

    class Filled(Message):
        """There is nothing more to be found.

        Arguments:
            failure: why it was ended; None where all was found.
        """

        def __init__(self, failure: Exception | None = None) -> None:
            super().__init__()
            self.failure = failure

    def __init__(
        self, title: str, choices: Sequence[Choice], *, cursor: str | None = None, free: bool = False,
        follow: Callable[[str], None] | None = None, most: int = 200,
        filling: Callable[[], Iterable[Choice]] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.asked = title
        self.choices = list(choices)
        self._found = {choice.key: choice for choice in choices}
        self._cursor = cursor
        self._free = free
        self._follow = follow
        self._most = most
        self._filling = filling
        # Whether more is being found, why that was ended, and whether the author has moved the cursor since.
        self.looking = filling is not None
        self.failure: Exception | None = None
        self._moved_by_hand = False
        # Whether what is typed is to be taken as soon as all was found, because nothing fitted it yet.
        self._due = False
        self._typed_before = ""
        self._width = 0
        self._measure(self.choices)

    def compose(self) -> ComposeResult:
        """The question, what is typed, what fits it, and what is known of that."""
        with Vertical(id="picker"):
            yield Static(Text(safe(self.asked), "bold"), id="picker-title", markup=False)
            yield Entry(id="picker-input", placeholder="type to find", select_on_focus=False)
            yield Rows(id="picker-rows", click_chooses=True)
            yield Static(id="picker-detail", markup=False)

    def on_mount(self) -> None:
        """Shows everything, and begins to look for more."""
        if self._filling is None and not any(choice.detail for choice in self.choices):
            # As high as its rows need; it stays so while they are fewer.
            self.query_one("#picker").styles.height = len(self.choices) + _AROUND
        self._show("", self._cursor)
        self.query_one(Input).focus()
        if self._filling is not None:
            self.run_worker(self._fill, thread=True, group="fill", exit_on_error=False)

    def _fill(self) -> None:
        """Looks for more, in a thread; a question that is gone wants no more."""
        assert self._filling is not None
        failure: Exception | None = None
        try:
            for choice in self._filling():
                if get_current_worker().is_cancelled:
                    return
                self.post_message(self.Found(choice))
        except Exception as error:
            # Whoever asks tells of it, a bug of ours too.
            failure = error
        self.post_message(self.Filled(failure))

    @on(Found)
    def _one_more(self, event: Found) -> None:
        at = len(self.choices)
        if event.choice.possible:
            at = next((number for number, choice in enumerate(self.choices) if not choice.possible), at)
        self.choices.insert(at, event.choice)
        self._found[event.choice.key] = event.choice
        self._measure([event.choice])
        self._show_again()

    @on(Filled)
    def _no_more(self, event: Filled) -> None:
        self.looking, self.failure = False, event.failure
        if self.failure is None:
            self._show_again()
            if self._due and self.query_one(Rows).key:
                self._submitted()
        elif self.is_current:
            self.dismiss(None)

    def _measure(self, choices: Iterable[Choice]) -> None:
        """Lets the titles have as much room as the longest needs."""
        self._width = max((self._width, *(len(choice.title) for choice in choices if choice.about)))

    def _show_again(self) -> None:
        """Shows what there is now; the cursor stays where the author has put it."""
        self._show(self.query_one(Input).value, self.query_one(Rows).key if self._moved_by_hand else None)

    def _show(self, typed: str, key: str | None = None) -> None:
        fitting = best(
            typed, ((choice, (choice.title, choice.about, choice.right)) for choice in self.choices), self._most
        )
        shown = [self._row(choice) for choice in fitting]
        if self.looking:
            shown.append(row("", Part("looking …", "dim")))
        elif not fitting:
            shown.append(row("", Part("nothing fits", "dim")))
        rows = self.query_one(Rows)
        rows.show(shown, key or (fitting[0].key if fitting else None))
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
        if event.value != self._typed_before:
            self._typed_before, self._moved_by_hand, self._due = event.value, False, False
            self._show(event.value)

    @on(Rows.Moved)
    def _moved(self, event: Rows.Moved) -> None:
        self._moved_by_hand = True
        self._detail(event.key)

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        self._take(event.key)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        rows = self.query_one(Rows)
        if rows.key:
            self._take(rows.key)
        elif self.looking:
            self._due = bool(self.query_one(Input).value.strip())
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
