"""What a command says while it runs, made into lines to show and progress to draw."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from graphbuilder.errors import Diagnostic

__all__ = ["Ended", "Ending", "Event", "Listener", "Progress", "Said", "clean_line", "gathered"]

# Sequences by which programs move the cursor and colour text (ECMA-48), and those that set titles.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_LONGEST = 4_000
# What `cli.output.progress` says where no terminal listens, and `milestone`.
_STAGE = re.compile(r"([A-Z][^…]*)…$")
_MILESTONE = re.compile(r"(\d+)/(\d+) (.+)$")
# The stages of the commands that always have the same ones.
_STAGES = {"compile": ("Importing", "Building", "Saving")}


@dataclass(frozen=True, slots=True)
class Said:
    """Lines that the command has written.

    Arguments:
        lines: each without its line break and without what would move a cursor.
        error: whether they came on stderr, where the commands tell of faults, notes and stages.
    """

    lines: tuple[str, ...]
    error: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the command is.

    Arguments:
        what: what it is doing.
        fraction: how much of all is done, from 0 to 1; None where that cannot be said.
        values: what was measured, such as the loss of an epoch.
    """

    what: str
    fraction: float | None = None
    values: tuple[tuple[str, float], ...] = ()


class Ending(StrEnum):
    """The ways in which a job ends."""

    DONE = "done"
    FAILED = "failed"  # the command said why
    CANCELLED = "cancelled"  # it was asked to end, and did
    DIED = "died"  # a signal that was not ours ended it
    NOT_STARTED = "not started"


@dataclass(frozen=True, slots=True)
class Ended:
    """The job's end; nothing comes after it.

    Arguments:
        how: which end it was.
        code: the exit code; negative for the number of the signal that ended it.
        seconds: how long it ran.
        diagnostics: what the command reported as data, located in the blueprint.
        message: one sentence for people.
    """

    how: Ending
    code: int
    seconds: float
    diagnostics: tuple[Diagnostic, ...] = ()
    message: str = ""


Event: TypeAlias = Said | Progress | Ended


def clean_line(line: str) -> str:
    r"""A line as it would be left on a terminal, without what moves the cursor or colours it.

    Example:
        >>> clean_line("1/3\r2/3\r\x1b[2K\x1b[31m3/3\x1b[0m\tdone\x07")
        '3/3 done�'
    """
    shown = _ESCAPES.sub("", line[-_LONGEST * 4 :]).rstrip("\r").rpartition("\r")[2].expandtabs(4)
    if len(shown) > _LONGEST:
        shown = f"{shown[:_LONGEST]}…"
    return "".join(character if character.isprintable() else "\ufffd" for character in shown)


def gathered(events: Iterable[Event]) -> list[Event]:
    """What happened at about the same time as few events: lines that come from one stream together, the last progress.

    Example:
        >>> gathered([Said(("epoch 1",)), Progress("epoch 1"), Said(("epoch 2",)), Progress("epoch 2")])
        [Said(lines=('epoch 1', 'epoch 2'), error=False), Progress(what='epoch 2', fraction=None, values=())]
    """
    said: list[tuple[bool, list[str]]] = []
    last: list[Event] = []
    for event in events:
        match event:
            case Said(lines, error) if said and said[-1][0] is error:
                said[-1][1].extend(lines)
            case Said(lines, error):
                said.append((error, [*lines]))
            case _:
                last = [event]
    return [*(Said(tuple(lines), error) for error, lines in said), *last]


