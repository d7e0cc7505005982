"""Commands on what a model is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphbuilder.blueprint import Document, InputSpec
from graphbuilder.catalog.arguments import as_written
from graphbuilder.editing.changes import Change, Delete, Insert, Rename, Replace
from graphbuilder.editing.checking import check_part
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.levels import Level, check_name, inserted_section, listed, refused
from graphbuilder.editing.references import OUTPUTS, naming
from graphbuilder.editing.rewiring import written_from
from graphbuilder.editing.rewriting import (
    first_renamed,
    followed_nodes,
    followed_outputs,
    followed_taps,
    followed_training,
)
from graphbuilder.errors import Related, suggestion
from graphbuilder.text.splices import same_data

__all__ = ["AddInput", "RemoveInput", "RenameInput", "SetInput", "UnsetInput", "draw"]


@dataclass(frozen=True, slots=True)
class AddInput:
    """A new input, below the others.

    Arguments:
        name: its name.
        options: what describes it: shape (without the batch axis), dtype, modality, about.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=lambda: {"shape": [None]})

    def edit(self, document: Document) -> Edit:
        """Declares it; a first node that took the only input without saying so says it from now on.

        Raises:
            CommandError: the name is not legal or taken, or an option is wrong.
        """
        level = Level(document)
        check_name(level, self.name)
        options = dict(self.options)
        check_part(document, InputSpec, options, ("inputs", self.name))
        inputs = document.source.data.get("inputs")
        changes: list[Change] = []
        told = ["nothing takes it yet"]
        if inputs is None:
            changes.append(inserted_section(document, "inputs", {self.name: options}))
        else:
            changes.append(Insert(("inputs",), self.name, options, list(inputs)[-1] if inputs else None))
        if inputs and len(inputs) == 1:
            changes += _keep_first(level, told)
            changes += _called_with(document, told)
        return Edit(f"add input {self.name}", tuple(changes), self.name, tuple(told))


@dataclass(frozen=True, slots=True)
class RemoveInput:
    """Takes away an input that nothing takes.

    Arguments:
        name: the input.
    """

    name: str

    def edit(self, document: Document) -> Edit:
        """Takes it away.

        Raises:
            CommandError: there is no such input, something takes it, or it is the only one.
        """
        inputs = _known(document, self.name)
        if len(inputs) == 1:
            raise refused(document, "GB303", f"{self.name} is the only input", ("inputs", self.name), key=True)
        users = naming(document.blueprint, self.name)
        if users:
            names = dict.fromkeys("the outputs" if use.consumer == OUTPUTS else use.consumer for use in users)
            where = document.source.nearest(users[0].path)
            raise refused(
                document, "GB303", f"{self.name} is taken by {listed(list(names))}", ("inputs", self.name), key=True,
                hint="connect them to something else first", related=(Related("it is taken here", None, where),),
            )  # fmt: skip
        told = []
        if len(inputs) == 2 and document.blueprint.inputs_as is None:
            told.append("the model is now called with a tensor, not with a mapping")
        return Edit(f"remove input {self.name}", (Delete(("inputs", self.name)),), told=tuple(told))


@dataclass(frozen=True, slots=True)
class RenameInput:
    """Gives an input another name, wherever it is taken.

    Arguments:
        name: the input.
        new: its new name.
    """

    name: str
    new: str

    def edit(self, document: Document) -> Edit:
        """Renames it where it is declared and wherever it is taken.

        Raises:
            CommandError: there is no such input, or the new name is not legal or taken.
        """
        _known(document, self.name)
        title = f"rename input {self.name} to {self.new}"
        if self.new == self.name:
            return Edit(title, (), self.name)
        level = Level(document)
        check_name(level, self.new)
        follow = first_renamed({self.name: self.new})
        changes: list[Change] = [Rename(("inputs", self.name), self.new)]
        changes += followed_nodes(level, document.blueprint.nodes, follow)
        changes += followed_outputs(level, follow)
        changes += followed_taps(level, follow)
        if not isinstance(document.blueprint.outputs, Mapping):
            changes += followed_training(document, follow)
        told = [f"the model's input is now called {self.new}: data and callers that name it must follow"]
        return Edit(title, tuple(changes), self.new, tuple(told))


