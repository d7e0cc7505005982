"""Which layers of a block or fusion training changes, where the node that uses it says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from graphbuilder.blueprint import BlockNode, FuseNode, TrainedPart
from graphbuilder.catalog import LayerEntry, Weight
from graphbuilder.catalog.arguments import as_written
from graphbuilder.errors import suggestion
from graphbuilder.graph import CustomLayer
from graphbuilder.lowering.arguments import resolved
from graphbuilder.lowering.reports import Reports
from graphbuilder.lowering.scope import Bound, Made, Scope

__all__ = ["Freezing", "check_met", "freezing_of", "trained_entry"]


@dataclass(slots=True)
class Freezing:
    """What one node says of all layers made inside it, while the walk is there.

    Arguments:
        path: the path under which those layers are kept.
        trained: whether they are trained.
        start: the path inside of the first node that is trained; None where all are, or none.
        excepted: kinds of layers, and nodes inside, that are frozen.
        reached: whether the walk has come to the first node that is trained.
        met: which of the excepted there were.
        kinds: the kinds of layers that there were.
    """

    path: str
    trained: bool
    start: str | None = None
    excepted: Sequence[str] = ()
    reached: bool = False
    met: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.reached = self.start is None

    def enter(self, path: str) -> None:
        """Notes that the walk has come to a node, by the path under which its layers are kept."""
        if not self.reached and _is_within(path, f"{self.path}.{self.start}"):
            self.reached = True

    def trains(self, kind: str, path: str) -> bool:
        """Whether a new layer inside is trained.

        Arguments:
            kind: its kind.
            path: the path under which it is kept.
        """
        excepted = [each for each in self.excepted if each == kind or _is_within(path, f"{self.path}.{each}")]
        self.met.update(excepted)
        self.kinds.add(kind)
        return self.trained and self.reached and not excepted


def freezing_of(made: Made, reports: Reports, where: tuple[str | int, ...], name: str) -> Freezing | None:
    """What a block node or fusion says of training; None where it says nothing, and after a report.

    Arguments:
        made: the node.
        reports: told of an expression that gives no truth value.
        where: the keys that lead to what it says.
        name: the node's path in the graph.
    """
    node = made.node
    if not isinstance(node, (BlockNode, FuseNode)) or node.trainable is None:
        return None
    taps: Mapping[str, str] = {}
    if isinstance(node, BlockNode):
        place = made.scope.find_block(node.block)
        # A block with a param of that name is given it, and does with it what it says.
        if place is None or "trainable" in place.definition.params:
            return None
        taps = place.definition.taps
    said: Any = node.trainable
    if not isinstance(said, TrainedPart):
        said = resolved(made.scope, reports, said, where, name)
    if isinstance(said, Mapping) and isinstance(node, BlockNode):
        with suppress(ValidationError):
            said = TrainedPart.model_validate(said)
    if isinstance(said, TrainedPart):
        start = None if said.start is None else taps.get(said.start, said.start)
        return Freezing(made.layer_path, True, start, [taps.get(each, each) for each in said.excepted])
    if said is None or isinstance(said, bool):
        return None if said is None else Freezing(made.layer_path, said)
    message = f"trainable is {as_written(said)}, which {node.trainable} gives"
    expected = "true or false" if isinstance(node, FuseNode) else "true, false, or a mapping such as {from: block_13}"
    reports.add(made.scope, "GB204", message, where, node=name, expected=expected)
    return None


def check_met(
    rule: Freezing, bound: Bound, scope: Scope, reports: Reports, where: tuple[str | int, ...], name: str
) -> None:
    """Reports names under `trainable` that nothing inside the block has.

    Arguments:
        rule: what the node said, once the walk has left it.
        bound: what the node's name stands for.
        scope: where it stands.
        reports: told of them.
        where: the keys that lead to what it says.
        name: the node's path in the graph.
    """
    if rule.start is not None and not rule.reached:
        trail, step, names = _missing(bound, name, rule.start)
        reports.add(
            scope, "GB301", f"{trail} has no node {step}", (*where, "from"), node=name, found=rule.start,
            hint=suggestion(step, names, listing=f"it has {', '.join(names[:12])}" if names else None),
        )  # fmt: skip
    for index, each in enumerate(rule.excepted):
        if each not in rule.met:
            trail, step, names = _missing(bound, name, each)
            reports.add(
                scope, "GB301", f"{trail} has no layer of the kind {each}, and no node of that name",
                (*where, "except", index), node=name, found=each, hint=suggestion(step, [*names, *sorted(rule.kinds)]),
            )  # fmt: skip


def _missing(bound: Bound, trail: str, reference: str) -> tuple[str, str, list[str]]:
    """Where a path inside a block ends, the step that leads nowhere, and what there is instead."""
    here = bound
    for step in reference.split("."):
        if step not in here.inner:
            return trail, step, list(here.inner)
        here, trail = here.inner[step], f"{trail}.{step}"
    return trail, reference.rpartition(".")[2], []


def _is_within(path: str, outer: str) -> bool:
    return path == outer or path.startswith(f"{outer}.")


def trained_entry(
    entry: LayerEntry | CustomLayer, weights: tuple[Weight, ...] | None, path: str, rules: Sequence[Freezing]
) -> LayerEntry | CustomLayer:
    """What a new layer is, with what the nodes around it say of training.

    The outermost that says anything decides, as in Keras, where setting `trainable` of a model sets that of all its
    layers.

    Arguments:
        entry: its kind and arguments.
        weights: what it owns; None where that is not known.
        path: the path under which it is kept.
        rules: what the nodes around it say, from the outside in.
    """
    if not rules:
        return entry
    kind = entry.place if isinstance(entry, CustomLayer) else type(entry).name()
    # Each of them is asked, so that all know which of their names they have met.
    trains, *_ = [rule.trains(kind, path) for rule in rules]
    if weights == ():
        return entry
    if isinstance(entry, CustomLayer):
        said = entry.arguments.get("trainable", True)
        return entry if said == trains else replace(entry, arguments={**entry.arguments, "trainable": trains})
    return entry if entry.trainable == trains else entry.model_copy(update={"trainable": trains})
