"""What differs between two blueprints, by structure: nodes, connections, arguments, and what follows for the cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphbuilder.analysis.diff_sides import Node, Reference, Scope, data_of, graph_scope, written_scopes
from graphbuilder.analysis.pairing import Pairs, candidates
from graphbuilder.analysis.summary import Totals, summarize
from graphbuilder.blueprint import Document
from graphbuilder.blueprint.training_meaning import meant_training
from graphbuilder.catalog import TensorType
from graphbuilder.graph import Graph
from graphbuilder.lowering.resolved_names import legal_name
from graphbuilder.text.splices import same_data

__all__ = ["ABSENT", "Change", "Difference", "NodeChange", "diff_files", "diff_graphs"]

# What of `training` is handed to `compile`, and so kept with a model.
_COMPILED = ("optimizer", "loss", "loss_weights", "metrics")


class _Absent:
    """Stands for what one side does not say."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Change:
    """A value that is another one.

    Arguments:
        path: where it stands, such as `units` and `optimizer.adam.learning_rate`.
        before: what it was; `ABSENT` where nothing was said.
        after: what it is.
    """

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class NodeChange:
    """A node that is on both sides, and what is different of it.

    Arguments:
        before: the node on the first side.
        after: the node on the second.
        renamed: whether its name is another one.
        arguments: what it is made with.
        inputs: what it is called with, by the port, and whose weights it uses, as `reuse`.
        types: what it gives, where that is another shape or dtype.
    """

    before: Node
    after: Node
    renamed: bool
    arguments: tuple[Change, ...]
    inputs: tuple[Change, ...]
    types: tuple[tuple[TensorType | None, ...], tuple[TensorType | None, ...]] | None

    @property
    def new_kind(self) -> bool:
        """Whether something else is applied."""
        return self.before.kind != self.after.kind


@dataclass(frozen=True, slots=True)
class ScopeDifference:
    """What differs among the nodes of one file or block.

    Arguments:
        name: the block; "" for the file.
        added: nodes of the second side alone.
        removed: nodes of the first side alone.
        changed: nodes of both that differ, also where only the shape does.
        outputs: what is given, by its key.
    """

    name: str
    added: tuple[Node, ...]
    removed: tuple[Node, ...]
    changed: tuple[NodeChange, ...]
    outputs: tuple[Change, ...]

    def count(self, *, names: bool) -> int:
        """How many differences there are; shapes follow from others and do not count.

        Arguments:
            names: whether a node that has only another name counts.
        """
        nodes = sum(
            bool(change.arguments or change.inputs or change.new_kind or (names and change.renamed))
            for change in self.changed
        )
        return len(self.added) + len(self.removed) + nodes + len(self.outputs)


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two blueprints.

    Arguments:
        scopes: the nodes, of the graph or of each file and block.
        sections: what is said beside them, by its path, such as `training.epochs`.
        totals: the sums over each graph, where both have one.
        names: whether a node that has only another name counts.
    """

    scopes: tuple[ScopeDifference, ...]
    sections: tuple[Change, ...]
    totals: tuple[Totals, Totals] | None
    names: bool = field(default=True)

    @property
    def count(self) -> int:
        """How many differences there are."""
        return sum(scope.count(names=self.names) for scope in self.scopes) + len(self.sections)


def diff_graphs(one: Graph, two: Graph, *, names: bool = True, from_model: bool = False) -> Difference:
    """What differs between two graphs.

    It makes no difference how they are written: blocks, params, fusions and the order of nodes are gone, and
    `encoder.2.norm` has the name `encoder_2_norm` too. Descriptions are not compared.

    Arguments:
        one: a graph.
        two: another one.
        names: whether a node that has only another name counts; weights travel by name.
        from_model: whether a side is of a model's file, which does not say passes, budget, modalities, names of unknown
            axes, names of nodes that use another's weights again, and of training no more than `compile` takes. They
            are not compared then.

    Example:
        >>> from graphbuilder.api import lower
        >>> graphs = lower("blueprints/resnet50.yaml"), lower("blueprints/resnet50.yaml", {"classes": 10})
        >>> found = diff_graphs(*graphs).scopes[0]
        >>> [(change.before.name, change.arguments[0].before, change.arguments[0].after) for change in found.changed]
        [('scores', 1000, 10)]
    """
    sides = (graph_scope(graph, axis_names=not from_model) for graph in (one, two))
    scope = _diff_scopes("", *sides, names=names, shared_names=not from_model)
    changes = list(_training_changes(one, two, from_model=from_model))
    if not from_model:
        changes += _changes(_sections(one), _sections(two), "")
    if one.inputs_as != two.inputs_as:
        changes.append(Change("inputs_as", one.inputs_as, two.inputs_as))
    return Difference((scope,), tuple(changes), (summarize(one).totals, summarize(two).totals), names)


def diff_files(one: Document, two: Document) -> Difference:
    """What differs between two blueprints as they are written, blocks and params included; the layout aside.

    Arguments:
        one: a loaded blueprint.
        two: another one.
    """
    mine, theirs = written_scopes(one), written_scopes(two)
    empty = Scope({})
    scopes = [
        _diff_scopes(name, mine.get(name, empty), theirs.get(name, empty), names=True)
        for name in dict.fromkeys([*mine, *theirs])
    ]
    sections = _changes(_written_sections(one), _written_sections(two), "")
    return Difference(tuple(scopes), tuple(sections), None)


def _sections(graph: Graph) -> dict[str, Any]:
    """What a graph's blueprint says beside its nodes."""
    return {
        "compression": _passes([data_of(declared.options) for declared in graph.compression]),
        "budget": data_of(graph.budget.bounds) if graph.budget is not None else {},
        "pretrained": {each.path: each.told for each in graph.pretraining},
        "modality": {name: item.modality for name, item in graph.inputs.items() if item.modality},
    }


