"""Commands on what a file says of the model as a whole: its name, its description, how it is called."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from graphbuilder.blueprint import Document
from graphbuilder.editing.changes import Change, Delete, Replace
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.levels import check_legal, counted, inserted_section, listed, refused

__all__ = ["SECTIONS", "RemoveSection", "SetDescription", "SetInputsAs", "SetName", "draw"]

# The sections that a file can do without, whatever the others say.
SECTIONS = ("training", "compression", "budget")


@dataclass(frozen=True, slots=True)
class SetName:
    """Gives the model a name.

    Arguments:
        name: the name; None for that of the file.
    """

    name: str | None

    def edit(self, document: Document) -> Edit:
        """Writes it, or takes it away.

        Raises:
            CommandError: GB206, it is no legal name.
        """
        if self.name is not None:
            check_legal(document, self.name)
        title = "take the model's name away" if self.name is None else f"name the model {self.name}"
        return Edit(title, _written(document, "name", self.name))


@dataclass(frozen=True, slots=True)
class SetDescription:
    """Says what the model is, for people.

    Arguments:
        text: the text; None to take it away.
    """

    text: str | None

    def edit(self, document: Document) -> Edit:
        """Writes it under the key that the file has for it, `about` or `description`."""
        key = "description" if "description" in document.source.data else "about"
        title = "take the description away" if self.text is None else "describe the model"
        return Edit(title, _written(document, key, self.text))


@dataclass(frozen=True, slots=True)
class SetInputsAs:
    """Says how the model is called.

    Arguments:
        form: tensor, list or mapping; None for a tensor where there is one input and a mapping where there are several.
    """

    form: Literal["tensor", "list", "mapping"] | None

    def edit(self, document: Document) -> Edit:
        """Writes it, or takes it away.

        Raises:
            CommandError: it is not one of these, or a tensor for several inputs.
        """
        count = len(document.blueprint.inputs)
        if self.form not in (None, "tensor", "list", "mapping"):
            raise refused(document, "GB203", f"inputs_as is {self.form}", expected="tensor, list or mapping")
        if self.form == "tensor" and count != 1:
            raise refused(
                document, "GB303", f"inputs_as is tensor, and there are {count} inputs", expected="list or mapping"
            )
        title = "leave it to the inputs how the model is called"
        if self.form is not None:
            title = f"call the model with a {self.form}"
        return Edit(title, _written(document, "inputs_as", self.form))


@dataclass(frozen=True, slots=True)
class RemoveSection:
    """Takes a whole section of the file away.

    Arguments:
        section: training, compression or budget.
    """

    section: Literal["training", "compression", "budget"]

    def edit(self, document: Document) -> Edit:
        """Takes it away, with the comments that are its own.

        Raises:
            CommandError: GB201, the file has no such section; GB303, it cannot do without it.
        """
        if self.section not in SECTIONS:
            hint = "remove what is in it" if self.section in document.source.data else None
            raise refused(
                document, "GB303", f"{self.section} cannot be taken away as a whole", (self.section,), key=True,
                expected="training, compression or budget", hint=hint,
            )  # fmt: skip
        if self.section not in document.source.data:
            raise refused(document, "GB201", f"the file has no {self.section}", found=self.section)
        passes = [declared.name for declared in document.blueprint.compression]
        told: tuple[str, ...] = ()
        if self.section == "compression" and passes:
            told = (f"{counted(len(passes), 'pass', 'passes')} went with it: {listed(passes)}",)
        return Edit(f"remove {self.section}", (Delete((self.section,)),), told=told)


def _written(document: Document, key: str, value: str | None) -> tuple[Change, ...]:
    """The change that gives a key of the file a value, or takes it away."""
    data = document.source.data
    if data.get(key) == value:
        return ()
    if value is None:
        return (Delete((key,)),)
    return (Replace((key,), value) if key in data else inserted_section(document, key, value),)


def draw(document: Document, random: Random) -> Command | None:
    """A command on the file as a whole that can be carried out.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    chosen = random.random()
    if chosen < 0.15 and (present := [section for section in SECTIONS if section in document.source.data]):
        return RemoveSection(random.choice(present))  # type: ignore[arg-type]
    if chosen < 0.4:
        return SetName(random.choice(["model_a", "b-2", None]))
    if chosen < 0.8:
        return SetDescription(random.choice(["Tells a: from b # and c", "plain", None]))
    forms: list[Literal["list", "mapping"] | None] = ["list", "mapping", None]
    return SetInputsAs(random.choice(forms))