class Listener:
    """Makes events of the bytes that a command writes.

    Arguments:
        command: the command's name.
        renamed: texts that are replaced in what it says, such as the name of a hidden copy by the file's own.
    """

    def __init__(self, command: str, renamed: Mapping[str, str]) -> None:
        self.command = command
        self.renamed = renamed
        self.diagnostics: tuple[Diagnostic, ...] = ()
        self._rest = {False: b"", True: b""}
        # Lines of stdout that belong to one JSON document over several lines, as diagnostics are printed.
        self._document: list[str] = []

    def hear(self, chunk: bytes, *, error: bool) -> Iterator[Event]:
        """The events of what came; an unfinished line waits for its end.

        Arguments:
            chunk: bytes of stdout or stderr.
            error: whether it is stderr.
        """
        *whole, rest = (self._rest[error] + chunk).split(b"\n")
        # Without an end for so long it is no line; what a terminal would have overwritten is dropped first.
        if len(rest) > 16 * _LONGEST:
            rest = rest[-4 * _LONGEST :]
        self._rest[error] = rest
        yield from self._lines([line.decode("utf-8", "replace") for line in whole], error)

    def end(self) -> Iterator[Event]:
        """The events of what was left unfinished."""
        for error, rest in self._rest.items():
            if rest:
                yield from self._lines([rest.decode("utf-8", "replace")], error)
        yield from self._end_document()

    def _lines(self, lines: list[str], error: bool) -> Iterator[Event]:
        shown: list[str] = []
        for line in lines:
            text = line
            for before, after in self.renamed.items():
                text = text.replace(before, after)
            events = [] if error else list(self._data(text))
            if self._document and not error:
                continue
            if not events:
                text = clean_line(text)
                shown.append(text)
                progress = _progress_of(self.command, text) if error else None
                events = [progress] if progress is not None else []
            elif shown:
                yield Said(tuple(shown), error)
                shown = []
            yield from events
        if shown:
            yield Said(tuple(shown), error)

    def _data(self, line: str) -> Iterator[Event]:
        """The events of a line of JSON; none for a line that is text."""
        if self._document or line == "{":
            self._document.append(line)
            if line == "}":
                yield from self._end_document()
            return
        if line.startswith('{"event"'):
            try:
                told = json.loads(line)
            except ValueError:
                return
            if isinstance(told, dict):
                yield from _event(told)

    def _end_document(self) -> Iterator[Event]:
        """The document that was said, as diagnostics if it holds such, else as the lines it is of."""
        lines, self._document = self._document, []
        if not lines:
            return
        # The protocol's module alone, which needs no TensorFlow.
        from graphbuilder.backend.worker_protocol import diagnostic_from_json

        try:
            told = json.loads("\n".join(lines))
            self.diagnostics = tuple(diagnostic_from_json(item) for item in told["diagnostics"])
        except (ValueError, KeyError, TypeError):
            yield Said(tuple(clean_line(line) for line in lines))
            return
        said = [line for diagnostic in self.diagnostics for line in str(diagnostic).split("\n")]
        yield Said(tuple(clean_line(line) for line in said), error=True)


def _progress_of(command: str, line: str) -> Progress | None:
    """The progress that a line on stderr tells of."""
    milestone = _MILESTONE.match(line)
    if milestone is not None and 0 < int(milestone[1]) <= int(milestone[2]):
        return Progress(milestone[3], (int(milestone[1]) - 1) / int(milestone[2]))
    stage = _STAGE.match(line)
    if stage is None:
        return None
    stages = _STAGES.get(command, ())
    number = next((number for number, name in enumerate(stages) if stage[1].startswith(name)), None)
    return Progress(stage[1], None if number is None else number / len(stages))


def _event(told: Mapping[str, Any]) -> Iterator[Event]:
    """What a training says of an epoch, and of its end."""
    values = tuple(
        (name, float(value))
        for name, value in told.items()
        if isinstance(value, (int, float))
        and not isinstance(value, bool)
        and name not in ("epoch", "epochs", "seconds")
    )
    match told:
        case {"event": "epoch", "epoch": int(epoch), "epochs": int(epochs)} if 0 < epoch <= epochs:
            measured = "  ".join(f"{name} {value:.4g}" for name, value in values)
            yield Said((f"epoch {epoch}/{epochs}  {measured}",))
            yield Progress(f"epoch {epoch} of {epochs}", epoch / epochs, values)
        case {"event": "done", "output": output}:
            evaluation = told.get("evaluation")
            if isinstance(evaluation, dict) and evaluation:
                measured = "  ".join(f"{name} {value:.4g}" for name, value in evaluation.items())
                yield Said((f"{told.get('evaluated_on')}: {measured}",))
            yield Said((f"{output}: {told.get('parameters', 0):,} parameters",))
            yield Progress("done", 1.0)
        case {"event": "stopped", "epochs": epochs, "of": of, "state": state}:
            yield Said((f"stopped after epoch {epochs} of {of}; {state} keeps what they gave",))
        case _:
            yield Said((clean_line(json.dumps(told)),))
