"""A flat blueprint as a person would have written it: repeated structure as blocks, chains without `from`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphbuilder.blueprint import parse_blueprint
from graphbuilder.errors import BlueprintError
from graphbuilder.graph import Graph, Layer
from graphbuilder.importers.folding_chains import with_chains
from graphbuilder.importers.folding_cost import cost_of
from graphbuilder.importers.folding_merges import with_merges
from graphbuilder.importers.folding_steps import Scope, head_of, references_in, step_of
from graphbuilder.importers.folding_stretches import best_division
from graphbuilder.importers.written import blueprint_text
from graphbuilder.lowering import lower
from graphbuilder.lowering.resolved_proof import first_difference
from graphbuilder.lowering.usage import used_layers

__all__ = ["Folded", "folded"]

# How much of the lines the first way of folding leaves, at most, that others are not tried.
_ENOUGH, _ENOUGH_OF_CHAINS = 0.3, 0.45
# The parts of `training` that may tell outputs apart by the names of nodes.
_BY_OUTPUT = ("loss", "loss_weights", "metrics")


@dataclass(frozen=True, slots=True)
class Folded:
    """A blueprint that means what a flat one does.

    Arguments:
        text: the blueprint.
        names: the path of each node of the flat one.
    """

    text: str
    names: Mapping[str, str]

    def path(self, name: str) -> str:
        """Where a path of the flat blueprint is now."""
        head, dot, rest = name.partition(".")
        return f"{self.names.get(head, head)}{dot}{rest}"


def folded(data: Mapping[str, Any], graph: Graph) -> Folded:
    """The shortest blueprint that was found to mean the same.

    Its graph is compared with that of the flat one, call by call. The order of calls may be another where the nodes of
    a block did not stand together; Keras orders the layers of a model by what feeds what, whatever the order in which
    they were called.

    Arguments:
        data: a flat blueprint, every `from` written out.
        graph: what it lowers to.

    Example:
        >>> from graphbuilder.api import lower
        >>> layer = {"layer": "Dense", "units": 8, "activation": "relu"}
        >>> nodes = {"a": {**layer, "from": "x"}, "b": {**layer, "from": "a"}}
        >>> data = {"blueprint": 1, "inputs": {"x": {"shape": [8]}}, "nodes": nodes, "outputs": "b"}
        >>> print(folded(data, lower(parse_blueprint(blueprint_text(data)))).text.split("nodes:")[1], end="")
        <BLANKLINE>
          a: {layer: Dense, units: 8, activation: relu}
          b: {layer: Dense, units: 8, activation: relu}
        <BLANKLINE>
        outputs: b
    """
    scope = _scope(data)
    for found in _foldings(scope):
        candidate = Folded(blueprint_text(_data(data, found)), found.paths)
        if _difference(graph, candidate) is None:
            return candidate
    return Folded(blueprint_text(data), scope.paths)


def _scope(data: Mapping[str, Any]) -> Scope:
    steps = tuple(step_of(name, node) for name, node in data["nodes"].items())
    training = data.get("training") or {}
    named = any(isinstance(training.get(key), Mapping) for key in _BY_OUTPUT)
    pinned = frozenset(map(head_of, references_in(data["outputs"]))) if named else frozenset()
    paths = {step.name: step.name for step in steps}
    return Scope(tuple(data["inputs"]), steps, data["outputs"], dict(data.get("blocks", {})), paths, pinned=pinned)


def _foldings(scope: Scope) -> Iterator[Scope]:
    """The ways to fold, the shortest first; the last one has no more blocks than the flat one."""
    found = [_divided(scope)]
    share = cost_of(found[0]) / cost_of(scope)
    chained = with_chains(scope) if share > _ENOUGH_OF_CHAINS else None
    if chained is not None:
        found += [chained, _divided(chained)]
    merged = with_merges(scope) if share > _ENOUGH else None
    if merged is not None:
        found.append(_divided(merged))
    yield from sorted(found, key=cost_of)
    yield scope


def _divided(scope: Scope) -> Scope:
    """The scope with blocks for repeated stretches, and with blocks of those."""
    while True:
        found = best_division(scope)
        if found is None:
            return scope
        scope = replace(found, divided=True)


def _data(data: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """The blueprint, its parts in the order in which people write them."""
    found = {key: value for key, value in data.items() if key not in ("nodes", "blocks", "outputs", "training")}
    if scope.blocks:
        found["blocks"] = {
            name: {**block, "nodes": _without_from(block["nodes"], list(block["inputs"]))}
            for name, block in scope.blocks.items()
        }
    found["nodes"] = _without_from({step.name: step.written() for step in scope.steps}, list(scope.inputs))
    found["outputs"] = scope.outputs
    if "training" in data:
        found["training"] = data["training"]
    return found


def _without_from(nodes: Mapping[str, Mapping[str, Any]], inputs: list[str]) -> dict[str, Any]:
    """The nodes without a `from` that says no more than that they take what stands above."""
    above = inputs[0] if len(inputs) == 1 else None
    found = {}
    for name, node in nodes.items():
        implied = above is not None and node.get("from") == above
        found[name] = {key: value for key, value in node.items() if not (implied and key == "from")}
        above = name
    return found


def _difference(graph: Graph, candidate: Folded) -> str | None:
    """Where the candidate is another graph, or names a node that is not there; None where it is the same."""
    try:
        folded_graph = lower(parse_blueprint(candidate.text, name="the folded blueprint"))
    except BlueprintError as error:
        return str(error)
    calls = {}
    for call in graph.calls.values():
        other = folded_graph.calls.get(candidate.path(call.name))
        if other is None:
            return f"{call.name} is not at {candidate.path(call.name)}"
        layers = [target.name for target in (call.target, other.target) if isinstance(target, Layer)]
        if len(layers) == 2 and candidate.path(layers[0]) != layers[1]:
            return f"the layer {layers[0]} is at {layers[1]}"
        calls[other.name] = other
    if len(calls) != len(folded_graph.calls):
        return f"there are {len(folded_graph.calls)} calls, and {len(calls)} of them are known"
    in_order = replace(folded_graph, calls=calls, layers=used_layers(calls))
    return first_difference(graph, in_order)
