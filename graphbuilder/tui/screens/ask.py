"""Questions above the screen: one of a few answers, or a line of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from graphbuilder.tui.canvas.wording import safe
from graphbuilder.tui.panes.entry import Entry
from graphbuilder.tui.panes.rows import Part, Rows, row

__all__ = ["Ask", "AskText"]


class Ask(ModalScreen[str | None]):
    """Asks for one of a few answers; gives its key, or None.

    Arguments:
        question: what is asked.
        answers: the letter of each, which is its key, and what it says; no letter by which lists are walked (g, j, k).
        detail: more about the question.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave", show=False, id="ask.leave")]

    def __init__(self, question: str, answers: Sequence[tuple[str, str]], detail: str = "") -> None:
        super().__init__()
        self.question = question
        self.answers = tuple(answers)
        self.detail = detail

    def compose(self) -> ComposeResult:
        """The question and its answers."""
        with Vertical(id="ask"):
            yield Static(Text(safe(self.question), "bold"), id="ask-question", markup=False)
            if self.detail:
                yield Static(Text("\n".join(map(safe, self.detail.split("\n")))), id="ask-detail", markup=False)
            yield Rows(id="ask-answers", click_chooses=True)

    def on_mount(self) -> None:
        """Lets each answer be taken by its letter."""
        rows = self.query_one(Rows)
        rows.styles.height = len(self.answers)
        rows.show([row(key, Part(f" {key} ", "accent"), text) for key, text in self.answers], self.answers[0][0])
        rows.focus()
        for key, _ in self.answers:
            self._bindings.bind(key, f"answer('{key}')", show=False)

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        self.dismiss(event.key)

    def action_answer(self, key: str) -> None:
        """Gives an answer by its letter."""
        self.dismiss(key)

    def action_leave(self) -> None:
        """Answers nothing."""
        self.dismiss(None)


class AskText(ModalScreen[str | None]):
    """Asks for a line of text; gives it, or None.

    Arguments:
        question: what is asked.
        value: what stands there first.
        check: what is wrong with a text, in a sentence; None where it can be taken.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave", show=False, id="ask_text.leave")]

    def __init__(self, question: str, value: str = "", check: Callable[[str], str | None] | None = None) -> None:
        super().__init__()
        self.question = question
        self.value = value
        self.check = check

    def compose(self) -> ComposeResult:
        """The question, the text, and what is wrong with it."""
        with Vertical(id="ask"):
            yield Static(Text(safe(self.question), "bold"), id="ask-question", markup=False)
            yield Entry(self.value, id="ask-input")
            yield Static(id="ask-wrong", markup=False)

    def on_mount(self) -> None:
        """Lets the text be typed at once."""
        self.query_one(Input).focus()

    def _wrong(self, text: str) -> str | None:
        return self.check(text) if self.check is not None and text != self.value else None

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        wrong = self._wrong(event.value)
        self.query_one("#ask-wrong", Static).update(
            Text(safe(wrong or ""), self.app.theme_variables.get("error", "red"))
        )

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if self._wrong(event.value) is None:
            self.dismiss(event.value)

    def action_leave(self) -> None:
        """Gives nothing."""
        self.dismiss(None)
