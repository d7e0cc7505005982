"""Commands on what a block is called, and on what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from graphbuilder.blueprint import Document
from graphbuilder.blueprint.shipped import NAMESPACES
from graphbuilder.editing.changes import Change, Delete, Insert, Rename, Replace
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.levels import check_block_name, level_of, listed, refused
from graphbuilder.editing.param_places import block_users

__all__ = ["DescribeBlock", "RenameBlock", "draw"]


@dataclass(frozen=True, slots=True)
class RenameBlock:
    """Gives a block another name, wherever a node uses it.

    Arguments:
        name: the block.
        new: its new name.
    """

    name: str
    new: str

    def edit(self, document: Document) -> Edit:
        """Renames it where it is declared and on the nodes that use it, in other blocks too.

        Layers keep their names, because these follow the nodes.

        Raises:
            CommandError: there is no such block, it stands in another file, or the new name is not legal or taken.
        """
        _refuse_foreign(document, self.name)
        level = level_of(document, self.name)
        title = f"rename block {self.name} to {self.new}"
        if self.new == self.name:
            return Edit(title, ())
        check_block_name(document, self.new)
        users = [path for path, _ in block_users(level)]
        changes: list[Change] = [Rename(level.path, self.new)]
        changes += [Replace((*path, "block"), self.new) for path in users]
        told = []
        if users:
            verb = "uses" if len(users) == 1 else "use"
            told.append(f"{listed([str(path[-1]) for path in users])} {verb} it by that name now")
        return Edit(title, tuple(changes), told=tuple(told))


@dataclass(frozen=True, slots=True)
class DescribeBlock:
    """Says what a block is, for people.

    Arguments:
        name: the block.
        about: the text; None to take it away.
    """

    name: str
    about: str | None

    def edit(self, document: Document) -> Edit:
        """Writes it above everything else that the block says, or takes it away.

        Raises:
            CommandError: there is no such block.
        """
        level = level_of(document, self.name)
        before = level.data.get("about")
        title = f"describe block {self.name}" if self.about is not None else f"take about of block {self.name} away"
        if before == self.about:
            return Edit(title, ())
        if self.about is None:
            return Edit(title, (Delete(level.at("about")),))
        if "about" in level.data:
            return Edit(title, (Replace(level.at("about"), self.about),))
        return Edit(title, (Insert(level.path, "about", self.about, None),))


def _refuse_foreign(document: Document, name: str) -> None:
    """Refuses a block that stands in another file.

    Raises:
        CommandError: GB303.
    """
    space, _, inner = name.partition(".")
    if name in document.blueprint.blocks:
        return
    if space in NAMESPACES and space not in document.blueprint.imports:
        raise refused(
            document, "GB303", f"{name} ships with graphbuilder, so it keeps its name", found=name,
            hint="inline the node that uses it, and make a block of your own of what comes of it",
        )  # fmt: skip
    if space in document.blueprint.imports:
        file = document.blueprint.imports[space]
        hint = f"open {file} to rename {inner}, or rename the import {space}"
        raise refused(
            document, "GB303", f"{name} stands in {file}", ("imports", space), key=True, found=name,
            hint=hint if inner else f"rename the import {space}",
        )  # fmt: skip


def draw(document: Document, random: Random) -> Command | None:
    """A command on the name or description of a block; None where the file has no block.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    blocks = list(document.blueprint.blocks)
    if not blocks:
        return None
    name = random.choice(blocks)
    if random.random() < 0.5:
        return RenameBlock(name, f"block_{random.randrange(10_000)}")
    return DescribeBlock(name, random.choice([None, "a part: # of it", "two\nlines", "plain"]))
