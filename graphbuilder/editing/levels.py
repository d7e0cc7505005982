"""One level of a file that has nodes of its own: the file itself, or one of its blocks."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

from pydantic import TypeAdapter, ValidationError

from graphbuilder.blueprint import Block, Blueprint, Document
from graphbuilder.blueprint.forms import Name
from graphbuilder.catalog.arguments import as_written
from graphbuilder.editing.changes import Change, Insert
from graphbuilder.editing.references import Use, uses
from graphbuilder.editing.style import Style
from graphbuilder.editing.writing import flow_text
from graphbuilder.errors import CommandError, Diagnostic, Related, suggestion
from graphbuilder.text.source import Path

__all__ = [
    "ORDER",
    "Level",
    "check_block_name",
    "check_legal",
    "check_name",
    "counted",
    "inserted_section",
    "level_of",
    "listed",
    "refused",
]

# The keys of a file in the order in which people read them.
ORDER = (
    "blueprint", "name", "about", "description", "params", "imports", "inputs", "inputs_as", "blocks", "nodes",
    "outputs", "taps", "training", "compression", "budget",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Level:
    """A file, or a block of it.

    Arguments:
        document: the file.
        block: the block's name; None for the file itself.
    """

    document: Document
    block: str | None = None

    @property
    def path(self) -> Path:
        """The keys that lead to it."""
        return () if self.block is None else ("blocks", self.block)

    @property
    def definition(self) -> Blueprint | Block:
        """What it says."""
        blueprint = self.document.blueprint
        return blueprint if self.block is None else blueprint.blocks[self.block]

    @property
    def data(self) -> Any:
        """It as plain data, as it is written."""
        data = self.document.source.data
        return data if self.block is None else data["blocks"][self.block]

    @property
    def names(self) -> list[str]:
        """Its inputs and nodes."""
        return [*self.definition.inputs, *self.definition.nodes]

    def uses(self) -> list[Use]:
        """Every place that takes a value, the outputs last; their paths begin at the level's own."""
        return uses(self.definition)

    def at(self, *path: str | int) -> Path:
        """A path within it, as one of the file."""
        return (*self.path, *path)

    def free_name(self, wanted: str, taken: Collection[str] = ()) -> str:
        """The first of wanted, wanted_2, wanted_3, … that none of its inputs, nodes and taps is called.

        Arguments:
            wanted: a legal name.
            taken: other names that are not free.
        """
        used = {*self.names, *self.definition.taps, *taken}
        return next(name for name in _numbered(wanted) if name not in used)


def _numbered(wanted: str) -> Iterator[str]:
    yield wanted
    for number in count(2):
        yield f"{wanted}_{number}"


def level_of(document: Document, block: str | None) -> Level:
    """The level of a block, or the file's own.

    Raises:
        CommandError: GB205, the file has no such block.
    """
    blocks = document.blueprint.blocks
    if block is not None and block not in blocks:
        listing = f"its blocks are {listed(list(blocks))}" if blocks else "it has no blocks"
        hint = suggestion(block, list(blocks), listing=listing)
        raise CommandError(
            Diagnostic("GB205", f"{block} is no block of this file", file=document.source.name, found=block, hint=hint)
        )
    return Level(document, block)


def refused(
    document: Document,
    code: str,
    message: str,
    path: Path | None = None,
    *,
    key: bool = False,
    expected: str | None = None,
    hint: str | None = None,
    found: str | None = None,
    related: tuple[Related, ...] = (),
) -> CommandError:
    """The refusal of a command.

    Arguments:
        document: the file that was to be edited.
        code: the kind of fault.
        message: why it is refused, in one sentence without a full stop.
        path: where in the file the reason stands; None for nowhere.
        key: whether the key at that path is meant.
        expected: what would be taken.
        hint: what to do instead.
        found: what was asked for.
        related: other places worth reading.
    """
    source = document.source
    position = None
    if path is not None and source.node(path) is not None:
        position = source.position(path, key=True) if key else source.nearest(path)
    return CommandError(
        Diagnostic(
            code, message, file=source.name, position=position, expected=expected, hint=hint, found=found,
            related=related,
        )
    )  # fmt: skip


def check_name(level: Level, name: str, *, leaving: Collection[str] = ()) -> None:
    """Refuses a name that no new input or node of a level can have.

    Arguments:
        level: where it is to be known.
        name: the name.
        leaving: names of that level that become free.

    Raises:
        CommandError: GB206, it is no legal name, or taken.
    """
    document = level.document
    check_legal(document, name)
    for kind, what in (("nodes", "a node"), ("inputs", "an input"), ("taps", "a tap")):
        if name in getattr(level.definition, kind) and name not in leaving:
            place = document.source.position(level.at(kind, name), key=True)
            raise refused(
                document, "GB206", f"there is {what} {name} already", expected="a new name", found=name,
                hint=f"{level.free_name(name, leaving)} is free", related=(Related("it stands here", None, place),),
            )  # fmt: skip


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def check_legal(document: Document, name: str, kind: Any = Name) -> None:
    """Refuses what is not a legal name.

    Raises:
        CommandError: GB206.
    """
    try:
        _adapter(kind).validate_python(name)
    except ValidationError as error:
        context = error.errors()[0].get("ctx", {})
        message = context.get("message") if name else f"{as_written(name)} is not a legal name"
        raise refused(
            document, "GB206", message or f"{name} is not a legal name", expected=context.get("expected"), found=name
        ) from None


def check_block_name(document: Document, name: str) -> None:
    """Refuses a name that a new block or import cannot have.

    Raises:
        CommandError: GB206.
    """
    check_legal(document, name)
    for section, what in (("blocks", "a block"), ("imports", "an import")):
        if name in document.source.data.get(section, {}):
            place = document.source.position((section, name), key=True)
            raise refused(
                document, "GB206", f"there is {what} {name} already", expected="a new name", found=name,
                related=(Related("it stands here", None, place),),
            )  # fmt: skip


def inserted_section(document: Document, key: str, value: Any) -> Change:
    """The change that gives a file a section that it does not have, where people look for it.

    Arguments:
        document: the file.
        key: one of `ORDER`.
        value: plain data.
    """
    rank = ORDER.index(key)
    above = [each for each in document.source.data if each in ORDER and ORDER.index(each) < rank]
    # Behind the section that comes right before it, wherever the author has put that one.
    after = max(above, key=ORDER.index) if above else None
    return Insert((), key, value, after, _in_lines(document, key, value))


def _in_lines(document: Document, key: str, value: Any) -> str | None:
    """A section of named things with a line for each, where no other section shows how its author writes them."""
    data = document.source.data
    shown = any(isinstance(each, dict) and each for each in data.values())
    if document.source.syntax == "json" or shown or key not in ("params", "inputs", "nodes"):
        return None
    return "\n".join([f"{key}:", *(f"  {name}: {flow_text(each, Style())}" for name, each in value.items())])


def listed(names: Collection[str], most: int = 8) -> str:
    """Names in a sentence: `a, b and c`.

    Arguments:
        names: at least one.
        most: how many are named; of others, the number is told.
    """
    names = list(names)
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def counted(number: int, what: str, several: str | None = None) -> str:
    """A number of things in a sentence: `1 value`, `3 values`.

    Arguments:
        number: how many.
        what: one of them.
        several: more than one of them, where that is not `what` with an s.
    """
    return f"{number} {what if number == 1 else several or f'{what}s'}"
