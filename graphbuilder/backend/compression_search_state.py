"""The state of a search on disk: what it is of, its journal, and the folders of its trials. No TensorFlow here."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from graphbuilder.backend.fitting_state import changed_settings
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic

__all__ = ["SearchState"]

_FORMAT = 1


class SearchState:
    """The folder beside an output in which the state of its search is kept.

    Arguments:
        output: the folder that the search will write.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.path = output.with_name(f"{output.name}.search")

    @property
    def journal(self) -> Path:
        """What happened, a line for each event."""
        return self.path / "journal.log"

    @property
    def first(self) -> Path:
        """The output of the float model's training, which all trials share."""
        return self.path / "first"

    def trial(self, number: int) -> Path:
        """The output of a trial."""
        return self.path / "trials" / f"{number:04d}"

    def forget(self, number: int) -> None:
        """Removes what a trial has written."""
        folder = self.trial(number)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(folder.with_name(f"{folder.name}.state"), ignore_errors=True)

    def exists(self) -> bool:
        """Whether a search is kept."""
        return (self.path / "search.json").is_file()

    def begin(self, settings: Mapping[str, Any]) -> None:
        """Begins a search, or goes on with the one that is kept.

        Arguments:
            settings: what must be the same, by names that people understand.

        Raises:
            BlueprintError: what is kept is of another search, or cannot be read.
        """
        place = self.path / "search.json"
        if not self.exists():
            (self.path / "trials").mkdir(parents=True, exist_ok=True)
            made = place.with_name(".search.json.new")
            made.write_text(json.dumps({"format": _FORMAT, "settings": dict(settings)}, indent=2), encoding="utf-8")
            made.replace(place)
            return
        hint = "go on with the same command, or begin anew with --force"
        try:
            held = json.loads(place.read_text(encoding="utf-8"))
            if held["format"] != _FORMAT:
                raise ValueError(f"it is of format {held['format']}, and this graphbuilder reads {_FORMAT}")
            before = dict(held["settings"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"the kept search cannot be read: {' '.join(str(error).split())[:200]}"
            raise BlueprintError(Diagnostic("GB723", message, file=str(self.path), hint=hint)) from error
        found = changed_settings(before, json.loads(json.dumps(settings)), self.path)
        if found:
            last = found[-1]
            raise BlueprintError([*found[:-1], Diagnostic(last.code, last.message, file=last.file, hint=hint)])

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps every other process out of this search for as long as it lasts; a killed one keeps nobody out.

        Raises:
            CommandError: another process is at it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                message = f"another process is searching for {self.output}"
                raise CommandError(Diagnostic("GB601", message, hint="wait for it, or name another folder")) from error
            yield

    def remove(self) -> None:
        """Takes the folder away. What says that a search is kept goes first."""
        (self.path / "search.json").unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)