def _training_changes(one: Graph, two: Graph, *, from_model: bool) -> Iterator[Change]:
    """Where two graphs want to be trained differently, in the words of their authors."""
    written = [_outputs_named(data_of(graph.training or {})) for graph in (one, two)]
    meant = [data_of(meant_training(each)) if each else {} for each in written]
    if from_model and not all("loss" in each for each in meant):
        # One of them is not compiled.
        return
    for key in dict.fromkeys(key for each in meant for key in each if key in _COMPILED or not from_model):
        if not same_data(*(each.get(key, ABSENT) for each in meant)):
            before, after = (each.get(key, ABSENT) for each in written)
            yield from _changes(before, after, f"training.{key}")


def _outputs_named(training: dict[str, Any]) -> dict[str, Any]:
    """What is said of training, with outputs by names that a flat file can say."""
    return {
        key: {legal_name(name): item for name, item in value.items()}
        if key in ("loss", "loss_weights", "metrics") and isinstance(value, dict)
        else value
        for key, value in training.items()
    }


def _passes(passes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Passes by their names, so that one more in front is no change of all behind it, and the order of the names."""
    found: dict[str, Any] = {}
    for options in passes:
        name = str(options.get("pass"))
        number = sum(key.split(" ")[0] == name for key in found) + 1
        found[name if number == 1 else f"{name} {number}"] = {
            key: value for key, value in options.items() if key not in ("pass", "about")
        }
    return {**found, "order": list(found)} if len(found) > 1 else found


def _written_sections(document: Document) -> dict[str, Any]:
    """The same of a file, with what it says of its params, imports and blocks."""
    skipped = ("blueprint", "about", "description", "nodes", "inputs", "outputs", "blocks")
    found = {key: value for key, value in document.source.data.items() if key not in skipped}
    found["compression"] = _passes(found.get("compression") or [])
    for name, block in (document.source.data.get("blocks") or {}).items():
        found[f"blocks.{name}"] = {"params": block.get("params") or {}}
    return found


def _diff_scopes(name: str, one: Scope, two: Scope, *, names: bool, shared_names: bool = True) -> ScopeDifference:
    found = [_compared(name, one, two, pairs, shared_names) for pairs in candidates(one, two)]
    return min(found, key=lambda difference: (difference.count(names=names), difference.count(names=True)))


def _compared(name: str, one: Scope, two: Scope, pairs: Pairs, shared_names: bool) -> ScopeDifference:
    back = {theirs: mine for mine, theirs in pairs.items()}
    shared, also_shared = _sharing(one, pairs), _sharing(two, {name: name for name in back})
    changed = (
        _node_change(one.nodes[mine], two.nodes[theirs], pairs, shared_names, shared[mine] == also_shared[theirs])
        for mine, theirs in pairs.items()
    )
    order = {node: number for number, node in enumerate(one.nodes)}
    return ScopeDifference(
        name,
        tuple(node for node in two.nodes.values() if node.name not in back),
        tuple(node for node in one.nodes.values() if node.name not in pairs),
        tuple(sorted((change for change in changed if change), key=lambda change: order[change.before.name])),
        tuple(_reference_changes(one.outputs, two.outputs, pairs)),
    )


def _sharing(scope: Scope, names: Mapping[str, str]) -> dict[str, set[str]]:
    """The nodes that each node has its weights in common with, itself among them, as far as they have names here.

    Which of them makes the layer depends on the order in which they are written.
    """
    groups: dict[str, set[str]] = {}
    for node in scope.nodes.values():
        group = groups.setdefault(node.shares or node.name, set())
        if node.name in names:
            group.add(names[node.name])
    return {node.name: groups[node.shares or node.name] for node in scope.nodes.values()}


def _node_change(mine: Node, theirs: Node, pairs: Pairs, shared_names: bool, shared_alike: bool) -> NodeChange | None:
    renamed = mine.short != theirs.short and (shared_names or not (mine.shares and theirs.shares))
    arguments = () if mine.signature == theirs.signature else tuple(_argument_changes(mine, theirs))
    inputs = list(_reference_changes(mine.inputs, theirs.inputs, pairs))
    if not shared_alike and pairs.get(mine.shares or "") != theirs.shares:
        inputs.append(Change("reuse", mine.shares or ABSENT, theirs.shares or ABSENT))
    types = None if mine.types == theirs.types else (mine.types, theirs.types)
    if not (renamed or arguments or inputs or types or mine.kind != theirs.kind):
        return None
    return NodeChange(mine, theirs, renamed, arguments, tuple(inputs), types)


def _argument_changes(mine: Node, theirs: Node) -> Iterator[Change]:
    """Arguments that differ; what one side does not say is the default, where the two are of one kind."""
    same = {
        name
        for name in mine.arguments.keys() | theirs.arguments.keys()
        if mine.kind == theirs.kind and same_data(mine.compared.get(name, ABSENT), theirs.compared.get(name, ABSENT))
    }

    def said(node: Node) -> dict[str, Any]:
        return {name: value for name, value in node.arguments.items() if name not in same}

    for change in _changes(said(mine), said(theirs), ""):
        before, after = change.before, change.after
        if mine.kind == theirs.kind:
            before = _or_default(before, mine, change.path)
            after = _or_default(after, theirs, change.path)
        yield Change(change.path, before, after)


def _or_default(value: Any, node: Node, path: str) -> Any:
    found = node.default(path) if value is ABSENT else None
    return value if found is None else found


def _reference_changes(
    mine: Mapping[str, Reference], theirs: Mapping[str, Reference], pairs: Pairs
) -> Iterator[Change]:
    """What stands at other ports, or is something else."""
    for port in dict.fromkeys([*mine, *theirs]):
        before, after = mine.get(port), theirs.get(port)
        if before is None or after is None:
            yield Change(port, ABSENT if before is None else str(before), ABSENT if after is None else str(after))
        elif before.part != after.part or (None if before.node is None else pairs.get(before.node, "")) != after.node:
            yield Change(port, str(before), str(after))


def _changes(before: Any, after: Any, path: str) -> Iterator[Change]:
    """Where plain data differs, as deep as both have mappings, or lists of one length."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            inner = f"{path}.{key}" if path else str(key)
            yield from _changes(before.get(key, ABSENT), after.get(key, ABSENT), inner)
    elif _lists_of_mappings(before, after):
        for number, (mine, theirs) in enumerate(zip(before, after, strict=True)):
            yield from _changes(mine, theirs, f"{path}.{number}")
    elif before is ABSENT or after is ABSENT or not same_data(before, after):
        yield Change(path, before, after)


def _lists_of_mappings(before: Any, after: Any) -> bool:
    lists = isinstance(before, list) and isinstance(after, list) and len(before) == len(after)
    return lists and all(isinstance(item, Mapping) for item in [*before, *after])
