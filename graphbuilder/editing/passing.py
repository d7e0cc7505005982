"""Which passes of compression fit which nodes, where in the order they may stand, and what they would come to."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphbuilder.blueprint import Document, ExpressionError, resolve_values
from graphbuilder.compression.legality import Ruling, Verdict
from graphbuilder.compression.orders import order_of
from graphbuilder.compression.passes import CompressionPass, LowRank
from graphbuilder.compression.plan import CompressionPlan, LayerPlan, Stage, plan_compression
from graphbuilder.compression.plan_data import predicted_sizes
from graphbuilder.compression.selection import matches
from graphbuilder.compression.sizes import PredictedSize
from graphbuilder.compression.tables import passes
from graphbuilder.editing.checking import lowered
from graphbuilder.editing.levels import listed, refused
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic, suggestion
from graphbuilder.graph import Graph, Origin, PassDeclaration

__all__ = [
    "SUGGESTED",
    "FittingPass",
    "Planned",
    "check_plan",
    "layers_of",
    "passes_in_turn",
    "passes_that_fit",
    "planned",
    "positions_of",
]

# What a pass is tried with where nobody says otherwise: mild enough to lose little, strong enough to show.
SUGGESTED: Mapping[str, Mapping[str, Any]] = {
    "prune": {"sparsity": 0.5},
    "cluster": {"clusters": 16},
    "quantize": {},
    "low_rank": {"energy": 0.95},
}


@dataclass(frozen=True, slots=True)
class FittingPass:
    """What a pass would do to some nodes.

    Arguments:
        name: its name, as after `pass:`.
        about: what it does, in one line.
        options: those that it was tried with.
        layers: what it would do to each layer, in the order of the graph.
        without: the nodes that own no layer, so that there is nothing to compress.
        positions: where in the order of passes it may stand, from 0; the last is the suggested one.
        reason: why it may stand nowhere, or changes nothing; None where it fits.
        hint: what to do instead.
        before: what the model comes to with the passes that it has, as .tflite; None where that cannot be told.
        after: what it would come to; None where the pass fits nowhere, or changes shapes.
    """

    name: str
    about: str
    options: Mapping[str, Any]
    layers: tuple[LayerPlan, ...]
    without: tuple[str, ...]
    positions: tuple[int, ...]
    reason: str | None = None
    hint: str | None = None
    before: PredictedSize | None = None
    after: PredictedSize | None = None

    @property
    def fits(self) -> bool:
        """Whether it can be attached."""
        return self.reason is None

    @property
    def changed(self) -> tuple[str, ...]:
        """The layers that it would change."""
        return tuple(one.layer for one in self.layers if one.ruling.acts)


@dataclass(frozen=True, slots=True)
class Planned:
    """What the passes of a file come to.

    Arguments:
        graph: the graph, with the passes.
        plan: the plan.
        errors: what is wrong with it.
    """

    graph: Graph
    plan: CompressionPlan
    errors: tuple[Diagnostic, ...]


def planned(document: Document, compression: Sequence[Mapping[str, Any]]) -> Planned | None:
    """The plan of a file, had it these passes; None where the file has errors, so that there is no graph.

    Arguments:
        document: a loaded blueprint.
        compression: the passes as plain data, as they would be written.

    Raises:
        CommandError: GB208, an expression in an option is wrong.
    """
    graph = lowered(document).graph
    if graph is None:
        return None
    declared = []
    for index, written in enumerate(compression):
        try:
            options = resolve_values(dict(written), graph.params)
        except ExpressionError as error:
            raise refused(document, error.code, error.message, ("compression",), hint=error.hint) from None
        declared.append(PassDeclaration(options, Origin(document.source, ("compression", index))))
    with_passes = replace(graph, compression=tuple(declared))
    plan, found = plan_compression(with_passes)
    return Planned(with_passes, plan, tuple(each for each in found if each.severity == "error"))


def check_plan(document: Document, compression: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What is to be told of passes as a command would have them; nothing where they are right.

    Arguments:
        document: the file before the command.
        compression: the passes after it, as plain data.

    Raises:
        CommandError: something is wrong with them that was not wrong before.
    """
    after = planned(document, compression)
    if after is None:
        return ("the file has errors, so it is not known whether the pass fits",)
    if after.errors:
        before = planned(document, document.source.data.get("compression") or [])
        had = [(found.code, found.message) for found in before.errors] if before is not None else []
        new = [found for found in after.errors if (found.code, found.message) not in had]
        if new:
            # Their places are those of a text that is written nowhere.
            raise CommandError([replace(found, position=None, fix=None) for found in new])
    return ()


def layers_of(graph: Graph, node: str) -> list[str]:
    """The layers that a node owns: itself, or what lies in a block or a fusion."""
    return [name for name in graph.layers if matches(name, node)]


