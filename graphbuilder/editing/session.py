"""A blueprint while it is edited: its text, what the text says, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graphbuilder.blueprint import Document, load_source
from graphbuilder.editing.applying import apply
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.located import located_before
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic
from graphbuilder.text import Source, parse
from graphbuilder.text.collector import collector_paused
from graphbuilder.text.reparsing import reparsed
from graphbuilder.text.splices import Splice, composed, spliced, undoing

__all__ = ["Planned", "Session", "State", "Step", "difference", "read_state"]

_MARK = "\ufeff"


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A text, and what could be read of it.

    Arguments:
        text: the whole file, a byte order mark included where it has one.
        source: its tree, or None where it is no YAML or JSON.
        document: what it says, or None where it is no blueprint.
        diagnostics: why it could not be read, located in the text.
    """

    text: str
    source: Source | None
    document: Document | None
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done and can be undone.

    Arguments:
        title: what it was.
        forward: what it did to the text.
        back: what takes it back.
        focus: the node that it was about.
    """

    title: str
    forward: tuple[Splice, ...]
    back: tuple[Splice, ...]
    focus: str | None = None


def read_state(text: str, name: str, path: Path | None) -> State:
    """A text with what can be read of it; wrong texts are read as far as they go.

    Arguments:
        text: the whole file.
        name: what messages call it; its ending says whether it is JSON.
        path: where it stands, for its imports; None for a text that has no file.
    """
    with collector_paused():
        try:
            source = parse(text, name=name)
        except BlueprintError as error:
            return State(text, None, None, error.diagnostics)
        return _loaded(text, source, path)


def _loaded(text: str, source: Source, path: Path | None, previous: Document | None = None) -> State:
    try:
        return State(text, source, load_source(source, path, previous=previous))
    except BlueprintError as error:
        return State(text, source, None, error.diagnostics)


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """What a command would come to, before it is carried out.

    Arguments:
        edit: the edit.
        state: the text as it would be.
        splices: what would be done to the whole file's text.
        before: the text that it was planned for.
    """

    edit: Edit
    state: State
    splices: tuple[Splice, ...]
    before: State


class Session:
    """A blueprint while it is edited.

    Every command changes the text by splices, is read again, and must say what was meant; else nothing changes. Undoing
    restores every byte. The history holds splices alone, and forgets its oldest steps when it becomes too large.

    Arguments:
        text: the whole file as text, line breaks and a byte order mark included.
        name: what messages call it.
        path: where it stands, or None.
        most_steps: how many steps can be undone.
        most_characters: how many characters of text these may hold in all.
    """

    def __init__(
        self,
        text: str,
        name: str = "<blueprint>",
        path: Path | None = None,
        *,
        most_steps: int = 10_000,
        most_characters: int = 50_000_000,
    ) -> None:
        self.name = name
        self.path = path
        self.state = read_state(text, name, path)
        self.done: list[Step] = []
        self.undone: list[Step] = []
        self._saved = text
        self._most_steps = most_steps
        self._most_characters = most_characters
        self._characters = 0
        # Whether what is typed next may become a part of the last step.
        self._typing = False

    @property
    def text(self) -> str:
        """The whole text as it stands."""
        return self.state.text

    @property
    def changed(self) -> bool:
        """Whether the text is another one than was saved last."""
        return self.state.text != self._saved

    def saved(self, text: str | None = None) -> None:
        """Notes that a text is on disk.

        Arguments:
            text: the whole file, where the text has changed while it was saved; None for the text as it stands.
        """
        self._saved = self.state.text if text is None else text
        self._typing = False

    def moved(self, name: str, path: Path | None) -> None:
        """Goes on as another file with the same text, whose imports are found from there; the history stays.

        Arguments:
            name: what messages call it now.
            path: where it stands now, or None.
        """
        self.name, self.path = name, path
        self.state = read_state(self.state.text, name, path)

    def document(self) -> Document:
        """What the text says.

        Raises:
            BlueprintError: it cannot be read.
        """
        if self.state.document is None:
            raise BlueprintError(self.state.diagnostics)
        return self.state.document

    def planned(self, command: Command) -> Planned:
        """What a command would come to; nothing changes. It may be called in a thread.

        Raises:
            CommandError: it cannot be done, or changes nothing.
            BlueprintError: the text cannot be read, or could not be after the edit.
            InternalError: the new text would not say what was meant.
        """
        with collector_paused():
            before, document = self.state, self.document()
            edit = command.edit(document)
            applied = apply(document.source, edit.changes)
            if applied.source.text == document.source.text:
                raise CommandError(Diagnostic("GB603", f"{edit.title}: that changes nothing"))
            try:
                after = load_source(applied.source, self.path, previous=document)
            except BlueprintError as error:
                located = located_before(error.diagnostics, document, applied, (edit.title, *edit.told))
                raise BlueprintError(located) from error
            mark = _MARK if applied.source.byte_order_mark else ""
            state = State(mark + applied.source.text, applied.source, after)
            return Planned(edit, state, _with_mark(applied.splices, before.text), before)

    def run(self, command: Command) -> Edit:
        """Carries out a command.

        Raises:
            CommandError: it cannot be done, or changes nothing.
            BlueprintError: the text cannot be read, or could not be after the edit; then nothing has changed.
            InternalError: the new text would not say what was meant; then nothing has changed.
        """
        return self.do(self.planned(command))

    def do(self, planned: Planned) -> Edit:
        """Carries out what was planned.

        Arguments:
            planned: what `planned` gave for the text as it stands.

        Raises:
            CommandError: the text has changed since then; nothing is done.
        """
        if planned.before is not self.state:
            hint = "try it again"
            raise CommandError(Diagnostic("GB603", f"{planned.edit.title}: the text has changed since", hint=hint))
        self._do(planned.state, planned.splices, planned.edit.title, planned.edit.focus)
        return planned.edit

    def type(self, text: str, title: str = "type", *, join: bool = False) -> None:
        """Replaces the text by what the author has typed, which may be wrong.

        Arguments:
            text: the whole new text.
            title: what it is called when it is undone.
            join: whether it belongs to what was typed right before, so that both are undone together.
        """
        if text == self.state.text:
            return
        splices = (difference(self.state.text, text),)
        after = self._read(splices, text)
        if join and self._typing and self.done:
            last = self.done[-1]
            back = composed(undoing(self.state.text, splices), last.back)
            self._forget(self.done.pop())
            self._keep(Step(last.title, composed(last.forward, splices), back))
            self.state = after
        else:
            self._do(after, splices, title, None)
        self._typing = True

    def undo(self) -> Step:
        """Takes the last step back.

        Raises:
            CommandError: there is none.
        """
        if not self.done:
            raise CommandError(Diagnostic("GB603", "there is nothing to undo"))
        step = self.done.pop()
        self.undone.append(step)
        self._typing = False
        self.state = self._read(step.back)
        return step

    def redo(self) -> Step:
        """Does the step again that was taken back last.

        Raises:
            CommandError: there is none.
        """
        if not self.undone:
            raise CommandError(Diagnostic("GB603", "there is nothing to do again"))
        step = self.undone.pop()
        self.done.append(step)
        self._typing = False
        self.state = self._read(step.forward)
        return step

    def _do(self, after: State, splices: tuple[Splice, ...], title: str, focus: str | None) -> None:
        for step in self.undone:
            self._forget(step)
        self.undone.clear()
        self._keep(Step(title, splices, undoing(self.state.text, splices), focus))
        self._typing = False
        self.state = after

    def _read(self, splices: tuple[Splice, ...], text: str | None = None) -> State:
        """The state after some splices of the whole text.

        Arguments:
            splices: what is done to it.
            text: what comes of it, if that is known.
        """
        before = self.state
        if text is None:
            text = spliced(before.text, splices)
        mark = len(_MARK) if before.text.startswith(_MARK) else 0
        if before.source is not None and all(each.start >= mark for each in splices):
            with collector_paused():
                moved = [Splice(each.start - mark, each.end - mark, each.text) for each in splices]
                source = reparsed(before.source, moved)
                if source is not None:
                    return _loaded(text, source, self.path, before.document)
        return read_state(text, self.name, self.path)

    def _keep(self, step: Step) -> None:
        """Adds a step to the history, and forgets the oldest ones where it becomes too large; the last one stays."""
        self.done.append(step)
        self._characters += _size(step)
        gone = max(0, len(self.done) - self._most_steps)
        over = self._characters - self._most_characters - sum(map(_size, self.done[:gone]))
        while over > 0 and gone < len(self.done) - 1:
            over -= _size(self.done[gone])
            gone += 1
        for old in self.done[:gone]:
            self._forget(old)
        del self.done[:gone]

    def _forget(self, step: Step) -> None:
        self._characters -= _size(step)


def _with_mark(splices: Sequence[Splice], text: str) -> tuple[Splice, ...]:
    """Splices of a source's text as those of the whole file's."""
    moved = 1 if text.startswith(_MARK) else 0
    return tuple(Splice(splice.start + moved, splice.end + moved, splice.text) for splice in splices)


def _size(step: Step) -> int:
    """How many characters a step holds."""
    return sum(len(splice.text) for splice in (*step.forward, *step.back))


def difference(before: str, after: str) -> Splice:
    """The one splice between two texts: what they have in common at both ends stays.

    Example:
        >>> difference("units: 64", "units: 128")
        Splice(start=7, end=9, text='128')
    """
    start = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        start += 1
    end = 0
    most = min(len(before), len(after)) - start
    while end < most and before[-1 - end] == after[-1 - end]:
        end += 1
    return Splice(start, len(before) - end, after[start : len(after) - end])
