"""The command that says what a block gives, and lets whatever takes one of its outputs follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.editing.changes import Change, Delete, Insert, Replace
from graphbuilder.editing.checking import edited, lowered
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.commands.outputs import plain_outputs
from graphbuilder.editing.levels import Level, check_legal, level_of, refused
from graphbuilder.editing.paths import all_levels, port_followed
from graphbuilder.editing.references import OUTPUTS, same_branch
from graphbuilder.editing.rewiring import known_value, written_from
from graphbuilder.editing.rewriting import Follow, followed_nodes, followed_outputs, followed_taps, followed_training
from graphbuilder.editing.sameness import check_kept
from graphbuilder.text.splices import same_data

__all__ = ["SetBlockOutputs", "draw"]


@dataclass(frozen=True, slots=True)
class SetBlockOutputs:
    """Says anew what a block gives.

    Arguments:
        block: the block.
        outputs: a reference for a block with one output, a list for numbered ones, a mapping for named ones; None for
            the last node, without being named.
    """

    block: str
    outputs: str | Sequence[str] | Mapping[str, str] | None

    def edit(self, document: Document) -> Edit:
        """Writes the outputs; what took a value of the block goes on taking it, by another name or path if need be.

        Only where an output keeps its name, and no output gives its value any more, is another value taken by it.

        Raises:
            CommandError: there is no such block or value, or something takes what it would have no name for.
            BlueprintError: the blueprint would be wrong then.
        """
        level = level_of(document, self.block)
        title = f"set the outputs of block {self.block}"
        written, value = level.data.get("outputs"), plain_outputs(document, self.outputs)
        if same_data(written, value):
            return Edit(title, ())
        change = _OutputChange(level, value)
        changes = [_written(level, value), *change.followed()]
        told = change.told()
        if change.keeps_values:
            told += check_kept(document, changes, told, title)
        elif not lowered(document).errors:
            edited(document, changes, told)
        return Edit(title, tuple(changes), told=told)


class _OutputChange:
    """The outputs of a block before and after, and who takes them.

    Arguments:
        level: the block.
        value: its outputs as they would be written.

    Raises:
        CommandError: an output is no value of the block, or has no legal name.
    """

    def __init__(self, level: Level, value: Any) -> None:
        self.level = level
        self.before = _by_port(level, level.definition.outputs)
        self.after = _by_port(level, value)
        for port, reference in self.after.items():
            if port is not None and isinstance(value, dict):
                check_legal(level.document, port)
            if not isinstance(reference, str):
                raise refused(
                    level.document, "GB204", "an output of a block is the name of a node", level.at("outputs")
                )
            known_value(level, reference)
        # What is taken from now on by another path, for the telling.
        self.moved: dict[str, str] = {}

    @property
    def changed(self) -> list[str | None]:
        """The outputs that keep their name and give another value, while what they gave is no output any more."""
        return [
            port for port, reference in self.before.items() if port in self.after and self._given_as(reference) is None
        ]

    @property
    def keeps_values(self) -> bool:
        """Whether everything that is taken stays what it was."""
        return not self.changed

    def followed(self) -> Iterator[Change]:
        """The changes to what takes the outputs."""
        document = self.level.document
        for level in all_levels(document):
            follow = self._told_of(port_followed(str(self.level.block), level, self._renamed))
            yield from followed_nodes(level, level.definition.nodes, follow, reused=lambda reference: reference)
            yield from followed_outputs(level, follow)
            yield from followed_taps(level, follow)
            yield from self._implied(level, follow)
            if level.block is None and not isinstance(document.blueprint.outputs, Mapping):
                yield from followed_training(document, follow)

    def _told_of(self, follow: Follow) -> Follow:
        def told(reference: str) -> str:
            after = follow(reference)
            if after != reference:
                self.moved[reference] = after
            return after

        return told

    def _implied(self, level: Level, follow: Follow) -> Iterator[Change]:
        """Writes out what is left to the order of the nodes, where the node alone no longer means one value."""
        for use in level.uses():
            after = follow(use.reference) if use.implied else use.reference
            if after == use.reference:
                continue
            if use.consumer != OUTPUTS:
                yield written_from(level, use.consumer, after)
            elif "outputs" in level.data:
                yield Replace(level.at("outputs"), after)
            else:
                yield Insert(level.path, "outputs", after, "nodes")

    def _renamed(self, port: str | None) -> str | None:
        """What stands behind a node that calls the block from now on, given what stands there; None where it stays."""
        if port not in self.before:
            self._refuse_hidden(port)
            return None
        reference = self.before[port]
        if port in self.after and self._same(self.after[port], reference):
            return None
        name = self._given_as(reference)
        if name is not None or port in self.after:
            return name
        # A value that is no output can be taken by its path.
        self._refuse_hidden(reference)
        return reference

    def _given_as(self, reference: str) -> str | None:
        """The name of the output that gives a value from now on, empty for the only one; None where none does."""
        return next((name or "" for name, each in self.after.items() if self._same(each, reference)), None)

    def _same(self, one: str, other: str) -> bool:
        definition = self.level.definition
        return same_branch(definition, one) == same_branch(definition, other)

    def _refuse_hidden(self, port: str | None) -> None:
        """Refuses that a path which means what lies inside would mean an output of the same name.

        Raises:
            CommandError: GB206.
        """
        first = "" if port is None else port
        if first in self.after and None not in self.after and not self._same(self.after[first], first):
            raise refused(
                self.level.document, "GB206", f"an output {first} would hide {first}, which is taken by its path",
                self.level.path, key=True, hint="choose another name for the output", found=first,
            )  # fmt: skip

    def told(self) -> tuple[str, ...]:
        """What it comes to, in sentences without a full stop."""
        found = [f"{after} is now taken in the place of {before}" for before, after in self.moved.items()]
        for port in self.changed:
            what = f"block {self.level.block}" if port is None else f"its output {port}"
            found.append(f"{what} now gives {self.after[port]} instead of {self.before[port]}")
        return tuple(found)


def _by_port(level: Level, outputs: Any) -> dict[str | None, str]:
    """References by the names of outputs; by None where the node that calls the block is named alone.

    Raises:
        CommandError: GB202, there is no output.
    """
    nodes = list(level.definition.nodes) or list(level.definition.inputs)
    found: dict[str | None, str] = {}
    if outputs is None and nodes:
        found = {None: nodes[-1]}
    elif isinstance(outputs, str):
        found = {None: outputs}
    elif isinstance(outputs, list):
        found = {str(number): reference for number, reference in enumerate(outputs)}
    elif isinstance(outputs, dict):
        found = dict(outputs)
    if not found:
        message = f"block {level.block} would give nothing"
        raise refused(level.document, "GB202", message, level.path, key=True, expected="at least one output")
    return found


def _written(level: Level, value: Any) -> Change:
    if value is None:
        return Delete(level.at("outputs"))
    if "outputs" in level.data:
        return Replace(level.at("outputs"), value)
    return Insert(level.path, "outputs", value, "nodes")


def draw(document: Document, random: Random) -> Command | None:
    """A command on the outputs of a block that can perhaps be carried out; None where no block has nodes.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    blocks = [name for name, block in document.blueprint.blocks.items() if block.nodes]
    if not blocks:
        return None
    block = random.choice(blocks)
    level = Level(document, block)
    now = list(_by_port(level, level.definition.outputs).values())
    some = random.choice(list(level.definition.nodes))
    made: list[Any] = [now[0], {f"out_{number}": each for number, each in enumerate(now)}, [*now, some], some, None]
    return SetBlockOutputs(block, random.choice(made))