def passes_that_fit(
    document: Document,
    nodes: Sequence[str] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[FittingPass, ...]:
    """What each pass would do to some nodes, in the order of the table; nothing is changed.

    Arguments:
        document: a loaded blueprint.
        nodes: names of nodes, blocks or paths (`encoder.0.dense`); None for the whole model.
        options: options by the name of the pass; those that are left out are `SUGGESTED`.

    Raises:
        BlueprintError: the blueprint is wrong, so that nothing is known of its layers.
        CommandError: a node is not known.
    """
    return tuple(passes_in_turn(document, nodes, options))


def passes_in_turn(
    document: Document,
    nodes: Sequence[str] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Iterator[FittingPass]:
    """As `passes_that_fit`, one pass after the other, each as soon as it was planned.

    Arguments:
        document: a loaded blueprint.
        nodes: names of nodes, blocks or paths (`encoder.0.dense`); None for the whole model.
        options: options by the name of the pass; those that are left out are `SUGGESTED`.

    Raises:
        BlueprintError: the blueprint is wrong, so that nothing is known of its layers; with the first.
        CommandError: a node is not known; with the first.
    """
    graph = lowered(document).graph
    if graph is None:
        raise BlueprintError(lowered(document).errors)
    owned = None if nodes is None else _owned(document, graph, nodes)
    current = planned(document, document.source.data.get("compression") or [])
    assert current is not None
    for name in passes.names():
        kind = passes.get(name)
        assert kind is not None, name
        tried = dict((options or {}).get(name, SUGGESTED.get(name, {})))
        yield _fitting(document, kind, tried, owned, current)


def _owned(document: Document, graph: Graph, nodes: Sequence[str]) -> dict[str, list[str]]:
    """The layers of each node.

    Raises:
        CommandError: GB301, a node is not known.
    """
    owned = {node: layers_of(graph, node) for node in nodes}
    for node, layers in owned.items():
        first = node.partition(".")[0]
        if not layers and first not in document.blueprint.nodes:
            known = list(document.blueprint.nodes)
            hint = suggestion(first, known, listing=f"nodes are {listed(known)}" if known else None)
            raise refused(document, "GB301", f"there is no node {node}", hint=hint, found=node)
    return owned


def _fitting(
    document: Document,
    kind: type[CompressionPass],
    options: dict[str, Any],
    owned: Mapping[str, list[str]] | None,
    current: Planned,
) -> FittingPass:
    about = (inspect.getdoc(kind) or "").partition("\n")[0].rstrip(".")
    name = kind.name()
    before = predicted_sizes(current.plan, current.graph)[1]
    without = tuple(node for node, layers in (owned or {}).items() if not layers)
    entry: dict[str, Any] = {"pass": name, **options}
    if owned is not None:
        chosen = [layer for layers in owned.values() for layer in layers]
        if not chosen:
            told = f"{listed(without)} {'owns' if len(without) == 1 else 'own'} no layer"
            return FittingPass(name, about, options, (), without, (), told, before=before)
        entry["where"] = {"nodes": chosen}
    tried = planned(document, [entry])
    if tried is None or not tried.plan.stages:
        told, hint = (
            (tried.errors[0].message, tried.errors[0].hint) if tried is not None else ("there is no graph", None)
        )
        return FittingPass(name, about, options, (), without, (), told, hint, before)
    (stage,), hint = tried.plan.stages, None
    positions, misplaced = positions_of(current, stage)
    reason: str | None = None
    # Quantization after training converts the whole model, whatever it names.
    spared = next((found for found in tried.errors if found.code == "GB836"), None)
    if not stage.targets:
        reason, hint = _nothing(name, stage.layers)
    elif not positions:
        reason, hint = misplaced
    elif spared is not None:
        reason, hint = spared.message, spared.hint
    after = None
    if reason is None and not issubclass(kind, LowRank):
        stages = list(current.plan.stages)
        stages.insert(positions[-1], stage)
        after = predicted_sizes(CompressionPlan(current.plan.model, tuple(stages)), current.graph)[1]
    return FittingPass(name, about, options, stage.layers, without, positions, reason, hint, before, after)


def positions_of(current: Planned, stage: Stage) -> tuple[tuple[int, ...], tuple[str, str | None]]:
    """Where among the passes of a file another one may stand, and why it may stand nowhere, with what to do instead.

    Arguments:
        current: the plan of the file as it is.
        stage: the other pass, planned alone.
    """
    count = len(current.graph.compression)
    if len(current.plan.stages) < count:
        wrong = current.errors[0]
        return (), (f"the passes that there are have errors: {wrong.message}", wrong.hint)
    name, touched = stage.declared.name(), {target.layer for target in stage.targets}
    shared = [bool(touched & {target.layer for target in each.targets}) for each in current.plan.stages]
    names = [each.declared.name() for each in current.plan.stages]
    found: list[int] = []
    reason: tuple[str, str | None] = ("", None)
    for position in range(count + 1):
        above = [(each, name, same) for each, same in zip(names[:position], shared, strict=False)]
        below = [(name, each, same) for each, same in zip(names[position:], shared[position:], strict=True)]
        broken = [
            (earlier, later, order)
            for earlier, later, same in (*above, *below)
            if not (order := order_of(earlier, later, same_layer=same)).allowed
        ]
        if broken:
            earlier, later, order = broken[0]
            reason = (f"{later} cannot follow {earlier}: {order.reason}", order.hint)
        else:
            found.append(position)
    return tuple(found), reason


def _nothing(name: str, layers: Sequence[LayerPlan]) -> tuple[str, str | None]:
    """Why a pass changes no layer, and how it would."""
    rulings: list[Ruling] = [one.ruling for one in layers]
    illegal = next((found for found in rulings if found.verdict is Verdict.ILLEGAL), None)
    told = illegal or next(iter(rulings), None)
    if told is None or told.reason is None:
        return f"{name} changes none of these layers", None
    return told.reason, told.fix
