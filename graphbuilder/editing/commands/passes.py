"""Commands on the passes of compression: attached, changed, moved, for the whole model or for chosen nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.blueprint.forms import has_expression
from graphbuilder.catalog.arguments import as_written
from graphbuilder.compression.tables import passes
from graphbuilder.editing.changes import Change, Delete, InsertItem, Move, Remove, changed_data
from graphbuilder.editing.checking import lowered
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.levels import inserted_section, listed, refused
from graphbuilder.editing.passing import SUGGESTED, check_plan, planned, positions_of
from graphbuilder.editing.passing_blocks import pass_names
from graphbuilder.editing.setting import dotted, set_within, unset_within
from graphbuilder.errors import suggestion
from graphbuilder.text.source import Path

__all__ = ["AttachPass", "EditPass", "MovePass", "OverrideOption", "RemovePass", "UnsetOverride", "UnsetPass", "draw"]


@dataclass(frozen=True, slots=True)
class AttachPass:
    """A new pass of compression, for the whole model or for some nodes.

    Arguments:
        name: prune, cluster, quantize, low_rank or another.
        options: those that stand beside it, as plain data.
        nodes: names of nodes, blocks or paths; None for all layers that it can change.
        position: where among the passes it comes to stand, from 0; None for the last place where it may.
        block: the block that the nodes stand in, which are meant in every copy of it; None for the file itself.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    nodes: Sequence[str] | None = None
    position: int | None = None
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Declares it.

        Raises:
            CommandError: there is no such pass or option, it cannot be done to a node, or may not stand there.
        """
        if passes.get(self.name) is None:
            hint = suggestion(self.name, passes.names(), listing=f"passes are {listed(passes.names())}")
            raise refused(document, "GB205", f"{self.name} is not a pass", hint=hint, found=self.name)
        if self.nodes is not None and not self.nodes:
            raise refused(document, "GB303", "there is no node that the pass would touch", expected="one or more")
        entry: dict[str, Any] = {"pass": self.name, **self.options}
        if self.nodes is not None:
            names = list(pass_names(document, self.nodes, self.block))
            entry["where"] = {**entry.get("where", {}), "nodes": names[0] if len(names) == 1 else names}
        written = _written(document)
        position = self._position(document, entry, written)
        told = check_plan(document, [*written[:position], entry, *written[position:]])
        change: Change
        if "compression" in document.source.data:
            change = InsertItem(("compression",), position, entry)
        else:
            change = inserted_section(document, "compression", [entry])
        whom = "" if self.nodes is None else f" to {listed(list(self.nodes))}"
        focus = _focus(document, self.nodes) if self.block is None or self.nodes is None else self.nodes[0]
        return Edit(f"attach {self.name}{whom}", (change,), focus, told)

    def _position(self, document: Document, entry: Mapping[str, Any], written: list[Any]) -> int:
        if self.position is not None:
            if not 0 <= self.position <= len(written):
                expected = f"0 to {len(written)}"
                raise refused(
                    document, "GB203", f"there is no place {self.position} among the passes", expected=expected
                )
            return self.position
        alone, current = planned(document, [entry]), planned(document, written)
        if alone is None or current is None or not alone.plan.stages:
            return len(written)
        positions, _ = positions_of(current, alone.plan.stages[0])
        return positions[-1] if positions else len(written)


@dataclass(frozen=True, slots=True)
class EditPass:
    """Gives a pass another value of an option.

    Arguments:
        index: which of the passes, from 0.
        path: the keys that lead to the option, such as ("sparsity",) or ("schedule", "polynomial", "end").
        value: plain data.
    """

    index: int
    path: Path
    value: Any

    def edit(self, document: Document) -> Edit:
        """Sets it.

        Raises:
            CommandError: there is no such pass or option, or the plan would be wrong.
        """
        whole = _pass(document, self.index)
        change, after = set_within(document, ("compression", self.index), self.path, self.value)
        title = f"set {dotted(self.path)} of {whole['pass']} to {as_written(self.value)}"
        if change is None:
            return Edit(title, ())
        return Edit(title, (change,), told=check_plan(document, _with(document, self.index, after)))


@dataclass(frozen=True, slots=True)
class UnsetPass:
    """Takes an option of a pass away.

    Arguments:
        index: which of the passes, from 0.
        path: the keys that lead to the option.
    """

    index: int
    path: Path

    def edit(self, document: Document) -> Edit:
        """Takes it away, and what would be left empty above it.

        Raises:
            CommandError: there is no such pass, the option is not set, or the pass needs it.
        """
        whole = _pass(document, self.index)
        if self.path == ("pass",):
            raise refused(document, "GB202", "a pass needs its name", ("compression", self.index, "pass"))
        change, after = unset_within(document, ("compression", self.index), self.path, named=self.path[0] == "schedule")
        title = f"take {dotted(self.path)} of {whole['pass']} away"
        return Edit(title, (change,), told=check_plan(document, _with(document, self.index, after)))


@dataclass(frozen=True, slots=True)
class RemovePass:
    """Takes a pass away.

    Arguments:
        index: which of the passes, from 0.
    """

    index: int

    def edit(self, document: Document) -> Edit:
        """Takes it away, and `compression` itself with its last pass.

        Raises:
            CommandError: there is no such pass.
        """
        whole = _pass(document, self.index)
        alone = len(_written(document)) == 1
        change: Change = Delete(("compression",)) if alone else Remove(("compression", self.index))
        return Edit(f"remove {whole['pass']}", (change,))


@dataclass(frozen=True, slots=True)
class MovePass:
    """Gives a pass another place in the order.

    Arguments:
        index: which of the passes, from 0.
        position: its place among them afterwards, from 0.
    """

    index: int
    position: int

    def edit(self, document: Document) -> Edit:
        """Moves it; its comments go with it.

        Raises:
            CommandError: there is no such pass or place, or it may not stand there.
        """
        whole = _pass(document, self.index)
        count = len(_written(document))
        if not 0 <= self.position < count:
            expected = f"0 to {count - 1}"
            raise refused(document, "GB203", f"there is no place {self.position} among the passes", expected=expected)
        title = f"move {whole['pass']} to place {self.position + 1}"
        if self.position == self.index:
            return Edit(title, ())
        after: int | None = self.position if self.position > self.index else self.position - 1
        change = Move(("compression", self.index), None if after == -1 else after)
        moved = changed_data(document.source.data, [change])["compression"]
        return Edit(title, (change,), told=check_plan(document, moved))


@dataclass(frozen=True, slots=True)
class OverrideOption:
    """Gives one node, or those that a pattern matches, an option of a pass of its own.

    Arguments:
        index: which of the passes, from 0.
        node: a node, a path or a pattern.
        option: one that single nodes may have of their own, such as sparsity.
        value: plain data.
    """

    index: int
    node: str
    option: str
    value: Any

    def edit(self, document: Document) -> Edit:
        """Writes it under `overrides`.

        Raises:
            CommandError: there is no such pass, it does not touch the node, or single nodes have no such option.
        """
        whole = _pass(document, self.index)
        base: Path = ("compression", self.index)
        change, after = set_within(document, base, ("overrides", self.node, self.option), self.value)
        title = f"set {self.option} of {whole['pass']} to {as_written(self.value)} for {self.node}"
        if change is None:
            return Edit(title, ())
        told = check_plan(document, _with(document, self.index, after))
        return Edit(title, (change,), _focus(document, [self.node]), told)


@dataclass(frozen=True, slots=True)
class UnsetOverride:
    """Takes what a node has of its own in a pass away.

    Arguments:
        index: which of the passes, from 0.
        node: as it is written under `overrides`.
        option: the option; None for all.
    """

    index: int
    node: str
    option: str | None = None

    def edit(self, document: Document) -> Edit:
        """Takes it away, so that the node has what the pass says for all.

        Raises:
            CommandError: there is no such pass, or nothing of that kind is set.
        """
        whole = _pass(document, self.index)
        path: Path = ("overrides", self.node) if self.option is None else ("overrides", self.node, self.option)
        change, after = unset_within(document, ("compression", self.index), path, named=False)
        title = f"take {dotted(path[1:])} of {whole['pass']} away"
        told = check_plan(document, _with(document, self.index, after))
        return Edit(title, (change,), _focus(document, [self.node]), told)


def _written(document: Document) -> list[Any]:
    """The passes as plain data."""
    return list(document.source.data.get("compression") or [])


def _pass(document: Document, index: int) -> Mapping[str, Any]:
    """One pass as plain data.

    Raises:
        CommandError: GB203, there are not so many.
    """
    written = _written(document)
    if not 0 <= index < len(written):
        expected = f"0 to {len(written) - 1}" if written else None
        message = f"there is no pass {index}" if written else "there are no passes"
        raise refused(document, "GB203", message, ("compression",), expected=expected)
    found: Mapping[str, Any] = written[index]
    return found


def _with(document: Document, index: int, whole: Any) -> list[Any]:
    """The passes, one of them as it would be."""
    written = _written(document)
    written[index] = whole
    return written


def _focus(document: Document, nodes: Sequence[str] | None) -> str | None:
    first = nodes[0].partition(".")[0] if nodes else None
    return first if first in document.blueprint.nodes else None


def draw(document: Document, random: Random) -> Command | None:
    """A command on a pass that can perhaps be carried out; None where there is nothing to compress.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    from graphbuilder.editing.commands.choosing import ExcludeNodes, IncludeNodes

    graph = lowered(document).graph
    layers = [name for name, layer in graph.layers.items() if layer.weights] if graph is not None else []
    if not layers:
        return None
    written = _written(document)
    blocks = [name for name, block in document.blueprint.blocks.items() if block.nodes]
    inside = random.choice(blocks) if blocks else None
    chosen = random.random()
    if not written or (chosen < 0.3 and len(written) < 5):
        name = random.choice(passes.names())
        if inside is not None and random.random() < 0.2:
            inner = random.choice(list(document.blueprint.blocks[inside].nodes))
            return AttachPass(name, dict(SUGGESTED.get(name, {})), [inner], block=inside)
        nodes = None if random.random() < 0.5 else random.sample(layers, min(len(layers), random.randrange(1, 4)))
        return AttachPass(name, dict(SUGGESTED.get(name, {})), nodes)
    index = random.randrange(len(written))
    name, layer = written[index]["pass"], random.choice(layers)
    if chosen < 0.45:
        return RemovePass(index)
    if chosen < 0.6 and len(written) > 1:
        return MovePass(index, random.randrange(len(written)))
    if chosen < 0.7:
        change = IncludeNodes if random.random() < 0.5 else ExcludeNodes
        if inside is not None and random.random() < 0.3:
            return change(index, (random.choice(list(document.blueprint.blocks[inside].nodes)),), inside)
        return change(index, (layer,))
    option = {"prune": "sparsity", "cluster": "clusters"}.get(name)
    if option is not None and option in written[index] and not has_expression(written[index][option]):
        value = {"sparsity": random.choice([0.25, 0.6, 0.75]), "clusters": random.choice([4, 8, 32])}[option]
        if chosen < 0.85:
            return OverrideOption(index, layer, option, value)
        return EditPass(index, (option,), value)
    return EditPass(index, ("about",), random.choice(["for the phone: #1", "plain"]))
