"""Commands on what a block takes: its input ports, which every node that calls it follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.editing.changes import Change, Delete, Insert, InsertItem, Remove, Rename, Replace
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.levels import Level, check_name, level_of, listed, refused
from graphbuilder.editing.paths import BlockCall, all_levels, block_calls, port_followed
from graphbuilder.editing.references import OUTPUTS, naming
from graphbuilder.editing.rewiring import known_value, written_from
from graphbuilder.editing.rewriting import first_renamed, followed_nodes, followed_outputs, followed_taps
from graphbuilder.editing.sameness import check_kept
from graphbuilder.errors import Related, suggestion

__all__ = ["AddBlockInput", "DescribeBlockInput", "RemoveBlockInput", "RenameBlockInput", "draw"]


@dataclass(frozen=True, slots=True)
class AddBlockInput:
    """A new input port of a block, behind the others.

    Arguments:
        block: the block.
        name: the port.
        source: what the nodes that call the block connect to it, known where each of them stands; None where none
            calls it.
    """

    block: str
    name: str
    source: str | None = None

    def edit(self, document: Document) -> Edit:
        """Declares it and connects it; a first node that took the only input says so from now on.

        Raises:
            CommandError: there is no such block, the name is not legal or taken, or a call has nothing to connect.
            BlueprintError: the blueprint would be wrong then.
        """
        level = level_of(document, self.block)
        check_name(level, self.name)
        calls = block_calls(document, self.block)
        if calls and self.source is None:
            raise refused(
                document, "GB303", f"{_named(calls)} would have nothing to connect to {self.name}", calls[0].path,
                key=True, hint=f"say what {self.name} is to be connected to",
            )  # fmt: skip
        told = ["nothing in the block takes it yet"]
        changes = [*_declared(level, self.name), *_first_kept(level, told)]
        for call in calls:
            assert self.source is not None
            known_value(call.level, self.source)
            changes += _connected(call, self.name, self.source)
        if calls:
            told.append(f"{_named(calls)} now {_verb(calls, 'connects', 'connect')} {self.source} to it")
        title = f"add input {self.name} to block {self.block}"
        told += check_kept(document, changes, told, title)
        return Edit(title, tuple(changes), told=tuple(told))


@dataclass(frozen=True, slots=True)
class RemoveBlockInput:
    """Takes away an input port that nothing in its block takes.

    Arguments:
        block: the block.
        name: the port.
    """

    block: str
    name: str

    def edit(self, document: Document) -> Edit:
        """Takes it away, and what nodes that call the block connect to it.

        Raises:
            CommandError: there is no such port, something takes it, it is the only one, or the model would change.
            BlueprintError: the blueprint would be wrong then.
        """
        level = level_of(document, self.block)
        ports = _known(level, self.name)
        place = _place(level, self.name)
        if len(ports) == 1:
            message = f"{self.name} is the only input of block {self.block}"
            raise refused(document, "GB303", message, place)
        users = naming(level.definition, self.name)
        if users:
            names = dict.fromkeys("the outputs" if use.consumer == OUTPUTS else use.consumer for use in users)
            where = document.source.nearest(level.at(*users[0].path))
            raise refused(
                document, "GB303", f"{self.name} is taken by {listed(list(names))}", place,
                hint="connect them to something else first", related=(Related("it is taken here", None, where),),
            )  # fmt: skip
        calls = block_calls(document, self.block)
        number = ports.index(self.name)
        if number == 0:
            _refuse_first(level, self.name, calls)
        changes = [_removed(level, self.name)]
        for call in calls:
            changes += _disconnected(call, self.name, number)
        told = [f"{_named(calls)} no longer {_verb(calls, 'connects', 'connect')} anything to it"] if calls else []
        title = f"remove input {self.name} of block {self.block}"
        told += check_kept(document, changes, told, title)
        return Edit(title, tuple(changes), told=tuple(told))


@dataclass(frozen=True, slots=True)
class RenameBlockInput:
    """Gives an input port of a block another name, inside the block and wherever it is connected by name.

    Arguments:
        block: the block.
        name: the port.
        new: its new name.
    """

    block: str
    name: str
    new: str

    def edit(self, document: Document) -> Edit:
        """Renames it where it is declared, taken and connected.

        Raises:
            CommandError: there is no such port, or the new name is not legal, taken, or would mean something else.
        """
        level = level_of(document, self.block)
        ports = _known(level, self.name)
        title = f"rename input {self.name} of block {self.block} to {self.new}"
        if self.new == self.name:
            return Edit(title, ())
        check_name(level, self.new)
        calls = block_calls(document, self.block)
        self._refuse_fed(level, calls)
        declared = level.data["inputs"]
        changes: list[Change] = [
            Rename(level.at("inputs", self.name), self.new)
            if isinstance(declared, dict)
            else Replace(level.at("inputs", ports.index(self.name)), self.new)
        ]
        own = first_renamed({self.name: self.new})
        for other in all_levels(document):
            outside = port_followed(self.block, other, lambda port: self._outside(level, port))
            follow = own if other.block == self.block else outside
            changes += followed_nodes(other, other.definition.nodes, follow)
            changes += followed_outputs(other, follow)
            changes += followed_taps(other, follow)
        for call in calls:
            written = _written(call)
            if isinstance(written, Mapping) and self.name in written:
                place = (*call.path, "from", self.new)
                if self.new in written:
                    message = f"{call.node} connects something to {self.new} already, which is no input yet"
                    raise refused(document, "GB206", message, place, key=True, expected="a new name", found=self.new)
                changes.append(Rename((*call.path, "from", self.name), self.new))
        return Edit(title, tuple(changes))

    def _refuse_fed(self, level: Level, calls: list[BlockCall]) -> None:
        """Refuses a name by which the copies of a block would feed one another otherwise.

        Raises:
            CommandError: GB303.
        """
        outputs = level.definition.outputs
        repeated = next((call for call in calls if call.made.repeat != 1), None)
        named = [name for name in (self.name, self.new) if isinstance(outputs, Mapping) and name in outputs]
        if repeated is not None and named:
            raise refused(
                level.document, "GB303",
                f"the copies of {repeated.node} give their output {named[0]} to the input of that name",
                level.at("outputs", named[0]), key=True, hint="name the outputs otherwise first",
            )  # fmt: skip

    def _outside(self, level: Level, port: str | None) -> str | None:
        """What stands behind a node that calls the block from now on; None where it stays.

        Raises:
            CommandError: GB206, an output has the new name, so that the path would mean that.
        """
        outputs = level.definition.outputs
        named = outputs if isinstance(outputs, Mapping) else {}
        # Where an output has the same name as an input, a path means the output.
        if port != self.name or port in named:
            return None
        if self.new in named:
            raise refused(
                level.document, "GB206", f"{self.new} is an output of block {self.block}, which a path would mean then",
                level.at("outputs", self.new), key=True, hint="choose another name", found=self.new,
            )  # fmt: skip
        return self.new


@dataclass(frozen=True, slots=True)
class DescribeBlockInput:
    """Says what an input port of a block is, for people.

    Arguments:
        block: the block.
        name: the port.
        about: the text; None to take it away.
    """

    block: str
    name: str
    about: str | None

    def edit(self, document: Document) -> Edit:
        """Writes it; a list of names becomes a mapping, in which there is room for it.

        Raises:
            CommandError: there is no such port.
        """
        level = level_of(document, self.block)
        ports = _known(level, self.name)
        title = f"describe input {self.name} of block {self.block}"
        declared = level.data["inputs"]
        before = level.definition.inputs[self.name].about
        if before == self.about:
            return Edit(title, ())
        change: Change
        if not isinstance(declared, dict):
            whole = {port: {"about": self.about} if port == self.name else {} for port in ports}
            change = Replace(level.at("inputs"), whole)
        elif self.about is None:
            change = Delete(level.at("inputs", self.name, "about"))
        elif before is not None:
            change = Replace(level.at("inputs", self.name, "about"), self.about)
        else:
            change = Replace(level.at("inputs", self.name), {"about": self.about})
        return Edit(title, (change,))


def _known(level: Level, name: str) -> list[str]:
    """The ports of a block, if one has that name.

    Raises:
        CommandError: GB301.
    """
    ports = list(level.definition.inputs)
    if name not in ports:
        listing = f"its inputs are {listed(ports)}" if ports else "it has no inputs"
        hint = suggestion(name, ports, listing=listing)
        message = f"block {level.block} has no input {name}"
        raise refused(level.document, "GB301", message, level.at("inputs"), key=True, hint=hint, found=name)
    return ports


def _refuse_first(level: Level, name: str, calls: list[BlockCall]) -> None:
    """Refuses that another port becomes the first, where that one is fed by copies or passes on what is left out.

    Raises:
        CommandError: GB303.
    """
    for call in calls:
        node = call.level.definition.nodes[call.node]
        repeats = call.made.repeat != 1
        if repeats or node.when is not True:
            why = "which its copies feed" if repeats else "which passes on where its when is false"
            raise refused(
                level.document, "GB303", f"{name} is the first input of {call.node}, {why}", _place(level, name),
                hint=f"take {'repeat' if repeats else 'when'} of {call.node} away first",
                related=(Related("it stands here", None, level.document.source.position(call.path, key=True)),),
            )  # fmt: skip


def _place(level: Level, name: str) -> tuple[str | int, ...]:
    """Where a port is declared."""
    declared = level.data["inputs"]
    return level.at("inputs", name if isinstance(declared, dict) else declared.index(name))


def _declared(level: Level, name: str) -> list[Change]:
    """What declares a new port behind the others."""
    declared = level.data["inputs"]
    if isinstance(declared, dict):
        return [Insert(level.at("inputs"), name, {}, list(declared)[-1] if declared else None)]
    return [InsertItem(level.at("inputs"), len(declared), name)]


def _removed(level: Level, name: str) -> Change:
    place = _place(level, name)
    return Remove(place) if isinstance(place[-1], int) else Delete(place)


def _first_kept(level: Level, told: list[str]) -> Iterator[Change]:
    """What lets a first node without `from` go on taking the port that has been the only one."""
    first = next(iter(level.definition.nodes), None)
    inputs = list(level.definition.inputs)
    if first is not None and len(inputs) == 1 and level.definition.nodes[first].source is None:
        told.append(f"{first} says from: {inputs[0]} from now on, because there are several inputs")
        yield written_from(level, first, inputs[0])


def _written(call: BlockCall) -> Any:
    return call.level.data["nodes"][call.node].get("from")


def _connected(call: BlockCall, port: str, source: str) -> Iterator[Change]:
    """What connects a value to a new last port of a node that calls a block; nothing where an earlier one has none."""
    written, place = _written(call), (*call.path, "from")
    if isinstance(written, Mapping):
        # Where something is connected to it before it is declared, that was meant.
        if port not in written:
            yield Insert(place, port, source, list(written)[-1] if written else None)
    elif isinstance(written, list):
        if len(written) == len(Level(call.level.document, call.made.block).definition.inputs):
            yield InsertItem(place, len(written), source)
    else:
        implied = [use.reference for use in call.level.uses() if use.implied and use.consumer == call.node]
        yield written_from(call.level, call.node, [*(implied if written is None else [written]), source])


def _disconnected(call: BlockCall, port: str, number: int) -> Iterator[Change]:
    """What takes away what is connected to a port; nothing where nothing is."""
    written, place = _written(call), (*call.path, "from")
    if isinstance(written, Mapping) and port in written:
        yield Delete((*place, port))
    elif isinstance(written, list) and number < len(written):
        yield Remove((*place, number))


def _named(calls: list[BlockCall]) -> str:
    return listed(list(dict.fromkeys(call.node for call in calls)))


def _verb(calls: list[BlockCall], one: str, several: str) -> str:
    return one if len({call.node for call in calls}) == 1 else several


def draw(document: Document, random: Random) -> Command | None:
    """A command on an input port of a block that can probably be carried out; None where the file has no block.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    blocks = document.blueprint.blocks
    if not blocks:
        return None
    block = random.choice(list(blocks))
    ports, fresh, chosen = list(blocks[block].inputs), f"port_{random.randrange(10_000)}", random.random()
    calls = block_calls(document, block)
    if not ports or chosen < 0.35:
        names = set(calls[0].level.names).intersection(*(call.level.names for call in calls)) if calls else set()
        source = random.choice(sorted(names)) if names else None
        return AddBlockInput(block, fresh, source)
    name = random.choice(ports)
    if chosen < 0.55:
        return RenameBlockInput(block, name, fresh)
    if chosen < 0.75:
        return DescribeBlockInput(block, name, random.choice([None, "what: it is # here", "plain"]))
    taken = {use.reference.partition(".")[0] for use in Level(document, block).uses()}
    idle = [port for port in ports if port not in taken]
    return RemoveBlockInput(block, random.choice(idle or ports))
