"""Commands on the other files that a file imports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from graphbuilder.blueprint import BlockNode, Document
from graphbuilder.blueprint.shipped import NAMESPACES
from graphbuilder.editing.changes import Change, Delete, Insert, Rename, Replace
from graphbuilder.editing.checking import loaded
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.levels import check_block_name, inserted_section, listed, refused
from graphbuilder.editing.paths import all_levels
from graphbuilder.errors import Related, suggestion
from graphbuilder.text.source import Path

__all__ = ["AddImport", "RemoveImport", "RenameImport", "SetImport", "draw"]


@dataclass(frozen=True, slots=True)
class AddImport:
    """Gives another file a name, below those that are imported, so that its blocks can be used.

    Arguments:
        name: its name, which comes before the names of its blocks: `name.block`.
        file: a path relative to the blueprint's own file, within its folder.
    """

    name: str
    file: str

    def edit(self, document: Document) -> Edit:
        """Declares it, if it can be read.

        Raises:
            CommandError: the name is not legal or taken.
            BlueprintError: there is no such file, it may not be imported, or is no blueprint.
        """
        _check_name(document, self.name)
        imports = document.source.data.get("imports")
        change: Change
        if imports is None:
            change = inserted_section(document, "imports", {self.name: self.file})
        else:
            change = Insert(("imports",), self.name, self.file, list(imports)[-1] if imports else None)
        title = f"import {self.file} as {self.name}"
        after, _ = loaded(document, [change], [title])
        blocks = [name for name in after.block_names() if name.partition(".")[0] == self.name]
        can = f"nodes can use {listed(blocks)} now" if blocks else "it holds nothing that a node could use"
        return Edit(title, (change,), told=(can,))


@dataclass(frozen=True, slots=True)
class SetImport:
    """Lets the name of an import stand for another file.

    Arguments:
        name: the import.
        file: a path relative to the blueprint's own file, within its folder.
    """

    name: str
    file: str

    def edit(self, document: Document) -> Edit:
        """Writes the file, if it can be read and has what is used of it.

        Raises:
            CommandError: there is no such import, or the file has no block of a name that a node uses.
            BlueprintError: there is no such file, it may not be imported, or is no blueprint.
        """
        _known(document, self.name)
        title = f"import {self.file} as {self.name}"
        if document.blueprint.imports[self.name] == self.file:
            return Edit(title, ())
        change = Replace(("imports", self.name), self.file)
        after, _ = loaded(document, [change], [title])
        for path, block in _users(document, self.name):
            if after.find_block(block) is None and document.find_block(block) is not None:
                known = [name for name in after.block_names() if name.partition(".")[0] == self.name]
                raise refused(
                    document, "GB205", f"{path[-2]} uses {block}, and {self.file} has no such block", path,
                    hint=suggestion(block, known, listing=f"it has {listed(known)}" if known else None),
                )  # fmt: skip
        return Edit(title, (change,))


@dataclass(frozen=True, slots=True)
class RenameImport:
    """Gives an import another name, wherever a node uses a block of it.

    Arguments:
        name: the import.
        new: its new name.
    """

    name: str
    new: str

    def edit(self, document: Document) -> Edit:
        """Renames it where it is declared and on the nodes that use its blocks.

        Raises:
            CommandError: there is no such import, or the new name is not legal or taken.
        """
        _known(document, self.name)
        title = f"rename import {self.name} to {self.new}"
        if self.new == self.name:
            return Edit(title, ())
        _check_name(document, self.new)
        changes: list[Change] = [Rename(("imports", self.name), self.new)]
        users = list(_users(document, self.name))
        changes += [Replace(path, f"{self.new}{block.removeprefix(self.name)}") for path, block in users]
        told = []
        if users:
            verb = "names" if len(users) == 1 else "name"
            told.append(f"{listed([str(path[-2]) for path, _ in users])} {verb} it {self.new} now")
        return Edit(title, tuple(changes), told=tuple(told))


@dataclass(frozen=True, slots=True)
class RemoveImport:
    """Takes an import away that no node uses.

    Arguments:
        name: the import.
    """

    name: str

    def edit(self, document: Document) -> Edit:
        """Takes it away, and `imports` itself with its last one; the other file stays.

        Raises:
            CommandError: there is no such import, or a node uses a block of it.
        """
        _known(document, self.name)
        users = list(_users(document, self.name))
        if users:
            place = document.source.nearest(users[0][0])
            raise refused(
                document, "GB303", f"{self.name} is used by {listed([str(path[-2]) for path, _ in users])}",
                ("imports", self.name), key=True, hint="inline or delete these first",
                related=(Related("it is used here", None, place),),
            )  # fmt: skip
        alone = len(document.blueprint.imports) == 1
        return Edit(f"remove import {self.name}", (Delete(("imports",) if alone else ("imports", self.name)),))


def _known(document: Document, name: str) -> None:
    """Refuses a name that no import has.

    Raises:
        CommandError: GB205.
    """
    imports = list(document.blueprint.imports)
    if name not in imports:
        listing = f"imports are {listed(imports)}" if imports else "there are no imports"
        hint = suggestion(name, imports, listing=listing)
        raise refused(document, "GB205", f"there is no import {name}", hint=hint, found=name)


def _check_name(document: Document, name: str) -> None:
    """Refuses a name that a new import cannot have.

    Raises:
        CommandError: GB206.
    """
    check_block_name(document, name)
    if name in NAMESPACES:
        raise refused(document, "GB206", f"{name} is the name of the shipped blocks", expected="a new name", found=name)


def _users(document: Document, name: str) -> Iterator[tuple[Path, str]]:
    """Where the blocks of an import are named, and how."""
    for level in all_levels(document):
        for node, written in level.definition.nodes.items():
            if not isinstance(written, BlockNode) or written.block in document.blueprint.blocks:
                continue
            if written.block.partition(".")[0] == name:
                yield level.at("nodes", node, "block"), written.block


def draw(document: Document, random: Random) -> Command | None:
    """A command on an import that can perhaps be carried out.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    imports, fresh = list(document.blueprint.imports), f"lib_{random.randrange(10_000)}"
    beside = sorted(document.path.parent.glob("std/*.yaml")) if document.path is not None else []
    files = [f"./std/{path.name}" for path in beside] or ["./missing.yaml"]
    chosen = random.random()
    if not imports or (chosen < 0.4 and len(imports) < 4):
        return AddImport(fresh, random.choice(files))
    name = random.choice(imports)
    if chosen < 0.6:
        return RenameImport(name, fresh)
    return RemoveImport(name) if chosen < 0.8 else SetImport(name, random.choice(files))
