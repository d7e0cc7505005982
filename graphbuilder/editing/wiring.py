"""Who takes a merged value from now on: the changes to those that took its branches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphbuilder.blueprint import FuseNode, LayerNode, Node, OpNode
from graphbuilder.catalog import layers, ops
from graphbuilder.editing.changes import Change, Insert, Remove, Replace
from graphbuilder.editing.levels import Level
from graphbuilder.editing.references import OUTPUTS, Use, feeding, implied_output, same_branch
from graphbuilder.editing.rewiring import written_from
from graphbuilder.errors import CommandError, Diagnostic, suggestion
from graphbuilder.text.source import Path

__all__ = ["Wiring", "place_after", "takes_lists", "wire"]


@dataclass(slots=True)
class Wiring:
    """What is changed so that consumers take the merged value.

    Arguments:
        changes: the changes, beside the new node.
        told: what was changed, in sentences without a full stop.
        left: what was left as it is, and why, in sentences.
        consumers: those that take the merged value now.
    """

    changes: list[Change] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    consumers: list[str] = field(default_factory=list)


def place_after(level: Level, branches: Sequence[str]) -> str | None:
    """The node behind which a node that merges branches is put: the last of them in the file; None for the first place.

    Arguments:
        level: the file or block.
        branches: references to what is merged.
    """
    firsts = {branch.partition(".")[0] for branch in branches}
    return next((name for name in reversed(level.definition.nodes) if name in firsts), None)


def wire(level: Level, branches: Sequence[str], name: str, into: Sequence[str] | None) -> Wiring:
    """Decides who takes the merged value, by the rule that `graphbuilder.editing.merge` states.

    Arguments:
        level: the file or block before the merge.
        branches: references to what is merged.
        name: the new node.
        into: the only consumers that may be changed; None for all.

    Raises:
        CommandError: `into` names what does not exist, takes none of the branches, or cannot take the merged value.
    """
    return _Wirer(level, branches, name, into).run()


class _Wirer:
    def __init__(self, level: Level, branches: Sequence[str], name: str, into: Sequence[str] | None) -> None:
        self.level = level
        self.blueprint = level.definition
        self.name = name
        self.into = None if into is None else [OUTPUTS if each == "outputs" else each for each in into]
        self.branches = [same_branch(self.blueprint, branch) for branch in branches]
        self.after = place_after(level, branches)
        self.below = _below(level, self.after)
        # Their paths begin at the level's own.
        self.uses = level.uses()
        self.feeding = feeding(self.blueprint, [branch.partition(".")[0] for branch in branches], self.uses)
        self.wiring = Wiring()

    def run(self) -> Wiring:
        taken: dict[str, list[Use]] = {}
        for use in self.uses:
            if same_branch(self.blueprint, use.reference) in self.branches:
                taken.setdefault(use.consumer, []).append(use)
        self._check_into(taken)
        for consumer, found in taken.items():
            if self.into is not None and consumer not in self.into:
                continue
            reason = self._reason_to_leave(consumer, found)
            if reason is None:
                self._rewire(consumer, found)
            elif self.into is not None:
                raise CommandError(
                    self._refused(consumer, f"{self._called(consumer)} cannot take {self.name}: {reason}")
                )
            else:
                self.wiring.left.append(f"{self._called(consumer)} {self._stays(consumer, found)}: {reason}")
        self._keep_implied(taken)
        return self.wiring

    # What is asked for.

    def _check_into(self, taken: Mapping[str, Sequence[Use]]) -> None:
        """Refuses a consumer that does not exist, or that takes none of the branches.

        Raises:
            CommandError: with the first of them.
        """
        for consumer in self.into or ():
            if consumer != OUTPUTS and consumer not in self.blueprint.nodes:
                hint = suggestion(consumer, [*self.blueprint.nodes, "outputs"], listing="name nodes, or `outputs`")
                message = f"there is no node {consumer} that could take {self.name}"
                raise CommandError(Diagnostic("GB301", message, file=self.level.document.source.name, hint=hint))
            if consumer not in taken:
                verb = "name" if consumer == OUTPUTS else "takes"
                message = f"{self._called(consumer)} {verb} none of {_listed(self.branches)}"
                able = [each for each, found in taken.items() if self._reason_to_leave(each, found) is None]
                names = ", ".join("outputs" if each == OUTPUTS else each for each in able)
                hint = f"what takes one of them: {names}" if able else "nothing takes one of them"
                raise CommandError(self._refused(consumer, message, hint))

    def _refused(self, consumer: str, message: str, hint: str | None = None) -> Diagnostic:
        source = self.level.document.source
        path = self.level.at("outputs") if consumer == OUTPUTS else self.level.at("nodes", consumer)
        position = source.nearest(path) if source.node(path) is not None else None
        return Diagnostic("GB303", message, file=source.name, position=position, hint=hint)

    # The rule.

    def _reason_to_leave(self, consumer: str, found: Sequence[Use]) -> str | None:
        """Why a consumer is not to take the merged value, in one clause; None where it can."""
        if consumer != OUTPUTS:
            if any(branch.partition(".")[0] == consumer for branch in self.branches):
                return "it is merged itself"
            if consumer in self.feeding:
                return f"it feeds {self._fed_by(consumer)}, and nodes cannot feed each other in a circle"
            named = self._named_branches(consumer)
            if named:
                return f"its align or presence names {_listed(named)}"
        if len(self._different(found)) < 2:
            return None
        listed = self._list_of(consumer, found)
        if listed is None:
            return "each has a place of its own there"
        if consumer != OUTPUTS and len(_at(self.level.data, listed)) == len(found):
            return f"{self.name} would be alone there"
        if consumer == OUTPUTS and self.level.block is not None:
            return f"what uses {self.level.block} names its outputs by their numbers"
        return None

    def _fed_by(self, consumer: str) -> str:
        for branch in self.branches:
            if consumer in feeding(self.blueprint, [branch.partition(".")[0]], self.uses):
                return branch
        return self.name

    def _different(self, found: Sequence[Use]) -> list[str]:
        return list(dict.fromkeys(same_branch(self.blueprint, use.reference) for use in found))

    def _named_branches(self, consumer: str) -> list[str]:
        """The branches that a fusion names among its options too, where `from` alone must not change."""
        node = self.blueprint.nodes[consumer]
        if not isinstance(node, FuseNode):
            return []
        keyed = [*node.arguments.values()]
        if isinstance(node.source, Mapping):
            keyed += node.source.values()
        names = {str(key) for value in keyed if isinstance(value, Mapping) for key in value}
        return [branch for branch in self.branches if branch in names]

    def _list_of(self, consumer: str, found: Sequence[Use]) -> Path | None:
        """The one list that holds all of a consumer's branches, of as many items as there are, if there is one."""
        parents = {use.path[:-1] for use in found if isinstance(use.path[-1], int)}
        if len(parents) != 1 or any(not isinstance(use.path[-1], int) for use in found):
            return None
        (parent,) = parents
        if consumer == OUTPUTS:
            return parent
        return parent if takes_lists(self.blueprint.nodes[consumer], parent[3:]) else None

    # The changes.

    def _rewire(self, consumer: str, found: Sequence[Use]) -> None:
        self.wiring.consumers.append(consumer)
        different = self._different(found)
        whose = _listed(different)
        for number, use in enumerate(found):
            if use.implied:
                # The new node comes to stand above the node below, and last where a branch was last: that is it.
                if consumer not in (self.below, OUTPUTS):
                    self.wiring.changes.append(written_from(self.level, consumer, self.name))
            elif number > 0 and len(different) > 1:
                self.wiring.changes.append(Remove(self.level.at(*use.path)))
            else:
                self.wiring.changes.append(Replace(self.level.at(*use.path), self.name))
        if consumer != OUTPUTS:
            self.wiring.told.append(f"{consumer} now takes {self.name} instead of {whose}")
        elif found[0].implied:
            self.wiring.told.append(f"{self._output()} is now {self.name} instead of {whose}")
        else:
            self.wiring.told.append(f"the outputs now name {self.name} instead of {whose}")
            if len(different) > 1:
                total = len(self.blueprint.outputs)
                left = total - len(found) + 1
                count = "a list of one tensor" if left == 1 else f"{left} tensors"
                self.wiring.told.append(f"the model now gives {count}, not {total}")

    def _keep_implied(self, taken: Mapping[str, Sequence[Use]]) -> None:
        """Writes out what the new node, by its place, would change without anybody having asked for it."""
        rewired = self.wiring.consumers
        if self.after is not None and self.below is not None and self._is_implied(self.below, rewired):
            self.wiring.changes.append(written_from(self.level, self.below, self.after))
            self.wiring.told.append(
                f"{self.below} says from: {self.after} from now on, because {self.name} stands above it"
            )
        last = implied_output(self.blueprint)
        if last is None or last != self.after or OUTPUTS in rewired:
            return
        if self.into is None and not taken:
            self.wiring.consumers.append(OUTPUTS)
            self.wiring.told.append(f"{self._output()} is now {self.name}, the last node, instead of {last}")
            return
        self.wiring.changes.append(self._write_outputs(last))
        self.wiring.told.append(f"outputs names {last} from now on, because {self.name} is the last node")

    def _is_implied(self, node: str, rewired: Sequence[str]) -> bool:
        return node not in rewired and self.blueprint.nodes[node].source is None

    def _write_outputs(self, value: str) -> Change:
        if "outputs" in self.level.data:
            return Replace(self.level.at("outputs"), value)
        return Insert(self.level.path, "outputs", value, "nodes")

    # Words.

    def _output(self) -> str:
        return "the model's output" if self.level.block is None else f"the output of block {self.level.block}"

    def _called(self, consumer: str) -> str:
        return "the outputs" if consumer == OUTPUTS else consumer

    def _stays(self, consumer: str, found: Sequence[Use]) -> str:
        verb = "still name" if consumer == OUTPUTS else "still takes"
        return f"{verb} {_listed(self._different(found))}"


def _below(level: Level, after: str | None) -> str | None:
    """The node that comes to stand below the new one."""
    names = list(level.definition.nodes)
    index = 0 if after is None else names.index(after) + 1
    return names[index] if index < len(names) else None


def takes_lists(node: Node, place: Path) -> bool:
    """Whether a list in a `from` is as many tensors as there are, and not one for each port.

    Arguments:
        node: the consumer.
        place: where in its `from` the list stands.
    """
    kind: Any = None
    if isinstance(node, LayerNode):
        kind = layers.get(node.layer)
    elif isinstance(node, OpNode):
        kind = ops.get(node.op)
    elif isinstance(node, FuseNode):
        from graphbuilder.fusion import strategies

        kind = strategies.get(node.fuse)
    if kind is None or not kind.ports:
        return False
    if not place:
        return bool(kind.ports[0].many)
    return any(port.many for port in kind.ports if len(place) == 1 and port.name == place[0])


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
