"""Commands on what a model gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.catalog.arguments import as_written
from graphbuilder.editing.changes import Change, Delete, Insert, InsertItem, Remove, Rename, Replace
from graphbuilder.editing.checking import check_references
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.levels import check_legal, inserted_section, listed, refused
from graphbuilder.editing.references import implied_output, references, same_branch
from graphbuilder.editing.rewriting import first_renamed, followed_training
from graphbuilder.errors import suggestion
from graphbuilder.text.splices import same_data

__all__ = ["AddOutput", "RemoveOutput", "RenameOutput", "SetOutputs", "draw", "plain_outputs"]

# The parts of `training` that may speak of each output.
_PER_OUTPUT = ("loss", "loss_weights", "metrics")


@dataclass(frozen=True, slots=True)
class SetOutputs:
    """Says anew what a model gives.

    Arguments:
        outputs: a reference for a model with one output, a list for one whose outputs are a list, a mapping for one
            whose outputs are a mapping by those names; None for the last node, without being named.
    """

    outputs: str | Sequence[str] | Mapping[str, str] | None

    def edit(self, document: Document) -> Edit:
        """Writes the outputs, or takes what names them away.

        Raises:
            CommandError: a reference names no value, or there is none.
        """
        written = document.source.data.get("outputs")
        if self.outputs is None:
            if "outputs" not in document.source.data:
                return Edit("set outputs", ())
            last = next(reversed(document.blueprint.nodes), None)
            told = [f"the model's output is now {last}, the last node"] if last is not None else []
            told += _training_left(document, last)
            return Edit("set outputs to the last node", (Delete(("outputs",)),), told=tuple(told))
        value = plain_outputs(document, self.outputs)
        found = [reference for reference, _ in references(value, ())]
        if not found:
            raise refused(document, "GB303", "there is nothing that the model would give", expected="at least one node")
        check_references(document, found)
        if same_data(written, value):
            return Edit("set outputs", ())
        change = inserted_section(document, "outputs", value) if written is None else Replace(("outputs",), value)
        return Edit(f"set outputs to {listed(found)}", (change,), told=tuple(_training_left(document, value)))


@dataclass(frozen=True, slots=True)
class AddOutput:
    """One more output, behind the others.

    Arguments:
        reference: a node, an input or a path.
        name: what the output is called, for a model whose outputs are a mapping; None for the last part of the path.
    """

    reference: str
    name: str | None = None

    def edit(self, document: Document) -> Edit:
        """Adds it; a model with one output gives a list from now on, or a mapping where a name is asked for.

        Raises:
            CommandError: the reference names no value or is an output already, or the name is not legal or taken.
        """
        check_references(document, [self.reference])
        blueprint = document.blueprint
        written = document.source.data.get("outputs", implied_output(blueprint))
        present = [reference for reference, _ in references(written, ())]
        branches = [same_branch(blueprint, each) for each in present]
        if not isinstance(written, Mapping) and same_branch(blueprint, self.reference) in branches:
            raise refused(document, "GB303", f"{self.reference} is an output already", ("outputs",))
        title = f"add output {self.name or self.reference}"
        told: list[str] = []
        change: Change
        if isinstance(written, Mapping):
            name = self.name or _named(self.reference, written)
            _check_output(document, name, written)
            change = Insert(("outputs",), name, self.reference, list(written)[-1] if written else None)
        elif self.name is not None:
            check_legal(document, self.name)
            value: Any = {}
            for each in present:
                value[_named(each, [*value, self.name])] = each
            change = self._whole(document, {**value, self.name: self.reference})
            told.append(f"the model now gives a mapping by the names {listed([*value, self.name])}")
        elif isinstance(written, list):
            change = InsertItem(("outputs",), len(written), self.reference)
            told.append(f"the model now gives {len(written) + 1} tensors")
        else:
            change = self._whole(document, [*present, self.reference])
            told.append(f"the model now gives a list of {len(present) + 1}, not one tensor")
        listed_losses = [key for key in _PER_OUTPUT[:2] if isinstance(_training(document).get(key), list)]
        told += [f"{key} has no item for {self.reference} yet" for key in listed_losses]
        return Edit(title, (change,), self.reference.partition(".")[0], tuple(told))

    def _whole(self, document: Document, value: Any) -> Change:
        if "outputs" in document.source.data:
            return Replace(("outputs",), value)
        return inserted_section(document, "outputs", value)


@dataclass(frozen=True, slots=True)
class RemoveOutput:
    """Takes an output away, with the loss and metrics that are its own.

    Arguments:
        output: its name where the outputs are a mapping, else the reference.
    """

    output: str

    def edit(self, document: Document) -> Edit:
        """Takes it away; the node stays.

        Raises:
            CommandError: there is no such output, or it is the only one.
        """
        written = document.source.data.get("outputs", implied_output(document.blueprint))
        names = list(written) if isinstance(written, (list, Mapping)) else [written]
        if self.output not in names:
            hint = suggestion(self.output, names, listing=f"outputs are {listed(names)}" if names else None)
            raise refused(document, "GB301", f"{self.output} is no output", ("outputs",), hint=hint, found=self.output)
        if len(names) == 1:
            raise refused(
                document, "GB303", f"{self.output} is the only output", ("outputs",),
                hint="say which node is to be the output instead",
            )  # fmt: skip
        index = names.index(self.output)
        change: Change
        change = Remove(("outputs", index)) if isinstance(written, list) else Delete(("outputs", self.output))
        told: list[str] = []
        if isinstance(written, list):
            rest = len(names) - 1
            told.append(f"the model now gives {'a list of one tensor' if rest == 1 else f'{rest} tensors'}")
        changes = [change, *_without_training(document, self.output, index, len(names), told)]
        return Edit(f"remove output {self.output}", tuple(changes), told=tuple(told))


@dataclass(frozen=True, slots=True)
class RenameOutput:
    """Gives an output of a model whose outputs are a mapping another name.

    Arguments:
        output: its name.
        new: its new name.
    """

    output: str
    new: str

    def edit(self, document: Document) -> Edit:
        """Renames it, and with it what `training` says of it.

        Raises:
            CommandError: there is no such name, or the new one is not legal or taken.
        """
        written = document.source.data.get("outputs")
        title = f"rename output {self.output} to {self.new}"
        if not isinstance(written, Mapping) or self.output not in written:
            names = list(written) if isinstance(written, Mapping) else []
            hint = suggestion(self.output, names, listing="only outputs that are a mapping have names")
            message = f"there is no output named {self.output}"
            raise refused(document, "GB301", message, ("outputs",), hint=hint, found=self.output)
        if self.new == self.output:
            return Edit(title, ())
        _check_output(document, self.new, written)
        changes: list[Change] = [Rename(("outputs", self.output), self.new)]
        follow = first_renamed({self.output: self.new})
        changes += followed_training(document, lambda key: follow(key) if key == self.output else key)
        return Edit(title, tuple(changes))


def plain_outputs(document: Document, outputs: Any) -> Any:
    """Outputs as plain data.

    Arguments:
        document: the file.
        outputs: what is given for them, whatever that is.

    Raises:
        CommandError: GB204, it is no name, list or mapping.
    """
    if outputs is None or isinstance(outputs, str):
        return outputs
    if isinstance(outputs, Mapping):
        return dict(outputs)
    if not isinstance(outputs, Sequence):
        expected = "the name of a node, a list of names, or a mapping to them"
        raise refused(document, "GB204", f"outputs is {as_written(outputs)}", expected=expected)
    return list(outputs)


def _named(reference: str, taken: Any) -> str:
    """What an output is called by the last word of its path, or its whole path where that is taken."""
    last = next((part for part in reversed(reference.split(".")) if not part.isdigit()), reference)
    whole = reference.replace(".", "_")
    free = [name for name in (last, whole, *(f"{whole}_{number}" for number in range(2, 99))) if name not in taken]
    return free[0]


def _check_output(document: Document, name: str, written: Mapping[str, Any]) -> None:
    check_legal(document, name)
    if name in written:
        where = ("outputs", name)
        raise refused(document, "GB206", f"there is an output {name} already", where, key=True, expected="a new name")
    if name in document.blueprint.taps:
        where = ("taps", name)
        raise refused(document, "GB206", f"there is a tap {name} already", where, key=True, expected="a new name")


def _training(document: Document) -> Mapping[str, Any]:
    return document.source.data.get("training") or {}


def _training_left(document: Document, outputs: Any) -> list[str]:
    """What `training` says of outputs that there are no longer."""
    names = {reference for reference, _ in references(outputs, ())}
    if isinstance(outputs, Mapping):
        names = set(outputs)
    before = document.source.data.get("outputs", implied_output(document.blueprint))
    had = set(before) if isinstance(before, (list, Mapping)) else {before}
    told = []
    for key in _PER_OUTPUT:
        written = _training(document).get(key)
        lost = [name for name in written if name in had - names] if isinstance(written, Mapping) else []
        if lost:
            told.append(f"{key} still names {listed(lost)}, which is no output now")
    return told


def _without_training(document: Document, output: str, index: int, count: int, told: list[str]) -> list[Change]:
    """The changes that take away what `training` says of one output."""
    changes: list[Change] = []
    for key in _PER_OUTPUT:
        written = _training(document).get(key)
        if isinstance(written, Mapping) and output in written:
            whole = len(written) == 1
            changes.append(Delete(("training", key) if whole else ("training", key, output)))
        elif isinstance(written, list) and len(written) == count and (key != "metrics" or isinstance(written[0], list)):
            changes.append(Remove(("training", key, index)))
        else:
            continue
        told.append(f"its {key.replace('_', ' ')} went with it")
    return changes


def draw(document: Document, random: Random) -> Command | None:
    """A command on the outputs that can probably be carried out; None where the file has no nodes.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    blueprint = document.blueprint
    if not blueprint.nodes:
        return None
    node = random.choice(list(blueprint.nodes))
    outputs = blueprint.outputs
    chosen = random.random()
    if chosen < 0.4:
        return AddOutput(node, f"out_{random.randrange(10_000)}" if random.random() < 0.5 else None)
    if isinstance(outputs, (list, dict)) and len(outputs) > 1 and chosen < 0.7:
        return RemoveOutput(random.choice(list(outputs)))
    if isinstance(outputs, dict) and chosen < 0.85:
        return RenameOutput(random.choice(list(outputs)), f"out_{random.randrange(10_000)}")
    return SetOutputs(random.choice([node, [node], {"result": node}, None]))
