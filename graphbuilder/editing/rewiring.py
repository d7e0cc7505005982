"""Who takes what once nodes come, go or are taken otherwise: every edge that is not meant to change stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from graphbuilder.blueprint import FuseNode, ReuseNode
from graphbuilder.blueprint.forms import KINDS
from graphbuilder.editing.changes import Change, Delete, Insert, Remove, Rename, Replace
from graphbuilder.editing.levels import Level, listed, refused
from graphbuilder.editing.references import OUTPUTS, Use, feeding, same_branch
from graphbuilder.errors import suggestion
from graphbuilder.text.source import Path

__all__ = ["Rewiring", "known_node", "known_value", "written_from"]


def known_node(level: Level, name: str) -> None:
    """Refuses a name that no node of a level has.

    Raises:
        CommandError: GB301.
    """
    nodes = list(level.definition.nodes)
    if name not in nodes:
        where = "" if level.block is None else f" in block {level.block}"
        hint = suggestion(name, nodes, listing=f"its nodes are {listed(nodes)}" if nodes else None)
        raise refused(level.document, "GB301", f"there is no node {name}{where}", found=name, hint=hint)


def known_value(level: Level, reference: str) -> None:
    """Refuses a reference whose first name is no node or input of a level.

    Raises:
        CommandError: GB301.
    """
    first = reference.partition(".")[0]
    if first not in level.names:
        where = "" if level.block is None else f" in block {level.block}"
        known = f"known here: {listed(level.names)}" if level.names else None
        hint = suggestion(first, level.names, listing=known)
        message = f"there is no node or input {first or reference}{where}"
        raise refused(level.document, "GB301", message, found=reference, hint=hint)


def written_from(level: Level, node: str, value: Any) -> Change:
    """The change that gives a node another `from`, or one where it had left that out."""
    written = level.data["nodes"][node]
    if "from" in written:
        return Replace(level.at("nodes", node, "from"), value)
    kind = next(key for key in written if key in KINDS)
    return Insert(level.at("nodes", node), "from", value, kind)


class Rewiring:
    """An edit of the nodes of a level, and what it means for those that take their values.

    First the new order of the nodes is set and edges are given other sources; then `settled` writes out what the order
    of the nodes would else change behind the author's back: the `from` of a node that takes the one above it, and the
    outputs where they are the last node.

    Arguments:
        level: the file or block.
    """

    def __init__(self, level: Level) -> None:
        self.level = level
        # Their paths are those of the file.
        uses = level.uses()
        self.uses = uses if level.block is None else [replace(use, path=level.at(*use.path)) for use in uses]
        self.order = list(level.definition.nodes)
        self.changes: list[Change] = []
        self.told: list[str] = []
        # What each consumer that leaves it to the order is meant to take.
        self.implied = {use.consumer: use.reference for use in self.uses if use.implied}
        # Those of them that were given another value, which is told already.
        self._given: set[str] = set()
        # All that were given another value.
        self.fed: set[str] = set()

    def takers(self, reference: str) -> list[Use]:
        """The places that take a value, in any form in which it is written."""
        definition: Any = self.level.definition
        wanted = same_branch(definition, reference)
        return [use for use in self.uses if same_branch(definition, use.reference) == wanted]

    def sources(self, node: str) -> list[Use]:
        """The places at which a node takes values."""
        return [use for use in self.uses if use.consumer == node]

    def give(self, uses: Iterable[Use], source: str) -> None:
        """Lets some places take another value, and tells it."""
        taken: dict[str, list[str]] = {}
        for use in uses:
            if use.reference == source:
                continue
            if use.implied:
                self.implied[use.consumer] = source
                self._given.add(use.consumer)
            else:
                self.changes.append(Replace(use.path, source))
            taken.setdefault(use.consumer, []).append(use.reference)
            self.fed.add(use.consumer)
        for consumer, before in taken.items():
            self.told.append(self._told(consumer, source, list(dict.fromkeys(before))))

    def _told(self, consumer: str, source: str, before: Sequence[str]) -> str:
        if consumer == OUTPUTS:
            what = "the model" if self.level.block is None else f"block {self.level.block}"
            return f"{what} now gives {source} instead of {listed(before)}"
        return f"{consumer} now takes {source} instead of {listed(before)}"

    def follow_keys(self, before: str, after: str, consumers: Iterable[str]) -> None:
        """Renames the branch that fusions name under `align` and `presence`, where they now take another value."""
        for consumer in consumers:
            for written, path in branch_keys(self.level, consumer):
                if before in written and after not in written:
                    self.changes.append(Rename((*path, before), after))

    def circle(self, source: str, target: str) -> list[str] | None:
        """The nodes through which a target feeds a source already, the target first; None where it does not."""
        definition: Any = self.level.definition
        first = source.partition(".")[0]
        if target not in feeding(definition, [first], self.uses):
            return None
        trail = [first]
        while trail[-1] != target:
            following = [use.reference.partition(".")[0] for use in self.sources(trail[-1])]
            node = definition.nodes[trail[-1]]
            if isinstance(node, ReuseNode):
                following.append(node.reuse.partition(".")[0])
            trail.append(
                next(
                    each
                    for each in following
                    if each in definition.nodes
                    and each not in trail
                    and target in feeding(definition, [each], self.uses)
                )
            )
        return trail[::-1]

    def above(self, node: str) -> str | None:
        """What a node without a `from` takes in the new order."""
        number = self.order.index(node)
        if number:
            return self.order[number - 1]
        inputs = list(self.level.definition.inputs)
        return inputs[0] if len(inputs) == 1 else None

    def settled(self) -> tuple[Change, ...]:
        """All changes, with those that keep what is implied."""
        inputs = list(self.level.definition.inputs)
        above = inputs[0] if len(inputs) == 1 else None
        for node in self.order:
            meant = self.implied.get(node)
            if meant is not None and meant != above:
                self.changes.append(written_from(self.level, node, meant))
                if node not in self._given:
                    self.told.append(f"{node} says from: {meant} from now on, because another node stands above it")
            above = node
        meant, last = self.implied.get(OUTPUTS), above
        if self.order and meant is not None and meant != last:
            self.changes.append(self._outputs(meant))
            if OUTPUTS not in self._given:
                self.told.append(f"outputs names {meant} from now on, because {last} is the last node")
        return tuple(self.changes)

    def _outputs(self, value: Any) -> Change:
        if "outputs" in self.level.data:
            return Replace(self.level.at("outputs"), value)
        return Insert(self.level.path, "outputs", value, "nodes")

    def cut(self, consumer: str, paths: Sequence[Path]) -> bool:
        """Takes places out of a `from` or out of the outputs; False where nothing would be left, so that all stays.

        Arguments:
            consumer: the node, or `OUTPUTS`.
            paths: the places.
        """
        root = self.level.at("outputs") if consumer == OUTPUTS else self.level.at("nodes", consumer, "from")
        data: Any = self.level.document.source.data
        for step in root:
            data = data[step]
        found = list(_pruned(data, root, set(paths)))
        if any(change is None for change in found):
            return False
        self.changes += [change for change in found if change is not None]
        return True


def _pruned(value: Any, path: Path, gone: set[Path]) -> Iterator[Change | None]:
    """The changes that take places out of nested lists and mappings; None where the value itself is to go."""
    if path in gone:
        yield None
        return
    items: list[tuple[Any, Any]] = []
    if isinstance(value, list):
        items = list(enumerate(value))
    elif isinstance(value, Mapping) and "constant" not in value:
        items = [(key, item) for key, item in value.items() if key != "presence"]
    found = {key: list(_pruned(item, (*path, key), gone)) for key, item in items}
    whole = [key for key, changes in found.items() if None in changes]
    if items and len(whole) == len(items):
        yield None
        return
    for key, changes in found.items():
        if key in whole:
            yield Remove((*path, key)) if isinstance(key, int) else Delete((*path, key))
        else:
            yield from changes


def branch_keys(level: Level, consumer: str) -> Iterator[tuple[Mapping[str, Any], Path]]:
    """The mappings in which a fusion names branches, with their paths; none for any other node."""
    node = level.definition.nodes.get(consumer)
    if not isinstance(node, FuseNode):
        return
    path = level.at("nodes", consumer)
    align = node.arguments.get("align")
    if isinstance(align, Mapping):
        yield align, (*path, "align")
    presence = node.source.get("presence") if isinstance(node.source, Mapping) else None
    if isinstance(presence, Mapping):
        yield presence, (*path, "from", "presence")
