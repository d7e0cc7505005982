"""The command that makes a node of another kind, and keeps the arguments that both kinds have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphbuilder.blueprint import Document
from graphbuilder.blueprint.forms import KINDS
from graphbuilder.catalog import layers, ops
from graphbuilder.editing.changes import Change, Delete, Insert, Rename, Replace
from graphbuilder.editing.checking_nodes import check_node, node_faults
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.kinds import Kind, kind_of, required_arguments
from graphbuilder.editing.levels import Level, level_of, listed
from graphbuilder.editing.rewiring import known_node
from graphbuilder.errors import CommandError

__all__ = ["ChangeKind", "draw"]

# What a node of any kind may say.
_COMMON = ("from", "when", "about")


@dataclass(frozen=True, slots=True)
class ChangeKind:
    """Makes a node of another kind.

    Arguments:
        node: the node.
        key: what kind of node it becomes: layer, op, fuse or block.
        kind: the name of the layer, op, fusion or block.
        arguments: arguments that it gets beside those that it keeps.
        block: the block that the node stands in; None for the file itself.
    """

    node: str
    key: str
    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Keeps what it takes, its place, and the arguments that the new kind takes with their values.

        What the new kind needs besides has a value from the catalog's example.

        Raises:
            CommandError: there is no such node or kind, or an argument is not what can be taken.
        """
        level = level_of(document, self.block)
        known_node(level, self.node)
        kind = kind_of(document, self.key, self.kind)
        written: dict[str, Any] = level.data["nodes"][self.node]
        old = next(key for key in written if key in KINDS)
        title = f"change {self.node} to {kind.name}"
        kept, dropped = _shared(level, self.node, written, kind, self.arguments)
        needed = {key: value for key, value in required_arguments(kind).items() if key not in kept}
        after = {
            kind.key: kind.name,
            **kept,
            **{key: value for key, value in needed.items() if key not in self.arguments},
        }
        after |= self.arguments
        check_node(level, self.node, after)
        path = level.at("nodes", self.node)
        changes: list[Change] = []
        if written[old] != kind.name:
            changes.append(Replace((*path, old), kind.name))
        if old != kind.key:
            changes.append(Rename((*path, old), kind.key))
        changes += [Delete((*path, key)) for key in dropped]
        for key, value in after.items():
            if key in (kind.key, *dropped):
                if key in dropped:
                    # Both kinds have it, but it needs another value now.
                    changes.remove(Delete((*path, key)))
                    changes.append(Replace((*path, key), value))
            elif key not in written:
                changes.append(Insert(path, key, value, _last_kept(written, dropped)))
            elif written[key] != value:
                changes.append(Replace((*path, key), value))
        told = []
        gone = [key for key in dropped if key not in after]
        if gone:
            told.append(
                f"{listed(gone)} {'is' if len(gone) == 1 else 'are'} dropped, which {kind.name} does not take so"
            )
        invented = [f"{key} {value}" for key, value in needed.items() if key not in self.arguments]
        if invented:
            told.append(f"{self.node} has {listed(invented)}, which is only an example")
        return Edit(title, tuple(changes), self.node, tuple(told))


def _last_kept(written: Mapping[str, Any], dropped: list[str]) -> str:
    """The last key of a node that stays; that of its kind always does."""
    return [key for key in written if key not in dropped][-1]


def _shared(
    level: Level, node: str, written: Mapping[str, Any], kind: Kind, given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """What a node says that another kind takes too, and the keys that it does not take, or not with that value."""
    keys = [key for key in written if key not in KINDS]
    kept = {key: written[key] for key in keys if (key in kind.keys or kind.custom) and key not in given}
    if kind.custom:
        kept = {key: value for key, value in kept.items() if key in kind.keys}
    # Each alone first, because one that is wrong may make others look so.
    base = {kind.key: kind.name, **required_arguments(kind), **given}
    for key in list(kept):
        if key not in _COMMON and node_faults(level, node, {**base, key: kept[key]}):
            del kept[key]
    while _faulty(level, node, {**base, **kept}) and (last := [key for key in kept if key not in _COMMON]):
        del kept[last[-1]]
    return kept, [key for key in keys if key not in kept and key not in given]


def _faulty(level: Level, node: str, written: Mapping[str, Any]) -> bool:
    try:
        return bool(node_faults(level, node, written))
    except CommandError:
        return True


def draw(document: Document, random: Random) -> Command | None:
    """A command that changes the kind of a node; None where there is no node.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    level = Level(document, random.choice([None, None, *document.blueprint.blocks]))
    nodes = list(level.definition.nodes)
    if not nodes:
        return None
    key = random.choice(["layer", "layer", "layer", "op", "fuse"])
    names = {"layer": layers.names(), "op": ops.names(), "fuse": ["concat", "add", "gated", "film"]}[key]
    return ChangeKind(random.choice(nodes), key, random.choice(list(names)), block=level.block)
