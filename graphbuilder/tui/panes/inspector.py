"""The inspector: the form of what is selected, as rows of which one at a time is edited."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from graphbuilder.blueprint import Document
from graphbuilder.catalog.arguments import as_written
from graphbuilder.editing.command import Command
from graphbuilder.errors import GraphbuilderError
from graphbuilder.tui.canvas.wording import safe, shortened, width_of
from graphbuilder.tui.fields import UNSET, Field, Form, read_value, value_text
from graphbuilder.tui.panes.entry import Entry
from graphbuilder.tui.panes.rows import Part, Row, Rows, row
from graphbuilder.tui.workspace import Facts

__all__ = ["Inspector", "facts_text"]

_LABEL = 20
_PAUSE = 0.08
_NO_BREAK = "\N{NO-BREAK SPACE}"
# How many choices are in sight at once.
_CHOICES = 10


def facts_text(facts: Facts | None) -> str:
    """What is known of a node, in one line.

    Example:
        >>> facts_text(Facts("62×62×32", 896, 3_321_216, 1))
        '62×62×32 · 896 parameters · 3.32 M MACs'
    """
    if facts is None:
        return ""
    parts = [facts.shape] if facts.shape else []
    if facts.parameters:
        parts.append(f"{facts.parameters:,} parameters")
    if facts.macs:
        parts.append(f"{_short(facts.macs)} MACs")
    if facts.calls > 1:
        parts.append(f"{facts.calls} calls")
    return " · ".join(parts)


def _short(number: int) -> str:
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g} {letter}"
    return str(number)


class Inspector(Vertical):
    """The form of what is selected.

    Arguments:
        id: as of any widget.
    """

    DEFAULT_CSS = """
    Inspector {
        background: $surface;
        #inspector-head { height: 4; padding: 0 1; }
        #inspector-fields { height: 1fr; padding: 0 1; }
        #inspector-help { height: 5; padding: 0 1; color: $foreground 75%; }
        #inspector-input { display: none; height: 1; border: none; padding: 0 1; background: $primary 30%; }
        #inspector-choices { display: none; background: $panel; padding: 0 1; }
        &.-editing #inspector-input { display: block; }
        &.-choosing #inspector-choices { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete,backspace", "clear", "Back to the default", show=False, id="inspector.clear"),
    ]

    class Asked(Message):
        """Something is to be set.

        Arguments:
            command: the command that does so.
        """

        def __init__(self, command: Command) -> None:
            super().__init__()
            self.command = command

    class Left(Message):
        """The author is done with the form for now."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.form: Form | None = None
        self.document: Document | None = None
        self.editing: Field | None = None
        self._facts = ""
        self._trouble: Sequence[str] = ()
        self._timer: Timer | None = None
        self._pristine = ""

    def compose(self) -> ComposeResult:
        """The head, the fields, and what edits one of them."""
        yield Static(id="inspector-head", markup=False)
        yield Rows(id="inspector-fields")
        yield Static(id="inspector-help", markup=False)
        yield Entry(id="inspector-input", select_on_focus=False)
        yield Rows(id="inspector-choices", click_chooses=True)

    @property
    def rows(self) -> Rows:
        """The fields."""
        return self.query_one("#inspector-fields", Rows)

    def show(
        self, form: Form | None, document: Document | None, facts: Facts | None = None, trouble: Sequence[str] = ()
    ) -> None:
        """Shows a form.

        Arguments:
            form: the form, or None for none.
            document: the document that its commands are tried on.
            facts: what is known of the node.
            trouble: what is wrong with it, in sentences.
        """
        same = (
            self.form is not None and form is not None and form.title == self.form.title and form.kind == self.form.kind
        )
        if self.editing is not None and not same:
            self._end()
        key = self.rows.key if same else None
        self.form, self.document, self._trouble = form, document, tuple(trouble)
        self._facts = facts_text(facts)
        self._show_head()
        fields = form.fields if form is not None else ()
        self.rows.show([_row_of(field) for field in fields], key or (fields[0].key if fields else None))
        if self.editing is not None:
            self.editing = self._field(self.editing.key)
        self._show_help()

    def on_resize(self) -> None:
        """Shows as much of what the thing is as there is room for."""
        self._show_head()

    def _show_head(self) -> None:
        place = self.query_one("#inspector-head", Static)
        width, rows = max(place.content_size.width, 20), max(place.size.height, 2)
        head = Text()
        if self.form is None:
            head.append("nothing is selected", "dim")
        else:
            title = shortened(safe(self.form.title), max(width // 2, width - 2 - width_of(safe(self.form.kind))))
            head.append(title, "bold")
            head.append(shortened(f"  {safe(self.form.kind)}", max(width - width_of(title), 1)), "dim")
            # What belongs to one number stays on one line.
            joined = " · ".join(part.replace(" ", _NO_BREAK) for part in self._facts.split(" · "))
            facts = textwrap.wrap(joined, width, max_lines=max(rows - 1, 1), placeholder=" …")
            for line in facts:
                head.append(f"\n{line.replace(_NO_BREAK, ' ')}")
            left = rows - 1 - len(facts)
            if left > 0 and self.form.about:
                for line in textwrap.wrap(safe(self.form.about), width, max_lines=left, placeholder=" …"):
                    head.append(f"\n{line}", "dim")
        place.update(head, layout=False)

    def _show_help(self, wrong: str | None = None) -> None:
        field = self.editing or self._field(self.rows.key)
        told = Text()
        variables = self.app.theme_variables
        if wrong is not None:
            told.append(safe(wrong), variables.get("error", "red"))
        elif self._trouble and self.editing is None:
            told.append("\n".join(map(safe, self._trouble)), variables.get("error", "red"))
        if field is not None:
            if told:
                told.append("\n")
            told.append(safe(field.about))
            if field.accepts and field.accepts != "anything":
                told.append(f"\n{safe(field.accepts)}", "dim")
            if not field.required and field.value is not UNSET and field.default is not None:
                told.append(f"\ndefault {safe(as_written(field.default))}", "dim")
        elif self.form is not None and self.form.note:
            told.append(self.form.note, "dim")
        self.query_one("#inspector-help", Static).update(told, layout=False)

    def _field(self, key: str | None) -> Field | None:
        fields = self.form.fields if self.form is not None else ()
        return next((field for field in fields if field.key == key), None)

    @on(Rows.Moved, "#inspector-fields")
    def _moved(self, event: Rows.Moved) -> None:
        event.stop()
        self._show_help()

    @on(Rows.Chosen, "#inspector-fields")
    def _chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        self.edit(event.key)

    def edit(self, key: str) -> None:
        """Begins to edit a field.

        Arguments:
            key: the field's.
        """
        field = self._field(key)
        if field is None or field.change is None:
            return
        self.rows.move_to(key)
        self.editing = field
        self.add_class("-editing")
        self.set_class(bool(field.choices), "-choosing")
        value = field.default if field.value is UNSET else field.value
        text = str(value or "") if field.text else "" if field.value is UNSET and value is None else value_text(value)
        self._pristine = text
        entry = self.query_one("#inspector-input", Input)
        entry.placeholder = safe(field.label)
        entry.value = text
        entry.cursor_position = len(text)
        choices = self.query_one("#inspector-choices", Rows)
        choices.styles.height = min(len(field.choices), _CHOICES)
        choices.show([row(each, each) for each in field.choices], text)
        entry.focus()
        self._show_help()

    def _end(self) -> None:
        self.editing = None
        if self._timer is not None:
            self._timer.stop()
        focused = self.query_one("#inspector-input", Input).has_focus or self.query_one("#inspector-choices").has_focus
        self.remove_class("-editing", "-choosing")
        if focused:
            self.rows.focus()
        self._show_help()

    @on(Input.Changed, "#inspector-input")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.editing is None:
            return
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_PAUSE, self._judge)

    def _judge(self) -> None:
        """Shows what is wrong with what is typed."""
        if self.editing is not None:
            self._show_help(self._tried()[1])

    def _tried(self) -> tuple[Command | None, str | None]:
        """The command that what is typed comes to, or what is wrong with it."""
        field, text = self.editing, self.query_one("#inspector-input", Input).value
        if field is None or field.change is None or self.document is None:
            return None, None
        try:
            if not text.strip() and field.clear is not None:
                command = field.clear() if field.value is not UNSET else None
            else:
                command = field.change(read_value(text, field))
            if command is not None:
                command.edit(self.document)
        except GraphbuilderError as error:
            return None, told(error)
        return command, None

    @on(Input.Submitted, "#inspector-input")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        command, wrong = self._tried()
        if wrong is not None:
            self._show_help(wrong)
            return
        changed = self.query_one("#inspector-input", Input).value != self._pristine
        self._end()
        if command is not None and changed:
            self.post_message(self.Asked(command))

    @on(Rows.Moved, "#inspector-choices")
    def _browsed(self, event: Rows.Moved) -> None:
        event.stop()
        self.query_one("#inspector-input", Input).value = event.key

    @on(Rows.Chosen, "#inspector-choices")
    def _picked(self, event: Rows.Chosen) -> None:
        event.stop()
        entry = self.query_one("#inspector-input", Input)
        entry.value = event.key
        entry.post_message(Input.Submitted(entry, event.key))

    def on_key(self, event: events.Key) -> None:
        """Moves among the choices while one is typed, and leaves."""
        if self.editing is not None and event.key in ("up", "down") and self.editing.choices:
            event.stop()
            event.prevent_default()
            self.query_one("#inspector-choices", Rows).action_step(-1 if event.key == "up" else 1)
        elif event.key == "escape":
            event.stop()
            event.prevent_default()
            if self.editing is not None:
                self._end()
            else:
                self.post_message(self.Left())

    def action_clear(self) -> None:
        """Takes the value of a field away, so that it has its default."""
        field = self._field(self.rows.key)
        if self.editing is None and field is not None and field.clear is not None and field.value is not UNSET:
            self.post_message(self.Asked(field.clear()))


def told(error: GraphbuilderError) -> str:
    """What an error says, in one or two lines."""
    first = error.diagnostics[0]
    text = f"{first.message}; expected {first.expected}" if first.expected else first.message
    return f"{text}\n{first.hint}" if first.hint else text


def _row_of(field: Field) -> Row:
    """The row of a field: its name, and its value or, dimmed, its default."""
    label = Part(f"{field.label:<{_LABEL}} ", "text" if field.value is not UNSET else "dim")
    look = ("error" if field.required else "dim") if field.value is UNSET else "strong"
    return row(field.key, label, Part(field.shown, look))
