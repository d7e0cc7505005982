"""Commands on how a model is trained, and on what it may cost once it is compressed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from pydantic import BaseModel

from graphbuilder.blueprint import BudgetSpec, Document, Training
from graphbuilder.catalog.arguments import as_written
from graphbuilder.editing.changes import Change, Replace
from graphbuilder.editing.checking import check_part
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.levels import inserted_section
from graphbuilder.editing.setting import dotted, set_within, unset_within
from graphbuilder.text.source import Path
from graphbuilder.text.splices import same_data

__all__ = ["SetBudget", "SetTraining", "UnsetBudget", "UnsetTraining", "draw"]


@dataclass(frozen=True, slots=True)
class SetTraining:
    """Says how the model is trained: one of the options under `training`.

    Arguments:
        path: the keys below `training` that lead to it, such as ("optimizer", "adam", "learning_rate"); an index may be
            the number of a list's items, for one more.
        value: plain data.
    """

    path: Path
    value: Any

    def edit(self, document: Document) -> Edit:
        """Sets it; what is missing above it comes with it, and a name becomes a name with options where it must.

        Raises:
            CommandError: the option or its value is not one that is accepted.
        """
        title = f"set {dotted(self.path) or 'training'} to {as_written(self.value)}"
        return Edit(title, _set(document, "training", Training, self.path, self.value))


@dataclass(frozen=True, slots=True)
class UnsetTraining:
    """Takes an option of the training away.

    Arguments:
        path: the keys below `training` that lead to it.
    """

    path: Path

    def edit(self, document: Document) -> Edit:
        """Takes it away, and `training` itself with its last option.

        Raises:
            CommandError: it is not set, or cannot be missing.
        """
        return Edit(f"take {dotted(self.path)} away", _unset(document, "training", Training, self.path))


@dataclass(frozen=True, slots=True)
class SetBudget:
    """Says what the model may cost: one of the bounds under `budget`.

    Arguments:
        bound: params, macs, memory, size, accuracy_drop, gzip_ratio, raw_ratio, gzip_bytes, raw_bytes, latency_ms or
            about.
        value: a number, one with a unit (5M) where the bound takes it, an expression, or null for no bound.
    """

    bound: str
    value: Any

    def edit(self, document: Document) -> Edit:
        """Sets it.

        Raises:
            CommandError: there is no such bound, or the value is not one that it takes.
        """
        title = f"set {self.bound} to {as_written(self.value)}"
        return Edit(title, _set(document, "budget", BudgetSpec, (self.bound,), self.value))


@dataclass(frozen=True, slots=True)
class UnsetBudget:
    """Takes a bound of the budget away.

    Arguments:
        bound: its name.
    """

    bound: str

    def edit(self, document: Document) -> Edit:
        """Takes it away, and `budget` itself with its last bound.

        Raises:
            CommandError: it is not set.
        """
        return Edit(f"take {self.bound} away", _unset(document, "budget", BudgetSpec, (self.bound,)))


def _set(document: Document, section: str, kind: type[BaseModel], path: Path, value: Any) -> tuple[Change, ...]:
    """The change that sets one value within a section, or the section as a whole."""
    before = document.source.data.get(section)
    if path and isinstance(before, Mapping):
        change, after = set_within(document, (section,), path, value)
        check_part(document, kind, after, (section,))
        return () if change is None else (change,)
    for key in reversed(path):
        value = [value] if isinstance(key, int) else {key: value}
    check_part(document, kind, value, (section,))
    if before is None and section not in document.source.data:
        return (inserted_section(document, section, value),)
    return () if same_data(before, value) else (Replace((section,), value),)


def _unset(document: Document, section: str, kind: type[BaseModel], path: Path) -> tuple[Change, ...]:
    """The change that takes one value within a section away."""
    change, after = unset_within(document, (section,), path)
    if after is not None:
        check_part(document, kind, after, (section,))
    return (change,)


def draw(document: Document, random: Random) -> Command | None:
    """A command on the training or budget that can probably be carried out.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    data = document.source.data
    training: Mapping[str, Any] = data.get("training") or {}
    budget: Mapping[str, Any] = data.get("budget") or {}
    chosen = random.random()
    if chosen < 0.2 and budget:
        return UnsetBudget(random.choice(list(budget)))
    if chosen < 0.4:
        return SetBudget(
            *random.choice([("gzip_bytes", 40_000), ("accuracy_drop", 0.02), ("about", "for the phone: #1")])
        )
    if chosen < 0.55 and training:
        return UnsetTraining((random.choice(list(training)),))
    options: list[tuple[Path, Any]] = [
        (("epochs",), random.randrange(1, 50)),
        (("batch_size",), 16),
        (("seed",), random.choice([None, 7])),
        (("optimizer", "adam", "learning_rate"), 1e-4),
        (("optimizer",), "sgd"),
        (("about",), "how: # so"),
    ]
    optimizer = training.get("optimizer")
    path, value = random.choice(options)
    if path[0] == "optimizer" and len(path) > 1 and optimizer not in (None, "adam") and "adam" not in optimizer:
        return SetTraining(("optimizer",), {"adam": {"learning_rate": value}})
    return SetTraining(path, value)