@dataclass(frozen=True, slots=True)
class SetInput:
    """Gives an input another shape, dtype, modality or description.

    Arguments:
        name: the input.
        option: shape, dtype, modality or about.
        value: plain data; a shape has no batch axis.
    """

    name: str
    option: str
    value: Any

    def edit(self, document: Document) -> Edit:
        """Sets it where it is written.

        Raises:
            CommandError: there is no such input, or the value is not one that it takes.
        """
        written = _known(document, self.name)[self.name]
        title = f"set {self.option} of {self.name} to {as_written(self.value)}"
        check_part(document, InputSpec, {**written, self.option: self.value}, ("inputs", self.name))
        change: Change
        if self.option not in written:
            change = Insert(("inputs", self.name), self.option, self.value, list(written)[-1])
        elif same_data(written[self.option], self.value):
            return Edit(title, (), self.name)
        else:
            change = Replace(("inputs", self.name, self.option), self.value)
        return Edit(title, (change,), self.name)


@dataclass(frozen=True, slots=True)
class UnsetInput:
    """Takes away the dtype, modality or description of an input.

    Arguments:
        name: the input.
        option: dtype, modality or about.
    """

    name: str
    option: str

    def edit(self, document: Document) -> Edit:
        """Takes it away; a dtype is float32 then.

        Raises:
            CommandError: there is no such input or option, or it cannot be missing.
        """
        written = _known(document, self.name)[self.name]
        if self.option not in written:
            raise refused(document, "GB201", f"{self.name} has no {self.option}", ("inputs", self.name), key=True)
        rest = {key: value for key, value in written.items() if key != self.option}
        check_part(document, InputSpec, rest, ("inputs", self.name))
        change = Delete(("inputs", self.name, self.option))
        return Edit(f"take {self.option} of {self.name} away", (change,), self.name)


def _known(document: Document, name: str) -> Mapping[str, Any]:
    """The inputs as they are written, if one has that name.

    Raises:
        CommandError: GB301.
    """
    inputs: Mapping[str, Any] = document.source.data.get("inputs", {})
    if name not in inputs:
        listing = f"inputs are {listed(list(inputs))}" if inputs else "there are no inputs"
        hint = suggestion(name, list(inputs), listing=listing)
        raise refused(document, "GB301", f"there is no input {name}", hint=hint, found=name)
    return inputs


def _keep_first(level: Level, told: list[str]) -> list[Change]:
    """What lets a first node without `from` go on taking the input that has been the only one."""
    blueprint = level.document.blueprint
    first = next(iter(blueprint.nodes), None)
    if first is None or blueprint.nodes[first].source is not None:
        return []
    (only,) = blueprint.inputs
    told.append(f"{first} says from: {only} from now on, because there are several inputs")
    return [written_from(level, first, only)]


def _called_with(document: Document, told: list[str]) -> list[Change]:
    """What a second input changes of the way in which the model is called."""
    written = document.blueprint.inputs_as
    if written in ("list", "mapping"):
        return []
    told.append("the model is now called with a mapping by the names of its inputs, not with a tensor")
    return [Replace(("inputs_as",), "mapping")] if written == "tensor" else []


def draw(document: Document, random: Random) -> Command | None:
    """A command on an input that can probably be carried out; None where the file has none.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    inputs = document.blueprint.inputs
    fresh = f"in_{random.randrange(10_000)}"
    chosen = random.random()
    if not inputs or chosen < 0.2:
        options: dict[str, Any] = {"shape": random.choice([[4], [None, 3], ["steps", 8], []])}
        options |= {"dtype": "int32"} if random.random() < 0.3 else {}
        return AddInput(fresh, options | ({"about": "a: b # c"} if random.random() < 0.3 else {}))
    name = random.choice(list(inputs))
    if chosen < 0.5:
        return RenameInput(name, fresh)
    if chosen < 0.7:
        taken = {use.reference for use in Level(document).uses()}
        idle = [each for each in inputs if each not in taken]
        return RemoveInput(random.choice(idle)) if idle and len(inputs) > 1 else SetInput(name, "about", "what it is")
    if chosen < 0.8 and inputs[name].about is not None:
        return UnsetInput(name, "about")
    return SetInput(name, "about", random.choice(["pixels: 0 to 1", "it's # new", "plain"]))
